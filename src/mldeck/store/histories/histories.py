"""Reading whole histories of metrics, and the points that were logged since.

MLflow only appends to `metrics`, whose rowids grow on SQLite, so the rows up to a rowid are a snapshot. Therefore a long
history can be read in several statements, between which others may write, and newer points can be read later, without gaps or
duplicates. Other databases are read by `snapshots`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Integer,
    Row,
    Select,
    case,
    false,
    func,
    literal_column,
    select,
    tuple_,
)

from mldeck.model import History
from mldeck.store.encoding import SECONDS_LIMIT, are_seconds
from mldeck.store.histories import snapshots
from mldeck.store.histories.points import MAX_POINTS, PointCollector, PointRow, Points
from mldeck.store.schema import Schema
from mldeck.store.sqlite.reader import execute_patiently
from mldeck.store.statements import stoppable
from mldeck.store.text_match import same_text

_ROWS_AT_ONCE = 250_000
"""Rows that one statement reads: about half a second, in which no other program can write."""
_ROWS_PER_PART = 500
"""Rows that are converted to arrays at once: so few that they do not trigger Python's garbage collection."""
_TOLD_EVERY = 20 * _ROWS_PER_PART
"""Points between two reports of progress."""

StepRange = tuple[int, int]
"""The first and the last step to read, both included."""


def read_history(
    connection: Connection,
    schema: Schema,
    run_id: str,
    key: str,
    window: StepRange | None = None,
    on_part: Callable[[int], None] | None = None,
) -> History:
    """Return the points of a metric of a run, or those in a window of steps.

    When the interrupt is fired meanwhile, the points read so far are returned (`was_stopped`). `on_part` is called after every
    10,000 points, with the number of points read so far. More points than `MAX_POINTS` are thinned while they are read: SQL
    would have to sort them first, and no other program could write meanwhile.
    """
    statement = _points_of(schema, run_id, key, window)
    mark: Sequence[Any] | None = None
    if schema.traits.has_rowids:
        mark = newest = _newest_row(connection, schema)
        parts = _parts(connection, schema, statement, newest)
    else:
        parts = snapshots.parts(connection, statement, schema.metrics, _ROWS_AT_ONCE, _ROWS_PER_PART)
    collector = PointCollector()
    is_finished = False
    with stoppable(connection):
        for rows in parts:
            collector.add(rows)
            if on_part is not None and collector.count % _TOLD_EVERY == 0:
                on_part(collector.count)
        is_finished = True
    if not schema.traits.has_rowids:
        mark = (collector.count,)
    points = collector.finish()
    _read_times(connection, schema, run_id, points)
    return History(
        run_id,
        key,
        points.steps,
        points.values,
        points.timestamps,
        point_count=collector.count,
        was_stopped=not is_finished,
        window=window,
        mark=mark if is_finished else None,
    )


@dataclass(frozen=True)
class Bookmark:
    """The position up to which a history was read in parts."""

    newest: int
    """The greatest rowid to read: points that are logged meanwhile are left out. 0 where rows have no numbers."""
    in_seconds: bool
    """Whether the times of the history were logged in seconds."""
    after: tuple[int, ...] = ()
    """(step, rowid) of the last point read, or (rowid,) when parts are ordered by rowid; empty at the start.

    Where rows have no numbers: (step, time) of the first point to read."""


