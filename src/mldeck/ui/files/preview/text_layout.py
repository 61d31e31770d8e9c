"""Arranges the lines of a text in rows: wrapped or not, highlighted, with matches marked. No Textual."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from rich.cells import chop_cells
from rich.style import Style

from mldeck.format import cell_width
from mldeck.ui.files.preview.text_reading import ReadPage, StyledSpan

_LONGEST_SHOWN = 20_000
"""Characters of a line that are shown at most if it is not wrapped."""


class TextRow(NamedTuple):
    page: int
    """Index of its page among the pages that are held."""
    line: int
    """Index of its line in the page."""
    start: int
    end: int


def rows_of(index: int, page: ReadPage, width: int | None) -> Iterator[TextRow]:
    """Yield the rows of a page. `width`: cells at which lines are wrapped; None if they are not."""
    for number, line in enumerate(page.lines):
        if width is None or (len(line) <= width and cell_width(line) <= width):
            yield TextRow(index, number, 0, min(len(line), _LONGEST_SHOWN))
            continue
        steps = [line[start : start + width] for start in range(0, len(line), width)]
        start = 0
        for part in steps if line.isascii() else chop_cells(line, width):
            yield TextRow(index, number, start, start + len(part))
            start += len(part)


def row_at(rows: Sequence[TextRow], page: int, line: int, column: int) -> int:
    """Return the index of the row that holds a character."""
    return max(0, bisect_right(rows, (page, line, column, sys.maxsize)) - 1)


def pieces_of(at: TextRow, page: ReadPage, needle: str) -> Iterator[tuple[str, str | Style]]:
    """Yield the pieces of a row with their styles. Matches of `needle` have the style named `match`."""
    text = page.lines[at.line][at.start : at.end]
    spans = [_shifted(span, at) for span in (page.spans[at.line] if at.line < len(page.spans) else ())]
    matches = [(start, end, "match") for start, end in _occurrences(text, needle)]
    # A long line may have thousands of spans, and is drawn again and again: both lists are passed once, in order.
    cuts = {0, len(text), *(edge for start, end, _ in (*spans, *matches) for edge in (start, end))}
    style_at, match_at = _styles(spans), _styles(matches)
    for start, end in pairwise(sorted(cut for cut in cuts if 0 <= cut <= len(text))):
        yield text[start:end], match_at(start) or style_at(start)


def _styles(spans: Sequence[tuple[int, int, str | Style]]) -> Callable[[int], str | Style]:
    """Return a function from a position to its style, or "". The spans are in order and do not overlap."""
    starts = [start for start, _, _ in spans]

    def at(place: int) -> str | Style:
        index = bisect_right(starts, place) - 1
        return spans[index][2] if index >= 0 and place < spans[index][1] else ""

    return at


def _shifted(span: StyledSpan, at: TextRow) -> StyledSpan:
    """Return the span relative to the start of the row."""
    start, end, style = span
    return max(0, start - at.start), max(0, min(end, at.end) - at.start), style


def _occurrences(text: str, needle: str) -> Iterator[tuple[int, int]]:
    wanted, lowered = needle.lower(), text.lower()
    # Lower case may be longer than upper case. Then nothing is marked, because the positions would be wrong.
    at = lowered.find(wanted) if wanted and len(lowered) == len(text) else -1
    while at >= 0:
        yield at, at + len(wanted)
        at = lowered.find(wanted, at + len(wanted))
