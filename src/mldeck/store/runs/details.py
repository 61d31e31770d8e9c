"""Reading everything that the inspector shows of one run."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

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
from mldeck.store.runs.dataset_inputs import dataset_inputs
from mldeck.store.runs.pace import paces
from mldeck.store.runs.records import load_runs, run_from_row, select_runs
from mldeck.store.schema import Schema

MAX_CHILDREN = 200
"""Most nested runs that are read; the count beside them is exact."""


def run_details(connection: Connection, schema: Schema, run_id: str) -> RunDetails | None:
    """Return everything about one run; None when it does not exist (any more)."""
    row = connection.execute(select_runs(schema).where(schema.runs.c.run_uuid == run_id)).first()
    if row is None:
        return None
    tags = _pairs(connection, schema, Kind.TAG, run_id)
    named = dict(tags)
    run = run_from_row(row, named.get(RUN_NAME_TAG))
    parent_id = named.get(PARENT_TAG) or None
    children, children_count = _children(connection, schema, run_id)
    parents = load_runs(connection, schema, [parent_id]) if parent_id else []
    metrics, single_metrics = _metrics(connection, schema, run)
    return RunDetails(
        run=run,
        experiment_name=_experiment_name(connection, schema, run.experiment_id),
        metrics=metrics,
        single_metrics=single_metrics,
        params=_pairs(connection, schema, Kind.PARAM, run_id),
        tags=tags,
        datasets=tuple(dataset_inputs(connection, schema, [run_id]).get(run_id, ())),
        parent_id=parent_id,
        parent=parents[0] if parents else None,
        children=children,
        children_count=children_count,
        pace=paces(connection, schema, [run]).get(run_id),
    )


def _experiment_name(connection: Connection, schema: Schema, experiment_id: str) -> str | None:
    table = schema.experiments
    if not experiment_id.isdigit():
        return None
    return connection.execute(select(table.c.name).where(table.c.experiment_id == int(experiment_id))).scalar()


def _metrics(connection: Connection, schema: Schema, run: Run) -> tuple[tuple[Metric, ...], frozenset[str]]:
    """Return the latest metrics, and the keys of those that were logged at one step only."""
    latest = schema.latest_metrics
    columns = (latest.c.key, latest.c.value, latest.c.is_nan, latest.c.timestamp, latest.c.step)
    statement = select(*columns, _is_single(schema).label("is_single"))
    rows = connection.execute(statement.where(latest.c.run_uuid == run.run_id)).all()
    metrics = (
        Metric(row.key, metric_value(row.value, row.is_nan), _in_ms(row.timestamp or 0, run), row.step or 0)
        for row in rows
    )
    ordered = sorted(metrics, key=lambda metric: (metric.key.startswith(SYSTEM_METRIC_PREFIX), metric.key))
    return tuple(ordered), frozenset(row.key for row in rows if row.is_single)


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
    table = schema.values_of(kind)
    rows = connection.execute(select(table.c.key, table.c.value).where(table.c.run_uuid == run_id)).all()
    return tuple(sorted((row.key, row.value or "") for row in rows))


def _children(connection: Connection, schema: Schema, run_id: str) -> tuple[tuple[Run, ...], int]:
    """Return the nested runs and their exact number. Only a tag of the nested run names its parent (DATABASE.md#lifecycle)."""
    tags = schema.tags
    is_child = and_(tags.c.key == PARENT_TAG, tags.c.value == run_id)
    count = connection.execute(select(func.count()).select_from(tags).where(is_child)).scalar_one()
    if not count:
        return (), 0
    ids = connection.execute(select(tags.c.run_uuid).where(is_child).limit(MAX_CHILDREN)).scalars().all()
    children = sorted(load_runs(connection, schema, list(ids)), key=lambda run: (run.start_time or 0, run.run_id))
    return tuple(children), count
