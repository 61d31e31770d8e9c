"""The reads of the place Runs: functions from values to values, for a thread or a second process. No Textual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mldeck.model import (
    PARENT_TAG,
    Column,
    Experiment,
    Kind,
    MetricSummary,
    OrderKey,
    RunCount,
    RunFields,
    RunQuery,
    RunRecord,
    View,
)
from mldeck.store.interrupt import Interrupt
from mldeck.ui.state.arrangement import (
    HEADING,
    Arrangement,
    GroupSummaries,
    Layout,
    as_tree,
    in_groups,
    shows_first_run,
)
from mldeck.ui.state.columns import DEFAULT_ATTRIBUTES, EXPERIMENT, TEXTS, ColumnChoice, ColumnSource, choice_from_json
from mldeck.ui.state.restored import (
    ListChoice,
    expected_experiment,
    kept_choice,
    left_experiment,
    left_marks,
    left_plain,
    left_shown,
    left_tree,
)
from mldeck.ui.state.saved_state import SavedState

if TYPE_CHECKING:
    from mldeck.store.runs.opening import ExpectedOpening
    from mldeck.store.store import Store

FIRST_PAGE = 60
"""Rows that are read before all others: as many as a tall screen shows."""

FIRST_COLUMNS = 10
"""Columns that are read before it is known how many are in view: as many as a wide screen shows."""

_SUMMARIZED_AT_ONCE = 20_000
"""With more runs, the rows of groups are shown before their means, which take a second."""


@dataclass(frozen=True)
class Experiments:
    """The listed experiments, with the numbers of their runs."""

    experiments: Sequence[Experiment]
    counts: Mapping[str, RunCount] | None = None
    """By experiment id; None until the runs have been counted."""

    @property
    def run_counts(self) -> dict[str, int]:
        """By experiment id: the active runs; of a deleted experiment also the deleted ones, which were deleted with it."""
        if self.counts is None:
            return {}
        counts = {}
        for experiment in self.experiments:
            count, is_deleted = self.count(experiment), experiment.lifecycle_stage == "deleted"
            counts[experiment.experiment_id] = count.active + (count.deleted if is_deleted else 0)
        return counts

    def count(self, experiment: Experiment) -> RunCount:
        return (self.counts or {}).get(experiment.experiment_id, RunCount())

    def with_id(self, experiment_id: str) -> Experiment | None:
        return next((found for found in self.experiments if found.experiment_id == experiment_id), None)

    def named(self, name: str) -> Experiment | None:
        """Return the experiment with this name, or else with this id."""
        return next((found for found in self.experiments if found.name == name), None) or self.with_id(name)

    def left_last(self, saved: SavedState) -> Experiment | None:
        """The experiment that the last session left; None if it is not listed (any more)."""
        return left_experiment(saved.last, self.experiments)

    @property
    def first_choice(self) -> Experiment | None:
        """The experiment with the newest run, which is most likely the one being worked on."""
        return max(self.experiments, key=lambda found: self.count(found).newest_start or 0, default=None)


PrimaryMetric = tuple[str, bool]
"""MLflow's primary metric of an experiment, and whether greater is better."""


@dataclass(frozen=True)
class RunPage:
    """The rows of the run table, and the values of some of the runs."""

    arrangement: Arrangement
    count: int
    """The number of runs, also of those in no row because their group or parent is folded."""
    records: Mapping[str, RunRecord]
    """By run id."""
    columns: tuple[Column, ...]
    """The columns of the table after the name."""
    read: tuple[Column, ...] = ()
    """The columns whose values are in the records."""
    summaries: GroupSummaries = field(default_factory=dict)
    """Of the metrics that have been summarized, if the runs are in groups."""
    primary: PrimaryMetric | None = None
    """That of the experiment, or of the first one of several."""


@dataclass(frozen=True)
class TableState:
    """The columns and the position of the table before it is read again."""

    columns: tuple[Column, ...] = ()
    in_view: tuple[Column, ...] = ()
    """The columns that are on screen or near it."""
    on_screen: tuple[Column, ...] = ()
    top_run: str | None = None
    """The run in the first visible row; None if the table is not scrolled."""
    summaries: GroupSummaries = field(default_factory=dict)
    """Those of the same groups."""
    is_live: bool = False
    """Whether the database has changed, so that the summaries have to be read again."""


@dataclass(frozen=True)
class Opening:
    """The content of the first screen, which is shown before the store is open."""

    experiments: Experiments
    chosen: Experiment | None
    page: RunPage | None
    """The first runs of the chosen experiment."""
    listed: ListChoice = field(default_factory=ListChoice)
    """How the runs of the page are listed."""
    marks: Mapping[str, int] = field(default_factory=dict)
    """The runs that the last session left marked, with the numbers of their colours."""