def read_part(
    connection: Connection, schema: Schema, run_id: str, key: str, bookmark: Bookmark | None = None
) -> tuple[Points, Bookmark | None]:
    """Return the points that follow the bookmark, and the bookmark of the next part, None at the end.

    Parts follow each other in the order of the index: by step if it contains the step, else in the order of logging. Within a
    part the points are in order.
    """
    bookmark = bookmark or _first_bookmark(connection, schema, run_id, key)
    points = Points()
    if bookmark is None:
        return points, None
    if not schema.traits.has_rowids:
        start = (bookmark.after[0], bookmark.after[1]) if bookmark.after else None
        statement = _points_of(schema, run_id, key)
        found, place = snapshots.read_rows(connection, statement, schema.metrics, start, _ROWS_AT_ONCE)
        points.add(found)
        return _arranged(points, bookmark), None if place is None else replace(bookmark, after=place)
    statement = _points_of(schema, run_id, key).where(schema.rowid <= bookmark.newest)
    order = schema.history_order
    if not order:  # the table is in this order; sorting the rows that an index finds would take as long for each part
        order = (schema.rowid,)
        statement = statement.with_hint(schema.metrics, "NOT INDEXED", "sqlite")
    if bookmark.after:
        statement = statement.where(tuple_(*order) > bookmark.after)
    last: tuple[int, ...] = ()
    with closing(execute_patiently(connection, statement.order_by(*order).limit(_ROWS_AT_ONCE))) as result:
        for rows in _fetched(result):
            points.add(rows)
            last = _position_of(rows, order)
    is_end = len(points) < _ROWS_AT_ONCE
    return _arranged(points, bookmark), None if is_end else replace(bookmark, after=last)


def _arranged(points: Points, bookmark: Bookmark) -> Points:
    """Put the points of a part in order, with their times in milliseconds."""
    if bookmark.in_seconds:
        points.turn_into_milliseconds()
    points.arrange()
    return points


def _first_bookmark(connection: Connection, schema: Schema, run_id: str, key: str) -> Bookmark | None:
    points, newest = _points_of(schema, run_id, key), None
    if schema.traits.has_rowids:
        newest = _newest_row(connection, schema)
        if newest is None:
            return None
        points = points.where(schema.rowid <= newest[0])
    earliest, latest = connection.execute(
        points.with_only_columns(func.min(schema.metrics.c.timestamp), func.max(schema.metrics.c.timestamp))
    ).one()
    if earliest is None:
        return None
    return Bookmark(newest[0] if newest else 0, _are_seconds(connection, schema, run_id, earliest, latest))


def read_newer(connection: Connection, schema: Schema, history: History) -> History:
    """Return the history together with the points logged since it was read; with the same arrays when there are none.

    All of it is read again if it was not read to its end, or if rows were deleted or renumbered (`mlflow gc`, a migration,
    VACUUM): then the row that was the newest does not have its rowid any more, or the run is gone.
    """
    if not schema.traits.has_rowids:
        return _newer_of_snapshot(connection, schema, history)
    newest = _newest_row(connection, schema)
    mark = history.mark
    if newest is None or mark is None or not _is_appended_to(connection, schema, history.run_id, mark):
        return read_history(connection, schema, history.run_id, history.key, history.window)
    # Few rows are logged between two reads, by all runs together: scanning them is faster than any index.
    statement = (
        _points_of(schema, history.run_id, history.key, history.window)
        .where(schema.rowid > mark[0], schema.rowid <= newest[0])
        .with_hint(schema.metrics, "NOT INDEXED", "sqlite")
    )
    rows: Sequence[Any] = connection.execute(statement).all()
    return _continued(connection, schema, history, rows, newest)


def _newer_of_snapshot(connection: Connection, schema: Schema, history: History) -> History:
    """Do the same by the number of points: all are read again unless only points of later steps were added."""
    rows: Sequence[Any] = ()
    there, mark = 0, history.mark
    if mark is not None:
        statement = _points_of(schema, history.run_id, history.key, history.window)
        last_step = history.steps[-1] if len(history) else None
        there, rows = snapshots.newer_rows(connection, statement, schema.metrics, last_step)
    if mark is None or mark[0] + len(rows) != there:
        return read_history(connection, schema, history.run_id, history.key, history.window)
    return _continued(connection, schema, history, rows, (there,))


def _continued(
    connection: Connection, schema: Schema, history: History, rows: Sequence[Any], mark: Sequence[Any]
) -> History:
    """Return the history together with these rows, which follow it; all of it read again if they do not fit."""
    if not rows:
        return replace(history, mark=mark)
    is_odd = any(None in row[:3] for row in rows)
    # A time may be in seconds, which only the whole history can tell.
    if is_odd or len(history) + len(rows) > MAX_POINTS or min(row[2] for row in rows) < SECONDS_LIMIT:
        return read_history(connection, schema, history.run_id, history.key, history.window)
    points = Points(history.steps, history.values, history.timestamps)
    points.merge(rows)
    return replace(
        history,
        steps=points.steps,
        values=points.values,
        timestamps=points.timestamps,
        point_count=history.point_count + len(rows),
        mark=mark,
    )


