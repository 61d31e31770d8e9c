"""SQL that has to be written differently for SQLite, PostgreSQL and MySQL. Text is in `text_match`.

MySQL also stands for MariaDB.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Float,
    Integer,
    Numeric,
    and_,
    case,
    cast,
    func,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator

_POSTGRESQL, _MYSQL = 1, 2
_TINY = 1e-290
"""PostgreSQL refuses a calculation whose result is too small for a float. What is smaller than this is left out before it."""
_SMALL, _ENLARGED = 1e-100, 1e200
"""Groups of numbers all smaller than the first are multiplied by the second, so that nothing is left out."""


class _Whole(TypeDecorator[int]):
    """A whole number of any size, which servers return as a decimal."""

    impl = BigInteger
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return lambda value: int(value) if isinstance(value, Decimal) else value


class _Variants(FunctionElement[Any]):
    """The same value, as SQLite, PostgreSQL and MySQL write it."""

    name = "variants"
    inherit_cache = True

    def __init__(self, sqlite: ColumnElement[Any], postgresql: ColumnElement[Any], mysql: ColumnElement[Any]) -> None:
        super().__init__(sqlite, postgresql, mysql)
        self.type = sqlite.type

    def self_group(self, against: OperatorType | None = None) -> Any:
        """Return it with the parentheses that it needs beside an operator."""
        return _Variants(*(variant.self_group(against) for variant in self.clauses))


@compiles(_Variants)
def _variant_of_sqlite(element: _Variants, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(next(iter(element.clauses)), **kw)


@compiles(_Variants, "postgresql")
def _variant_of_postgresql(element: _Variants, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(list(element.clauses)[_POSTGRESQL], **kw)


@compiles(_Variants, "mysql", "mariadb")
def _variant_of_mysql(element: _Variants, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(list(element.clauses)[_MYSQL], **kw)


def variants(
    sqlite: ColumnElement[Any], *, postgresql: ColumnElement[Any], mysql: ColumnElement[Any]
) -> ColumnElement[Any]:
    """Return a value of which each kind of database gets its own expression. Its type is that of SQLite's."""
    return _Variants(sqlite, postgresql, mysql)


def sqlite_only(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition that is true on other databases. SQLite alone keeps values of another type than their column's."""
    return variants(condition, postgresql=true(), mysql=true())


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a text column that SQLite does not look up in an index. Other databases know better which index to use."""
    return variants(func.coalesce(column, ""), postgresql=column, mysql=column)


def identity(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a value that is the same for two texts if all of their bytes are. MySQL sorts by the first 1,024 bytes alone."""
    return variants(text, postgresql=text, mysql=func.sha2(text, 256))


def difference(value: ColumnElement[Any], other: Any) -> ColumnElement[Any]:
    """Return one integer less another, which may be too large for 64 bits; SQLite calculates with floats then."""
    found = variants(value - other, postgresql=cast(value, Numeric) - other, mysql=cast(value, Numeric(20)) - other)
    return type_coerce(found, _Whole())


def slice_number(value: ColumnElement[Any], first: int, width: int) -> ColumnElement[Any]:
    """Return how many times `width` fits between the integers `first` and `value`, which is the greater one."""
    return variants(
        cast((value - first) // width, Integer),
        postgresql=cast(func.div(cast(value, Numeric) - first, cast(width, Numeric)), BigInteger),
        mysql=cast(value, Numeric(20)).op("-")(first).self_group().op("DIV")(width),
    )


def scaled(value: ColumnElement[Any], low: ColumnElement[Any], high: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return where a float lies between `low`, which is 0, and `high`, which is 1. If these are equal: NULL, or 0."""
    # Halves, because the difference of two numbers may be too large for a number.
    plain = (value / 2 - low / 2) / func.nullif(high / 2 - low / 2, 0.0)
    are_small = func.greatest(func.abs(low), func.abs(high)) < _SMALL
    part = _resized(value, are_small) - _resized(low, are_small)
    whole = _resized(high, are_small) - _resized(low, are_small)
    careful = case(
        (whole == 0.0, 0.0),
        (and_(whole > 1.0, part < whole * _TINY), 0.0),
        else_=part / func.nullif(whole, 0.0),
    )
    return type_coerce(variants(plain, postgresql=careful, mysql=plain), Float())


def square(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the square of a float that is not negative."""
    return variants(value * value, postgresql=case((value < 1e-150, 0.0), else_=value * value), mysql=value * value)


def _resized(value: ColumnElement[Any], are_small: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return a multiple of a float of a group, with which PostgreSQL can calculate."""
    return case((are_small, value * _ENLARGED), (func.abs(value) < _TINY, 0.0), else_=value / 2)
