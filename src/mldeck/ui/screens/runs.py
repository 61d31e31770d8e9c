"""The place Runs: experiments, the run table, and the inspector of the run under the cursor."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from mldeck.errors import MldeckError, StoreUnavailable
from mldeck.format import safe
from mldeck.model import Experiment, RunQuery, View
from mldeck.ui import run_reading
from mldeck.ui.keys import INSPECTOR, PLACE, bindings
from mldeck.ui.screens.finding import Finder
from mldeck.ui.session import Session, next_view, read_off_loop
from mldeck.ui.widgets.detail_grids import LineGrid, MetricGrid
from mldeck.ui.widgets.experiment_list import ExperimentList
from mldeck.ui.widgets.find_bar import FindBar
from mldeck.ui.widgets.grid import Grid
from mldeck.ui.widgets.inspector import Inspector
from mldeck.ui.widgets.lines import KeyBar, TopBar
from mldeck.ui.widgets.run_cells import RunCells
from mldeck.ui.widgets.run_table import RunTable

POLL_S = 0.4
"""How often the deck looks whether the database changed: what others commit is on screen within a second."""

_SETTLE_S = 0.12
"""How long the cursor must rest before what depends on it is read."""

_BUSY_S = 0.5
"""Reading that takes longer says so."""

_MIN_WIDTH, _MIN_HEIGHT = 60, 16

_AnyWidget = TypeVar("_AnyWidget", bound=Widget)


class RunsScreen(Screen[None]):
    BINDINGS: ClassVar[list[BindingType]] = bindings(PLACE, INSPECTOR)
    AUTO_FOCUS = "#runs"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (160, "-wide")]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._experiments = run_reading.Experiments((), {})
        self._finder = Finder(self, self._find_rows)
        self._settling: dict[str, Timer] = {}
        self._is_counted = False
        self._busy = ""

    def compose(self) -> ComposeResult:
        yield TopBar(str(self.session.path), id="top")
        with Container(id="body"):
            with Horizontal(id="lists"):
                yield _pane(ExperimentList(id="experiments"), "Experiments")
                yield _pane(RunTable(id="runs"), "Runs")
            yield _pane(Inspector(id="inspector"), "")
        yield KeyBar(id="keys")
        yield Static(f"mldeck needs at least {_MIN_WIDTH}x{_MIN_HEIGHT} characters", id="too-small")

    def on_mount(self) -> None:
        self.open_store()

    def on_unmount(self) -> None:
        # Leaving waits for threads; the one that waits for the head start must not wait any longer.
        if self.session.head_start is not None:
            self.session.head_start.stop()

    # -- the widgets

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    @property
    def experiment_list(self) -> ExperimentList:
        return self.query_one(ExperimentList)

    @property
    def inspector(self) -> Inspector:
        return self.query_one(Inspector)

    @property
    def top_bar(self) -> TopBar:
        return self.query_one(TopBar)

    # -- opening and following

    @work(group="open", exclusive=True)
    async def open_store(self) -> None:
        """Shows what the head start read, connects as soon as the file lets itself be read, and follows it from there."""
        session = self.session
        if session.head_start is not None:
            opening = await asyncio.to_thread(session.head_start.result)
            if opening is not None:
                self._show_opening(opening)
        while not session.is_open:
            try:
                await asyncio.to_thread(session.open)
            except StoreUnavailable as error:
                self.top_bar.set_trouble(f"{error}; waiting")
                await asyncio.sleep(1)
            except MldeckError as error:
                self.app.exit(str(error), return_code=1)
                return
        self.top_bar.set_trouble("")
        for notice in session.store.notices:
            self.notify(safe(notice), markup=False, timeout=10)
        self._show_state()
        _collect_garbage_again()
        self.follow(is_stale=True)

    def _show_opening(self, opening: run_reading.Opening) -> None:
        self._show_experiments(opening.experiments)
        if opening.chosen is not None and opening.page is not None:
            self._choose(opening.chosen)
            self._show_runs(opening.page, None, None)

    def _show_state(self) -> None:
        store = self.session.store
        mode = "read-only" if store.read_only_reason else "rw"
        self.top_bar.set_state(f"{'copy' if store.is_snapshot else 'live'} · {mode}")

    @work(group="follow", exclusive=True)
    async def follow(self, *, is_stale: bool) -> None:
        """Looks whether others changed the database, and reads what is on screen again when they did.

        A large store that changes all the time is not read all the time: the pause grows with what reading costs.
        """
        while True:
            started = time.monotonic()
            try:
                change = await asyncio.to_thread(self.session.store.poll)
                is_stale = is_stale or change.value != "nothing"
                if change.value == "file":
                    self._show_state()
                if is_stale:
                    await self._read_again()
                    is_stale = False
                    self.top_bar.set_trouble("")
            except MldeckError as error:
                is_stale = True
                self.top_bar.set_trouble(str(error))
            await asyncio.sleep(max(POLL_S, min(5.0, 2 * (time.monotonic() - started))))

    async def _read_again(self) -> None:
        """Everything on screen, with cursor, scrolling and marks where they are."""
        await self._load_experiments()
        if self.session.experiment is None:
            self._choose_first_experiment()
        else:
            await self._read_runs_again()
        self.load_details()

    @work(group="refresh", exclusive=True)
    async def action_refresh(self) -> None:
        with self._reporting_trouble():
            if self.session.is_open:
                await asyncio.to_thread(self.session.store.reopen)
                await self._read_again()
                self.top_bar.set_trouble("")
                self.notify("Read again", timeout=1)

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
        self._show_title()

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
        with self._reporting_trouble():
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
        with self._reporting_trouble(), self._saying_busy("reading runs"):
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
        with self._saying_busy("reading runs"):
            await self._read_order(query, from_top=False)

    async def _read_order(self, query: RunQuery, *, from_top: bool) -> None:
        table, store, columns = self.table, self.session.store, self.session.columns
        top_run = None if from_top else table.top_run
        page = await read_off_loop(
            lambda interrupt: run_reading.read_all_rows(store, query, columns, top_run, interrupt)
        )
        if query != self.session.query:
            return
        if not table.shows(page.run_ids, page.records, page.columns):
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
            self._settle("details", self.load_details)

    def _runs_counted(self) -> None:
        self._is_counted = True
        self._show_title()

    def _empty_text(self) -> str:
        view = self.session.run_view
        if view is View.ACTIVE:
            return "No runs here yet.\nThey appear as soon as something logs to this experiment; v shows deleted ones."
        return f"No {view.value} runs here.\nv shows others."

    def _show_title(self) -> None:
        table, session = self.table, self.session
        if session.experiment is None:
            return
        table.border_title = Content(f"Runs of {safe(session.experiment.name)}")
        parts = []
        if self._busy:
            parts.append(self._busy)
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
        with self._reporting_trouble():
            records = await read_off_loop(lambda interrupt: store.run_records(ids, fields, interrupt))
            table.add_records(records)

    @on(RunTable.SortAsked)
    def _sort(self, message: RunTable.SortAsked) -> None:
        if self.session.query is None:
            return
        self.session.cycle_sort(message.column)
        self._show_title()
        self.load_sorted()

    @work(group="runs", exclusive=True)
    async def load_sorted(self) -> None:
        """The table stays as it is until the new order is there; then it is shown from the top."""
        query = self.session.query
        if query is None:
            return
        with self._reporting_trouble(), self._saying_busy("sorting"):
            await self._read_order(query, from_top=True)

    @on(RunTable.MarkAsked)
    def _mark(self, message: RunTable.MarkAsked) -> None:
        self.session.toggle_mark(message.run_id)
        self.table.marked = self.session.marked
        self.table.repaint_rows(list(self.table.visible_rows))
        self._show_title()

    @on(RunTable.ViewAsked)
    def _cycle_run_view(self) -> None:
        self.session.run_view = next_view(self.session.run_view)
        self.table.forget()
        self.load_runs()

    # -- the inspector

    @work(group="details", exclusive=True)
    async def load_details(self) -> None:
        run_id = self.table.cursor_run
        if run_id is None or not self.session.is_open:
            self.inspector.show(None)
            return
        store = self.session.store
        with self._reporting_trouble():
            details = await read_off_loop(lambda interrupt: store.run_details(run_id, interrupt))
            if details != self.inspector.details:
                self.inspector.show(details)

    @on(MetricGrid.OutlinesWanted)
    @work(group="outlines", exclusive=True)
    async def _load_outlines(self) -> None:
        """One metric at a time: each picture appears as soon as its history is read."""
        from mldeck.charts.sparkline import slices_for

        grid, store = self.inspector.metric_grid, self.session.store
        run_id, slices = grid.run_id, slices_for(grid.history_width)
        if not run_id or not slices:
            return
        with self._reporting_trouble():
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
            self._settle("details", self.load_details)
        elif isinstance(message.grid, ExperimentList):
            self._settle("experiment", self._show_cursor_experiment)

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

    def _settle(self, what: str, action: object) -> None:
        """Does it when nothing more has happened for a moment."""
        if what in self._settling:
            self._settling[what].stop()
        self._settling[what] = self.set_timer(_SETTLE_S, action)  # type: ignore[arg-type]

    def on_key(self) -> None:
        self.table.touch()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < _MIN_WIDTH or event.size.height < _MIN_HEIGHT, "-too-small")

    async def action_back(self) -> None:
        """One step: stop what is being read, drop the matches, or go back to the table."""
        if self._busy:
            self.workers.cancel_group(self, "runs")
            self.notify("Stopped", timeout=2)
        elif self._finder.has_matches:
            await self._finder.forget()
        elif not self.table.has_focus:
            self.table.focus()

    # -- quick find

    async def action_find(self) -> None:
        focused = self.focused
        await self._finder.open(focused if isinstance(focused, Grid) else self.table, before="keys")

    @on(FindBar.Changed)
    @work(group="find", exclusive=True)
    async def _search(self, message: FindBar.Changed) -> None:
        with self._reporting_trouble():
            await self._finder.search(message.text)

    @on(FindBar.Stepped)
    def _step(self, message: FindBar.Stepped) -> None:
        self._finder.step(message.step)

    @on(FindBar.Closed)
    async def _close_find(self, message: FindBar.Closed) -> None:
        await self._finder.close(keep=message.keep)

    def action_find_next(self) -> None:
        self._finder.step(1)

    def action_find_previous(self) -> None:
        self._finder.step(-1)

    async def _find_rows(self, grid: Grid, text: str) -> Sequence[int]:
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

    # -- saying what is going on

    @contextmanager
    def _reporting_trouble(self) -> Iterator[None]:
        """A store that cannot be read now is said at the top; `follow` takes the message away when it can."""
        try:
            yield
        except MldeckError as error:
            self.top_bar.set_trouble(str(error))

    @contextmanager
    def _saying_busy(self, what: str) -> Iterator[None]:
        def say() -> None:
            self._busy = f"{what}… Esc stops"
            self._show_title()

        timer = self.set_timer(_BUSY_S, say)
        try:
            yield
        finally:
            timer.stop()
            if self._busy:
                self._busy = ""
                self._show_title()


def _collect_garbage_again() -> None:
    """The command line switched it off for the start; what was made until now stays, and need not be looked at again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _pane(widget: _AnyWidget, title: str) -> _AnyWidget:
    widget.add_class("pane")
    widget.border_title = title
    return widget


def _counted(count: int, view: View) -> str:
    noun = "run" if count == 1 else "runs"
    return f"{count:,} {noun}" if view is View.ACTIVE else f"{count:,} {noun} ({view.value})"
