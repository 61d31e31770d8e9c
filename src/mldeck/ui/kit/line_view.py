"""Lines of styled text to read. They scroll like a table, one row at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from mldeck.format import cell_width
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.keys import LINES, bindings


class LineView(Grid):
    """Shows lines that are complete: a hex dump, the size of a folder, rendered Markdown."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(LINES)
    WHOLE_LINES = True

    def __init__(self, lines: Sequence[Sequence[Cell]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.show_lines(lines)

    def show_lines(self, lines: Sequence[Sequence[Cell]]) -> None:
        self._content = lines
        self.set_content(len(lines))

    def line_cells(self, row: int) -> Sequence[Cell]:
        return self._content[row]

    def copied_text(self) -> str | None:
        return self.row_text(self.cursor_row) if self.row_count else None


def indent(text: str, width: int) -> str:
    """Return the text, padded on the right to a number of cells."""
    return text + " " * max(0, width - cell_width(text))
