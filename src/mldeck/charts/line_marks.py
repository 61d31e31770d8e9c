"""What stands on a chart besides its lines: where values are missing, a point that is alone, letters at the lines' ends."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from mldeck.charts.clean import ABOVE, BELOW, Gaps, height_of
from mldeck.charts.decimate import Window, part_of
from mldeck.charts.picture import Canvas, Ink, PlotArea, Role
from mldeck.charts.points import Points

POINT = "•"
_WARNING = Ink(Role.WARNING)
_NEAR_ROWS = 3
"""How far from its line's end a letter may stand inside the plot."""


class End(NamedTuple):
    """The line whose right end gets a letter."""

    mark: str
    ink: Ink
    points: Points
    origin: int


def put_gaps(canvas: Canvas, plot: PlotArea, points: Points, gaps: Iterable[Gaps], origin: int) -> None:
    """One mark of each kind for every column in which gaps begin: near where the line left off, or near the edge."""
    starts = Window(plot.x.low, plot.x.high).starts(plot.width)
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


def _gap_row(plot: PlotArea, points: Points, gaps: Gaps, index: int) -> int:
    bottom = plot.top + plot.height - 1
    if gaps.sign == ABOVE:
        return plot.top
    if gaps.sign == BELOW:
        return bottom
    height = height_of(points, gaps.positions[index])
    return bottom if height is None else _row_near(plot, height)


def _free_row(canvas: Canvas, plot: PlotArea, column: int, wanted: int) -> int:
    """The nearest row in which no point is: a point may have been logged at the very step.

    In a column that is full of points, from the highest to the lowest, the middle one is missed least.
    """
    rows = sorted(range(plot.top, plot.top + plot.height), key=lambda row: abs(row - wanted))
    return next((row for row in rows if canvas.is_free(column, row)), plot.top + plot.height // 2)


def put_single(canvas: Canvas, plot: PlotArea, points: Points, origin: int, ink: Ink) -> None:
    """A line of one point is a dot that can be seen."""
    if len(points) == 1:
        column, row = plot.column_of(points.xs[0] - origin), plot.row_of(points.ys[0])
        if column is not None and row is not None:
            canvas.put(column, row, POINT, ink)


def put_ends(canvas: Canvas, plot: PlotArea, ends: Iterable[End]) -> None:
    """Letters beside the ends of lines: close by where nothing is drawn, else in the margin, the next free row of it."""
    for end in sorted(ends, key=lambda each: not each.ink.is_strong):
        place = _end_of(plot, end)
        if end.mark and place is not None:
            free = _free_place(canvas, plot, *place)
            if free is not None:
                canvas.put(*free, end.mark, end.ink)


def _end_of(plot: PlotArea, end: End) -> tuple[int, int] | None:
    """The column and row in which the line is seen last."""
    points, origin = end.points, end.origin
    window = Window(plot.x.low, plot.x.high)
    first, last = part_of(points, window, origin)
    at_edge = points.value_at(window.high + origin)
    if at_edge is not None:
        return plot.left + plot.width - 1, _row_near(plot, at_edge)
    column = plot.column_of(points.xs[last - 1] - origin) if first < last else None
    return None if column is None else (column, _row_near(plot, points.ys[last - 1]))


def _free_place(canvas: Canvas, plot: PlotArea, column: int, row: int) -> tuple[int, int] | None:
    margin = plot.left + plot.width + 1
    nearest = sorted(range(plot.top, plot.top + plot.height), key=lambda each: abs(each - row))
    if column < plot.left + plot.width - 2:
        for each in nearest[: 2 * _NEAR_ROWS + 1]:
            if all(canvas.is_blank(at, each) for at in (column + 1, column + 2)):
                return column + 1, each
    for each in nearest:
        if canvas.is_blank(margin, each):
            return margin, each
    return None


def _row_near(plot: PlotArea, value: float) -> int:
    """The row of a value, or the edge it is beyond."""
    row = plot.row_of(value)
    if row is not None:
        return row
    share = plot.y.share(value)
    return plot.top if share is not None and share > 1 else plot.top + plot.height - 1
