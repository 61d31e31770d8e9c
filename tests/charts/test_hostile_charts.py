"""No number ends a chart: whatever is logged and however it is looked at, a picture of the asked size comes out."""

from __future__ import annotations

import math

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mldeck.charts.ansi import Depth, to_ansi
from mldeck.charts.bands import band, draw_bands
from mldeck.charts.bars import Bar, draw_bars
from mldeck.charts.curves import Axis, Curve
from mldeck.charts.legend import legend_rows
from mldeck.charts.lines import ChartLine, ChartView, draw_lines, draw_small
from mldeck.charts.picture import Picture
from mldeck.charts.readout import step_neighbour, values_at
from mldeck.charts.svg import to_svg
from mldeck.charts.window import full_window, panned, zoomed
from mldeck.format import cell_width
from tests.charts.histories import NUMBERS, curves

MANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SIZES = st.tuples(st.integers(0, 70), st.integers(0, 20))
LIMITS = st.none() | st.tuples(NUMBERS, NUMBERS)
VIEWS = st.builds(ChartView, x=LIMITS, y=LIMITS, is_without_outliers=st.booleans(), is_log=st.booleans())
TEXTS = st.sampled_from(["", "loss", "[/x]", "日本語のとても長い名前", "a\x1b[31m\nb"])
SAME_AXIS = st.sampled_from(Axis).flatmap(lambda axis: st.lists(curves(20, axis), max_size=3))


def check(picture: Picture, size: tuple[int, int]) -> None:
    width, height = size
    assert len(picture.rows) == height
    assert all(len(row) == width for row in picture.rows)
    assert all(sum(cell_width(cell.text) for cell in row) == width for row in picture.rows)
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in picture.text.replace("\n", ""))
    if picture.plot is not None:
        plot = picture.plot
        assert plot.left >= 0
        assert plot.left + plot.width <= width
        assert plot.top + plot.height <= height
        assert plot.x.low < plot.x.high
        assert plot.y.low < plot.y.high
        for column in range(plot.left, plot.left + plot.width):
            assert math.isfinite(plot.x_at(column))


@MANY
@given(SAME_AXIS, VIEWS, SIZES, TEXTS)
def test_lines(curves_: list[Curve], view: ChartView, size: tuple[int, int], text: str) -> None:
    lines = [
        ChartLine(curve, text, number, "ab·"[number], is_faint=number == 1, is_strong=number == 2)
        for number, curve in enumerate(curves_)
    ]
    picture = draw_lines(lines, view, size, title=text)
    check(picture, size)
    check(draw_small(lines, size, title=text, is_log=view.is_log), size)
    check(Picture(legend_rows(lines, size[0])), (size[0], len(lines)))
    for depth in Depth:
        assert to_ansi(picture, depth=depth).count("\n") == max(0, size[1] - 1)
    assert to_svg(picture, title=text).endswith("</svg>\n")


@MANY
@given(SAME_AXIS, VIEWS, SIZES)
def test_bands(curves_: list[Curve], view: ChartView, size: tuple[int, int]) -> None:
    check(draw_bands([band(curves_, "one", mark="a"), band(curves_[:1])], view, size, title="loss"), size)


@MANY
@given(st.lists(st.builds(Bar, TEXTS, st.none() | NUMBERS), max_size=9), SIZES, st.booleans())
def test_bars(bars: list[Bar], size: tuple[int, int], is_log: bool) -> None:
    check(draw_bars(bars, size, title="rmse", is_log=is_log), size)


@MANY
@given(SAME_AXIS, NUMBERS, NUMBERS, st.floats(0.01, 100), st.floats(-2, 2))
def test_moving_about(curves_: list[Curve], x: float, around: float, factor: float, share: float) -> None:
    lines = [ChartLine(curve) for curve in curves_]
    assert len(values_at(lines, x)) == len(lines)
    step_neighbour(lines, x, 1)
    window = full_window(curves_)
    if window is not None:
        for _ in range(5):
            window = panned(zoomed(window, around, factor), share)
            assert math.isfinite(window.low)
            assert window.low < window.high
            check(draw_lines(lines, ChartView(x=window), (40, 12)), (40, 12))
