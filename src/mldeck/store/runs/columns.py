"""The columns that a run table shows by default, and those it can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, Select, and_, func, select, union_all

from mldeck.model import SYSTEM_METRIC_PREFIX, SYSTEM_TAG_PREFIX, Column, Kind, RunQuery
from mldeck.store.expressions import unindexed
from mldeck.store.runs.completion import found_keys
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.statements import Earlier, asked_together, chunks
from mldeck.store.text_match import among_texts, exactly

SAMPLE_RUNS = 60
"""Number of runs that are compared: as many as a tall screen shows."""

_MAX_VALUES = 20_000
"""Most rows that are read at once of the metrics or the params; a run may have 12,000 metrics."""

_MAX_COLUMNS = 30
"""Most columns of each kind that are shown by default; the user can choose others."""

_KEYS_PER_RUN = 200
_MAX_CANDIDATES = 1_000
_KEYS_AT_ONCE = 200
"""For runs with more than `_MAX_VALUES` rows: keys read per run, keys compared in all, and keys compared at a time."""


def differing_columns(connection: Connection, schema: Schema, ids: Sequence[str]) -> tuple[Column, ...]:
    """Return the metrics, then the params, whose values differ between these runs; all of them if there is only one run.

    Those that most runs have come first. System metrics (`system/…`) are left out: there are many, and MLflow logs them by
    itself.
    """
    sample = list(ids[:SAMPLE_RUNS])
    if not sample:
        return ()
    with asked_together(connection, select_compared(schema, sample)):
        metrics, params = (_differing_keys(connection, table, sample) for table in _compared(schema))
    return (*(Column(Kind.METRIC, key) for key in metrics), *(Column(Kind.PARAM, key) for key in params))


def select_compared(schema: Schema, sample: Sequence[str | Earlier]) -> Iterator[Select[Any]]:
    """Select the values that `differing_columns` compares, unless there are too many. The runs are at most `SAMPLE_RUNS`."""
    return (_select_values(source, sample, _MAX_VALUES + 1) for source in _compared(schema))


def _compared(schema: Schema) -> tuple[FromClause, FromClause]:
    return schema.latest_metrics, schema.params


def _differing_keys(
    connection: Connection, source: FromClause, sample: Sequence[str], *, in_value: bool = False
) -> list[str]:
    """Return the first differing keys. All values are compared if they are few enough, else those of the most common keys.

    `in_value` leaves out those that differ only in that some runs do not have them.
    """
    rows = _values(connection, source, sample, _MAX_VALUES + 1)
    if len(rows) <= _MAX_VALUES:
        return _without_system(_differing(rows, len(sample), in_value))[:_MAX_COLUMNS]
    found: list[str] = []
    for keys in _candidates(connection, source, sample):
        found += _differing(_values(connection, source, sample, None, keys), len(sample), in_value)
        if len(found) >= _MAX_COLUMNS:
            break
    return found[:_MAX_COLUMNS]


def _candidates(connection: Connection, source: FromClause, sample: Sequence[str]) -> Iterator[Sequence[str]]:
    """Return keys in parts, the most common first; each run contributes a limited number of keys."""
    some_of_each = union_all(
        *(
            select(select(source.c.key).where(source.c.run_uuid == run_id).limit(_KEYS_PER_RUN).subquery().c.key)
            for run_id in sample
        )
    ).subquery()
    key = exactly(some_of_each.c.key)
    statement = select(key).group_by(key).order_by(func.count().desc(), key).limit(_MAX_CANDIDATES)
    keys = _without_system(connection.execute(statement).scalars().all())
    return chunks(keys, _KEYS_AT_ONCE)


def _without_system(keys: Iterable[str]) -> list[str]:
    return [key for key in keys if not key.startswith(SYSTEM_METRIC_PREFIX)]


def present_columns(connection: Connection, schema: Schema, query: RunQuery) -> tuple[Column, ...]:
    """Return the metrics, then params, then tags (without MLflow's own) that any run of the query has, each by name."""
    keys_of = _reader_of_keys(connection, schema, query)
    columns: list[Column] = []
    for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG):
        columns += (Column(kind, key) for key in keys_of(kind) if kind is not Kind.TAG or _is_users(key))
    return tuple(columns)


