"""Reading everything that the inspector shows of one run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from mldeck.model import (
    PARENT_TAG,
    RUN_NAME_TAG,
    SYSTEM_METRIC_PREFIX,
    Kind,
    Metric,
    Run,
    RunDetails,
)
from mldeck.store.encoding import are_seconds, metric_value
from mldeck.store.runs.dataset_inputs import dataset_inputs, select_inputs
from mldeck.store.runs.pace import is_running, last_logged, pace_until, select_earlier, select_last
from mldeck.store.runs.records import load_runs, run_from_row, select_runs
from mldeck.store.schema import Schema
from mldeck.store.statements import asked_together, chunks

MAX_CHILDREN = 200
"""Most nested runs that are read; the count beside them is exact."""


def run_details(connection: Connection, schema: Schema, run_id: str) -> RunDetails | None:
    """Return everything about one run; None when it does not exist (any more). A distant database is asked at most twice."""
    with asked_together(connection, _statements_of_run(schema, run_id)):
        row = connection.execute(select_runs(schema, [run_id])).first()
        if row is None:
            return None
        tags = _pairs(connection, schema, Kind.TAG, run_id)
        named = dict(tags)
        run = run_from_row(row, named.get(RUN_NAME_TAG))
        metrics, single_metrics = _metrics(connection, schema, run)
        params = _pairs(connection, schema, Kind.PARAM, run_id)
        experiment_name = connection.execute(_select_experiment_name(schema, run_id)).scalar()
        datasets = tuple(dataset_inputs(connection, schema, [run_id]).get(run_id, ()))
        children_count = connection.execute(_count_children(schema, run_id)).scalar_one()
        child_ids = connection.execute(_select_children(schema, run_id)).scalars().all() if children_count else []
        last_points = last_logged(connection, schema, [run_id]) if is_running(run) else []
    parent_id = named.get(PARENT_TAG) or None
    related = list(dict.fromkeys([*([parent_id] if parent_id else []), *child_ids]))
    runs_read = (select_runs(schema, some) for some in chunks(related))
    points_read = (select_earlier(schema, last) for last in last_points)
    with asked_together(connection, chain(runs_read, points_read)):
        relatives = {found.run_id: found for some in chunks(related) for found in load_runs(connection, schema, some)}
        pace = next((pace_until(connection, schema, run, last) for last in last_points), None)
    children = (relatives[child_id] for child_id in child_ids if child_id in relatives)
    return RunDetails(
        run=run,
        experiment_name=experiment_name,
        metrics=metrics,
        single_metrics=single_metrics,
        params=params,
        tags=tags,
        datasets=datasets,
        parent_id=parent_id,
        parent=relatives.get(parent_id) if parent_id else None,
        children=tuple(sorted(children, key=lambda child: (child.start_time or 0, child.run_id))),
        children_count=children_count,
        pace=pace,
    )


def _statements_of_run(schema: Schema, run_id: str) -> Iterator[Select[Any]]:
    """Yield what can be asked of a run before anything is known of it."""
    yield select_runs(schema, [run_id])
    yield _select_experiment_name(schema, run_id)
    yield _select_metrics(schema, run_id)
    yield _select_pairs(schema, Kind.PARAM, run_id)
    yield _select_pairs(schema, Kind.TAG, run_id)
    yield from select_inputs(schema, [run_id])
    yield _count_children(schema, run_id)
    yield _select_children(schema, run_id)
    yield select_last(schema, [run_id])


def _select_experiment_name(schema: Schema, run_id: str) -> Select[Any]:
    experiments, runs = schema.experiments, schema.runs
    its_own = select(runs.c.experiment_id).where(runs.c.run_uuid == run_id).scalar_subquery()
    return select(experiments.c.name).where(experiments.c.experiment_id == its_own)


def _metrics(connection: Connection, schema: Schema, run: Run) -> tuple[tuple[Metric, ...], frozenset[str]]:
    """Return the latest metrics, and the keys of those that were logged at one step only."""
    rows = connection.execute(_select_metrics(schema, run.run_id)).all()
    metrics = (
        Metric(row.key, metric_value(row.value, row.is_nan), _in_ms(row.timestamp or 0, run), row.step or 0)
        for row in rows
    )
    ordered = sorted(metrics, key=lambda metric: (metric.key.startswith(SYSTEM_METRIC_PREFIX), metric.key))
    return tuple(ordered), frozenset(row.key for row in rows if row.is_single)


def _select_metrics(schema: Schema, run_id: str) -> Select[Any]:
    latest = schema.latest_metrics
    columns = (latest.c.key, latest.c.value, latest.c.is_nan, latest.c.timestamp, latest.c.step)
    return select(*columns, _is_single(schema).label("is_single")).where(latest.c.run_uuid == run_id)


def _is_single(schema: Schema) -> ColumnElement[bool]:
    """Return the condition that a latest metric has no point at another step.

    It looks for earlier and later steps apart, because the index finds the first of each at once. Without that index, every
    point of the run would be read; then step 0 is taken for a single value, as most metrics of a step are logged there.
    """
    latest, points = schema.latest_metrics, schema.metrics
    if schema.step_index is None:
        return func.coalesce(latest.c.step, 0) == 0
    of_metric = and_(points.c.run_uuid == latest.c.run_uuid, points.c.key == latest.c.key)
    other_steps = (
        select(points.c.step)
        .where(of_metric, is_other)
        .with_hint(points, f"INDEXED BY {schema.step_index}", "sqlite")
        .exists()
        for is_other in (points.c.step < latest.c.step, points.c.step > latest.c.step)
    )
    return ~or_(*other_steps)


def _in_ms(timestamp: int, run: Run) -> int:
    is_scaled = are_seconds(timestamp, timestamp, run.start_time, run.end_time)
    return timestamp * 1000 if is_scaled else timestamp


def _pairs(connection: Connection, schema: Schema, kind: Kind, run_id: str) -> tuple[tuple[str, str], ...]:
    """Return (key, value) of all params or tags of a run, sorted by key."""
    rows = connection.execute(_select_pairs(schema, kind, run_id)).all()
    return tuple(sorted((row.key, row.value or "") for row in rows))


def _select_pairs(schema: Schema, kind: Kind, run_id: str) -> Select[Any]:
    table = schema.values_of(kind)
    return select(table.c.key, table.c.value).where(table.c.run_uuid == run_id)


def _is_child(schema: Schema, run_id: str) -> ColumnElement[bool]:
    """Return the condition that a tag is that of a nested run: only this tag names its parent (DATABASE.md#lifecycle)."""
    return and_(schema.tags.c.key == PARENT_TAG, schema.tags.c.value == run_id)


def _count_children(schema: Schema, run_id: str) -> Select[Any]:
    return select(func.count()).select_from(schema.tags).where(_is_child(schema, run_id))


def _select_children(schema: Schema, run_id: str) -> Select[Any]:
    return select(schema.tags.c.run_uuid).where(_is_child(schema, run_id)).limit(MAX_CHILDREN)
