"""The metrics that several runs have."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from mldeck.model import MetricKey
from mldeck.store.schema import Schema
from mldeck.store.statements import chunks
from mldeck.store.text_match import exactly


def metric_keys(connection: Connection, schema: Schema, ids: Sequence[str]) -> tuple[MetricKey, ...]:
    """Return the metrics that any of these runs has, by name, each with the number of runs."""
    latest = schema.latest_metrics
    key = exactly(latest.c.key)
    counts: dict[str, int] = {}
    for some in chunks(ids):
        statement = select(key, func.count()).where(latest.c.run_uuid.in_(some)).group_by(key)
        for name, count in connection.execute(statement).all():
            counts[name] = counts.get(name, 0) + count
    return tuple(MetricKey(name, counts[name]) for name in sorted(counts))
