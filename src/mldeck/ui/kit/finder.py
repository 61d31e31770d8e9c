"""Quick find: a line at the bottom of a place, and the matches in the pane that had the focus."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.widget import MountError

from mldeck.ui.kit.grid import Grid

if TYPE_CHECKING:
    from mldeck.ui.kit.find_bar import FindBar

FindRows = Callable[[Grid, str], Awaitable[Sequence[int]]]


class Finder:
    """Goes from match to match in one grid. What matches is asked from `find_rows`, which may have to read the store."""

    def __init__(self, screen: Screen[None], find_rows: FindRows) -> None:
        self._screen = screen
        self._find_rows = find_rows
        self._grid: Grid | None = None
        self._bar: FindBar | None = None
        self._start_row = 0
        self._rows: Sequence[int] = ()
        self._text = ""

    @property
    def is_open(self) -> bool:
        return self._bar is not None

    @property
    def has_matches(self) -> bool:
        return bool(self._text)

    async def open(self, grid: Grid, before: str) -> None:
        """Shows the line above the widget with the id `before`."""
        if self._bar is not None:
            return
        from mldeck.ui.kit.find_bar import FindBar  # a text field takes a while to load

        self._grid = grid
        self._start_row = grid.cursor_row
        self._bar = FindBar(id="find")
        try:
            await self._screen.mount(self._bar, before=f"#{before}")
        except MountError:
            self._bar = None  # the deck is closing
        else:
            # At once, so that what is typed next goes there.
            self._screen.set_focus(self._bar.input)

    async def search(self, text: str) -> None:
        grid = self._grid
        if grid is None:
            return
        self._text = text
        self._rows = await self._find_rows(grid, text) if text else ()
        if self._rows:
            at = bisect_left(self._rows, self._start_row)
            grid.move_to(self._rows[at % len(self._rows)])
        self._show_count()

    def step(self, direction: int) -> None:
        """To the next match (1) or the previous one (-1), round and round."""
        grid = self._grid
        if grid is None or not self._rows:
            return
        if direction > 0:
            at = bisect_right(self._rows, grid.cursor_row)
        else:
            at = bisect_left(self._rows, grid.cursor_row) - 1
        grid.move_to(self._rows[at % len(self._rows)])
        self._show_count()

    def _show_count(self) -> None:
        if self._bar is None or self._grid is None:
            return
        if not self._text:
            self._bar.show_count("")
        elif not self._rows:
            self._bar.show_count("no match")
        else:
            at = bisect_left(self._rows, self._grid.cursor_row) + 1
            self._bar.show_count(f"{at} of {len(self._rows):,}")

    async def close(self, *, keep: bool) -> None:
        """`keep`: the matches can still be stepped through."""
        bar, self._bar = self._bar, None
        if bar is not None:
            await bar.remove()
        if self._grid is not None:
            self._screen.set_focus(self._grid)
        if not keep:
            await self.forget()

    def drop(self, grid: Grid) -> None:
        """The grid shows something else now: what was found in it is not there."""
        if grid is self._grid:
            self._text, self._rows = "", ()
            self._show_count()

    async def forget(self) -> None:
        self._text, self._rows = "", ()
        if self._grid is not None:
            await self._find_rows(self._grid, "")
