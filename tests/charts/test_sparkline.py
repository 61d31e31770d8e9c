"""A history in a few cells: always as wide as asked, and no extreme lost."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.sparkline import GAP, slices_for, sparkline

TINY, HUGE = 5e-324, sys.float_info.max
VALUES = st.one_of(st.floats(), st.sampled_from([0.0, TINY, 3 * TINY, 5 * TINY, HUGE, -HUGE, math.inf, math.nan]))
Slice = tuple[int, float | None, float | None]


def slices(count: int) -> st.SearchStrategy[list[Slice]]:
    def ordered(position: int, one: float, other: float, nothing: bool) -> Slice:
        return (position, None, None) if nothing else (position, min(one, other), max(one, other))

    return st.lists(
        st.builds(ordered, st.integers(-2, count + 2), VALUES, VALUES, st.booleans()),
        max_size=count + 4,
        unique_by=lambda each: each[0],
    )


def dots(line: str) -> list[set[int]]:
    """The levels that are lit in each column of dots, counted from the bottom."""
    left, right = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)
    columns = []
    for cell in line:
        bits = ord(cell) - 0x2800 if "\u2800" <= cell <= "\u28ff" else 0
        columns += [{level for level, bit in enumerate(side) if bits & bit} for side in (left, right)]
    return columns


@pytest.mark.parametrize(
    ("points", "width", "line"),
    [
        ([], 3, "   "),
        ([], 0, ""),
        ([(0, 1.0, 1.0)], 1, "⠄"),
        ([(0, 1.0, 1.0), (1, 1.0, 1.0)], 2, "⠤ "),
        ([(0, 0.0, 0.0), (1, 3.0, 3.0)], 1, "⡈"),
        ([(0, 0.0, 3.0)], 1, "⡇"),
        ([(0, None, None), (1, None, None)], 1, GAP),
        ([(0, None, None), (1, 5.0, 5.0)], 1, "⠠"),
        ([(0, -math.inf, math.inf)], 1, "⡇"),
        ([(0, math.inf, math.inf), (1, -math.inf, -math.inf)], 1, "⢁"),
        ([(0, 1.0, 1.0), (1, math.inf, math.inf), (2, 2.0, 2.0)], 2, "⡈⠁"),
        ([(0, -HUGE, -HUGE), (1, 0.0, 0.0), (2, HUGE, HUGE)], 2, "⡐⠁"),
    ],
)
def test_lines(points: list[Slice], width: int, line: str) -> None:
    assert sparkline(points, width) == line


def test_numbers_with_nothing_between_their_halves() -> None:
    """Five, four and three times the smallest float."""
    assert dots(sparkline([(0, 3 * TINY, 3 * TINY), (1, 4 * TINY, 4 * TINY), (2, 5 * TINY, 5 * TINY)], 2))[:3] == [
        {0},
        {2},
        {3},
    ]


@given(st.integers(0, 12).flatmap(lambda width: st.tuples(st.just(width), slices(slices_for(width)))))
def test_any_numbers_give_a_line_of_that_width(case: tuple[int, list[Slice]]) -> None:
    width, points = case
    line = sparkline(points, width)
    assert len(line) == width
    assert all(cell in (" ", GAP) or "\u2800" < cell <= "\u28ff" for cell in line)


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=40))
def test_every_value_is_seen_and_the_extremes_at_the_edges(values: list[float]) -> None:
    width = math.ceil(len(values) / 2)
    columns = dots(sparkline([(index, value, value) for index, value in enumerate(values)], width))
    assert all(columns[: len(values)])
    assert not any(columns[len(values) :])
    finite = [value for value in values if math.isfinite(value)]
    for value, lit in zip(values, columns, strict=False):
        if finite and min(finite) < max(finite):
            if value >= max(finite):
                assert lit == {3}
            if value <= min(finite):
                assert lit == {0}


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=60), st.integers(0, 59))
def test_a_spike_of_one_step_is_visible(values: list[float], where: int) -> None:
    spike = where % len(values)
    points = [(index, value, 1000.0 if index == spike else value) for index, value in enumerate(values)]
    columns = dots(sparkline(points, math.ceil(len(values) / 2)))
    assert [index for index, lit in enumerate(columns) if 3 in lit] == [spike]
    assert 0 in columns[spike]  # drawn from its lowest value up


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_larger_values_are_never_drawn_lower(values: list[float]) -> None:
    columns = dots(sparkline([(index, value, value) for index, value in enumerate(values)], 10))
    levels = [(value, max(lit)) for value, lit in zip(values, columns, strict=False)]
    ordered = [level for _, level in sorted(levels)]
    assert ordered == sorted(ordered)
