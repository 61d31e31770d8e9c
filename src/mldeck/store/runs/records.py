"""Reading runs: the ids that match a query in its order, and the values that a row of the table shows.

The database filters and sorts, and returns only run ids; the cells of a row are read when it is shown.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, FromClause, Row, Select, and_, bindparam, func, select

from mldeck.model import RUN_NAME_TAG, Run, RunCount, RunFields, RunQuery, RunRecord, View
from mldeck.store.encoding import metric_value
from mldeck.store.runs.dataset_inputs import dataset_inputs, dataset_texts
from mldeck.store.runs.order import ordered
from mldeck.store.runs.pace import paces
from mldeck.store.schema import Schema
from mldeck.store.sqlite.reader import read_quickly
from mldeck.store.statements import MAX_BOUND_VALUES, Earlier, asked_together, chunks, plain_rows
from mldeck.store.text_match import among_texts
from mldeck.store.values import text_of

_RUN_COLUMNS = (
    *("run_uuid", "name", "experiment_id", "status", "lifecycle_stage", "start_time", "end_time", "deleted_time"),
    *("user_id", "artifact_uri"),
)


def run_ids(connection: Connection, schema: Schema, query: RunQuery, limit: int | None = None) -> list[str]:
    """Return the ids of the runs that match, in the order of the query. Raises `SearchError` for a bad filter."""
    statement = select_ids(schema, query, limit)
    ids = read_quickly(connection, lambda: [row[0] for row in plain_rows(connection, statement, {})])
    # One test for all ids, because a test of each would take noticeable time.
    return ids if set(map(type, ids)) <= {str} else [text_of(run_id) for run_id in ids]


def select_ids(
    schema: Schema, query: RunQuery, limit: int | None, experiments: Sequence[int | Earlier] | None = None
) -> Select[Any]:
    """Select the ids of the runs that match, in the order of the query. See `matches`."""
    statement = ordered(select(schema.runs.c.run_uuid).where(matches(schema, query, experiments)), schema, query.order)
    return statement if limit is None else statement.limit(limit)


def count_matching(connection: Connection, schema: Schema, query: RunQuery) -> int:
    """Return how many runs match. Raises `SearchError` for a bad filter."""
    statement = select(func.count()).select_from(schema.runs).where(matches(schema, query))
    return int(connection.execute(statement).scalar_one())


def matches(schema: Schema, query: RunQuery, experiments: Sequence[int | Earlier] | None = None) -> ColumnElement[bool]:
    """Return the condition that a run belongs to the experiments and the lifecycle stage of the query, and passes its filter.

    `experiments` takes the place of those of the query, when they are not known yet.
    Raises `SearchError` if the filter cannot be parsed.
    """
    runs = schema.runs
    numbers = experiments or sorted(int(experiment_id) for experiment_id in query.experiment_ids)
    # Rendered into the statement when they are many: a store may have more experiments than a statement bound values.
    is_many = len(numbers) > MAX_BOUND_VALUES
    listed: BindParameter[Any] = bindparam("experiment_ids", numbers, expanding=True, literal_execute=is_many)
    conditions: list[ColumnElement[bool]] = [runs.c.experiment_id.in_(listed)]
    if query.view is not View.ALL:
        conditions.append(runs.c.lifecycle_stage == query.view.value)
    if query.filter.strip():
        # Imported here because most reads of a store need no parser.
        from mldeck.search.parse import parse
        from mldeck.store.runs.filter import check_characters, run_filter

        check_characters(query.filter, schema)
        conditions.append(run_filter(parse(query.filter), schema, now=int(time.time() * 1000)))
    return and_(*conditions)


def newest_run_experiment(connection: Connection, schema: Schema, experiment_ids: Sequence[str]) -> str | None:
    """Return which of these experiments has the newest active run; None if there is none. Half the cost of counting."""
    numbers = sorted(int(experiment_id) for experiment_id in experiment_ids)
    found = connection.execute(select_newest(schema, numbers)).scalar()
    return None if found is None else str(found)


def select_newest(schema: Schema, experiments: Sequence[int | Earlier]) -> Select[Any]:
    """Select the experiment, among these, that has the newest active run."""
    runs = schema.runs
    newest = select(runs.c.experiment_id).where(matches(schema, RunQuery(()), experiments))
    return newest.order_by(runs.c.start_time.desc()).limit(1)


def count_runs(connection: Connection, schema: Schema) -> dict[str, RunCount]:
    """Return the number of runs by experiment id; experiments without any are left out."""
    runs = schema.runs
    statement = select(
        runs.c.experiment_id, runs.c.lifecycle_stage, func.count(), func.max(runs.c.start_time)
    ).group_by(runs.c.experiment_id, runs.c.lifecycle_stage)
    counts: dict[str, RunCount] = {}
    for row in connection.execute(statement).all():
        experiment_id, stage, count, newest = tuple(row)
        before = counts.get(str(experiment_id), RunCount())
        if stage == View.DELETED.value:
            counts[str(experiment_id)] = replace(before, deleted=count)
        else:
            counts[str(experiment_id)] = replace(before, active=count, newest_start=newest)
    return counts


def run_records(connection: Connection, schema: Schema, ids: Sequence[str], fields: RunFields) -> dict[str, RunRecord]:
    """Return the runs with these ids, by id; runs that are gone are left out."""
    records: dict[str, RunRecord] = {}
    for chunk in chunks(ids):
        metrics_read = _select_values(schema.latest_metrics, fields.metrics, chunk, ("value", "is_nan"))
        params_read = _select_values(schema.params, fields.params, chunk, ("value",))
        tags_read = _select_values(schema.tags, fields.tags, chunk, ("value",))
        runs_read = select_runs(schema, chunk)
        with asked_together(connection, [*metrics_read, *params_read, *tags_read, runs_read]):
            metrics: dict[str, dict[str, float]] = {}
            for run_id, key, value, is_nan in _rows(connection, metrics_read):
                metrics.setdefault(run_id, {})[key] = metric_value(value, is_nan)
            params = _texts(connection, params_read)
            tags = _texts(connection, tags_read)
            runs = load_runs(connection, schema, chunk)
        datasets = dataset_texts(connection, schema, chunk) if fields.datasets else {}
        inputs = dataset_inputs(connection, schema, chunk) if fields.inputs else {}
        pace = paces(connection, schema, runs) if fields.pace else {}
        for run in runs:
            run_id = run.run_id
            records[run_id] = RunRecord(
                run,
                metrics.get(run_id, {}),
                params.get(run_id, {}),
                tags.get(run_id, {}),
                datasets.get(run_id, {}),
                tuple(inputs.get(run_id, ())),
                pace.get(run_id),
            )
    return records


def load_runs(connection: Connection, schema: Schema, ids: Sequence[str]) -> list[Run]:
    """Return the attributes of these runs, at most `MAX_BOUND_VALUES`, in no particular order."""
    rows = connection.execute(select_runs(schema, ids)).all()
    nameless = [row.run_uuid for row in rows if not row.name]
    names = _texts(connection, _select_values(schema.tags, (RUN_NAME_TAG,), nameless, ("value",))) if nameless else {}
    return [run_from_row(row, names.get(row.run_uuid, {}).get(RUN_NAME_TAG)) for row in rows]


def select_runs(schema: Schema, ids: Sequence[str]) -> Select[Any]:
    """Select what `run_from_row` takes of these runs, at most `MAX_BOUND_VALUES`."""
    columns = (schema.optional(schema.runs, name) for name in _RUN_COLUMNS)
    return select(*columns).where(schema.runs.c.run_uuid.in_(ids))


def run_from_row(row: Row[Any], name_tag: str | None) -> Run:
    """Return a run. `name_tag` is the value of the tag that names a run where MLflow before 1.30 left the column empty."""
    return Run(
        run_id=row.run_uuid,
        run_name=row.name or name_tag or None,
        experiment_id=str(row.experiment_id),
        status=row.status or "",
        lifecycle_stage=row.lifecycle_stage or "",
        start_time=row.start_time,
        end_time=row.end_time,
        deleted_time=row.deleted_time,
        user_id=row.user_id or None,
        artifact_uri=row.artifact_uri or None,
    )


def _texts(connection: Connection, statements: Iterable[Select[Any]]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for run_id, key, value in _rows(connection, statements):
        texts.setdefault(run_id, {})[key] = value or ""
    return texts


def _rows(connection: Connection, statements: Iterable[Select[Any]]) -> Iterator[Sequence[Any]]:
    for statement in statements:
        yield from connection.execute(statement).all()


def _select_values(
    source: FromClause, keys: tuple[str, ...] | None, ids: Sequence[str], names: tuple[str, ...]
) -> list[Select[Any]]:
    """Select rows (run_uuid, key, *names) of a table with one row per run and key; all keys when `keys` is None."""
    if keys == ():
        return []
    condition = source.c.run_uuid.in_(ids)
    statement = select(source.c.run_uuid, source.c.key, *(source.c[name] for name in names))
    if keys is None:
        return [statement.where(condition)]
    return [statement.where(and_(among_texts(source.c.key, some), condition)) for some in chunks(keys)]
