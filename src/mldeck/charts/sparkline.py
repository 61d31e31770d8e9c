"""Sparklines: a metric's history as one line of braille dots."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from mldeck.charts.braille import BRAILLE, COLUMN_BITS, DOTS_ACROSS, DOTS_UP

GAP = "×"
"""Shown for a cell whose slices hold only NaN."""


def slices_for(width: int) -> int:
    """Return the number of slices a history is cut into to fill `width` cells."""
    return width * DOTS_ACROSS


def sparkline(slices: Iterable[tuple[int, float | None, float | None]], width: int) -> str:
    """Return a sparkline of `width` cells from slices (position, lowest, highest).

    Lowest and highest are None if all values of the slice are NaN. Each column of dots spans from the lowest to the
    highest value of its slice, so no spike is lost. Infinities are drawn at the edge. Positions without a slice stay
    blank.
    """
    known = [(position, low, high) for position, low, high in slices if 0 <= position < slices_for(width)]
    finite = [value for _, low, high in known for value in (low, high) if value is not None and math.isfinite(value)]
    bottom, top = (min(finite), max(finite)) if finite else (0.0, 0.0)
    cells = [0] * width
    broken: set[int] = set()
    for position, low, high in known:
        cell, dot_column = divmod(position, DOTS_ACROSS)
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            broken.add(cell)
            continue
        for level in range(_level(low, bottom, top), _level(high, bottom, top) + 1):
            cells[cell] |= COLUMN_BITS[dot_column][level]
    return "".join(
        GAP if not bits and index in broken else BRAILLE[bits] if bits else " " for index, bits in enumerate(cells)
    )


def _level(value: float, bottom: float, top: float) -> int:
    if value >= top:
        return DOTS_UP - 1 if top > bottom or value > top else 1
    if value <= bottom:
        return 0
    # Fractions are exact: the span of two huge numbers of opposite sign overflows, and half of a tiny number may be 0.
    low, high = Fraction(bottom), Fraction(top)
    return int((Fraction(value) - low) / (high - low) * DOTS_UP)
