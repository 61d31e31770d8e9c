"""Running statements on any database: lists of bound values, rows as the driver returns them, several statements in one
request, and reads that can be stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from sqlalchemy import Connection, Executable, Row, Select
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


@dataclass(frozen=True)
class Earlier:
    """Stands in a list of bound values for the first column of an earlier statement of the same request.

    Only for a connection that can fill it in (see `Gatherer.fills_in`).
    """

    index: int
    """The position of that statement in the request."""


@runtime_checkable
class Gatherer(Protocol):
    """A driver's connection to a distant database, which can ask several statements in one request."""

    fills_in: bool
    """Whether the far end puts the answers of earlier statements in the place of `Earlier`."""

    def gathering(self) -> AbstractContextManager[None]:
        """Note the statements that are executed in the block, without rows, and ask all of them when it ends."""

    def forget_answers(self) -> None:
        """Drop the answers of the last request that was gathered, as far as no statement has taken them."""


@contextmanager
def asked_together(connection: Connection, statements: Iterable[Executable]) -> Iterator[None]:
    """Answer these SELECTs, executed within the block in whatever way, by one request if the database is distant.

    Each answer serves one execution, in any order; other statements can be executed too. What an enclosing block has asked
    already is not asked again. An error of a statement is raised where it is executed. For other databases the statements are
    not iterated, so a generator of them costs nothing there.
    """
    raw = connection.connection.dbapi_connection
    if not isinstance(raw, Gatherer):
        yield
        return
    with raw.gathering():
        for statement in statements:
            connection.execute(statement)
    try:
        yield
    finally:
        raw.forget_answers()


@contextmanager
def foreseen(connection: Connection, statements: Iterable[Executable]) -> Iterator[None]:
    """Answer these SELECTs by one request, as `asked_together`; some of them may need answers of others (see `Earlier`).

    They are a guess: what the block does not execute is lost, and what was not foreseen is asked then. Nothing is asked in
    advance if the connection cannot fill in answers.
    """
    raw = connection.connection.dbapi_connection
    if isinstance(raw, Gatherer) and raw.fills_in:
        with asked_together(connection, statements):
            yield
    else:
        yield


def at_once(connection: Connection, statements: Sequence[Executable]) -> list[Sequence[Row[Any]]]:
    """Return the rows of each of these SELECTs, which do not depend on each other: one request if the database is distant.

    They are executed one after another, so another program may commit between them.
    """
    with asked_together(connection, statements):
        return [connection.execute(statement).all() for statement in statements]


@contextmanager
def stoppable(connection: Connection) -> Iterator[None]:
    """End the block quietly when its interrupt is fired; what was read before remains valid."""
    try:
        yield
    except (Interrupted, DBAPIError, connection.dialect.loaded_dbapi.Error):
        if not connection.get_execution_options()["interrupt"].fired:
            raise
