"""Axis ticks and their labels: steps of 1, 2 or 5 times a power of ten, decades, round times.

Ticks are inside the limits, ascending, and neighbouring labels differ. They are computed with integers and fractions,
so limits that are very close together, or near the largest float, get ticks like any others.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from mldeck.charts.scale import Scale
from mldeck.format import float_text, number_format

_CELLS_PER_TICK = 9
_GAP = 3
"""The least number of blanks between two labels."""


class AxisTick(NamedTuple):
    value: float
    text: str


def number_ticks(scale: Scale, most: int, *, is_whole: bool = False) -> tuple[AxisTick, ...]:
    """Return at most `most` ticks for numbers. `is_whole` allows whole numbers only, as for steps."""
    if most < 1:
        return ()
    decades = _decades(scale, most) if scale.is_log else []
    if len(decades) >= 2:
        return tuple(AxisTick(value, float_text(value)) for value in decades)
    values = _linear(scale, most, is_whole)
    if is_whole:
        return tuple(AxisTick(value, str(int(value))) for value in values)
    numbers = number_format(values)
    return tuple(AxisTick(value, numbers.text(value)) for value in values)


def _linear(scale: Scale, most: int, is_whole: bool) -> list[float]:
    step = round_step((Fraction(scale.high) - Fraction(scale.low)) / most, is_whole)
    values = _multiples(scale, step, is_whole)
    # There is one tick too many if both ends are ticks.
    return values if len(values) <= most else _multiples(scale, round_step(step * 3 / 2, is_whole), is_whole)


def _multiples(scale: Scale, step: Fraction, is_whole: bool) -> list[float]:
    low, high = Fraction(scale.low), Fraction(scale.high)
    if is_whole:
        return [int(number * step) for number in range(math.ceil(low / step), math.floor(high / step) + 1)]
    exact = (number * step for number in range(math.floor(low / step), math.ceil(high / step) + 1))
    # As floats, neighbours may be equal, and the outermost may be inside after all. Adding 0.0 turns -0.0 into 0.0.
    values = {float(value) + 0.0 for value in exact if abs(value) <= sys.float_info.max}
    return sorted(value for value in values if scale.low <= value <= scale.high)


def round_step(at_least: Fraction, is_whole: bool = False) -> Fraction:
    """Return the smallest of …, 0.1, 0.2, 0.5, 1, 2, 5, 10, … that is at least `at_least`."""
    if is_whole and at_least <= 1:
        return Fraction(1)
    exponent = len(str(at_least.numerator)) - len(str(at_least.denominator)) - 1
    while True:
        for mantissa in (1, 2, 5):
            step = mantissa * Fraction(10) ** exponent
            if step >= at_least:
                return step
        exponent += 1


def _decades(scale: Scale, most: int) -> list[float]:
    """Return multiples of powers of ten; fewer than two if the scale is too short."""
    first, last = math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high))

    def ticks(mantissas: Iterable[int], every: int = 1) -> list[float]:
        # Parse powers from text: computed as floats they are not always the nearest ones.
        values = (
            float(f"{mantissa}e{exponent}")
            for exponent in range(first, last + 1)
            if exponent % every == 0
            for mantissa in mantissas
        )
        return sorted({value for value in values if scale.low <= value <= scale.high})

    for mantissas in ((1, 2, 5), (1, 3)):
        found = ticks(mantissas)
        if 2 <= len(found) <= most:
            return found
    found = ticks((1,))
    every = 1
    while len(found) > most:
        every += 1
        found = ticks((1,), every)
    return found


def fitting_ticks(
    ticks_for: Callable[[int], Sequence[AxisTick]], column_of: Callable[[float], int | None], width: int
) -> list[tuple[int, int, AxisTick]]:
    """Return as many ticks as fit side by side, as (column of the tick, first column of its label, tick).

    A label is centred below its tick, and moved inwards if it would reach beyond an end of the axis.
    """
    for most in range(max(1, width // _CELLS_PER_TICK), 0, -1):
        placed = list(_placed(ticks_for(most), column_of, width))
        ends = [start + len(tick.text) + _GAP for _, start, tick in placed]
        if all(end <= start for end, (_, start, _) in zip(ends, placed[1:], strict=False)):
            return [(column, start, tick) for column, start, tick in placed if len(tick.text) <= width]
    return []


def _placed(
    ticks: Iterable[AxisTick], column_of: Callable[[float], int | None], width: int
) -> Iterable[tuple[int, int, AxisTick]]:
    """Yield (column of the tick, first column of its label, tick) for each tick inside the axis."""
    for tick in ticks:
        column = column_of(tick.value)
        if column is not None:
            yield column, max(0, min(column - len(tick.text) // 2, width - len(tick.text))), tick
