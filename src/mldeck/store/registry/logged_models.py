"""Reading the models that runs logged: entities since MLflow 3.0, before that folders listed in a tag of the run.

A database that has been migrated holds both kinds (DATABASE.md#logged-models).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlparse

from sqlalchemy import ColumnElement, Connection, and_, literal, or_, select

from mldeck.foreign import load_json
from mldeck.model import Metric
from mldeck.registry.nouns import LoggedModel
from mldeck.store.encoding import metric_value
from mldeck.store.schema import Schema

HISTORY_TAG = "mlflow.log-model.history"
"""The run tag in which MLflow before 3.0 lists the logged models, as JSON."""

_STATUSES = {1: "PENDING", 2: "READY", 3: "FAILED"}
_ENTITIES = "logged_models"
_COLUMNS = (
    *("model_id", "experiment_id", "name", "artifact_location", "creation_timestamp_ms", "status", "status_message"),
    *("model_type", "source_run_id"),
)


def models_of_run(connection: Connection, schema: Schema, run_id: str) -> tuple[LoggedModel, ...]:
    """Return the models that the run logged, the oldest first, with params, metrics and tags; without deleted ones."""
    found = [_with_values(connection, schema, model) for model in _entities(connection, schema, run_id=run_id)]
    return _by_age([*_folders(connection, schema, schema.runs.c.run_uuid == run_id), *found])


def models_of_experiment(connection: Connection, schema: Schema, experiment_id: str) -> tuple[LoggedModel, ...]:
    """Return the models that the runs of the experiment logged, the oldest first, without params, metrics and tags."""
    number = int(experiment_id)
    folders = _folders(connection, schema, schema.runs.c.experiment_id == number)
    return _by_age([*folders, *_entities(connection, schema, experiment_id=number)])


def logged_model(connection: Connection, schema: Schema, model_id: str) -> LoggedModel | None:
    """Return a logged model with params, metrics and tags; None when it does not exist (any more)."""
    found = _entities(connection, schema, model_id=model_id)
    return _with_values(connection, schema, found[0]) if found else None


def under(uri: str, path: str) -> str:
    """Append `path` to the path of a URI, before a query, as MLflow's `append_to_uri_path` does."""
    if not path:
        return uri
    base, mark, query = uri.partition("?") if urlparse(uri).scheme else (uri, "", "")
    return f"{base.rstrip('/') or base}/{path.lstrip('/')}{mark}{query}"


def _by_age(models: Iterable[LoggedModel]) -> tuple[LoggedModel, ...]:
    return tuple(sorted(models, key=lambda model: (model.creation_time or 0, model.name, model.model_id or "")))


# Entities


def _entities(
    connection: Connection,
    schema: Schema,
    *,
    run_id: str | None = None,
    experiment_id: int | None = None,
    model_id: str | None = None,
) -> list[LoggedModel]:
    """Return the logged models of a run, of an experiment, or with an id, without params, metrics and tags."""
    if not schema.has(_ENTITIES, "inputs"):
        return []
    models, inputs = schema.table(_ENTITIES), schema.inputs
    is_output = and_(inputs.c.source_type == "RUN_OUTPUT", inputs.c.destination_type == "MODEL_OUTPUT")
    logged_by = models.c.source_run_id if run_id is None else literal(run_id)
    conditions: list[ColumnElement[bool]] = [models.c.lifecycle_stage == "active"]
    if run_id is not None:
        outputs = select(inputs.c.destination_id).where(is_output, inputs.c.source_id == run_id)
        conditions.append(or_(models.c.source_run_id == run_id, models.c.model_id.in_(outputs)))
    if experiment_id is not None:
        conditions.append(models.c.experiment_id == experiment_id)
    if model_id is not None:
        conditions.append(models.c.model_id == model_id)
    link = and_(is_output, inputs.c.source_id == logged_by, inputs.c.destination_id == models.c.model_id)
    statement = select(
        *(schema.optional(models, name) for name in _COLUMNS), schema.optional(inputs, "step")
    ).select_from(models.outerjoin(inputs, link))
    return [_entity(row) for row in connection.execute(statement.where(*conditions)).all()]


def _entity(row: Any) -> LoggedModel:
    return LoggedModel(
        name=row.name,
        run_id=row.source_run_id or None,
        model_id=row.model_id,
        artifact_location=row.artifact_location or None,
        status=_STATUSES.get(row.status, "UNSPECIFIED"),
        status_message=row.status_message or None,
        experiment_id=str(row.experiment_id),
        creation_time=row.creation_timestamp_ms,
        step=row.step,
        model_type=row.model_type or None,
    )


def _with_values(connection: Connection, schema: Schema, model: LoggedModel) -> LoggedModel:
    metrics = schema.table("logged_model_metrics")
    columns = (metrics.c.metric_name, metrics.c.metric_value, metrics.c.metric_timestamp_ms, metrics.c.metric_step)
    found = connection.execute(select(*columns).where(metrics.c.model_id == model.model_id)).all()
    points = (Metric(row[0], metric_value(row[1], 0), row[2] or 0, row[3] or 0) for row in found)
    return replace(
        model,
        params=_pairs(connection, schema, "param", model),
        metrics=tuple(sorted(points, key=lambda point: (point.key, point.step, point.timestamp))),
        tags=_pairs(connection, schema, "tag", model),
    )


def _pairs(connection: Connection, schema: Schema, kind: str, model: LoggedModel) -> dict[str, str]:
    """Return the params or tags of a logged model; `kind` is "param" or "tag"."""
    table = schema.table(f"logged_model_{kind}s")
    key, value = table.c[f"{kind}_key"], table.c[f"{kind}_value"]
    rows = connection.execute(select(key, value).where(table.c.model_id == model.model_id).order_by(key)).all()
    return {row[0]: row[1] or "" for row in rows}


# Folders


def _folders(connection: Connection, schema: Schema, of_runs: ColumnElement[bool]) -> Iterator[LoggedModel]:
    runs, tags = schema.runs, schema.tags
    statement = (
        select(runs.c.run_uuid, runs.c.experiment_id, runs.c.artifact_uri, tags.c.value)
        .select_from(tags.join(runs, runs.c.run_uuid == tags.c.run_uuid))
        .where(of_runs, tags.c.key == HISTORY_TAG)
    )
    for run_id, experiment_id, artifact_uri, value in connection.execute(statement).all():
        # Logging to the same path again replaces the model.
        latest = {entry["artifact_path"]: entry for entry in _history(value)}
        for path, entry in latest.items():
            flavors = entry.get("flavors")
            yield LoggedModel(
                name=path,
                run_id=run_id,
                artifact_location=under(artifact_uri, path) if artifact_uri else None,
                experiment_id=str(experiment_id),
                creation_time=_created(entry.get("utc_time_created")),
                flavors=tuple(flavors) if isinstance(flavors, dict) else (),
            )


def _history(value: str | None) -> list[dict[str, Any]]:
    """Return the entries of the tag that name a path. It may be truncated, or written by another program."""
    try:
        entries = load_json(value or "[]")
    except ValueError:
        return []
    entries = entries if isinstance(entries, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("artifact_path"), str)]


def _created(text: object) -> int | None:
    """Return a time like `2026-11-20 23:48:09.763699`, UTC, in ms; None when it is malformed."""
    try:
        moment = datetime.fromisoformat(str(text)).replace(tzinfo=timezone.utc)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
