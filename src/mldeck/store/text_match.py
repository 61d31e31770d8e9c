"""Text in SQL, the same on SQLite, PostgreSQL and MySQL: case-sensitive comparison, and reading it as a number.

This is the only place where the compiled filter of runs differs from database to database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_NUMBER = "^[[:space:]]*[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,3})?[[:space:]]*$"
"""A regular expression for PostgreSQL and MySQL. An exponent of four digits would overflow their numbers."""


class exact(FunctionElement[str]):
    """Text that is compared case-sensitively. MySQL's collations ignore case, so there its bytes are compared.

    Source: MLflow's `SearchUtils.get_sql_comparison_func`. On SQLite, LIKE also needs `PRAGMA case_sensitive_like`.
    """

    name = "exact"
    inherit_cache = True
    type = String()


class as_number(FunctionElement[float]):
    """A text as a number, NULL if it is not one: `1e-3` and ` 7 ` are numbers; `7b`, `0x1F`, `nan` and `` are not."""

    name = "as_number"
    inherit_cache = True
    type = Float()


@compiles(exact)
def _exact(element: exact, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(exact, "mysql", "mariadb")
def _exact_mysql(element: exact, compiler: SQLCompiler, **kw: Any) -> str:
    return f"BINARY {compiler.process(element.clauses, **kw)}"


@compiles(as_number, "sqlite")
def _as_number_sqlite(element: as_number, compiler: SQLCompiler, **kw: Any) -> str:
    # CAST accepts a text that merely begins with digits. A comparison does not: compared with a REAL, a text becomes a
    # number only if all of it is one, and otherwise it is greater than every number, even infinity (9e999).
    text = compiler.process(element.clauses, **kw)
    return f"CASE WHEN {text} <= CAST(9e999 AS REAL) THEN CAST({text} AS REAL) END"


@compiles(as_number, "postgresql")
def _as_number_postgresql(element: as_number, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"CASE WHEN {text} ~ '{_NUMBER}' THEN CAST({text} AS NUMERIC) END"


@compiles(as_number, "mysql", "mariadb")
def _as_number_mysql(element: as_number, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    return f"CASE WHEN {text} REGEXP '{_NUMBER}' THEN {text} + 0e0 END"
