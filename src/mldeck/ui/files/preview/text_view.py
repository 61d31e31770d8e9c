"""Shows a text of any length: a few pages are held, and the next one is read when its rows are nearly in view."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import ClassVar

from textual import work
from textual.binding import BindingType
from textual.message import Message

from mldeck.artifacts.previews.text import Match, TextFile
from mldeck.artifacts.previews.values import TextPage, TextPreview
from mldeck.artifacts.source import Source
from mldeck.errors import Interrupted, MldeckError
from mldeck.store.interrupt import Interrupt
from mldeck.ui.files.keys import TEXT
from mldeck.ui.files.preview.text_layout import TextRow, pieces_of, row_at, rows_of
from mldeck.ui.files.preview.text_reading import ReadPage, as_lines, find_next, find_previous, highlighted, position_of
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.keys import LINES, bindings, key_name
from mldeck.ui.kit.text_styles import STYLE_NAMES
from mldeck.ui.kit.threads import read_off_loop

_MOST_PAGES = 4
_NUMBER_WIDTH = 7
"""Width of the line numbers in cells."""


class TextView(Grid):
    BINDINGS: ClassVar[list[BindingType]] = bindings(TEXT, LINES)
    WHOLE_LINES = True

    class Moved(Message):
        """Posted when `state` has changed."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, TextView.Moved)

    def __init__(self, source: Source, preview: TextPreview) -> None:
        super().__init__(id="preview-text")
        self._source = source
        self._encoding = preview.encoding
        self._lexer = preview.lexer
        self._file = TextFile(source, preview.encoding)
        self._byte_count = 0
        self._pages: list[ReadPage] = [as_lines(preview.page)]
        self._rows: list[TextRow] = []
        self._wraps = preview.lexer is None
        self._has_numbers = preview.lexer is not None
        self._needle = ""
        self._match: Match | None = None
        self._looked_at: int | None = None
        """Bytes that were searched so far; None while nothing is searched."""
        self._search: Interrupt | None = None

    def on_mount(self) -> None:
        self._measure()
        self._highlight(self._pages[0])

    # -- what is shown

    def line_cells(self, row: int) -> Sequence[Cell]:
        at = self._rows[row]
        page = self._pages[at.page]
        number = [self._number(page, at)] if self._has_numbers else []
        return [*number, *(Cell(*piece) for piece in pieces_of(at, page, self._needle))]

    def _number(self, page: ReadPage, at: TextRow) -> Cell:
        known = None if page.first_line is None else page.first_line + at.line
        number = "" if at.start else "…" if known is None else str(known)
        return Cell(f"{number:>{_NUMBER_WIDTH - 1}} ", "faint")

    def _break_lines(self, keep: tuple[int, int] | None = None) -> None:
        """Make the rows anew. `keep`: offset of the page and index of the line that stay at the top."""
        self._rows = [row for index, page in enumerate(self._pages) for row in self._rows_of(index, page)]
        self.set_content(len(self._rows))
        if keep is not None:
            row = self._row_of(*keep)
            self.scroll_rows_to(row)
        self.post_message(self.Moved())

    def _rows_of(self, index: int, page: ReadPage) -> Iterator[TextRow]:
        width = max(10, self.line_width - (_NUMBER_WIDTH if self._has_numbers else 0))
        return rows_of(index, page, width if self._wraps else None)

    def _row_of(self, page_offset: int, line: int, column: int = 0) -> int:
        index = next((index for index, held in enumerate(self._pages) if held.page.offset == page_offset), 0)
        return row_at(self._rows, index, line, column)

    @property
    def _top(self) -> tuple[int, int] | None:
        if not self._rows:
            return None
        at = self._rows[min(self.top_row, len(self._rows) - 1)]
        return self._pages[at.page].page.offset, at.line

    @property
    def state(self) -> str:
        """The position of the cursor in the text, or the progress of a search."""
        if self._looked_at is not None:
            share = f" {100 * self._looked_at // self._byte_count} %" if self._byte_count else ""
            return f"searching…{share} · {key_name('leave_file')} stops"
        if not self._rows or not self._byte_count:
            return ""
        at = self._rows[self.cursor_row]
        page = self._pages[at.page]
        if self._is_all_in_view:
            return f"line {at.line + 1:,} of {len(page.lines):,}"
        following = self._byte_count if page.page.next_offset is None else page.page.next_offset
        done = page.page.offset + (following - page.page.offset) * (at.line + 1) // max(1, len(page.lines))
        line = "" if page.first_line is None else f"line {page.first_line + at.line:,} · "
        return f"{line}{100 * done // self._byte_count} %"

    @property
    def _is_all_in_view(self) -> bool:
        """Whether nothing of the text is above or below what is on screen."""
        page = self._pages[0].page
        is_whole = len(self._pages) == 1 and page.offset == 0 and page.next_offset is None
        return is_whole and len(self.visible_rows) == len(self._rows)

    def copied_text(self) -> str | None:
        if not self._rows:
            return None
        at = self._rows[self.cursor_row]
        return self._pages[at.page].lines[at.line]

    @property
    def text(self) -> str:
        """The text of the pages that are held."""
        return "".join(held.page.text for held in self._pages)

    def lay_out(self) -> None:
        self._break_lines(self._top)
        super().lay_out()

    def action_wrap(self) -> None:
        self._wraps = not self._wraps
        self._left = 0
        self._break_lines(self._top)

    def action_numbers(self) -> None:
        self._has_numbers = not self._has_numbers
        self._break_lines(self._top)
        self._number_lines()

    def move_to(self, row: int, column: int | None = None) -> None:
        super().move_to(row, column)
        self.post_message(self.Moved())
        self.rows_in_view_changed()

    # -- other pages

    def rows_in_view_changed(self) -> None:
        """Read the page before or after those that are held, if its rows are nearly in view."""
        near = 2 * self.page_size
        bottom = max(self.top_row + self.page_size, self.cursor_row)
        last, first = self._pages[-1].page, self._pages[0].page
        if last.next_offset is not None and bottom + near >= len(self._rows):
            self._read_on(last.next_offset)
        elif first.offset > 0 and self.top_row < near:
            self._read_back(first.offset)

    @work(group="page", exclusive=True)
    async def _read_on(self, offset: int) -> None:
        page = await self._read(lambda: self._file.page(offset))
        if page is None or self._pages[-1].page.next_offset != offset:
            return
        self._pages.append(as_lines(page))
        dropped = 0
        if len(self._pages) > _MOST_PAGES:
            del self._pages[0]
            dropped = next((row for row, at in enumerate(self._rows) if at.page > 0), 0)
        self._place(-dropped)
        self._highlight(self._pages[-1])

    @work(group="page", exclusive=True)
    async def _read_back(self, offset: int) -> None:
        page = await self._read(lambda: self._file.page_before(offset))
        if page is None or self._pages[0].page.offset != offset:
            return
        new = as_lines(page)
        self._pages = [new, *self._pages[: _MOST_PAGES - 1]]
        self._place(sum(1 for _ in self._rows_of(0, new)))
        self._highlight(new)

    def _place(self, moved: int) -> None:
        """Make the rows of other pages. The view and the cursor stay where they are, `moved` rows further down."""
        self._spread_numbers()
        top, cursor = self.top_row + moved, self.cursor_row + moved
        self._rows = [row for index, page in enumerate(self._pages) for row in self._rows_of(index, page)]
        self.row_count = len(self._rows)
        self.cursor_row = max(0, min(cursor, self.row_count - 1))
        self.set_content(self.row_count)
        self.scroll_rows_to(max(0, top))
        self.post_message(self.Moved())

    async def _read(self, read: Callable[[], TextPage]) -> TextPage | None:
        try:
            return await read_off_loop(lambda _: read())
        except (MldeckError, OSError) as error:
            self._say(error)
            return None

    def _say(self, error: Exception) -> None:
        self.notify(f"The file cannot be read any more: {error}", severity="warning", timeout=5)

    @work(group="size")
    async def _measure(self) -> None:
        with suppress(MldeckError, OSError):
            self._byte_count = await read_off_loop(lambda _: self._source.size)
            self.post_message(self.Moved())

    @work(group="highlight")
    async def _highlight(self, page: ReadPage) -> None:
        lexer = self._lexer
        if lexer is not None:
            styles = {name: self.style_named(name) for name in STYLE_NAMES}
            page.spans = await read_off_loop(lambda interrupt: highlighted(page.lines, lexer, styles, interrupt.check))
            self.repaint()

    @work(group="numbers", exclusive=True)
    async def _number_lines(self) -> None:
        """Count the lines before the first page, which may take long, so only if line numbers are shown."""
        page = self._pages[0]
        self._spread_numbers()
        if not self._has_numbers or page.first_line is not None:
            return
        try:
            first = await read_off_loop(lambda interrupt: self._file.line_number(page.page.offset, interrupt.check))
        except (MldeckError, OSError):
            return
        page.first_line = first
        self._spread_numbers()
        self.repaint()
        self.post_message(self.Moved())

    def _spread_numbers(self) -> None:
        """Number the lines of pages from the pages beside them."""
        for before, after in pairwise(self._pages):
            if after.first_line is None and before.first_line is not None:
                after.first_line = before.first_line + before.line_count
        for after, before in pairwise(self._pages[::-1]):
            if before.first_line is None and after.first_line is not None:
                before.first_line = after.first_line - before.line_count

    # -- to the ends

    def action_edge(self, direction: int) -> None:
        if direction < 0 and self._pages[0].page.offset > 0:
            self._jump_to_start()
        elif direction > 0 and self._pages[-1].page.next_offset is not None:
            self._jump_to_end()
        else:
            super().action_edge(direction)

    @work(group="page", exclusive=True)
    async def _jump_to_start(self) -> None:
        page = await self._read(lambda: self._file.page(0))
        if page is not None:
            self._show_page(page, 0)

    @work(group="page", exclusive=True)
    async def _jump_to_end(self) -> None:
        page = await self._read(lambda: self._file.page_before(self._source.size))
        if page is not None:
            self._show_page(TextPage(page.offset, page.text, None), -1)

    def _show_page(self, page: TextPage, row: int) -> None:
        """Show a single page, with the cursor on a row of it; -1 is the last row."""
        self._pages = [as_lines(page)]
        self._break_lines()
        self.move_to(row if row >= 0 else len(self._rows) - 1)
        self._highlight(self._pages[0])
        self._number_lines()
        self.rows_in_view_changed()

    # -- finding

    @property
    def is_searching(self) -> bool:
        return self._looked_at is not None

    def stop_search(self) -> None:
        if self._search is not None:
            self._search.fire()

    def forget_search(self) -> None:
        self.stop_search()
        self._needle, self._match = "", None
        self.repaint()

    async def find(self, text: str, direction: int = 0) -> bool | None:
        """Go to the next match (1), the previous one (-1), or the first one from the cursor on (0).

        Return whether there is one; None if the search was stopped.
        """
        self.stop_search()
        if not text:
            self.forget_search()
            return None
        start = self._search_start(text, direction)
        self._needle = text
        self._looked_at = 0
        mine = self._search = Interrupt()

        def told(looked_at: int) -> None:
            if self._search is mine:
                self._looked_at = looked_at

        find = find_previous if direction < 0 else find_next
        ticks = self.set_interval(0.25, lambda: self.post_message(self.Moved()))
        try:
            match = await read_off_loop(lambda _: find(self._source, text, start, self._encoding, mine.check, told))
            if match is not None:
                await self._go_to(match)
            return match is not None
        except Interrupted:
            return None
        except (MldeckError, OSError) as error:
            self._say(error)
            return None
        finally:
            ticks.stop()
            if self._search is mine:
                self._looked_at = None
            self.repaint()
            self.post_message(self.Moved())

    def _search_start(self, text: str, direction: int) -> int:
        if self._match is not None and text == self._needle and direction:
            return self._match.end if direction > 0 else self._match.offset
        if self._match is not None:
            return self._match.offset
        at = self._rows[self.cursor_row]
        page = self._pages[at.page].page
        return page.offset + len("\n".join(page.text.split("\n")[: at.line]).encode(self._encoding, "replace"))

    async def _go_to(self, match: Match) -> None:
        self._match = match
        pages = (held.page for held in self._pages if self._holds(held.page, match.offset))
        page = next(pages, None)
        if page is None:
            page = await read_off_loop(lambda _: self._file.page_around(match.offset))
            self._show_page(page, 0)
        position = await read_off_loop(lambda _: position_of(self._source, page, self._encoding, match.offset))
        self.move_to(self._row_of(page.offset, position.line, position.column))
        row = self.cursor_row
        if not self.top_row <= row < self.top_row + self.page_size - 1:
            self.scroll_rows_to(max(0, row - self.page_size // 2))

    def _holds(self, page: TextPage, offset: int) -> bool:
        end = self._byte_count if page.next_offset is None else page.next_offset
        return page.offset <= offset < end
