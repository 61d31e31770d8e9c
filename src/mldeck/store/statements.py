"""Running statements on any database: lists of bound values, rows as the driver returns them, and reads that can be stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Select
from sqlalchemy.exc import DBAPIError

from mldeck.errors import Interrupted

_Value = TypeVar("_Value")

MAX_BOUND_VALUES = 500
"""Longest IN list, because older builds of SQLite accept only 999 bound values in a statement."""


def chunks(values: Sequence[_Value], size: int = MAX_BOUND_VALUES // 2) -> Iterator[Sequence[_Value]]:
    """Yield the values in parts of at most `size`; by default a statement has room for two such parts."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def plain_rows(connection: Connection, statement: Select[Any], values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """Return all rows as they are stored, straight from the driver: SQLAlchemy's rows and types would double the cost."""
    with closing(connection.execute(statement, values)) as result:
        assert result.cursor is not None  # a SELECT has a cursor, even without rows
        return result.cursor.fetchall()


@contextmanager
def stoppable(connection: Connection) -> Iterator[None]:
    """End the block quietly when its interrupt is fired; what was read before remains valid."""
    try:
        yield
    except (Interrupted, DBAPIError, connection.dialect.loaded_dbapi.Error):
        if not connection.get_execution_options()["interrupt"].fired:
            raise