def _read_times(connection: Connection, schema: Schema, run_id: str, points: Points) -> None:
    """Convert the times to milliseconds if they were logged in seconds."""
    if len(points) and _are_seconds(connection, schema, run_id, min(points.timestamps), max(points.timestamps)):
        points.turn_into_milliseconds()


def _are_seconds(connection: Connection, schema: Schema, run_id: str, earliest: int, latest: int) -> bool:
    if latest >= SECONDS_LIMIT:
        return False
    times = select(schema.runs.c.start_time, schema.runs.c.end_time).where(schema.runs.c.run_uuid == run_id)
    row = connection.execute(times).first()
    return row is not None and are_seconds(earliest, latest, *row)


def _points_of(schema: Schema, run_id: str, key: str, window: StepRange | None = None) -> Select[Any]:
    """Select the columns of a `PointRow`, by the fastest index of this version."""
    points = schema.metrics
    value = case((schema.is_nan(points) == false(), points.c.value))
    number = schema.rowid if schema.traits.has_rowids else literal_column("0", Integer())
    statement = select(points.c.step, number, points.c.timestamp, value).where(
        points.c.run_uuid == run_id, same_text(points.c.key, key)
    )
    if window is not None:
        statement = statement.where(points.c.step.between(*window))
    if schema.history_index:
        statement = statement.with_hint(points, f"INDEXED BY {schema.history_index}", "sqlite")
    return statement


def _parts(
    connection: Connection, schema: Schema, points: Select[Any], newest: Row[Any] | None
) -> Iterator[Sequence[PointRow]]:
    """Yield the rows up to the newest one, straight from the driver: SQLAlchemy's rows would double the cost."""
    if newest is None:
        return
    statement = points.where(schema.rowid <= newest[0])
    order = schema.history_order
    if order:
        statement = statement.order_by(*order).limit(_ROWS_AT_ONCE)
    last: tuple[int, ...] = ()
    while True:
        read = 0
        if last:
            result = execute_patiently(connection, statement.where(tuple_(*order) > last))
        else:
            result = connection.execute(statement)
        with closing(result):
            for rows in _fetched(result):
                read += len(rows)
                last = _position_of(rows, order)
                yield rows
        if not order or read < _ROWS_AT_ONCE:
            return


def _fetched(result: CursorResult[Any]) -> Iterator[Sequence[PointRow]]:
    assert result.cursor is not None  # a SELECT has a cursor, even without rows
    while rows := result.cursor.fetchmany(_ROWS_PER_PART):
        yield rows


def _position_of(rows: Sequence[PointRow], order: Sequence[ColumnElement[Any]]) -> tuple[int, ...]:
    """Return (step, rowid) of the last row, or (rowid,) when that is the order."""
    step, rowid, *_ = rows[-1]
    return (step, rowid) if len(order) > 1 else (rowid,)


def _newest_row(connection: Connection, schema: Schema) -> Row[Any] | None:
    """Return the newest row of the whole table, of any run; None when it is empty."""
    return _row_at(connection, schema, select(func.max(schema.rowid)).select_from(schema.metrics).scalar_subquery())


def _row_at(connection: Connection, schema: Schema, rowid: object, *conditions: ColumnElement[bool]) -> Row[Any] | None:
    points = schema.metrics
    columns = (points.c.run_uuid, points.c.key, points.c.step, points.c.timestamp, points.c.value)
    statement = select(schema.rowid, *columns, schema.is_nan(points)).where(schema.rowid == rowid, *conditions)
    return connection.execute(statement).one_or_none()


def _is_appended_to(connection: Connection, schema: Schema, run_id: str, mark: Sequence[Any]) -> bool:
    """Return whether rows were only appended since: the row `mark` still has its rowid, and the run exists."""
    has_run = select(schema.runs.c.run_uuid).where(schema.runs.c.run_uuid == run_id).exists()
    return _row_at(connection, schema, mark[0], has_run) == mark
