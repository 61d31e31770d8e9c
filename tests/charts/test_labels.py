"""Texts in cells: never wider than allowed, whole characters only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.charts.labels import cut, write, write_middle, write_right
from mldeck.charts.picture import Canvas
from mldeck.format import cell_width, safe
from tests.charts.sweep import NAMES, check_shape


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("rmse", 4, "rmse"),
        ("learning_rate", 6, "learn…"),
        ("表表表", 6, "表表表"),
        ("表表表", 5, "表表…"),
        ("表表表", 4, "表…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("x", 0, ""),
        ("xyz", 1, "…"),
    ],
)
def test_what_is_cut_says_so(text: str, width: int, shown: str) -> None:
    assert cut(text, width) == shown


@given(NAMES.map(safe), st.integers(-3, 20))
def test_no_text_is_wider_than_it_may_be(text: str, width: int) -> None:
    assert cell_width(cut(text, width)) <= max(0, width)


@given(NAMES.map(safe), st.integers(0, 20), st.none() | st.integers(0, 12))
def test_texts_stay_in_the_picture(text: str, column: int, width: int | None) -> None:
    size = 16, 3
    canvas = Canvas(*size)
    end = write(canvas, column, 0, text, width=width)
    assert end <= max(column, size[0])
    write_right(canvas, min(column, size[0]), 1, text, width=width)
    write_middle(canvas, 2, text)
    picture = canvas.picture()
    check_shape(picture, size)
    if column <= size[0]:
        before = "".join(cell.text for cell in picture.rows[1][:column])
        assert before.endswith(cut(text, column if width is None else min(width, column)))
