"""Quick find: a line at the bottom of a screen, and the matches in the pane that had the focus."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from textual.screen import Screen
from textual.widget import MountError, Widget

from mldeck.ui.kit.grid import Grid

if TYPE_CHECKING:
    from mldeck.ui.kit.find_bar import FindBar

FindRows = Callable[[Grid, str], Awaitable[Sequence[int]]]
"""Returns the rows of a grid that contain a text, and may read the store for it. An empty text ends the search."""

NO_MATCH = "no match"


class Matches(Protocol):
    """The matches of a text in one widget."""

    text: str
    """The text that is looked for; empty if none is."""

    @property
    def widget(self) -> Widget | None:
        """The widget that gets the focus when the line closes."""

    @property
    def count_text(self) -> str:
        """The number of the match and of all matches, as the line shows them."""

    async def search(self, text: str) -> None:
        """Look for a text, and go to its first match from where the search began."""

    async def step(self, direction: int) -> None:
        """Go to the next match (1) or the previous one (-1), from the last to the first and back."""

    async def forget(self) -> None:
        """End the search."""


class GridMatches:
    """The rows of a grid that match, and the columns whose names do.

    The cursor goes to a row and a column independently, so that neither is missed. Every search begins at the same cursor and
    scroll position, so that what was found of a shorter text leaves no trace; where nothing matches, they come back. `step`
    goes from row to row, and from column to column if no row matches.
    """

    def __init__(self, grid: Grid, find_rows: FindRows) -> None:
        self.widget = grid
        self.text = ""
        self._find_rows = find_rows
        self._rows: Sequence[int] = ()
        self._columns: Sequence[int] = ()
        self.begin()

    def begin(self) -> None:
        """Let the next search begin at the cursor."""
        grid = self.widget
        self._start_row, self._start_column = grid.cursor_row, grid.cursor_column
        self._top_row, self._first_column = grid.top_row, grid.first_column

    @property
    def count_text(self) -> str:
        if not self.text:
            return ""
        row, column = self.widget.cursor_row, self.widget.cursor_column
        parts = [_count_text(self._rows, row)] if self._rows else []
        parts += [f"column {_count_text(self._columns, column)}"] if self._columns else []
        return " · ".join(parts) or NO_MATCH

    async def search(self, text: str) -> None:
        self.text = text
        self._find_columns(text)
        had_rows, self._rows = bool(self._rows), await self._find_rows(self.widget, text) if text else ()
        if self._rows or had_rows:
            self.widget.scroll_rows_to(self._top_row)
        if self._rows:
            self._go_to_row(bisect_left(self._rows, self._start_row))
        elif had_rows:
            self.widget.move_to(self._start_row)

    def _find_columns(self, text: str) -> None:
        had_columns, self._columns = bool(self._columns), self.widget.found_columns(text)
        if self._columns or had_columns:
            self.widget.scroll_columns_to(self._first_column)
        if self._columns:
            self._go_to_column(bisect_left(self._columns, self._start_column))
        elif had_columns:
            self.widget.move_to(self.widget.cursor_row, self._start_column)

    async def step(self, direction: int) -> None:
        if self._rows:
            self._go_to_row(_next(self._rows, self.widget.cursor_row, direction))
        elif self._columns:
            self._go_to_column(_next(self._columns, self.widget.cursor_column, direction))

    def _go_to_row(self, index: int) -> None:
        self.widget.move_to(self._rows[index % len(self._rows)])

    def _go_to_column(self, index: int) -> None:
        self.widget.move_to(self.widget.cursor_row, self._columns[index % len(self._columns)])

    def drop(self) -> None:
        """Forget the matches: the grid shows other rows now."""
        self.text, self._rows, self._columns = "", (), ()

    async def forget(self) -> None:
        self.drop()
        await self._find_rows(self.widget, "")


def _next(matches: Sequence[int], present: int, direction: int) -> int:
    """Return the index of the match after the present row or column (1), or before it (-1)."""
    return bisect_right(matches, present) if direction > 0 else bisect_left(matches, present) - 1


def _count_text(matches: Sequence[int], present: int) -> str:
    return f"{bisect_left(matches, present) + 1:,} of {len(matches):,}"


class Finder:
    """Opens and closes the line, and goes from match to match in the widget that it was opened for."""

    def __init__(self, screen: Screen[None], find_rows: FindRows) -> None:
        self._screen = screen
        self._find_rows = find_rows
        self._matches: Matches | None = None
        self._bar: FindBar | None = None

    @property
    def is_open(self) -> bool:
        return self._bar is not None

    @property
    def has_matches(self) -> bool:
        """Whether a text is looked for in a widget that is still there."""
        matches = self._matches
        return matches is not None and bool(matches.text) and matches.widget is not None

    async def open(self, grid: Grid, before: str) -> None:
        """Show the line above the widget with the id `before`, to look through the rows of a grid."""
        if self._bar is None:
            matches = self._matches_in(grid) or GridMatches(grid, self._find_rows)
            matches.begin()
            await self.open_for(matches, before)

    async def open_for(self, matches: Matches, before: str) -> None:
        """Show the line above the widget with the id `before`, to look for any kind of matches."""
        if self._bar is not None:
            return
        from mldeck.ui.kit.find_bar import FindBar  # a text field takes a while to load

        self._matches = matches
        self._bar = FindBar(id="find")
        try:
            await self._screen.mount(self._bar, before=f"#{before}")
        except MountError:
            self._bar = None  # the deck is closing
        else:
            # At once, so that what is typed next goes there.
            self._screen.set_focus(self._bar.input)

    async def search(self, text: str) -> None:
        if self._matches is not None:
            await self._matches.search(text)
            self._show_count()

    async def step(self, direction: int) -> None:
        """Go to the next match (1) or the previous one (-1)."""
        if self._matches is not None and self._matches.text:
            await self._matches.step(direction)
            self._show_count()

    def _show_count(self) -> None:
        if self._bar is not None and self._matches is not None:
            self._bar.show_count(self._matches.count_text)

    async def close(self, *, keep: bool) -> None:
        """Remove the line. `keep`: the matches can still be stepped through."""
        bar, self._bar = self._bar, None
        if bar is not None:
            await bar.remove()
        if self._matches is not None:
            self._screen.set_focus(self._matches.widget)
        if not keep:
            await self.forget()

    def _matches_in(self, grid: Grid) -> GridMatches | None:
        matches = self._matches
        return matches if isinstance(matches, GridMatches) and matches.widget is grid else None

    def drop(self, grid: Grid) -> None:
        """Forget the matches in a grid that shows other rows now."""
        if (matches := self._matches_in(grid)) is not None:
            matches.drop()
            self._show_count()

    async def forget(self) -> None:
        if self._matches is not None:
            await self._matches.forget()
