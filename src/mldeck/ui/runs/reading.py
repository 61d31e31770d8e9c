"""What the place Runs reads, in functions that run in a thread or a process: values in, values out, no Textual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mldeck.model import PARENT_TAG, Column, Experiment, Kind, RunCount, RunFields, RunQuery, RunRecord, View
from mldeck.store.interrupt import Interrupt
from mldeck.ui.state.arrangement import HEADING, Arrangement, Layout, as_tree, in_groups
from mldeck.ui.state.columns import EXPERIMENT, ColumnChoice, ColumnSource, choice_from_json
from mldeck.ui.state.saved_state import SavedState

if TYPE_CHECKING:
    from mldeck.store.store import Store

FIRST_PAGE = 60
"""Rows read before all the others: as many as a tall screen shows."""

FIRST_COLUMNS = 10
"""Columns read before it is known how many are in view: as many as a wide screen shows."""


@dataclass(frozen=True)
class Experiments:
    experiments: Sequence[Experiment]
    counts: Mapping[str, RunCount] | None = None
    """By experiment id; None while they have not been counted."""

    @property
    def run_counts(self) -> dict[str, int]:
        """By experiment id. Those of a deleted experiment are deleted with it, and are counted."""
        if self.counts is None:
            return {}
        counts = {}
        for each in self.experiments:
            count = self.count(each)
            counts[each.experiment_id] = count.active + (count.deleted if each.lifecycle_stage == "deleted" else 0)
        return counts

    def count(self, experiment: Experiment) -> RunCount:
        return (self.counts or {}).get(experiment.experiment_id, RunCount())

    def with_id(self, experiment_id: str) -> Experiment | None:
        return next((each for each in self.experiments if each.experiment_id == experiment_id), None)

    def named(self, name: str) -> Experiment | None:
        return next((each for each in self.experiments if name in (each.name, each.experiment_id)), None)

    @property
    def first_choice(self) -> Experiment | None:
        """Where the newest run is: most likely what somebody works on now."""
        return max(self.experiments, key=lambda each: self.count(each).newest_start or 0, default=None)


@dataclass(frozen=True)
class RunPage:
    """An order of runs, and what is known of some of them."""

    arrangement: Arrangement
    count: int
    """How many runs there are, in whatever rows they stand."""
    records: Mapping[str, RunRecord]
    columns: tuple[Column, ...]
    read: tuple[Column, ...] = ()
    """Those of the columns whose values are in the records."""


@dataclass(frozen=True)
class Shown:
    """What the table shows before it is read again."""

    columns: tuple[Column, ...] = ()
    in_view: tuple[Column, ...] = ()
    """Those of them that are on screen, or nearly."""
    top_run: str | None = None
    """The run in the first visible row; None for the first of all."""


@dataclass(frozen=True)
class Opening:
    """What a deck shows first."""

    experiments: Experiments
    chosen: Experiment | None
    page: RunPage | None
    """The first runs of the chosen experiment."""


def read_opening(store: Store, experiment_name: str | None, interrupt: Interrupt) -> Opening:
    """The active experiments, and the first runs of the one that was asked for, or else of the most recent one.

    The runs are not counted yet: that takes a look at each of them.
    """
    experiments = Experiments(store.experiments(View.ACTIVE, interrupt))
    chosen = experiments.named(experiment_name) if experiment_name else None
    if chosen is None:
        ids = [each.experiment_id for each in experiments.experiments]
        newest = store.newest_run_experiment(ids, interrupt)
        chosen = experiments.with_id(newest) if newest else experiments.first_choice
    if chosen is None:
        return Opening(experiments, None, None)
    choice = choice_from_json(SavedState.of(store.path).experiments.get(chosen.experiment_id, {}).get("columns"))
    query = RunQuery((chosen.experiment_id,))
    return Opening(experiments, chosen, read_first_page(store, query, choice, (), interrupt))


def read_experiments(store: Store, view: View, interrupt: Interrupt) -> Experiments:
    return Experiments(store.experiments(view, interrupt), store.run_counts(interrupt))


def read_first_page(
    store: Store, query: RunQuery, choice: ColumnChoice, columns: tuple[Column, ...], interrupt: Interrupt
) -> RunPage:
    """The first rows; with the columns of the choice, if none are given."""
    ids = store.run_ids(query, FIRST_PAGE, interrupt)
    columns = columns or _columns_now(store, query, choice, ids, (), interrupt)
    read = columns[:FIRST_COLUMNS]
    records = store.run_records(ids, RunFields.of(read), interrupt)
    return RunPage(Arrangement(ids), len(ids), records, columns, read)


def read_all_rows(
    store: Store,
    query: RunQuery,
    layout: Layout,
    choice: ColumnChoice,
    shown: Shown,
    interrupt: Interrupt,
) -> RunPage:
    """The whole order, and the records around the run in the first visible row, as far as their columns are in view.

    Metrics and params that are new are added behind the others, unless the columns were chosen by hand.
    """
    top_run = shown.top_run
    ids = store.run_ids(query, None, interrupt)
    if layout.only is not None:
        ids = [run_id for run_id in ids if run_id in layout.only]
    arrangement = _arranged(store, query, layout, ids, interrupt)
    rows = arrangement.run_ids
    first_row = max(0, rows.index(top_run) - FIRST_PAGE // 2) if top_run in rows else 0
    in_view = [run_id for run_id in rows[first_row : first_row + FIRST_PAGE + FIRST_PAGE // 2] if run_id != HEADING]
    sample = in_view or ids[:FIRST_PAGE]
    columns = _columns_now(store, query, choice, sample, shown.columns, interrupt)
    read = _to_be_read(columns, shown)
    return RunPage(arrangement, len(ids), store.run_records(sample, RunFields.of(read), interrupt), columns, read)


def _columns_now(
    store: Store,
    query: RunQuery,
    choice: ColumnChoice,
    sample: Sequence[str],
    kept: tuple[Column, ...],
    interrupt: Interrupt,
) -> tuple[Column, ...]:
    if choice.source is ColumnSource.CHOSEN:
        return choice.arranged(())
    if choice.source is ColumnSource.PRESENT:
        columns = choice.arranged(store.present_columns(query, interrupt))
    else:
        columns = choice.arranged(store.differing_columns(sample, interrupt), kept)
    several = len(query.experiment_ids) > 1
    return (EXPERIMENT, *columns) if several and EXPERIMENT not in columns else columns


def _to_be_read(columns: tuple[Column, ...], shown: Shown) -> tuple[Column, ...]:
    """What is in view, and what is new and may come into view."""
    in_view, before = frozenset(shown.in_view), frozenset(shown.columns)
    fresh = frozenset([column for column in columns if column not in before][:FIRST_COLUMNS])
    return tuple(column for column in columns if column in in_view or column in fresh) or columns[:FIRST_COLUMNS]


def _arranged(store: Store, query: RunQuery, layout: Layout, ids: Sequence[str], interrupt: Interrupt) -> Arrangement:
    if layout.group_by is not None:
        values = store.text_values(query, layout.group_by, interrupt)
        metric = store.metric_values(query, layout.metric, interrupt) if layout.metric else {}
        return in_groups(ids, values, metric, layout.opened)
    if layout.is_tree:
        return as_tree(ids, store.text_values(query, Column(Kind.TAG, PARENT_TAG), interrupt), layout.folded)
    return Arrangement(ids)
