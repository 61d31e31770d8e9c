"""Whatever is looked at, the extremes are there, gaps stay gaps, and the work is bounded by the width."""

from __future__ import annotations

import math
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mldeck.charts.clean import cleaned
from mldeck.charts.curves import prepare
from mldeck.charts.decimate import AxisWindow, outline, part_of
from mldeck.charts.lines import ChartLine, ChartView, draw_lines
from mldeck.charts.picture import Picture, Role
from mldeck.charts.points import FinitePoints
from tests.charts.histories import curve_of

VALUES = st.one_of(st.integers(-5, 5).map(float), st.just(math.nan), st.floats(-1e308, 1e308))
MANY_VALUES = st.lists(VALUES, min_size=1, max_size=400)


def points_of(values: list[float], step: int = 1) -> FinitePoints:
    return cleaned(array("q", range(0, len(values) * step, step)), array("d", values))[0]


@given(MANY_VALUES, st.integers(1, 20), st.integers(0, 400), st.integers(1, 400))
def test_every_column_keeps_its_extremes(values: list[float], columns: int, start: int, length: int) -> None:
    points, window = points_of(values), AxisWindow(start, start + length)
    wanted: dict[int, list[float]] = {}
    for x, y in zip(points.xs, points.ys, strict=True):
        if window.low <= x <= window.high:
            wanted.setdefault(min(columns - 1, (x - start) * columns // length), []).append(y)
    found: dict[int, list[float]] = {}
    for stretch in outline(points, window, columns):
        for column, y in zip(stretch.columns, stretch.ys, strict=True):
            if 0 <= column <= columns:
                found.setdefault(min(columns - 1, int(column)), []).append(y)
    assert {column: (min(ys), max(ys)) for column, ys in found.items()} == {
        column: (min(ys), max(ys)) for column, ys in wanted.items()
    }


@given(MANY_VALUES, st.integers(1, 20))
def test_no_stretch_reaches_over_a_gap(values: list[float], columns: int) -> None:
    points, window = points_of(values), AxisWindow(0, max(1, len(values) - 1))
    is_missing = [math.isnan(value) for value in values]
    for stretch in outline(points, window, columns):
        first, last = stretch.columns[0], stretch.columns[-1]
        between = [index for index, missing in enumerate(is_missing) if missing]
        # Whole columns in between: where in its own column a stretch begins is not kept.
        places = [index / window.high * columns for index in between]
        assert not any(int(first) + 1 <= place < int(last) for place in places)


@given(MANY_VALUES, st.integers(1, 20))
def test_first_and_last_values_are_kept(values: list[float], columns: int) -> None:
    points = points_of(values)
    stretches = outline(points, AxisWindow(0, max(1, len(values) - 1)), columns)
    if points.ys:
        assert stretches[0].ys[0] == points.ys[0]
        assert stretches[-1].ys[-1] == points.ys[-1]


@given(st.integers(1, 50), st.integers(5_000, 6_000), st.sampled_from([1, 2, 7]))
def test_work_is_bounded_by_the_columns(columns: int, count: int, hole: int) -> None:
    values = [math.nan if index % hole == 1 else float(index % 10) for index in range(count)]
    stretches = outline(points_of(values), AxisWindow(0, count), columns)
    # Up to nine pieces of four values in a column that breaks eight times.
    assert sum(len(stretch.ys) for stretch in stretches) <= 36 * columns + 2


def test_neighbours_outside_lead_the_line_in_and_out() -> None:
    points = points_of([0.0, 10.0, 20.0, 30.0], step=10)
    (stretch,) = outline(points, AxisWindow(12, 18), 6)
    assert stretch.ys == [10.0, 20.0]
    assert stretch.columns == [-2.0, 8.0]


def test_a_gap_at_the_edge_lets_no_neighbour_in() -> None:
    points = points_of([0.0, math.nan, 20.0, 30.0], step=10)
    assert outline(points, AxisWindow(12, 18), 6) == []


@given(st.integers(-(2**62), 2**62), st.integers(1, 30), st.integers(1, 60))
def test_columns_are_exact_for_huge_steps(low: int, span: int, columns: int) -> None:
    starts = AxisWindow(low, low + span).starts(columns)
    for column, start in enumerate(starts):
        assert (start - low) * columns >= column * span
        assert (start - 1 - low) * columns < column * span


@given(MANY_VALUES, st.data())
def test_extremes_by_index(values: list[float], data: st.DataObject) -> None:
    points = points_of([0.0 if math.isnan(value) else value for value in values])
    first = data.draw(st.integers(0, len(values) - 1))
    last = data.draw(st.integers(first + 1, len(values)))
    assert points.extremes(first, last) == (min(points.ys[first:last]), max(points.ys[first:last]))


def lit(picture: Picture, column: int, row: int) -> bool:
    cell = picture.rows[row][column]
    return cell.ink.role is Role.SERIES and cell.text != " "


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 199_999), st.sampled_from([None, 0.3, 0.01]))
def test_a_spike_of_one_step_in_200_000_is_visible(step: int, width: float | None) -> None:
    values = array("d", bytes(8 * 200_000))
    values[step] = 1.0
    curve = prepare(array("q", range(200_000)), array("q", range(200_000)), values)
    window = None if width is None else (step - 200_000 * width, step + 100_000 * width)
    picture = draw_lines([ChartLine(curve)], ChartView(x=window, y=(-1, 1.5)), (80, 24))
    assert picture.plot is not None
    column, row = picture.plot.column_of(step), picture.plot.row_of(1.0)
    assert column is not None
    assert row is not None
    # A step on the border of two columns of dots may be in either.
    assert any(lit(picture, at, row) for at in (column - 1, column, column + 1))


def test_a_spike_is_not_hidden_by_a_line_above_it() -> None:
    spiky, flat = curve_of([0.0] * 50 + [1.0] + [0.0] * 49), curve_of([0.9] * 100)
    picture = draw_lines([ChartLine(spiky, colour=0), ChartLine(flat, colour=1)], ChartView(y=(-1, 1.05)), (60, 20))
    assert picture.plot is not None
    column, row = picture.plot.column_of(50), picture.plot.row_of(1.0)
    assert column is not None
    assert row is not None
    alone = draw_lines([ChartLine(flat, colour=1)], ChartView(y=(-1, 1.05)), (60, 20))
    assert picture.rows[row][column].text != alone.rows[row][column].text


@pytest.mark.parametrize("is_log", [False, True])
def test_part_of_a_window(is_log: bool) -> None:
    points = points_of([1.0, 2.0, 3.0, 4.0], step=10)
    shown = points.positive if is_log else points
    assert part_of(shown, AxisWindow(10, 20)) == (1, 3)
    assert part_of(shown, AxisWindow(11, 19)) == (2, 2)
    assert part_of(shown, AxisWindow(110, 120), origin=-100) == (1, 3)
