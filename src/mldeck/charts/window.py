"""The part of an axis that is looked at, and how it is moved. Whatever comes in, what goes out can be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mldeck.charts.curves import Curve
from mldeck.charts.decimate import Window

_FURTHEST = 2.0**63
"""Steps and times are integers of 64 bits."""


def full_window(curves: Sequence[Curve]) -> Window | None:
    """From the first to the last x of all curves together; None without points."""
    limits = [curve.limits for curve in curves if curve.limits is not None]
    if not limits:
        return None
    return window_of(min(low for low, _ in limits), max(high for _, high in limits))


def window_of(low: float, high: float) -> Window:
    """A window from one to the other that is at least one step (or millisecond) wide and not further away than any point."""
    low, high = sorted(_held(each) for each in (low, high))
    if high - low >= 1:
        return Window(low, high)
    if isinstance(low, int) and isinstance(high, int):
        return Window(low - 1, high + 1)
    middle = low + (high - low) / 2
    # Halves of large numbers have no place between whole ones.
    return (
        Window(math.floor(middle) - 1, math.ceil(middle) + 1)
        if abs(middle) > 2**50
        else Window(middle - 0.5, middle + 0.5)
    )


def zoomed(window: tuple[float, float], around: float, factor: float) -> Window:
    """With `factor` 0.5 twice as near; what is `around` stays where it is."""
    low, high = window
    around = min(max(around, low), high)
    return window_of(around - (around - low) * factor, around + (high - around) * factor)


def panned(window: tuple[float, float], share: float) -> Window:
    """Moved by a share of its width, to the right if it is positive."""
    low, high = window_of(*window)
    distance = (high - low) * share
    return window_of(low + distance, high + distance)


def _held(x: float) -> float:
    if isinstance(x, int):
        return x
    if math.isnan(x):
        return 0.0
    return min(max(x, -_FURTHEST), _FURTHEST)
