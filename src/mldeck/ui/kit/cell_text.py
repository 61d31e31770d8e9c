"""Cuts, pads and indents text from the store to a number of terminal cells."""

from __future__ import annotations

from mldeck.format import cell_width, cut, safe

_CELLS_PER_LEVEL = 6


def cell_text(text: str, width: int) -> str:
    """Return at most `width` cells of a text, made safe. An ellipsis marks the cut."""
    # A text may have thousands of characters, of which only the first few are shown.
    return cut(safe(text[: 4 * max(width, 0) + 64]), width)


def fit(text: str, width: int, right: bool) -> str:
    """Return exactly `width` cells of a text, made safe: cut, or padded with blanks on the right, or the left if `right`."""
    text = cell_text(text, width)
    padding = " " * (width - cell_width(text))
    return padding + text if right else text + padding


def indentation(depth: int, width: int) -> str:
    """Return the start of a line of a tree: two cells for each level, in a column of some width.

    It takes at most a third of the column, so that the name stays legible. Deeper levels are shown as a number.
    """
    levels = max(1, width // _CELLS_PER_LEVEL)
    return "  " * depth if depth <= levels else f"{depth:>{2 * levels - 1}} "
