"""A metric over two params: shades where trials are near, words where there is nothing to draw."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.contour import REACH, contour
from mldeck.charts.dimensions import Dimension, dimension
from mldeck.charts.picture import Picture, Role
from mldeck.charts.scatter import DOT
from tests.charts.sweep import HOSTILE_SIZES, SIZES, Sweep, check, check_shape, dimensions


def runs(count: int) -> list[str]:
    return [str(run) for run in range(count)]


def hill(count: int = 60) -> tuple[Dimension, Dimension, Dimension]:
    """A metric that rises with the first param only."""
    chance = random.Random(5)
    places = [
        (0.0, 0.0),
        (1.0, 0.0),
        (0.0, 1.0),
        (1.0, 1.0),
        *((chance.random(), chance.random()) for _ in range(count)),
    ]
    return (
        dimension("x", [x for x, _ in places]),
        dimension("y", [y for _, y in places]),
        dimension("m", [x for x, _ in places]),
    )


def shaded(picture: Picture) -> dict[tuple[int, int], int]:
    plot = picture.plot
    assert plot is not None
    return {
        (column, row): cell.ink.index
        for row, cells in enumerate(picture.rows)
        for column, cell in enumerate(cells)
        if cell.ink.role is Role.SCALE and plot.left <= column < plot.left + plot.width
    }


def test_colours_and_shades_follow_the_metric() -> None:
    x, y, m = hill()
    found = contour(runs(64), x, y, m, (80, 24))
    plot = found.picture.plot
    assert plot is not None
    cells = shaded(found.picture)
    assert len(cells) > plot.width * plot.height * 0.8
    for (column, row), step in cells.items():
        assert step in {int(plot.x_at(column) * 12 + rounding) for rounding in (-1e-6, 1e-6)}
        assert found.picture.rows[row][column].text == "░░░▒▒▒▓▓▓███"[step]


def test_trials_are_drawn_on_the_field() -> None:
    x, y, m = hill()
    found = contour(runs(64), x, y, m, (80, 24))
    assert all(
        found.picture.rows[spot.row][spot.column].text in (DOT, "2", "3") for spot in found.spots.by_run.values()
    )
    spot = found.spots.by_run["7"]
    assert found.highlighted("7").rows[spot.row][spot.column].text == "◆"
    assert found.highlighted("no such run") is found.picture


def test_the_scale_says_which_shade_is_which_value() -> None:
    x, y, m = hill()
    picture = contour(runs(64), x, y, m, (80, 24)).picture
    assert picture.plot is not None
    beside = picture.plot.left + picture.plot.width
    scale = ["".join(cell.text for cell in row[beside:]).split() for row in picture.rows[1:13]]
    assert [shades for shades, _ in scale] == [shade * 2 for shade in "███▓▓▓▒▒▒░░░"]
    values = [float(value) for _, value in scale]
    assert (values[0], values[-1]) == (1, 0)
    assert values == sorted(values, reverse=True)


def test_far_from_every_trial_nothing_is_drawn() -> None:
    corners = (
        dimension("x", [0.0, 1.0, 0.0, 1.0]),
        dimension("y", [0.0, 0.0, 1.0, 1.0]),
        dimension("m", [1.0, 2.0, 3.0, 4.0]),
    )
    picture = contour(runs(4), *corners, (80, 24)).picture
    plot = picture.plot
    assert plot is not None
    for column, row in shaded(picture):
        place = plot.x_at(column), plot.y.value(1 - (row - plot.top + 0.5) / plot.height)
        assert min(math.dist(place, corner) for corner in ((0, 0), (1, 0), (0, 1), (1, 1))) <= REACH
    assert shaded(picture)


def test_runs_that_lack_a_value_are_counted(project: Sweep) -> None:
    depth, rate = project.param("max_depth"), project.param("learning_rate", is_log=True)
    found = contour(project.names, depth, rate, project.metric("rmse"), (100, 28))
    assert set(found.spots.by_run) < set(project.names)
    assert "30 trials · 15 runs lack one of the values" in found.picture.text


def columns(*values: list[float | str | None]) -> list[Dimension]:
    return [dimension(name, column) for name, column in zip("xym", values, strict=True)]


@pytest.mark.parametrize(
    ("axes", "problem"),
    [
        (columns([], [], []), "0 of 0 runs"),
        (
            columns([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], [1.0, 2.0, 3.0]),
            "3 of 3 runs have x, y and m, at 3 different points",
        ),
        (columns([1.0] * 9, [1.0] * 9, [1.0] * 9), "9 of 9 runs have x, y and m, at 1 different points"),
        (columns([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0], [1.0] * 4), "all 4 trials lie on one line"),
        (columns([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.01], [1.0] * 4), "all 4 trials lie on one line, or nearly"),
        (columns([1.0, 2.0, 3.0, 4.0], [2.0] * 4, [1.0] * 4), "all 4 trials lie on one line"),
        (columns(["a", "b", "c", "d"], [2.0] * 4, [1.0] * 4), "x is text"),
        (columns([1.0, 2.0, 3.0, None], [1.0, 3.0, 2.0, 4.0], [1.0, 2.0, math.nan, 3.0]), "2 of 4 runs"),
    ],
)
def test_what_cannot_be_drawn_says_so(axes: list[Dimension], problem: str) -> None:
    x, y, m = axes
    found = contour(runs(len(x.places)), x, y, m, (60, 14))
    assert problem in found.problem
    assert " ".join(found.picture.text.split()) == found.problem
    assert found.spots.by_run == {}


@pytest.mark.parametrize("size", [(12, 14), (60, 5)])
def test_no_room_says_so(size: tuple[int, int]) -> None:
    x, y, m = hill()
    assert contour(runs(64), x, y, m, size).problem == "too small for axes"


@st.composite
def charts(draw: st.DrawFn) -> tuple[int, Dimension, Dimension, Dimension]:
    count = draw(st.integers(0, 12))
    return count, draw(dimensions(count)), draw(dimensions(count)), draw(dimensions(count))


@given(charts(), HOSTILE_SIZES)
def test_any_numbers_make_a_picture_of_that_size(
    chart: tuple[int, Dimension, Dimension, Dimension], size: tuple[int, int]
) -> None:
    count, x, y, m = chart
    found = contour(runs(count), x, y, m, size)
    check_shape(found.picture, size)
    assert bool(found.problem) == (found.picture.plot is None)
    for run_id in found.spots.by_run:
        check_shape(found.highlighted(run_id), size)


def test_thousands_of_trials_are_drawn() -> None:
    x, y, m = (dimension("p", [float(run * step % 5_003) for run in range(5_000)]) for step in (1, 7, 11))
    found = contour(runs(5_000), x, y, m, (100, 28))
    assert len(found.spots.by_run) == 5_000
    assert "5000 trials" in found.picture.text


@pytest.mark.parametrize("size", SIZES)
def test_pictures(sweep: Sweep, size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    weight, rate = sweep.param("min_child_weight", is_log=True), sweep.param("learning_rate", is_log=True)
    found = contour(sweep.names, weight, rate, sweep.metric("rmse"), size)
    check(f"contour-{name}", found.highlighted("able-crow-307"))
    check(
        f"contour-grid-{name}", contour(sweep.names, sweep.param("max_depth"), rate, sweep.metric("rmse"), size).picture
    )
