"""The run table: the order of the runs is known, what is in a row is asked for when the row is on screen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from mldeck.model import Column, Kind, OrderKey, RunRecord
from mldeck.ui.keys import COLUMNS, RUNS, bindings
from mldeck.ui.widgets.grid import Cell, Grid
from mldeck.ui.widgets.run_cells import FIXED_COLUMNS, LEADING, RunCells, now_ms

_CACHED_RECORDS = 5_000


class RunTable(Grid):
    BINDINGS: ClassVar[list[BindingType]] = bindings(COLUMNS, RUNS)

    class RowsWanted(Message):
        """Rows came into view whose records are not known yet."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RunTable.RowsWanted)

    class SortAsked(Message):
        """`also`: beside the columns that are sorted by already."""

        def __init__(self, column: Column, *, also: bool = False) -> None:
            super().__init__()
            self.column = column
            self.also = also

    class SortKindAsked(SortAsked):
        """Numbers instead of text, or the other way round."""

    class MarkAsked(Message):
        def __init__(self, run_id: str) -> None:
            super().__init__()
            self.run_id = run_id

    class ViewAsked(Message):
        """Another lifecycle stage, please."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, fixed_columns=FIXED_COLUMNS)
        self.run_ids: Sequence[str] = ()
        self.order: Sequence[OrderKey] = ()
        """What the run ids are sorted by."""
        self.cells = RunCells((), ())
        self.marked: Collection[str] = frozenset()
        self.matches: Collection[str] = frozenset()
        self._records: dict[str, RunRecord] = {}
        self._now = 0

    # -- data from above

    def show(
        self,
        run_ids: Sequence[str],
        records: Mapping[str, RunRecord],
        cells: RunCells,
        order: Sequence[OrderKey],
        cursor_run: str | None,
    ) -> None:
        """Other runs, or the same in another order or with other values.

        The cursor goes to `cursor_run`, which stays at its height if it can; without one, to the top.
        """
        height = self.cursor_row - self.top_row
        was_at_top = self.top_row == 0
        self.run_ids, self.order = run_ids, order
        self.cells = cells
        self._records = dict(records)
        self._now = now_ms()
        self.set_content(len(run_ids), cells.grid_columns(order))
        row = _index(run_ids, cursor_run)
        if row is not None:
            self.cursor_row = row
            fits_at_top = was_at_top and row < self.page_size
            self.scroll_rows_to(0 if fits_at_top else max(0, row - height))
        elif cursor_run is None:
            self.cursor_row = 0
            self.scroll_rows_to(0)
        self._show_cursor()
        self.want_rows()

    def shows(
        self,
        run_ids: Sequence[str],
        records: Mapping[str, RunRecord],
        columns: Sequence[Column],
        order: Sequence[OrderKey],
    ) -> bool:
        """Whether exactly this is on screen already."""
        return (
            run_ids == self.run_ids
            and tuple(order) == tuple(self.order)
            and tuple(columns) == self.cells.columns[len(LEADING) :]
            and all(self._records.get(run_id) == record for run_id, record in records.items())
        )

    def forget(self) -> None:
        """Nothing to show while other runs are being read."""
        self.run_ids = ()
        self._records = {}
        self.cursor_row = 0
        self.set_content(0, ())
        self.scroll_rows_to(0)

    def add_records(self, records: Mapping[str, RunRecord]) -> None:
        if len(self._records) > _CACHED_RECORDS:
            self._records = {}
        self._records.update(records)
        self.repaint()

    def touch(self) -> None:
        """Ages are those of the last key press or change: a deck that nobody looks at sends nothing."""
        now = now_ms()
        if now - self._now > 1000:
            self._now = now
            self._lines.clear()

    def missing_rows(self) -> list[str]:
        """Ids of the runs in view, and a page to either side, that are not known; empty if all in view are."""
        visible = self.visible_rows
        if all(self.run_ids[row] in self._records for row in visible):
            return []
        around = range(max(0, visible.start - self.page_size), min(self.row_count, visible.stop + self.page_size))
        return [self.run_ids[row] for row in around if self.run_ids[row] not in self._records]

    @property
    def top_run(self) -> str | None:
        """The run in the first visible row; None if nothing is scrolled."""
        return self.run_ids[self.top_row] if 0 < self.top_row < len(self.run_ids) else None

    @property
    def cursor_run(self) -> str | None:
        return self.run_ids[self.cursor_row] if self.run_ids else None

    @property
    def cursor_key(self) -> Column | None:
        """The column under the cursor."""
        columns = self.cells.columns
        return columns[self.cursor_column] if self.cursor_column < len(columns) else None

    # -- the grid

    def row_cells(self, row: int) -> Sequence[Cell] | None:
        run_id = self.run_ids[row]
        record = self._records.get(run_id)
        if record is None:
            return None
        cells = self.cells.cells(record, self._now, run_id in self.marked)
        if run_id in self.matches:
            cells[1] = Cell(cells[1].text, "match")
        return cells

    def copied_text(self) -> str | None:
        return self.cursor_run

    def want_rows(self) -> None:
        if self.missing_rows():
            self.post_message(self.RowsWanted())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.want_rows()

    def on_resize(self) -> None:
        super().on_resize()
        self.want_rows()

    def header_clicked(self) -> None:
        self.action_sort()

    def action_sort(self) -> None:
        column = self.cursor_key
        if column is not None and self.columns:
            self.post_message(self.SortAsked(column))

    def action_sort_also(self) -> None:
        column = self.cursor_key
        if column is not None and self.columns:
            self.post_message(self.SortAsked(column, also=True))

    def action_sort_kind(self) -> None:
        column = self.cursor_key
        if column is not None and column.kind in (Kind.PARAM, Kind.TAG):
            self.post_message(self.SortKindAsked(column))
        else:
            self.notify("Only params and tags are text that may be sorted as numbers", timeout=3)

    def action_mark(self) -> None:
        if self.cursor_run is not None:
            self.post_message(self.MarkAsked(self.cursor_run))
            self.action_move(1)

    def action_cycle_view(self) -> None:
        self.post_message(self.ViewAsked())


def _index(run_ids: Sequence[str], run_id: str | None) -> int | None:
    if run_id is None:
        return None
    try:
        return run_ids.index(run_id)
    except ValueError:
        return None
