"""A crosshair reads the points as they were logged, whatever was drawn of them; windows move without falling over."""

from __future__ import annotations

import math
from array import array

from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.curves import Axis, Curve, prepare
from mldeck.charts.lines import ChartLine
from mldeck.charts.readout import step_neighbour, values_at
from mldeck.charts.window import full_window, panned, window_of, zoomed
from tests.charts.histories import WHOLE, curve_of, curves


@given(st.lists(curves(), max_size=3), WHOLE)
def test_the_nearest_point_is_read(curves_: list[Curve], x: int) -> None:
    for curve, reading in zip(curves_, values_at([ChartLine(each) for each in curves_], x), strict=True):
        if reading is None:
            assert curve.count == 0
            continue
        places = [each - curve.origin for each in curve.xs]
        assert abs(reading.x - x) == min(abs(place - x) for place in places)
        last = max(index for index, place in enumerate(places) if place == reading.x)
        assert repr(reading.value) == repr(curve.values[last])
        assert (reading.step, reading.timestamp) == (curve.steps[last], curve.timestamps[last])
        assert (reading.smoothed is None) == (curve.smooth is None or not math.isfinite(reading.value))


def test_the_last_of_several_points_at_one_step_is_read() -> None:
    curve = prepare(array("q", [5, 5, 9]), array("q", [1, 2, 3]), array("d", [1.0, math.nan, 3.0]), smoothing=0.5)
    reading = values_at([ChartLine(curve)], 6)[0]
    assert reading is not None
    assert math.isnan(reading.value)
    assert reading.smoothed is None
    assert reading.timestamp == 2


def test_relative_times_are_read_from_the_start() -> None:
    reading = values_at([ChartLine(curve_of([1.0, 2.0, 3.0], axis=Axis.RELATIVE))], 1_900)[0]
    assert reading is not None
    assert (reading.x, reading.step, reading.value) == (2_000, 2, 3.0)


@given(st.lists(curves(axis=Axis.STEP), max_size=3), WHOLE, st.sampled_from([-1, 1]))
def test_neighbours_visit_every_step(curves_: list[Curve], x: int, direction: int) -> None:
    places = {step for curve in curves_ for step in curve.steps if (step - x) * direction > 0}
    wanted = (min(places) if direction > 0 else max(places)) if places else None
    assert step_neighbour([ChartLine(curve) for curve in curves_], x, direction) == wanted


def test_zooming_keeps_what_it_is_around_in_its_place() -> None:
    assert zoomed((0, 100), 25, 0.5) == (12.5, 62.5)
    assert zoomed(zoomed((0, 100), 25, 0.5), 25, 2) == (0, 100)
    assert panned((0, 100), 0.25) == (25, 125)


def test_a_window_is_never_narrower_than_a_step() -> None:
    assert window_of(7, 7) == (6, 8)
    low, high = zoomed((0, 10), 5, 1e-9)
    assert high - low >= 1
    assert low <= 5 <= high


def test_the_full_window_holds_all_curves() -> None:
    assert full_window([curve_of([1.0, 2.0]), curve_of([]), curve_of([1.0] * 5, first_step=-3)]) == (-3, 1)
    assert full_window([curve_of([])]) is None


def test_a_curve_ends_at_its_last_point() -> None:
    line = ChartLine(curve_of([1.0, 2.0, 3.0]))
    assert [reading and reading.value for x in (-2, -0.5, 2.5, 4) for reading in values_at([line], x, 1)] == [
        *(None, 1.0),
        *(3.0, None),
    ]