def read_opening(
    store: Store, experiment_name: str | None, interrupt: Interrupt, saved: SavedState | None = None
) -> Opening:
    """Read the experiments, and the first runs of the one that was asked for, or else of the one that was left last.

    `saved` is the state that is saved for the store; by default it is read. The runs are listed as the last session left
    them. They are not counted, because that reads every run.
    """
    state = saved or SavedState.of(store.address)
    return store.foreseeing(
        lambda: _expected_opening(state, experiment_name),
        lambda: _read_opening(store, state, experiment_name, interrupt),
        interrupt,
    )


def _expected_opening(saved: SavedState, experiment_name: str | None) -> ExpectedOpening:
    """Return what `_read_opening` will read, as far as that is known beforehand. With a wrong guess it takes longer."""
    from mldeck.store.runs.opening import ExpectedOpening

    view = View.ACTIVE if experiment_name else left_shown(saved.last).experiment_view
    query = RunQuery(())
    if experiment_name is None and (expected := expected_experiment(saved.last)) is not None:
        listed = kept_choice(saved.experiments.get(expected.experiment_id, {}), (expected,))
        query = RunQuery((expected.experiment_id,), View.ACTIVE, listed.order, listed.filter)
    return ExpectedOpening(view, query, FIRST_PAGE, experiment_name, list(left_marks(saved.last)))


def _read_opening(store: Store, saved: SavedState, experiment_name: str | None, interrupt: Interrupt) -> Opening:
    view = View.ACTIVE if experiment_name else left_shown(saved.last).experiment_view
    experiments = Experiments(store.experiments(view, interrupt))
    if not (experiment_name or left_plain(saved.last)):
        return Opening(experiments, None, None)  # The place restores which runs are shown when the store is open.
    chosen = experiments.named(experiment_name) if experiment_name else None
    chosen = chosen or experiments.left_last(saved)
    if chosen is None:
        ids = [experiment.experiment_id for experiment in experiments.experiments]
        newest = store.newest_run_experiment(ids, interrupt)
        chosen = experiments.with_id(newest) if newest else experiments.first_choice
    if chosen is None:
        return Opening(experiments, None, None)
    choices = saved.experiments.get(chosen.experiment_id, {})
    columns = choice_from_json(choices.get("columns"))
    listed = checked_choice(store, (chosen.experiment_id,), kept_choice(choices, (chosen,)), interrupt)
    query = RunQuery((chosen.experiment_id,), View.ACTIVE, listed.order, listed.filter)
    layout = listed.layout(is_tree=left_tree(saved.last))
    if layout.is_flat:
        # From a distant database the pace would take two more requests; it comes when all is read again.
        page = read_first_page(store, query, columns, (), interrupt, with_pace=not store.is_distant)
    else:
        page = _first_rows(read_all_rows(store, query, layout, columns, TableState(), interrupt))
    return Opening(experiments, chosen, page, listed, read_marks(store, saved, interrupt))


def _first_rows(page: RunPage) -> RunPage:
    """Return the page with the first rows alone."""
    whole, rows = page.arrangement, page.arrangement.run_ids[:FIRST_PAGE]
    shown = set(rows)
    arrangement = replace(
        whole,
        run_ids=rows,
        depths={run_id: depth for run_id, depth in whole.depths.items() if run_id in shown},
        child_counts={run_id: count for run_id, count in whole.child_counts.items() if run_id in shown},
        headings={row: heading for row, heading in whole.headings.items() if row < FIRST_PAGE},
    )
    values = {heading.value for heading in arrangement.headings.values()}
    summaries = {
        key: {value: summary for value, summary in groups.items() if value in values}
        for key, groups in page.summaries.items()
    }
    return replace(page, arrangement=arrangement, summaries=summaries)


def checked_choice(
    store: Store, experiment_ids: tuple[str, ...], choice: ListChoice, interrupt: Interrupt
) -> ListChoice:
    """Return the choice without the columns that no run of these experiments has (any more)."""
    query = RunQuery(experiment_ids, View.ALL)
    gone = [
        column
        for column in choice.columns
        if column.kind is not Kind.ATTRIBUTE and not store.has_values(query, column, interrupt)
    ]
    return choice.without(gone) if gone else choice


