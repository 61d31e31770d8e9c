"""A table that paints only the visible rows. The subclass makes the cells of a row when the row is painted.

Textual's own DataTable blocks for seconds at 10,000 runs; here the cost depends on the height of the widget. The cursor is a
row and a column. Vertical scrolling is Textual's; horizontal scrolling moves by whole columns, so that none is cut in two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mldeck.format import Neighbours, cell_width
from mldeck.ui.kit.brief_text import wrapped_lines
from mldeck.ui.kit.cell_text import cell_text, fit
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.edge_marks import MARK_ROOM, EdgeMark, edge_marks, with_mark
from mldeck.ui.kit.keys import GRID, bindings
from mldeck.ui.kit.styles import style_named
from mldeck.ui.kit.surface import Surface
from mldeck.ui.textual_patches.widgets import align_scrollbar


class Cell(NamedTuple):
    """One cell: its text, and its style or the name of one (see `mldeck.ui.kit.styles`)."""

    text: str
    style: str | Style = ""
    first_style: str = ""
    """Style name of the first character, if it looks different."""


class GridColumn(NamedTuple):
    label: str
    width: int
    """Width in terminal cells."""
    right: bool = False
    """Whether the cells are aligned to the right."""
    group: str = ""
    """Name of the column's group. It is shown above the header, where the group begins."""
    mark: str = ""
    """Suffix of the label: the direction of sorting."""
    neighbours: Neighbours | None = None
    """The texts of the column, if long ones are cut where they are alike; None if they are cut at the end."""
    tail: int = 0
    """Cells at the right end that the header leaves free, if it can."""


def legible(style: str | Style) -> str | Style:
    """Return the style of a text on the colour of the cursor, where a quiet text could not be read."""
    return "" if style in ("dim", "faint") else style


class CursorPosition(NamedTuple):
    """The position of the cursor on the page, to be restored in other content."""

    height: int
    """Rows between the top of the page and the cursor."""
    is_page_first: bool
    """Whether the page is the first one: nothing is above it."""


GAP = 2
"""Blank cells between columns."""

_CACHED_LINES = 1_000

_SCROLLED_CELLS = 8
"""Cells that long lines move at once."""

FIXED_SHARE = 2 / 3
"""The largest share of the width for columns that stay in place, so that something is left to scroll."""


