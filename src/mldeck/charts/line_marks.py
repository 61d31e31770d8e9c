"""Marks on a line chart: missing values, single points, and letters at the ends of lines."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

from mldeck.charts.clean import ABOVE, BELOW, Gaps, height_of
from mldeck.charts.decimate import AxisWindow, part_of
from mldeck.charts.picture import Ink, PictureCanvas, PlotArea, Role
from mldeck.charts.points import FinitePoints

POINT = "•"
_WARNING = Ink(Role.WARNING)
_NEAR_ROWS = 3
"""The most rows between the end of a line and its letter inside the plot."""
_NEAR_COLUMNS = 2
"""The most columns between ends whose letters are above each other."""
_EDGE = 12
"""Lines that end so near to the right edge, in columns, have their letter in the margin: one order holds for all of them."""
_SKIPPED, _SKIPPED_STRONG = 1_000, 100_000
"""The cost of leaving out a letter, and one that should stand out, in rows."""


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
    """Write letters at the ends of lines: beside an end far from the right edge if there is space, else in the margin.

    Letters above each other are in the order of the ends of their lines.
    """
    edge, rows = plot.left + plot.width, range(plot.top, plot.top + plot.height)
    found = [(end, at) for end in ends if end.mark and (at := _end_of(plot, end)) is not None]
    in_margin = [(end, at) for end, at in found if at.column >= edge - _EDGE]

    def near(at: _LineEnd) -> list[int]:
        reach = range(max(rows.start, at.row - _NEAR_ROWS), min(rows.stop, at.row + _NEAR_ROWS + 1))
        return [row for row in reach if all(canvas.is_blank(at.column + step, row) for step in (1, 2))]

    for group in _neighbours([(end, at) for end, at in found if at.column < edge - _EDGE]):
        for (end, at), row in _with_rows(group, near, rows):
            if row is None:
                in_margin.append((end, at))
            else:
                canvas.put(at.column + 1, row, end.mark, end.ink)
    free = [row for row in rows if canvas.is_blank(edge + 1, row)]
    for (end, _), row in _with_rows(in_margin, lambda _: free, rows):
        if row is not None:
            canvas.put(edge + 1, row, end.mark, end.ink)


class _LineEnd(NamedTuple):
    """Where a line is last visible."""

    column: int
    row: int
    height: float
    """The position on the y axis, which orders ends in the same row."""


_Placed = tuple[End, _LineEnd]


def _neighbours(found: Iterable[_Placed]) -> Iterator[list[_Placed]]:
    """Yield groups of ends in columns so near to each other that their letters are above each other."""
    group: list[_Placed] = []
    for each in sorted(found, key=lambda each: each[1].column):
        if group and each[1].column - group[0][1].column > _NEAR_COLUMNS:
            yield group
            group = []
        group.append(each)
    yield group


def _with_rows(
    found: Iterable[_Placed], allowed: Callable[[_LineEnd], Collection[int]], rows: Sequence[int]
) -> list[tuple[_Placed, int | None]]:
    """Return each end with a row for its letter, from the top down; None if there is no room.

    `allowed` returns the rows that a letter may be in. If there are too many, the strong lines come first.
    """
    first = sorted(found, key=lambda each: not each[0].ink.is_strong)
    kept = sorted(first[: len(rows)], key=lambda each: -each[1].height)
    letters = [_Letter(at.row, allowed(at), end.ink.is_strong) for end, at in kept]
    return [*zip(kept, _rows_in_order(letters, rows), strict=True), *((each, None) for each in first[len(rows) :])]


class _Letter(NamedTuple):
    """A letter whose row has not been chosen yet."""

    wanted: int
    allowed: Collection[int]
    is_strong: bool
    """Whether it is the last one to be left out."""


def _rows_in_order(letters: Sequence[_Letter], rows: Sequence[int]) -> list[int | None]:
    """Return a row for each letter, as near to the wanted ones as possible, each below the one before it.

    None for letters that there is no room for.
    """
    # The best choice for the letters so far, if the last row used is at most a certain one: its cost, and the rows.
    best: list[tuple[int, tuple[int | None, ...]]] = [(0, ())] * (len(rows) + 1)
    for letter in letters:
        skipping = _SKIPPED_STRONG if letter.is_strong else _SKIPPED
        before, best = best, []
        for used, (cost, chosen) in enumerate(before):
            options = [(cost + skipping, (*chosen, None))]
            if used:
                row = rows[used - 1]
                options.append(best[-1])
                if row in letter.allowed:
                    above, so_far = before[used - 1]
                    options.append((above + abs(row - letter.wanted), (*so_far, row)))
            best.append(min(options, key=lambda option: option[0]))
    return list(best[-1][1])


def _end_of(plot: PlotArea, end: End) -> _LineEnd | None:
    """Return where the line is last visible, or None."""
    points, origin = end.points, end.origin
    window = AxisWindow(plot.x.low, plot.x.high)
    first, last = part_of(points, window, origin)
    value = points.value_at(window.high + origin)
    column: int | None = plot.left + plot.width - 1
    if value is None:
        if first >= last:
            return None
        value, column = points.ys[last - 1], plot.column_of(points.xs[last - 1] - origin)
    height = plot.y.share(value)
    return None if column is None else _LineEnd(column, _row_near(plot, value), -inf if height is None else height)


def _row_near(plot: PlotArea, value: float) -> int:
    """Return the row of a value, or the row at the edge that it lies beyond."""
    row = plot.row_of(value)
    if row is not None:
        return row
    share = plot.y.share(value)
    return plot.top if share is not None and share > 1 else plot.top + plot.height - 1
