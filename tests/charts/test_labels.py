"""Texts in cells: never wider than allowed, whole characters only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from mldeck.charts.labels import write, write_middle, write_right
from mldeck.charts.picture import PictureCanvas
from mldeck.format import cut, safe
from tests.charts.sweep import NAMES, check_shape


@pytest.mark.parametrize(
    "text",
    ["❤\ufe0f", "1\ufe0f\u20e3", "\u1112\u1161\u11ab", "표", "👍🏽", "👩\u200d👩\u200d👧", "\u0915\u093f", "e\u0301"],
)
def test_a_row_is_as_wide_as_the_picture(text: str) -> None:
    """By the rule that the frame around it is drawn with."""
    canvas = PictureCanvas(12, 1)
    write(canvas, 1, 0, safe(f"{text}|{text}"))
    picture = canvas.picture()
    assert cell_len("".join(cell.text for cell in picture.rows[0])) == picture.width == 12


@given(NAMES.map(safe), st.integers(0, 20), st.none() | st.integers(0, 12))
def test_texts_stay_in_the_picture(text: str, column: int, width: int | None) -> None:
    size = 16, 3
    canvas = PictureCanvas(*size)
    end = write(canvas, column, 0, text, width=width)
    assert end <= max(column, size[0])
    write_right(canvas, min(column, size[0]), 1, text, width=width)
    write_middle(canvas, 2, text)
    picture = canvas.picture()
    check_shape(picture, size)
    if column <= size[0]:
        before = "".join(cell.text for cell in picture.rows[1][:column])
        assert before.endswith(cut(text, column if width is None else min(width, column)))