def read_marks(store: Store, saved: SavedState, interrupt: Interrupt) -> dict[str, int]:
    """Return the runs that the last session left marked and that are still there, with the numbers of their colours."""
    marks = left_marks(saved.last)
    found = store.run_records(list(marks), RunFields(), interrupt) if marks else {}
    return {run_id: colour for run_id, colour in marks.items() if run_id in found}


def read_experiments(store: Store, view: View, interrupt: Interrupt) -> Experiments:
    return Experiments(store.experiments(view, interrupt), store.run_counts(interrupt))


def read_first_page(
    store: Store,
    query: RunQuery,
    choice: ColumnChoice,
    columns: tuple[Column, ...],
    interrupt: Interrupt,
    *,
    with_pace: bool = True,
) -> RunPage:
    """Read the first rows. Without `columns`, the choice says which columns they have."""
    ids = store.run_ids(query, FIRST_PAGE, interrupt)
    primary = store.primary_metric(query.experiment_ids[0], interrupt)
    is_newest = query == _plain(query)
    columns = columns or _columns_now(store, query, choice, ids, (), primary, interrupt, also_newest=not is_newest)
    read = columns[:FIRST_COLUMNS]
    records = store.run_records(ids, replace(row_fields(read), pace=with_pace), interrupt)
    return RunPage(Arrangement(ids), len(ids), records, columns, read, primary=primary)


