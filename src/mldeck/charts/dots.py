"""Hundreds of straight lines in braille, each with its own ink, drawn on top of each other.

Unlike the layers of `braille`, which keep a few curves apart, all lines share one grid, so the cost does not depend on
the number of inks.
"""

from __future__ import annotations

from mldeck.charts.braille import BRAILLE, DOT_BITS
from mldeck.charts.picture import Ink, PictureCell

_NOTHING = PictureCell()


class Dots:
    """A grid of braille dots. If two lines share a cell, their dots are merged in the ink of the later one."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._bits = [0] * (width * height)
        self._inks = [Ink()] * (width * height)

    def line(self, start: tuple[int, int], end: tuple[int, int], ink: Ink, every: int = 1) -> None:
        """Draw a line between two dots (x, y), counted from the top left; both must be inside.

        Only every `every`-th dot is drawn.
        """
        (x, y), (last_x, last_y) = start, end
        steps = max(abs(last_x - x), abs(last_y - y))
        across, down = ((last_x - x) / steps, (last_y - y) / steps) if steps else (0.0, 0.0)
        bits, inks, width = self._bits, self._inks, self.width
        for step in range(0, steps + 1, every):
            column, row = int(x + across * step + 0.5), int(y + down * step + 0.5)
            cell = (row >> 2) * width + (column >> 1)
            bits[cell] |= DOT_BITS[row & 3][column & 1]
            inks[cell] = ink

    @property
    def rows(self) -> list[list[PictureCell]]:
        """The cells, row by row."""
        cells = [
            PictureCell(BRAILLE[bits], ink) if bits else _NOTHING
            for bits, ink in zip(self._bits, self._inks, strict=True)
        ]
        return [cells[start : start + self.width] for start in range(0, len(cells), self.width)]
