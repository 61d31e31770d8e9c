"""What was logged, in order and finite; what is missing, marked."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace

from hypothesis import given

from mldeck.charts.clean import ABOVE, BELOW, NAN, cleaned, in_order
from mldeck.charts.curves import Axis, prepare
from mldeck.charts.lines import (
    NO_POINTS,
    NOTHING_FINITE,
    NOTHING_HERE,
    NOTHING_POSITIVE,
    ChartLine,
    ChartView,
    draw_lines,
)
from mldeck.charts.picture import Ink, Picture, Role
from tests.charts.histories import curve_of, histories


@given(histories())
def test_points_come_in_order_and_finite(history: tuple[array[int], array[int], array[float]]) -> None:
    steps, times, values = history
    curve = prepare(steps, times, values)
    assert list(curve.steps) == sorted(steps)
    assert sorted(zip(steps, times, map(repr, values), strict=True)) == sorted(
        zip(curve.steps, curve.timestamps, map(repr, curve.values), strict=True)
    )
    assert list(curve.points.ys) == [value for value in curve.values if math.isfinite(value)]
    assert curve.missing == sum(not math.isfinite(value) for value in values)
    starts = [
        index
        for index, value in enumerate(curve.values)
        if not math.isfinite(value) and (index == 0 or math.isfinite(curve.values[index - 1]))
    ]
    assert sum(len(gaps.xs) for gaps in curve.gaps) == len(starts)


def test_what_is_in_order_is_not_copied() -> None:
    steps, times, values = array("q", [1, 1, 2]), array("q", [5, 6, 7]), array("d", [0.5, 0.4, 0.3])
    curve = prepare(steps, times, values)
    assert curve.steps is steps
    assert curve.points.ys is values
    assert prepare(steps, times, values, Axis.WALL).points.xs is times


def test_points_of_one_step_stay_as_they_were_logged() -> None:
    ordered = in_order(array("q", [2, 1, 1, 1]), array("d", [9.0, 3.0, 1.0, 2.0]))
    assert list(ordered[1]) == [3.0, 1.0, 2.0, 9.0]


def test_a_gap_is_marked_where_it_begins() -> None:
    values = array("d", [1.0, math.nan, math.inf, 2.0, math.inf, 3.0, -math.inf])
    points, gaps = cleaned(array("q", range(7)), values)
    assert {each.sign: list(each.xs) for each in gaps} == {NAN: [1], ABOVE: [4], BELOW: [6]}
    assert list(points.breaks) == [1, 2, 3]
    assert not points.is_joined(1)


def test_marks_stand_where_the_line_left_off_or_at_the_edge_and_on_no_point() -> None:
    values = [1.0] * 20 + [math.nan] * 9 + [2.0] * 20 + [math.inf] * 9 + [2.0] * 20 + [-math.inf] * 9 + [1.0] * 20
    curve = curve_of(values)
    picture, bare = (
        draw_lines([ChartLine(curve)], ChartView(), (80, 20)),
        draw_lines([ChartLine(replace(curve, gaps=()))], ChartView(), (80, 20)),
    )
    plot = picture.plot
    assert plot is not None
    wanted = {20: (NAN, plot.row_of(1.0)), 49: (ABOVE, plot.top), 78: (BELOW, plot.top + plot.height - 1)}
    for step, (sign, row) in wanted.items():
        column = plot.column_of(step)
        assert column is not None
        assert row is not None
        is_free = bare.rows[row][column].ink.role is not Role.SERIES
        marks = [y for y in range(picture.height) if picture.rows[y][column] == (sign, Ink(Role.WARNING))]
        assert marks == [row] if is_free else [abs(y - row) for y in marks] == [1]
    assert series_cells(picture) == series_cells(bare)


def test_a_point_at_the_very_step_of_a_gap_stays_in_sight() -> None:
    steps, values = array("q", [0, 5, 5, 10]), array("d", [1.0, 4.0, math.nan, 2.0])
    curve = prepare(steps, array("q", range(4)), values)
    picture, bare = (
        draw_lines([ChartLine(curve)], ChartView(), (40, 12)),
        draw_lines([ChartLine(replace(curve, gaps=()))], ChartView(), (40, 12)),
    )
    assert NAN in picture.text
    assert series_cells(picture) == series_cells(bare)


def test_in_a_column_full_of_points_the_middle_one_gives_way() -> None:
    values = [0.0, 1.0] * 2_000 + [math.nan] + [0.0, 1.0] * 2_000
    picture = draw_lines([ChartLine(curve_of(values))], ChartView(), (40, 12))
    plot = picture.plot
    assert plot is not None
    assert [y for y, row in enumerate(picture.rows) if any(cell.text == NAN for cell in row)] == [
        plot.top + plot.height // 2
    ]


def series_cells(picture: Picture) -> set[tuple[int, int]]:
    return {(x, y) for y, row in enumerate(picture.rows) for x, cell in enumerate(row) if cell.ink.role is Role.SERIES}


def test_a_gap_is_not_bridged() -> None:
    values = [0.0] * 20 + [math.nan] * 20 + [1.0] * 20
    picture = draw_lines([ChartLine(curve_of(values))], ChartView(), (70, 20))
    plot = picture.plot
    assert plot is not None
    first, last = plot.column_of(21), plot.column_of(38)
    assert first is not None
    assert last is not None
    for row in range(plot.top, plot.top + plot.height):
        assert all(cell.ink.role is not Role.SERIES for cell in picture.rows[row][first:last])


def test_a_single_point_is_a_dot() -> None:
    picture = draw_lines([ChartLine(curve_of([0.5], first_step=-7))], ChartView(), (60, 14))
    assert picture.text.count("•") == 1


def test_nothing_to_draw_is_said() -> None:
    def text(values: list[float], view: ChartView) -> str:
        return draw_lines([ChartLine(curve_of(values))], view, (60, 10)).text

    assert draw_lines([], ChartView(), (60, 10)).text.strip() == NO_POINTS
    assert NO_POINTS in text([], ChartView())
    assert NOTHING_FINITE in text([math.nan, math.inf], ChartView())
    assert NOTHING_POSITIVE in text([-1.0, 0.0], ChartView(is_log=True))
    assert NOTHING_HERE in text([1.0, math.nan, math.nan, math.nan, 2.0], ChartView(x=(2, 3)))


def test_a_log_axis_says_what_it_leaves_out() -> None:
    picture = draw_lines([ChartLine(curve_of([1.0, -1.0, 0.0, 2.0]))], ChartView(is_log=True), (60, 12), title="loss")
    assert "log, 2 values ≤ 0 left out" in picture.text


@given(histories())
def test_only_positive_values_stay_on_a_log_axis(history: tuple[array[int], array[int], array[float]]) -> None:
    curve = prepare(*history)
    positive = curve.points.positive
    is_shown = [math.isfinite(value) and value > 0 for value in curve.values]
    assert list(positive.ys) == [value for value, shown in zip(curve.values, is_shown, strict=True) if shown]
    places = [index for index, shown in enumerate(is_shown) if shown]
    for position in range(1, len(places)):
        assert positive.is_joined(position) == (places[position] == places[position - 1] + 1)