def grouping_columns(
    connection: Connection, schema: Schema, query: RunQuery, sample: Sequence[str]
) -> dict[Column, bool]:
    """Return the params and tags that any run of the query has, and whether runs of the sample have several values of each.

    Those that differ come first; MLflow's own tags come last.
    """
    keys_of = _reader_of_keys(connection, schema, query)
    runs = sample[:SAMPLE_RUNS]
    found: dict[Column, bool] = {}
    for kind in (Kind.PARAM, Kind.TAG):
        # A key that only some runs have makes one group: it does not differ for this.
        differing = _differing_keys(connection, schema.values_of(kind), runs, in_value=True) if runs else []
        keys = keys_of(kind)
        present = frozenset(keys)
        found |= {Column(kind, key): True for key in differing if key in present}
        found |= {column: False for column in (Column(kind, key) for key in keys) if column not in found}
    order = sorted(found, key=lambda column: (not _is_own(column), not found[column], column.kind is Kind.TAG))
    return {column: found[column] for column in order}


def _is_own(column: Column) -> bool:
    return column.kind is not Kind.TAG or _is_users(column.key)


def _reader_of_keys(connection: Connection, schema: Schema, query: RunQuery) -> Callable[[Kind], list[str]]:
    """Return a function that reads the keys of a kind that any run of the query has, sorted."""
    few = connection.execute(select(schema.runs.c.run_uuid).where(matches(schema, query)).limit(SAMPLE_RUNS + 1))
    ids = list(few.scalars().all())

    def read(kind: Kind) -> list[str]:
        source = schema.values_of(kind)
        if len(ids) > SAMPLE_RUNS:
            return sorted(_keys_of_query(connection, schema, source, query))
        return sorted(
            connection.execute(select(exactly(source.c.key)).where(source.c.run_uuid.in_(ids)).distinct()).scalars()
        )

    return read


def _is_users(tag: str) -> bool:
    return not tag.startswith(SYSTEM_TAG_PREFIX)


def _keys_of_query(connection: Connection, schema: Schema, source: FromClause, query: RunQuery) -> Sequence[str]:
    """Return the keys that any run of the query has.

    For each key of the database one such run is searched, and usually the first run with the key belongs to the query.
    """
    found = found_keys(schema, source)
    listed = select(schema.runs.c.run_uuid).where(matches(schema, query))
    # An expression, because otherwise SQLite tries every listed run with every key instead of following the rows of a key.
    run_id = unindexed(source.c.run_uuid)
    has_run = select(source.c.key).where(and_(source.c.key == found.c.key, run_id.in_(listed))).exists()
    return connection.execute(select(found.c.key).where(found.c.key.is_not(None), has_run)).scalars().all()


def keys_of_runs(connection: Connection, schema: Schema, ids: Sequence[str]) -> tuple[Column, ...]:
    """Return the metrics, then params, then tags that any of these runs has, each by name."""
    columns: list[Column] = []
    for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG):
        source = schema.values_of(kind)
        keys: set[str] = set()
        for some in chunks(ids):
            keys.update(
                connection.execute(
                    select(exactly(source.c.key)).where(source.c.run_uuid.in_(some)).distinct()
                ).scalars()
            )
        columns += (Column(kind, key) for key in sorted(keys))
    return tuple(columns)


def _values(
    connection: Connection,
    source: FromClause,
    ids: Sequence[str],
    limit: int | None,
    keys: Sequence[str] | None = None,
) -> list[tuple[str, object]]:
    """Return (key, comparable value) of each row. A NaN, which is stored as 0, is different from a 0."""
    statement = _select_values(source, ids, limit, keys)
    return [(row.key, tuple(row)) for row in connection.execute(statement).all()]


def _select_values(
    source: FromClause, ids: Sequence[str | Earlier], limit: int | None, keys: Sequence[str] | None = None
) -> Select[Any]:
    value = [source.c[name] for name in ("value", "is_nan") if name in source.c]
    statement = select(source.c.key, *value).where(source.c.run_uuid.in_(ids)).limit(limit)
    return statement if keys is None else statement.where(among_texts(source.c.key, keys))


def _differing(values: Iterable[tuple[str, object]], run_count: int, in_value: bool) -> list[str]:
    counts: dict[str, int] = {}
    distinct: dict[str, set[object]] = {}
    for key, value in values:
        counts[key] = counts.get(key, 0) + 1
        distinct.setdefault(key, set()).add(value)
    differing = [key for key in counts if len(distinct[key]) > 1 or (counts[key] < run_count and not in_value)]
    if run_count == 1 and not in_value:
        differing = list(counts)
    return sorted(differing, key=lambda key: (-counts[key], key))
