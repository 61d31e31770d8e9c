"""Hundreds of straight lines in braille, each in an ink of its own, drawn one over the other.

Unlike the layers of `braille`, which keep a few curves apart, all lines share one grid: what is drawn costs the same
however many inks there are.
"""

from __future__ import annotations

from mldeck.charts.picture import Cell, Ink

# Bits of a braille cell, by row from the top and by column (Unicode chart U+2800).
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800
_NOTHING = Cell()


class Dots:
    """Lines of one layer: where two share a cell their dots are united, in the ink of the later one."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._bits = [0] * (width * height)
        self._inks = [Ink()] * (width * height)

    def line(self, start: tuple[int, int], end: tuple[int, int], ink: Ink, every: int = 1) -> None:
        """A line between two dots, counted from the top left and inside; of its dots every second, third, …"""
        (x, y), (last_x, last_y) = start, end
        steps = max(abs(last_x - x), abs(last_y - y))
        across, down = ((last_x - x) / steps, (last_y - y) / steps) if steps else (0.0, 0.0)
        bits, inks, width = self._bits, self._inks, self.width
        for step in range(0, steps + 1, every):
            column, row = int(x + across * step + 0.5), int(y + down * step + 0.5)
            cell = (row >> 2) * width + (column >> 1)
            bits[cell] |= _BITS[row & 3][column & 1]
            inks[cell] = ink

    @property
    def rows(self) -> list[list[Cell]]:
        cells = [
            Cell(chr(_BLANK + bits), ink) if bits else _NOTHING
            for bits, ink in zip(self._bits, self._inks, strict=True)
        ]
        return [cells[start : start + self.width] for start in range(0, len(cells), self.width)]
