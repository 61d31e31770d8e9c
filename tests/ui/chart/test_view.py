"""The view of curves: windows, axes, ranges and highlighting. No screen."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.curves import Axis
from mldeck.ui.chart.view import SMOOTHINGS, CurveView, Range, parsed_range
from mldeck.ui.state.history_cache import SeriesKey

FULL = (0.0, 1000.0)
KEY = SeriesKey("r" * 32, "loss")


def test_zooming_in_and_out_again_shows_everything() -> None:
    nearer = CurveView().zoomed(FULL, 500.0, 1)
    assert nearer.window is not None
    low, high = nearer.window
    assert low < 500 < high
    assert high - low == pytest.approx(500)
    assert nearer.zoomed(FULL, 500.0, -1).window is None, "nothing is left out: the end is followed again"


def test_zooming_keeps_the_point_under_the_crosshair_in_place() -> None:
    nearer = CurveView().zoomed(FULL, 100.0, 1)
    assert nearer.window == (50.0, 550.0)


def test_panning_stops_at_the_edge_as_wide_as_it_was() -> None:
    view = replace(CurveView(), window=(900.0, 950.0))
    for _ in range(20):
        view = view.panned(FULL, 1)
    assert view.window == (950.0, 1000.0)
    for _ in range(200):
        view = view.panned(FULL, -1)
    assert view.window == (0.0, 50.0)


def test_without_points_nothing_moves() -> None:
    view = CurveView()
    assert view.zoomed(None, None, 1) is view
    assert view.panned(None, 1) is view
    assert view.panned(FULL, 1) is view, "all of it is in sight"


@given(st.lists(st.sampled_from(["in", "out", "left", "right"]), max_size=60), st.floats(-1e19, 1e19))
def test_a_window_is_always_a_part_of_what_there_is(moves: list[str], around: float) -> None:
    view = CurveView()
    for move in moves:
        if move in ("in", "out"):
            view = view.zoomed(FULL, around, 1 if move == "in" else -1)
        else:
            view = view.panned(FULL, 1 if move == "right" else -1)
        if view.window is not None:
            low, high = view.window
            assert low < high
            assert FULL[0] <= low
            assert high <= FULL[1]


def test_another_axis_forgets_the_window() -> None:
    view = replace(CurveView(), window=(1.0, 2.0))
    seen = []
    for _ in Axis:
        view = view.with_next_axis()
        seen.append(view.axis)
        assert view.window is None
    assert seen == [Axis.RELATIVE, Axis.WALL, Axis.STEP]


def test_smoothing_has_two_ends() -> None:
    assert CurveView().smoother(-1).weight == 0
    assert CurveView().smoother(1).weight == SMOOTHINGS[1]
    assert CurveView().smoother(100).weight == SMOOTHINGS[-1]


def test_hiding_and_solo_are_undone_by_the_same_key() -> None:
    view = CurveView()
    assert view.with_hidden(KEY).with_hidden(KEY) == view
    assert view.with_solo(KEY).solo == KEY
    assert view.with_solo(KEY).with_solo(KEY) == view


def test_the_summary_names_what_differs_from_the_default() -> None:
    view = CurveView(Axis.WALL, True, 2, (1.0, 2.0), Range.CUSTOM, (0.5, 3e-5 + 1), solo=KEY)
    assert view.summary == "wall time · log · smoothing 0.6 · y 0.5 to 1.00003 · zoomed · solo"
    assert CurveView().summary == "step"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 1.5", (0.0, 1.5)),
        (" -1e3, 2 ", (-1000.0, 2.0)),
        ("1 0", None),
        ("1 1", None),
        ("1", None),
        ("1 2 3", None),
        ("a b", None),
        ("nan 1", None),
        ("0 inf", None),
        ("", None),
    ],
)
def test_a_custom_range(text: str, expected: tuple[float, float] | None) -> None:
    assert parsed_range(text) == expected


@given(st.text(max_size=30))
def test_no_text_raises(text: str) -> None:
    found = parsed_range(text)
    assert found is None or (found[0] < found[1] and all(map(math.isfinite, found)))
