"""A metric's history made ready to be drawn: ordered along an axis, cleaned, and smoothed if asked for."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from enum import Enum
from typing import cast

from mldeck.charts.clean import Gaps, cleaned, in_order
from mldeck.charts.points import Points, indexed
from mldeck.charts.smooth import moving_average


class Axis(str, Enum):
    STEP = "step"
    RELATIVE = "relative"
    """Milliseconds since the run began."""
    WALL = "wall"
    """Milliseconds since the epoch, shown as local times."""


@dataclass(frozen=True, eq=False)
class Curve:
    axis: Axis
    steps: array[int]
    timestamps: array[int]
    values: array[float]
    """Every point that was logged, in the order of x."""
    origin: int
    """What x counts from: 0 except for relative times."""
    points: Points
    """The finite ones, where they stand without `origin` taken off."""
    gaps: tuple[Gaps, ...]
    smooth: Points | None = None

    @property
    def count(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> int:
        """How many points are NaN or infinite."""
        return len(self.values) - len(self.points)

    @property
    def latest(self) -> float | None:
        return self.values[-1] if self.values else None

    @property
    def xs(self) -> array[int]:
        """By point; less `origin` it is the x."""
        return self.steps if self.axis is Axis.STEP else self.timestamps

    @property
    def limits(self) -> tuple[int, int] | None:
        """The first and last x."""
        return (self.xs[0] - self.origin, self.xs[-1] - self.origin) if self.xs else None

    @property
    def shown(self) -> Points:
        """The smoothed points, if there are any."""
        return self.smooth or self.points


def prepare(
    steps: array[int],
    timestamps: array[int],
    values: array[float],
    axis: Axis = Axis.STEP,
    smoothing: float = 0.0,
    origin: int | None = None,
) -> Curve:
    """Once per history and axis. Arrays that are in order already are kept, not copied: nobody may change them afterwards.

    Relative times count from `origin`, by default the curve's first timestamp.
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
    """The curve with another smoothing, 0 for none; see `moving_average`."""
    if weight <= 0:
        return replace(curve, smooth=None)
    points = curve.points
    return replace(curve, smooth=indexed(replace(points, ys=moving_average(points.ys, weight))))
