"""What of a line can be seen: the first, last, smallest and largest value of every column of dots, so that extremes stay.

The work depends on the columns, not on the points: a binary search for each, and the index of the points for its extremes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mldeck.charts.points import Points

_MOST_PIECES = 8
"""Of a column of dots in which a line breaks more often than this, the ends are lines and the extremes are dots."""


class Window(NamedTuple):
    """From one x to another, both inside; `low` < `high`."""

    low: float
    high: float

    def starts(self, columns: int) -> list[float]:
        """The x at which each of so many equal columns begins."""
        if float(self.low).is_integer() and float(self.high).is_integer():
            # Whole numbers stay exact however large they are: a column begins at the first of them that is in it.
            low, span = int(self.low), int(self.high) - int(self.low)
            return [low - (-span * column) // columns for column in range(columns)]
        span_of_column = (self.high - self.low) / columns
        return [self.low + span_of_column * column for column in range(columns)]


class Stretch(NamedTuple):
    """A part of a line without gaps."""

    columns: list[float]
    """In columns of dots from the left edge of the window; below 0 or beyond the last for its neighbours outside."""
    ys: list[float]


class _Piece(NamedTuple):
    column: float
    ys: list[float]
    is_joined: bool
    """To the piece before."""


def part_of(points: Points, window: Window, origin: int = 0) -> tuple[int, int]:
    """The indices of the points in the window: from the first up to but not including the second."""
    return bisect_left(points.xs, window.low + origin), bisect_right(points.xs, window.high + origin)


def outline(points: Points, window: Window, columns: int, origin: int = 0) -> list[Stretch]:
    """The line in the window, as stretches in so many columns of dots.

    Its neighbours outside the window belong to it, so that the line enters and leaves where it should.
    """
    stretches: list[Stretch] = []
    for piece in _pieces(points, window, columns, origin):
        if not stretches or not piece.is_joined:
            stretches.append(Stretch([], []))
        stretches[-1].columns.extend([piece.column] * len(piece.ys))
        stretches[-1].ys.extend(piece.ys)
    return stretches


def _pieces(points: Points, window: Window, columns: int, origin: int) -> Iterator[_Piece]:
    first, last = part_of(points, window, origin)
    low, span = window.low, window.high - window.low

    def single(index: int) -> _Piece:
        column = (points.xs[index] - origin - low) / span * columns
        return _Piece(column, [points.ys[index]], points.is_joined(index))

    if points.is_joined(first):
        yield single(first - 1)
    if last - first <= 4 * columns:
        yield from map(single, range(first, last))
    else:
        limits = [bisect_left(points.xs, start + origin, first, last) for start in window.starts(columns)]
        for column, (begin, end) in enumerate(pairwise([*limits, last])):
            if begin < end:
                yield from _column(points, column + 0.5, begin, end)
    if first <= last and points.is_joined(last):
        yield single(last)


def _column(points: Points, column: float, begin: int, end: int) -> Iterator[_Piece]:
    """The points from `begin` to `end`, which share one column of dots."""
    breaks = points.breaks
    inner = breaks[bisect_right(breaks, begin) : bisect_left(breaks, end)]
    if len(inner) > _MOST_PIECES:
        low, high = points.extremes(inner[0], inner[-1])
        yield _piece(points, column, begin, inner[0])
        yield _Piece(column, [low], False)
        yield _Piece(column, [high], False)
        yield _piece(points, column, inner[-1], end)
        return
    for start, stop in pairwise([begin, *inner, end]):
        yield _piece(points, column, start, stop)


def _piece(points: Points, column: float, begin: int, end: int) -> _Piece:
    ys = points.ys
    if end - begin <= 2:
        return _Piece(column, ys[begin:end].tolist(), points.is_joined(begin))
    low, high = points.extremes(begin, end)
    return _Piece(column, [ys[begin], low, high, ys[end - 1]], points.is_joined(begin))
