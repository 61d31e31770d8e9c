"""Reading whole histories of metrics, and what was logged since.

MLflow only ever appends to `metrics`, a table whose rowids grow: the rows up to a rowid are a snapshot. So a long history is
read in several statements, between which others may write, and what is newer is read later, without a gap and without
a point twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, CursorResult, Row, Select, case, func, select, tuple_

from mldeck.model import History
from mldeck.store.encoding import SECONDS_LIMIT, are_seconds
from mldeck.store.histories.points import MAX_POINTS, PointCollector, PointRow, Points
from mldeck.store.schema import Schema
from mldeck.store.sqlite.reader import execute_patiently
from mldeck.store.statements import stoppable

_ROWS_AT_ONCE = 250_000
"""Read by one statement: about half a second, in which nobody can write."""
_ROWS_PER_PART = 500
"""Turned into arrays at once: so few that Python's search for garbage does not start for them."""
_TOLD_EVERY = 20 * _ROWS_PER_PART

StepRange = tuple[int, int]
"""The first and the last step that are asked for."""


def read_history(
    connection: Connection,
    schema: Schema,
    run_id: str,
    key: str,
    window: StepRange | None = None,
    on_part: Callable[[int], None] | None = None,
) -> History:
    """The points of a metric of a run, or those in a window of steps; an interrupt only ends the reading.

    `on_part` is told every 10,000 points how many were read. More points than `MAX_POINTS` are thinned out while they are
    read: in SQL, slices would have to be sorted, and no other program could write meanwhile.
    """
    newest = _newest_row(connection, schema)
    collector = PointCollector()
    is_finished = False
    with stoppable(connection):
        for rows in _parts(connection, schema, _points_of(schema, run_id, key, window), newest):
            collector.add(rows)
            if on_part is not None and collector.count % _TOLD_EVERY == 0:
                on_part(collector.count)
        is_finished = True
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
        mark=newest if is_finished else None,
    )


@dataclass(frozen=True)
class Bookmark:
    """How far the reading of a history in parts has come."""

    newest: int
    """The rowid up to which there are points: what is logged meanwhile is left out."""
    in_seconds: bool
    after: tuple[int, ...] = ()
    """Step and rowid of the last point, or the rowid alone; empty at the start."""


def read_part(
    connection: Connection, schema: Schema, run_id: str, key: str, place: Bookmark | None = None
) -> tuple[Points, Bookmark | None]:
    """The points that follow the place, however many there are in all, and where the next part begins; None at the end.

    Parts follow each other in the order of the index: by step where it has the steps, else as the points were logged.
    """
    place = place or _first_bookmark(connection, schema, run_id, key)
    points = Points()
    if place is None:
        return points, None
    statement = _points_of(schema, run_id, key).where(schema.rowid <= place.newest)
    order = schema.history_order
    if not order:  # the table itself is in order; sorting what an index finds would take as long for each part
        order = (schema.rowid,)
        statement = statement.with_hint(schema.metrics, "NOT INDEXED", "sqlite")
    if place.after:
        statement = statement.where(tuple_(*order) > place.after)
    last: tuple[int, ...] = ()
    with closing(execute_patiently(connection, statement.order_by(*order).limit(_ROWS_AT_ONCE))) as result:
        for rows in _fetched(result):
            points.add(rows)
            last = _place_of(rows, order)
    is_end = len(points) < _ROWS_AT_ONCE
    if place.in_seconds:
        points.turn_into_milliseconds()
    points.arrange()
    return points, None if is_end else replace(place, after=last)


def _first_bookmark(connection: Connection, schema: Schema, run_id: str, key: str) -> Bookmark | None:
    newest = _newest_row(connection, schema)
    if newest is None:
        return None
    points = _points_of(schema, run_id, key).where(schema.rowid <= newest[0])
    earliest, latest = connection.execute(
        points.with_only_columns(func.min(schema.metrics.c.timestamp), func.max(schema.metrics.c.timestamp))
    ).one()
    if earliest is None:
        return None
    return Bookmark(newest[0], _are_seconds(connection, schema, run_id, earliest, latest))


