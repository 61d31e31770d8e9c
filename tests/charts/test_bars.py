"""A bar for every run, from zero, with its value."""

from __future__ import annotations

import math

import pytest

from mldeck.charts.bars import Bar, draw_bars
from mldeck.charts.picture import Role


def lengths(values: list[float | None], *, is_log: bool = False, width: int = 60) -> list[int]:
    picture = draw_bars([Bar("run", value) for value in values], (width, len(values) + is_log), is_log=is_log)
    rows = picture.rows[is_log:]
    return [sum(cell.ink.role is Role.SERIES for cell in row) for row in rows]


def test_bars_are_as_long_as_their_values() -> None:
    one, two, four = lengths([1.0, 2.0, 4.0])
    assert abs(two - four / 2) <= 1
    assert abs(one - four / 4) <= 1


def test_negative_values_go_to_the_left() -> None:
    picture = draw_bars([Bar("run", 3.0), Bar("run", -1.0)], (60, 2))
    up, down = ([i for i, cell in enumerate(row) if cell.ink.role is Role.SERIES] for row in picture.rows)
    assert max(down) < min(up)
    assert len(down) * 3 - 3 <= len(up) <= len(down) * 3 + 3


def test_what_has_no_length_is_there_with_its_value() -> None:
    values = [1.0, math.nan, math.inf, None]
    assert [length > 0 for length in lengths(values)] == [True, False, False, False]
    picture = draw_bars([Bar("run", value) for value in values], (60, 4))
    assert [line.split()[-1] for line in picture.text.splitlines()] == ["1", "NaN", "inf", "–"]


def test_a_log_axis_grows_by_decades() -> None:
    first, second, third, none = lengths([0.1, 1.0, 10.0, -1.0], is_log=True)
    assert second - first == third - second
    assert none == 0


def test_values_have_one_precision() -> None:
    text = draw_bars([Bar("run", 0.1 + 0.2), Bar("run", 0.8773235086692945)], (60, 2)).text
    assert [line.split()[-1] for line in text.splitlines()] == ["0.3000", "0.8773"]


def test_points_stand_below_each_other_where_there_is_room() -> None:
    bars = [Bar("run", value) for value in (5.9124, -2.0, 11.25, math.nan)]
    wide, narrow = (draw_bars(bars, (width, 4)).text.splitlines() for width in (60, 10))
    assert wide[0].index(".") == wide[2].index(".") == wide[1].index("-2") + 2
    assert wide[3].endswith("NaN")
    assert [line.split()[-1] for line in narrow] == ["5.912", "-2", "11.250", "NaN"]


def test_what_did_not_fit_is_counted() -> None:
    text = draw_bars([Bar(f"run-{number}", 1.0) for number in range(20)], (60, 8), title="rmse").text
    assert text.splitlines()[-1] == "… 14 more"


@pytest.mark.parametrize("strong", [0, 5, 6, 19])
def test_the_bar_under_the_cursor_is_in_sight(strong: int) -> None:
    bars = [Bar(f"run-{number}", float(number), is_strong=number == strong) for number in range(20)]
    lines = draw_bars(bars, (60, 8), title="rmse").text.splitlines()
    assert len(lines) == 8
    assert [line for line in lines if line.startswith(f"run-{strong} ")]
    assert lines[-1] == "… 14 more"
    assert draw_bars(bars, (60, 40), title="rmse").text.splitlines()[1 + strong] in lines, "of the same scale"
