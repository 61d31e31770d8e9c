"""The exact points under a crosshair, found without drawing anything."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from mldeck.charts.curves import Curve
from mldeck.charts.lines import ChartLine


class Readout(NamedTuple):
    """The values of one point. `x` is in the unit of the curve's axis, `timestamp` in milliseconds since the epoch."""

    x: int
    step: int
    timestamp: int
    value: float
    """The value as logged, including NaN and infinities."""
    smoothed: float | None
    """None without smoothing, and for a value that is not finite."""


def values_at(lines: Sequence[ChartLine], x: float, reach: float = math.inf) -> tuple[Readout | None, ...]:
    """Return the point of each line nearest to `x`: the last if several share one x.

    None for a line without points, and for one that begins or ends more than `reach` before it gets to `x`.
    """
    return tuple(_nearest(line.curve, x, reach) for line in lines)


def step_neighbour(lines: Sequence[ChartLine], x: float, direction: int) -> int | None:
    """Return the nearest x at which any line has a point: to the right, or to the left if `direction` is negative.

    None if there is no further point.
    """
    found = []
    for curve in (line.curve for line in lines):
        xs = curve.xs
        if direction < 0:
            index = bisect_left(xs, x + curve.origin) - 1
        else:
            index = bisect_right(xs, x + curve.origin)
        if 0 <= index < len(xs):
            found.append(xs[index] - curve.origin)
    if not found:
        return None
    return max(found) if direction < 0 else min(found)


def _nearest(curve: Curve, x: float, reach: float) -> Readout | None:
    xs = curve.xs
    at = x + curve.origin
    if not xs or not xs[0] - reach <= at <= xs[-1] + reach:
        return None
    after = bisect_left(xs, at)
    if after == len(xs) or (after and at - xs[after - 1] <= xs[after] - at):
        after -= 1
    index = bisect_right(xs, xs[after]) - 1
    smoothed = None
    if curve.smooth is not None:
        # The smoothed points leave out those that are not finite.
        position = bisect_right(curve.smooth.xs, xs[index]) - 1
        is_finite = position >= 0 and curve.points.ys[position] == curve.values[index]
        smoothed = curve.smooth.ys[position] if is_finite else None
    return Readout(xs[index] - curve.origin, curve.steps[index], curve.timestamps[index], curve.values[index], smoothed)
