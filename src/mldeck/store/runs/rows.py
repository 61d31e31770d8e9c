"""The values of chosen columns for very many runs, as one plain list per run: for printing and export."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import BindParameter, Connection, FromClause, and_, bindparam, func, select

from mldeck.model import RUN_NAME_TAG, Column, Kind
from mldeck.store.encoding import metric_value
from mldeck.store.runs.dataset_inputs import dataset_texts
from mldeck.store.schema import DURATION, Schema
from mldeck.store.sqlite.reader import read_quickly
from mldeck.store.statements import MAX_BOUND_VALUES, chunks, plain_rows
from mldeck.store.text_match import among_texts
from mldeck.store.values import text_of

ROWS_AT_ONCE = MAX_BOUND_VALUES
"""Most runs that `run_rows` reads in one call."""
_KEYS_AT_ONCE = MAX_BOUND_VALUES // 2

ATTRIBUTES = (
    "run_id",
    "run_name",
    "experiment_id",
    "status",
    "lifecycle_stage",
    "start_time",
    "end_time",
    DURATION,
    "deleted_time",
    "user_id",
    "artifact_uri",
)
"""The keys that a column of kind attribute may have."""

_SAMPLE_RUNS = 8
_WASTED_ROWS = 4
"""Rows that can be read in sequence in the time of one look-up by key."""

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)

RunValues = list[Any]
"""The values of one run, in the order of the columns."""


def run_rows(
    connection: Connection,
    schema: Schema,
    ids: Sequence[str],
    columns: Sequence[Column],
    indexes: dict[str, str | None],
) -> list[RunValues]:
    """Return the values of at most `ROWS_AT_ONCE` runs in these columns, in the order of `ids`, without runs that are gone.

    Metrics are floats, times and durations are milliseconds, all else is text. An attribute that is missing or empty, and a
    key that a run has not logged, is None. No column may be given twice. `indexes` is a cache of the best index of each
    table: empty in the first call, and passed to the following ones.
    """
    return read_quickly(connection, lambda: _rows(connection, schema, ids, columns, indexes))


def _rows(
    connection: Connection,
    schema: Schema,
    ids: Sequence[str],
    columns: Sequence[Column],
    indexes: dict[str, str | None],
) -> list[RunValues]:
    places: dict[Kind, dict[str, int]] = {}
    for place, column in enumerate(columns):
        places.setdefault(column.kind, {})[column.key] = place
    rows = _attributes(connection, schema, ids, places.get(Kind.ATTRIBUTE, {}), len(columns))
    metrics = places.get(Kind.METRIC, {})
    for run_id, key, value, is_nan in _values(
        connection, schema, "latest_metrics", schema.latest_metrics, ids, metrics, indexes
    ):
        if run_id in rows:
            rows[run_id][metrics[key]] = metric_value(value, is_nan)
    for kind, name, source in ((Kind.PARAM, "params", schema.params), (Kind.TAG, "tags", schema.tags)):
        texts = places.get(kind, {})
        for run_id, key, value in _values(connection, schema, name, source, ids, texts, indexes):
            if run_id in rows:
                rows[run_id][texts[key]] = value if type(value) is str else text_of(value)
    _add_datasets(connection, schema, ids, places.get(Kind.DATASET, {}), rows)
    return [rows[run_id] for run_id in ids if run_id in rows]


def _attributes(
    connection: Connection, schema: Schema, ids: Sequence[str], places: Mapping[str, int], width: int
) -> dict[str, RunValues]:
    """Return a row of `width` values for each existing run, by run id, with only its attributes filled in."""
    runs = schema.runs
    statement = select(runs.c.run_uuid, *(schema.run_attribute(name).label(f"attribute_{name}") for name in places))
    rows: dict[str, RunValues] = {}
    for run_id, *values in connection.execute(statement.where(runs.c.run_uuid.in_(_IDS)), {"ids": ids}).all():
        row = rows[run_id] = [None] * width
        for place, value in zip(places.values(), values, strict=True):
            row[place] = None if value == "" else value
    if "experiment_id" in places:
        for row in rows.values():
            row[places["experiment_id"]] = str(row[places["experiment_id"]])
    if "run_name" in places:
        _name_nameless(connection, schema, rows, places["run_name"])
    return rows


def _name_nameless(connection: Connection, schema: Schema, rows: Mapping[str, RunValues], place: int) -> None:
    """Fill in the names that are only in the tag, as MLflow before 1.30 wrote them."""
    nameless = [run_id for run_id, row in rows.items() if row[place] is None]
    if nameless:
        tags = schema.tags
        named = select(tags.c.run_uuid, tags.c.value).where(
            and_(tags.c.key == RUN_NAME_TAG, tags.c.run_uuid.in_(nameless))
        )
        for run_id, name in connection.execute(named).all():
            rows[run_id][place] = name or None


def _values(
    connection: Connection,
    schema: Schema,
    name: str,
    source: FromClause,
    ids: Sequence[str],
    keys: Collection[str],
    indexes: dict[str, str | None],
) -> Iterable[Sequence[Any]]:
    """Return rows (run_uuid, key, value, and is_nan of metrics) of a table with one row per run and key, as they are stored."""
    if not keys:
        return ()
    extra = (source.c.is_nan,) if "is_nan" in source.c else ()
    statement = select(source.c.run_uuid, source.c.key, source.c.value, *extra).where(source.c.run_uuid.in_(_IDS))
    with_keys = statement.where(among_texts(source.c.key, _KEYS))
    if name not in indexes:
        indexes[name] = _index_by_run(connection, schema, name, source, ids, len(keys))
    index = indexes[name]
    if index is None:
        looked_up = (plain_rows(connection, with_keys, {"ids": ids, "keys": some}) for some in chunks(list(keys)))
        return chain.from_iterable(looked_up)
    hint = f"INDEXED BY {index}"
    if len(keys) <= _KEYS_AT_ONCE:
        return plain_rows(connection, with_keys.with_hint(source, hint, "sqlite"), {"ids": ids, "keys": list(keys)})
    # Too many keys to list in a statement.
    everything = plain_rows(connection, statement.with_hint(source, hint, "sqlite"), {"ids": ids})
    return (row for row in everything if row[1] in keys)


def _index_by_run(
    connection: Connection, schema: Schema, name: str, source: FromClause, ids: Sequence[str], key_count: int
) -> str | None:
    """Return the index by which to read all values of these runs; None when it is faster to look up each value by its key.

    None too where the database chooses by itself.

    In that index the values of a run are adjacent, in the primary key they are scattered over the file. So it is twice as
    fast, unless a run has many more keys than are wanted, which SQLite cannot know.
    """
    index = f"index_{name}_run_uuid"
    if not (schema.traits.has_rowids and schema.has_index(name, index)):
        return None
    sample = ids[:: max(1, len(ids) // _SAMPLE_RUNS)]
    counted = select(func.count()).select_from(source).where(source.c.run_uuid.in_(_IDS))
    count = connection.execute(counted.with_hint(source, f"INDEXED BY {index}", "sqlite"), {"ids": sample}).scalar()
    return index if (count or 0) <= _WASTED_ROWS * key_count * len(sample) else None


def _add_datasets(
    connection: Connection, schema: Schema, ids: Sequence[str], places: Mapping[str, int], rows: Mapping[str, RunValues]
) -> None:
    if not places:
        return
    for run_id, texts in dataset_texts(connection, schema, ids).items():
        for key, place in places.items():
            if run_id in rows:
                rows[run_id][place] = texts.get(key)
