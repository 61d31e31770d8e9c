"""The legend of a chart: for each line its letter and colour, its name, and its latest value."""

from __future__ import annotations

from collections.abc import Sequence

from mldeck.charts.labels import write, write_right
from mldeck.charts.lines import ChartLine
from mldeck.charts.picture import Ink, PictureCanvas, PictureCell, Role
from mldeck.format import MISSING, Neighbours, number_format

_SAMPLE = "━━"


def legend_rows(lines: Sequence[ChartLine], width: int) -> tuple[tuple[PictureCell, ...], ...]:
    """Return one row of cells for each line, in their order."""
    canvas = PictureCanvas(width, len(lines))
    values = [line.curve.latest for line in lines]
    numbers = number_format(value for value in values if value is not None)
    texts = [MISSING if value is None else numbers.text(value) for value in values]
    room = max(map(len, texts), default=0)
    names = Neighbours(line.name for line in lines)
    for row, (line, text) in enumerate(zip(lines, texts, strict=True)):
        column = write(canvas, 0, row, f"{line.mark} " if line.mark else "", line.ink)
        column = write(canvas, column, row, f"{_SAMPLE} ", line.ink)
        name_ink = Ink(is_faint=line.is_faint, is_strong=line.is_strong)
        write(canvas, column, row, names.cut(line.name, max(0, width - column - room - 1)), name_ink)
        write_right(canvas, width, row, text, Ink(Role.TEXT, 0, line.is_faint, line.is_strong))
    return canvas.picture().rows
