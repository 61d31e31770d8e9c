"""Cuts and pads text from the store to a number of terminal cells."""

from __future__ import annotations

from mldeck.format import cell_width, cut, safe


def cell_text(text: str, width: int) -> str:
    """Return at most `width` cells of a text, made safe. An ellipsis marks the cut."""
    # A text may have thousands of characters, of which only the first few are shown.
    return cut(safe(text[: 4 * max(width, 0) + 64]), width)


def fit(text: str, width: int, right: bool) -> str:
    """Return exactly `width` cells of a text, made safe: cut, or padded with blanks on the right, or the left if `right`."""
    text = cell_text(text, width)
    padding = " " * (width - cell_width(text))
    return padding + text if right else text + padding
