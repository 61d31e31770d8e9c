"""The marked runs side by side, as values: what they have, what differs, what is best, how far each is from a baseline.

No screen is needed here; the views of the place Compare show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from itertools import takewhile
from typing import TYPE_CHECKING

from mldeck.format import Value, float_text, numbers_of, time_text
from mldeck.model import SYSTEM_METRIC_PREFIX, SYSTEM_TAG_PREFIX, Column, Kind, RunFields, RunRecord, View
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.state.columns import AGE, DATASETS, DURATION, EXPERIMENT

if TYPE_CHECKING:
    from mldeck.store.interrupt import Interrupt
    from mldeck.store.store import Store

STATUS = Column(Kind.ATTRIBUTE, "status")
USER = Column(Kind.ATTRIBUTE, "user_id")
_CONTEXT = 2
"""Characters before the place where names part, when their beginning is left out."""
_SOURCE = (Column(Kind.TAG, "mlflow.source.name"), Column(Kind.TAG, "mlflow.source.git.commit"))


class Group(str, Enum):
    """What the columns are grouped by, in this order."""

    ATTRIBUTES = "Attributes"
    METRICS = "Metrics"
    PARAMS = "Params"
    TAGS = "Tags"
    SYSTEM_METRICS = "System metrics"
    SYSTEM_TAGS = "MLflow's own tags"


@dataclass(frozen=True)
class CompareData:
    """Everything that is known of the marked runs but for histories."""

    records: tuple[RunRecord, ...] = ()
    """In the order in which the runs were marked."""
    colours: Mapping[str, int] = field(default_factory=dict)
    """By run id: the number of the run's colour."""
    experiment_names: Mapping[str, str] = field(default_factory=dict)
    """By experiment id."""
    primary: Mapping[str, bool] = field(default_factory=dict)
    """The metrics that MLflow was told are the important ones, and whether greater is better."""
    gone: int = 0
    """Marked runs that are not in the database any more."""

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def run_ids(self) -> tuple[str, ...]:
        return tuple(record.run.run_id for record in self.records)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """By run id: the place in the order of marking, from 1."""
        return {run_id: number for number, run_id in enumerate(self.run_ids, 1)}

    @cached_property
    def by_id(self) -> dict[str, RunRecord]:
        return {record.run.run_id: record for record in self.records}

    def label(self, run_id: str) -> str:
        """The name of a run with its number: names need not be different. Somebody else's text."""
        return f"{self.numbers[run_id]} {self.by_id[run_id].run.label}"

    @cached_property
    def experiment_ids(self) -> tuple[str, ...]:
        """The experiments that the runs are of."""
        return tuple(sorted({record.run.experiment_id for record in self.records}))

    @property
    def scope_id(self) -> str:
        """Tells apart what choices are remembered for; of a single experiment, its id."""
        return "+".join(self.experiment_ids)

    # -- columns

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """All that at least one of the runs has, group by group, each by name."""
        columns: dict[Column, None] = dict.fromkeys((STATUS, AGE, DURATION, USER, EXPERIMENT, *_SOURCE, *DATASETS))
        for kind, of in _VALUES.items():
            keys = {key for record in self.records for key in of(record)}
            columns |= dict.fromkeys(Column(kind, key) for key in sorted(keys))
        logged = (column for column in columns if any(value is not None for value in self.values(column)))
        order = list(Group)
        return tuple(sorted(logged, key=lambda column: order.index(group_of(column))))

    @cached_property
    def axes(self) -> tuple[Column, ...]:
        """What charts can have on their axes: metrics and params, the duration, and the system's metrics last."""
        charted = (Group.METRICS, Group.PARAMS, Group.SYSTEM_METRICS)
        found = [column for column in self.columns if group_of(column) in charted]
        own = [column for column in found if group_of(column) is not Group.SYSTEM_METRICS]
        duration = [DURATION] if DURATION in self.columns else []
        return (*own, *duration, *(column for column in found if column not in own))

    @cached_property
    def numeric_axes(self) -> tuple[Column, ...]:
        """Those of them whose values are all numbers, as far as they are there."""
        return tuple(column for column in self.axes if self.is_numeric(column))

    @cached_property
    def differing(self) -> frozenset[Column]:
        """What is not the same in all of the runs; not logged is not the same as logged."""
        return frozenset(column for column in self.columns if differs(self.values(column)))

    def values(self, column: Column) -> tuple[Value, ...]:
        """One for each run, in the order of marking. A duration is in seconds."""
        known = self._values.get(column)
        if known is None:
            of = _reader(column, self.experiment_names)
            known = self._values[column] = tuple(of(record) for record in self.records)
        return known

    def is_numeric(self, column: Column) -> bool:
        """Whether there are numbers, and nothing else but words for that there is none."""
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
    """The marked runs as they are in the database now. In a thread: the database library is imported here."""
    fields = RunFields(metrics=None, params=None, tags=None, datasets=True)
    found = store.run_records(list(colours), fields, interrupt)
    records = tuple(found[run_id] for run_id in colours if run_id in found)
    names = {each.experiment_id: each.name for each in store.experiments(View.ALL, interrupt)}
    experiments = sorted({record.run.experiment_id for record in records})
    primary = (store.primary_metric(each, interrupt) for each in experiments)
    data = CompareData(
        records, dict(colours), names, dict(each for each in primary if each), len(colours) - len(records)
    )
    _ = data.differing  # here, since it takes a while where runs have thousands of metrics
    return data


