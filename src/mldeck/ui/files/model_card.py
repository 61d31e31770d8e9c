"""Shows the card of a model: sections of names and values, and code to copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from mldeck.format import cell_width, safe
from mldeck.ui.files.model_card_reading import Card
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.keys import LINES, bindings
from mldeck.ui.kit.line_view import indent

_WIDEST_NAME = 28


class ModelCard(Grid):
    BINDINGS: ClassVar[list[BindingType]] = bindings(LINES)
    WHOLE_LINES = True

    def __init__(self, card: Card) -> None:
        super().__init__(id="model-card")
        self._card_lines = card.lines
        names = (cell_width(safe(line.name)) for line in card.lines if not (line.is_heading or line.is_code))
        self._name_width = min(_WIDEST_NAME, max(names, default=0))
        self.set_content(len(card.lines))

    def line_cells(self, row: int) -> Sequence[Cell]:
        line = self._card_lines[row]
        if line.is_heading:
            return Cell(safe(line.name), "name"), Cell(f"  {safe(line.text)}" if line.text else "", "faint")
        if line.is_code:
            return Cell("  "), Cell(safe(line.text), "good")
        name = indent(cell_text(line.name, self._name_width), self._name_width) if line.name else ""
        return Cell("  "), Cell(name + ("  " if name else ""), "dim"), Cell(safe(line.text), line.style)

    def row_text(self, row: int) -> str:
        return f"{self._card_lines[row].name} {self._card_lines[row].text}"

    def copied_text(self) -> str | None:
        """Return the value under the cursor; the whole snippet if it is code."""
        if not self.row_count:
            return None
        line = self._card_lines[self.cursor_row]
        return line.copied or line.text or line.name
