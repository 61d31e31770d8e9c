"""The objects of the model registry, and the models that runs logged, as frozen values.

As in `mldeck.model`, names are MLflow's, times are milliseconds since the epoch, and optional text that is NULL or empty is
None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from mldeck.model import Metric

NO_STAGE = "None"
"""The text that MLflow stores for a version without a stage."""
STAGING = "Staging"
PRODUCTION = "Production"
ARCHIVED = "Archived"
STAGES = (NO_STAGE, STAGING, PRODUCTION, ARCHIVED)
"""All stages, in the order in which a version passes through them."""
ACTIVE_STAGES = (STAGING, PRODUCTION)
"""The stages that versions are served from. Only a move into one of them can archive the versions that are there."""
DELETED_STAGE = "Deleted_Internal"
"""The stage of deleted versions. MLflow keeps their rows so that their numbers are never reused."""

NO_REGISTRY = "This database is from before MLflow 1.4: it has no model registry"

_LOGGED_MODEL_URI = re.compile(r"models:/+(m-[^/]+)")


@dataclass(frozen=True)
class ModelVersion:
    name: str
    """The name of its registered model."""
    version: int
    """Its number, from 1 on."""
    stage: str
    status: str = "READY"
    creation_time: int | None = None
    last_updated_time: int | None = None
    description: str | None = None
    source: str | None = None
    """The path or URI that was registered, of any kind, including `runs:/…` and `models:/…`."""
    storage_location: str | None = None
    """The location of the files, if it is stored (MLflow 2.8 and later)."""
    run_id: str | None = None
    run_link: str | None = None
    user_id: str | None = None
    status_message: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    @property
    def location(self) -> str | None:
        """The location to open: the storage location if there is one, else the source."""
        return self.storage_location or self.source

    @property
    def logged_model_id(self) -> str | None:
        """The id of the logged model that it was registered from, if any (MLflow 3.0 and later)."""
        return logged_model_id(self.source)


@dataclass(frozen=True)
class RegisteredModel:
    name: str
    creation_time: int | None = None
    last_updated_time: int | None = None
    """The time of the last change. For an orphan, the latest time of its versions."""
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    """Version numbers by alias."""
    dangling_aliases: Mapping[str, int] = field(default_factory=dict)
    """Version numbers of aliases whose version was deleted: MLflow before 3.17 left such aliases behind."""
    latest: Mapping[str, int] = field(default_factory=dict)
    """The greatest version number by stage, for stages that have versions."""
    version_count: int = 0
    """The number of versions, without deleted ones."""
    is_orphan: bool = False
    """Whether only versions of this name exist and no registered model. MLflow 1.8 and earlier left them behind on a rename."""


class ModelOrder(str, Enum):
    """The sort key of registered models. Ties are broken by name, as in MLflow."""

    NAME = "name"
    LAST_UPDATED = "last_updated_timestamp"


@dataclass(frozen=True)
class ModelQuery:
    """The registered models to list, and their order."""

    filter: str = ""
    """In MLflow's search language for registered models (`name`, `tags.…`) with mldeck's extensions."""
    order: ModelOrder = ModelOrder.NAME
    descending: bool = False


ALL_MODELS = ModelQuery()


@dataclass(frozen=True)
class LoggedModel:
    """A model that a run logged: a folder of the run (1.x and 2.x), or an entity of its own (3.0 and later)."""

    name: str
    """The name; in 1.x and 2.x the path below the run's artifacts."""
    run_id: str | None
    """None if no run logged the model (3.0 and later)."""
    model_id: str | None = None
    """`m-…`; None in 1.x and 2.x, where a model has no id of its own."""
    artifact_location: str | None = None
    """The folder of its MLmodel file; None if the run has no artifact URI."""
    status: str = "READY"
    """READY, PENDING, FAILED or UNSPECIFIED. Models that are not READY may have no files."""
    status_message: str | None = None
    experiment_id: str | None = None
    creation_time: int | None = None
    step: int | None = None
    """The step of the run at which it logged the model; None in 1.x and 2.x."""
    model_type: str | None = None
    flavors: tuple[str, ...] = ()
    """Empty if only the MLmodel file contains them (3.0 and later)."""
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    """Sorted by key and step. NaN cannot be distinguished from 0, because MLflow stores both as 0 here."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """The model's URI in MLflow: `models:/m-…`, or `runs:/ID/PATH`."""
        return f"models:/{self.model_id}" if self.model_id else f"runs:/{self.run_id}/{self.name}"


@dataclass(frozen=True)
class ModelSource:
    """The origin of a new version, as it is stored with the version see `mldeck.store.registry.sources`."""

    source: str
    storage_location: str
    run_id: str | None = None
    model_id: str | None = None
    """The logged model in whose tags the registration is noted."""


def logged_model_id(source: str | None) -> str | None:
    """Return the id `m-…` in a source like `models:/m-…`; None for any other source."""
    found = _LOGGED_MODEL_URI.fullmatch(source or "")
    return found.group(1) if found else None


def came_from(version: ModelVersion, model: LoggedModel) -> bool:
    """Return whether a version was registered from this model, and not from another one of the same run."""
    if model.model_id is not None and version.logged_model_id == model.model_id:
        return True
    known = {_path_in(uri) for uri in (model.uri, model.artifact_location) if uri}
    if any(uri and _path_in(uri) in known for uri in (version.source, version.storage_location)):
        return True
    # MLflow writes the run's folder in several ways, but the URI always ends with the path below that folder.
    folder = f"{model.run_id}/artifacts/{model.name}"
    return version.run_id == model.run_id and _path_in(version.source or "").endswith(folder)


def _path_in(uri: str) -> str:
    return uri.removeprefix("file://").rstrip("/")
