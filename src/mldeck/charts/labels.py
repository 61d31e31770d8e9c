"""Texts in a picture: cut to the cells they have, wide characters and combining marks included."""

from __future__ import annotations

from mldeck.charts.picture import Canvas, Cell, Ink
from mldeck.format import cell_width

PLAIN = Ink()


def cut(text: str, width: int) -> str:
    """At most `width` cells of a safe text; an ellipsis stands for what was cut off."""
    if cell_width(text) <= width:
        return text
    if width < 1:
        return ""
    kept, used = "", 1
    for character in text:
        used += cell_width(character)
        if used > width:
            break
        kept += character
    return kept + "…"


def write(canvas: Canvas, column: int, row: int, text: str, ink: Ink = PLAIN, width: int | None = None) -> int:
    """Writes a safe text, cut to `width` or to the end of the canvas; returns the column after it."""
    room = canvas.width - column
    cells: list[Cell] = []
    for character in cut(text, room if width is None else min(room, width)):
        taken = cell_width(character)
        if taken == 0 and cells:
            before = -1 if cells[-1].text else -2
            cells[before] = Cell(cells[before].text + character, ink)
        elif taken:
            cells += [Cell(character, ink), Cell("", ink)][:taken]
    canvas.paste(column, row, [cells], blanks=True)
    return column + len(cells)


def write_right(canvas: Canvas, end: int, row: int, text: str, ink: Ink = PLAIN, width: int | None = None) -> None:
    """Writes a safe text so that it ends before the column `end`."""
    shown = cut(text, end if width is None else min(end, width))
    write(canvas, end - cell_width(shown), row, shown, ink)


def write_middle(canvas: Canvas, row: int, text: str, ink: Ink = PLAIN) -> None:
    """Writes a safe text into the middle of a row."""
    shown = cut(text, canvas.width)
    write(canvas, (canvas.width - cell_width(shown)) // 2, row, shown, ink)
