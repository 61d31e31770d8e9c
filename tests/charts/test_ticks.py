"""Ticks inside the limits, ascending, apart from each other, and not more than asked for."""

from __future__ import annotations

import math
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mldeck.charts.scale import Scale
from mldeck.charts.ticks import AxisTick, fitting_ticks, number_ticks
from mldeck.charts.times import clock_ticks, relative_text, relative_ticks
from tests.charts.histories import FINITE, NUMBERS, WHOLE

pytestmark = pytest.mark.usefixtures("utc")
NOON = 1_795_262_400_000
"""2026-11-21 12:00:00 UTC."""
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def check(ticks: tuple[AxisTick, ...], scale: Scale, most: int) -> None:
    values = [tick.value for tick in ticks]
    assert len(ticks) <= most
    assert all(scale.low <= value <= scale.high for value in values)
    assert all(one < other for one, other in pairwise(values))
    assert all(one.text != other.text for one, other in pairwise(ticks))


@given(FINITE, FINITE, st.integers(1, 30), st.booleans())
def test_numbers(low: float, high: float, most: int, is_log: bool) -> None:
    low, high = min(low, high), max(low, high)
    assume(low < high and (low > 0 or not is_log))
    scale = Scale(low, high, is_log)
    check(number_ticks(scale, most), scale, most)


@given(WHOLE, WHOLE, st.integers(1, 30))
def test_steps_and_times(low: int, high: int, most: int) -> None:
    assume(low < high)
    scale = Scale(low, high)
    ticks = number_ticks(scale, most, is_whole=True)
    check(ticks, scale, most)
    assert [int(tick.text) for tick in ticks] == [tick.value for tick in ticks]
    check(relative_ticks(scale, most), scale, most)
    clock = clock_ticks(scale, most)
    assert all(low <= tick.value <= high for tick in clock)
    assert all(one.value < other.value for one, other in pairwise(clock))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_there_are_always_some(low: float, span: float) -> None:
    assert 3 <= len(number_ticks(Scale(low, low + span), 10)) <= 10


@pytest.mark.parametrize(
    ("low", "high", "most", "texts"),
    [
        (0, 10, 6, "0 2 4 6 8 10"),
        (0, 1, 5, "0 0.5 1"),
        (-0.12, 0.31, 5, "-0.1 0 0.1 0.2 0.3"),
        (1e-7, 5e-7, 5, "1e-7 2e-7 3e-7 4e-7 5e-7"),
        (1_000_000.1, 1_000_000.4, 4, "1000000.1 1000000.2 1000000.3 1000000.4"),
        (0, sys.float_info.max, 3, "0 1e308"),
    ],
)
def test_linear(low: float, high: float, most: int, texts: str) -> None:
    assert [tick.text for tick in number_ticks(Scale(low, high), most)] == texts.split()


@pytest.mark.parametrize(
    ("low", "high", "most", "texts"),
    [
        (0.001, 1000, 7, "0.001 0.01 0.1 1 10 100 1000"),
        (1e-9, 1e9, 4, "1e-5 1 100000"),
        (1, 100, 8, "1 2 5 10 20 50 100"),
        (0.31, 2.3, 4, "0.5 1 2"),
        (3.1, 4.9, 4, "3.5 4 4.5"),
    ],
)
def test_decades(low: float, high: float, most: int, texts: str) -> None:
    assert [tick.text for tick in number_ticks(Scale(low, high, is_log=True), most)] == texts.split()


def test_steps_are_whole_numbers() -> None:
    assert [tick.text for tick in number_ticks(Scale(3, 5), 10, is_whole=True)] == ["3", "4", "5"]
    huge = number_ticks(Scale(2**62, 2**62 + 2), 5, is_whole=True)
    assert [tick.text for tick in huge] == [str(2**62 + number) for number in range(3)]


@pytest.mark.parametrize(
    ("span", "texts"),
    [
        (400, "0s 100ms 200ms 300ms 400ms"),
        (90 * SECOND, "0s 30s 1m 1m30s"),
        (5 * HOUR, "0s 2h 4h"),
        (40 * DAY, "0s 10d 20d 30d 40d"),
    ],
)
def test_relative_times(span: int, texts: str) -> None:
    assert [tick.text for tick in relative_ticks(Scale(0, span), 5)] == texts.split()


def test_relative_text_has_every_unit() -> None:
    assert relative_text(-(DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5)) == "-1d2h3m4s5ms"


@pytest.mark.parametrize(
    ("start", "span", "most", "texts"),
    [
        (NOON, 2, 3, ["12:00:00.000", "12:00:00.001", "12:00:00.002"]),
        (NOON, 30 * SECOND, 3, ["12:00:00", "12:00:15", "12:00:30"]),
        (NOON + 5 * MINUTE, HOUR, 4, ["12:15", "12:30", "12:45", "13:00"]),
        (NOON, DAY, 4, ["11-21 12:00", "11-22 00:00", "11-22 12:00"]),
        (NOON, 3 * DAY, 4, ["2026-11-22", "2026-11-23", "2026-11-24"]),
    ],
)
def test_clock_times(start: int, span: int, most: int, texts: list[str]) -> None:
    assert [tick.text for tick in clock_ticks(Scale(start, start + span), most)] == texts


def test_days_begin_at_local_midnights_when_clocks_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    start = 1_792_663_200_000  # 2026-10-22 12:00 in Berlin; its clocks go back on the 25th
    ticks = clock_ticks(Scale(start, start + 5 * DAY), 6)
    assert [tick.text for tick in ticks] == [f"2026-10-{day}" for day in range(23, 28)]
    gaps = [other.value - one.value for one, other in pairwise(ticks)]
    assert gaps == [DAY, DAY, 25 * HOUR, DAY]


@given(NUMBERS, NUMBERS, st.integers(1, 120))
def test_texts_never_overlap(low: float, high: float, width: int) -> None:
    assume(math.isfinite(low) and math.isfinite(high) and low < high)
    scale = Scale(low, high)

    def place(value: float) -> int | None:
        share = scale.share(value)
        return None if share is None else min(width - 1, int(share * width))

    placed = fitting_ticks(lambda most: number_ticks(scale, most), place, width)
    assert all(start >= 0 and start + len(tick.text) <= width for _, start, tick in placed)
    assert all(start + len(tick.text) + 2 <= following for (_, start, tick), (_, following, _) in pairwise(placed))
