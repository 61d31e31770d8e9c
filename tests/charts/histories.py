"""Histories for the tests of charts: hostile ones for properties, calm ones for pictures."""

from __future__ import annotations

import math
import random
import sys
from array import array
from collections.abc import Mapping

from hypothesis import strategies as st

from mldeck.charts.curves import Axis, Curve, prepare

TINY, HUGE = 5e-324, sys.float_info.max
NUMBERS = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1.0, TINY, 2 * TINY, -TINY, 1e300, -1e300, HUGE, -HUGE, math.inf, -math.inf, math.nan]),
    st.floats(0.999999999999, 1.000000000001),
)
FINITE = NUMBERS.map(lambda number: number if math.isfinite(number) else 1.5)
WHOLE = st.one_of(
    st.integers(-50, 50),
    st.integers(2**62 - 3, 2**62),
    st.sampled_from([-(2**62), 2**62, -(2**63), 2**63 - 1, 0, 1, 1_795_228_000_000]),
)


@st.composite
def histories(draw: st.DrawFn, most: int = 40) -> tuple[array[int], array[int], array[float]]:
    """Steps, timestamps and values in no order, with repeats."""
    count = draw(st.integers(0, most))
    steps = draw(st.lists(WHOLE, min_size=count, max_size=count))
    times = draw(st.lists(WHOLE, min_size=count, max_size=count))
    values = draw(st.lists(NUMBERS, min_size=count, max_size=count))
    return array("q", steps), array("q", times), array("d", values)


@st.composite
def curves(draw: st.DrawFn, most: int = 40, axis: Axis | None = None) -> Curve:
    weight = draw(st.sampled_from([0.0, 0.0, 0.6, 0.999]))
    return prepare(*draw(histories(most)), axis or draw(st.sampled_from(Axis)), weight)


def curve_of(values: list[float], first_step: int = 0, axis: Axis = Axis.STEP, smoothing: float = 0.0) -> Curve:
    """One point per step and second."""
    steps = array("q", range(first_step, first_step + len(values)))
    return prepare(
        steps, array("q", (1_795_228_000_000 + 1_000 * step for step in steps)), array("d", values), axis, smoothing
    )


def falling(
    count: int, seed: int, holes: Mapping[int, float] | None = None, axis: Axis = Axis.STEP, smoothing: float = 0.0
) -> Curve:
    """A loss that falls, with noise; `holes` are other values at some steps."""
    source = random.Random(seed)
    values = [2 * math.exp(-4 * i / count) + 0.3 + 0.15 * seed + source.gauss(0, 0.03) for i in range(count)]
    for index, value in (holes or {}).items():
        values[index] = value
    return curve_of(values, 0, axis, smoothing)
