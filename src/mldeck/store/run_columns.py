"""Which columns a run table should show before anybody chose any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, FromClause, select

from mldeck.model import SYSTEM_METRIC_PREFIX, Column, Kind
from mldeck.store.runs import chunks
from mldeck.store.schema import Schema

SAMPLE_RUNS = 60
"""As many runs are looked at as a tall screen shows."""

_MAX_VALUES = 20_000
"""A run may have 12,000 metrics: read no more rows than this of each kind."""

_MAX_COLUMNS = 30
"""Of each kind; the rest can be chosen by hand."""


def differing_columns(connection: Connection, schema: Schema, ids: Sequence[str]) -> tuple[Column, ...]:
    """The metrics, then the params, whose values differ between these runs; all of them if there is one run only.

    Those that most runs have come first. System metrics (`system/…`) are left out: there are many, and nobody chose to log
    them.
    """
    sample = list(ids[:SAMPLE_RUNS])
    if not sample:
        return ()
    metrics = _differing(_values(connection, schema.latest_metrics, sample), len(sample))
    params = _differing(_values(connection, schema.params, sample), len(sample))
    shown = [key for key in metrics if not key.startswith(SYSTEM_METRIC_PREFIX)][:_MAX_COLUMNS]
    return (
        *(Column(Kind.METRIC, key) for key in shown),
        *(Column(Kind.PARAM, key) for key in params[:_MAX_COLUMNS]),
    )


def keys_of_runs(connection: Connection, schema: Schema, ids: Sequence[str]) -> tuple[Column, ...]:
    """All metrics, then params, then tags that at least one of these runs has, each by name."""
    columns: list[Column] = []
    for kind, source in ((Kind.METRIC, schema.latest_metrics), (Kind.PARAM, schema.params), (Kind.TAG, schema.tags)):
        keys: set[str] = set()
        for some in chunks(ids):
            keys.update(
                connection.execute(select(source.c.key).where(source.c.run_uuid.in_(some)).distinct()).scalars()
            )
        columns += (Column(kind, key) for key in sorted(keys))
    return tuple(columns)


def _values(connection: Connection, source: FromClause, ids: Sequence[str]) -> Iterable[tuple[str, object]]:
    """Key and value of each row; a NaN, which is stored as 0, differs from a 0."""
    value = [source.c[name] for name in ("value", "is_nan") if name in source.c]
    statement = select(source.c.key, *value).where(source.c.run_uuid.in_(ids)).limit(_MAX_VALUES)
    return ((row.key, tuple(row)) for row in connection.execute(statement).all())


def _differing(values: Iterable[tuple[str, object]], run_count: int) -> list[str]:
    counts: dict[str, int] = {}
    distinct: dict[str, set[object]] = {}
    for key, value in values:
        counts[key] = counts.get(key, 0) + 1
        distinct.setdefault(key, set()).add(value)
    differing = [key for key in counts if len(distinct[key]) > 1 or counts[key] < run_count]
    if run_count == 1:
        differing = list(counts)
    return sorted(differing, key=lambda key: (-counts[key], key))
