"""Finite points in the order of their x, with an index that finds the extremes of any part of them quickly.

Arrays, not lists: 200,000 points take 16 bytes each, or none at all where the arrays of the history itself are in order.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_BLOCK = 64
"""How many values one entry of the index sums up."""


@dataclass(frozen=True)
class Points:
    xs: array[int]
    """Ascending; a number may stand several times."""
    ys: array[float]
    """Finite."""
    breaks: array[int]
    """The indices before which something is missing: the line is not drawn from the point before to this one."""

    def __len__(self) -> int:
        return len(self.xs)

    def is_joined(self, index: int) -> bool:
        """Whether the line goes on from the point before to this one."""
        at = bisect_left(self.breaks, index)
        return 0 < index < len(self.xs) and not (at < len(self.breaks) and self.breaks[at] == index)

    def extremes(self, first: int, last: int) -> tuple[float, float]:
        """The smallest and largest of the values from `first` up to but not including `last`; there must be one."""
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
    def positive(self) -> Points:
        """What has a place on a log axis; the line is broken where a value has none."""
        if not self.ys or self.extremes(0, len(self.ys))[0] > 0:
            return self
        dropped = array("q", (index for index, value in enumerate(self.ys) if value <= 0))
        xs, ys = array("q"), array("d")
        for before, after in pairwise([-1, *dropped, len(self.ys)]):
            xs += self.xs[before + 1 : after]
            ys += self.ys[before + 1 : after]
        breaks = {index - count for count, index in enumerate(dropped)}
        breaks.update(index - bisect_left(dropped, index) for index in self.breaks)
        return Points(xs, ys, array("q", sorted(breaks)))

    def value_at(self, x: float) -> float | None:
        """The height of the line there, straight between its points; None beyond its ends and inside a gap.

        Where several points share one x it is the height of the last.
        """
        after = bisect_right(self.xs, x)
        if after and self.xs[after - 1] == x:
            return self.ys[after - 1]
        if not self.is_joined(after):
            return None
        share = (x - self.xs[after - 1]) / (self.xs[after] - self.xs[after - 1])
        return self.ys[after - 1] * (1 - share) + self.ys[after] * share


def indexed(points: Points) -> Points:
    """The same, with its index already made: what draws must not wait for it."""
    if points.ys:
        points.extremes(0, len(points.ys))
    return points
