"""The place Runs: experiments, the run table, and the inspector of the run under the cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from mldeck.charts.sparkline import slices_for
from mldeck.format import safe
from mldeck.model import Experiment, View
from mldeck.ui import run_reading
from mldeck.ui.arranging import Layout
from mldeck.ui.keys import EDITS, INSPECTOR, bindings
from mldeck.ui.screens.take_away import TakeAway
from mldeck.ui.session import next_view, read_off_loop
from mldeck.ui.widgets.detail_grids import LineGrid, MetricGrid
from mldeck.ui.widgets.experiment_list import ExperimentList
from mldeck.ui.widgets.grid import Grid
from mldeck.ui.widgets.inspector import Inspector
from mldeck.ui.widgets.run_table import RunTable

if TYPE_CHECKING:
    from mldeck.ui.screens.editing import Editing, RunSubject

_EXPERIMENT_TITLES = {View.ACTIVE: "Experiments", View.DELETED: "Deleted", View.ALL: "All experiments"}
_EDIT_ACTIONS = frozenset(key.action for key in EDITS)
_AnyWidget = TypeVar("_AnyWidget", bound=Widget)


class RunsScreen(TakeAway):
    BINDINGS: ClassVar[list[BindingType]] = bindings(INSPECTOR, EDITS)

    @cached_property
    def _editing(self) -> Editing:
        from mldeck.ui.screens.editing import Editing  # most sittings only look

        return Editing(self, self.session)

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="lists"):
            yield _pane(ExperimentList(id="experiments"), "Experiments")
            with _pane(Vertical(id="run-pane"), "Runs"):
                yield RunTable(id="runs")
        yield _pane(Inspector(id="inspector"), "")

    @property
    def experiment_list(self) -> ExperimentList:
        return self.query_one(ExperimentList)

    @property
    def inspector(self) -> Inspector:
        return self.query_one(Inspector)

    def show_opening(self, opening: run_reading.Opening) -> None:
        self._show_experiments(opening.experiments)
        self._say_if_missing()
        if opening.chosen is not None and opening.page is not None:
            self._choose(opening.chosen)
            self.show_runs(opening.page, None, None)

    async def read_again(self) -> None:
        chosen = self.session.experiment
        was_listed = chosen is not None and self.experiments.with_id(chosen.experiment_id) is not None
        await self._load_experiments()
        if chosen is not None:
            # Renamed, given a note, deleted: it is the same one, but not what it was.
            now = self.experiments.with_id(chosen.experiment_id)
            self.session.experiment = now or (None if was_listed else chosen)
        if self.session.experiment is None:
            self._choose_first_experiment()
        else:
            await self.read_runs_again()
        self.load_details()

    # -- experiments

    async def _load_experiments(self) -> None:
        store, view = self.session.store, self.session.experiment_view
        self._show_experiments(
            await read_off_loop(lambda interrupt: run_reading.read_experiments(store, view, interrupt))
        )

    def _show_experiments(self, experiments: run_reading.Experiments) -> None:
        self.experiments, view = experiments, self.session.experiment_view
        pane = self.experiment_list
        pane.border_title = _EXPERIMENT_TITLES[view]
        pane.empty_text = f"No {view.value} experiments.\nv shows others."
        chosen = self.session.experiment
        pane.show(self.experiments.experiments, self.experiments.run_counts, chosen.experiment_id if chosen else None)
        self.show_title()

    def _say_if_missing(self) -> None:
        wanted = self.session.settings.experiment
        if wanted and self.experiments.named(wanted) is None:
            self.notify(f"No experiment {safe(wanted)}", severity="warning", markup=False)

    def _choose_first_experiment(self) -> None:
        wanted = self.session.settings.experiment
        experiment = self.experiments.named(wanted) if wanted else None
        self._say_if_missing()
        experiment = experiment or self.experiments.first_choice
        if experiment is None:
            self.table.empty_text = "No experiments yet.\nRuns appear here as soon as something logs to this store."
            self.table.repaint()
            return
        self._show_experiment(experiment)

    def _show_experiment(self, experiment: Experiment) -> None:
        if self.session.experiment and self.session.experiment.experiment_id == experiment.experiment_id:
            return
        self._choose(experiment)
        if not self.session.joined:
            self.load_runs()

    def _choose(self, experiment: Experiment) -> None:
        self.session.experiment = experiment
        self.experiment_list.choose(experiment.experiment_id)
        if not self.session.joined:
            self._start_scope()

    def _start_scope(self) -> None:
        """Other experiments are shown now, in their own columns and with their own filter."""
        session = self.session
        session.forget_columns()
        session.order, session.numeric = (), {}
        session.layout = Layout(is_tree=session.layout.is_tree)
        session.filter = session.filters.get(session.scope_id, "")
        self.show_filter(session.filter)
        self.table.forget()

    @on(ExperimentList.MarkAsked)
    def _join(self, message: ExperimentList.MarkAsked) -> None:
        session = self.session
        session.toggle_joined(message.experiment)
        self.experiment_list.marked_ids = [each.experiment_id for each in session.joined]
        self.experiment_list.repaint()
        self._start_scope()
        self.load_runs()

    @on(ExperimentList.ViewAsked)
    @work(group="experiments", exclusive=True)
    async def _cycle_experiment_view(self) -> None:
        self.session.experiment_view = next_view(self.session.experiment_view)
        with self.reporting_trouble():
            await self._load_experiments()

    # -- the inspector

    @work(group="details", exclusive=True)
    async def load_details(self) -> None:
        run_id = self.table.cursor_run
        if self.experiment_list.has_focus:
            self._inspect_experiment()
            return
        if run_id is None or not self.session.is_open:
            self.inspector.show(None)
            return
        store = self.session.store
        with self.reporting_trouble():
            details = await read_off_loop(lambda interrupt: store.run_details(run_id, interrupt))
            if details is None or details != self.inspector.details:
                self.inspector.show(details)

    def _inspect_experiment(self) -> None:
        experiment = self.experiment_list.cursor_experiment
        if experiment is not None:
            self.inspector.show_experiment(experiment, self.experiments.count(experiment))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The inspector shows the experiment while one moves among the experiments, else the run."""
        if event.widget is self.experiment_list or (event.widget is self.table and self.inspector.details is None):
            self.load_details()

    @on(MetricGrid.OutlinesWanted)
    @work(group="outlines", exclusive=True)
    async def _load_outlines(self) -> None:
        """One metric at a time: each picture appears as soon as its history is read."""
        grid, store = self.inspector.metric_grid, self.session.store
        run_id, slices = grid.run_id, slices_for(grid.history_width)
        if not run_id or not slices:
            return
        with self.reporting_trouble():
            for key in grid.missing_outlines():
                spans = await read_off_loop(
                    lambda interrupt, key=key: store.history_outline(run_id, key, slices, interrupt)  # type: ignore[misc]
                )
                grid.add_outlines({key: [(span.position, span.low, span.high) for span in spans]})

    @on(LineGrid.RunAsked)
    def _go_to_run(self, message: LineGrid.RunAsked) -> None:
        """To a parent or child: in the table if it is there, else in the inspector alone."""
        table = self.table
        if message.run_id in table.run_ids:
            table.move_to(list(table.run_ids).index(message.run_id))
        else:
            self.notify("That run is not among those listed (deleted, or in another experiment)", timeout=4)

    @on(LineGrid.TextAsked)
    def _show_text(self, message: LineGrid.TextAsked) -> None:
        from mldeck.ui.dialogs.text_dialog import TextDialog

        self.app.push_screen(TextDialog(message.title, message.text))

    def action_tab(self, offset: int) -> None:
        self.inspector.turn(offset)

    # -- edits

    @work(group="edit", exclusive=True)
    async def action_edit(self) -> None:
        await self._change(self._editing.edit_runs, self._editing.edit_experiment)

    @work(group="edit", exclusive=True)
    async def action_delete(self) -> None:
        def delete(experiment: Experiment) -> Awaitable[None]:
            return self._editing.delete_experiment(experiment, self.experiments.count(experiment).active)

        await self._change(self._editing.delete_runs, delete)

    @work(group="edit", exclusive=True)
    async def action_restore(self) -> None:
        await self._change(self._editing.restore_runs, self._editing.restore_experiment)

    @work(group="edit", exclusive=True)
    async def action_undo(self) -> None:
        if not self._says_why_not():
            await self._editing.undo()

    def unavailable(self, action: str) -> str | None:
        return self.session.refusal if action in _EDIT_ACTIONS else None

    async def _change(
        self,
        change_runs: Callable[[RunSubject], Awaitable[None]],
        change_experiment: Callable[[Experiment], Awaitable[None]],
    ) -> None:
        """Where the focus is says what is meant: the experiment under the cursor, or runs."""
        if self._says_why_not():
            return
        with self.reporting_trouble():
            if self.experiment_list.has_focus:
                experiment = self.experiment_list.cursor_experiment
                if experiment is not None:
                    await change_experiment(experiment)
                return
            subject = self._run_subject()
            if subject is not None:
                await change_runs(subject)

    def _says_why_not(self) -> bool:
        reason = self.session.refusal
        if reason:
            self.notify(safe(f"Read-only: {reason}"), severity="warning", markup=False, timeout=4)
        return bool(reason)

    def _run_subject(self) -> RunSubject | None:
        from mldeck.ui.screens.editing import RunSubject

        marked = list(self.session.marked)
        if marked:
            return RunSubject(marked, f"{len(marked)} marked {'run' if len(marked) == 1 else 'runs'}")
        record = self.table.cursor_record
        return None if record is None else RunSubject([record.run.run_id], record.run.label, record.run.run_name or "")

    # -- moving about

    @on(Grid.CursorMoved)
    def _cursor_moved(self, message: Grid.CursorMoved) -> None:
        if isinstance(message.grid, RunTable):
            self.settle("details", self.load_details)
        elif isinstance(message.grid, ExperimentList):
            self._inspect_experiment()
            self.settle("experiment", self._show_cursor_experiment)

    @on(Grid.Opened)
    def _opened(self, message: Grid.Opened) -> None:
        if isinstance(message.grid, RunTable):
            self.set_focus(self.inspector.tab_grid)
        elif isinstance(message.grid, ExperimentList):
            self._show_cursor_experiment()
            self.set_focus(self.table)

    def _show_cursor_experiment(self) -> None:
        experiment = self.experiment_list.cursor_experiment
        if experiment is not None:
            self._show_experiment(experiment)

    def on_key(self) -> None:
        self.table.touch()


def _pane(widget: _AnyWidget, title: str) -> _AnyWidget:
    widget.add_class("pane")
    widget.border_title = title
    return widget
