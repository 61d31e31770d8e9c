"""The surface between scattered points: scipy's numbers, and never a value from nowhere."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import Delaunay

from mldeck.charts.interpolate import MAX_SITES, surface, triangulate
from tests.charts.sweep import HUGE

Point = tuple[float, float, float]
COLUMNS, ROWS = 40, 23

SHARES = st.floats(0, 1)
COARSE_SHARES = st.integers(0, 4).map(lambda number: number / 4)
POINTS = st.lists(
    st.one_of(st.tuples(SHARES, SHARES, st.floats(-1e6, 1e6)), st.tuples(COARSE_SHARES, COARSE_SHARES, st.just(HUGE))),
    max_size=40,
)


def scattered(count: int, seed: int) -> list[Point]:
    chance = random.Random(seed)
    return [(chance.random(), chance.random(), chance.gauss(0, 1)) for _ in range(count)]


def middles() -> list[tuple[int, int, float, float]]:
    return [
        (column, row, (column + 0.5) / COLUMNS, (row + 0.5) / ROWS) for row in range(ROWS) for column in range(COLUMNS)
    ]


@pytest.mark.parametrize("count", [3, 4, 7, 30, 300])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_as_scipy(count: int, seed: int) -> None:
    points = scattered(count, seed)
    places = np.array([(x, y) for x, y, _ in points])
    expected = LinearNDInterpolator(places, [value for *_, value in points])
    grid = surface(points).grid(COLUMNS, ROWS)
    for column, row, x, y in middles():
        value, wanted = grid[row][column], float(expected(x, y))
        assert (value is None) == math.isnan(wanted)
        assert value is None or value == pytest.approx(wanted, abs=1e-6)
    assert len(surface(points).triangles) == len(Delaunay(places).simplices)


@pytest.mark.parametrize("steps", [1, 2, 4, 9])
def test_a_plane_over_a_grid_search_is_a_plane(steps: int) -> None:
    points = [(i / steps, j / steps, 3 * i / steps - 2 * j / steps) for i in range(steps + 1) for j in range(steps + 1)]
    found = surface(points)
    assert len(found.triangles) == 2 * steps * steps
    grid = found.grid(COLUMNS, ROWS)
    for column, row, x, y in middles():
        assert grid[row][column] == pytest.approx(3 * x - 2 * y)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(0.2, 0.2, 1.0)],
        [(0.2, 0.2, 1.0)] * 5,
        [(0.0, 0.0, 1.0), (1.0, 1.0, 2.0)],
        [(i / 8, i / 8, 1.0) for i in range(9)],
        [(0.5, i / 8, 1.0) for i in range(9)],
        [(i / 8, 0.5, 1.0) for i in range(9)],
    ],
)
def test_no_surface_over_points_on_a_line(points: list[Point]) -> None:
    found = surface(points)
    assert found.triangles == ()
    assert all(value is None for row in found.grid(COLUMNS, ROWS) for value in row)


def test_points_of_one_place_are_averaged() -> None:
    found = surface([(0.0, 0.0, 1.0), (0.0, 0.0, 2.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
    assert dict(zip(found.sites, found.values, strict=True))[0, 0] == 1.5


def test_nothing_is_said_far_from_every_point() -> None:
    corners = [(x, y, 1.0) for x in (0.0, 1.0) for y in (0.0, 1.0)]
    grid = surface(corners).grid(COLUMNS, ROWS, reach=0.3)
    for column, row, x, y in middles():
        nearest = min(math.dist((x, y), corner[:2]) for corner in corners)
        assert (grid[row][column] is None) == (nearest > 0.3)


@given(POINTS)
def test_values_stay_between_those_around_them(points: list[Point]) -> None:
    found = surface(points)
    for row in found.grid(12, 7):
        assert all(value is None or min(found.values) <= value <= max(found.values) for value in row)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), unique=True, max_size=40),
)
def test_triangles_cover_the_outline_once_and_circles_are_empty(sites: list[tuple[int, int]]) -> None:
    sites = sorted(sites)
    triangles = triangulate(sites)
    doubled = 0
    for triangle in triangles:
        (ax, ay), (bx, by), (cx, cy) = (sites[corner] for corner in triangle)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        assert area > 0
        doubled += area
        for dx, dy in sites:
            rows = [(x - dx, y - dy, (x - dx) ** 2 + (y - dy) ** 2) for x, y in ((ax, ay), (bx, by), (cx, cy))]
            assert round(float(np.linalg.det(np.array(rows, dtype=float)))) <= 0
    assert doubled == doubled_hull_area(sites)


def doubled_hull_area(sites: list[tuple[int, int]]) -> int:
    """Twice the area within the outline of points, by Andrew's way."""

    def half(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
        chain: list[tuple[int, int]] = []
        for x, y in points:
            while len(chain) > 1 and (chain[-1][0] - chain[-2][0]) * (y - chain[-2][1]) <= (
                chain[-1][1] - chain[-2][1]
            ) * (x - chain[-2][0]):
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    outline = half(sites) + half(sites[::-1])
    return sum(
        x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(outline, outline[1:] + outline[:1], strict=True)
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_thousands_of_points_become_a_bounded_number(seed: int) -> None:
    found = surface(scattered(5_000, seed))
    assert 100 < len(found.sites) <= MAX_SITES
    grid = found.grid(COLUMNS, ROWS)
    assert sum(value is not None for row in grid for value in row) > COLUMNS * ROWS * 0.8
