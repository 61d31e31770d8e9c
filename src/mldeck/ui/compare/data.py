"""The values of the marked runs: what they have, what differs, which value is best, how far each is from a baseline.

No screen. The views of the place Compare show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from mldeck.format import Value, numbers_of, time_text
from mldeck.model import SYSTEM_METRIC_PREFIX, SYSTEM_TAG_PREFIX, Column, Kind, RunFields, RunRecord, View
from mldeck.ui.state.columns import AGE, DATASETS, DURATION, EXPERIMENT

if TYPE_CHECKING:
    from mldeck.store.interrupt import Interrupt
    from mldeck.store.store import Store

STATUS = Column(Kind.ATTRIBUTE, "status")
USER = Column(Kind.ATTRIBUTE, "user_id")
_SOURCE = (Column(Kind.TAG, "mlflow.source.name"), Column(Kind.TAG, "mlflow.source.git.commit"))


class Group(str, Enum):
    """The groups of columns, in the order in which they are shown."""

    ATTRIBUTES = "Attributes"
    METRICS = "Metrics"
    PARAMS = "Params"
    TAGS = "Tags"
    SYSTEM_METRICS = "System metrics"
    SYSTEM_TAGS = "MLflow's own tags"


@dataclass(frozen=True)
class CompareData:
    """Everything known about the marked runs except their histories."""

    records: tuple[RunRecord, ...] = ()
    """In the order in which the runs were marked."""
    colours: Mapping[str, int] = field(default_factory=dict)
    """The colour number of each run, by run id."""
    experiment_names: Mapping[str, str] = field(default_factory=dict)
    """The name of each experiment, by id."""
    primary: Mapping[str, bool] = field(default_factory=dict)
    """The primary metrics of the experiments, with whether greater is better."""
    gone: int = 0
    """The number of marked runs that are no longer in the database."""

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def run_ids(self) -> tuple[str, ...]:
        return tuple(record.run.run_id for record in self.records)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each run in the order of marking, from 1, by run id."""
        return {run_id: number for number, run_id in enumerate(self.run_ids, 1)}

    @cached_property
    def by_id(self) -> dict[str, RunRecord]:
        return {record.run.run_id: record for record in self.records}

    def label(self, run_id: str) -> str:
        """Return the number and name of a run; names alone may be equal. Foreign text."""
        return f"{self.numbers[run_id]} {self.by_id[run_id].run.label}"

    @cached_property
    def experiment_ids(self) -> tuple[str, ...]:
        """The ids of the experiments of the runs, sorted."""
        return tuple(sorted({record.run.experiment_id for record in self.records}))

    @property
    def scope_id(self) -> str:
        """The key under which choices are remembered: the ids of the experiments; of a single one, its id."""
        return "+".join(self.experiment_ids)

    # -- columns

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns that at least one run has, group by group, then by name."""
        columns: dict[Column, None] = dict.fromkeys((STATUS, AGE, DURATION, USER, EXPERIMENT, *_SOURCE, *DATASETS))
        for kind, of in _VALUES.items():
            keys = {key for record in self.records for key in of(record)}
            columns |= dict.fromkeys(Column(kind, key) for key in sorted(keys))
        logged = (column for column in columns if any(value is not None for value in self.values(column)))
        order = list(Group)
        return tuple(sorted(logged, key=lambda column: order.index(group_of(column))))

    @cached_property
    def axes(self) -> tuple[Column, ...]:
        """The columns for the axes of charts: metrics and params, the duration, and system metrics last."""
        charted = (Group.METRICS, Group.PARAMS, Group.SYSTEM_METRICS)
        found = [column for column in self.columns if group_of(column) in charted]
        own = [column for column in found if group_of(column) is not Group.SYSTEM_METRICS]
        duration = [DURATION] if DURATION in self.columns else []
        return (*own, *duration, *(column for column in found if column not in own))

    @cached_property
    def numeric_axes(self) -> tuple[Column, ...]:
        """The axes whose values are all numbers; missing values do not matter."""
        return tuple(column for column in self.axes if self.is_numeric(column))

    @cached_property
    def differing(self) -> frozenset[Column]:
        """The columns that are not the same in all runs. A missing value differs from any value."""
        return frozenset(column for column in self.columns if differs(self.values(column)))

    def differing_first(self, columns: Iterable[Column]) -> list[Column]:
        """Return those that differ: first those with different values, then those that some runs have and others lack."""
        differing = [column for column in columns if column in self.differing]
        return sorted(differing, key=self._lacking.__contains__)

    @cached_property
    def _lacking(self) -> frozenset[Column]:
        """The columns that differ only because some runs lack them."""
        return frozenset(column for column in self.differing if not self.is_varied(column))

    def is_varied(self, column: Column) -> bool:
        """Return whether the runs have different values. Missing values do not count as different."""
        return differs([value for value in self.values(column) if value is not None])

    def values(self, column: Column) -> tuple[Value, ...]:
        """Return the value of each run, in the order of marking. Durations are in seconds."""
        known = self._values.get(column)
        if known is None:
            of = _reader(column, self.experiment_names)
            known = self._values[column] = tuple(of(record) for record in self.records)
        return known

    def is_numeric(self, column: Column) -> bool:
        """Return whether the column has numbers, and no other texts than words for a missing number."""
        if column.kind is Kind.METRIC:
            return True
        if column not in self._numeric:
            values = [value for value in self.values(column) if value is not None]
            self._numeric[column] = bool(values) and column != AGE and numbers_of(values) is not None
        return self._numeric[column]

    @cached_property
    def _values(self) -> dict[Column, tuple[Value, ...]]:
        return {}

    @cached_property
    def _numeric(self) -> dict[Column, bool]:
        return {}


def read_runs(store: Store, colours: Mapping[str, int], interrupt: Interrupt | None = None) -> CompareData:
    """Read the marked runs. Call it in a thread, because it imports the database library."""
    fields = RunFields(metrics=None, params=None, tags=None, datasets=True)
    found = store.run_records(list(colours), fields, interrupt)
    records = tuple(found[run_id] for run_id in colours if run_id in found)
    names = {experiment.experiment_id: experiment.name for experiment in store.experiments(View.ALL, interrupt)}
    experiments = sorted({record.run.experiment_id for record in records})
    primary = (store.primary_metric(experiment_id, interrupt) for experiment_id in experiments)
    data = CompareData(
        records, dict(colours), names, dict(metric for metric in primary if metric), len(colours) - len(records)
    )
    _ = data._lacking  # computed here, because it takes a while for thousands of metrics
    return data


_VALUES: Mapping[Kind, Callable[[RunRecord], Mapping[str, Value]]] = {
    Kind.METRIC: lambda record: record.metrics,
    Kind.PARAM: lambda record: record.params,
    Kind.TAG: lambda record: record.tags,
    Kind.DATASET: lambda record: record.datasets,
}


def _reader(column: Column, experiment_names: Mapping[str, str]) -> Callable[[RunRecord], Value]:
    """Return a function that returns the value of a column of a run."""
    if column.kind is not Kind.ATTRIBUTE:
        of, key = _VALUES[column.kind], column.key
        return lambda record: of(record).get(key)
    return {
        STATUS: lambda record: record.run.status or None,
        AGE: lambda record: None if record.run.start_time is None else time_text(record.run.start_time),
        DURATION: lambda record: None if record.run.duration is None else record.run.duration / 1000,
        USER: lambda record: record.run.user_id,
        EXPERIMENT: lambda record: experiment_names.get(record.run.experiment_id, record.run.experiment_id),
    }[column]


def group_of(column: Column) -> Group:
    """Return the group that a column is shown in."""
    if column.kind is Kind.METRIC:
        return Group.SYSTEM_METRICS if column.key.startswith(SYSTEM_METRIC_PREFIX) else Group.METRICS
    if column.kind is Kind.PARAM:
        return Group.PARAMS
    if column.kind is Kind.TAG and column not in _SOURCE:
        return Group.SYSTEM_TAGS if column.key.startswith(SYSTEM_TAG_PREFIX) else Group.TAGS
    return Group.ATTRIBUTES


def axis_name(column: Column) -> str:
    """Return the name shown at an axis. Foreign text."""
    return "duration (s)" if column == DURATION else column.key


def column_to_json(column: Column) -> str:
    return str(column)


def column_from_json(written: object) -> Column | None:
    """Return the column that `column_to_json` wrote; None for anything else."""
    if not isinstance(written, str):
        return None
    kind, _, key = written.partition(".")
    return Column(Kind(kind), key) if key and kind in {known.value for known in Kind} else None


# -- values

_NAN = object()
"""Stands for every NaN, because NaN is not equal to itself."""


def differs(values: Sequence[Value]) -> bool:
    """Return whether the values are not all the same. NaN counts as equal to NaN."""
    return len({_NAN if value != value else value for value in values}) > 1


def best_of(values: Iterable[Value], *, greater: bool) -> float | None:
    """Return the largest or smallest finite number; None if there is none."""
    finite = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    if not finite:
        return None
    return max(finite) if greater else min(finite)


@dataclass(frozen=True)
class Delta:
    """The difference of a value from that of the baseline."""

    difference: float
    percent: float | None
    """None if the baseline is 0 or the percentage is too large for a float."""

    @classmethod
    def between(cls, baseline: float | None, value: float | None) -> Delta | None:
        """Return the difference; None unless it is a finite number."""
        if baseline is None or value is None:
            return None
        difference = value - baseline
        if not math.isfinite(difference):
            return None
        percent = difference / abs(baseline) * 100 if baseline else math.inf
        return cls(difference, percent if math.isfinite(percent) else None)
