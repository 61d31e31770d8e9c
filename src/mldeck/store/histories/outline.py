"""Reading outlines of the histories of some metrics of one run, for small charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select, true

from mldeck.store.encoding import metric_value
from mldeck.store.expressions import slice_number, sqlite_only
from mldeck.store.schema import Schema
from mldeck.store.statements import asked_together
from mldeck.store.text_match import same_text
from mldeck.store.values import MAX_INTEGER


@dataclass(frozen=True, slots=True)
class HistorySpan:
    """A slice of a history. It keeps the extremes, so that no spike is lost."""

    position: int
    """Index of the slice: 0 for the first of the history, slices - 1 for the last."""
    first_step: int
    """First and last step that have a point in this slice."""
    last_step: int
    low: float | None
    """Smallest and largest value; None when all values are NaN."""
    high: float | None
    nan_count: int
    """Number of points that are NaN."""


def history_outlines(
    connection: Connection, schema: Schema, run_id: str, keys: Sequence[str], slices: int
) -> dict[str, tuple[HistorySpan, ...]]:
    """Return, by metric, the history in at most `slices` slices of equal numbers of steps; empty slices are left out.

    The database aggregates, so a history of 200,000 steps is returned as a few rows. It takes two requests for all of them.
    """
    limits = {key: _select_limits(schema, run_id, key) for key in keys}
    spans: dict[str, Select[Any]] = {}
    with asked_together(connection, limits.values()):
        for key, statement in limits.items():
            first, last = connection.execute(statement).one()
            if first is not None:
                spans[key] = _select_spans(schema, run_id, key, first, last, slices)
    found: dict[str, tuple[HistorySpan, ...]] = dict.fromkeys(keys, ())
    with asked_together(connection, spans.values()):
        for key, statement in spans.items():
            found[key] = tuple(_span(row) for row in connection.execute(statement).all())
    return found


def _points_of(schema: Schema, run_id: str, key: str) -> ColumnElement[bool]:
    points = schema.metrics
    # For SQLite, every text is greater than all numbers, so this leaves out steps that are not numbers. It is an expression
    # so that no index is used for it.
    is_integer = sqlite_only(func.coalesce(points.c.step, "") <= MAX_INTEGER)
    return and_(points.c.run_uuid == run_id, same_text(points.c.key, key), is_integer)


def _hint(schema: Schema) -> str:
    return f"INDEXED BY {schema.history_index}" if schema.history_index else ""


def _select_limits(schema: Schema, run_id: str, key: str) -> Select[Any]:
    """Select the first and the last step."""
    points = schema.metrics
    statement = select(func.min(points.c.step), func.max(points.c.step)).where(_points_of(schema, run_id, key))
    return statement.with_hint(points, _hint(schema), "sqlite")


def _select_spans(schema: Schema, run_id: str, key: str, first: int, last: int, slices: int) -> Select[Any]:
    points = schema.metrics
    width = (last - first) // slices + 1
    width += width >> 40  # for steps so far apart that SQLite divides floats: rounding must not create a further slice
    is_nan = or_(schema.is_nan(points) == true(), points.c.value > math.inf)
    position = slice_number(points.c.step, first, width)
    real_value = case((is_nan, None), else_=points.c.value)
    return (
        select(
            position.label("position"),
            func.min(points.c.step).label("first_step"),
            func.max(points.c.step).label("last_step"),
            func.min(real_value).label("low"),
            func.max(real_value).label("high"),
            func.sum(case((is_nan, 1), else_=0)).label("nan_count"),
        )
        .where(_points_of(schema, run_id, key))
        .with_hint(points, _hint(schema), "sqlite")
        .group_by("position")
        .order_by("position")
    )


def _span(row: Row[Any]) -> HistorySpan:
    return HistorySpan(
        row.position,
        row.first_step,
        row.last_step,
        None if row.low is None else metric_value(row.low, False),
        None if row.high is None else metric_value(row.high, False),
        int(row.nan_count),
    )