def read_all_rows(
    store: Store,
    query: RunQuery,
    layout: Layout,
    choice: ColumnChoice,
    state: TableState,
    interrupt: Interrupt,
) -> RunPage:
    """Read all rows, and the values around the first visible row, in the columns that are in view.

    New metrics and params are added after the others, unless the columns are custom.
    """
    top_run = state.top_run
    ids = store.run_ids(query, None, interrupt)
    if layout.only is not None:
        ids = [run_id for run_id in ids if run_id in layout.only]
    groups = _GroupReader(store, query, layout, interrupt, {} if state.is_live else dict(state.summaries))
    arrangement = _arranged(store, query, layout, ids, groups, interrupt)
    rows = arrangement.run_ids
    first_row = max(0, rows.index(top_run) - FIRST_PAGE // 2) if top_run in rows else 0
    in_view = [run_id for run_id in rows[first_row : first_row + FIRST_PAGE + FIRST_PAGE // 2] if run_id != HEADING]
    # Few runs of groups are in view, or none. The columns must not change when one is opened.
    sample = list(dict.fromkeys((*ids[:FIRST_PAGE], *in_view))) if arrangement.headings else in_view or ids[:FIRST_PAGE]
    primary = store.primary_metric(query.experiment_ids[0], interrupt)
    kept = state.columns
    columns = _columns_now(store, query, choice, sample, kept, primary, interrupt, also_newest=not kept)
    read = _to_be_read(columns, state)
    on_screen = frozenset(state.on_screen or read)
    metrics = [column.key for column in columns if column.kind is Kind.METRIC and column in on_screen]
    if len(ids) > _SUMMARIZED_AT_ONCE:
        metrics = [key for key in metrics if key in state.summaries]
    groups.summarize(metrics)
    first_runs = (heading.first_run for row, heading in arrangement.headings.items() if row < FIRST_PAGE)
    of_headings = first_runs if query.order and shows_first_run(query.order[0].column) else ()
    records = store.run_records(list(dict.fromkeys((*sample, *of_headings))), row_fields(read), interrupt)
    return RunPage(arrangement, len(ids), records, columns, read, groups.summaries, primary)


def row_fields(columns: Iterable[Column]) -> RunFields:
    """Return what is read of the runs in view, in these columns."""
    return replace(RunFields.of(columns), pace=True)


def _columns_now(
    store: Store,
    query: RunQuery,
    choice: ColumnChoice,
    sample: Sequence[str],
    kept: tuple[Column, ...],
    primary: PrimaryMetric | None,
    interrupt: Interrupt,
    *,
    also_newest: bool,
) -> tuple[Column, ...]:
    if choice.source is ColumnSource.CHOSEN:
        return choice.arranged(())
    found = found_columns(store, query, choice.source, sample, primary, interrupt, also_newest=also_newest)
    if choice.source is ColumnSource.PRESENT:
        present = frozenset(found)
        kept = tuple(column for column in kept if column in present)
    several = len(query.experiment_ids) > 1
    return choice.arranged(found, kept, (EXPERIMENT, *DEFAULT_ATTRIBUTES) if several else DEFAULT_ATTRIBUTES)


def found_columns(
    store: Store,
    query: RunQuery,
    source: ColumnSource,
    sample: Sequence[str],
    primary: PrimaryMetric | None,
    interrupt: Interrupt,
    *,
    also_newest: bool,
) -> tuple[Column, ...]:
    """Return the columns of an automatic source, the primary metric first.

    `sample` are the runs that are compared to find the columns that differ. `also_newest` puts those before them in which the
    newest runs differ, so that the first columns are the same however the runs are filtered, sorted and arranged.
    """
    if source is ColumnSource.PRESENT:
        found = store.present_columns(query, interrupt)
    else:
        is_one_of_many = len(sample) == 1 and bool(query.filter)
        newest = store.run_ids(_plain(query), FIRST_PAGE, interrupt) if also_newest or is_one_of_many else sample
        # A run differs from none if it is the only one: then it has all of its columns.
        found = () if is_one_of_many and len(newest) > 1 else store.differing_columns(sample, interrupt)
        if list(newest) != list(sample):
            found = tuple(dict.fromkeys((*store.differing_columns(newest, interrupt), *found)))
    main = None if primary is None else Column(Kind.METRIC, primary[0])
    return (main, *(column for column in found if column != main)) if main in found else found


def _plain(query: RunQuery) -> RunQuery:
    """Return the query without filter and order: it lists the newest runs first."""
    return replace(query, filter="", order=())


def _to_be_read(columns: tuple[Column, ...], state: TableState) -> tuple[Column, ...]:
    """Return the columns whose values are read: those in view, and new ones that may come into view."""
    in_view, before = frozenset(state.in_view), frozenset(state.columns)
    fresh = frozenset([column for column in columns if column not in before][:FIRST_COLUMNS])
    return tuple(column for column in columns if column in in_view or column in fresh) or columns[:FIRST_COLUMNS]


@dataclass(frozen=True)
class _GroupReader:
    """Reads the summaries of the groups of a layout, each metric once. Without groups it reads nothing."""

    store: Store
    query: RunQuery
    layout: Layout
    interrupt: Interrupt
    summaries: dict[str, Mapping[str | None, MetricSummary]]
    """Those that are known, by metric."""

    def summarize(self, metrics: Iterable[str]) -> None:
        fresh = [key for key in dict.fromkeys(metrics) if key not in self.summaries]
        if fresh:
            self.summaries.update(read_summaries(self.store, self.query, self.layout, fresh, self.interrupt))

    def means(self, metric: str) -> dict[str | None, float]:
        """Return the mean of each group by its value."""
        self.summarize([metric])
        return {value: summary.mean for value, summary in self.summaries[metric].items()}


def read_summaries(
    store: Store, query: RunQuery, layout: Layout, metrics: Sequence[str], interrupt: Interrupt
) -> GroupSummaries:
    """Read the summaries of metrics in the groups of a layout; none if it has no groups."""
    if layout.group_by is None:
        return {}
    return store.group_summaries(query, layout.group_by, metrics, layout.only, interrupt)


def read_best_run(
    store: Store,
    query: RunQuery,
    layout: Layout,
    value: str | None,
    metric: str,
    greater: bool,
    interrupt: Interrupt,
) -> RunRecord | None:
    """Return the best run of a group by a metric; None if no run has it, or there are too many runs to look through."""
    column = Column(Kind.METRIC, metric)
    ids = store.run_ids(replace(query, order=(OrderKey(column, greater),)), None, interrupt)
    if layout.group_by is None or len(ids) > _SUMMARIZED_AT_ONCE:
        return None
    values = store.text_values(query, layout.group_by, interrupt)
    members = (
        run_id for run_id in ids if values.get(run_id) == value and (layout.only is None or run_id in layout.only)
    )
    best = next(members, None)
    record = None if best is None else store.run_records([best], RunFields(metrics=(metric,)), interrupt).get(best)
    return record if record is not None and metric in record.metrics else None


def _arranged(
    store: Store, query: RunQuery, layout: Layout, ids: Sequence[str], groups: _GroupReader, interrupt: Interrupt
) -> Arrangement:
    if layout.group_by is not None:
        values = store.text_values(query, layout.group_by, interrupt)
        first = query.order[0].column if query.order else None
        means = groups.means(first.key) if first is not None and first.kind is Kind.METRIC else {}
        is_text = first is not None and first.kind in TEXTS
        shown = store.text_values(query, first, interrupt) if first is not None and is_text else None
        return in_groups(ids, values, layout.opened, query.order, means, store.run_times(query, interrupt), shown)
    if layout.is_tree:
        return as_tree(ids, store.text_values(query, Column(Kind.TAG, PARENT_TAG), interrupt), layout.folded)
    return Arrangement(ids)
