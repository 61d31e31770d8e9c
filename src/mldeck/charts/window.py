"""The visible part of an x axis, and how it is moved. Any input gives a window that can be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mldeck.charts.curves import Curve
from mldeck.charts.decimate import AxisWindow

_FURTHEST = 2.0**63
"""Steps and times are 64-bit integers."""


def full_window(curves: Sequence[Curve]) -> AxisWindow | None:
    """Return the window from the first to the last x of all curves; None if they have no points."""
    limits = [curve.limits for curve in curves if curve.limits is not None]
    if not limits:
        return None
    return window_of(min(low for low, _ in limits), max(high for _, high in limits))


def window_of(low: float, high: float) -> AxisWindow:
    """Return a window between two x, in either order.

    It is at least one step (or millisecond) wide, and held within the range of 64-bit integers.
    """
    low, high = sorted(map(_clamped, (low, high)))
    if high - low >= 1:
        return AxisWindow(low, high)
    if isinstance(low, int) and isinstance(high, int):
        return AxisWindow(low - 1, high + 1)
    middle = low + (high - low) / 2
    # A float this large has no halves between whole numbers.
    return (
        AxisWindow(math.floor(middle) - 1, math.ceil(middle) + 1)
        if abs(middle) > 2**50
        else AxisWindow(middle - 0.5, middle + 0.5)
    )


def zoomed(window: tuple[float, float], around: float, factor: float) -> AxisWindow:
    """Return the window scaled by `factor` (0.5 zooms in to half the width); the position of `around` does not change."""
    low, high = window
    around = min(max(around, low), high)
    return window_of(around - (around - low) * factor, around + (high - around) * factor)


def panned(window: tuple[float, float], share: float) -> AxisWindow:
    """Return the window moved by a share of its width; positive moves right."""
    low, high = window_of(*window)
    distance = (high - low) * share
    return window_of(low + distance, high + distance)


def _clamped(x: float) -> float:
    if isinstance(x, int):
        return x
    if math.isnan(x):
        return 0.0
    return min(max(x, -_FURTHEST), _FURTHEST)
