"""Drawing histories, and reading values off the picture. No screen."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.curves import Axis
from mldeck.charts.picture import Role
from mldeck.model import Column, History, Kind
from mldeck.ui.chart.drawing import CurveDrawing, Drawer, Series
from mldeck.ui.chart.view import CurveView, Range
from mldeck.ui.state.history_cache import SeriesKey

SIZE = (80, 20)


def series(name: str, values: list[float], *, colour: int = 0, group: str | None = None, start: int = 0) -> Series:
    history = History(
        name,
        "loss",
        array("q", range(len(values))),
        array("d", values),
        array("q", [start + 1_000 * index for index in range(len(values))]),
        point_count=len(values),
    )
    return Series(SeriesKey(name, "loss"), name, colour, history, group=group)


def draw(some: list[Series], view: CurveView | None = None) -> CurveDrawing:
    return Drawer().draw(some, view or CurveView(), SIZE, "nothing")


RAMP = [float(each) for each in range(100)]
HILL = [math.sin(each / 20) for each in range(100)]


def colours(drawing: CurveDrawing) -> set[int]:
    return {cell.ink.index for row in drawing.picture.rows for cell in row if cell.ink.role is Role.SERIES}


def test_each_run_has_its_colour_and_a_letter_at_its_end() -> None:
    drawing = draw([series("one", RAMP, colour=3), series("two", [99 - each for each in RAMP], colour=5)])
    assert colours(drawing) == {3, 5}
    assert [line.mark for line in drawing.lines] == ["a", "b"]
    ends = [row[-2:] for row in drawing.picture.rows]
    assert {cell.text for end in ends for cell in end} >= {"a", "b"}


def test_a_hidden_run_keeps_its_line_in_the_legend() -> None:
    some = [series("one", RAMP, colour=1), series("two", HILL, colour=2)]
    drawing = draw(some, CurveView().with_hidden(some[1].key))
    assert colours(drawing) == {1}
    assert [line.name for line in drawing.lines] == ["one", "two"]
    assert drawing.readings(50)[1] is None


def test_solo_draws_the_others_faint() -> None:
    some = [series("one", RAMP, colour=1), series("two", HILL, colour=2)]
    drawing = draw(some, CurveView().with_solo(some[0].key))
    inks = {cell.ink for row in drawing.picture.rows for cell in row if cell.ink.role is Role.SERIES}
    assert {ink.index for ink in inks if ink.is_strong} == {1}
    assert {ink.index for ink in inks if ink.is_faint} == {2}


def test_metrics_logged_once_are_bars() -> None:
    drawing = draw([series("one", [0.5]), series("two", [0.25]), series("three", [])])
    assert drawing.is_bars
    assert "0.25" in drawing.picture.text
    assert [line.name for line in drawing.lines] == ["one", "two", "three"]
    assert drawing.moved(None, 1) is None
    assert drawing.column_of(0.0) is None
    assert not draw([series("one", [0.5]), series("two", RAMP)]).is_bars


def test_a_history_being_read_has_a_line_without_points() -> None:
    unread = replace(series("two", []), history=None)
    drawing = draw([series("one", RAMP), unread])
    assert drawing.lines[1].curve.count == 0
    assert "nothing" in draw([unread]).picture.text
    assert "nothing" in draw([]).picture.text


def test_groups_are_bands() -> None:
    some = [series("one", RAMP, group="adam"), series("two", HILL, group="adam"), series("three", RAMP, group=None)]
    view = replace(CurveView(), group_by=Column(Kind.PARAM, "optimizer"))
    drawing = draw(some, view)
    assert [line.name for line in drawing.lines] == ["adam (2)", "– (1)"]
    assert drawing.keys == (None, None)
    reading = drawing.readings(40)[0]
    assert reading is not None
    assert reading.value == (RAMP[40] + HILL[40]) / 2


def test_relative_times_of_several_runs_begin_together() -> None:
    drawing = draw([series("one", RAMP, start=5_000), series("two", HILL, start=900_000)], CurveView(Axis.RELATIVE))
    assert drawing.full == (0, 99_000)


def test_the_crosshair_comes_in_from_the_edge_and_stays_in_sight() -> None:
    drawing = draw([series("one", RAMP)])
    plot = drawing.picture.plot
    assert plot is not None
    x = drawing.moved(None, -1)
    assert drawing.column_of(x) == plot.left + plot.width - 1
    x = drawing.moved(None, 1)
    assert drawing.column_of(x) == plot.left
    assert drawing.column_of(drawing.moved(x, -10)) == plot.left
    x = drawing.moved(x, 10)
    assert drawing.column_of(x) == plot.left + 10


def test_the_crosshair_jumps_over_columns_without_points() -> None:
    drawing = draw([series("one", [0.0, 1.0, 2.0])])
    x = drawing.moved(drawing.edge(-1), 1)
    reading = drawing.readings(x or 0.0)[0]
    assert reading is not None
    assert reading.step == 1


def test_every_column_can_be_reached_in_both_directions() -> None:
    drawing = draw([series("one", [float(each) for each in range(5_000)])])
    plot = drawing.picture.plot
    assert plot is not None
    x, columns = drawing.edge(-1), []
    for _ in range(plot.width - 1):
        x = drawing.moved(x, 1)
        columns.append(drawing.column_of(x))
    assert columns == list(range(plot.left + 1, plot.left + plot.width))


def test_a_curve_is_made_once_for_its_history() -> None:
    drawer, some = Drawer(), [series("one", RAMP)]
    first = drawer.draw(some, CurveView(), SIZE, "")
    nearer = drawer.draw(some, CurveView(window=(10.0, 20.0)), SIZE, "")
    assert nearer.lines[0].curve is first.lines[0].curve
    smooth = drawer.draw(some, CurveView(smoothing=3), SIZE, "")
    assert smooth.lines[0].curve.points is first.lines[0].curve.points, "the raw points are shared"
    grown = drawer.draw([series("one", [*RAMP, 5.0])], CurveView(), SIZE, "")
    assert grown.lines[0].curve.count == 101


@given(
    st.lists(st.lists(st.floats(), max_size=8), max_size=4),
    st.sampled_from(list(Axis)),
    st.booleans(),
    st.sampled_from(list(Range)),
    st.one_of(st.none(), st.tuples(st.floats(-1e20, 1e20), st.floats(1, 1e20))),
    st.tuples(st.integers(0, 60), st.integers(0, 20)),
)
def test_no_number_raises(
    values: list[list[float]],
    axis: Axis,
    is_log: bool,
    y_range: Range,
    window: tuple[float, float] | None,
    size: tuple[int, int],
) -> None:
    some = [series(str(index), each) for index, each in enumerate(values)]
    part = None if window is None else (window[0], window[0] + window[1])
    view = CurveView(axis, is_log, 2, part, y_range, (-1.0, 1.0))
    drawing = Drawer().draw(some, view, size, "nothing")
    assert drawing.picture.width == size[0] or not drawing.picture.rows
    x = drawing.moved(None, 1)
    assert x is None or drawing.column_of(drawing.moved(x, 10)) is not None
