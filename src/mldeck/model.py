"""The objects of an MLflow store (experiments, runs, metrics) as frozen values, under MLflow's own names.

Times are milliseconds since the epoch, UTC, as MLflow stores them; a missing time is None. In these databases NULL and the
empty string mean the same, because a tracking server stores one where a local client stores the other; optional text is
None in both cases. Standard library only: every other module may import this one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from array import array

NOTE_TAG = "mlflow.note.content"
PARENT_TAG = "mlflow.parentRunId"
DATASET_CONTEXT_TAG = "mlflow.data.context"
"""The input tag that says what a run used a dataset for."""
RUN_NAME_TAG = "mlflow.runName"
SYSTEM_TAG_PREFIX = "mlflow."
SYSTEM_METRIC_PREFIX = "system/"
DEFAULT_WORKSPACE = "default"
"""The workspace that contains everything when workspaces are not in use (MLflow 3.10 and later)."""


class View(str, Enum):
    """The lifecycle stages to show."""

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
    """None before MLflow 3.10, which introduced workspaces."""


def workspaces_of(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """Return the workspaces of the experiments, sorted by name; an empty tuple if there are fewer than two."""
    names = {experiment.workspace for experiment in experiments if experiment.workspace}
    return tuple(sorted(names)) if len(names) > 1 else ()


@dataclass(frozen=True)
class RunCount:
    """The number of runs of an experiment, by lifecycle stage."""

    active: int = 0
    deleted: int = 0
    newest_start: int | None = None
    """Start time of the newest active run."""

    def in_view(self, view: View) -> int:
        """Return the number of runs that the view shows."""
        return {View.ACTIVE: self.active, View.DELETED: self.deleted}.get(view, self.active + self.deleted)


@dataclass(frozen=True)
class Run:
    """The attributes of a run, from its row of the table `runs`; the name is the one that MLflow shows."""

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
        """The name to show for the run: its own, or its id if it has none."""
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


_LATE_INTERVALS, _LEAST_LATE_MS = 10, 5 * 60_000


@dataclass(frozen=True)
class Pace:
    """How often a running run logs metrics."""

    newest: int
    """When it logged the last one, in milliseconds since the epoch."""
    interval: int
    """The usual time from one to the next, in milliseconds."""
    is_measured: bool = True
    """Whether there are several. If there is only one, the interval is the time from the start until then."""

    @property
    def late_at(self) -> int:
        """When the run will have logged nothing for so long that it may have stopped: ten intervals, at least five minutes."""
        return self.newest + max(_LEAST_LATE_MS, _LATE_INTERVALS * self.interval)


@dataclass(frozen=True)
class RunRecord:
    """A run with those of its metrics, params and tags that were requested."""

    run: Run
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Latest values; NaN and ±inf are real floats here."""
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)
    """`name`, `digest` and `context` of its dataset inputs; the values of several inputs are joined to one text."""
    inputs: tuple[DatasetInput, ...] = ()
    """Its dataset inputs with all their attributes."""
    pace: Pace | None = None
    """None unless it is running and has logged metrics."""


@dataclass(frozen=True)
class Metric:
    """One point of a metric, or its latest value."""

    key: str
    value: float
    timestamp: int
    """Milliseconds since the epoch."""
    step: int


class MetricSummary(NamedTuple):
    """The latest values of a metric in a group of runs, as far as they are finite."""

    number: int
    """How many finite values there are."""
    mean: float
    """NaN or an infinity if no value is finite."""
    deviation: float | None
    """The standard deviation of a sample; None for less than two values."""
    low: float
    high: float

    def joined(self, other: MetricSummary) -> MetricSummary:
        """Return the summary of the values of both groups."""
        if not self.number or not other.number:
            if self.number or other.number:
                return self if self.number else other
            return self if self.mean == other.mean else MetricSummary(0, math.nan, None, math.nan, math.nan)
        number = self.number + other.number
        share = other.number / number
        mean = (1 - share) * self.mean + share * other.mean
        parts = ((part.deviation or 0.0, part.number) for part in (self, other))
        within = (deviation * math.sqrt((count - 1) / (number - 1)) for deviation, count in parts)
        between = (other.mean - self.mean) * math.sqrt(self.number * share / (number - 1))
        low, high = min(self.low, other.low), max(self.high, other.high)
        return MetricSummary(number, min(max(low, mean), high), math.hypot(*within, between), low, high)


