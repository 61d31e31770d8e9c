"""Reading everything the inspector shows of one run."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, select

from mldeck.model import (
    DATASET_CONTEXT_TAG,
    PARENT_TAG,
    RUN_NAME_TAG,
    SYSTEM_METRIC_PREFIX,
    DatasetInput,
    Kind,
    Metric,
    Run,
    RunDetails,
)
from mldeck.store.encoding import are_seconds, metric_value
from mldeck.store.runs import load_runs, run_from_row, select_runs
from mldeck.store.schema import Schema

MAX_CHILDREN = 200
"""How many nested runs are read; the count beside them is exact."""


def run_details(connection: Connection, schema: Schema, run_id: str) -> RunDetails | None:
    """None when there is no such run (any more)."""
    row = connection.execute(select_runs(schema).where(schema.runs.c.run_uuid == run_id)).first()
    if row is None:
        return None
    tags = _pairs(connection, schema, Kind.TAG, run_id)
    named = dict(tags)
    run = run_from_row(row, named.get(RUN_NAME_TAG))
    parent_id = named.get(PARENT_TAG) or None
    children, children_count = _children(connection, schema, run_id)
    parents = load_runs(connection, schema, [parent_id]) if parent_id else []
    return RunDetails(
        run=run,
        experiment_name=_experiment_name(connection, schema, run.experiment_id),
        metrics=_metrics(connection, schema, run),
        params=_pairs(connection, schema, Kind.PARAM, run_id),
        tags=tags,
        datasets=_datasets(connection, schema, run_id),
        parent_id=parent_id,
        parent=parents[0] if parents else None,
        children=children,
        children_count=children_count,
    )


def _experiment_name(connection: Connection, schema: Schema, experiment_id: str) -> str | None:
    table = schema.experiments
    if not experiment_id.isdigit():
        return None
    return connection.execute(select(table.c.name).where(table.c.experiment_id == int(experiment_id))).scalar()


def _metrics(connection: Connection, schema: Schema, run: Run) -> tuple[Metric, ...]:
    latest = schema.latest_metrics
    statement = select(latest.c.key, latest.c.value, latest.c.is_nan, latest.c.timestamp, latest.c.step)
    rows = connection.execute(statement.where(latest.c.run_uuid == run.run_id)).all()
    metrics = (
        Metric(row.key, metric_value(row.value, row.is_nan), _in_ms(row.timestamp or 0, run), row.step) for row in rows
    )
    return tuple(sorted(metrics, key=lambda metric: (metric.key.startswith(SYSTEM_METRIC_PREFIX), metric.key)))


def _in_ms(timestamp: int, run: Run) -> int:
    is_scaled = are_seconds(timestamp, timestamp, run.start_time, run.end_time)
    return timestamp * 1000 if is_scaled else timestamp


def _pairs(connection: Connection, schema: Schema, kind: Kind, run_id: str) -> tuple[tuple[str, str], ...]:
    """Keys and values of all params or tags of a run, by key."""
    table = schema.values_of(kind)
    rows = connection.execute(select(table.c.key, table.c.value).where(table.c.run_uuid == run_id)).all()
    return tuple(sorted((row.key, "" if row.value is None else str(row.value)) for row in rows))


def _children(connection: Connection, schema: Schema, run_id: str) -> tuple[tuple[Run, ...], int]:
    """Nested runs point at their parent; the parent knows nothing of them (section 4.4)."""
    tags = schema.tags
    is_child = and_(tags.c.key == PARENT_TAG, tags.c.value == run_id)
    count = connection.execute(select(func.count()).select_from(tags).where(is_child)).scalar_one()
    if not count:
        return (), 0
    ids = connection.execute(select(tags.c.run_uuid).where(is_child).limit(MAX_CHILDREN)).scalars().all()
    children = sorted(load_runs(connection, schema, list(ids)), key=lambda run: (run.start_time or 0, run.run_id))
    return tuple(children), count


def _datasets(connection: Connection, schema: Schema, run_id: str) -> tuple[DatasetInput, ...]:
    """Datasets have the run as their destination (section 2.10)."""
    if not schema.has("datasets"):
        return ()
    datasets, inputs, input_tags = schema.datasets, schema.inputs, schema.input_tags
    context = and_(input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == DATASET_CONTEXT_TAG)
    statement = (
        select(
            datasets.c.name,
            datasets.c.digest,
            datasets.c.dataset_source_type,
            datasets.c.dataset_source,
            datasets.c.dataset_profile,
            input_tags.c.value.label("context"),
        )
        .select_from(
            inputs.join(datasets, datasets.c.dataset_uuid == inputs.c.source_id).outerjoin(input_tags, context)
        )
        .where(inputs.c.destination_type == "RUN", inputs.c.destination_id == run_id, inputs.c.source_type == "DATASET")
        .order_by(datasets.c.name, datasets.c.digest)
    )
    return tuple(
        DatasetInput(
            row.name,
            row.digest,
            row.dataset_source_type,
            row.dataset_source,
            row.context or None,
            row.dataset_profile or None,
        )
        for row in connection.execute(statement).all()
    )
