"""Lines of styled text to read: scrolled like a table, one row at a time, whatever their length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.strip import Strip

from mldeck.format import cell_width
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.keys import LINES, bindings

_STEP = 8
"""Cells that a long line moves at once."""


class LineView(Grid):
    """The subclass says what is in a line; the view can be moved to the right where lines are longer than it is wide."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LINES)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, has_header=False)
        self._left = 0

    def pieces(self, row: int) -> Sequence[tuple[str, str | Style]]:
        """Text that is safe to print, each piece with its style or the name of one."""
        raise NotImplementedError

    def row_cells(self, row: int) -> Sequence[Cell]:
        return [Cell("".join(text for text, _ in self.pieces(row)))]

    def action_column(self, columns: int) -> None:
        self._left = max(0, self._left + columns * _STEP)
        self.repaint()

    def _row_line(self, row: int, width: int) -> Strip:
        base = self.rich_style
        if row == self.cursor_row and self._focused:
            base += self.style_named("cursor")
        segments = [Segment(text, base + self._style(style)) for text, style in self.pieces(row) if text]
        line = Strip(segments)
        if self._left:
            line = line.crop(self._left)
        return line.adjust_cell_length(width, base)

    def _style(self, style: str | Style) -> Style:
        return style if isinstance(style, Style) else self.style_named(style) if style else Style.null()


class ReadyLines(LineView):
    """Lines that are all there: hex, notes, Markdown that was rendered."""

    def __init__(self, lines: Sequence[Sequence[tuple[str, str | Style]]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.show_lines(lines)

    def show_lines(self, lines: Sequence[Sequence[tuple[str, str | Style]]]) -> None:
        self._content = lines
        self.set_content(len(lines), ())

    def pieces(self, row: int) -> Sequence[tuple[str, str | Style]]:
        return self._content[row]

    def copied_text(self) -> str | None:
        return self.row_text(self.cursor_row) if self.row_count else None


def indent(text: str, width: int) -> str:
    """The text, with spaces behind it up to this many cells."""
    return text + " " * max(0, width - cell_width(text))
