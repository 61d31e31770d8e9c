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
    """The rows of a grid that match."""

    def __init__(self, grid: Grid, find_rows: FindRows) -> None:
        self.widget = grid
        self.text = ""
        self.start_row = grid.cursor_row
        """The row at which the search begins."""
        self._find_rows = find_rows
        self._rows: Sequence[int] = ()

    @property
    def count_text(self) -> str:
        if not self.text:
            return ""
        if not self._rows:
            return NO_MATCH
        return f"{bisect_left(self._rows, self.widget.cursor_row) + 1} of {len(self._rows):,}"

    async def search(self, text: str) -> None:
        self.text = text
        self._rows = await self._find_rows(self.widget, text) if text else ()
        if self._rows:
            self._go_to(bisect_left(self._rows, self.start_row))

    async def step(self, direction: int) -> None:
        if self._rows:
            row = self.widget.cursor_row
            self._go_to(bisect_right(self._rows, row) if direction > 0 else bisect_left(self._rows, row) - 1)

    def _go_to(self, index: int) -> None:
        self.widget.move_to(self._rows[index % len(self._rows)])

    def drop(self) -> None:
        """Forget the matches: the grid shows other rows now."""
        self.text, self._rows = "", ()

    async def forget(self) -> None:
        self.drop()
        await self._find_rows(self.widget, "")


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
            matches.start_row = grid.cursor_row
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
