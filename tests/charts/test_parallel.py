"""Runs as lines across axes: all of them drawn, brushes exact, the run under the cursor readable."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.dimensions import Dimension, dimension
from mldeck.charts.parallel import MAX_AXES, Brush, DrawnAxis, most_axes, parallel
from mldeck.charts.picture import Ink, Picture, Role
from tests.charts.sweep import HOSTILE_SIZES, SIZES, Sweep, check, check_shape, dimensions

SWEPT = ["learning_rate", "max_depth", "min_child_weight", "reg_alpha", "reg_lambda"]


def sweep_axes(sweep: Sweep) -> list[Dimension]:
    return [*(sweep.param(key, is_log=key != "max_depth") for key in SWEPT), sweep.metric("rmse")]


def braille(picture: Picture) -> list[tuple[int, int, Ink]]:
    return [
        (column, row, cell.ink)
        for row, cells in enumerate(picture.rows)
        for column, cell in enumerate(cells)
        if "\u2800" < cell.text <= "\u28ff"
    ]


def number_axes(*columns: list[float]) -> list[Dimension]:
    return [dimension(f"p{index}", values) for index, values in enumerate(columns)]


def test_a_line_goes_from_value_to_value() -> None:
    found = parallel({"up": 3}, number_axes([0.0], [1.0]), (30, 12))
    assert {ink for *_, ink in braille(found.picture)} == {Ink(Role.SERIES, 3)}
    assert [axis.column for axis in found.axes] == [0, 15]
    columns = {column for column, *_ in braille(found.picture)}
    assert columns >= set(range(3, 15))
    assert max(columns) == 14


def test_every_run_is_coloured_by_its_value() -> None:
    axes = number_axes([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])
    found = parallel({"a": 0, "b": 1, "c": 2}, axes, (40, 20), colour_by=dimension("m", [5.0, math.nan, 6.0]))
    assert {ink for *_, ink in braille(found.picture)} == {Ink(Role.SCALE, 0), Ink(Role.AXIS), Ink(Role.SCALE, 11)}
    assert "m 5 ████████████ 6" in found.picture.text


def test_runs_outside_a_brush_stand_back_and_are_dotted() -> None:
    axes = number_axes([0.0, 10.0], [0.0, 10.0])
    plain = parallel({"a": 0, "b": 1}, axes, (40, 20))
    found = parallel({"a": 0, "b": 1}, axes, (40, 20), brushes=[None, Brush(5, 10)])
    assert found.selected == ("b",)
    faint, full = ({ink for *_, ink in braille(found.picture) if ink.is_faint is each} for each in (True, False))
    assert (faint, full) == ({Ink(Role.SERIES, 0, is_faint=True)}, {Ink(Role.SERIES, 1)})
    assert dots(found.picture, 0) < dots(plain.picture, 0) / 2
    assert dots(found.picture, 1) == dots(plain.picture, 1)
    assert "1 of 2 runs" in found.picture.text
    assert "┃" in found.picture.text


def dots(picture: Picture, colour: int) -> int:
    return sum(
        (ord(picture.rows[row][column].text) - 0x2800).bit_count()
        for column, row, ink in braille(picture)
        if ink.index == colour
    )


def test_what_a_brush_keeps_hides_what_it_does_not() -> None:
    axes = number_axes([0.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    found = parallel({"kept": 0, "not": 1, "other": 2}, axes, (40, 20), brushes=[Brush(0, 0)])
    assert found.selected == ("kept", "not")
    found = parallel(
        {"x": 0, "y": 1}, number_axes([0.0, 0.0], [1.0, 1.0], [1.0, 2.0]), (40, 20), brushes=[None, None, Brush(2, 2)]
    )
    first_gap = [ink for column, _, ink in braille(found.picture) if column < found.axes[1].column]
    assert {ink.index for ink in first_gap} == {1}


@pytest.mark.parametrize("values", [["a", "b", None, "c"], [1.0, None, math.nan, math.inf], ["1", "2", "None", "nan"]])
def test_runs_without_a_value_are_drawn_to_the_foot(values: list[float | str | None]) -> None:
    axes = [dimension("first", values), dimension("m", [1.0, 2.0, 3.0, 4.0])]
    found = parallel({str(run): run for run in range(4)}, axes, (40, 20))
    foot = found.axes[0].foot
    missing = {str(run) for run in range(4) if axes[0].places[run] is None}
    assert {run for run in map(str, range(4)) if found.highlighted(run).rows[foot][0].text == "●"} == missing
    assert {str(ink.index) for _, row, ink in braille(found.picture) if row >= foot - 1} <= missing
    assert found.picture.rows[foot][0].text == "×"
    kept = parallel({str(run): run for run in range(4)}, axes, (40, 20), brushes=[found.axes[0].brush(foot, foot)])
    assert set(kept.selected) == missing


def test_the_run_under_the_cursor_is_on_top_with_its_values(sweep: Sweep) -> None:
    axes = sweep_axes(sweep)
    found = parallel(sweep.runs, axes, (120, 35), colour_by=axes[-1])
    run = sweep.names.index("beautiful-skink-165")
    picture = found.highlighted("beautiful-skink-165")
    check_shape(picture, (120, 35))
    for axis in found.axes:
        row = axis.row_of(axis.dimension.places[run])
        assert picture.rows[row][axis.column].text == "●"
        assert axis.dimension.texts[run] in "".join(cell.text for cell in picture.rows[row])
    assert any(ink.is_strong for *_, ink in braille(picture))
    assert not any(ink.is_strong for *_, ink in braille(found.picture))
    assert found.highlighted("no such run") is found.picture


def test_axes_that_do_not_fit_are_counted() -> None:
    axes = number_axes(*[[1.0, 2.0]] * 20)
    found = parallel({"a": 0, "b": 1}, axes, (60, 14))
    assert len(found.axes) == most_axes(60) == 6
    assert "14 axes do not fit" in found.picture.text
    assert most_axes(1_000) == MAX_AXES


@pytest.mark.parametrize(
    ("runs", "axes", "size", "said"),
    [
        ({"a": 0}, [], (40, 10), "choose params and metrics as axes"),
        ({"a": 0}, number_axes([1.0], [1.0]), (15, 10), "too small"),
        ({"a": 0}, number_axes([1.0], [1.0]), (40, 6), "too small"),
        ({}, number_axes([], []), (40, 10), "no runs"),
    ],
)
def test_what_cannot_be_drawn_says_so(
    runs: dict[str, int], axes: list[Dimension], size: tuple[int, int], said: str
) -> None:
    found = parallel(runs, axes, size)
    assert said in found.picture.text
    assert found.axes == ()


@st.composite
def charts(draw: st.DrawFn) -> tuple[int, list[Dimension]]:
    count = draw(st.integers(0, 12))
    return count, draw(st.lists(dimensions(count), max_size=8))


def test_a_value_beside_a_wide_label_keeps_the_width() -> None:
    axes = [
        dimension("", [None] * 11, is_log=False),
        dimension("", [*[None] * 6, 0.0, 1.0, 2.0, "", "0☰☰"], is_log=False),
    ]
    found = parallel({str(run): 0 for run in range(11)}, axes, (20, 8))
    for run in range(11):
        check_shape(found.highlighted(str(run)), (20, 8))


@given(charts(), HOSTILE_SIZES, st.data())
def test_any_numbers_make_a_picture_of_that_size(
    chart: tuple[int, list[Dimension]], size: tuple[int, int], data: st.DataObject
) -> None:
    count, axes = chart
    runs = {str(run): run % 8 for run in range(count)}
    ends = st.floats(allow_nan=False)
    brushes = data.draw(st.lists(st.none() | st.builds(Brush, ends, ends, st.booleans()), max_size=8))
    found = parallel(runs, axes, size, brushes=brushes, colour_by=axes[0] if axes else None)
    check_shape(found.picture, size)
    for run_id in runs:
        check_shape(found.highlighted(run_id), size)


@given(st.integers(1, 30).flatmap(dimensions), st.integers(3, 20), st.integers(0, 25), st.integers(0, 25))
def test_a_brush_keeps_exactly_the_runs_in_its_rows(axis: Dimension, height: int, row: int, other: int) -> None:
    place = DrawnAxis(axis, 0, 2, height)
    brush = place.brush(row, other)
    low, high = sorted((row, other))
    for value in axis.places:
        assert brush.holds(value) == (low <= place.row_of(value) <= high)


def test_thousands_of_runs_are_drawn() -> None:
    axes = number_axes(*[[float(run * step % 5_003) for run in range(5_000)] for step in (1, 7, 11)])
    found = parallel({str(run): run % 8 for run in range(5_000)}, axes, (100, 28))
    check_shape(found.highlighted("4999"), (100, 28))


@pytest.mark.parametrize("size", SIZES)
def test_pictures(sweep: Sweep, project: Sweep, size: tuple[int, int]) -> None:
    axes = sweep_axes(sweep)
    name = f"{size[0]}x{size[1]}"
    found = parallel(sweep.runs, axes, size, colour_by=axes[-1])
    check_shape(found.picture, size)
    check(f"parallel-{name}", found.picture)
    best = parallel(sweep.runs, axes, size, colour_by=axes[-1], brushes=[None] * 5 + [Brush(0, 3.31)])
    check(f"parallel-brushed-{name}", best.highlighted("beautiful-skink-165"))
    mixed = [
        project.param("objective"),
        project.param("alpha", is_log=True),
        project.param("max_depth"),
        project.metric("rmse"),
    ]
    check(f"parallel-mixed-{name}", parallel(project.runs, mixed, size).highlighted("crashed"))
