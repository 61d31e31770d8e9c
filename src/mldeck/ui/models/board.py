"""The versions of a model as cards, in one column per stage.

The board is a grid whose rows are laid out as cards, so that finding, copying and opening work as in a table. Only visible
cards are made. Each column scrolls by whole cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.strip import Strip

from mldeck.format import cell_width
from mldeck.registry.nouns import PRODUCTION, STAGES, ModelVersion
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.grid import Cell, Grid, GridColumn, legible
from mldeck.ui.kit.keys import COLUMNS, bindings
from mldeck.ui.models.cards import CARD_HEIGHT, Cards, source_name
from mldeck.ui.models.reading import Versions

_HEADER_HEIGHT = 1
_GAP = 1
_ROOMY = 18
"""Cells. Columns narrower than this get the room that empty columns do not need."""
_WIDEST = 44


class VersionBoard(Grid):
    """A column of cards per stage. A row is an index in `data.versions`, wherever its card is."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(COLUMNS)

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clock = clock
        self.data = Versions()
        self.stages: list[list[int]] = [[] for _ in STAGES]
        """Rows of the versions, by index in `STAGES`."""
        self._tops = [0] * len(STAGES)
        """Number of cards scrolled out above, by index in `STAGES`."""
        self._cards = Cards(self.data, clock)

    def show(self, data: Versions, cursor: int | None) -> None:
        """Show versions with the cursor on the one with that number, else on the first in Production or the newest."""
        is_same = data.model == self.data.model
        self.data, self._cards = data, Cards(data, self._clock)
        self.stages = [data.in_stage(stage) for stage in STAGES]
        if not is_same:
            self._tops = [0] * len(STAGES)
        numbers = [version.version for version in data.versions]
        if cursor in numbers:
            self.cursor_row = numbers.index(cursor)
        elif not is_same:
            self.cursor_row = self._first_choice
        self.set_content(len(data.versions), (GridColumn("", 0),))
        self._keep_tops()
        self._show_cursor()

    @property
    def _first_choice(self) -> int:
        """The row of the newest version in Production, else of the newest one."""
        serving = self.stages[STAGES.index(PRODUCTION)]
        return serving[0] if serving else 0

    @property
    def cursor_version(self) -> ModelVersion | None:
        return self.data.versions[self.cursor_row] if self.data.versions else None

    # -- layout

    @property
    def cards_at_once(self) -> int:
        """Number of cards that fit in a column."""
        return max(1, (self.size.height - _HEADER_HEIGHT) // CARD_HEIGHT)

    def _card_at(self, stage: int, y: int) -> tuple[int, int] | None:
        """Return the row of the card at a line of the widget, and the line of the card; None if there is none.

        Below the cards that fit, the upper lines of the next one are shown.
        """
        card, line = divmod(y - _HEADER_HEIGHT, CARD_HEIGHT)
        rows, position = self.stages[stage], self._tops[stage] + card
        return (rows[position], line) if card >= 0 and position < len(rows) else None

    @property
    def cursor_stage(self) -> int:
        """Index in `STAGES` of the column with the cursor."""
        return next((index for index, rows in enumerate(self.stages) if self.cursor_row in rows), 0)

    def _widths(self) -> list[int]:
        """Return the widths of the columns in cells: equal, but if narrow, empty columns are as wide as their heads."""
        room = self.size.width - _GAP * (len(STAGES) - 1)
        even = room // len(STAGES)
        fixed = [0] * len(STAGES)
        if even < _ROOMY:
            fixed = [0 if rows else min(even, len(stage)) for stage, rows in zip(STAGES, self.stages, strict=True)]
        filled = [index for index, width in enumerate(fixed) if not width]
        share, rest = divmod(room - sum(fixed), len(filled) or 1)
        return [width or min(_WIDEST, share + (index in filled[:rest])) for index, width in enumerate(fixed)]

    def _lefts(self) -> list[int]:
        """Return the left edges of the columns in cells."""
        lefts, left = [], 0
        for width in self._widths():
            lefts.append(left)
            left += width + _GAP
        return lefts

    def _resize_content(self) -> None:
        """Never scroll the widget: each column scrolls by itself."""
        self.virtual_size = Size(1, 1)

    def _keep_tops(self) -> None:
        for index, rows in enumerate(self.stages):
            self._tops[index] = max(0, min(self._tops[index], len(rows) - self.cards_at_once))

    def _show_cursor(self) -> None:
        stage = self.cursor_stage
        if self.cursor_row in self.stages[stage]:
            position = self.stages[stage].index(self.cursor_row)
            self._tops[stage] = max(position - self.cards_at_once + 1, min(self._tops[stage], position))

    # -- moving

    def move_to(self, row: int, column: int | None = None) -> None:
        """Move the cursor. Only the two cards concerned are painted, unless a column scrolls."""
        row = max(0, min(row, self.row_count - 1))
        if row == self.cursor_row or not self.row_count:
            return
        tops = list(self._tops)
        previous, self.cursor_row = self.cursor_row, row
        self._show_cursor()
        if tops != self._tops:
            self.refresh()
        else:
            self.repaint_rows((previous, row))
            self.refresh(Region(0, 0, self.size.width, _HEADER_HEIGHT))
        self.post_message(self.CursorMoved(self))

    def _refresh_row(self, row: int) -> None:
        for stage, rows in enumerate(self.stages):
            if row in rows:
                y = _HEADER_HEIGHT + (rows.index(row) - self._tops[stage]) * CARD_HEIGHT
                self.refresh(Region(self._lefts()[stage], y, self._widths()[stage], CARD_HEIGHT))

    def _move_by(self, cards: int) -> None:
        rows = self.stages[self.cursor_stage]
        if self.cursor_row in rows:
            position = max(0, min(rows.index(self.cursor_row) + cards, len(rows) - 1))
            self.move_to(rows[position])

    def action_move(self, rows: int) -> None:
        self._move_by(rows)

    def action_page(self, pages: int) -> None:
        self._move_by(pages * self.cards_at_once)

    def action_half_page(self, pages: int) -> None:
        self._move_by(pages * max(1, self.cards_at_once // 2))

    def action_edge(self, direction: int) -> None:
        self._move_by(direction * self.row_count)

    def action_column(self, columns: int) -> None:
        """Move to the next stage that has cards, at the same height."""
        stage = self.cursor_stage
        if self.cursor_row not in self.stages[stage]:
            return
        height = self.stages[stage].index(self.cursor_row) - self._tops[stage]
        target = stage + columns
        while 0 <= target < len(STAGES) and not self.stages[target]:
            target += columns
        if 0 <= target < len(STAGES):
            rows = self.stages[target]
            self.move_to(rows[min(self._tops[target] + height, len(rows) - 1)])

    def on_click(self, event: events.Click) -> None:
        event.prevent_default()  # the grid's own handler assumes rows one below the other
        offset = event.get_content_offset(self)
        row = None if offset is None else self._row_at(offset.x, offset.y)
        if row is not None:
            self.move_to(row)
            if event.chain == 2:
                self.action_open()

    def _row_at(self, x: int, y: int) -> int | None:
        for stage, (left, width) in enumerate(zip(self._lefts(), self._widths(), strict=True)):
            if left <= x < left + width:
                found = self._card_at(stage, y)
                return None if found is None else found[0]
        return None

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll_under(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll_under(event, -1)

    def _scroll_under(self, event: events.MouseEvent, cards: int) -> None:
        """Scroll the column under the mouse. The cursor stays on its card."""
        event.stop()
        event.prevent_default()
        lefts = self._lefts()
        stage = max(index for index, left in enumerate(lefts) if left <= max(0, event.x))
        self._tops[stage] += cards
        self._keep_tops()
        self.refresh()

    # -- finding and copying

    def row_cells(self, row: int) -> Sequence[Cell]:
        """Return the texts of a version that find searches."""
        version = self.data.versions[row]
        texts = (str(version.version), source_name(self.data, version), *version.aliases, version.description or "")
        return [Cell(text) for text in texts]

    def copied_text(self) -> str | None:
        version = self.cursor_version
        return None if version is None else f"models:/{version.name}/{version.version}"

    def lay_out(self) -> None:
        self._keep_tops()
        self._show_cursor()
        self.refresh()

    # -- painting

    def line_at(self, y: int) -> Strip:
        width = self.size.width
        if not self.data.versions:
            return self._empty_line(y, width)
        segments: list[Segment] = []
        for stage, column_width in enumerate(self._widths()):
            if segments:
                segments.append(Segment(" " * _GAP, self.base))
            if y < _HEADER_HEIGHT:
                segments += self._head(stage, column_width)
            else:
                segments += self._card_line(stage, column_width, y)
        return Strip(segments).adjust_cell_length(width, self.base)

    def _head(self, stage: int, width: int) -> list[Segment]:
        rows, above = self.stages[stage], self._tops[stage]
        at_cursor = self._focused and stage == self.cursor_stage
        count = f" {len(rows)}" if rows else ""
        hidden = f" ↑{above}" if above else ""
        name = cell_text(STAGES[stage], width - len(count) - len(hidden))
        style = "header-cursor" if at_cursor else "header" if rows else "faint"
        room = width - cell_width(name) - len(count) - len(hidden)
        rule = " " + "─" * (room - 1) if room > 1 else " " * room
        return [
            Segment(name, self._styled(style)),
            Segment(count, self._styled("dim")),
            Segment(hidden, self._styled("accent")),
            Segment(rule, self._styled("faint")),
        ]

    def _card_line(self, stage: int, width: int, y: int) -> list[Segment]:
        found = self._card_at(stage, y)
        if found is None:
            return [Segment(" " * width, self.base)]
        row, line = found
        is_cursor = row == self.cursor_row
        is_active = is_cursor and self._focused
        edge = "accent" if is_active else "dim" if is_cursor else "faint"
        last = self._tops[stage] + self.cards_at_once - 1
        is_last = self.stages[stage][last : last + 1] == [row]
        below = len(self.stages[stage]) - last - 1 if is_last else 0
        cells = self._cards.line(row, line, width, edge=edge, is_cursor=is_cursor, below=below)
        inside = self.style_named("card-cursor") if is_active and 0 < line < CARD_HEIGHT - 1 else None
        return [
            Segment(
                text,
                self._styled(legible(name)) + inside if inside and 0 < index < len(cells) - 1 else self._styled(name),
            )
            for index, (text, name, _) in enumerate(cells)
        ]

    def _styled(self, style: str | Style) -> Style:
        return self.laid_on(self.base, style)
