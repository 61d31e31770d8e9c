"""Rows of a text: nothing of a line is left out, every row fits, and every character is found again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from mldeck.artifacts.previews.values import TextPage
from mldeck.format import cell_width
from mldeck.ui.files.preview.text_layout import TextRow, pieces_of, row_at, rows_of
from mldeck.ui.files.preview.text_reading import as_lines

RED = Style(color="red")


@given(st.text(max_size=300), st.integers(10, 40))
def test_wrapped_lines_fit_and_are_whole(text: str, width: int) -> None:
    page = as_lines(TextPage(0, text, None))
    rows = list(rows_of(0, page, width))
    for number, line in enumerate(page.lines):
        mine = [row for row in rows if row.line == number]
        assert "".join(line[row.start : row.end] for row in mine) == line
        assert all(cell_width(line[row.start : row.end]) <= width for row in mine)
        for row in mine:
            assert rows[row_at(rows, 0, number, row.start)] == row
    assert list(rows_of(3, page, None)) == [TextRow(3, number, 0, len(line)) for number, line in enumerate(page.lines)]


def test_what_is_found_stands_out_over_the_colours() -> None:
    page = as_lines(TextPage(0, "import numpy", None))
    page.spans = [[(0, 6, RED)]]
    pieces = list(pieces_of(TextRow(0, 0, 3, 12), page, "Rt N"))
    assert pieces == [("o", RED), ("rt", "match"), (" n", "match"), ("umpy", "")]
    assert list(pieces_of(TextRow(0, 0, 3, 12), page, "")) == [("ort", RED), (" numpy", "")]
