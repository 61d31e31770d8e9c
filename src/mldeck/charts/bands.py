"""Groups of curves as one: the mean of what they are at each x, and the band from the lowest to the highest of them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from mldeck.charts.axes import frame, header
from mldeck.charts.braille import DOTS_ACROSS, DOTS_UP, Layer, draw_layers
from mldeck.charts.curves import Axis, Curve
from mldeck.charts.decimate import Window
from mldeck.charts.labels import write_middle
from mldeck.charts.limits import Placed, scale_by_hand, y_scale
from mldeck.charts.line_marks import End, put_ends
from mldeck.charts.lines import NO_POINTS, NOTHING_HERE, NOTHING_POSITIVE, Line, View, layer_of, placeable, window_for
from mldeck.charts.picture import Canvas, Ink, Picture, PlotArea, Role
from mldeck.charts.points import Points, indexed
from mldeck.charts.scale import Scale

MOST_PLACES = 4_096
"""Curves with more different x than this meet at so many places, evenly spread; the band keeps every extreme between them."""

_MOST_COUNTED = 500_000
"""Of more points than this, nobody counts how many different x they have."""


@dataclass(frozen=True, eq=False)
class Band:
    mean: Curve
    lows: Points
    highs: Points
    """At the x of the mean's points."""
    name: str = ""
    colour: int = 0
    mark: str = ""

    @property
    def line(self) -> Line:
        """The mean, for a legend and a crosshair."""
        return Line(self.mean, self.name, self.colour, self.mark, is_strong=True)


def band(curves: Sequence[Curve], name: str = "", colour: int = 0, mark: str = "") -> Band:
    """Of curves along the same axis, smoothed ones as they are shown.

    A curve counts from its first to its last point, straight between its points, and not inside its gaps.
    """
    axis = curves[0].axis if curves else Axis.STEP
    grid = _grid(curves)
    xs, means, lows, highs, breaks = array("q"), array("d"), array("d"), array("d"), array("q")
    is_broken = False
    for index, x in enumerate(grid):
        until = grid[index + 1] if index + 1 < len(grid) else x + 1
        there = [found for found in (_at(curve, x, until) for curve in curves) if found]
        if not there:
            is_broken = True
            continue
        if is_broken and xs:
            breaks.append(len(xs))
        is_broken = False
        xs.append(x)
        lows.append(min(low for _, low, _ in there))
        highs.append(max(high for _, _, high in there))
        # Held between them: rounding must not push the mean of the largest floats over the edge.
        means.append(min(max(sum(value / len(there) for value, _, _ in there), lows[-1]), highs[-1]))
    points = indexed(Points(xs, means, breaks))
    mean = Curve(axis, xs, xs, means, 0, points, ())
    return Band(mean, indexed(Points(xs, lows, breaks)), indexed(Points(xs, highs, breaks)), name, colour, mark)


def _grid(curves: Sequence[Curve]) -> list[int]:
    """Every x at which a curve has a point, or so many places from the first to the last."""
    limits = [curve.limits for curve in curves if curve.limits]
    together: set[int] = set()
    if sum(len(curve.shown) for curve in curves) <= _MOST_COUNTED:
        together = {x - curve.origin for curve in curves for x in curve.shown.xs}
    if limits and not 0 < len(together) <= MOST_PLACES:
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        together = {low + (high - low) * place // (MOST_PLACES - 1) for place in range(MOST_PLACES)}
    # Times that are further apart than 64 bits can say are none.
    return sorted(x for x in together if -(2**63) <= x < 2**63)


def _at(curve: Curve, x: int, until: int) -> tuple[float, float, float] | None:
    """A curve's value at `x`, and its extremes from there up to but not including `until`."""
    points = curve.shown
    value = points.value_at(x + curve.origin)
    first, last = bisect_left(points.xs, x + curve.origin), bisect_left(points.xs, until + curve.origin)
    if first == last:
        return None if value is None else (value, value, value)
    low, high = points.extremes(first, last)
    if value is None:
        return points.ys[first], low, high
    return value, min(low, value), max(high, value)


def draw_bands(
    bands: Sequence[Band], view: View, size: tuple[int, int], *, title: str = "", empty: str = NO_POINTS
) -> Picture:
    """Every band as a pattern of dots in its faint colour, its mean as a line above."""
    canvas = Canvas(*size)
    window = window_for([each.mean for each in bands], view)
    notes = ["mean, lowest to highest", *(["log"] if view.is_log else [])]
    top = header(canvas, title, notes)
    y = _y_scale(bands, window, view) if window else None
    if window is None or y is None:
        why = empty if window is None else NOTHING_POSITIVE if view.is_log else NOTHING_HERE
        write_middle(canvas, max(top, canvas.height // 2), why, Ink(Role.AXIS))
        return canvas.picture()
    right = 2 if any(each.mark for each in bands) else 0
    plot = frame(canvas, Scale(*window), y, bands[0].mean.axis, top=top, right=right)
    if plot is None:
        return canvas.picture()
    layers = [_area(each, plot) for each in bands]
    lines = [each.line for each in bands]
    layers += [layer_of(placeable(line.curve.points, view.is_log), plot, line.ink, 0) for line in lines]
    canvas.paste(plot.left, plot.top, draw_layers(layers, plot.width, plot.height))
    put_ends(canvas, plot, [End(line.mark, line.ink, placeable(line.curve.points, view.is_log), 0) for line in lines])
    return canvas.picture(plot)


def _y_scale(bands: Sequence[Band], window: Window, view: View) -> Scale | None:
    by_hand = scale_by_hand(view.y, view.is_log) if view.y else None
    if by_hand:
        return by_hand
    edges = [Placed(placeable(points, view.is_log), 0) for each in bands for points in (each.lows, each.highs)]
    return y_scale(edges, window, view.is_log, view.is_without_outliers)


def _area(band: Band, plot: PlotArea) -> Layer:
    """What lies between the lowest and the highest, by column of dots."""
    layer = Layer(Ink(Role.SERIES, band.colour, is_faint=True), plot.width, plot.height)
    columns, up = plot.width * DOTS_ACROSS, plot.height * DOTS_UP
    starts = Window(plot.x.low, plot.x.high).starts(columns)
    for column, (start, end) in enumerate(zip(starts, [*starts[1:], plot.x.high], strict=True)):
        low, high = _reach(band, start, end, is_last=column == columns - 1)
        if low is not None and high is not None:
            low_share, high_share = plot.y.share(low), plot.y.share(high)
            if high_share is not None:  # what is below a log axis reaches up from its bottom
                bottom = -1.0 if low_share is None else low_share * up
                layer.fill(column, bottom, high_share * up, is_pattern=True)
    return layer


def _reach(band: Band, start: float, end: float, *, is_last: bool) -> tuple[float | None, float | None]:
    xs = band.lows.xs
    first = bisect_left(xs, start)
    last = bisect_right(xs, end) if is_last else bisect_left(xs, end)
    if first < last:
        return band.lows.extremes(first, last)[0], band.highs.extremes(first, last)[1]
    return band.lows.value_at(start), band.highs.value_at(start)
