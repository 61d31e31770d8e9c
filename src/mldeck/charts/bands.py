"""Bands: a group of curves as their mean at each x, and the band from the lowest to the highest curve."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from mldeck.charts.axes import frame, header
from mldeck.charts.braille import DOTS_ACROSS, DOTS_UP, Layer, draw_layers
from mldeck.charts.curves import Axis, Curve
from mldeck.charts.decimate import AxisWindow
from mldeck.charts.labels import write_middle
from mldeck.charts.limits import PlacedPoints, scale_by_hand, y_scale
from mldeck.charts.line_marks import End, put_ends
from mldeck.charts.lines import (
    NO_POINTS,
    NOTHING_HERE,
    NOTHING_POSITIVE,
    ChartLine,
    ChartView,
    layer_of,
    placeable,
    window_for,
)
from mldeck.charts.picture import Ink, Picture, PictureCanvas, PlotArea, Role
from mldeck.charts.points import FinitePoints, indexed
from mldeck.charts.scale import Scale
from mldeck.format import mean_of

MOST_PLACES = 4_096
"""If the curves have more distinct x than this, as many evenly spread x are used; extremes in between are kept."""

_MOST_COUNTED = 500_000
"""If there are more points than this, distinct x are not counted, because counting takes too long."""


@dataclass(frozen=True, eq=False)
class Band:
    """The mean of a group of curves, and their lowest and highest values."""

    mean: Curve
    lows: FinitePoints
    highs: FinitePoints
    """`lows` and `highs` have the same x as the points of the mean."""
    name: str = ""
    colour: int = 0
    """The number of its series colour."""
    mark: str = ""
    """One character drawn at the right end of the mean."""

    @property
    def line(self) -> ChartLine:
        """The mean as a line, for a legend and a crosshair."""
        return ChartLine(self.mean, self.name, self.colour, self.mark, is_strong=True)


def band(curves: Sequence[Curve], name: str = "", colour: int = 0, mark: str = "") -> Band:
    """Return the band of curves along the same axis. Smoothed curves count as smoothed.

    A curve counts from its first to its last point, interpolated linearly, except inside its gaps.
    """
    axis = curves[0].axis if curves else Axis.STEP
    common = _common_xs(curves)
    xs, means, lows, highs, breaks = array("q"), array("d"), array("d"), array("d"), array("q")
    is_broken = False
    for index, x in enumerate(common):
        next_x = common[index + 1] if index + 1 < len(common) else x + 1
        present = [found for found in (_value_and_extremes(curve, x, next_x) for curve in curves) if found]
        if not present:
            is_broken = True
            continue
        if is_broken and xs:
            breaks.append(len(xs))
        is_broken = False
        xs.append(x)
        lows.append(min(low for _, low, _ in present))
        highs.append(max(high for _, _, high in present))
        means.append(mean_of([value for value, _, _ in present]))
    points = indexed(FinitePoints(xs, means, breaks))
    mean = Curve(axis, xs, xs, means, 0, points, ())
    return Band(
        mean, indexed(FinitePoints(xs, lows, breaks)), indexed(FinitePoints(xs, highs, breaks)), name, colour, mark
    )


def _common_xs(curves: Sequence[Curve]) -> list[int]:
    """Return every x at which a curve has a point, or `MOST_PLACES` evenly spread x."""
    limits = [curve.limits for curve in curves if curve.limits]
    distinct: set[int] = set()
    if sum(len(curve.shown) for curve in curves) <= _MOST_COUNTED:
        distinct = {x - curve.origin for curve in curves for x in curve.shown.xs}
    if limits and not 0 < len(distinct) <= MOST_PLACES:
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        distinct = {low + (high - low) * place // (MOST_PLACES - 1) for place in range(MOST_PLACES)}
    # Relative times that do not fit into 64 bits are dropped.
    return sorted(x for x in distinct if -(2**63) <= x < 2**63)


def _value_and_extremes(curve: Curve, x: int, next_x: int) -> tuple[float, float, float] | None:
    """Return (value, lowest, highest) of a curve, its value at `x` and its extremes before `next_x`.

    None if it has neither a value nor points there. If it has points but no value at `x`, the first of the points
    counts.
    """
    points = curve.shown
    value = points.value_at(x + curve.origin)
    first, last = bisect_left(points.xs, x + curve.origin), bisect_left(points.xs, next_x + curve.origin)
    if first == last:
        return None if value is None else (value, value, value)
    low, high = points.extremes(first, last)
    if value is None:
        return points.ys[first], low, high
    return value, min(low, value), max(high, value)


def draw_bands(
    bands: Sequence[Band], view: ChartView, size: tuple[int, int], *, title: str = "", empty: str = NO_POINTS
) -> Picture:
    """Draw bands in `size` (width, height) cells: each a pattern of faint dots, with its mean as a line on top.

    `empty` is the message if there are no points at all.
    """
    canvas = PictureCanvas(*size)
    window = window_for([band_.mean for band_ in bands], view)
    notes = ["mean, lowest to highest", *(["log"] if view.is_log else [])]
    top = header(canvas, title, notes)
    y = _y_scale(bands, window, view) if window else None
    if window is None or y is None:
        why = empty if window is None else NOTHING_POSITIVE if view.is_log else NOTHING_HERE
        write_middle(canvas, max(top, canvas.height // 2), why, Ink(Role.AXIS))
        return canvas.picture()
    right = 2 if any(band_.mark for band_ in bands) else 0
    plot = frame(canvas, Scale(*window), y, bands[0].mean.axis, top=top, right=right)
    if plot is None:
        return canvas.picture()
    layers = [_area(band_, plot) for band_ in bands]
    lines = [band_.line for band_ in bands]
    layers += [layer_of(placeable(line.curve.points, view.is_log), plot, line.ink, 0) for line in lines]
    canvas.paste(plot.left, plot.top, draw_layers(layers, plot.width, plot.height))
    put_ends(canvas, plot, [End(line.mark, line.ink, placeable(line.curve.points, view.is_log), 0) for line in lines])
    return canvas.picture(plot)


def _y_scale(bands: Sequence[Band], window: AxisWindow, view: ChartView) -> Scale | None:
    by_hand = scale_by_hand(view.y, view.is_log) if view.y else None
    if by_hand:
        return by_hand
    edges = [PlacedPoints(placeable(points, view.is_log), 0) for band_ in bands for points in (band_.lows, band_.highs)]
    return y_scale(edges, window, view.is_log, view.is_without_outliers)


def _area(band: Band, plot: PlotArea) -> Layer:
    """Return the area between the lowest and highest values, by column of dots."""
    layer = Layer(Ink(Role.SERIES, band.colour, is_faint=True), plot.width, plot.height)
    columns, up = plot.width * DOTS_ACROSS, plot.height * DOTS_UP
    starts = AxisWindow(plot.x.low, plot.x.high).starts(columns)
    for column, (start, end) in enumerate(zip(starts, [*starts[1:], plot.x.high], strict=True)):
        low, high = _extremes_between(band, start, end, is_last=column == columns - 1)
        if low is not None and high is not None:
            low_share, high_share = plot.y.share(low), plot.y.share(high)
            if high_share is not None:  # a low without a position on a log axis reaches down to the bottom
                bottom = -1.0 if low_share is None else low_share * up
                layer.fill(column, bottom, high_share * up, is_pattern=True)
    return layer


def _extremes_between(band: Band, start: float, end: float, *, is_last: bool) -> tuple[float | None, float | None]:
    """Return the (lowest, highest) value of a band from `start` to `end`; `end` is excluded except in the last column."""
    xs = band.lows.xs
    first = bisect_left(xs, start)
    last = bisect_right(xs, end) if is_last else bisect_left(xs, end)
    if first < last:
        return band.lows.extremes(first, last)[0], band.highs.extremes(first, last)[1]
    return band.lows.value_at(start), band.highs.value_at(start)
