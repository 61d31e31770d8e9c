"""Reading the model registry of one open database, and the models that its runs logged.

Every method may be called from any thread, and raises what the methods of `Store` raise. In a database from
before MLflow 1.4, which has no registry, the registry is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from mldeck.model import DEFAULT_WORKSPACE
from mldeck.registry.history import Event
from mldeck.registry.nouns import (
    ALL_MODELS,
    LoggedModel,
    ModelQuery,
    ModelSource,
    ModelVersion,
    RegisteredModel,
)
from mldeck.store.interrupt import Interrupt
from mldeck.store.opened import OpenedStore
from mldeck.store.registry.logged_models import logged_model, models_of_experiment, models_of_run
from mldeck.store.registry.models import list_models, read_model
from mldeck.store.registry.rows import check_model, check_no_prompt
from mldeck.store.registry.sources import HasModel, source_of_logged_model, source_of_run
from mldeck.store.registry.tables import ALIASES, MODELS, VERSION_TAGS, VERSIONS, RegistryTables, list_workspaces
from mldeck.store.registry.versions import history_of_versions, read_version, versions_of_model, versions_of_run
from mldeck.store.schema import Schema

_P = ParamSpec("_P")
_Result = TypeVar("_Result")


class RegistryReader:
    """The registry of one workspace (there is only one before MLflow 3.10). Reads nothing until a method is called."""

    def __init__(self, store: OpenedStore, workspace: str = DEFAULT_WORKSPACE) -> None:
        self._store = store
        self.workspace = workspace

    # What is registered

    def models(self, query: ModelQuery = ALL_MODELS, interrupt: Interrupt | None = None) -> list[RegisteredModel]:
        """Return the models in the order of the query, without prompts. Raises `SearchError` for a bad filter."""
        return self._read(list_models, interrupt, [], query)

    def model(self, name: str, interrupt: Interrupt | None = None) -> RegisteredModel | None:
        """Return a model; None when it does not exist or is a prompt."""
        return self._read(read_model, interrupt, None, name)

    def versions(self, name: str, interrupt: Interrupt | None = None) -> tuple[ModelVersion, ...]:
        """Return the versions of a model, the newest first, without deleted ones."""
        return self._read(versions_of_model, interrupt, (), name)

    def version(self, name: str, version: int, interrupt: Interrupt | None = None) -> ModelVersion | None:
        """Return a version; None when it does not exist or was deleted."""
        return self._read(read_version, interrupt, None, name, version)

    def history(self, name: str, interrupt: Interrupt | None = None) -> tuple[Event, ...]:
        """Return what happened to the versions of a model, including deleted ones, the oldest event first."""
        return self._read(history_of_versions, interrupt, (), name)

    def check_model(self, name: str, interrupt: Interrupt | None = None) -> None:
        """Raise `MldeckError` unless there is a registered model of that name that can be changed."""
        self._read(check_model, interrupt, None, name)

    def check_no_prompt(self, name: str, interrupt: Interrupt | None = None) -> None:
        """Raise `MldeckError` if the name is that of a prompt: MLflow keeps prompts in the tables of the registry."""
        self._read(check_no_prompt, interrupt, None, name)

    def versions_of_run(
        self, run_id: str, model_ids: tuple[str, ...] = (), interrupt: Interrupt | None = None
    ) -> tuple[ModelVersion, ...]:
        """Return the versions of all models that come from the run, or from one of these logged models; the newest first."""
        return self._read(versions_of_run, interrupt, (), run_id, model_ids)

    def workspaces(self, interrupt: Interrupt | None = None) -> tuple[str, ...]:
        """Return the names, sorted, of this workspace and of all that have registered models."""
        return self._store.read(list_workspaces, interrupt, self.workspace)

    @property
    def has_registry(self) -> bool:
        """False before MLflow 1.4."""
        return self._store.schema.has(MODELS, VERSIONS)

    @property
    def keeps_history(self) -> bool:
        """Whether versions have tags, in which stage changes are recorded: False before MLflow 1.10."""
        return self._store.schema.has(VERSION_TAGS)

    @property
    def has_aliases(self) -> bool:
        """False before MLflow 2.3."""
        return self._store.schema.has(ALIASES)

    # What runs logged

    def models_of_run(self, run_id: str, interrupt: Interrupt | None = None) -> tuple[LoggedModel, ...]:
        """Return the models that the run logged, the oldest first, with params, metrics and tags."""
        return self._store.read(models_of_run, interrupt, run_id)

    def models_of_experiment(self, experiment_id: str, interrupt: Interrupt | None = None) -> tuple[LoggedModel, ...]:
        """Return the models that the runs of the experiment logged, the oldest first, without params, metrics and tags."""
        return self._store.read(models_of_experiment, interrupt, experiment_id)

    def logged_model(self, model_id: str, interrupt: Interrupt | None = None) -> LoggedModel | None:
        """Return a logged model with params, metrics and tags; None when it does not exist."""
        return self._store.read(logged_model, interrupt, model_id)

    def source_of_run(
        self, run_id: str, path: str, has_model: HasModel, interrupt: Interrupt | None = None
    ) -> ModelSource:
        """Return what registering `runs:/RUN_ID/PATH` stores. Raises `MldeckError` when the run has no such model."""
        return self._store.read(source_of_run, interrupt, run_id, path, has_model)

    def source_of_logged_model(self, model_id: str, interrupt: Interrupt | None = None) -> ModelSource:
        """Return what registering `models:/MODEL_ID` stores. Raises `MldeckError` when it does not exist."""
        return self._store.read(source_of_logged_model, interrupt, model_id)

    def _read(
        self,
        function: Callable[Concatenate[Connection, RegistryTables, _P], _Result],
        interrupt: Interrupt | None,
        nothing: _Result,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _Result:
        """Return `function(connection, tables, ...)`, or `nothing` when the database has no registry."""

        def read(connection: Connection, schema: Schema) -> _Result:
            if not schema.has(MODELS, VERSIONS):
                return nothing
            return function(connection, RegistryTables(schema, self.workspace), *args, **kwargs)

        return self._store.read(read, interrupt)
