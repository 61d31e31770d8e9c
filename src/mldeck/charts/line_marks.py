"""Marks on a line chart: missing values, single points, and letters at the ends of lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from mldeck.charts.clean import ABOVE, BELOW, Gaps, height_of
from mldeck.charts.decimate import AxisWindow, part_of
from mldeck.charts.picture import Ink, PictureCanvas, PlotArea, Role
from mldeck.charts.points import FinitePoints

POINT = "•"
_WARNING = Ink(Role.WARNING)
_NEAR_ROWS = 3
"""The most rows between the end of a line and its letter inside the plot."""


class End(NamedTuple):
    """The mark for the right end of a line, and the points of that line."""

    mark: str
    ink: Ink
    points: FinitePoints
    origin: int


def put_gaps(canvas: PictureCanvas, plot: PlotArea, points: FinitePoints, gaps: Iterable[Gaps], origin: int) -> None:
    """Draw one mark of each kind in every column where gaps begin.

    NaN is marked near the end of the line before the gap, infinities at the top or bottom edge.
    """
    starts = AxisWindow(plot.x.low, plot.x.high).starts(plot.width)
    for kind in gaps:
        for column, start in enumerate(starts):
            index = bisect_left(kind.xs, start + origin)
            end = starts[column + 1] if column + 1 < len(starts) else None
            if index == len(kind.xs):
                break
            x = kind.xs[index] - origin
            if x < end if end is not None else x <= plot.x.high:
                row = _free_row(canvas, plot, plot.left + column, _gap_row(plot, points, kind, index))
                canvas.put(plot.left + column, row, kind.sign, _WARNING)


def _gap_row(plot: PlotArea, points: FinitePoints, gaps: Gaps, index: int) -> int:
    bottom = plot.top + plot.height - 1
    if gaps.sign == ABOVE:
        return plot.top
    if gaps.sign == BELOW:
        return bottom
    height = height_of(points, gaps.positions[index])
    return bottom if height is None else _row_near(plot, height)


def _free_row(canvas: PictureCanvas, plot: PlotArea, column: int, wanted: int) -> int:
    """Return the row nearest to `wanted` that holds no point, because the step of the gap may have a point too.

    If the points fill the whole column, return the middle row, where a covered dot matters least.
    """
    rows = sorted(range(plot.top, plot.top + plot.height), key=lambda row: abs(row - wanted))
    return next((row for row in rows if canvas.is_free(column, row)), plot.top + plot.height // 2)


def put_single(canvas: PictureCanvas, plot: PlotArea, points: FinitePoints, origin: int, ink: Ink) -> None:
    """Draw a line of a single point as a visible dot."""
    if len(points) == 1:
        column, row = plot.column_of(points.xs[0] - origin), plot.row_of(points.ys[0])
        if column is not None and row is not None:
            canvas.put(column, row, POINT, ink)


def put_ends(canvas: PictureCanvas, plot: PlotArea, ends: Iterable[End]) -> None:
    """Write letters at the ends of lines: beside the end if there is space, else in the nearest free row of the margin."""
    for end in sorted(ends, key=lambda end: not end.ink.is_strong):
        place = _end_of(plot, end)
        if end.mark and place is not None:
            free = _free_place(canvas, plot, *place)
            if free is not None:
                canvas.put(*free, end.mark, end.ink)


def _end_of(plot: PlotArea, end: End) -> tuple[int, int] | None:
    """Return the (column, row) where the line is last visible, or None."""
    points, origin = end.points, end.origin
    window = AxisWindow(plot.x.low, plot.x.high)
    first, last = part_of(points, window, origin)
    at_edge = points.value_at(window.high + origin)
    if at_edge is not None:
        return plot.left + plot.width - 1, _row_near(plot, at_edge)
    column = plot.column_of(points.xs[last - 1] - origin) if first < last else None
    return None if column is None else (column, _row_near(plot, points.ys[last - 1]))


def _free_place(canvas: PictureCanvas, plot: PlotArea, column: int, row: int) -> tuple[int, int] | None:
    """Return the free (column, row) for a letter nearest to the end of its line, or None."""
    margin = plot.left + plot.width + 1
    nearest = sorted(range(plot.top, plot.top + plot.height), key=lambda other: abs(other - row))
    if column < plot.left + plot.width - 2:
        for free in nearest[: 2 * _NEAR_ROWS + 1]:
            if all(canvas.is_blank(at, free) for at in (column + 1, column + 2)):
                return column + 1, free
    for free in nearest:
        if canvas.is_blank(margin, free):
            return margin, free
    return None


def _row_near(plot: PlotArea, value: float) -> int:
    """Return the row of a value, or the row at the edge that it lies beyond."""
    row = plot.row_of(value)
    if row is not None:
        return row
    share = plot.y.share(value)
    return plot.top if share is not None and share > 1 else plot.top + plot.height - 1
