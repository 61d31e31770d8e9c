"""Text in SQL, the same on SQLite, PostgreSQL and MySQL: case-sensitive comparison, and reading it as a number.

What differs from database to database beside this is in `expressions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Float,
    String,
    bindparam,
    collate,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType

from mldeck.store.expressions import variants

_ESCAPE = "/"
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)

_NUMBER = "^[[:space:]]*[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,3})?[[:space:]]*$"
"""A regular expression for PostgreSQL and MySQL. An exponent of four digits would overflow their numbers."""


class exact(FunctionElement[str]):
    """Text that is compared case-sensitively. MySQL's collations ignore case, so there its bytes are compared.

    Source: MLflow's `SearchUtils.get_sql_comparison_func`. On SQLite, LIKE also needs `PRAGMA case_sensitive_like`.
    """

    name = "exact"
    inherit_cache = True
    type = String()


class _Condition(FunctionElement[bool]):
    """A comparison: no parentheses are needed around it in AND, nor `= 1`, which SQLAlchemy adds to functions."""

    inherit_cache = True
    type = Boolean()

    def self_group(self, against: OperatorType | None = None) -> Any:
        return self


class _same(_Condition):
    """(column, text): whether they are the same. Also by MySQL's own rules, because it finds only those in an index."""

    name = "same"
    inherit_cache = True


class _among(_Condition):
    """(column, texts): whether it is the same as one of them."""

    name = "among"
    inherit_cache = True


class _in_utf8(FunctionElement[str]):
    """A text in all its characters, whatever the character set of its column."""

    name = "in_utf8"
    inherit_cache = True
    type = String()


def same_text(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Return the condition that a column has exactly this text. An index of the column is used."""
    return _same(column, literal(text, column.type))


def among_texts(column: ColumnElement[Any], texts: Sequence[str] | BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has exactly one of these texts. An index of the column is used."""
    if not isinstance(texts, BindParameter):
        texts = bindparam(None, list(texts), column.type, expanding=True, unique=True)
    return _among(column, texts)


def exactly(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a text column whose values are told apart in groups by all that differs, as SQLite does."""
    return type_coerce(exact(column), column.type)


def contains_text(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """Return the condition that a column contains a text, whatever the case of ASCII letters.

    On MySQL the case of other letters is ignored too.
    """
    # Lowercased as SQLite does it, because otherwise a text with an Ü would not be found.
    lowered = text.translate(_LOWER)
    pattern = "".join(f"{_ESCAPE}{letter}" if letter in ("%", "_", _ESCAPE) else letter for letter in lowered)
    pattern = f"%{pattern}%"
    return variants(
        func.lower(column, type_=String()).like(pattern, escape=_ESCAPE),
        postgresql=func.lower(collate(column, "C"), type_=String()).like(pattern, escape=_ESCAPE),
        mysql=collate(func.lower(_in_utf8(column)), "utf8mb4_bin").like(func.lower(pattern), escape=_ESCAPE),
    )


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
    # In UTF-8, because that is what the text is compared with, and what a result is read as.
    return f"BINARY CONVERT({compiler.process(element.clauses, **kw)} USING utf8mb4)"


@compiles(_same)
def _same_text(element: _same, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = element.clauses
    return compiler.process(column == text, **kw)


@compiles(_same, "mysql", "mariadb")
def _same_mysql(element: _same, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = element.clauses
    return f"({compiler.process(column == text, **kw)} AND {compiler.process(exact(column) == text, **kw)})"


@compiles(_among)
def _among_texts(element: _among, compiler: SQLCompiler, **kw: Any) -> str:
    column, texts = element.clauses
    return compiler.process(column.in_(texts), **kw)


@compiles(_among, "mysql", "mariadb")
def _among_mysql(element: _among, compiler: SQLCompiler, **kw: Any) -> str:
    column, texts = element.clauses
    return f"({compiler.process(column.in_(texts), **kw)} AND {compiler.process(exact(column).in_(texts), **kw)})"


@compiles(_in_utf8)
def _in_utf8_anyway(element: _in_utf8, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(_in_utf8, "mysql", "mariadb")
def _in_utf8_mysql(element: _in_utf8, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CONVERT({compiler.process(element.clauses, **kw)} USING utf8mb4)"


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
