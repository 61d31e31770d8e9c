"""The pane with the run table: lists, filters, sorts and arranges the runs, and reads their values when they come into view."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.worker import Worker, WorkerError

from mldeck.errors import MldeckError
from mldeck.format import cell_width, safe
from mldeck.model import Column, Kind, OrderKey, RunQuery, View
from mldeck.ui.details.run_cells import RunCells
from mldeck.ui.kit.keys import key_name
from mldeck.ui.kit.mounting import made
from mldeck.ui.kit.questions import asks
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.place import BORDER_CELLS, Place, no_match_text, retitle
from mldeck.ui.runs import reading
from mldeck.ui.runs.table import RunTable
from mldeck.ui.state.arrangement import GroupHeading, Layout
from mldeck.ui.state.columns import TEXTS, label_of
from mldeck.ui.state.metric_direction import Better, higher_is_better, order_in_words
from mldeck.ui.state.restored import ListChoice
from mldeck.ui.state.session import Session, next_view

if TYPE_CHECKING:
    from mldeck.ui.filter.completer import Completer
    from mldeck.ui.filter.filter_line import FilterLine

_NO_ORDER: tuple[OrderKey, ...] = ()


class RunPane(Vertical):
    """The run table and its filter line, with the workers that read the runs."""

    class CursorRunChanged(Message):
        """Posted when another run is under the cursor because other runs are listed now."""

    def __init__(self, place: Place, session: Session, *, id: str | None = None) -> None:
        """`place` reports what is being read, and errors."""
        super().__init__(id=id)
        self._place = place
        self._session = session
        self.experiments = reading.Experiments(())
        """The experiments with their run counts, for the title: how many of all runs the filter leaves."""
        self._count: int | None = None
        """The number of listed runs; None until they have been counted."""
        self._shown: tuple[RunQuery, Layout] | None = None
        """What the rows were read for."""
        self._trial = ""
        """A filter that is being typed. If no run matches it, the rows stay until the user applies it."""
        self._filter_shown = ""
        """The filter of the rows in the table."""
        self._completer: Completer | None = None
        """Made for each edit of the filter, because the keys may have changed."""

    def compose(self) -> ComposeResult:
        yield RunTable(self._session.clock, id="runs")

    @property
    def table(self) -> RunTable:
        return self.query_one(RunTable)

    @property
    def filter_line(self) -> FilterLine:
        from mldeck.ui.filter.filter_line import FilterLine

        return self.query_one(FilterLine)

    async def opened_filter_line(self) -> FilterLine:
        """Return the filter line. It is made on first use: loading the search language takes a while, and few runs need it."""
        from mldeck.ui.filter.filter_line import FilterLine

        line = next(iter(self.query(FilterLine)), None) or FilterLine()
        return await made(self, line, before=0)

    @work(group="filter-line")
    async def show_filter(self, text: str) -> None:
        """Show the applied filter in the filter line."""
        if text or self.query("#filter"):
            with self.app.batch_update():  # the line is not painted before it has its text
                (await self.opened_filter_line()).set_text(text)

    def list_as(self, choice: ListChoice) -> Worker[None]:
        """Set how the runs are to be listed, and show the filter."""
        self._session.list_as(choice)
        return self.show_filter(choice.filter)

    # -- reading

    @work(group="runs", exclusive=True)
    async def load_runs(self) -> None:
        """Read the runs of another experiment or stage: the first page first, then all rows."""
        session = self._session
        query = session.query
        if query is None:
            return
        store, choice, columns, listed = session.store, session.choice, session.columns, session.listed
        self._count = None
        with self._place.reporting_trouble(), self._place.saying_busy("reading runs"):
            if listed.columns:
                ids = query.experiment_ids
                checked = await read_off_loop(lambda interrupt: reading.checked_choice(store, ids, listed, interrupt))
                if checked != listed and session.listed == listed:
                    session.list_as(checked)
                    query = replace(query, order=checked.order)
            if session.layout.is_flat:
                page = await read_off_loop(
                    lambda interrupt: reading.read_first_page(store, query, choice, columns, interrupt)
                )
                self.show_runs(page, None, None)
                if page.count < reading.FIRST_PAGE:
                    self._runs_counted(page.count)
                    return
            await self._read_order(query)

    async def read_again(self) -> None:
        """Read the runs again after the database has changed; the rows stay in place, with their new values."""
        query = self._session.query
        if query is None or self._listing is not None:
            return  # the rows that are being read are up to date
        with self._place.saying_busy("reading runs"):
            await self._read_order(query, is_live=True)

    async def _read_order(self, query: RunQuery, *, from_top: bool = False, is_live: bool = False) -> None:
        """Read all rows and show them, unless the user has asked for others meanwhile.

        `from_top` moves the cursor and the page to the top. `is_live` says that only the database has changed.
        """
        table, store, choice, columns = self.table, self._session.store, self._session.choice, self._session.columns
        top_run, layout = None if from_top else table.top_run, self._session.layout
        shown = reading.TableState(
            columns,
            table.columns_around(),
            table.columns_on_screen(),
            top_run,
            table.cells.summaries if self._has_groups_of(query, layout) else {},
            is_live,
        )
        page = await read_off_loop(
            lambda interrupt: reading.read_all_rows(store, query, layout, choice, shown, interrupt)
        )
        if query != self._session.query or layout != self._session.layout or choice != self._session.choice:
            return
        if not page.count and table.row_count and query.filter == self._trial != self._filter_shown:
            self._session.filter = self._filter_shown
            self.filter_line.show_note(self._trial, "No run matches this. Enter applies it all the same.")
            return
        self._filter_shown = query.filter
        self._shown = (query, layout)
        if table.shows(page, query.order):
            table.empty_text = self._empty_text()
            table.keep_only(page)
            self._session.columns = page.columns
            self.show_style()  # the user may have changed widths only
        else:
            self.show_runs(page, table.cells, None if from_top else table.cursor, is_live=is_live)
        self._runs_counted(page.count)

    def _has_groups_of(self, query: RunQuery, layout: Layout) -> bool:
        """Return whether the table shows the groups of this layout, perhaps in another order."""
        if self._shown is None:
            return False
        before, shown = self._shown
        same_runs = replace(before, order=_NO_ORDER) == replace(query, order=_NO_ORDER) and shown.only == layout.only
        return same_runs and shown.group_by == layout.group_by

    def show_runs(
        self,
        page: reading.RunPage,
        previous: RunCells | None,
        cursor: str | GroupHeading | None,
        *,
        is_live: bool = False,
    ) -> None:
        """Show a page of runs. `previous` are the cells whose widths are the minimum for the new ones."""
        table = self.table
        self._filter_shown = self._session.filter
        self._session.columns = page.columns
        if page.primary is not None:  # known with the first rows, so that sorting can begin with the best values
            metric, greater = page.primary
            self._session.better.setdefault(metric, Better.HIGHER if greater else Better.LOWER)
        shown_before = table.cursor_run
        table.empty_text = self._empty_text()
        cells = RunCells(
            page.columns,
            list(page.records.values()),
            previous,
            read=page.read,
            style=self._session.column_style(page.columns),
            summaries=page.summaries if page.arrangement.headings else None,
            group_counts={heading.value: heading.count for heading in page.arrangement.headings.values()},
        )
        order = self._session.order
        table.show(page.arrangement, page.records, page.read, cells, order, cursor, is_live=is_live)
        if table.cursor_run != shown_before:
            self.post_message(self.CursorRunChanged())

    def _runs_counted(self, count: int) -> None:
        self._count = count
        self.show_title()
        self.load_best()
        if self._session.filter and self.query("#filter"):
            self.filter_line.check()

    def _empty_text(self) -> str:
        view = self._session.run_view
        if self._session.filter:
            return no_match_text("No run", self._session.filter, "filter", "clear_filter")
        if view is View.ACTIVE:
            return (
                "No runs here yet.\nThey appear as soon as something logs to this experiment; "
                f"{key_name('view_runs')} shows deleted ones."
            )
        return f"No {view.value} runs here.\n{key_name('view_runs')} shows others."

    def show_title(self) -> None:
        session = self._session
        scope = session.scope
        if not scope:
            return
        name = scope[0].name if len(scope) == 1 else f"{len(scope)} experiments"
        parts = []
        if self._place.busy:
            parts.append(self._place.busy)
        elif self._count is not None and session.query is not None:
            parts.append(self._counted(self._count, session.query))
        if self.table.newer_above:
            is_newest_first = not session.order and session.layout.group_by is None
            parts.append(
                f"{self.table.newer_above:,} {'newer' if is_newest_first else 'more'} above ({key_name('first')})"
            )
        after = []
        if session.layout.group_by is not None:
            after.append(f"grouped by {label_of(session.layout.group_by)}")
        if session.marked:
            after.append(f"{'only ' if session.layout.only is not None else ''}{len(session.marked)} marked")
        # Of the words, those in parentheses go first where there is no room.
        words = [order_in_words(key, session.better, key_name("best")) for key in session.order]
        orders = [
            [
                f"sorted by {_sort_text(key)}{text and f', {text}'}"
                for key, text in zip(session.order, texts, strict=True)
            ]
            for texts in ([each.full for each in words], [each.brief for each in words], [""] * len(words))
        ]
        titles = [" · ".join((*parts, *order, *after)) for order in orders]
        text = next(
            (title for title in titles if cell_width(safe(title)) <= self.outer_size.width - BORDER_CELLS), titles[-1]
        )
        retitle(self, f"Runs of {name}", text, self.table.columns_in_view)

    @on(RunTable.ColumnsScrolled)
    @on(RunTable.NewerSeen)
    def _title_changed(self) -> None:
        self.show_title()

    def _counted(self, count: int, query: RunQuery) -> str:
        """Return `37 runs`; `37 of 10,000 runs` with a filter; `37 runs (deleted)` for another stage than the active one."""
        stage = "" if query.view is View.ACTIVE else f" ({query.view.value})"
        of_all = ""
        if query.filter and self.experiments.counts is not None:
            listed = (self.experiments.count(experiment).in_view(query.view) for experiment in self._session.scope)
            of_all = f" of {sum(listed):,}"
        return f"{count:,}{of_all} {'run' if count == 1 and not of_all else 'runs'}{stage}"

    @on(RunTable.RowsWanted)
    @work(group="rows", exclusive=True)
    async def _load_rows(self) -> None:
        table = self.table
        if not self._session.is_open:
            return
        store, shown = self._session.store, self._shown
        with self._place.reporting_trouble():
            ids, columns = table.missing()
            if ids:
                fields = reading.row_fields(columns)
                records = await read_off_loop(lambda interrupt: store.run_records(ids, fields, interrupt))
                table.add_records(records, columns)
            metrics = table.missing_summaries()
            if metrics and shown is not None:
                query, layout = shown
                summaries = await read_off_loop(
                    lambda interrupt: reading.read_summaries(store, query, layout, metrics, interrupt)
                )
                if self._shown is shown:
                    table.add_summaries(summaries)
                else:
                    table.want_rows()

    @work(group="runs", exclusive=True)
    async def load_columns(self) -> None:
        """Read other columns of the same runs. The table is unchanged until they are there."""
        query = self._session.query
        if query is None:
            return
        with self._place.reporting_trouble(), self._place.saying_busy("reading columns"):
            await self._read_order(query)

    # -- the best values

    @work(group="best", exclusive=True)
    async def load_best(self) -> None:
        """Find the best values over all listed runs, not only those in view, and highlight them."""
        session = self._session
        query = session.query
        if query is None or not session.is_open:
            return
        with self._place.reporting_trouble():
            directions = higher_is_better(session.better)
            shown = {column.key for column in session.columns if column.kind is Kind.METRIC}
            wanted = {key: greater for key, greater in directions.items() if key in shown}
            plain, store = replace(query, order=_NO_ORDER), session.store
            values = (
                await read_off_loop(lambda interrupt: store.best_values(plain, wanted, interrupt)) if wanted else {}
            )
            self.table.show_best(values)

    def show_style(self) -> None:
        """Show widths, pins, and the signs beside metrics that have a best value."""
        self.table.show_style(self._session.column_style(self._session.columns))

    # -- sorting

    @on(RunTable.SortAsked)
    def _sort(self, message: RunTable.SortAsked) -> None:
        """Change the order at once, so that no key press is lost. Only the reading may be overtaken by the next one."""
        if not isinstance(message, RunTable.SortKindAsked):
            self._session.cycle_sort(message.column, also=message.also)
        elif not self._session.switch_sort_kind(message.column):
            self.notify("Sort by this column first", timeout=3)
            return
        self._session.keep()
        self.show_title()
        self.load_sorted()

    @work(group="runs", exclusive=True)
    async def load_sorted(self) -> None:
        """Read the rows in the new order, and show them from the top. The table is unchanged until they are there."""
        session = self._session
        if session.query is None:
            return
        with self._place.reporting_trouble(), self._place.saying_busy("sorting"):
            for column in (key.column for key in session.order):
                if column.kind in TEXTS and column not in session.numeric:
                    session.sort_as_number(column, await self._is_numeric(session.query, column))
            self.show_title()
            session.keep()
            await self._read_order(session.query, from_top=True)

    async def _is_numeric(self, query: RunQuery, column: Column) -> bool:
        """Return whether all values of a param or tag are numbers, which are sorted as such."""
        store = self._session.store
        return await read_off_loop(lambda interrupt: store.is_numeric(query, column.kind, column.key, interrupt))

    # -- the filter

    async def edit_filter(self) -> None:
        """Open the filter line for typing."""
        line = await self.opened_filter_line()
        line.history = self._session.saved.history
        self._completer = None
        line.edit()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self._place.settle("filter", lambda: self._try_filter(message.text))

    def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        self._place.forget_settling("filter")
        self.apply_filter(message.text)
        self._session.keep()
        self._session.saved.add_filter(message.text.strip())
        self._place.set_focus(self.table)

    def clear_filter(self) -> None:
        if not self._session.filter:
            self.notify("There is no filter", timeout=2)
            return
        self._place.forget_settling("filter")
        self.show_filter("")
        self.apply_filter("")
        self._session.keep()

    def _try_filter(self, text: str) -> None:
        """List the runs that match a filter that is being typed. If there are none, the rows stay as they are."""
        self.apply_filter(text)
        self._trial = text.strip()

    def apply_filter(self, text: str) -> None:
        session = self._session
        self._trial = ""
        if not session.scope or text.strip() == session.filter:
            return
        session.filter = text.strip()
        self.load_filtered()

    @work(group="runs", exclusive=True)
    async def load_filtered(self) -> None:
        """Read the rows of the new filter or layout. The cursor stays on its run if that is still listed."""
        query = self._session.query
        if query is None:
            return
        with self._place.reporting_trouble(), self._place.saying_busy("filtering"):
            await self._read_order(query)

    @work(group="complete", exclusive=True)
    async def on_filter_line_candidates_wanted(self, message: FilterLine.CandidatesWanted) -> None:
        from mldeck.ui.filter.completer import Completer

        if self._completer is None:
            sample = list(self.table.run_ids[: reading.FIRST_PAGE])
            self._completer = Completer(self._session.store, sample, self._session.saved.starred)
        completer = self._completer
        with self._place.reporting_trouble():
            found = await read_off_loop(lambda interrupt: completer.candidates(message.text, message.cursor, interrupt))
            message.line.show_candidates(message.text, found)

    @work(group="check", exclusive=True)
    async def on_filter_line_check_asked(self, message: FilterLine.CheckAsked) -> None:
        if not self._session.is_open:
            return  # asked again when the runs have been listed
        from mldeck.ui.filter.completer import unknown_names

        store, text = self._session.store, message.text
        with self._place.reporting_trouble():
            message.line.show_unknown(
                text, await read_off_loop(lambda interrupt: unknown_names(store, text, interrupt))
            )

    def on_filter_line_star_asked(self, message: FilterLine.StarAsked) -> None:
        saved = self._session.saved
        if message.text in saved.starred.values():
            saved.unstar(message.text)
            self.notify("Filter removed", timeout=2)
            return
        from mldeck.ui.kit.dialogs.line_input import LineDialog

        def save(name: str | None) -> None:
            if name:
                saved.star(name, message.text)
                self.notify(f"Saved as {name}: offered when the filter is empty", timeout=4)

        self.app.push_screen(LineDialog("Save this filter as", ""), save)

    # -- marks, layouts and stages

    @property
    def _listing(self) -> Worker[object] | None:
        """The worker that reads rows; None if none is running."""
        return next((worker for worker in self.workers if worker.group == "runs" and not worker.is_finished), None)

    @property
    def is_listing(self) -> bool:
        """Whether rows are being read."""
        return self._listing is not None

    async def until_listed(self) -> None:
        """Wait until all runs are listed, or the user has stopped the reading."""
        while (listing := self._listing) is not None:
            with suppress(WorkerError):
                await listing.wait()

    def show_marks(self) -> None:
        """Show which runs are marked."""
        self.table.marked = self._session.marked
        self.table.repaint_rows(list(self.table.visible_rows))
        self.show_title()

    @on(RunTable.LayoutAsked)
    def _arrange(self, message: RunTable.LayoutAsked) -> None:
        layout = self._wanted_layout(message.what)
        if layout is not None:
            self._take_layout(layout)

    def _take_layout(self, layout: Layout) -> None:
        if layout != self._session.layout:
            self._session.layout, self._trial = layout, ""
            self.screen.refresh_bindings()  # the keys for groups and the tree have other labels now
            self._session.keep()
            self.load_filtered()

    def _wanted_layout(self, what: str) -> Layout | None:
        """Return the layout that a key asks for; None, after telling the user why, if it is impossible."""
        layout, table = self._session.layout, self.table
        if what == "tree":
            return replace(layout, is_tree=not layout.is_tree, group_by=None)
        if what == "marked":
            if layout.only is None and not self._session.marked:
                self.notify(f"No run is marked: {key_name('mark')} marks one", timeout=3)
                return None
            return replace(layout, only=None if layout.only is not None else frozenset(self._session.marked))
        if what == "groups":
            return self._other_groups(layout)
        if table.cursor_heading is not None:
            return replace(layout, opened=layout.opened ^ {table.cursor_heading.value})
        if layout.is_tree and table.cursor_run in table.arrangement.child_counts:
            return replace(layout, folded=layout.folded ^ {str(table.cursor_run)})
        self.notify(
            f"Nothing to fold here: {key_name('tree')} shows nested runs as a tree, {key_name('groups')} groups runs",
            timeout=3,
        )
        return None

    def _other_groups(self, layout: Layout) -> Layout | None:
        """Return the layout grouped by the column under the cursor, or without groups; None if the user is asked for a column.

        On a param or tag, `B` groups by it. Anywhere else, and on the one that the runs are grouped by, it ends the grouping.
        """
        column = self.table.cursor_key
        if layout.ends_grouping_at(column):
            return replace(layout, group_by=None)
        if column is not None and column.kind in TEXTS:
            return _grouped(layout, column)
        self._ask_grouping()
        return None

    @asks("grouping")
    async def _ask_grouping(self) -> None:
        """Ask which param or tag to group by."""
        session, query = self._session, self._session.query
        if query is None or not session.is_open:
            return
        from mldeck.ui.kit.dialogs.picker import PickerDialog  # a text field takes a while to load

        store, sample = session.store, [run_id for run_id in self.table.run_ids[: reading.FIRST_PAGE] if run_id]
        found = await read_off_loop(lambda interrupt: store.grouping_columns(query, sample, interrupt))
        if not found:
            raise MldeckError("These runs have no params or tags to group by")
        dialog = PickerDialog(
            "Group runs by",
            list(found),
            name=label_of,
            group=lambda column: f"{column.kind.value}, {'differs' if found[column] else 'same here'}",
        )
        picked = await self.app.push_screen_wait(dialog)
        if picked is not None and query == session.query:
            self._take_layout(_grouped(session.layout, picked[0]))

    @on(RunTable.ViewAsked)
    def _cycle_run_view(self) -> None:
        self._session.run_view = next_view(self._session.run_view)
        self._session.keep()
        self.table.forget()
        self.load_runs()

    def stop_reading(self) -> None:
        self.workers.cancel_group(self, "runs")
        self._session.order = tuple(self.table.order)
        self._session.keep()
        self.show_title()

    async def find_rows(self, text: str) -> Sequence[int]:
        """Return the rows whose run contains the text; an empty text ends the search."""
        table, query = self.table, self._session.query
        if not text or query is None:
            table.matches = frozenset()
            table.repaint()
            return ()
        store, columns = self._session.store, self._session.columns
        found = await read_off_loop(lambda interrupt: store.find_runs(query, text, columns, interrupt))
        table.matches = found
        table.repaint()
        return [row for row, run_id in enumerate(table.run_ids) if run_id in found]


def _grouped(layout: Layout, column: Column) -> Layout:
    return replace(layout, is_tree=False, group_by=column, opened=frozenset())


def _sort_text(key: OrderKey) -> str:
    kind = " as number" if key.as_number else ""
    return f"{label_of(key.column)}{kind} {'▼' if key.descending else '▲'}"
