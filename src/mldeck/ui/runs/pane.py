"""The runs in the table: which ones, in what order, sorted and filtered, and read when they come into view."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import BindingType
from textual.content import Content
from textual.worker import Worker, WorkerError

from mldeck.format import safe
from mldeck.model import Column, Kind, OrderKey, RunFields, RunQuery, View
from mldeck.ui.details.run_cells import RunCells
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings
from mldeck.ui.kit.mounting import made
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.place import Place, no_match_text
from mldeck.ui.runs import reading as run_reading
from mldeck.ui.runs.keys import RUN_PLACE
from mldeck.ui.runs.table import RunTable
from mldeck.ui.state.arrangement import HEADING, Heading, Layout
from mldeck.ui.state.session import Session, next_view

if TYPE_CHECKING:
    from mldeck.ui.filter.completer import Completer
    from mldeck.ui.filter.filter_line import FilterLine

TEXTS = (Kind.PARAM, Kind.TAG)
"""What is text in the database, and what runs can be grouped by."""


class RunListing(Place):
    """The part of the place Runs that is about the table; what is around it, the subclass adds."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(RUN_PLACE)
    AUTO_FOCUS = "#runs"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.experiments = run_reading.Experiments(())
        self._count: int | None = None
        """Listed runs; None while they have not been counted."""
        self._completer: Completer | None = None

    def come_back(self) -> None:
        """Marks may have been taken away."""
        super().come_back()
        self.show_marks()

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    @property
    def main_grid(self) -> Grid:
        return self.table

    @property
    def filter_line(self) -> FilterLine:
        from mldeck.ui.filter.filter_line import FilterLine

        return self.query_one(FilterLine)

    async def _opened_filter_line(self) -> FilterLine:
        """Made when it is first needed: the search language takes a while to load, and most looks at runs need none."""
        from mldeck.ui.filter.filter_line import FilterLine

        line = next(iter(self.query(FilterLine)), None) or FilterLine()
        return await made(self.query_one("#run-pane"), line, before=0)

    @work(group="filter-line")
    async def show_filter(self, text: str) -> None:
        """Says in the filter line what the runs are filtered by."""
        if text or self.query("#filter"):
            (await self._opened_filter_line()).set_text(text)

    @abstractmethod
    def load_details(self) -> object:
        """Shows what belongs to the run under the cursor."""

    # -- reading

    @work(group="runs", exclusive=True)
    async def load_runs(self) -> None:
        """Reads the runs of another experiment or stage: the first page at once, then the whole order."""
        session = self.session
        query = session.query
        if query is None:
            return
        store, choice, columns = session.store, session.choice, session.columns
        self._count = None
        with self.reporting_trouble(), self.saying_busy("reading runs"):
            if session.layout.is_flat:
                page = await read_off_loop(
                    lambda interrupt: run_reading.read_first_page(store, query, choice, columns, interrupt)
                )
                self.show_runs(page, None, None)
                if page.count < run_reading.FIRST_PAGE:
                    self._runs_counted(page.count)
                    return
            await self._read_order(query)

    async def read_runs_again(self) -> None:
        """Others changed the database: the rows stay where they are, with what is in them now."""
        query = self.session.query
        if query is None or self._listing is not None:
            return  # what is being read is as new as it gets
        with self.saying_busy("reading runs"):
            await self._read_order(query, is_live=True)

    async def _read_order(self, query: RunQuery, *, from_top: bool = False, is_live: bool = False) -> None:
        table, store, choice, columns = self.table, self.session.store, self.session.choice, self.session.columns
        top_run, layout = None if from_top else table.top_run, self.session.layout
        shown = run_reading.Shown(columns, table.columns_around(), top_run)
        page = await read_off_loop(
            lambda interrupt: run_reading.read_all_rows(store, query, layout, choice, shown, interrupt)
        )
        if query != self.session.query or layout != self.session.layout or choice != self.session.choice:
            return
        if table.shows(page.arrangement, page.records, page.read, page.columns, query.order):
            table.empty_text = self._empty_text()
            table.keep_only(page.records, page.read)
        else:
            self.show_runs(page, table.cells, None if from_top else table.cursor, is_live=is_live)
        self._runs_counted(page.count)

    def show_runs(
        self,
        page: run_reading.RunPage,
        previous: RunCells | None,
        cursor: str | Heading | None,
        *,
        is_live: bool = False,
    ) -> None:
        """`previous`: what the table was made of, if no column is to get narrower."""
        table = self.table
        self.session.columns = page.columns
        shown_before = table.cursor_run
        table.empty_text = self._empty_text()
        cells = RunCells(
            page.columns, list(page.records.values()), previous, read=page.read, look=self.session.look(page.columns)
        )
        order = self.session.order
        table.show(page.arrangement, page.records, page.read, cells, order, cursor, is_live=is_live)
        if table.cursor_run != shown_before:
            self.settle("details", self.load_details)

    def _runs_counted(self, count: int) -> None:
        self._count = count
        self.show_title()

    def _empty_text(self) -> str:
        view = self.session.run_view
        if self.session.filter:
            return no_match_text("No run", self.session.filter)
        if view is View.ACTIVE:
            return "No runs here yet.\nThey appear as soon as something logs to this experiment; v shows deleted ones."
        return f"No {view.value} runs here.\nv shows others."

    def show_title(self) -> None:
        session = self.session
        scope = session.scope
        if not scope:
            return
        pane = self.query_one("#run-pane")
        name = scope[0].name if len(scope) == 1 else f"{len(scope)} experiments"
        pane.border_title = Content(f"Runs of {safe(name)}")
        parts = []
        if self.busy:
            parts.append(self.busy)
        elif self._count is not None and session.query is not None:
            parts.append(self._counted(self._count, session.query))
        if self.table.newer_above:
            is_newest_first = not session.order and session.layout.group_by is None
            parts.append(f"{self.table.newer_above:,} {'newer' if is_newest_first else 'more'} above (g)")
        parts += (f"sorted by {_sort_text(key)}" for key in session.order)
        if session.layout.group_by is not None:
            of_metric = f", with {safe(session.layout.metric)}" if session.layout.metric else ""
            parts.append(f"grouped by {safe(session.layout.group_by.key)}{of_metric}")
        if session.marked:
            parts.append(f"{'only ' if session.layout.only is not None else ''}{len(session.marked)} marked")
        pane.border_subtitle = Content(" · ".join(parts))

    @on(RunTable.NewerSeen)
    def _newer_seen(self) -> None:
        self.show_title()

    def _counted(self, count: int, query: RunQuery) -> str:
        """`37 of 10,000 runs` when there is a filter; the stage when it is not the active one."""
        stage = "" if query.view is View.ACTIVE else f" ({query.view.value})"
        of_all = ""
        if query.filter and self.experiments.counts is not None:
            listed = (self.experiments.count(each).in_view(query.view) for each in self.session.scope)
            of_all = f" of {sum(listed):,}"
        return f"{count:,}{of_all} {'run' if count == 1 and not of_all else 'runs'}{stage}"

    @on(RunTable.RowsWanted)
    @work(group="rows", exclusive=True)
    async def _load_rows(self) -> None:
        table = self.table
        ids, columns = table.missing()
        if not ids or not self.session.is_open:
            return
        store, fields = self.session.store, RunFields.of(columns)
        with self.reporting_trouble():
            records = await read_off_loop(lambda interrupt: store.run_records(ids, fields, interrupt))
            table.add_records(records, columns)

    # -- sorting

    @on(RunTable.SortAsked)
    def _sort(self, message: RunTable.SortAsked) -> None:
        """The order changes at once, so that no key press is lost; reading it is what may be overtaken."""
        if not isinstance(message, RunTable.SortKindAsked):
            self.session.cycle_sort(message.column, also=message.also)
        elif not self.session.switch_sort_kind(message.column):
            self.notify("Sort by this column first", timeout=3)
            return
        self.show_title()
        self.load_sorted()

    @work(group="runs", exclusive=True)
    async def load_sorted(self) -> None:
        """The table stays as it is until the new order is there; then it is shown from the top."""
        session = self.session
        if session.query is None:
            return
        with self.reporting_trouble(), self.saying_busy("sorting"):
            for column in (key.column for key in session.order):
                if column.kind in TEXTS and column not in session.numeric:
                    session.sort_as_number(column, await self._is_numeric(session.query, column))
            self.show_title()
            await self._read_order(session.query, from_top=True)

    async def _is_numeric(self, query: RunQuery, column: Column) -> bool:
        """Params and tags that are all numbers are sorted as numbers."""
        store = self.session.store
        return await read_off_loop(lambda interrupt: store.is_numeric(query, column.kind, column.key, interrupt))

    # -- the filter

    async def action_filter(self) -> None:
        line = await self._opened_filter_line()
        line.history = self.session.memory.history
        self._completer = None
        line.edit()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.settle("filter", lambda: self._apply_filter(message.text))

    def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        self.forget_settling("filter")
        self._apply_filter(message.text)
        self.session.memory.add_filter(message.text.strip())
        self.set_focus(self.table)

    def action_clear_filter(self) -> None:
        if not self.session.filter:
            self.notify("There is no filter", timeout=2)
            return
        self.forget_settling("filter")
        self.show_filter("")
        self._apply_filter("")

    def _apply_filter(self, text: str) -> None:
        session = self.session
        if not session.scope or text.strip() == session.filter:
            return
        session.filter = session.filters[session.scope_id] = text.strip()
        self.load_filtered()

    @work(group="runs", exclusive=True)
    async def load_filtered(self) -> None:
        """The last good table stays until the new one is there; the cursor stays on its run if that is still in it."""
        query = self.session.query
        if query is None:
            return
        with self.reporting_trouble(), self.saying_busy("filtering"):
            await self._read_order(query)

    @work(group="complete", exclusive=True)
    async def on_filter_line_candidates_wanted(self, message: FilterLine.CandidatesWanted) -> None:
        from mldeck.ui.filter.completer import Completer

        if self._completer is None:
            sample = list(self.table.run_ids[: run_reading.FIRST_PAGE])
            self._completer = Completer(self.session.store, sample, self.session.memory.starred)
        completer = self._completer
        with self.reporting_trouble():
            found = await read_off_loop(lambda interrupt: completer.candidates(message.text, message.cursor, interrupt))
            message.line.show_candidates(message.text, found)

    def on_filter_line_star_asked(self, message: FilterLine.StarAsked) -> None:
        memory = self.session.memory
        if message.text in memory.starred.values():
            memory.unstar(message.text)
            self.notify("No longer kept", timeout=2)
            return
        from mldeck.ui.kit.dialogs.line_input import NameDialog

        def keep(name: str | None) -> None:
            if name:
                memory.star(name, message.text)
                self.notify(f"Kept as {name}: it is offered when the filter is empty", timeout=4)

        self.app.push_screen(NameDialog("Keep this filter as", ""), keep)

    # -- marks and stages

    @on(RunTable.MarkAsked)
    def _mark(self, message: RunTable.MarkAsked) -> None:
        self.session.toggle_marks(message.run_ids)
        self.show_marks()

    @on(RunTable.AllMarkAsked)
    def _mark_all(self) -> None:
        if self._listing is None:
            self.session.toggle_marks([run_id for run_id in self.table.run_ids if run_id != HEADING])
            self.show_marks()
        else:
            self._mark_when_listed()

    @work(group="mark")
    async def _mark_when_listed(self) -> None:
        """Those that are there, if somebody stops the reading."""
        while (listing := self._listing) is not None:
            with suppress(WorkerError):
                await listing.wait()
        self._mark_all()

    @property
    def _listing(self) -> Worker[object] | None:
        """What reads which runs there are, and in what order."""
        return next((each for each in self.workers if each.group == "runs" and not each.is_finished), None)

    def show_marks(self) -> None:
        """Other runs are marked now."""
        self.table.marked = self.session.marked
        self.table.repaint_rows(list(self.table.visible_rows))
        self.top_bar.show_marked(len(self.session.marked))
        self.show_title()

    @on(RunTable.LayoutAsked)
    def _arrange(self, message: RunTable.LayoutAsked) -> None:
        layout = self._wanted_layout(message.what)
        if layout is not None and layout != self.session.layout:
            self.session.layout = layout
            self.load_filtered()

    def _wanted_layout(self, what: str) -> Layout | None:
        """What the present layout becomes; None, and a word why, where it cannot be done."""
        layout, table = self.session.layout, self.table
        if what == "tree":
            return replace(layout, is_tree=not layout.is_tree, group_by=None)
        if what == "marked":
            if layout.only is None and not self.session.marked:
                self.notify("No run is marked: Space marks one", timeout=3)
                return None
            return replace(layout, only=None if layout.only is not None else frozenset(self.session.marked))
        if what == "groups":
            return self._other_groups(layout)
        if table.cursor_heading is not None:
            return replace(layout, opened=layout.opened ^ {table.cursor_heading.value})
        if layout.is_tree and table.cursor_run in table.arrangement.child_counts:
            return replace(layout, folded=layout.folded ^ {str(table.cursor_run)})
        self.notify("Nothing to fold here: T shows nested runs as a tree, B groups them", timeout=3)
        return None

    def _other_groups(self, layout: Layout) -> Layout | None:
        """Groups by the column under the cursor, measured by the metric that is sorted by, else the first one shown."""
        column = self.table.cursor_key
        if layout.group_by is not None and (column is None or column == layout.group_by or column.kind not in TEXTS):
            return replace(layout, group_by=None)
        if column is None or column.kind not in TEXTS:
            self.notify("Go to a param or a tag: runs are grouped by the column under the cursor", timeout=3)
            return None
        shown = (*(key.column for key in self.session.order), *self.session.columns)
        metric = next((each.key for each in shown if each.kind is Kind.METRIC), None)
        return replace(layout, is_tree=False, group_by=column, metric=metric, opened=frozenset())

    @on(RunTable.ViewAsked)
    def _cycle_run_view(self) -> None:
        self.session.run_view = next_view(self.session.run_view)
        self.table.forget()
        self.load_runs()

    def stop_reading(self) -> None:
        self.workers.cancel_group(self, "runs")
        self.session.order = tuple(self.table.order)
        self.show_title()

    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        if not isinstance(grid, RunTable):
            return await grid.find_rows(text)
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


def _sort_text(key: OrderKey) -> str:
    kind = " as number" if key.as_number else ""
    return f"{safe(key.column.key)}{kind} {'▼' if key.descending else '▲'}"
