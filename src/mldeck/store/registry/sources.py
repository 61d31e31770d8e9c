"""The source of a new version: what `mlflow.register_model` of the MLflow that wrote this database would store.

release      registered            source                     storage location
1.x, 2.x     runs:/ID/PATH         artifact URI of run/PATH   the same (MLflow 2.8 and later)
3.0 ...      runs:/ID/PATH         the same, when there is an MLmodel file in it; else the logged model of that name
3.0 ...      models:/m-...         models:/m-...              its artifact location
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from mldeck.errors import MldeckError, UsageError, did_you_mean
from mldeck.format import safe
from mldeck.registry.nouns import LoggedModel, ModelSource
from mldeck.store.registry.logged_models import logged_model, models_of_run, under
from mldeck.store.runs.records import load_runs
from mldeck.store.schema import Schema

HasModel = Callable[[str], bool]
"""Return whether there is an MLmodel file directly below this URI."""


def source_of_run(connection: Connection, schema: Schema, run_id: str, path: str, has_model: HasModel) -> ModelSource:
    """Return the source of the model at `path` of a run. Raises `UsageError` when there is no such model.

    `has_model` is called only where MLflow looks for the file: 3.0 and later.
    """
    runs = load_runs(connection, schema, [run_id])
    if not runs:
        raise MldeckError(f"there is no run {safe(run_id)} (any more)")
    run, path = runs[0], path.strip("/")
    if run.lifecycle_stage != "active":
        raise MldeckError(f"run {safe(run.label)} is deleted; restore it first")
    location = under(run.artifact_uri, path) if run.artifact_uri else None
    if location is not None and (not schema.has("logged_models") or has_model(location)):
        return ModelSource(location, location, run_id)
    models = models_of_run(connection, schema, run_id)
    named = [model for model in models if model.model_id and model.name == path]
    of_run = [model for model in named if model.run_id == run_id]
    if not of_run:
        known = dict.fromkeys(model.name for model in models if model.run_id == run_id)
        raise UsageError(f"run {safe(run.label)} has no model {safe(path)}{did_you_mean(path, known)}")
    # MLflow takes the model that was logged at the largest step, and the newest of several.
    latest = max(of_run, key=lambda model: (model.step or 0, model.creation_time or 0))
    return _of(latest)


def source_of_logged_model(connection: Connection, schema: Schema, model_id: str) -> ModelSource:
    """Return the source of a logged model. Raises `MldeckError` when it does not exist."""
    found = logged_model(connection, schema, model_id)
    if found is None:
        raise MldeckError(f"there is no logged model {safe(model_id)} (any more)")
    return _of(found)


def _of(model: LoggedModel) -> ModelSource:
    return ModelSource(model.uri, model.artifact_location or model.uri, model.run_id, model.model_id)
