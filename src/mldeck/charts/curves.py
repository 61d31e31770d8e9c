"""A metric's history prepared for drawing: ordered along an axis, cleaned, and smoothed on request."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from enum import Enum
from typing import cast

from mldeck.charts.clean import Gaps, cleaned, in_order
from mldeck.charts.points import FinitePoints, indexed
from mldeck.charts.smooth import moving_average


class Axis(str, Enum):
    """The x axis of a chart: steps or a kind of time."""

    STEP = "step"
    RELATIVE = "relative"
    """Milliseconds since the start of the run."""
    WALL = "wall"
    """Milliseconds since the epoch, shown as local time."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The history of one metric of one run along an axis."""

    axis: Axis
    steps: array[int]
    timestamps: array[int]
    values: array[float]
    """`steps`, `timestamps` and `values` hold every logged point, in the order of x."""
    origin: int
    """Subtracted from `xs` to get x: 0 except for relative times."""
    points: FinitePoints
    """The finite points; their xs do not have `origin` subtracted."""
    gaps: tuple[Gaps, ...]
    """The gaps, where NaN and infinities were logged, by kind."""
    smooth: FinitePoints | None = None

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> int:
        """The number of points that are NaN or infinite."""
        return len(self.values) - len(self.points)

    @property
    def latest(self) -> float | None:
        return self.values[-1] if self.values else None

    @property
    def xs(self) -> array[int]:
        """The steps or timestamps of all points; subtract `origin` to get x."""
        return self.steps if self.axis is Axis.STEP else self.timestamps

    @property
    def limits(self) -> tuple[int, int] | None:
        """The first and last x; None without points."""
        return (self.xs[0] - self.origin, self.xs[-1] - self.origin) if self.xs else None

    @property
    def shown(self) -> FinitePoints:
        """The smoothed points if there are any, else the finite ones."""
        return self.smooth or self.points


def prepare(
    steps: array[int],
    timestamps: array[int],
    values: array[float],
    axis: Axis = Axis.STEP,
    smoothing: float = 0.0,
    origin: int | None = None,
) -> Curve:
    """Return the curve of a history; call it once per history and axis.

    Arrays that are already in order are kept, not copied, so they must not be changed afterwards. Relative times count
    from `origin` (milliseconds since the epoch), by default the first timestamp of the curve.
    """
    if axis is Axis.STEP:
        ordered = in_order(steps, timestamps, values)
        steps, timestamps = cast("array[int]", ordered[0]), cast("array[int]", ordered[1])
    else:
        ordered = in_order(timestamps, steps, values)
        timestamps, steps = cast("array[int]", ordered[0]), cast("array[int]", ordered[1])
    values = cast("array[float]", ordered[2])
    points, gaps = cleaned(steps if axis is Axis.STEP else timestamps, values)
    if axis is not Axis.RELATIVE:
        origin = 0
    elif origin is None:
        origin = timestamps[0] if timestamps else 0
    curve = Curve(axis, steps, timestamps, values, origin, indexed(points), gaps)
    return smoothed(curve, smoothing)


def smoothed(curve: Curve, weight: float) -> Curve:
    """Return the curve smoothed with another weight, 0 for none; see `moving_average`."""
    if weight <= 0:
        return replace(curve, smooth=None)
    points = curve.points
    return replace(curve, smooth=indexed(replace(points, ys=moving_average(points.ys, weight))))