class Grid(ScrollView, can_focus=True):
    """A subclass calls `set_content` with the number of its rows, and returns their cells from `row_cells` or `line_cells`.

    It may also override `fitting_columns`, `column_noun`, `column_name`, `no_column_text`, `header_style`, `row_text`,
    `copied_text`, `find_rows`, `header_clicked`, `rows_in_view_changed`, the actions, and, calling `super()`,
    `lay_out` and `move_to`. `line_at` is for grids that arrange their rows in another way, as cards.
    """

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(GRID)
    WHOLE_LINES: ClassVar[bool] = False
    """Whether every row is a line of text (`line_cells`) rather than cells in columns.

    Such a grid has no header, scrolls to the right by cells, and shows its cursor only while it has the focus.
    """

    @dataclass
    class CursorMoved(Message):
        """Posted when the cursor moves to another row."""

        grid: Grid

        @property
        def control(self) -> Grid:
            return self.grid

        def can_replace(self, message: Message) -> bool:
            # A held arrow key must not queue sixty updates.
            return isinstance(message, Grid.CursorMoved) and message.grid is self.grid

    @dataclass
    class ColumnsScrolled(Message):
        """Posted when `columns_in_view` has changed."""

        grid: Grid

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Grid.ColumnsScrolled) and message.grid is self.grid

    class Opened(CursorMoved):
        """Posted when the row under the cursor is opened, by Enter or a double click."""

    def __init__(self, *, id: str | None = None, fixed_columns: int = 1, has_header: bool = True) -> None:
        """`fixed_columns` stay in place when the others scroll; after them the `pinned_columns`, as long as they fit."""
        super().__init__(id=id)
        self.columns: tuple[GridColumn, ...] = ()
        self._header_labels = Neighbours()
        """The labels of the columns: long ones are cut where they are alike."""
        self.row_count = 0
        self.cursor_row = 0
        self.cursor_column = 0
        self._surface = Surface(self, self.lay_out)
        self._is_painting_all = False
        """Whether all lines are about to be painted, so that none has to be painted again after a new layout."""
        self._empty_text = ""
        self.pinned_columns = 0
        self._least_fixed = fixed_columns
        self._fixed_columns = fixed_columns
        self._first_column = fixed_columns
        self._told_columns = ""
        self._has_header = has_header and not self.WHOLE_LINES
        self._left = 0
        """Cells that whole lines are scrolled to the right."""
        self._lines: dict[tuple[int, bool], Strip] = {}
        self._styles_by_name: dict[str, Style] = {}
        self._focused = False
        self._painted: dict[int, Strip] = {}
        """The strips painted last, by line of the widget."""

    @property
    def empty_text(self) -> str:
        """The text shown in place of rows if there are none."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        if text != self._empty_text:
            self._empty_text = text
            self.refresh()

    def row_cells(self, row: int) -> Sequence[Cell] | None:
        """Return the cells of a row, one for each column; None while they are being read."""
        # A grid of whole lines has one cell in each.
        return [Cell("".join(cell.text for cell in self.line_cells(row) or ()))]

    def line_cells(self, row: int) -> Sequence[Cell] | None:
        """Return the cells of a row that is one line across all columns, from left to right; None for other rows."""
        return None

    def fitting_columns(self) -> Sequence[GridColumn]:
        """Return the columns for the present width. Override it if columns or their widths depend on the width."""
        return self.columns

    @property
    def column_noun(self) -> str:
        """What a column is, as `column`. Empty if there is no need to say how many are out of view."""
        return ""

    @property
    def no_column_text(self) -> str:
        """The text for a name that no column has. Override it if there are columns that are not shown."""
        return "No match."

    def column_name(self, index: int) -> str:
        """Return the name by which a column is found; empty for a column without one. Foreign text."""
        return self.columns[index].label

    # -- what is visible

    @property
    def header_height(self) -> int:
        if not self._has_header:
            return 0
        grouped = any(column.group for column in self.columns)
        return 2 if grouped and self.size.height >= 12 else 1

    @property
    def line_width(self) -> int:
        """The width for the columns in cells, without the scroll bar."""
        return self.size.width - (self.scrollbar_size_vertical if self.show_vertical_scrollbar else 0)

    @property
    def page_size(self) -> int:
        return max(1, self.size.height - self.header_height)

    @property
    def top_row(self) -> int:
        return self.scroll_offset.y

    @property
    def visible_rows(self) -> range:
        return range(self.top_row, min(self.row_count, self.top_row + self.page_size))

    def visible_columns(self) -> list[int]:
        """Return the indexes of the columns on screen: the fixed ones, then as many as fit from the first scrolled one on.

        A column that does not fit is left out rather than cut, because a number without its last digits is another number.
        The first scrolled column is cut if the cursor is on it, or there is no fixed one, or no header to move along.
        """
        shown = list(range(min(self._fixed_columns, len(self.columns))))
        used = sum(self.columns[index].width + GAP for index in shown)
        for index in range(self._first_column, len(self.columns)):
            used += self.columns[index].width
            is_wanted = not shown or not self._has_header or self.cursor_column >= self._fixed_columns
            if used > self._room_up_to(index) and not (is_wanted and index == self._first_column):
                break
            shown.append(index)
            used += GAP
        return shown

    def _shown_columns(self) -> Iterator[tuple[int, GridColumn]]:
        """Yield the columns on screen with their indexes. One that does not fit is narrower: its cells end in an ellipsis."""
        left = 0
        for index in self.visible_columns():
            column = self.columns[index]
            if left + column.width > self.line_width:
                column = column._replace(width=max(1, self.line_width - left), tail=0)
            left += column.width + GAP
            yield index, column

    def _room_up_to(self, last: int) -> int:
        """Return the width for the columns in cells, if this is the last one in view."""
        has_mark = self._has_header and self.column_noun and last < len(self.columns) - 1
        return self.line_width - (MARK_ROOM if has_mark else 0)

    @property
    def columns_in_view(self) -> str:
        """Which of the columns that scroll are in view: `columns 1–5 of 42`. Empty if all are."""
        if not self.column_noun or not self.size.width:
            return ""
        count = len(self.columns) - self._fixed_columns
        shown = [index for index in self.visible_columns() if index >= self._fixed_columns]
        if not 0 < len(shown) < count:
            return ""
        first, last = (f"{index - self._fixed_columns + 1:,}" for index in (shown[0], shown[-1]))
        numbers = f" {first}" if first == last else f"s {first}–{last}"
        return f"{self.column_noun}{numbers} of {count:,}"

    def set_content(self, row_count: int, columns: Sequence[GridColumn] | None = None) -> None:
        """Show other rows or columns. The cursor keeps its row if there still is one.

        `columns`: None for `fitting_columns()`.
        """
        self.row_count = row_count
        self.columns = tuple(self.fitting_columns() if columns is None else columns)
        self._header_labels = Neighbours(column.label for column in self.columns)
        self._fixed_columns = self.fitting_fixed_count(self.columns)
        self._surface.note_room()
        self.cursor_row = max(0, min(self.cursor_row, row_count - 1))
        self.cursor_column = min(self.cursor_column, max(0, len(self.columns) - 1))
        last = len(self.columns) - 1
        # No room is left free behind the last column.
        rightmost = self._first_that_shows(last) if last > self._fixed_columns else last
        self._first_column = max(self._fixed_columns, min(self._first_column, rightmost))
        self._resize_content()
        self.repaint()

    def fitting_fixed_count(self, columns: Sequence[GridColumn]) -> int:
        """Return how many of these columns stay in place: the leading ones, and as many pinned ones as fit."""
        fixed = self._least_fixed
        used = sum(column.width + GAP for column in columns[:fixed])
        for column in columns[fixed : fixed + self.pinned_columns]:
            used += column.width + GAP
            if used > self.line_width * FIXED_SHARE:
                break
            fixed += 1
        return fixed

    def _resize_content(self) -> None:
        self.virtual_size = Size(1, self.row_count + self.header_height)

    def repaint(self) -> None:
        """Repaint everything visible, from new cells."""
        self._lines.clear()
        if not self._is_painting_all:
            self.refresh()
        self._tell_columns()

    def _tell_columns(self) -> None:
        if self.columns_in_view != self._told_columns:
            self._told_columns = self.columns_in_view
            self.post_message(self.ColumnsScrolled(self))

    def repaint_rows(self, rows: Sequence[int]) -> None:
        for row in rows:
            for key in ((row, True), (row, False)):
                self._lines.pop(key, None)
            self._refresh_row(row)

    def pass_time(self) -> None:
        """Repaint the lines that time has changed."""
        painted, self._painted = self._painted, {}
        if not self.is_on_screen:
            if painted:
                self.repaint()
            return
        self._lines.clear()
        for y, before in painted.items():
            if y < self.size.height and self.render_line(y) != before:
                self.refresh(Region(0, y, self.size.width, 1))

    def _refresh_row(self, row: int) -> None:
        y = row - self.top_row + self.header_height
        if self.header_height <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # -- moving

    def move_to(self, row: int, column: int | None = None) -> None:
        """Move the cursor. Only the two rows concerned are repainted, unless the page or the visible columns change."""
        row = max(0, min(row, self.row_count - 1))
        seen = self.visible_columns()
        column_changed = column is not None and self._set_column(column)
        previous, self.cursor_row = self.cursor_row, row
        if column is not None and self.visible_columns() != seen:
            self.repaint()
        elif column_changed:
            self.repaint_rows((previous, row))
            self.refresh(Region(0, 0, self.size.width, self.header_height))
        elif row != previous:
            self._refresh_row(previous)
            self._refresh_row(row)
        self._show_cursor()
        if row != previous:
            self.post_message(self.CursorMoved(self))

    @property
    def cursor_position(self) -> CursorPosition:
        return CursorPosition(self.cursor_row - self.top_row, self.top_row == 0)

    def restore_cursor(self, row: int, before: CursorPosition) -> None:
        """Put the cursor on a row of other content, at the same height; the first page stays the first page if the row fits."""
        self.cursor_row = row
        fits_at_top = before.is_page_first and row < self.page_size
        self.scroll_rows_to(0 if fits_at_top else max(0, row - before.height))
        self._show_cursor()

    def _show_cursor(self) -> None:
        if self.cursor_row < self.top_row:
            self.scroll_rows_to(self.cursor_row)
        elif self.cursor_row >= self.top_row + self.page_size:
            self.scroll_rows_to(self.cursor_row - self.page_size + 1)

    def scroll_rows_to(self, row: int) -> None:
        self.scroll_to(y=row, animate=False, immediate=True, force=True)

    @property
    def first_column(self) -> int:
        """The index of the first column in view of those that scroll."""
        return self._first_column

    def scroll_columns_to(self, column: int) -> None:
        """Let a column be the first in view of those that scroll. The cursor stays: move it to a column that is in view."""
        column = max(self._fixed_columns, min(column, len(self.columns) - 1))
        if column != self._first_column:
            self._first_column = column
            self.repaint()

    def _set_column(self, column: int) -> bool:
        """Put the cursor on a column, and show it. Return whether it was on another one."""
        previous, self.cursor_column = self.cursor_column, max(0, min(column, len(self.columns) - 1))
        self._show_column()
        return self.cursor_column != previous

    def _show_column(self) -> None:
        """Scroll sideways until the column under the cursor is on screen."""
        column = self.cursor_column
        if column >= self._fixed_columns:
            self._first_column = min(self._first_column, column)
            if column not in self.visible_columns():
                self._first_column = self._first_that_shows(column)
        self._tell_columns()

    def _first_that_shows(self, column: int) -> int:
        """Return the leftmost column to begin with so that this one still fits."""
        room = self._room_up_to(column) - sum(fixed.width + GAP for fixed in self.columns[: self._fixed_columns])
        room -= self.columns[column].width
        first = column
        while first > self._fixed_columns and room >= self.columns[first - 1].width + GAP:
            first -= 1
            room -= self.columns[first].width + GAP
        return first

    def _turn_columns(self, pages: int) -> None:
        """Scroll one page of columns to the right (1) or to the left (-1). The cursor goes to the nearest new column."""
        if pages > 0:
            column, last = self.visible_columns()[-1] + 1, len(self.columns) - 1
            self._first_column = min(column, self._first_that_shows(last))
        else:
            column = self._first_column - 1
            self._first_column = self._first_that_shows(column)
        self.move_to(self.cursor_row, column)
        self.repaint()

    def action_move(self, rows: int) -> None:
        self.move_to(self.cursor_row + rows)

    def action_page(self, pages: int) -> None:
        self._jump(pages * self.page_size)

    def action_half_page(self, pages: int) -> None:
        self._jump(pages * max(1, self.page_size // 2))

    def _jump(self, rows: int) -> None:
        """Scroll the page and the cursor by the same number of rows; the cursor keeps its screen line."""
        self.scroll_rows_to(max(0, min(self.top_row + rows, self.row_count - self.page_size)))
        self.move_to(self.cursor_row + rows)

    def action_edge(self, direction: int) -> None:
        self.move_to(0 if direction < 0 else self.row_count - 1)

    def action_column(self, columns: int) -> None:
        if self.WHOLE_LINES:
            self._left = max(0, self._left + columns * _SCROLLED_CELLS)
            self.repaint()
            return
        self.move_to(self.cursor_row, self.cursor_column + columns)

    def action_go_to_column(self) -> None:
        """Ask for a column by a part of its name."""
        from mldeck.ui.kit.dialogs.picker import PickerDialog  # a text field takes a while to load

        names = {index: name for index in range(len(self.columns)) if (name := self.column_name(index))}

        def chosen(picked: tuple[int, ...] | None) -> None:
            if picked is None:
                return
            # The columns may have changed meanwhile.
            places = (*picked, *range(len(self.columns)))
            same = (
                place for place in places if place < len(self.columns) and names[picked[0]] == self.column_name(place)
            )
            self.move_to(self.cursor_row, next(same, None))

        groups = [column.group for column in self.columns]
        dialog = PickerDialog(
            "Go to column",
            list(names),
            name=names.__getitem__,
            group=groups.__getitem__,
            no_match=self.no_column_text,
        )
        self.app.push_screen(dialog, chosen)

    def action_open(self) -> None:
        if self.row_count:
            self.post_message(self.Opened(self))

    def action_copy(self) -> None:
        text = self.copied_text()
        if text is not None:
            self.post_message(CopyAsked(text, text))

    def copied_text(self) -> str | None:
        """Return the text that `y` copies; None if there is none."""
        return None

    def found_rows(self, text: str) -> list[int]:
        """Return the rows that contain the text, ignoring case. For grids that hold all of their rows."""
        wanted = text.lower()
        return [row for row in range(self.row_count) if wanted in self.row_text(row).lower()]

    async def find_rows(self, text: str) -> Sequence[int]:
        """Return the rows that contain the text. Override it where rows have to be read; an empty text ends the search."""
        return self.found_rows(text) if text else ()

    def found_columns(self, text: str) -> list[int]:
        """Return the columns whose names contain the text, ignoring case; a single letter is only found as a whole name."""
        if not self.column_noun:
            return []
        wanted = text.lower()
        names = (self.column_name(index).lower() for index in range(len(self.columns)))
        return [index for index, name in enumerate(names) if (wanted in name if len(wanted) > 1 else wanted == name)]

    def row_text(self, row: int) -> str:
        """Return the text of a row that find looks through."""
        return " ".join(cell.text for cell in self.row_cells(row) or ())

    # -- events

    def lay_out(self) -> None:
        """Arrange rows and columns for the room that there is now."""
        self.set_content(self.row_count)
        self._show_column()
        self._show_cursor()
        self.rows_in_view_changed()

    def rows_in_view_changed(self) -> None:
        """Read what the rows in view need: the grid was scrolled, laid out, or has come on screen."""

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.rows_in_view_changed()

    def on_show(self) -> None:
        self.rows_in_view_changed()

    def on_resize(self) -> None:
        self._surface.check_room()

    def on_hide(self) -> None:
        self._surface.forget_room()

    def render_lines(self, crop: Region) -> list[Strip]:
        self._is_painting_all = crop.size == self.size
        self._surface.check_room()
        self._is_painting_all = False
        return super().render_lines(crop)

    def on_focus(self) -> None:
        self._focused = True
        self.repaint()

    def on_blur(self) -> None:
        self._focused = False
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        place = event.get_content_offset(self)
        if place is None:
            return  # The click was on the border.
        column = self.column_at(place.x)
        if place.y < self.header_height:
            marks = self._edge_marks(self._top_line()) if place.y == 0 else ()
            mark = next((mark for mark in marks if mark.covers(place.x)), None)
            if mark is not None:
                self._turn_columns(mark.pages)
            elif column is not None:
                self.move_to(self.cursor_row, column)
                self.header_clicked()
            return
        row = self.top_row + place.y - self.header_height
        if row < self.row_count:
            self.move_to(row, column)
            if event.chain == 2:
                self.action_open()

    def header_clicked(self) -> None:
        """Called when the header of the column that is now under the cursor was clicked."""

    def column_at(self, x: int) -> int | None:
        """Return the index of the column at a horizontal position in cells; None to the right of all columns."""
        left = 0
        for index in self.visible_columns():
            left += self.columns[index].width + GAP
            if x < left:
                return index
        return None

    def watch_show_vertical_scrollbar(self, is_shown: bool) -> None:
        if is_shown:
            align_scrollbar(self)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._surface.forget_base()
        self._styles_by_name.clear()
        self._lines.clear()

    # -- painting

    @property
    def base(self) -> Style:
        """The style that all others are laid on."""
        return self._surface.base

    def render_line(self, y: int) -> Strip:
        line = self._painted[y] = self.line_at(y)
        return line

    def line_at(self, y: int) -> Strip:
        """Return a line of the widget, by its number from the top."""
        width = self.line_width
        if y < self.header_height:
            if y > 0:
                return self._header_line().adjust_cell_length(width, self.base)
            header = self._top_line()
            for mark in self._edge_marks(header):
                header = with_mark(header, mark, self.base + self.style_named("dim"))
            return header
        row = self.top_row + y - self.header_height
        if row >= self.row_count:
            return self._empty_line(y - self.header_height, width)
        key = (row, row == self.cursor_row)
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) > _CACHED_LINES:
                self._lines.clear()
            try:
                line = self._row_line(row, width)
            except LookupError:
                # The data shrank between two paints. The next paint will not have the row.
                return Strip.blank(width, self.base)
            self._lines[key] = line
        return line

    def _empty_line(self, y: int, width: int) -> Strip:
        """Return a line of the empty text, which is wrapped because it may be whole sentences."""
        lines = [] if self.row_count else self._empty_lines(width)
        y -= len(lines) < self.size.height - self.header_height  # A blank line above it, if there is room.
        text = f"  {lines[y]}" if 0 <= y < len(lines) else ""
        segment = Segment(cell_text(text, width), self.base + self.style_named("dim"))
        return Strip([segment]).adjust_cell_length(width, self.base)

    def _empty_lines(self, width: int) -> list[str]:
        return wrapped_lines(self.empty_text, width - 3)

    def _row_line(self, row: int, width: int) -> Strip:
        whole = self.line_cells(row)
        cells = self.row_cells(row) if whole is None else ()
        is_cursor = row == self.cursor_row
        base = self.base
        if is_cursor and (self._focused or not self.WHOLE_LINES):
            base += self.style_named("cursor" if self._focused else "cursor-blurred")
        if whole is not None:
            styles = (legible(cell.style) if is_cursor and self._focused else cell.style for cell in whole)
            pairs = zip(whole, styles, strict=True)
            line = Strip([Segment(cell.text, self.laid_on(base, style)) for cell, style in pairs if cell.text])
            return (line.crop(self._left) if self._left else line).adjust_cell_length(width, base)
        if cells is None:
            return Strip([Segment(" ·", base + self.style_named("dim"))]).adjust_cell_length(width, base)
        segments = []
        for index, column in self._shown_columns():
            text, own_style, first_name = cells[index]
            is_at_cursor = is_cursor and self._focused and self._has_header and index == self.cursor_column
            if is_at_cursor:  # no colour can be read on that of the cell
                style = base + Style(bgcolor=self.style_named("cursor-cell").bgcolor)
            else:
                style = self.laid_on(base, legible(own_style) if is_cursor and self._focused else own_style)
            if column.neighbours is not None:
                text = column.neighbours.cut(text, column.width)
            shown = fit(text, column.width, column.right)
            if first_name:
                segments.append(Segment(shown[:1], style + self.style_named(first_name)))
                shown = shown[1:]
            segments.append(Segment(shown, style))
            segments.append(Segment(" " * GAP, base))
        return Strip(segments).adjust_cell_length(width, base).simplify()

    def header_style(self, index: int) -> str:
        """Return the name of the style of a column's label."""
        at_cursor = self._focused and index == self.cursor_column
        return "sorted" if self.columns[index].mark else "header-cursor" if at_cursor else "header"

    def _header_line(self) -> Strip:
        segments = []
        for index, column in self._shown_columns():
            style = self.base + self.style_named(self.header_style(index))
            label = self._header_labels.cut(column.label, column.width - cell_width(column.mark)) + column.mark
            tail = min(column.tail, column.width - cell_width(label))
            segments.append(Segment(fit(label, column.width - tail, column.right) + " " * tail, style))
            segments.append(Segment(" " * GAP, self.base))
        return Strip(segments)

    def _top_line(self) -> Strip:
        """Return the uppermost line of the header, without marks."""
        header = self._group_line() if self.header_height > 1 else self._header_line()
        return header.adjust_cell_length(self.line_width, self.base)

    def _edge_marks(self, header: Strip) -> Sequence[EdgeMark]:
        if not self.column_noun:
            return ()
        shown = self.visible_columns()
        fixed = self.columns[: self._fixed_columns]
        marks = edge_marks(
            header,
            before=self._first_column - self._fixed_columns,
            behind=len(self.columns) - 1 - (shown[-1] if shown else 0),
            fixed_width=max(0, sum(column.width + GAP for column in fixed) - GAP),
            width=self.line_width,
        )
        return tuple(marks)

    def _group_line(self) -> Strip:
        text, named = "", ""
        for index in self.visible_columns():
            column = self.columns[index]
            room = column.width + GAP
            text += fit("" if column.group == named else column.group, room, right=False)
            named = column.group
        return Strip([Segment(text, self.base + self.style_named("group"))])

    def laid_on(self, base: Style, style: str | Style) -> Style:
        """Return the style of a cell, given by name or as a style, over the style of its row."""
        if not style:
            return base
        return base + (style if isinstance(style, Style) else self.style_named(style))

    def style_named(self, name: str) -> Style:
        style = self._styles_by_name.get(name)
        if style is None:
            style = self._styles_by_name[name] = style_named(self, name)
        return style
