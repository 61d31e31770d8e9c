"""Moving averages as TensorBoard's, checked against numpy."""

from __future__ import annotations

import math
import random
import sys
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.curves import prepare, smoothed
from mldeck.charts.smooth import moving_average
from tests.charts.histories import HUGE, curve_of

FINITE = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([HUGE, -HUGE, 5e-324]))


def reference(values: list[float], weight: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Every average from its definition: weights that fall with the distance, divided by their sum."""
    found = np.empty(len(values))
    for index in range(len(values)):
        weights = weight ** np.arange(index, -1, -1, dtype=np.float64)
        found[index] = np.sum(weights * np.array(values[: index + 1])) / np.sum(weights)
    return found


@pytest.mark.parametrize("weight", [0.0, 0.1, 0.6, 0.9, 0.99, 0.999])
def test_as_numpy_has_it(weight: float) -> None:
    source = random.Random(7)
    values = [math.sin(index / 30) + source.gauss(0, 0.5) for index in range(800)]
    np.testing.assert_allclose(
        moving_average(array("d", values), weight), reference(values, weight), rtol=1e-11, atol=1e-12
    )


@given(st.lists(FINITE, max_size=30), st.floats(allow_nan=False))
def test_stays_finite_and_between_the_extremes(values: list[float], weight: float) -> None:
    averages = moving_average(array("d", values), weight)
    assert len(averages) == len(values)
    for index, average in enumerate(averages):
        low, high = min(values[: index + 1]), max(values[: index + 1])
        slack = (
            max(abs(low), abs(high)) * sys.float_info.epsilon * 64 + 1e-323
        )  # the largest are halved, and half of the smallest is nothing
        assert low - slack <= average <= high + slack


def test_begins_at_the_first_value() -> None:
    assert moving_average(array("d", [5.0, 5.0, 5.0]), 0.99)[0] == 5.0


def test_what_is_not_finite_is_skipped_and_leaves_no_trace() -> None:
    with_gaps = curve_of([1.0, math.nan, 3.0, math.inf, math.nan, 2.0], smoothing=0.6)
    without = curve_of([1.0, 3.0, 2.0], smoothing=0.6)
    assert with_gaps.smooth is not None
    assert without.smooth is not None
    assert with_gaps.smooth.ys == without.smooth.ys
    assert [with_gaps.smooth.is_joined(index) for index in (1, 2)] == [False, False]


def test_another_smoothing_shares_the_points() -> None:
    curve = prepare(array("q", [1, 2]), array("q", [1, 2]), array("d", [1.0, 2.0]))
    assert smoothed(curve, 0.5).points is curve.points
    assert smoothed(smoothed(curve, 0.5), 0).smooth is None
