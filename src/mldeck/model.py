"""The nouns of an MLflow store, as frozen values.

Words are MLflow's. Times are milliseconds since the epoch, UTC, as MLflow stores them; a missing time is None.
NULL and the empty string mean the same in these databases (it depends on whether a server was in between), so optional
text is None in both cases. Standard library only: every other room may import this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from array import array

NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
DATASET_CONTEXT_TAG = "mlflow.data.context"
"""An input tag: what a run used a dataset for."""
RUN_NAME_TAG = "mlflow.runName"
SYSTEM_TAG_PREFIX = "mlflow."
SYSTEM_METRIC_PREFIX = "system/"
DEFAULT_WORKSPACE = "default"
"""Where an MLflow that does not use workspaces keeps everything (3.10 and later)."""


class View(str, Enum):
    """Which lifecycle stages are shown."""

    ACTIVE = "active"
    DELETED = "deleted"
    ALL = "all"


@dataclass(frozen=True)
class Experiment:
    experiment_id: str
    name: str
    lifecycle_stage: str
    artifact_location: str | None = None
    creation_time: int | None = None
    last_update_time: int | None = None
    note: str | None = None
    """Markdown, from the experiment tag `mlflow.note.content`."""
    workspace: str | None = None
    """None before MLflow 3.10, which has them."""


def workspaces_of(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """Those that the experiments are in, by name; none where there is nothing to tell apart."""
    names = {each.workspace for each in experiments if each.workspace}
    return tuple(sorted(names)) if len(names) > 1 else ()


@dataclass(frozen=True)
class RunCount:
    """How many runs an experiment has."""

    active: int = 0
    deleted: int = 0
    newest_start: int | None = None
    """Start time of the newest active run."""

    def in_view(self, view: View) -> int:
        return {View.ACTIVE: self.active, View.DELETED: self.deleted}.get(view, self.active + self.deleted)


@dataclass(frozen=True)
class Run:
    """The attributes of one run: the row of `runs`, with its name as MLflow shows it."""

    run_id: str
    run_name: str | None
    """`runs.name` if not empty, else the tag `mlflow.runName`, else None."""
    experiment_id: str
    status: str
    """RUNNING, SCHEDULED, FINISHED, FAILED or KILLED."""
    lifecycle_stage: str
    """active or deleted."""
    start_time: int | None = None
    end_time: int | None = None
    deleted_time: int | None = None
    user_id: str | None = None
    artifact_uri: str | None = None

    @property
    def label(self) -> str:
        """What to call the run on screen: its name, or its id when it has none."""
        return self.run_name or self.run_id

    @property
    def duration(self) -> int | None:
        """Milliseconds from start to end; None while the run has not ended."""
        if self.start_time is None or self.end_time is None:
            return None
        return self.end_time - self.start_time


@dataclass(frozen=True)
class DatasetInput:
    """A dataset that a run used (MLflow 2.4 and later)."""

    name: str
    digest: str
    source_type: str
    source: str
    """JSON, as MLflow stored it."""
    context: str | None = None
    """`training`, `eval` …, from the input tag `mlflow.data.context`."""
    schema: str | None = None
    """JSON, as MLflow stored it."""
    profile: str | None = None
    """JSON, as MLflow stored it."""


@dataclass(frozen=True)
class RunRecord:
    """A run with those of its metrics, params and tags that were asked for."""

    run: Run
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Latest values; NaN and ±inf are real floats here."""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)
    """`name`, `digest` and `context` of its dataset inputs, several of them in one text."""
    inputs: tuple[DatasetInput, ...] = ()
    """The same with all there is of them."""


@dataclass(frozen=True)
class Metric:
    """One point of a metric, or its latest value."""

    key: str
    value: float
    timestamp: int
    """Milliseconds since the epoch."""
    step: int


@dataclass(frozen=True, eq=False)
class History:
    """The points of one metric of one run, in order of step, then timestamp, then value. Steps may repeat.

    The arrays are parallel, and nobody changes them: what was logged later is in another history.
    """

    run_id: str
    key: str
    steps: array[int]
    values: array[float]
    """NaN and ±inf are real floats here."""
    timestamps: array[int]
    """Milliseconds since the epoch."""
    point_count: int
    """How many points were read; more than there are here if they are too many to hold."""
    was_stopped: bool = False
    """Whether the reading was interrupted: these are the points up to there."""
    window: tuple[int, int] | None = None
    """The first and the last step that were asked for; None when all were."""
    mark: Sequence[Any] | None = None
    """What the store goes on from to read what is newer."""

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def is_thinned(self) -> bool:
        """Whether only the first, last, least and greatest of every few points are here."""
        return self.point_count > len(self)

    @property
    def is_whole(self) -> bool:
        """Whether this is every point that had been logged."""
        return not (self.was_stopped or self.is_thinned or self.window)

    def is_unchanged_since(self, earlier: History) -> bool:
        """Whether nothing was logged between the two, of which the later one was read as what is newer."""
        return self.steps is earlier.steps


@dataclass(frozen=True)
class MetricKey:
    """A metric of some runs."""

    key: str
    run_count: int
    """How many of the runs have it."""


@dataclass(frozen=True)
class RunDetails:
    """Everything the inspector shows of one run, but for histories."""

    run: Run
    experiment_name: str | None
    metrics: tuple[Metric, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    datasets: tuple[DatasetInput, ...] = ()
    parent_id: str | None = None
    parent: Run | None = None
    """None although `parent_id` is set: the parent is not in this database."""
    children: tuple[Run, ...] = ()
    """At most the number asked for."""
    children_count: int = 0


class Kind(str, Enum):
    """The entities that a column, a sort key or a search clause can be about."""

    ATTRIBUTE = "attributes"
    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    DATASET = "datasets"
    """Of the inputs of a run: name, digest or context. Only shown: runs are not sorted by them."""


@dataclass(frozen=True)
class Column:
    """One column of the run table."""

    kind: Kind
    key: str

    def __str__(self) -> str:
        return f"{self.kind.value}.{self.key}"


@dataclass(frozen=True, slots=True)
class RunFields:
    """Which metrics, params and tags to read with the runs; None stands for all there are."""

    metrics: tuple[str, ...] | None = ()
    params: tuple[str, ...] | None = ()
    tags: tuple[str, ...] | None = ()
    datasets: bool = False
    inputs: bool = False

    @classmethod
    def of(cls, columns: Iterable[Column]) -> RunFields:
        """What these columns show."""
        keys: dict[Kind, list[str]] = {}
        for column in columns:
            keys.setdefault(column.kind, []).append(column.key)
        metrics, params, tags = (tuple(keys.get(kind, ())) for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG))
        return cls(metrics, params, tags, datasets=Kind.DATASET in keys)


ALL_FIELDS = RunFields(metrics=None, params=None, tags=None)


@dataclass(frozen=True)
class OrderKey:
    """One item of an ORDER BY. Runs without a value come last in both directions."""

    column: Column
    descending: bool = False
    as_number: bool = False
    """Whether a param or tag is sorted as the number that it is; MLflow sorts it as text: 1, 10, 2."""


@dataclass(frozen=True)
class RunQuery:
    """Which runs, in what order. Ties are broken as MLflow breaks them: newest first, then by run id."""

    experiment_ids: tuple[str, ...]
    view: View = View.ACTIVE
    order: tuple[OrderKey, ...] = ()
    filter: str = ""
    """In MLflow's search language and mldeck's extensions of it (room `search`)."""
