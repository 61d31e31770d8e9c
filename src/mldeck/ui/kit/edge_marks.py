"""The arrows at the edges of a header, which say how many columns are out of view, and bring them into view when clicked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mldeck.format import cell_width

_LEFT, _RIGHT = "←", "→"
MARK_ROOM = 2
"""Cells that are kept free at the right edge of a header for the arrow that says that there are more columns."""


class EdgeMark(NamedTuple):
    left: int
    """Position in the header, in cells."""
    text: str
    pages: int
    """Pages that the columns are scrolled to the right by a click."""

    def covers(self, x: int) -> bool:
        return self.left <= x < self.left + len(self.text)


def edge_marks(header: Strip, *, before: int, behind: int, fixed_width: int, width: int) -> Iterator[EdgeMark]:
    """Yield the marks of a header, as far as there is room.

    `before` and `behind` are the numbers of columns out of view, `fixed_width` is the width of the columns that stay in
    place, and `width` that of the header.
    """
    if behind > 0:
        free = width - cell_width(header.text.rstrip())
        texts = (f"{behind:,} more {_RIGHT}", f"{behind:,} {_RIGHT}")
        # Without room it is over the end of a label.
        text = next((text for text in texts if len(text) < free), _RIGHT)
        yield EdgeMark(width - len(text), text, 1)
    if before > 0 and fixed_width:
        end = cell_width(header.crop(0, fixed_width).text.rstrip())
        text = f"{_LEFT} {before:,}"
        if len(text) < fixed_width - end:
            yield EdgeMark(fixed_width - len(text), text, -1)
        else:
            yield EdgeMark(fixed_width, _LEFT, -1)  # in the gap behind them


def with_mark(header: Strip, mark: EdgeMark, style: Style) -> Strip:
    """Return the header with the mark over it."""
    return Strip.join(
        [header.crop(0, mark.left), Strip([Segment(mark.text, style)]), header.crop(mark.left + len(mark.text))]
    )
