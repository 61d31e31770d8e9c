"""The limits of a chart's y axis: the values in the window, all of them or without outliers, or limits set by the user."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from mldeck.charts.decimate import AxisWindow, part_of
from mldeck.charts.points import FinitePoints
from mldeck.charts.scale import Scale

OUTLIER_SHARE = 0.01
"""The share of the values cut off above the axis, and again below it, when outliers are left out."""

_SAMPLE = 2_000
"""The most points of one line, evenly spread, that are looked at to find outliers."""

_MOST = sys.float_info.max


class PlacedPoints(NamedTuple):
    """The points of a line, and the origin that is subtracted from their x."""

    points: FinitePoints
    origin: int


def y_scale(lines: Sequence[PlacedPoints], window: AxisWindow, is_log: bool, without_outliers: bool) -> Scale | None:
    """Return the scale that fits the points in the window and the lines that cross its edges; None if there are none."""
    values: list[float] = []
    for points, origin in lines:
        first, last = part_of(points, window, origin)
        if without_outliers:
            values += points.ys[first : last : max(1, (last - first) // _SAMPLE)]
            continue
        if first < last:
            values += points.extremes(first, last)
        edges = points.value_at(window.low + origin), points.value_at(window.high + origin)
        values += [edge for edge in edges if edge is not None]
    if without_outliers:
        if not values:
            return y_scale(lines, window, is_log, False)
        values.sort()
        cut = int(len(values) * OUTLIER_SHARE)
        values = values[cut : len(values) - cut]
    return widened(min(values), max(values), is_log) if values else None


def widened(low: float, high: float, is_log: bool) -> Scale:
    """Return a scale from `low` to `high`, widened if they are the same. Both are finite, and positive on a log axis."""
    if low < high:
        return Scale(low, high, is_log)
    if is_log:
        # Half of the smallest float is 0.
        return Scale(low / 2 or low, min(high * 2, _MOST), is_log)
    margin = abs(low) / 10 or 1.0
    return Scale(max(low - margin, -_MOST), min(high + margin, _MOST))


def scale_by_hand(limits: tuple[float, float], is_log: bool) -> Scale | None:
    """Return the scale for limits set by the user.

    None if they make no axis: not finite, the same, or not above zero on a log axis.
    """
    low, high = sorted(limits)
    if not (math.isfinite(low) and math.isfinite(high)) or low == high or (is_log and low <= 0):
        return None
    return Scale(low, high, is_log)
