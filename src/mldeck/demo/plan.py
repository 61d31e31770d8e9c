"""The contents of the sample project as values: experiments, runs, models and their stages. All times are in ms."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mldeck.model import DatasetInput, Metric

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True)
class Dataset:
    """A dataset with its schema, both as MLflow stores them."""

    used: DatasetInput
    schema: str | None = None


@dataclass(frozen=True)
class LoggedModelPlan:
    """A model that a run logged, with a `files.scorecard` of made-up numbers."""

    name: str
    step: int
    created: int
    features: Sequence[str]
    seed: str
    """The seed of the numbers."""
    terms: int
    """The number of terms of the scorecard."""


@dataclass(frozen=True)
class RunPlan:
    """A run with everything that is logged to it."""

    name: str
    user: str
    source: str
    commit: str
    start: int
    duration: int | None
    """Milliseconds; None while the run is running."""
    status: str = "FINISHED"
    params: Mapping[str, str] = field(default_factory=dict)
    points: Sequence[Metric] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    datasets: Sequence[Dataset] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    model: LoggedModelPlan | None = None
    deleted: int | None = None
    """The time when the run was deleted."""
    children: Sequence[RunPlan] = ()


@dataclass(frozen=True)
class ExperimentPlan:
    name: str
    created: int
    runs: Sequence[RunPlan]
    note: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    deleted: int | None = None
    """The time when the experiment was deleted."""


@dataclass(frozen=True)
class VersionPlan:
    """A version of a registered model, registered from the model that the run called `run_name` logged."""

    run_name: str
    registered: int
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    stages: Sequence[tuple[str, int]] = ()
    """Pairs of a stage that it is moved to and the time. Each move archives the versions that are in that stage."""


@dataclass(frozen=True)
class RegisteredModelPlan:
    name: str
    created: int
    description: str
    versions: Sequence[VersionPlan]
    aliases: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def points(
    key: str, values: Sequence[float], *, start: int, every: float, first_step: int = 0, stride: int = 1
) -> list[Metric]:
    """Return the points of a metric: one value every `every` milliseconds, with steps `stride` apart."""
    return [
        Metric(key, value, start + round(index * every), first_step + index * stride)
        for index, value in enumerate(values)
    ]


def summary(values: Mapping[str, float], time: int, step: int = 0) -> list[Metric]:
    """Return one point for each metric, all of the same time and step."""
    return [Metric(key, value, time, step) for key, value in values.items()]


def as_params(values: Mapping[str, object]) -> dict[str, str]:
    """Return params as MLflow stores them: their values converted by `str`."""
    return {key: str(value) for key, value in values.items()}


def commits(seed: str, count: int) -> list[str]:
    """Return made-up git commit ids, oldest first."""
    rng = random.Random(seed)
    return [f"{rng.getrandbits(160):040x}" for _ in range(count)]
