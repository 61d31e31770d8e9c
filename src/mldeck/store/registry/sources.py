"""Where a new version comes from: what `mlflow.register_model` of the MLflow that wrote this database would store of it.

release      registered            source                     storage location
1.x, 2.x     runs:/ID/PATH         artifact URI of run/PATH   the same (MLflow 2.8 and later)
3.0 ...      runs:/ID/PATH         the same, when there is an MLmodel file in it; else the logged model of that name
3.0 ...      models:/m-...         models:/m-...              its artifact location
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.registry.nouns import LoggedModel, ModelSource
from mldeck.store.registry.logged_models import logged_model, models_of_run, under
from mldeck.store.runs.records import load_runs
from mldeck.store.schema import Schema

HasModel = Callable[[str], bool]
"""Whether there is an MLmodel file directly below this URI."""


def source_of_run(connection: Connection, schema: Schema, run_id: str, path: str, has_model: HasModel) -> ModelSource:
    """`has_model` is only asked where MLflow looks: 3.0 and later. Raises `MldeckError` when there is no such model."""
    runs = load_runs(connection, schema, [run_id])
    if not runs:
        raise MldeckError(f"there is no run {safe(run_id)} (any more)")
    run, path = runs[0], path.strip("/")
    if run.lifecycle_stage != "active":
        raise MldeckError(f"run {safe(run.label)} is deleted; restore it first")
    location = under(run.artifact_uri, path) if run.artifact_uri else None
    if location is not None and (not schema.has("logged_models") or has_model(location)):
        return ModelSource(location, location, run_id)
    named = [each for each in models_of_run(connection, schema, run_id) if each.model_id and each.name == path]
    of_run = [each for each in named if each.run_id == run_id]
    if not of_run:
        raise MldeckError(f"run {safe(run.label)} has no model {safe(path)}")
    # The one that was logged at the largest step; of several, MLflow finds the newest first.
    latest = max(of_run, key=lambda each: (each.step or 0, each.creation_time or 0))
    return _of(latest)


def source_of_logged_model(connection: Connection, schema: Schema, model_id: str) -> ModelSource:
    found = logged_model(connection, schema, model_id)
    if found is None:
        raise MldeckError(f"there is no logged model {safe(model_id)} (any more)")
    return _of(found)


def _of(model: LoggedModel) -> ModelSource:
    return ModelSource(model.uri, model.artifact_location or model.uri, model.run_id, model.model_id)
