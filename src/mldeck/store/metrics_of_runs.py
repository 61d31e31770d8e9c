"""What several runs are compared by: which metrics they have, which of them are curves, and where those ended."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from mldeck.model import Metric, MetricKey
from mldeck.store.encoding import metric_timestamp_ms, metric_value
from mldeck.store.histories import points_of
from mldeck.store.runs import chunks
from mldeck.store.schema import Schema


def metric_keys(connection: Connection, schema: Schema, ids: Sequence[str]) -> tuple[MetricKey, ...]:
    """The metrics that at least one of these runs has, by name."""
    latest = schema.latest_metrics
    counts: dict[str, int] = {}
    for some in chunks(ids):
        statement = select(latest.c.key, func.count()).where(latest.c.run_uuid.in_(some)).group_by(latest.c.key)
        for key, count in connection.execute(statement).all():
            counts[key] = counts.get(key, 0) + count
    return tuple(MetricKey(key, counts[key]) for key in sorted(counts))


def runs_with_curve(connection: Connection, schema: Schema, ids: Sequence[str], key: str) -> frozenset[str]:
    """Those of these runs that logged the metric more than once."""
    points = schema.metrics
    if not schema.history_index:
        # Only the key leads to the points: it must be gone through once for all runs, not once for each.
        statement = select(points.c.run_uuid).where(points.c.key == key)
        repeated = statement.group_by(points.c.run_uuid).having(func.count() > 1)
        return frozenset(ids).intersection(connection.execute(repeated).scalars())
    runs = schema.runs
    second = points_of(schema, runs.c.run_uuid, key).with_only_columns(points.c.step).limit(1).offset(1)
    found: set[str] = set()
    for some in chunks(ids):
        statement = select(runs.c.run_uuid).where(runs.c.run_uuid.in_(some), second.scalar_subquery().is_not(None))
        found.update(connection.execute(statement).scalars())
    return frozenset(found)


def latest_metrics(connection: Connection, schema: Schema, ids: Sequence[str]) -> dict[str, dict[str, Metric]]:
    """The latest point of every metric of these runs, by run id and key; runs without metrics are left out."""
    latest = schema.latest_metrics
    statement = select(
        latest.c.run_uuid, latest.c.key, latest.c.value, latest.c.is_nan, latest.c.timestamp, latest.c.step
    )
    metrics: dict[str, dict[str, Metric]] = {}
    for some in chunks(ids):
        for run_id, key, value, is_nan, timestamp, step in connection.execute(
            statement.where(latest.c.run_uuid.in_(some))
        ).all():
            metric = Metric(key, metric_value(value, is_nan), metric_timestamp_ms(timestamp), step)
            metrics.setdefault(run_id, {})[key] = metric
    return metrics
