"""The place Runs: experiments, the run table, and the inspector of the run under the cursor."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from mldeck.charts.sparkline import slices_for
from mldeck.format import safe
from mldeck.model import Experiment, View
from mldeck.ui import run_reading
from mldeck.ui.keys import INSPECTOR, bindings
from mldeck.ui.screens.run_listing import RunListing
from mldeck.ui.session import next_view, read_off_loop
from mldeck.ui.widgets.detail_grids import LineGrid, MetricGrid
from mldeck.ui.widgets.experiment_list import ExperimentList
from mldeck.ui.widgets.filter_line import FilterLine
from mldeck.ui.widgets.grid import Grid
from mldeck.ui.widgets.inspector import Inspector
from mldeck.ui.widgets.run_table import RunTable

_AnyWidget = TypeVar("_AnyWidget", bound=Widget)


class RunsScreen(RunListing):
    BINDINGS: ClassVar[list[BindingType]] = bindings(INSPECTOR)

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="lists"):
            yield _pane(ExperimentList(id="experiments"), "Experiments")
            with _pane(Vertical(id="run-pane"), "Runs"):
                yield FilterLine()
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
        if opening.chosen is not None and opening.page is not None:
            self._choose(opening.chosen)
            self.show_runs(opening.page, None, None)

    async def read_again(self) -> None:
        await self._load_experiments()
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
        pane.border_title = "Experiments" if view is View.ACTIVE else f"Experiments · {view.value}"
        pane.empty_text = f"No {view.value} experiments.\nv shows others."
        chosen = self.session.experiment
        pane.show(self.experiments.experiments, self.experiments.run_counts, chosen.experiment_id if chosen else None)
        self.show_title()

    def _choose_first_experiment(self) -> None:
        wanted = self.session.settings.experiment
        experiment = self.experiments.named(wanted) if wanted else None
        if wanted and experiment is None:
            self.notify(f"No experiment {safe(wanted)}", severity="warning", markup=False)
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
        self.load_runs()

    def _choose(self, experiment: Experiment) -> None:
        session = self.session
        session.experiment = experiment
        session.columns, session.order = (), ()
        session.filter = session.filters.get(experiment.experiment_id, "")
        self.filter_line.set_text(session.filter)
        self.experiment_list.choose(experiment.experiment_id)
        self.table.forget()

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
            self.inspector.tab_grid.focus()
        elif isinstance(message.grid, ExperimentList):
            self._show_cursor_experiment()
            self.table.focus()

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
