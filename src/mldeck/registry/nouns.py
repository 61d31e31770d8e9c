"""The nouns of the model registry, and the models that runs logged, as frozen values.

As in `mldeck.model`: MLflow's words, times in milliseconds since the epoch, and None for optional text that is NULL or
empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from mldeck.model import Metric

NO_STAGE = "None"
"""The text that is stored for a version that is in no stage."""
STAGING = "Staging"
PRODUCTION = "Production"
ARCHIVED = "Archived"
STAGES = (NO_STAGE, STAGING, PRODUCTION, ARCHIVED)
"""In the order of a version's life."""
ACTIVE_STAGES = (STAGING, PRODUCTION)
"""Those that versions are used from: only moving into one of them can archive what is there."""
DELETED_STAGE = "Deleted_Internal"
"""Where MLflow leaves the row of a deleted version, so that its number is never given again."""

_LOGGED_MODEL_URI = re.compile(r"models:/+(m-[^/]+)")


@dataclass(frozen=True)
class ModelVersion:
    name: str
    """Of its registered model."""
    version: int
    stage: str
    status: str = "READY"
    creation_time: int | None = None
    last_updated_time: int | None = None
    description: str | None = None
    source: str | None = None
    """As it was registered: a path or URI of any kind, also `runs:/…` and `models:/…`."""
    storage_location: str | None = None
    """Where the files are, if the database says so (MLflow 2.8 and later)."""
    run_id: str | None = None
    run_link: str | None = None
    user_id: str | None = None
    status_message: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    @property
    def location(self) -> str | None:
        """What to open: the storage location where there is one, else the source."""
        return self.storage_location or self.source

    @property
    def logged_model_id(self) -> str | None:
        """The logged model that it was registered from, if it was one (MLflow 3.0 and later)."""
        return logged_model_id(self.source)


@dataclass(frozen=True)
class RegisteredModel:
    name: str
    creation_time: int | None = None
    last_updated_time: int | None = None
    """Of an orphan, when the newest of its versions changed."""
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    """The version that each alias stands for."""
    dangling_aliases: Mapping[str, int] = field(default_factory=dict)
    """Aliases of versions that were deleted: MLflow before 3.17 left them behind."""
    latest: Mapping[str, int] = field(default_factory=dict)
    """The greatest version number in each stage that has versions."""
    version_count: int = 0
    """Deleted versions are not counted."""
    is_orphan: bool = False
    """There are versions of this name but no registered model: a rename by MLflow 1.8 or earlier left them behind."""


class ModelOrder(str, Enum):
    """What registered models are sorted by; ties by name, as in MLflow."""

    NAME = "name"
    LAST_UPDATED = "last_updated_timestamp"


@dataclass(frozen=True)
class ModelQuery:
    """Which registered models, in what order."""

    filter: str = ""
    """In MLflow's search language for registered models (`name`, `tags.…`) and mldeck's extensions of it."""
    order: ModelOrder = ModelOrder.NAME
    descending: bool = False


ALL_MODELS = ModelQuery()


@dataclass(frozen=True)
class LoggedModel:
    """A model that a run logged: a folder of the run (1.x and 2.x), or an entity of its own (3.0 and later)."""

    name: str
    """The path below the run's artifacts, in 1.x and 2.x."""
    run_id: str | None
    """None when the model came from no run (3.0 and later)."""
    model_id: str | None = None
    """`m-…`; None in 1.x and 2.x, where a model has no id of its own."""
    artifact_location: str | None = None
    """Where its MLmodel file is; None when the run does not say where its artifacts are."""
    status: str = "READY"
    """READY, PENDING, FAILED or UNSPECIFIED. Models that are not READY may have no files."""
    status_message: str | None = None
    experiment_id: str | None = None
    creation_time: int | None = None
    step: int | None = None
    """Of the run, when it logged the model; None in 1.x and 2.x."""
    model_type: str | None = None
    flavors: tuple[str, ...] = ()
    """Empty where only the MLmodel file knows them (3.0 and later)."""
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    """By key and step. A NaN cannot be told from 0 here: MLflow stores both alike."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """What MLflow calls it: `models:/m-…`, or `runs:/ID/PATH`."""
        return f"models:/{self.model_id}" if self.model_id else f"runs:/{self.run_id}/{self.name}"


@dataclass(frozen=True)
class ModelSource:
    """What is stored of where a version came from (see `mldeck.store.registry.sources`)."""

    source: str
    storage_location: str
    run_id: str | None = None
    model_id: str | None = None
    """The logged model that takes a note of being registered."""


def logged_model_id(source: str | None) -> str | None:
    """`m-…` of a source like `models:/m-…`."""
    found = _LOGGED_MODEL_URI.fullmatch(source or "")
    return found.group(1) if found else None
