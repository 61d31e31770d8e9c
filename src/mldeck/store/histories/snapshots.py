"""Reading a history where rows have no numbers, but each statement reads a snapshot: databases on servers.

A part ends where the step or the time changes, and the next one begins there. Whether points were logged since is told by
their number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, Select, and_, func, or_

from mldeck.store.histories.points import PointRow
from mldeck.store.interrupt import Interrupt
from mldeck.store.statements import at_once, plain_rows

StepTime = tuple[int, int]
"""A step, and a time as logged."""


def parts(
    connection: Connection, points: Select[Any], metrics: FromClause, rows_at_once: int, size: int
) -> Iterator[Sequence[PointRow]]:
    """Yield all rows of `points`, which selects the columns of a `PointRow`, at most `size` at a time.

    `rows_at_once` is how many a statement reads. Raises `Interrupted` between two parts when the interrupt was fired.
    """
    interrupt: Interrupt = connection.get_execution_options()["interrupt"]
    place: StepTime | None = None
    while True:
        rows, place = read_rows(connection, points, metrics, place, rows_at_once)
        for start in range(0, len(rows), size):
            interrupt.check()
            yield rows[start : start + size]
        if place is None:
            return


def read_rows(
    connection: Connection, points: Select[Any], metrics: FromClause, start: StepTime | None, limit: int
) -> tuple[Sequence[PointRow], StepTime | None]:
    """Return about `limit` rows from a place on, in order, and the place where the next ones begin; None at the end."""
    step, timestamp = metrics.c.step, metrics.c.timestamp
    if start is not None:
        points = points.where(step >= start[0], or_(step > start[0], and_(step == start[0], timestamp >= start[1])))
    while True:
        rows: Sequence[Any] = plain_rows(connection, points.order_by(step, timestamp).limit(limit), {})
        if len(rows) < limit:
            return rows, None
        last = _place(rows[-1])
        kept = next((count for count in range(len(rows), 0, -1) if _place(rows[count - 1]) != last), 0)
        if kept:
            return rows[:kept], last
        limit *= 2  # all of them have the same step and time


def newer_rows(
    connection: Connection, points: Select[Any], metrics: FromClause, last_step: int | None
) -> tuple[int, Sequence[PointRow]]:
    """Return how many rows there are, and those of later steps than the last one; all if there was none."""
    count = points.with_only_columns(func.count()).order_by(None)
    later = points if last_step is None else points.where(metrics.c.step > last_step)
    (there,), rows = at_once(connection, [count, later])
    return int(there[0]), [tuple(row) for row in rows]


def _place(row: PointRow) -> StepTime:
    return row[0], row[2]
