"""Text in SQL, alike on SQLite, PostgreSQL and MySQL: comparing it case by case, and reading it as a number.

The only place where the compiled filter of runs differs from database to database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_NUMBER = "^[[:space:]]*[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,3})?[[:space:]]*$"
"""A regular expression for PostgreSQL and MySQL. An exponent of four digits would overflow what they calculate with."""


class exact(FunctionElement[str]):
    """Text whose case counts when it is compared. MySQL's collations ignore case, so there its bytes are compared.

    As MLflow does it (`SearchUtils.get_sql_comparison_func`). On SQLite LIKE needs `PRAGMA case_sensitive_like` too.
    """

    name = "exact"
    inherit_cache = True
    type = String()


class as_number(FunctionElement[float]):
    """The number that a text is, and NULL if it is none: `1e-3` and ` 7 ` are; `7b`, `0x1F`, `nan` and `` are not."""

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
    # CAST takes whatever digits a text begins with. Comparing does not: beside something that is REAL a text is turned
    # into a number only if all of it is one; and what stays text is greater than every number, even infinity (9e999).
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
