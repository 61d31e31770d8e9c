"""What the place Runs reads, in functions that run in a thread or a process: values in, values out, no Textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldeck.model import Column, Experiment, Kind, RunCount, RunQuery, RunRecord, View
from mldeck.store.interrupt import Interrupt

if TYPE_CHECKING:
    from mldeck.store.runs import RunFields
    from mldeck.store.store import Store

FIRST_PAGE = 60
"""Rows read before all the others: as many as a tall screen shows."""


@dataclass(frozen=True)
class Experiments:
    experiments: Sequence[Experiment]
    counts: Mapping[str, RunCount]
    """By experiment id."""

    @property
    def run_counts(self) -> dict[str, int]:
        """By experiment id. Those of a deleted experiment are deleted with it, and are counted."""
        counts = {}
        for each in self.experiments:
            count = self.count(each)
            counts[each.experiment_id] = count.active + (count.deleted if each.lifecycle_stage == "deleted" else 0)
        return counts

    def count(self, experiment: Experiment) -> RunCount:
        return self.counts.get(experiment.experiment_id, RunCount())

    def named(self, name: str) -> Experiment | None:
        return next((each for each in self.experiments if name in (each.name, each.experiment_id)), None)

    @property
    def first_choice(self) -> Experiment | None:
        """Where the newest run is: most likely what somebody works on now."""
        return max(self.experiments, key=lambda each: self.count(each).newest_start or 0, default=None)


@dataclass(frozen=True)
class RunPage:
    """An order of runs, and what is known of some of them."""

    run_ids: Sequence[str]
    records: Mapping[str, RunRecord]
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Opening:
    """What a deck shows first."""

    experiments: Experiments
    chosen: Experiment | None
    page: RunPage | None
    """The first runs of the chosen experiment."""


def read_opening(store: Store, experiment_name: str | None, interrupt: Interrupt) -> Opening:
    """The active experiments, and the first runs of the one that was asked for, or else of the most recent one."""
    experiments = read_experiments(store, View.ACTIVE, interrupt)
    chosen = (experiments.named(experiment_name) if experiment_name else None) or experiments.first_choice
    if chosen is None:
        return Opening(experiments, None, None)
    return Opening(experiments, chosen, read_first_page(store, RunQuery((chosen.experiment_id,)), (), interrupt))


def read_experiments(store: Store, view: View, interrupt: Interrupt) -> Experiments:
    return Experiments(store.experiments(view, interrupt), store.run_counts(interrupt))


def read_first_page(store: Store, query: RunQuery, columns: tuple[Column, ...], interrupt: Interrupt) -> RunPage:
    """The first rows; with the columns that differ between them if none are given."""
    ids = store.run_ids(query, FIRST_PAGE, interrupt)
    columns = columns or store.differing_columns(ids, interrupt)
    return RunPage(ids, store.run_records(ids, fields_of(columns), interrupt), columns)


def read_all_rows(
    store: Store, query: RunQuery, columns: tuple[Column, ...], top_run: str | None, interrupt: Interrupt
) -> RunPage:
    """The whole order, and the records around the run in the first visible row (None: the first of all).

    Metrics and params that are new are added behind the others.
    """
    ids = store.run_ids(query, None, interrupt)
    first_row = max(0, ids.index(top_run) - FIRST_PAGE // 2) if top_run in ids else 0
    sample = ids[first_row : first_row + FIRST_PAGE + FIRST_PAGE // 2]
    fresh = store.differing_columns(sample, interrupt)
    both = (*columns, *(column for column in fresh if column not in columns))
    metrics = (column for column in both if column.kind is Kind.METRIC)
    others = (column for column in both if column.kind is not Kind.METRIC)
    columns = (*metrics, *others)
    return RunPage(ids, store.run_records(sample, fields_of(columns), interrupt), columns)


def fields_of(columns: Sequence[Column]) -> RunFields:
    from mldeck.store.runs import RunFields

    def keys(kind: Kind) -> tuple[str, ...]:
        return tuple(column.key for column in columns if column.kind is kind)

    return RunFields(keys(Kind.METRIC), keys(Kind.PARAM), keys(Kind.TAG))
