"""The place Runs: experiments, the run table, and the inspector of the run under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from mldeck.charts.sparkline import slices_for
from mldeck.format import safe
from mldeck.model import Experiment, RunQuery, View
from mldeck.ui import run_reading
from mldeck.ui.keys import INSPECTOR, bindings
from mldeck.ui.screens.place import Place
from mldeck.ui.session import Session, next_view, read_off_loop
from mldeck.ui.widgets.detail_grids import LineGrid, MetricGrid
from mldeck.ui.widgets.experiment_list import ExperimentList
from mldeck.ui.widgets.grid import Grid
from mldeck.ui.widgets.inspector import Inspector
from mldeck.ui.widgets.run_cells import RunCells
from mldeck.ui.widgets.run_table import RunTable

_AnyWidget = TypeVar("_AnyWidget", bound=Widget)


class RunsScreen(Place):
    BINDINGS: ClassVar[list[BindingType]] = bindings(INSPECTOR)
    AUTO_FOCUS = "#runs"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._experiments = run_reading.Experiments((), {})
        self._is_counted = False

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="lists"):
            yield _pane(ExperimentList(id="experiments"), "Experiments")
            yield _pane(RunTable(id="runs"), "Runs")
        yield _pane(Inspector(id="inspector"), "")

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    @property
    def main_grid(self) -> Grid:
        return self.table

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
            self._show_runs(opening.page, None, None)

    async def read_again(self) -> None:
        await self._load_experiments()
        if self.session.experiment is None:
            self._choose_first_experiment()
        else:
            await self._read_runs_again()
        self.load_details()

    # -- experiments

    async def _load_experiments(self) -> None:
        store, view = self.session.store, self.session.experiment_view
        self._show_experiments(
            await read_off_loop(lambda interrupt: run_reading.read_experiments(store, view, interrupt))
        )

    def _show_experiments(self, experiments: run_reading.Experiments) -> None:
        self._experiments, view = experiments, self.session.experiment_view
        pane = self.experiment_list
        pane.border_title = "Experiments" if view is View.ACTIVE else f"Experiments · {view.value}"
        pane.empty_text = f"No {view.value} experiments.\nv shows others."
        chosen = self.session.experiment
        pane.show(self._experiments.experiments, self._experiments.run_counts, chosen.experiment_id if chosen else None)
        self.show_title()

    def _choose_first_experiment(self) -> None:
        wanted = self.session.settings.experiment
        experiment = self._experiments.named(wanted) if wanted else None
        if wanted and experiment is None:
            self.notify(f"No experiment {safe(wanted)}", severity="warning", markup=False)
        experiment = experiment or self._experiments.first_choice
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
        self.session.experiment = experiment
        self.session.columns = ()
        self.session.order = ()
        self.experiment_list.choose(experiment.experiment_id)
        self.table.forget()

    @on(ExperimentList.ViewAsked)
    @work(group="experiments", exclusive=True)
    async def _cycle_experiment_view(self) -> None:
        self.session.experiment_view = next_view(self.session.experiment_view)
        with self.reporting_trouble():
            await self._load_experiments()

    # -- runs

    @work(group="runs", exclusive=True)
    async def load_runs(self) -> None:
        """Reads the runs of another experiment or stage: the first page at once, then the whole order."""
        session = self.session
        query = session.query
        if query is None:
            return
        store, columns = session.store, session.columns
        self._is_counted = False
        with self.reporting_trouble(), self.saying_busy("reading runs"):
            page = await read_off_loop(lambda interrupt: run_reading.read_first_page(store, query, columns, interrupt))
            self._show_runs(page, None, None)
            if len(page.run_ids) < run_reading.FIRST_PAGE:
                self._runs_counted()
            else:
                await self._read_order(query, from_top=False)

    async def _read_runs_again(self) -> None:
        """Others changed the database: the rows stay where they are, with what is in them now."""
        query = self.session.query
        if query is None or any(worker.group == "runs" and worker.is_running for worker in self.workers):
            return  # what is being read is as new as it gets
        with self.saying_busy("reading runs"):
            await self._read_order(query, from_top=False)

    async def _read_order(self, query: RunQuery, *, from_top: bool) -> None:
        table, store, columns = self.table, self.session.store, self.session.columns
        top_run = None if from_top else table.top_run
        page = await read_off_loop(
            lambda interrupt: run_reading.read_all_rows(store, query, columns, top_run, interrupt)
        )
        if query != self.session.query:
            return
        if not table.shows(page.run_ids, page.records, page.columns, query.order):
            self._show_runs(page, table.cells, None if from_top else table.cursor_run)
        self._runs_counted()

    def _show_runs(self, page: run_reading.RunPage, previous: RunCells | None, cursor_run: str | None) -> None:
        """`previous`: what the table was made of, if no column is to get narrower."""
        table = self.table
        self.session.columns = page.columns
        shown_before = table.cursor_run
        table.empty_text = self._empty_text()
        cells = RunCells(page.columns, list(page.records.values()), previous)
        table.show(page.run_ids, page.records, cells, self.session.order, cursor_run)
        if table.cursor_run != shown_before:
            self.settle("details", self.load_details)

    def _runs_counted(self) -> None:
        self._is_counted = True
        self.show_title()

    def _empty_text(self) -> str:
        view = self.session.run_view
        if view is View.ACTIVE:
            return "No runs here yet.\nThey appear as soon as something logs to this experiment; v shows deleted ones."
        return f"No {view.value} runs here.\nv shows others."

    def show_title(self) -> None:
        table, session = self.table, self.session
        if session.experiment is None:
            return
        table.border_title = Content(f"Runs of {safe(session.experiment.name)}")
        parts = []
        if self.busy:
            parts.append(self.busy)
        elif self._is_counted and session.query is not None:
            parts.append(_counted(table.row_count, session.query.view))
        for key in session.order:
            parts.append(f"sorted by {safe(key.column.key)} {'▼' if key.descending else '▲'}")
        if session.marked:
            parts.append(f"{len(session.marked)} marked")
        table.border_subtitle = Content(" · ".join(parts))

    @on(RunTable.RowsWanted)
    @work(group="rows", exclusive=True)
    async def _load_rows(self) -> None:
        table = self.table
        ids = table.missing_rows()
        if not ids or not self.session.is_open:
            return
        store, fields = self.session.store, run_reading.fields_of(self.session.columns)
        with self.reporting_trouble():
            records = await read_off_loop(lambda interrupt: store.run_records(ids, fields, interrupt))
            table.add_records(records)

    @on(RunTable.SortAsked)
    def _sort(self, message: RunTable.SortAsked) -> None:
        if self.session.query is None:
            return
        self.session.cycle_sort(message.column)
        self.show_title()
        self.load_sorted()

    @work(group="runs", exclusive=True)
    async def load_sorted(self) -> None:
        """The table stays as it is until the new order is there; then it is shown from the top."""
        query = self.session.query
        if query is None:
            return
        with self.reporting_trouble(), self.saying_busy("sorting"):
            await self._read_order(query, from_top=True)

    @on(RunTable.MarkAsked)
    def _mark(self, message: RunTable.MarkAsked) -> None:
        self.session.toggle_mark(message.run_id)
        self.table.marked = self.session.marked
        self.table.repaint_rows(list(self.table.visible_rows))
        self.show_title()

    @on(RunTable.ViewAsked)
    def _cycle_run_view(self) -> None:
        self.session.run_view = next_view(self.session.run_view)
        self.table.forget()
        self.load_runs()

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
            self.inspector.show_experiment(experiment, self._experiments.count(experiment))

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

    def stop_reading(self) -> None:
        self.workers.cancel_group(self, "runs")
        self.session.order = tuple(self.table.order)
        self.show_title()

    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        if not isinstance(grid, RunTable):
            return grid.found_rows(text) if text else ()
        query = self.session.query
        if not text or query is None:
            grid.matches = frozenset()
            grid.repaint()
            return ()
        store, columns = self.session.store, self.session.columns
        found = await read_off_loop(lambda interrupt: store.find_runs(query, text, columns, interrupt))
        grid.matches = found
        grid.repaint()
        return [row for row, run_id in enumerate(grid.run_ids) if run_id in found]


def _pane(widget: _AnyWidget, title: str) -> _AnyWidget:
    widget.add_class("pane")
    widget.border_title = title
    return widget


def _counted(count: int, view: View) -> str:
    noun = "run" if count == 1 else "runs"
    return f"{count:,} {noun}" if view is View.ACTIVE else f"{count:,} {noun} ({view.value})"
