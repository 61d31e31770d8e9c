"""Summaries of metrics in groups of runs that have the same param or tag."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Row,
    Select,
    and_,
    case,
    func,
    or_,
    select,
    true,
    type_coerce,
)

from mldeck.model import Column, MetricSummary, RunQuery
from mldeck.store.encoding import STORED_INFINITY
from mldeck.store.expressions import identity, scaled, square, unindexed
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.statements import MAX_BOUND_VALUES, chunks
from mldeck.store.text_match import among_texts, exact, same_text

_PLUS_INFINITY, _MINUS_INFINITY, _NAN = 1, -1, 0
"""How values that are not finite are told apart."""


def group_summaries(
    connection: Connection,
    schema: Schema,
    query: RunQuery,
    column: Column,
    metrics: Sequence[str],
    only: Collection[str] | None = None,
) -> dict[str, dict[str | None, MetricSummary]]:
    """Return summaries of these metrics in the groups of the runs that have the same value of a param or tag.

    `only`: the runs of the query that count; None for all. A group in which no run has logged the metric is left out.
    """
    found: dict[str, dict[str | None, MetricSummary]] = {key: {} for key in metrics}
    for keys in chunks(list(metrics)):
        for listed in _listed(schema, query, only):
            for row in connection.execute(_summaries(schema, column, keys, listed)).all():
                groups, summary = found[row.key], _summary(row)
                before = groups.get(row.text)
                # Also without `only`: bytes that are no text read the same as others.
                groups[row.text] = summary if before is None else before.joined(summary)
    return found


def _listed(schema: Schema, query: RunQuery, only: Collection[str] | None) -> Iterator[ColumnElement[bool]]:
    """Yield conditions that together let all runs that count pass, each of them once."""
    condition = matches(schema, query)
    if only is None:
        yield condition
        return
    for some in chunks(sorted(only), MAX_BOUND_VALUES // 2):
        yield and_(condition, schema.runs.c.run_uuid.in_(some))


def _summaries(schema: Schema, column: Column, keys: Sequence[str], listed: ColumnElement[bool]) -> Select[Any]:
    """Return a SELECT with a row for each metric and group.

    The values are scaled to 0 … 1 within their group. So the sum of their squares loses no digits, and cannot overflow: MLflow
    keeps 1e308 as well as times in milliseconds that differ by a few.
    """
    runs, texts = schema.runs, schema.values_of(column.kind)
    has_text = and_(texts.c.run_uuid == runs.c.run_uuid, same_text(texts.c.key, column.key))
    # Numbers, because a text may be long. The window keeps SQLite from looking for the text once for every metric.
    number = func.dense_rank().over(order_by=identity(exact(texts.c.value))).label("number")
    members = select(runs.c.run_uuid, number).select_from(runs.outerjoin(texts, has_text)).where(listed).cte("members")
    logged = _logged(schema, keys, members)
    group = (logged.c.number, logged.c.key)
    span = (
        select(
            *group,
            func.count(logged.c.finite).label("finite_count"),
            func.min(logged.c.finite).label("low"),
            func.max(logged.c.finite).label("high"),
            func.min(logged.c.other).label("least_other"),
            func.max(logged.c.other).label("greatest_other"),
        )
        .group_by(*group)
        .cte("spans")
    )
    position = scaled(logged.c.finite, span.c.low, span.c.high)
    # Expressions, because otherwise SQLite makes an index of all values instead of one of all groups.
    same = and_(span.c.number == func.coalesce(logged.c.number, 0), span.c.key == func.coalesce(logged.c.key, ""))
    kept = ("finite_count", "low", "high", "least_other", "greatest_other")
    sums = (
        select(
            span.c.key,
            *(func.min(span.c[name]).label(name) for name in kept),
            func.min(logged.c.run_uuid).label("run_uuid"),
            func.sum(position).label("total"),
            func.sum(square(position)).label("squares"),
        )
        .select_from(logged.join(span, same))
        .group_by(span.c.number, span.c.key)
        .cte("sums")
    )
    text_of_one = and_(texts.c.run_uuid == sums.c.run_uuid, same_text(texts.c.key, column.key))
    return select(sums, texts.c.value.label("text")).select_from(sums.outerjoin(texts, text_of_one))


def _logged(schema: Schema, keys: Sequence[str], members: FromClause) -> FromClause:
    """Return the values of the metrics with the numbers of their groups. One that is not finite is in `other`."""
    latest = schema.latest_metrics
    value, is_nan = latest.c.value, schema.is_nan(latest) == true()
    is_finite = and_(value < STORED_INFINITY, value > -STORED_INFINITY)
    kind = case(
        (or_(is_nan, value.is_(None)), _NAN),
        (value >= STORED_INFINITY, _PLUS_INFINITY),
        else_=_MINUS_INFINITY,
    )
    finite = case((and_(~is_nan, is_finite), type_coerce(value, Float())))
    # An expression, because otherwise SQLite looks for every metric of every run instead of following the rows of a metric.
    run_id = unindexed(latest.c.run_uuid)
    return (
        select(
            members.c.run_uuid,
            members.c.number,
            latest.c.key,
            finite.label("finite"),
            case((finite.is_(None), kind)).label("other"),
        )
        .select_from(latest.join(members, members.c.run_uuid == run_id))
        .where(among_texts(latest.c.key, keys))
        .cte("logged")
    )


def _summary(row: Row[Any]) -> MetricSummary:
    count = row.finite_count
    if not count:
        kind = row.least_other if row.least_other == row.greatest_other else _NAN
        mean = math.copysign(math.inf, kind) if kind else math.nan
        return MetricSummary(0, mean, None, mean, mean)
    low, high, half = row.low, row.high, row.high / 2 - row.low / 2
    total, squares = row.total or 0.0, row.squares or 0.0
    mean = min(max(low, 2 * (low / 2 + half * (total / count))), high)
    if count == 1:
        return MetricSummary(1, mean, None, low, high)
    share = math.sqrt(max(0.0, squares - total * total / count) / (count - 1))
    return MetricSummary(count, mean, 2 * (half * share), low, high)
