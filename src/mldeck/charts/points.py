"""Finite points ordered by x, with an index that finds the extremes of any range quickly.

Points are kept in arrays, not lists: 200,000 points take 16 bytes each, or nothing extra if the arrays of the history
are already in order.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_BLOCK = 64
"""The number of values that one entry of the index covers."""


@dataclass(frozen=True)
class FinitePoints:
    """The finite points of a line, ordered by x."""

    xs: array[int]
    """Ascending; values may repeat."""
    ys: array[float]
    """Finite."""
    breaks: array[int]
    """Indices of points that are not joined to the point before, because something is missing between them."""

    def __len__(self) -> int:
        return len(self.xs)

    def is_joined(self, index: int) -> bool:
        """Return whether the line continues from the point before to this one."""
        at = bisect_left(self.breaks, index)
        return 0 < index < len(self.xs) and not (at < len(self.breaks) and self.breaks[at] == index)

    def extremes(self, first: int, last: int) -> tuple[float, float]:
        """Return the smallest and largest value from index `first` up to but excluding `last`; there must be one."""
        first_block, last_block = -(-first // _BLOCK), last // _BLOCK
        if last_block - first_block < 2:
            part = self.ys[first:last]
            return min(part), max(part)
        lows, highs = self._block_extremes
        ends = self.ys[first : first_block * _BLOCK] + self.ys[last_block * _BLOCK : last]
        low, high = min(lows[first_block:last_block]), max(highs[first_block:last_block])
        return (min(low, min(ends)), max(high, max(ends))) if ends else (low, high)

    @cached_property
    def _block_extremes(self) -> tuple[array[float], array[float]]:
        blocks = [self.ys[start : start + _BLOCK] for start in range(0, len(self.ys), _BLOCK)]
        return array("d", map(min, blocks)), array("d", map(max, blocks))

    @cached_property
    def positive(self) -> FinitePoints:
        """The points > 0, which can be drawn on a log axis. The line is broken where a point was dropped."""
        if not self.ys or self.extremes(0, len(self.ys))[0] > 0:
            return self
        dropped = array("q", (index for index, value in enumerate(self.ys) if value <= 0))
        xs, ys = array("q"), array("d")
        for before, after in pairwise([-1, *dropped, len(self.ys)]):
            xs += self.xs[before + 1 : after]
            ys += self.ys[before + 1 : after]
        breaks = {index - count for count, index in enumerate(dropped)}
        breaks.update(index - bisect_left(dropped, index) for index in self.breaks)
        return FinitePoints(xs, ys, array("q", sorted(breaks)))

    def value_at(self, x: float) -> float | None:
        """Return the height of the line at x, interpolated linearly; None beyond its ends and inside a gap.

        If several points share this x it is the value of the last one.
        """
        after = bisect_right(self.xs, x)
        if after and self.xs[after - 1] == x:
            return self.ys[after - 1]
        if not self.is_joined(after):
            return None
        share = (x - self.xs[after - 1]) / (self.xs[after] - self.xs[after - 1])
        return self.ys[after - 1] * (1 - share) + self.ys[after] * share


def indexed(points: FinitePoints) -> FinitePoints:
    """Build the index of the points and return them, so that drawing does not wait for it."""
    if points.ys:
        points.extremes(0, len(points.ys))
    return points
