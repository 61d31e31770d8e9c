"""Means and bands of curves with different steps: between their points only, and with every extreme."""

from __future__ import annotations

import math
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.bands import MOST_PLACES, band, draw_bands
from mldeck.charts.curves import Axis, Curve, prepare
from mldeck.charts.lines import ChartView
from tests.charts.histories import curve_of, falling


def curve_at(points: dict[int, float]) -> Curve:
    return prepare(array("q", points), array("q", points), array("d", points.values()))


def test_curves_are_straight_between_their_points_and_nowhere_else() -> None:
    made = band([curve_at({0: 0.0, 10: 10.0}), curve_at({5: 1.0, 20: 4.0})])
    assert list(made.mean.steps) == [0, 5, 10, 20]
    assert list(made.lows.ys) == [0.0, 1.0, 2.0, 4.0]
    assert list(made.highs.ys) == [0.0, 5.0, 10.0, 4.0]
    assert list(made.mean.values) == [0.0, 3.0, 6.0, 4.0]


@given(st.lists(st.dictionaries(st.integers(0, 60), st.floats(-100, 100), min_size=2), min_size=1, max_size=4))
def test_as_numpy_interpolates(histories: list[dict[int, float]]) -> None:
    made = band([curve_at(dict(sorted(each.items()))) for each in histories])
    for x, low, mean, high in zip(made.mean.steps, made.lows.ys, made.mean.values, made.highs.ys, strict=True):
        there = [
            float(np.interp(x, sorted(each), [each[step] for step in sorted(each)]))
            for each in histories
            if min(each) <= x <= max(each)
        ]
        assert (low, mean, high) == pytest.approx((min(there), sum(there) / len(there), max(there)), abs=1e-9)


def test_a_gap_does_not_count() -> None:
    made = band([curve_of([0.0, math.nan, math.nan, 0.0]), curve_of([2.0, 2.0, 2.0, 2.0])])
    assert list(made.mean.values) == [1.0, 2.0, 2.0, 1.0]
    alone = band([curve_of([0.0, math.nan, math.nan, 0.0]), curve_at({1: 1.0})])
    assert list(alone.mean.values) == [0.0, 1.0, 0.0]


def test_many_different_steps_keep_their_extremes() -> None:
    count = 3 * MOST_PLACES
    values = [0.0] * count
    values[count // 2 + 1], values[count // 3 + 2] = 5.0, -5.0
    made = band([curve_of(values), curve_of([1.0] * count)])
    assert len(made.mean.points) == MOST_PLACES
    assert (max(made.highs.ys), min(made.lows.ys)) == (5.0, -5.0)


def test_a_band_is_faint_and_its_mean_stands_out() -> None:
    made = band([falling(100, 0), falling(100, 2)], "adam", 3, "a")
    inks = {cell.ink for row in draw_bands([made], ChartView(), (60, 14)).rows for cell in row if cell.ink.index == 3}
    assert {(ink.is_faint, ink.is_strong) for ink in inks} == {(True, False), (False, True)}
    assert made.line.name == "adam"


def test_no_curves() -> None:
    assert band([]).mean.axis is Axis.STEP
    assert "no points yet" in draw_bands([band([])], ChartView(), (60, 14)).text
