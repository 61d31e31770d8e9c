"""A picture as a self-contained SVG file: monospaced text, every run of text at its column, nothing to load."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from mldeck.charts.palette import DARK, Palette
from mldeck.charts.picture import Ink, Picture, PictureCell

_FONT_SIZE, _CELL_WIDTH, _ROW_HEIGHT, _MARGIN = 14, 8.4, 17, 12
_FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"


def to_svg(picture: Picture, palette: Palette = DARK, title: str = "") -> str:
    """Return the picture as SVG on the palette's background.

    Every run of text has an explicit length, so columns line up in any font.
    """
    width = picture.width * _CELL_WIDTH + 2 * _MARGIN
    height = picture.height * _ROW_HEIGHT + 2 * _MARGIN
    size = f'viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.1f}" height="{height:.1f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<title>{escape(title)}</title>" if title else "",
        f'<rect width="100%" height="100%" fill="{palette.background}"/>',
        f'<g font-family="{_FONTS}" font-size="{_FONT_SIZE}" xml:space="preserve">',
    ]
    for number, row in enumerate(picture.rows):
        y = _MARGIN + (number + 0.8) * _ROW_HEIGHT
        parts += [_text(text, ink, column, cells, y, palette) for text, ink, column, cells in _stretches(row)]
    return "\n".join(part for part in [*parts, "</g>", "</svg>"] if part) + "\n"


def _stretches(row: Iterable[PictureCell]) -> Iterable[tuple[str, Ink, int, int]]:
    """Yield (text, ink, first column, number of cells) for each run of cells that is not blank."""
    column = 0
    for (ink, is_blank), cells in groupby(row, key=lambda cell: (cell.ink, cell.text == " ")):
        part = list(cells)
        if not is_blank:
            yield "".join(cell.text for cell in part), ink, column, len(part)
        column += len(part)


def _text(text: str, ink: Ink, column: int, cells: int, y: float, palette: Palette) -> str:
    weight = ' font-weight="bold"' if palette.is_bold(ink) else ""
    return (
        f'<text x="{_MARGIN + column * _CELL_WIDTH:.1f}" y="{y:.1f}" textLength="{cells * _CELL_WIDTH:.1f}" '
        f"fill={quoteattr(palette.colour(ink))}{weight}>{escape(text)}</text>"
    )
