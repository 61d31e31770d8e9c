"""Points in arrays: their order, and thinning when they are too many."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.store.encoding import metric_value
from mldeck.store.histories.points import PointCollector, Points

values = st.floats(allow_nan=False) | st.just(math.nan)
MOST = 64


def outline(
    numbers: list[float], part: int, order: list[int] | None = None, most: int = MOST
) -> tuple[PointCollector, Points]:
    gathering = PointCollector(most)
    rows = [(step, step, 10**12 + step, None if math.isnan(value) else value) for step, value in enumerate(numbers)]
    rows = [rows[step] for step in order] if order else rows
    for start in range(0, len(rows), part):
        gathering.add(rows[start : start + part])
    return gathering, gathering.finish()


@given(st.lists(values, min_size=1, max_size=MOST), st.integers(1, 100))
def test_few_points_are_all_kept(numbers: list[float], part: int) -> None:
    gathering, points = outline(numbers, part)
    assert gathering.count == len(points)
    assert list(points.steps) == list(range(len(numbers)))


@pytest.mark.parametrize("is_shuffled", [False, True])
@given(st.lists(values, min_size=MOST + 1, max_size=1500), st.integers(1, 100), st.randoms(use_true_random=False))
def test_an_outline_consists_of_real_points_and_keeps_all_extremes(
    is_shuffled: bool, numbers: list[float], part: int, random: Random
) -> None:
    order = list(range(len(numbers)))
    if is_shuffled:
        random.shuffle(order)
    gathering, points = outline(numbers, part, order)
    assert gathering.count == len(numbers)
    assert len(points) <= MOST
    steps = list(points.steps)
    assert steps == sorted(set(steps))
    for step, value, timestamp in zip(steps, points.values, points.timestamps, strict=True):
        assert timestamp == 10**12 + step
        assert repr(value) == repr(metric_value(numbers[step], False))
    assert (steps[0], steps[-1]) == (0, len(numbers) - 1)
    real = [metric_value(value, False) for value in numbers if not math.isnan(value)]
    kept = [value for value in points.values if not math.isnan(value)]
    assert (min(kept, default=None), max(kept, default=None)) == (min(real, default=None), max(real, default=None))
    assert any(map(math.isnan, points.values)) == any(map(math.isnan, numbers))


def test_an_outline_is_evenly_dense() -> None:
    most = 4_096
    _, points = outline([float(step % 7) for step in range(100_000)], 10, most=most)
    thirds = [sum(step // 33_334 == third for step in points.steps) for third in range(3)]
    assert max(thirds) < 2 * min(thirds)
    assert len(points) >= most // 6
