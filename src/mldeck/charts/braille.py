"""Lines and areas in braille: every cell has two columns of four dots.

If several lines meet in one cell their dots are merged, so that no line hides another's spike. Only faint lines give
way to lines that are not faint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mldeck.charts.picture import Ink, PictureCell

DOTS_ACROSS, DOTS_UP = 2, 4
"""The dots of a cell."""

BRAILLE = "".join(map(chr, range(0x2800, 0x2900)))
"""The braille characters by the sum of their dots' bits (Unicode chart U+2800)."""

DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of the dots of a cell, by row from the top and by column."""

COLUMN_BITS = tuple(zip(*reversed(DOT_BITS), strict=True))
"""The same bits by column, from the lowest dot to the highest."""

_FAR = 1e9
"""Line ends are clamped to this many dots from the origin: slopes stay correct, and nothing overflows."""
_BLANK = PictureCell()


def _bits_of(dots: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(bit for level, bit in enumerate(dots) if nibble >> level & 1) for nibble in range(16))


_LEFT_BITS, _RIGHT_BITS = map(_bits_of, COLUMN_BITS)


class Layer:
    """The dots of one ink: an integer per column of dots, whose lowest bit is the lowest dot."""

    def __init__(self, ink: Ink, width: int, height: int) -> None:
        """Create an empty layer; width and height are in cells."""
        self.ink = ink
        self.columns = [0] * (width * DOTS_ACROSS)
        self._across, self._up = width * DOTS_ACROSS, height * DOTS_UP

    def line(self, xs: Iterable[float], ys: Iterable[float]) -> None:
        """Draw a line through points, in dots from the lower left corner. Parts outside are clipped exactly."""
        before: tuple[float, float] | None = None
        low = high = 0.0
        for place in zip(xs, ys, strict=True):
            x, y = place
            if before is None or x != before[0]:
                if before is not None:
                    self._vertical(before[0], low, high)
                    self._segment(before, place)
                low = high = y
            elif y < low:
                low = y
            elif y > high:
                high = y
            before = place
        if before is not None:
            self._vertical(before[0], low, high)

    def fill(self, column: int, low: float, high: float, *, is_pattern: bool = False) -> None:
        """Set all dots of a column from one height to another; with `is_pattern` only every other dot and both ends."""
        top = self._up
        if high < 0 or low > top:
            return
        first = 0 if low <= 0 else top - 1 if low >= top else int(low)
        last = top - 1 if high >= top else int(high)
        dots = (1 << (last + 1)) - (1 << first)
        if is_pattern:
            every_other = int.from_bytes(bytes([0xAA if column % 2 else 0x55]) * (top // 8 + 1), "little")
            ends = (1 << first if low >= 0 else 0) | (1 << last if high <= top else 0)
            dots = dots & every_other | ends
        self.columns[column] |= dots

    def _row(self, y: float) -> int:
        return min(self._up - 1, int(y))

    def _vertical(self, x: float, low: float, high: float) -> None:
        if 0 <= x <= self._across:
            self.fill(min(self._across - 1, int(x)), low, high)

    def _segment(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw the line between two points. Points inside the layer have already been drawn."""
        if start[0] > end[0]:
            start, end = end, start
        (x0, y0), (x1, y1) = start, end
        if not (x0 >= 0 and x1 <= self._across and 0 <= y0 <= self._up and 0 <= y1 <= self._up):
            clipped = _clipped((_clamped(x0), _clamped(y0)), (_clamped(x1), _clamped(y1)), self._across, self._up)
            if clipped is None:
                return
            (x0, y0), (x1, y1) = clipped
        first, last = min(self._across - 1, int(x0)), min(self._across - 1, int(x1))
        if first == last:
            self.fill(first, min(y0, y1), max(y0, y1))
            return
        slope = (y1 - y0) / (x1 - x0)
        before = self._row(y0)
        for column in range(first, last + 1):
            # The height at the centre of this column of dots, or at the end of the line.
            y = y1 if column == last else y0 + slope * (max(column + 0.5, x0) - x0)
            row = self._row(max(y, 0.0))
            # Do not repeat the last dot of the column before, so that the line stays thin.
            if column > first and row > before:
                low, high = before + 1, row
            elif column > first and row < before:
                low, high = row, before - 1
            else:
                low, high = min(before, row), max(before, row)
            self.columns[column] |= (1 << (high + 1)) - (1 << low)
            before = row


def _clamped(place: float) -> float:
    return min(max(place, -_FAR), _FAR)


def _clipped(
    start: tuple[float, float], end: tuple[float, float], width: int, height: int
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the part of a segment inside the box, or None (Liang–Barsky algorithm)."""
    (x0, y0), (x1, y1) = start, end
    enter, leave = 0.0, 1.0
    for origin, distance, limit in ((x0, x1 - x0, width), (y0, y1 - y0, height)):
        if distance == 0:
            if not 0 <= origin <= limit:
                return None
            continue
        near, far = sorted(((0 - origin) / distance, (limit - origin) / distance))
        enter, leave = max(enter, near), min(leave, far)
    if enter > leave:
        return None

    def place(share: float) -> tuple[float, float]:
        x, y = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
        return min(max(x, 0.0), width), min(max(y, 0.0), height)

    return place(enter), place(leave)


def draw_layers(layers: Sequence[Layer], width: int, height: int) -> list[list[PictureCell]]:
    """Return rows of cells. Later layers cover earlier ones, and all cover the faint ones."""
    cells: dict[tuple[int, int], PictureCell] = {}
    for group in (
        [layer for layer in layers if layer.ink.is_faint],
        [layer for layer in layers if not layer.ink.is_faint],
    ):
        cells.update(_merged(group, width, height))
    return [[cells.get((column, row), _BLANK) for column in range(width)] for row in range(height)]


def _merged(layers: Sequence[Layer], width: int, height: int) -> dict[tuple[int, int], PictureCell]:
    """Return cells by (column, row). Dots of several lines in one cell are merged in the ink of the topmost one."""
    cells: dict[tuple[int, int], PictureCell] = {}
    for column in range(width):
        bits = [0] * height
        for layer in layers:
            left, right = layer.columns[2 * column], layer.columns[2 * column + 1]
            row = height
            while left or right:
                row -= 1
                braille = _LEFT_BITS[left & 15] | _RIGHT_BITS[right & 15]
                if braille:
                    bits[row] |= braille
                    cells[column, row] = PictureCell(BRAILLE[bits[row]], layer.ink)
                left, right = left >> DOTS_UP, right >> DOTS_UP
    return cells
