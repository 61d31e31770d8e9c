"""The run table. It knows the order of all runs; the values of a run are requested when its row comes into view."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.message import Message

from mldeck.format import MISSING, Neighbours, cell_width, safe
from mldeck.model import Column, Kind, MetricSummary, OrderKey, RunRecord
from mldeck.ui.details.run_cells import FIXED_COLUMNS, LEADING, MIN_NAME_WIDTH, NAME_INDEX, STATE_INDEX, RunCells
from mldeck.ui.kit.cell_text import indentation
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.edge_marks import MARK_ROOM
from mldeck.ui.kit.grid import FIXED_SHARE, GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.keys import TABLE, bindings, key_name
from mldeck.ui.runs.keys import RUNS
from mldeck.ui.runs.record_cache import RecordCache
from mldeck.ui.state.arrangement import HEADING, Arrangement, GroupHeading, GroupSummaries, shows_first_run
from mldeck.ui.state.columns import MAX_WIDTH, NAME, ColumnStyle, is_sortable, label_of

if TYPE_CHECKING:
    from mldeck.ui.runs.reading import RunPage

_WIDE = 160
"""The width of a terminal in cells from which headings show the least and the greatest value."""
_MEASURED_HEADINGS = 1_000
_LEAST_COLUMNS = 2
"""Columns behind the name that are in view, if the terminal is wide enough: by default the first two metrics."""
_ROOMY_NAME_WIDTH = 16
"""Cells that the name keeps as long as labels can be cut."""
_LEAST_HEADING_WIDTHS = 16, 20
"""Cells of the name column that are left for the value of a group and the number of its runs: of short and long values."""
_NOUN_WIDTH = len(" runs")
_SHORT_DEVIATION = 2
"""The level of `RunCells.width_with_spread` at which a mean of fewer runs has at least a short deviation."""


class RunTable(Grid):
    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE, RUNS)

    class RowsWanted(Message):
        """Posted when rows or columns come into view whose values have not been read. Answered with `add_records`."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RunTable.RowsWanted)

    class NewerSeen(Message):
        """Posted when the user scrolls up to runs that were added above the page: `newer_above` is smaller now."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RunTable.NewerSeen)

    @dataclass
    class SortAsked(Message):
        """Posted to sort by a column."""

        column: Column
        also: bool = False
        """Whether the present sort keys stay, before this one."""

    class SortKindAsked(SortAsked):
        """Posted to sort a column by number instead of text, or the other way round."""

    @dataclass
    class MarkAsked(Message):
        """Posted to mark these runs; to unmark them if all of them are marked."""

        run_ids: Sequence[str]

    class AllMarkAsked(Message):
        """Posted to mark or unmark all runs that are listed, or will be when the reading is done."""

    class ViewAsked(Message):
        """Posted when the user cycles active / deleted / all runs."""

    @dataclass
    class LayoutAsked(Message):
        """Posted to change how the runs are arranged."""

        what: str
        """`tree`, `groups`, `fold` (the run or group under the cursor) or `marked`."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id, fixed_columns=FIXED_COLUMNS)
        self._clock = clock
        self.arrangement = Arrangement()
        self.order: Sequence[OrderKey] = ()
        """The keys that the run ids are sorted by."""
        self.cells = RunCells((), ())
        self.marked: Mapping[str, int] = {}
        """By run id: the number of the colour of its mark."""
        self.matches: Collection[str] = frozenset()
        """Ids of the runs that quick find has found."""
        self._column_before: Column | None = None
        """The column that the cursor was on before the runs were grouped."""
        self._group_names = Neighbours()
        self._most_runs = 0
        """The number of runs of the largest group."""
        self._heading_width = 0
        """The cells of the name column in which headings show the values of their groups in full."""
        self._records = RecordCache()
        self._is_at_home = True
        """Whether the cursor follows the first row: it has not been moved yet, or the user went to the first row."""
        self.newer_above = 0
        """Rows above the page that were added while the user looked at others."""

    @property
    def run_ids(self) -> Sequence[str]:
        """By row; `HEADING` in the row of a heading."""
        return self.arrangement.run_ids

    # -- content

    def show(
        self,
        arrangement: Arrangement,
        records: Mapping[str, RunRecord],
        read: Sequence[Column],
        cells: RunCells,
        order: Sequence[OrderKey],
        cursor: str | GroupHeading | None,
        *,
        is_live: bool = False,
    ) -> None:
        """Show other runs, or the same runs in another order or with other values.

        `cursor` is the run or group that the cursor goes to, on the same screen line if possible; None for the top. `read` are
        the columns whose values are in `records`. `is_live` says that only the database has changed, not the query.
        """
        before, top = self.cursor_position, self.top_row
        if is_live and self._is_at_home and top == 0:
            cursor = None
        if bool(self.arrangement.headings) != bool(arrangement.headings):
            self._change_column(to_groups=bool(arrangement.headings))
        self.arrangement, self.order = arrangement, order
        self._group_names = Neighbours(heading.value or "" for heading in arrangement.headings.values())
        self._most_runs = max((heading.count for heading in arrangement.headings.values()), default=0)
        values = (heading.value or "" for heading in islice(arrangement.headings.values(), _MEASURED_HEADINGS))
        longest = max((cell_width(safe(value[:MAX_WIDTH])) for value in values), default=0)
        self._heading_width = longest + len(f" {self._most_runs:,} runs") if arrangement.headings else 0
        run_ids = arrangement.run_ids
        self._records.replace(records, read)
        self._set_columns(cells, len(run_ids))
        row = _row_of(cursor, arrangement)
        if row is not None:
            self.restore_cursor(row, before)
        elif cursor is None:
            self.cursor_row = 0
            self.scroll_rows_to(0)
            self._is_at_home = True
        self._show_cursor()
        self.newer_above = max(0, self.newer_above + self.top_row - top) if is_live else 0
        self.want_rows()

    def _change_column(self, *, to_groups: bool) -> None:
        """Put the cursor on the name for groups, so that the first metrics are in view; and back when the groups are gone."""
        before, self._column_before = self._column_before, None
        if to_groups and self.cursor_column > NAME_INDEX:
            self._column_before, self.cursor_column = self.cursor_key, NAME_INDEX
            self._first_column = self._fixed_columns
        elif not to_groups and self.cursor_column == NAME_INDEX and before in self.cells.columns:
            self.cursor_column = self.cells.columns.index(before)

    def shows(self, page: RunPage, order: Sequence[OrderKey]) -> bool:
        """Return whether exactly this is shown already."""
        return (
            page.arrangement == self.arrangement
            and tuple(order) == tuple(self.order)
            and tuple(page.columns) == self.cells.columns[len(LEADING) :]
            and self._records.holds(page.records, page.read)
            and all(self.cells.summaries.get(key) == groups for key, groups in page.summaries.items())
        )

    def keep_only(self, page: RunPage) -> None:
        """Keep what is on this page and forget the rest, which may have changed: it is read again when it comes into view."""
        self._records.replace(page.records, page.read)
        self.cells.summaries = page.summaries
        self.want_rows()

    def _set_columns(self, cells: RunCells, row_count: int) -> None:
        """Show other columns. The cursor and the scroll position stay at their columns if these are still shown."""
        places = {column: index for index, column in enumerate(cells.columns)}
        before, first = self.cursor_key, self._first_column
        first_key = self.cells.columns[first] if self._fixed_columns < first < len(self.cells.columns) else None
        self.cells = cells
        self.cursor_column = places.get(before, self.cursor_column) if before else self.cursor_column
        self.pinned_columns = cells.style.pinned
        self._first_column = 0 if first_key is None else places.get(first_key, 0)
        columns = self._with_two_in_view(cells.grid_columns(self.order))
        if self.arrangement.headings:
            columns = self._with_spreads(columns)
        columns = self._with_wide_name(columns)
        self.set_content(row_count, cells.with_room_for_spreads(columns))
        self._show_column()

    def _with_two_in_view(self, columns: tuple[GridColumn, ...]) -> tuple[GridColumn, ...]:
        """Narrow the name and the labels of the two columns behind it, if these would not be in view otherwise."""
        first = NAME_INDEX + 1
        shown, own = columns[: first + _LEAST_COLUMNS], self.cells.style.widths
        room = self.size.width - self.styles.scrollbar_size_vertical - MARK_ROOM * (len(shown) < len(columns))
        widths = [column.width for column in shown]
        excess = sum(widths) + GAP * (len(widths) - 1) - room
        if excess <= 0 or room <= 0:
            return columns
        labels = {
            first + index: self.cells.least_width(column)
            for index, column in enumerate(self.cells.columns[first : len(shown)])
        }
        for least in ({NAME_INDEX: _ROOMY_NAME_WIDTH}, labels, {NAME_INDEX: MIN_NAME_WIDTH}):
            spare = {place: cells for place, cells in least.items() if self.cells.columns[place] not in own}
            while excess > 0 and any(widths[place] > cells for place, cells in spare.items()):
                widest = max(spare, key=lambda place: (widths[place] > spare[place], widths[place]))
                widths[widest] -= 1
                excess -= 1
        narrowed = (column._replace(width=width) for column, width in zip(shown, widths, strict=True))
        return (*narrowed, *columns[len(shown) :])

    def _with_spreads(self, columns: tuple[GridColumn, ...]) -> tuple[GridColumn, ...]:
        """Widen metrics for what headings show beside the mean: of how many runs it is, and the standard deviations.

        On a wide terminal they also show the extremes.
        On the first page they take the width that is free, and some of that of the name, and push no column out. On a wide
        terminal they may push out those behind the second metric.
        """
        is_wide, own = self.app.size.width >= _WIDE, self.cells.style.widths
        widths = [column.width for column in columns]
        room = self.size.width - self.styles.scrollbar_size_vertical - MARK_ROOM
        ends = list(accumulate((width + GAP for width in widths), initial=-GAP))[1:]
        kept = bisect_right(ends, room)
        metrics = [place for place, column in enumerate(self.cells.columns) if column.kind is Kind.METRIC]
        if is_wide:
            kept = max((place + 1 for place in metrics[:2] if place < kept), default=0)
        free = room - ends[kept - 1] if kept else 0
        least = self._least_heading_width
        spare = 0 if NAME in own else max(0, widths[NAME_INDEX] - least)
        short, _ = _LEAST_HEADING_WIDTHS
        noun = 0 if NAME in own else max(0, min(widths[NAME_INDEX] - spare - short, _NOUN_WIDTH))
        for level in range(4 + is_wide):
            for place in metrics:
                column = self.cells.columns[place]
                more = self.cells.width_with_spread(column, level) - widths[place]
                # Rather no noun in the name column than a mean without its deviation.
                most = free + spare + (noun if level == _SHORT_DEVIATION else 0)
                if more <= 0 or column in own or (place < kept and more > most):
                    continue
                widths[place] += more
                if place < kept:
                    taken = max(0, more - free)
                    free, spare = free - more + taken, spare - taken
                    widths[NAME_INDEX] -= taken
        return tuple(column._replace(width=width) for column, width in zip(columns, widths, strict=True))

    @property
    def _least_heading_width(self) -> int:
        """The cells of the name column in which headings have the noun `runs`."""
        short, long = _LEAST_HEADING_WIDTHS
        return max(short, min(long, self._heading_width))

    def _with_wide_name(self, columns: tuple[GridColumn, ...]) -> tuple[GridColumn, ...]:
        """Give the name the width that the first page of columns leaves free, as far as names need it."""
        if NAME in self.cells.style.widths:
            return columns
        # A scroll bar that appears must not push a column out.
        room, free = self.size.width - self.styles.scrollbar_size_vertical, 0
        fixed = self.fitting_fixed_count(columns)
        beside = room - sum(column.width + GAP for column in columns[:fixed])
        for column in columns[:-1]:
            room -= column.width
            if room < MARK_ROOM:
                break
            free = room - MARK_ROOM
            room -= GAP
        else:
            if room >= columns[-1].width:  # all columns are in view, so there is no mark of others
                free = room - columns[-1].width
        # The widest column fits beside the name when it is scrolled to, and pinned columns stay pinned.
        free = min(free, beside - MARK_ROOM - max((column.width for column in columns[fixed:]), default=0))
        if fixed > FIXED_COLUMNS:
            free = min(free, beside - int(self.line_width * (1 - FIXED_SHARE)) - 1)
        name, depths = columns[NAME_INDEX], self.arrangement.depths
        # The runs of a group are indented, also of one that will be opened.
        depth = max(depths.values(), default=int(bool(self.arrangement.headings)))
        wanted = self.cells.longest_name + 2 * (depth + bool(self.arrangement.child_counts))
        wanted = max(wanted, self._heading_width)
        width = max(name.width, min(name.width + free, wanted, MAX_WIDTH))
        return (*columns[:NAME_INDEX], name._replace(width=width), *columns[NAME_INDEX + 1 :])

    def show_style(self, style: ColumnStyle) -> None:
        """Apply another style to the same columns."""
        if style != self.cells.style:
            self.cells.style = style
            self._set_columns(self.cells, self.row_count)

    def show_best(self, values: Mapping[str, float]) -> None:
        """Highlight the best values, by metric key."""
        if values != self.cells.best:
            self.cells.best = dict(values)
            self.repaint()

    def forget(self) -> None:
        """Empty the table while other runs are being read."""
        self.arrangement = Arrangement()
        self._is_at_home, self.newer_above = True, 0
        self._records.clear()
        self.cursor_row = 0
        self.set_content(0, ())
        self.scroll_rows_to(0)

    def add_records(self, records: Mapping[str, RunRecord], read: Sequence[Column]) -> None:
        """Show values that have been read; `read` are their columns."""
        self._records.add(records, read)
        if self.cells.learn(list(records.values()), read):
            self._set_columns(self.cells, self.row_count)
            self.want_rows()
            self.repaint()
        else:
            self.repaint_rows([row for row in self.visible_rows if self._run_shown(row) in records])

    def add_summaries(self, summaries: GroupSummaries) -> None:
        """Show summaries of groups that have been read."""
        self.cells.add_summaries(summaries)
        self._set_columns(self.cells, self.row_count)
        self.want_rows()

    def summaries_of(self, heading: GroupHeading) -> dict[str, MetricSummary]:
        """Return what is known of the metrics of a group, in the order of the columns."""
        keys = (column.key for column in self.cells.columns if column.kind is Kind.METRIC)
        found = ((key, self.cells.summaries.get(key, {}).get(heading.value)) for key in keys)
        return {key: summary for key, summary in found if summary is not None}

    def missing_summaries(self) -> list[str]:
        """Return the metrics in view whose summaries headings in view lack."""
        if not any(row in self.arrangement.headings for row in self.visible_rows):
            return []
        columns = self.columns_on_screen()
        keys = (column.key for column in columns if column.kind is Kind.METRIC)
        return [key for key in keys if key not in self.cells.summaries]

    def missing(self) -> tuple[list[str], tuple[Column, ...]]:
        """Return which values to read: ids of the runs in view and one page around, and the columns.

        Both are empty if everything in view has been read.
        """
        visible, needed = self.visible_rows, frozenset(self.columns_on_screen())
        if not any(self._is_missing(row, needed) for row in visible):
            return [], ()
        columns = self.columns_around()
        wanted = frozenset(columns)
        around = range(max(0, visible.start - self.page_size), min(self.row_count, visible.stop + self.page_size))
        # The first run of a group may be in a row of its own.
        ids = dict.fromkeys(self._run_shown(row) for row in around if self._is_missing(row, wanted))
        return list(ids), columns

    def _is_missing(self, row: int, columns: frozenset[Column]) -> bool:
        run_id = self._run_shown(row)
        return run_id != HEADING and not self._records.knows(run_id, columns)

    def _run_shown(self, row: int) -> str:
        """Return the run whose values are in a row. A heading may show one of its first run: see `shows_first_run`."""
        heading = self.arrangement.headings.get(row)
        if heading is None:
            return self.run_ids[row]
        return heading.first_run if self.order and shows_first_run(self.order[0].column) else HEADING

    def columns_on_screen(self) -> tuple[Column, ...]:
        return self._chosen_of(self.visible_columns())

    def columns_around(self) -> tuple[Column, ...]:
        """Return the columns in view, and as many again on the right and on the left."""
        visible = self.visible_columns()
        scrolled = [index for index in visible if index >= self._fixed_columns]
        if not scrolled:
            return self._chosen_of(visible)
        count = len(scrolled)
        around = range(max(self._fixed_columns, scrolled[0] - count), scrolled[-1] + 1 + count)
        return self._chosen_of([*range(self._fixed_columns), *around])

    def _chosen_of(self, indexes: Sequence[int]) -> tuple[Column, ...]:
        """Return the columns at these indexes, without status and name: every record has those."""
        columns = self.cells.columns
        return tuple(columns[index] for index in indexes if len(LEADING) <= index < len(columns))

    @property
    def top_run(self) -> str | None:
        """The run in the first visible row; None if the table is not scrolled, or a heading is there."""
        return (self.run_ids[self.top_row] or None) if 0 < self.top_row < len(self.run_ids) else None

    @property
    def cursor_run(self) -> str | None:
        """The id of the run under the cursor; None on a heading, and in an empty table."""
        return (self.run_ids[self.cursor_row] or None) if self.run_ids else None

    @property
    def cursor_record(self) -> RunRecord | None:
        """The values of the run under the cursor; None if they have not been read."""
        return self._records.get(self.cursor_run or "")

    @property
    def cursor(self) -> str | GroupHeading | None:
        """The run or the group under the cursor."""
        return self.cursor_run or self.cursor_heading

    @property
    def cursor_heading(self) -> GroupHeading | None:
        return self.arrangement.headings.get(self.cursor_row)

    @property
    def cursor_key(self) -> Column | None:
        """The column under the cursor."""
        columns = self.cells.columns
        return columns[self.cursor_column] if self.cursor_column < len(columns) else None

    # -- the grid

    def row_cells(self, row: int) -> Sequence[Cell] | None:
        heading = self.arrangement.headings.get(row)
        if heading is not None:
            return self._heading_cells(heading)
        run_id = self.run_ids[row]
        record = self._records.get(run_id)
        if record is None:
            return None
        cells = self.cells.cells(record, self._clock, self.marked.get(run_id), self._records.columns_of(run_id))
        name = cells[NAME_INDEX]
        style = "match" if run_id in self.matches else name.style
        width = self.columns[NAME_INDEX].width
        branch = self._branch(run_id, width)
        cells[NAME_INDEX] = Cell(branch + self.cells.names.cut(name.text, width - cell_width(branch)), style)
        return cells

    def _branch(self, run_id: str, width: int) -> str:
        """Return the prefix of a name in a tree: its indentation, and whether its children are shown."""
        arrangement = self.arrangement
        blanks = indentation(arrangement.depths.get(run_id, 0), width)
        if run_id not in arrangement.child_counts:
            return blanks + "  " * bool(arrangement.child_counts)
        return blanks + ("▸ " if run_id in arrangement.folded else "▾ ")

    def _heading_cells(self, heading: GroupHeading) -> Sequence[Cell]:
        """Return the cells of a heading: whether its runs are shown, the value and the number of runs, and the summaries."""
        sorted_by = self.order[0].column if self.order else None
        first = self._records.get(heading.first_run)
        run = (
            None
            if first is None
            else self.cells.cells(first, self._clock, None, self._records.columns_of(heading.first_run))
        )
        cells = self.cells.heading_cells(heading, self._clock, run, sorted_by)
        width = self.columns[NAME_INDEX].width
        noun = "" if width < self._least_heading_width else " run " if heading.count == 1 else " runs"
        count = f"{heading.count:>{len(f'{self._most_runs:,}')},}{noun}"
        room = max(0, width - len(count) - 1)
        value = MISSING if heading.value is None else self._group_names.cut(heading.value, room)
        cells[STATE_INDEX] = Cell(" ▾" if heading.is_open else " ▸", "accent")
        cells[NAME_INDEX] = Cell(f"{value}{' ' * (room - cell_width(value))} {count}", "header-cursor")
        return cells

    @property
    def column_noun(self) -> str:
        return "column"

    @property
    def no_column_text(self) -> str:
        return f"No column shown has that name. {key_name('columns')} chooses among all of the runs' columns."

    def column_name(self, index: int) -> str:
        column = self.cells.columns[index]
        return label_of(column)

    def copied_text(self) -> str | None:
        return self.cursor_run if self.cursor_heading is None else self.cursor_heading.value

    def move_to(self, row: int, column: int | None = None) -> None:
        if column is None or row != self.cursor_row:
            self._is_at_home = False
        before = self.cursor_column
        super().move_to(row, column)
        if self.arrangement.headings and self.cursor_column != before:
            self.screen.refresh_bindings()  # the key for groups acts on the column

    def action_edge(self, direction: int) -> None:
        super().action_edge(direction)
        self._is_at_home = direction < 0

    def want_rows(self) -> None:
        if self.missing()[0] or self.missing_summaries():
            self.post_message(self.RowsWanted())

    def rows_in_view_changed(self) -> None:
        self.want_rows()
        if self.newer_above > self.top_row:
            self.newer_above = self.top_row
            self.post_message(self.NewerSeen())

    def _show_column(self) -> None:
        super()._show_column()
        self.want_rows()

    def lay_out(self) -> None:
        if self.columns:
            self._set_columns(self.cells, self.row_count)
        super().lay_out()

    def header_clicked(self) -> None:
        self.action_sort()

    def action_sort(self) -> None:
        self._ask_to_sort(also=False)

    def action_sort_also(self) -> None:
        self._ask_to_sort(also=True)

    def _ask_to_sort(self, *, also: bool) -> None:
        column = self.cursor_key
        if column is None or not self.columns:
            return
        if is_sortable(column):
            self.post_message(self.SortAsked(column, also=also))
        else:
            self.notify("Runs cannot be sorted by this column", timeout=3)

    def action_sort_kind(self) -> None:
        column = self.cursor_key
        if column is not None and column.kind in (Kind.PARAM, Kind.TAG):
            self.post_message(self.SortKindAsked(column))
        else:
            self.notify("Only params and tags can be sorted as number or text", timeout=3)

    def action_mark(self) -> None:
        if self.cursor_run is not None:
            self.post_message(self.MarkAsked([self.cursor_run]))
        self.action_move(1)

    def action_mark_to(self, rows: int) -> None:
        """Move the cursor, and mark the runs at both ends."""
        before = self.cursor_row
        self.action_move(rows)
        both = {self.run_ids[row]: None for row in (before, self.cursor_row)} if self.run_ids else {}
        fresh = [run_id for run_id in both if run_id != HEADING and run_id not in self.marked]
        if fresh:
            self.post_message(self.MarkAsked(fresh))

    def action_mark_all(self) -> None:
        self.post_message(self.AllMarkAsked())

    def action_layout(self, what: str) -> None:
        self.post_message(self.LayoutAsked(what))

    def action_open(self) -> None:
        if self.cursor_heading is not None:
            self.action_layout("fold")
        else:
            super().action_open()

    def action_cycle_view(self) -> None:
        self.post_message(self.ViewAsked())


def _row_of(cursor: str | GroupHeading | None, arrangement: Arrangement) -> int | None:
    """Return the row of a run, or of the group with the same value; None if there is none."""
    if cursor is None:
        return None
    if isinstance(cursor, GroupHeading):
        rows = (row for row, heading in arrangement.headings.items() if heading.value == cursor.value)
        return next(rows, None)
    try:
        return arrangement.run_ids.index(cursor)
    except ValueError:
        return None
