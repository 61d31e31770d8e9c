"""The default axes of the pictures, brushes, and saved choices."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.dimensions import dimension
from mldeck.charts.parallel import Brush, parallel
from mldeck.charts.picture import Picture, PictureCell
from mldeck.ui.compare.axes import (
    Dimensions,
    by_importance,
    columns_from_json,
    default_metric,
    informative_params,
    logs_from_json,
    logs_to_json,
    numbers_of_runs,
    parallel_axes,
)
from mldeck.ui.compare.brush import Brushing, brush_text, rows_of
from mldeck.ui.compare.parallel_drawing import ParallelOptions, draw_parallel
from mldeck.ui.kit.picture_view import changed_rows
from tests.ui.compare.compare_deck import data_of, record
from tests.ui.compare.pictures_deck import metric, param

LOSS, RATE, DEPTH, RARE = metric("loss"), param("rate"), param("depth"), param("rare")
SWEEP = data_of(
    *(
        record(
            number,
            {"loss": float(number), "flat": 1.0},
            {
                "rate": f"1e-{number}",
                "depth": str((number * 7) % 5),
                "model": "ab"[number % 2],
                "seed": "42",
                **({"rare": str(number)} if number < 3 else {}),
            },
        )
        for number in range(8)
    )
)


def test_the_metric_is_one_that_most_runs_have_and_that_differs() -> None:
    assert default_metric(SWEEP) == LOSS
    assert default_metric(data_of(record(1), record(2))) is None


def test_related_params_come_first_and_rare_ones_last() -> None:
    assert informative_params(SWEEP, LOSS)[0] == RATE
    assert informative_params(SWEEP, LOSS)[-1] == RARE
    assert set(informative_params(SWEEP, None)) == {RATE, DEPTH, RARE}


def test_axes_are_the_params_by_name_then_the_metric_as_many_as_fit() -> None:
    assert parallel_axes(SWEEP, LOSS, 12) == (DEPTH, RATE, LOSS)
    assert parallel_axes(SWEEP, LOSS, 2) == (RATE, LOSS)


def test_without_numeric_params_texts_and_other_metrics_are_axes() -> None:
    data = data_of(record(1, {"a": 1.0, "b": 2.0}, {"word": "x"}), record(2, {"a": 2.0, "b": 1.0}, {"word": "y"}))
    assert parallel_axes(data, metric("a"), 12) == (metric("b"), param("word"), *_duration(data), metric("a"))


def _duration(data: Any) -> tuple[Any, ...]:
    return tuple(column for column in data.axes if column.kind.value == "attributes")


def test_params_over_decades_are_logarithmic_unless_the_user_chose_otherwise() -> None:
    dimensions = Dimensions(SWEEP)
    assert dimensions.of(RATE).is_log
    assert not dimensions.of(RATE, False).is_log
    assert not dimensions.of(DEPTH).is_log
    assert dimensions.of(RATE) is dimensions.of(RATE)


def test_params_whose_names_look_the_same_are_kept_apart() -> None:
    keys = ("a\x1b", "a␛")
    data = data_of(*(record(each, {"m": float(each)}, {keys[0]: str(each), keys[1]: str(-each)}) for each in range(5)))
    found = by_importance(data, metric("m"))
    assert {column: importance.strength for column, importance in found} == {param(keys[0]): 1.0, param(keys[1]): -1.0}
    assert {importance.name for _, importance in found} == {"a␛"}


@given(
    st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists)
    | st.dictionaries(st.text(), st.text())
)
def test_no_saved_value_raises(written: Any) -> None:
    assert all(column.key for column in columns_from_json(written))
    assert all(isinstance(each, bool) for each in logs_from_json(written).values())


def test_choices_are_restored() -> None:
    assert columns_from_json(["params.rate", "metrics.loss", "params.rate"]) == (RATE, LOSS)
    assert logs_from_json(logs_to_json({RATE: True, LOSS: False})) == {RATE: True, LOSS: False}


def test_numbers_for_a_file_have_each_column_once() -> None:
    header, rows = numbers_of_runs(SWEEP, ["r3"], [RATE, None, LOSS, RATE])
    assert header == ["run_id", "run_name", "params.rate", "metrics.loss"]
    assert rows == [["r3", "run-3", "1e-3", 3.0]]


# -- brushes


def axis_of(values: list[float | None], height: int = 20) -> Any:
    runs = {str(number): 0 for number in range(len(values))}
    return parallel(runs, [dimension("x", values), dimension("y", values)], (60, height)).axes[0]


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=20),
    st.lists(st.integers(-30, 30), max_size=6),
    st.data(),
)
def test_a_brush_keeps_the_runs_between_its_ends(
    values: list[float | None], moves: list[int], draw: st.DataObject
) -> None:
    axis = axis_of(values)
    first = draw.draw(st.sampled_from(values))
    brushing = Brushing.at(axis, first, None)
    assert brushing.brush.holds(first)
    for rows in moves:
        brushing = brushing.moved(rows) if rows else brushing.turned()
    low, high = sorted((brushing.start, brushing.end))
    rows_between = rows_of(axis)[low : high + 1]
    for value in values:
        assert brushing.brush.holds(value) == (axis.row_of(value) in rows_between)
    assert brushing.turned().brush == brushing.brush


def test_a_brush_as_text() -> None:
    values = dimension("x", [1.0, 2.0, 3.0, math.nan])
    assert brush_text(values, Brush(1.5, math.inf)) == "x 2 to 3"
    assert brush_text(values, Brush(1.5, 2.5, True)) == "x 2 and NaN"
    assert brush_text(values, Brush(5, 6)) == "x nothing"
    assert brush_text(dimension("m", ["a", "b"]), Brush(-math.inf, 0.5)) == "m a"


# -- the drawing of parallel coordinates


def test_the_next_run_on_an_axis_is_the_next_by_value_among_those_kept() -> None:
    drawn = draw_parallel(Dimensions(SWEEP), ParallelOptions(axes=(LOSS, RATE), brushes={LOSS: Brush(2, 5)}), (100, 30))
    assert set(drawn.kept) == {"r2", "r3", "r4", "r5"}
    assert drawn.next_on(LOSS, "r3", 1) == "r2"
    assert drawn.next_on(LOSS, "r3", -1) == "r4"
    assert drawn.next_on(LOSS, "r2", 1) == "r2"
    assert drawn.next_on(LOSS, "r2", -99) == "r5"
    assert [drawn.next_on(LOSS, "r7", step) for step in (1, -1)] == ["r5", "r5"]
    assert [drawn.next_on(LOSS, "r0", step) for step in (1, -1)] == ["r2", "r2"]
    nothing = draw_parallel(
        Dimensions(SWEEP), ParallelOptions(axes=(LOSS, RATE), brushes={LOSS: Brush(9, 9)}), (100, 30)
    )
    assert nothing.next_on(LOSS, "r3", 1) == "r3"


def test_axes_out_of_sight_come_into_sight_with_the_cursor_and_keep_their_brushes() -> None:
    names = [f"p{number:02}" for number in range(10)]
    data = data_of(*(record(run, {"m": 1.0}, {name: str(run) for name in names}) for run in range(3)))
    axes = tuple(param(name) for name in names)
    brushes = {axes[0]: Brush(0, 1)}
    first = draw_parallel(Dimensions(data), ParallelOptions(axes=axes, brushes=brushes), (40, 20))
    assert first.shown == axes[:4]
    last = draw_parallel(Dimensions(data), ParallelOptions(axes=axes, brushes=brushes, cursor=axes[9]), (40, 20))
    assert last.shown == axes[6:]
    assert last.kept == first.kept == ("r0", "r1")
    assert last.axis(axes[0]) is None
    assert "6 axes do not fit" in last.picture.text


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (10, 4), (300, 100)])
def test_no_size_is_too_small_or_large(size: tuple[int, int]) -> None:
    drawn = draw_parallel(Dimensions(SWEEP), ParallelOptions(), size)
    assert (drawn.highlighted("r1").width, drawn.picture.height) == (size if all(size) else (0, size[1]))


# -- painting only what is different


def test_only_rows_that_differ_are_painted() -> None:
    before = Picture(tuple(tuple(PictureCell(each) for each in text) for text in ("abcdef", "ghijkl", "mnopqr")))
    after = Picture(tuple(tuple(PictureCell(each) for each in text) for text in ("abcdef", "ghXjkl", "mnopqX")))
    assert [(each.y, each.x, each.width) for each in changed_rows(before, after)] == [(1, 1, 3), (2, 4, 2)]
    assert not list(changed_rows(before, before))