class RunTimes(NamedTuple):
    start: int | None
    """In milliseconds since the epoch."""
    duration: int | None
    """In milliseconds; None if the run has not ended."""


@dataclass(frozen=True, eq=False)
class History:
    """The points of one metric of one run, in order of step, then timestamp, then value. Steps may repeat.

    The arrays are parallel and must not be changed: points logged later are in a new `History`.
    """

    run_id: str
    key: str
    steps: array[int]
    values: array[float]
    """NaN and ±inf are real floats here."""
    timestamps: array[int]
    """Milliseconds since the epoch."""
    point_count: int
    """The number of points read. The arrays are shorter if the points are too many to keep in memory."""
    was_stopped: bool = False
    """Whether the read was interrupted, so that later points are missing."""
    window: tuple[int, int] | None = None
    """The first and the last step that were requested; None for all steps."""
    mark: Sequence[Any] | None = None
    """The position from which the store continues in order to read newer points."""

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def is_thinned(self) -> bool:
        """Whether the arrays contain only the first, last, least and greatest of every few points."""
        return self.point_count > len(self)

    @property
    def is_whole(self) -> bool:
        """Whether the arrays contain every point that was logged up to the read."""
        return not (self.was_stopped or self.is_thinned or self.window)

    def is_unchanged_since(self, earlier: History) -> bool:
        """Return whether no point was logged since `earlier`, the history that this one was read as a continuation of."""
        return self.steps is earlier.steps


@dataclass(frozen=True)
class MetricKey:
    """A metric that occurs in a set of runs."""

    key: str
    run_count: int
    """The number of those runs that have it."""


@dataclass(frozen=True)
class RunDetails:
    """Everything that the inspector shows of a run, except histories."""

    run: Run
    experiment_name: str | None
    metrics: tuple[Metric, ...] = ()
    single_metrics: frozenset[str] = frozenset()
    """Keys of the metrics that were logged at one step only. Of an old database, where looking for other steps would take
    long: those whose latest step is 0."""
    params: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    datasets: tuple[DatasetInput, ...] = ()
    parent_id: str | None = None
    parent: Run | None = None
    """None if there is no parent, or if `parent_id` names a run that is not in this database."""
    children: tuple[Run, ...] = ()
    """At most as many as were requested."""
    children_count: int = 0
    """The number of all children."""
    pace: Pace | None = None
    """None unless the run is running and has logged metrics."""


class Kind(str, Enum):
    """The kind of value that a column, a sort key or a search clause refers to."""

    ATTRIBUTE = "attributes"
    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    DATASET = "datasets"
    """Name, digest or context of a run's dataset inputs. They can be shown, but not sorted by."""


@dataclass(frozen=True)
class Column:
    """One column of the run table."""

    kind: Kind
    key: str

    def __str__(self) -> str:
        return f"{self.kind.value}.{self.key}"


@dataclass(frozen=True, slots=True)
class RunFields:
    """The keys of the metrics, params and tags to read with the runs; None means all of them."""

    metrics: tuple[str, ...] | None = ()
    params: tuple[str, ...] | None = ()
    tags: tuple[str, ...] | None = ()
    datasets: bool = False
    """Whether to read `RunRecord.datasets`."""
    inputs: bool = False
    """Whether to read `RunRecord.inputs`."""
    pace: bool = False
    """Whether to read `RunRecord.pace`."""

    @classmethod
    def of(cls, columns: Iterable[Column]) -> RunFields:
        """Return the fields that these columns show."""
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
    """Whether the texts of a param or tag are sorted as numbers; MLflow sorts them as text: 1, 10, 2."""


@dataclass(frozen=True)
class RunQuery:
    """The runs to list and their order. Ties are broken as in MLflow: newest first, then by run id."""

    experiment_ids: tuple[str, ...]
    view: View = View.ACTIVE
    order: tuple[OrderKey, ...] = ()
    filter: str = ""
    """In MLflow's search language with mldeck's extensions (see `mldeck.search`)."""
