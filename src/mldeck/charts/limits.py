"""How high a chart reaches: what is in its window, all of it or without outliers, or what somebody set."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import NamedTuple

from mldeck.charts.decimate import Window, part_of
from mldeck.charts.points import Points
from mldeck.charts.scale import Scale

OUTLIER_SHARE = 0.01
"""Without outliers, this share of the values is above the axis and as much below it."""

_SAMPLE = 2_000
"""Of a longer line so many points, evenly spread, say where its outliers begin."""

_MOST = sys.float_info.max


class Placed(NamedTuple):
    """Points, and where their x counts from."""

    points: Points
    origin: int


def y_scale(lines: Sequence[Placed], window: Window, is_log: bool, without_outliers: bool) -> Scale | None:
    """What fits the points in the window and the lines that cross it; None when there is nothing."""
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
    """A scale from one finite value to another, which may be the same; on a log axis both are positive."""
    if low < high:
        return Scale(low, high, is_log)
    if is_log:
        # Half of the smallest float is nothing.
        return Scale(low / 2 or low, min(high * 2, _MOST), is_log)
    margin = abs(low) / 10 or 1.0
    return Scale(max(low - margin, -_MOST), min(high + margin, _MOST))


def scale_by_hand(limits: tuple[float, float], is_log: bool) -> Scale | None:
    """None for limits that make no axis: not finite, the same, or not above zero on a log axis."""
    low, high = sorted(limits)
    if not (math.isfinite(low) and math.isfinite(high)) or low == high or (is_log and low <= 0):
        return None
    return Scale(low, high, is_log)
