"""Turns a logged history into points that can be drawn: in order and finite, with gaps marked.

NaN and infinities are gaps: the line ends before a gap and starts again after it, and a mark shows where the gap
begins.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from itertools import islice
from operator import le

from mldeck.charts.points import FinitePoints

NAN, ABOVE, BELOW = "×", "▲", "▼"
"""The mark of a gap: NaN, infinity, minus infinity."""


@dataclass(frozen=True)
class Gaps:
    """The starts of all gaps of one kind."""

    sign: str
    """One of `NAN`, `ABOVE`, `BELOW`."""
    xs: array[int]
    """The x of the first missing value of each gap, ascending."""
    positions: array[int]
    """For each gap: the index of the finite point after it."""


def in_order(xs: array[int], *others: array[int] | array[float]) -> tuple[array[int] | array[float], ...]:
    """Return all arrays in the order of `xs`; points with the same x keep their order.

    Arrays that are already in order are returned as they are, not copied.
    """
    if all(map(le, xs, islice(xs, 1, None))):
        return (xs, *others)
    order = sorted(range(len(xs)), key=xs.__getitem__)
    return tuple(array(column.typecode, map(column.__getitem__, order)) for column in (xs, *others))


def cleaned(xs: array[int], values: array[float]) -> tuple[FinitePoints, tuple[Gaps, ...]]:
    """Return the finite points, and the gaps by kind. `xs` is ascending."""
    if all(map(math.isfinite, values)):
        return FinitePoints(xs, values, array("q")), ()
    kept_xs, kept_values = array("q"), array("d")
    found: dict[str, Gaps] = {}
    breaks = array("q")
    is_in_gap = False
    for x, value in zip(xs, values, strict=True):
        if math.isfinite(value):
            kept_xs.append(x)
            kept_values.append(value)
        elif not is_in_gap:
            breaks.append(len(kept_xs))
            sign = NAN if math.isnan(value) else ABOVE if value > 0 else BELOW
            gaps = found.setdefault(sign, Gaps(sign, array("q"), array("q")))
            gaps.xs.append(x)
            gaps.positions.append(len(kept_xs))
        is_in_gap = not math.isfinite(value)
    return FinitePoints(kept_xs, kept_values, breaks), tuple(found.values())


def height_of(points: FinitePoints, position: int) -> float | None:
    """Return the y of a gap's mark: the last value before the gap, or the first after it; None without finite points."""
    return points.ys[max(0, position - 1)] if points.ys else None
