"""Texts in a picture, cut to the available cells; handles wide characters and combining marks."""

from __future__ import annotations

from mldeck.charts.picture import Ink, PictureCanvas, PictureCell
from mldeck.format import cell_width, clusters, cut

PLAIN = Ink()


def write(canvas: PictureCanvas, column: int, row: int, text: str, ink: Ink = PLAIN, width: int | None = None) -> int:
    """Write a safe text, cut to `width` and to the end of the canvas. Return the column after it."""
    room = canvas.width - column
    cells: list[PictureCell] = []
    for cluster, taken in clusters(cut(text, room if width is None else min(room, width))):
        cells += [PictureCell(cluster, ink), PictureCell("", ink)][:taken]
    canvas.paste(column, row, [cells], blanks=True)
    return column + len(cells)


def write_right(
    canvas: PictureCanvas, end: int, row: int, text: str, ink: Ink = PLAIN, width: int | None = None
) -> None:
    """Write a safe text that ends before column `end`."""
    shown = cut(text, end if width is None else min(end, width))
    write(canvas, end - cell_width(shown), row, shown, ink)


def write_middle(canvas: PictureCanvas, row: int, text: str, ink: Ink = PLAIN) -> None:
    """Write a safe text centred in a row."""
    shown = cut(text, canvas.width)
    write(canvas, (canvas.width - cell_width(shown)) // 2, row, shown, ink)