_VALUES: Mapping[Kind, Callable[[RunRecord], Mapping[str, Value]]] = {
    Kind.METRIC: lambda record: record.metrics,
    Kind.PARAM: lambda record: record.params,
    Kind.TAG: lambda record: record.tags,
    Kind.DATASET: lambda record: record.datasets,
}


def _reader(column: Column, experiment_names: Mapping[str, str]) -> Callable[[RunRecord], Value]:
    """What takes the value of a column from a run."""
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
    if column.kind is Kind.METRIC:
        return Group.SYSTEM_METRICS if column.key.startswith(SYSTEM_METRIC_PREFIX) else Group.METRICS
    if column.kind is Kind.PARAM:
        return Group.PARAMS
    if column.kind is Kind.TAG and column not in _SOURCE:
        return Group.SYSTEM_TAGS if column.key.startswith(SYSTEM_TAG_PREFIX) else Group.TAGS
    return Group.ATTRIBUTES


def axis_name(column: Column) -> str:
    """What stands at an axis; somebody else's text."""
    return "duration (s)" if column == DURATION else column.key


def column_to_memory(column: Column) -> str:
    return str(column)


def column_from_memory(written: object) -> Column | None:
    """What `column_to_memory` wrote; None for anything else."""
    if not isinstance(written, str):
        return None
    kind, _, key = written.partition(".")
    return Column(Kind(kind), key) if key and kind in {each.value for each in Kind} else None


# -- values

_NAN = object()
"""For all NaN, which are not equal to themselves."""


def differs(values: Sequence[Value]) -> bool:
    """Whether they are not all the same. NaN is the same as NaN."""
    return len({_NAN if value != value else value for value in values}) > 1


def best_of(values: Iterable[Value], *, greater: bool) -> float | None:
    """The largest or smallest number; NaN and the infinities are nobody's best."""
    finite = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    if not finite:
        return None
    return max(finite) if greater else min(finite)


@dataclass(frozen=True)
class Delta:
    """How far a value is from that of the baseline."""

    difference: float
    percent: float | None
    """None where the baseline is 0, or the percentage is too large for a float."""

    @classmethod
    def between(cls, baseline: float | None, value: float | None) -> Delta | None:
        """None unless both are finite numbers, and their difference is one."""
        if baseline is None or value is None:
            return None
        difference = value - baseline
        if not math.isfinite(difference):
            return None
        percent = difference / abs(baseline) * 100 if baseline else math.inf
        return cls(difference, percent if math.isfinite(percent) else None)

    @property
    def text(self) -> str:
        percent = "" if self.percent is None else f"  {_signed(self.percent, 3)}%"
        return f"{_signed(self.difference, 4)}{percent}"


def _signed(value: float, digits: int) -> str:
    return f"{'+' if value > 0 else ''}{float_text(value, digits)}"


def short_names(names: Sequence[str], width: int) -> list[str]:
    """The names in at most `width` cells each. Those that would look alike when cut lose their beginning instead."""
    cut = [cell_text(name, width) for name in names]
    alike: dict[str, set[str]] = {}
    for name, short in zip(names, cut, strict=True):
        alike.setdefault(short, set()).add(name)
    return [
        short if len(alike[short]) == 1 else _distinct_part(name, alike[short], width)
        for name, short in zip(names, cut, strict=True)
    ]


def _distinct_part(name: str, others: Iterable[str], width: int) -> str:
    """From a little before where the names part."""
    shared = sum(1 for _ in takewhile(lambda characters: len(set(characters)) == 1, zip(*others, strict=False)))
    return cell_text(f"…{name[max(1, shared - _CONTEXT) :]}", width)