def read_newer(connection: Connection, schema: Schema, history: History) -> History:
    """The history with what was logged since it was read; in the same arrays when nothing was.

    All of it is read anew if it was never read to its end, or if rows were taken out or numbered anew (`mlflow gc`, a
    migration, VACUUM): then the row that was the newest is not in its place any more, or the run is gone.
    """
    newest = _newest_row(connection, schema)
    mark = history.mark
    if newest is None or mark is None or not _is_appended_to(connection, schema, history.run_id, mark):
        return read_history(connection, schema, history.run_id, history.key, history.window)
    # Few rows lie between two looks, whoever logged them: quicker to go through than any index.
    statement = (
        _points_of(schema, history.run_id, history.key, history.window)
        .where(schema.rowid > mark[0], schema.rowid <= newest[0])
        .with_hint(schema.metrics, "NOT INDEXED", "sqlite")
    )
    rows: Sequence[Any] = connection.execute(statement).all()
    if not rows:
        return replace(history, mark=newest)
    is_odd = any(None in row[:3] for row in rows)
    # A time in seconds among them, perhaps: only the whole history tells.
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
        mark=newest,
    )


def _read_times(connection: Connection, schema: Schema, run_id: str, points: Points) -> None:
    """Turn the times into milliseconds where they were logged in seconds."""
    if len(points) and _are_seconds(connection, schema, run_id, min(points.timestamps), max(points.timestamps)):
        points.turn_into_milliseconds()


def _are_seconds(connection: Connection, schema: Schema, run_id: str, earliest: int, latest: int) -> bool:
    if latest >= SECONDS_LIMIT:
        return False
    times = select(schema.runs.c.start_time, schema.runs.c.end_time).where(schema.runs.c.run_uuid == run_id)
    row = connection.execute(times).first()
    return row is not None and are_seconds(earliest, latest, *row)


def _points_of(schema: Schema, run_id: str, key: str, window: StepRange | None = None) -> Select[Any]:
    """The columns of a `PointRow`, by the index that is quickest in this version."""
    points = schema.metrics
    value = case((schema.is_nan(points) == 0, points.c.value))
    statement = select(points.c.step, schema.rowid, points.c.timestamp, value).where(
        points.c.run_uuid == run_id, points.c.key == key
    )
    if window is not None:
        statement = statement.where(points.c.step.between(*window))
    if schema.history_index:
        statement = statement.with_hint(points, f"INDEXED BY {schema.history_index}", "sqlite")
    return statement


def _parts(
    connection: Connection, schema: Schema, points: Select[Any], newest: Row[Any] | None
) -> Iterator[Sequence[PointRow]]:
    """The rows up to the newest one, straight from SQLite's driver: SQLAlchemy's rows would double what a row costs."""
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
                last = _place_of(rows, order)
                yield rows
        if not order or read < _ROWS_AT_ONCE:
            return


def _fetched(result: CursorResult[Any]) -> Iterator[Sequence[PointRow]]:
    assert result.cursor is not None  # it has rows, or could have
    while rows := result.cursor.fetchmany(_ROWS_PER_PART):
        yield rows


def _place_of(rows: Sequence[PointRow], order: Sequence[ColumnElement[Any]]) -> tuple[int, ...]:
    """Of the last row: step and rowid, or the rowid alone."""
    step, rowid, *_ = rows[-1]
    return (step, rowid) if len(order) > 1 else (rowid,)


def _newest_row(connection: Connection, schema: Schema) -> Row[Any] | None:
    """Of the whole table, whatever run it belongs to."""
    return _row_at(connection, schema, select(func.max(schema.rowid)).select_from(schema.metrics).scalar_subquery())


def _row_at(connection: Connection, schema: Schema, rowid: object, *conditions: ColumnElement[bool]) -> Row[Any] | None:
    points = schema.metrics
    columns = (points.c.run_uuid, points.c.key, points.c.step, points.c.timestamp, points.c.value)
    statement = select(schema.rowid, *columns, schema.is_nan(points)).where(schema.rowid == rowid, *conditions)
    return connection.execute(statement).one_or_none()


def _is_appended_to(connection: Connection, schema: Schema, run_id: str, mark: Sequence[Any]) -> bool:
    """Whether all that was logged since has greater rowids than what was read."""
    has_run = select(schema.runs.c.run_uuid).where(schema.runs.c.run_uuid == run_id).exists()
    return _row_at(connection, schema, mark[0], has_run) == mark
