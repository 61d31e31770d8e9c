"""Text in terminal cells, as wide as Textual will draw it."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from mldeck.format import safe


def cell_width(text: str) -> int:
    """How many cells a safe text takes."""
    return cell_len(text)


def cell_text(text: str, width: int) -> str:
    """At most `width` cells of a text, made safe; the cut is marked by an ellipsis."""
    # A text may have thousands of characters, and only the first few are ever seen.
    text = safe(text[: 4 * max(width, 0) + 64])
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def fit(text: str, width: int, right: bool) -> str:
    """Exactly `width` cells."""
    if cell_len(text) > width:
        text = cell_text(text, width)
    padding = " " * (width - cell_len(text))
    return padding + text if right else text + padding
