"""Runs as dots: each in its place, none lost, every one within reach of the keys."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.dimensions import Dimension, dimension
from mldeck.charts.picture import Ink, Role
from mldeck.charts.scatter import DOT, MANY, scatter
from mldeck.charts.spots import Direction, Spot, Spots
from tests.charts.sweep import HOSTILE_SIZES, SIZES, Sweep, check, check_shape, dimensions


def runs(count: int) -> dict[str, int]:
    return {str(run): run % 8 for run in range(count)}


def test_dots_stand_at_their_values() -> None:
    x, y = dimension("x", [0.0, 10.0, 5.0]), dimension("y", [0.0, 1.0, 0.5])
    found = scatter(runs(3), x, y, (60, 20))
    plot = found.picture.plot
    assert plot is not None
    for run in range(3):
        spot = found.spots.spot_of(str(run))
        assert spot == (plot.column_of(x.numbers[run]), plot.row_of(y.numbers[run]))
        assert spot is not None
        assert found.picture.rows[spot.row][spot.column] == (DOT, Ink(Role.SERIES, run))


def test_a_third_dimension_colours_the_dots() -> None:
    axis = dimension("x", [0.0, 1.0, 2.0])
    found = scatter(runs(3), axis, axis, (60, 20), colour_by=dimension("m", [1.0, None, 3.0]))
    inks = [found.picture.rows[spot.row][spot.column].ink for spot in found.spots.by_run.values()]
    assert inks == [Ink(Role.SCALE, 0), Ink(Role.AXIS), Ink(Role.SCALE, 11)]
    assert "m 1 ████████████ 3" in found.picture.text


@pytest.mark.parametrize(("count", "text"), [(1, DOT), (2, "2"), (9, "9"), (10, MANY)])
def test_runs_in_one_place_are_counted(count: int, text: str) -> None:
    x = dimension("x", [0.0] * count + [1.0])
    found = scatter(runs(count + 1), x, x, (40, 12))
    spot = found.spots.by_run["0"]
    assert found.picture.rows[spot.row][spot.column].text == text
    assert found.spots.at(*spot) == tuple(map(str, range(count)))
    assert ("digits: overlap" in found.picture.text) == (count > 1)


def test_runs_without_a_value_stand_outside_the_frame() -> None:
    found = scatter(
        runs(4), dimension("x", [None, 1.0, 2.0, None]), dimension("y", [1.0, math.nan, 2.0, None]), (40, 12)
    )
    plot = found.picture.plot
    assert plot is not None
    spots = found.spots.by_run
    assert spots["0"].column < plot.left <= spots["2"].column
    assert spots["1"].row > plot.top + plot.height > spots["2"].row
    assert (spots["3"].column, spots["3"].row) == (spots["0"].column, spots["1"].row)
    assert all(found.picture.rows[spot.row][spot.column].text == DOT for spot in spots.values())


def test_the_run_under_the_cursor_stands_out(sweep: Sweep) -> None:
    found = scatter(sweep.runs, sweep.param("learning_rate", is_log=True), sweep.metric("rmse"), (100, 28))
    picture = found.highlighted("able-crow-307")
    spot = found.spots.by_run["able-crow-307"]
    cell = picture.rows[spot.row][spot.column]
    assert (cell.text, cell.ink.is_strong) == ("◆", True)
    assert "".join(row[spot.column].text for row in picture.rows).count("▲") == 1
    assert "".join(cell.text for cell in picture.rows[spot.row]).count("▶") == 1
    assert picture.plot == found.picture.plot
    assert found.highlighted("no such run") is found.picture


SPOTS = st.lists(st.builds(Spot, st.integers(0, 30), st.integers(0, 12)), max_size=25).map(
    lambda spots: Spots({str(run): spot for run, spot in enumerate(spots)})
)


def test_neighbours_are_straight_ahead() -> None:
    spots = Spots({"a": Spot(10, 10), "right": Spot(18, 11), "near but above": Spot(12, 5), "below": Spot(10, 14)})
    assert spots.neighbour("a", Direction.RIGHT) == "right"
    assert spots.neighbour("a", Direction.UP) == "near but above"
    assert spots.neighbour("a", Direction.DOWN) == "below"
    assert spots.neighbour("a", Direction.LEFT) == "a"


@given(SPOTS.filter(lambda spots: bool(spots.by_run)), st.sampled_from(Direction))
def test_going_on_leads_to_the_edge(spots: Spots, direction: Direction) -> None:
    run_id = "0"
    across, down = direction.value
    for _ in spots.by_run:
        before, run_id = spots.by_run[run_id], spots.neighbour(run_id, direction)
        after = spots.by_run[run_id]
        assert after == before or (after.column - before.column) * across + (after.row - before.row) * down > 0
    last = spots.by_run[run_id]
    assert all(
        (spot.column - last.column) * across + (spot.row - last.row) * down <= 0 for spot in spots.by_run.values()
    )


@given(SPOTS)
def test_the_next_run_and_the_next_reach_all(spots: Spots) -> None:
    run_id, seen = "0", set()
    for _ in spots.by_run:
        seen.add(run_id)
        assert spots.next(spots.next(run_id), -1) == run_id
        run_id = spots.next(run_id)
    assert seen == set(spots.by_run)
    assert run_id == "0"


@given(SPOTS, st.integers(0, 30), st.integers(0, 12))
def test_the_nearest_run_is_near(spots: Spots, column: int, row: int) -> None:
    found = spots.nearest(column, row)
    assert (found is None) == (not spots.by_run)
    if spots.at(column, row):
        assert found in spots.at(column, row)


def test_unknown_runs_lead_to_known_ones() -> None:
    spots = Spots({"a": Spot(1, 1)})
    assert spots.neighbour("gone", Direction.UP) == spots.next("gone") == "a"
    assert Spots({}).next("gone") == Spots({}).neighbour("gone", Direction.UP) == "gone"


@st.composite
def charts(draw: st.DrawFn) -> tuple[int, Dimension, Dimension, Dimension]:
    count = draw(st.integers(0, 12))
    return count, draw(dimensions(count)), draw(dimensions(count)), draw(dimensions(count))


@given(charts(), HOSTILE_SIZES)
def test_any_numbers_make_a_picture_of_that_size(
    chart: tuple[int, Dimension, Dimension, Dimension], size: tuple[int, int]
) -> None:
    count, x, y, colour_by = chart
    found = scatter(runs(count), x, y, size, colour_by=colour_by)
    check_shape(found.picture, size)
    if found.picture.plot is not None:
        assert set(found.spots.by_run) == set(runs(count))
    for run_id, spot in found.spots.by_run.items():
        assert 0 <= spot.column < size[0]
        assert 0 <= spot.row < size[1]
        check_shape(found.highlighted(run_id), size)


@pytest.mark.parametrize(
    ("count", "size", "said"), [(0, (40, 12), "no runs"), (1, (9, 12), "too"), (1, (40, 5), "too small")]
)
def test_what_cannot_be_drawn_says_so(count: int, size: tuple[int, int], said: str) -> None:
    axis = dimension("x", [1.0] * count)
    assert said in scatter(runs(count), axis, axis, size).picture.text


def test_thousands_of_runs_are_drawn() -> None:
    x, y = (dimension("p", [float(run * step % 5_003) for run in range(5_000)]) for step in (1, 7))
    found = scatter(runs(5_000), x, y, (100, 28))
    assert sum(len(found.spots.at(*spot)) for spot in found.spots.by_spot) == 5_000


@pytest.mark.parametrize("size", SIZES)
def test_pictures(sweep: Sweep, project: Sweep, size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    rate, rmse = sweep.param("learning_rate", is_log=True), sweep.metric("rmse")
    found = scatter(sweep.runs, rate, rmse, size, colour_by=sweep.param("max_depth"))
    check(f"scatter-{name}", found.highlighted("able-crow-307"))
    alpha, all_rmse = project.param("alpha", is_log=True), project.metric("rmse")
    check(f"scatter-mixed-{name}", scatter(project.runs, alpha, all_rmse, size).highlighted("crashed"))
    words = project.param("objective")
    check(f"scatter-words-{name}", scatter(project.runs, words, all_rmse, size).picture)
