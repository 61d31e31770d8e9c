"""From a history as it was logged to points that can be drawn: in order, finite, with what is missing marked.

NaN and infinities are gaps: the line ends before and begins anew after them, and a mark stands where the gap begins.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from itertools import islice
from operator import le

from mldeck.charts.points import Points

NAN, ABOVE, BELOW = "×", "▲", "▼"
"""How a gap is marked: of NaN, of infinity, of minus infinity."""


@dataclass(frozen=True)
class Gaps:
    """Where gaps of one kind begin."""

    sign: str
    xs: array[int]
    """Ascending."""
    positions: array[int]
    """Before which of the finite points each of them stands."""


def in_order(xs: array[int], *others: array[int] | array[float]) -> tuple[array[int] | array[float], ...]:
    """All of them in the order of `xs`; points of one x stay in the order given. Nothing is copied that is in order."""
    if all(map(le, xs, islice(xs, 1, None))):
        return (xs, *others)
    order = sorted(range(len(xs)), key=xs.__getitem__)
    return tuple(array(each.typecode, map(each.__getitem__, order)) for each in (xs, *others))


def cleaned(xs: array[int], values: array[float]) -> tuple[Points, tuple[Gaps, ...]]:
    """The finite points, and where something else was logged."""
    if all(map(math.isfinite, values)):
        return Points(xs, values, array("q")), ()
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
    return Points(kept_xs, kept_values, breaks), tuple(found.values())


def height_of(points: Points, position: int) -> float | None:
    """How high a gap's mark stands: where the line left off, or where it begins when there is nothing before."""
    return points.ys[max(0, position - 1)] if points.ys else None
