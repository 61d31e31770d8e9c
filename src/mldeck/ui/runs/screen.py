"""The place Runs: the experiments, the run table, and the inspector of the run under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.worker import WorkerError

from mldeck.errors import MldeckError, did_you_mean
from mldeck.format import MISSING
from mldeck.model import Experiment, Kind, Run, RunRecord, View
from mldeck.store.interrupt import Interrupt
from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.ui.details.keys import INSPECTOR
from mldeck.ui.details.line_grid import Line, LineGrid
from mldeck.ui.details.metric_grid import MetricGrid
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings, key_name
from mldeck.ui.kit.questions import asks
from mldeck.ui.kit.threads import in_thread, read_off_loop
from mldeck.ui.place import Place, pane, retitle
from mldeck.ui.runs import reading
from mldeck.ui.runs.experiment_list import ExperimentList
from mldeck.ui.runs.inspector import Inspector
from mldeck.ui.runs.keys import CHART, EDITS, REGISTER, RUN_COLUMNS, RUN_PLACE, TAKE_AWAY
from mldeck.ui.runs.pane import RunPane
from mldeck.ui.runs.table import RunTable
from mldeck.ui.state.arrangement import HEADING, GroupHeading
from mldeck.ui.state.columns import label_of
from mldeck.ui.state.metric_direction import best_metric, higher_is_better
from mldeck.ui.state.session import Session, WayBack, next_view

if TYPE_CHECKING:
    from mldeck.registry.nouns import LoggedModel
    from mldeck.ui.files.logged_models import LoggedModelList
    from mldeck.ui.files.tree import FileTree
    from mldeck.ui.register.flow import RegisterFlow
    from mldeck.ui.runs.columns import RunColumns
    from mldeck.ui.runs.copy_and_export import CopyAndExport
    from mldeck.ui.runs.editing import Editing, RunSubject
    from mldeck.ui.runs.files import RunFileActions
    from mldeck.ui.runs.first_read import HeadStart

_EXPERIMENT_TITLES = {View.ACTIVE: "Experiments", View.DELETED: "Deleted", View.ALL: "All experiments"}
_PAINT_S = 0.05
"""Seconds that the first runs get to be painted before the store is opened."""

_EDIT_ACTIONS = frozenset(key.action for key in EDITS)


class RunsScreen(Place):
    NAME = "runs"
    BINDINGS: ClassVar[list[BindingType]] = bindings(
        RUN_PLACE, RUN_COLUMNS, TAKE_AWAY, INSPECTOR, CHART, EDITS, REGISTER
    )
    AUTO_FOCUS = "#runs"

    def __init__(self, session: Session, head_start: HeadStart | None = None) -> None:
        """`head_start` reads the first runs in a second process; None to show nothing before the store is open, as in tests."""
        super().__init__(session)
        self._head_start = head_start
        self.experiments = reading.Experiments(())
        self._best_run: tuple[tuple[str, str | None], RunRecord | None] = ("", None), None
        """The best run of the group that was inspected last, after the title of the group and the metric."""

    @cached_property
    def _editing(self) -> Editing:
        from mldeck.ui.runs.editing import Editing  # most sessions only read

        return Editing(self, self.session)

    @cached_property
    def _columns(self) -> RunColumns:
        from mldeck.ui.runs.columns import RunColumns

        return RunColumns(self.session, self.run_pane)

    @cached_property
    def _copy_and_export(self) -> CopyAndExport:
        from mldeck.ui.runs.copy_and_export import CopyAndExport

        return CopyAndExport(self, self.session, self.table)

    @cached_property
    def _files(self) -> RunFileActions:
        from mldeck.ui.runs.files import RunFileActions  # most sessions look at numbers only

        return RunFileActions(self, self.session)

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="lists"):
            yield pane(ExperimentList(id="experiments"), "Experiments")
            yield pane(RunPane(self, self.session, id="run-pane"), "Runs")
        yield pane(Inspector(self.session, self.read_outlines, id="inspector"), "")

    @property
    def experiment_list(self) -> ExperimentList:
        return self.query_one(ExperimentList)

    @property
    def run_pane(self) -> RunPane:
        return self.query_one(RunPane)

    @property
    def table(self) -> RunTable:
        return self.run_pane.table

    @property
    def main_grid(self) -> Grid:
        return self.table

    @property
    def inspector(self) -> Inspector:
        return self.query_one(Inspector)

    async def before_open(self) -> None:
        shown = self.session.left_shown()
        self.session.run_view, self.session.experiment_view = shown.run_view, shown.experiment_view
        opening = await in_thread(self._read_opening)
        if opening is not None:
            await self._show_opening(opening)
            # Opening the store imports the database library, which would delay the painting.
            await asyncio.sleep(_PAINT_S)

    def _read_opening(self) -> reading.Opening | None:
        """Return what the second process has read. A store on another machine is read here: its line is open already."""
        session = self.session
        if isinstance(session.address, Path | MlrunsFolder):
            return None if self._head_start is None else self._head_start.result()
        with suppress(MldeckError):  # it is read again, and the trouble told, when the store is opened
            session.open()
            return reading.read_opening(session.store, session.settings.experiment, Interrupt())
        return None

    def leave_store(self) -> None:
        # Leaving waits for threads, and one may be waiting for the head start.
        if self._head_start is not None:
            self._head_start.stop()
        super().leave_store()

    async def _show_opening(self, opening: reading.Opening) -> None:
        self._show_experiments(opening.experiments)
        self._say_if_missing()
        if opening.chosen is not None and opening.page is not None:
            self._choose(opening.chosen)
            with self.app.batch_update():  # the filter line is mounted, and is painted together with its runs
                with suppress(WorkerError):  # the deck is being left
                    await self.run_pane.list_as(opening.listed).wait()
                self.run_pane.show_runs(opening.page, None, None)
                self._restore_marks(opening.marks)

    async def read_again(self) -> None:
        chosen = self.session.experiment
        was_listed = chosen is not None and self.experiments.with_id(chosen.experiment_id) is not None
        await self._load_experiments()
        if chosen is not None:
            # The experiment may have been renamed, given a note, or deleted.
            now = self.experiments.with_id(chosen.experiment_id)
            self.session.experiment = now or (None if was_listed else chosen)
        if self.session.experiment is None:
            await self._choose_first_experiment()
        else:
            await self.run_pane.read_again()
        self.load_details()
        self.inspector.reload()

    # -- experiments

    async def _load_experiments(self) -> None:
        store, view = self.session.store, self.session.experiment_view
        self._show_experiments(await read_off_loop(lambda interrupt: reading.read_experiments(store, view, interrupt)))

    def _show_experiments(self, experiments: reading.Experiments) -> None:
        self.experiments = self.run_pane.experiments = experiments
        view = self.session.experiment_view
        pane = self.experiment_list
        retitle(pane, _EXPERIMENT_TITLES[view], "")
        pane.empty_text = f"No {view.value} experiments.\n{key_name('view_experiments')} shows others."
        chosen = self.session.experiment
        pane.show(self.experiments.experiments, self.experiments.run_counts, chosen.experiment_id if chosen else None)
        self.show_title()

    def _say_if_missing(self) -> None:
        wanted = self.session.settings.experiment
        if wanted and self.experiments.named(wanted) is None:
            names = (experiment.name for experiment in self.experiments.experiments)
            self.notify(f"No experiment {wanted}{did_you_mean(wanted, names)}", severity="warning")

    async def _choose_first_experiment(self) -> None:
        store, saved, wanted = self.session.store, self.session.saved, self.session.settings.experiment
        experiment = self.experiments.named(wanted) if wanted else None
        self._say_if_missing()
        experiment = experiment or self.experiments.left_last(saved) or self.experiments.first_choice
        if experiment is None:
            self.table.empty_text = "No experiments yet.\nRuns appear here as soon as something logs to this store."
            return
        shown = self.session.left_shown(self.experiments.experiments)
        # First, because what fails is tried again as long as no experiment is chosen.
        marks = await read_off_loop(lambda interrupt: reading.read_marks(store, saved, interrupt))
        self._choose(experiment)
        self._restore_marks(marks)
        if shown.joined:
            self._join(shown.joined)
        if shown.only_marked and self.session.marked:
            self.session.layout = replace(self.session.layout, only=frozenset(self.session.marked))
        self.run_pane.load_runs()

    def _restore_marks(self, marks: Mapping[str, int]) -> None:
        """Mark what the last session left marked."""
        if marks:
            self.session.marked = {**marks, **self.session.marked}
            self._show_marks()

    def _show_experiment(self, experiment: Experiment) -> None:
        if self.session.experiment and self.session.experiment.experiment_id == experiment.experiment_id:
            return
        self._choose(experiment)
        if not self.session.joined:
            self.run_pane.load_runs()

    def _choose(self, experiment: Experiment) -> None:
        self.session.experiment = experiment
        self.experiment_list.choose(experiment.experiment_id)
        if not self.session.joined:
            self._start_scope()

    def _start_scope(self) -> None:
        """Show other experiments, with their own columns, order, filter and groups."""
        session = self.session
        session.load_saved_choices()
        self.forget_settling("filter")
        self.run_pane.show_filter(session.filter)
        self.table.forget()

    @on(ExperimentList.MarkAsked)
    def _toggle_joined(self, message: ExperimentList.MarkAsked) -> None:
        self._join(self.session.joined_with(message.experiment))
        self.session.keep()
        self.run_pane.load_runs()

    def _join(self, experiments: tuple[Experiment, ...]) -> None:
        """Show the runs of these experiments together."""
        self.session.joined = experiments
        self.experiment_list.marked_ids = [experiment.experiment_id for experiment in experiments]
        self.experiment_list.repaint()
        self._start_scope()

    @on(ExperimentList.ViewAsked)
    @work(group="experiments", exclusive=True)
    async def _cycle_experiment_view(self) -> None:
        self.session.experiment_view = next_view(self.session.experiment_view)
        self.session.keep()
        with self.reporting_trouble():
            await self._load_experiments()

    # -- the runs

    def show_title(self) -> None:
        self.run_pane.show_title()

    def stop_reading(self) -> None:
        self.run_pane.stop_reading()

    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        return await (self.run_pane if grid is self.table else grid).find_rows(text)

    async def action_filter(self) -> None:
        await self.run_pane.edit_filter()

    def action_clear_filter(self) -> None:
        self.run_pane.clear_filter()

    def action_columns(self) -> None:
        self._columns.choose()

    # -- marks

    def after_show(self) -> None:
        """Show marks and metric directions that were changed in another place."""
        super().after_show()
        self._show_marks()
        self.run_pane.show_style()
        self.run_pane.load_best()

    @on(RunTable.MarkAsked)
    def _mark(self, message: RunTable.MarkAsked) -> None:
        self.session.toggle_marks(message.run_ids)
        self._marks_changed()

    @on(RunTable.AllMarkAsked)
    def _mark_all(self) -> None:
        if self.run_pane.is_listing:
            self._mark_when_listed()
        else:
            self.session.toggle_marks([run_id for run_id in self.table.run_ids if run_id != HEADING])
            self._marks_changed()

    @work(group="mark")
    async def _mark_when_listed(self) -> None:
        """Mark all runs once they are listed; if the user stops the reading, those listed until then."""
        await self.run_pane.until_listed()
        self._mark_all()

    def _marks_changed(self) -> None:
        self._show_marks()
        self.session.keep()

    def _show_marks(self) -> None:
        """Show which runs are marked, everywhere."""
        self.run_pane.show_marks()
        self.top_bar.show_marked(len(self.session.marked))
        self.inspector.show_marks()

    # -- the inspector

    @work(group="details", exclusive=True)
    async def load_details(self) -> None:
        run_id = self.table.cursor_run
        if self.experiment_list.has_focus:
            self._inspect_experiment()
            return
        if run_id is None and self.table.cursor_heading is not None and self.session.is_open:
            await self._inspect_group(self.table.cursor_heading)
            return
        if run_id is None or not self.session.is_open:
            self.inspector.show(None)
            return
        store = self.session.store
        with self.reporting_trouble():
            details = await read_off_loop(lambda interrupt: store.run_details(run_id, interrupt))
            if details is None or details != self.inspector.details:
                self.inspector.show(details)

    async def _inspect_group(self, heading: GroupHeading) -> None:
        """Show a group: first what its heading has, then its best run, if it is known which one is best."""
        from mldeck.ui.details.group_overview import group_lines

        session, table, column = self.session, self.table, self.session.layout.group_by
        if column is None:
            return
        summaries = table.summaries_of(heading)
        metric = best_metric(session.order, summaries, higher_is_better(session.better))
        title = f"{label_of(column)} {MISSING if heading.value is None else heading.value}"
        # When it is read again, the run stays until another one is known to be better.
        best = self._best_run[1] if self._best_run[0] == (title, metric) else None

        def lines() -> Sequence[Line]:
            return list(group_lines(heading, column, summaries, metric, best, session.clock))

        self.inspector.show_group(title, lines)
        query, store, layout = session.query, session.store, session.layout
        if metric is not None and query is not None:
            greater = higher_is_better(session.better)[metric]
            with self.reporting_trouble():
                best = await read_off_loop(
                    lambda interrupt: reading.read_best_run(
                        store, query, layout, heading.value, metric, greater, interrupt
                    )
                )
                self._best_run = (title, metric), best
                self.inspector.show_group(title, lines)

    def _inspect_experiment(self) -> None:
        experiment = self.experiment_list.cursor_experiment
        if experiment is not None:
            self.inspector.show_experiment(experiment, self.experiments.count(experiment))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Inspect the experiment while the experiments have the focus, otherwise the run."""
        if event.widget is self.experiment_list or (event.widget is self.table and self.inspector.details is None):
            self.load_details()

    async def action_chart(self) -> None:
        """Show a chart of the marked runs and the one under the cursor."""
        table = self.table
        run_ids = [*self.session.marked, *([] if table.cursor_run is None else [table.cursor_run])]
        if not run_ids:
            self.notify("There is no run to show a chart of", timeout=2)
            return
        from mldeck.ui.chart.screen import ChartScreen  # drawing takes a while to load

        with self.app.batch_update():  # paint the new screen once, not widget by widget
            await self.app.push_screen(ChartScreen(self.session, run_ids, self._cursor_metric, self.go_to))

    @property
    def _cursor_metric(self) -> str | None:
        """The metric under the cursor of the inspector if that has the focus, else of the table; None if it is on no metric."""
        if self.inspector.has_focus_within:
            return self.inspector.cursor_metric
        column = self.table.cursor_key
        return column.key if column is not None and column.kind is Kind.METRIC else None

    @on(LineGrid.RunAsked)
    def _go_to_run(self, message: LineGrid.RunAsked) -> None:
        """Move the cursor to a parent or child, if it is listed."""
        table = self.table
        if message.run_id in table.run_ids:
            table.move_to(list(table.run_ids).index(message.run_id))
        else:
            self.notify("That run is not listed: it is deleted, or in another experiment", timeout=4)

    @work(group="go", exclusive=True)
    async def go_to(self, run: Run) -> None:
        """Move the cursor to a run, after changing to its experiment if necessary."""
        table, experiment = self.table, self.experiments.with_id(run.experiment_id)
        if run.run_id not in table.run_ids and experiment is not None and experiment not in self.session.scope:
            if self.session.joined:
                self.session.joined, self.experiment_list.marked_ids = (), []
            self._choose(experiment)
            self.session.keep()
            self.run_pane.load_runs()
            await self.run_pane.until_listed()
        self.set_focus(table)
        if run.run_id in table.run_ids:
            table.move_to(list(table.run_ids).index(run.run_id))
        else:
            self.notify(f"{run.label} is not listed: it is filtered out, or deleted")

    def action_tab(self, offset: int) -> None:
        self.inspector.turn(offset)

    def on_file_tree_asked(self, message: FileTree.Asked) -> None:
        self._files.act(message.tree, message.what)

    def on_logged_model_list_viewed(self, message: LoggedModelList.Viewed) -> None:
        self._files.view(message.subject)

    # -- copying and exporting

    @asks("copy")
    async def action_copy_as(self) -> None:
        await self._copy_and_export.copy_as()

    def action_export(self) -> None:
        self._copy_and_export.export()

    # -- edits

    @asks("edit")
    async def action_edit(self) -> None:
        await self._change(self._editing.edit_runs, self._editing.edit_experiment)

    @asks("edit")
    async def action_create_experiment(self) -> None:
        self.check_writable(self.session.refusal)
        await self._editing.create_experiment()

    @asks("edit")
    async def action_delete(self) -> None:
        def delete(experiment: Experiment) -> Awaitable[None]:
            return self._editing.delete_experiment(experiment, self.experiments.count(experiment).active)

        await self._change(self._editing.delete_runs, delete)

    @asks("edit")
    async def action_restore(self) -> None:
        await self._change(self._editing.restore_runs, self._editing.restore_experiment)

    @asks("edit")
    async def action_undo(self) -> None:
        self.check_writable(self.session.refusal)
        await self._editing.undo()

    def unavailable(self, action: str) -> str | None:
        if action == "register":
            return self.session.registry_refusal
        return self.session.refusal if action in _EDIT_ACTIONS else None

    def label_now(self, action: str, label: str) -> str:
        layout, column = self.session.layout, self.table.cursor_key
        if action == "layout('groups')" and layout.ends_grouping_at(column):
            return "ungroup"
        return "flat" if action == "layout('tree')" and layout.is_tree else label

    # -- registering

    def action_register(self) -> None:
        """Register a model of each marked run or, without marks, of the run under the cursor."""
        marked, present = list(self.session.marked), self.table.cursor_run
        run_ids = marked or ([present] if present is not None else [])
        self._register(lambda flow: flow.register_runs(run_ids))

    def register_models(self, run_id: str, chosen: LoggedModel | str | None) -> None:
        """Register a logged model of a run, or the folder of the run at a path; None asks which model."""
        self._register(lambda flow: flow.register_models(run_id, chosen))

    @asks("edit")
    async def _register(self, register: Callable[[RegisterFlow], Awaitable[None]]) -> None:
        self.check_writable(self.session.registry_refusal)
        from mldeck.ui.register.flow import RegisterFlow

        await register(RegisterFlow(self, self.session))

    async def _change(
        self,
        change_runs: Callable[[RunSubject], Awaitable[None]],
        change_experiment: Callable[[Experiment], Awaitable[None]],
    ) -> None:
        """Change the experiment under the cursor if the experiments have the focus; otherwise the marked runs or the run."""
        self.check_writable(self.session.refusal)
        if self.experiment_list.has_focus:
            experiment = self.experiment_list.cursor_experiment
            if experiment is None:
                raise MldeckError("There is no experiment to change")
            await change_experiment(experiment)
            return
        subject = self._run_subject()
        if subject is None:
            raise MldeckError("There is no run to change")
        await change_runs(subject)

    def _run_subject(self) -> RunSubject | None:
        from mldeck.ui.runs.editing import RunSubject

        marked = list(self.session.marked)
        if marked:
            return RunSubject(marked, f"{len(marked)} marked {'run' if len(marked) == 1 else 'runs'}")
        record = self.table.cursor_record
        return None if record is None else RunSubject([record.run.run_id], record.run.label, record.run.run_name or "")

    # -- the way back to the place that sent the user to a run

    @property
    def _way_back(self) -> WayBack | None:
        """Where Esc and b lead back to; None once the cursor has left the run."""
        way = self.session.way_back
        return way if way is not None and way.run_id == self.table.cursor_run else None

    async def go_to_earlier_place(self) -> None:
        if self._way_back is not None:
            await self._go_back(self._way_back)

    async def action_best(self) -> None:
        if self._way_back is not None:
            await self._go_back(self._way_back)
        else:
            self._columns.ask_best()

    async def _go_back(self, way: WayBack) -> None:
        self.session.way_back = None
        await self.run_action(f"app.place({way.place!r})")

    # -- moving

    @on(RunPane.CursorRunChanged)
    def _cursor_run_changed(self) -> None:
        self.settle("details", self.load_details)

    @on(Grid.CursorMoved)
    def _cursor_moved(self, message: Grid.CursorMoved) -> None:
        if isinstance(message.grid, RunTable):
            self.settle("details", self.load_details)
        elif isinstance(message.grid, ExperimentList):
            self._inspect_experiment()
            self.settle("experiment", self._show_cursor_experiment)

    @on(Grid.Opened)
    async def _opened(self, message: Grid.Opened) -> None:
        if isinstance(message.grid, RunTable):
            self.inspector.take_focus()
        elif isinstance(message.grid, ExperimentList):
            self._show_cursor_experiment()
            self.set_focus(self.table)
        elif isinstance(message.grid, MetricGrid):
            await self.action_chart()

    async def on_small_charts_opened(self) -> None:
        await self.action_chart()

    def _show_cursor_experiment(self) -> None:
        experiment = self.experiment_list.cursor_experiment
        if experiment is not None:
            self._show_experiment(experiment)
            self.session.keep()
