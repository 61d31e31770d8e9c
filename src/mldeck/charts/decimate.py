"""Reduces a line to what can be seen: the first, last, smallest and largest value of every column of dots.

Extremes are kept. The work depends on the number of columns, not of points: a binary search per column, and the index
of the points for its extremes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mldeck.charts.points import FinitePoints

_MOST_PIECES = 8
"""If a line breaks more often than this within one column of dots, only its ends are lines; the extremes are dots."""


class AxisWindow(NamedTuple):
    """A range of x, both ends included; `low` < `high`."""

    low: float
    high: float

    def starts(self, columns: int) -> list[float]:
        """Return the x at which each of `columns` equal columns begins."""
        if float(self.low).is_integer() and float(self.high).is_integer():
            # Integers stay exact however large they are: a column begins at the first integer in it.
            low, span = int(self.low), int(self.high) - int(self.low)
            return [low - (-span * column) // columns for column in range(columns)]
        span_of_column = (self.high - self.low) / columns
        return [self.low + span_of_column * column for column in range(columns)]


class Stretch(NamedTuple):
    """A part of a line without gaps."""

    columns: list[float]
    """The x positions in columns of dots from the left edge; neighbours outside the window are < 0 or past the last."""
    ys: list[float]


class _Piece(NamedTuple):
    """The points of a line that share one x or one column of dots."""

    column: float
    ys: list[float]
    is_joined: bool
    """Whether it is joined to the piece before."""


def part_of(points: FinitePoints, window: AxisWindow, origin: int = 0) -> tuple[int, int]:
    """Return the indices (first, end) of the points in the window, excluding `end`."""
    return bisect_left(points.xs, window.low + origin), bisect_right(points.xs, window.high + origin)


def outline(points: FinitePoints, window: AxisWindow, columns: int, origin: int = 0) -> list[Stretch]:
    """Return the line in the window as stretches over `columns` columns of dots.

    The neighbours just outside the window are included, so that the line enters and leaves at the right height.
    """
    stretches: list[Stretch] = []
    for piece in _pieces(points, window, columns, origin):
        if not stretches or not piece.is_joined:
            stretches.append(Stretch([], []))
        stretches[-1].columns.extend([piece.column] * len(piece.ys))
        stretches[-1].ys.extend(piece.ys)
    return stretches


def _pieces(points: FinitePoints, window: AxisWindow, columns: int, origin: int) -> Iterator[_Piece]:
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


def _column(points: FinitePoints, column: float, begin: int, end: int) -> Iterator[_Piece]:
    """Yield the points from `begin` up to but excluding `end`, which share one column of dots."""
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


def _piece(points: FinitePoints, column: float, begin: int, end: int) -> _Piece:
    ys = points.ys
    if end - begin <= 2:
        return _Piece(column, ys[begin:end].tolist(), points.is_joined(begin))
    low, high = points.extremes(begin, end)
    return _Piece(column, [ys[begin], low, high, ys[end - 1]], points.is_joined(begin))
