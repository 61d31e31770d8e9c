"""A chart as a value: rows of cells with inks, and the area of the data.

An ink says what a cell stands for; the front end turns it into a colour: the app with its theme, a terminal with ANSI
sequences, a file with SVG. Because the picture knows the area of its data, a crosshair can be laid over it without
drawing it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import NamedTuple

from mldeck.charts.scale import Scale

SERIES_COLOURS = 8
"""The number of series colours. Further series reuse them from the first on, and are told apart by their marker."""

SCALE_STEPS = 12
"""The number of steps in the colour scale, from the lowest value to the highest."""


class Role(str, Enum):
    """The meaning of a cell, which decides its colour."""

    TEXT = "text"
    AXIS = "axis"
    """Frames, ticks, and their labels."""
    SERIES = "series"
    """A series; `index` is its colour number."""
    SCALE = "scale"
    """A value on the colour scale; `index` is its step."""
    WARNING = "warning"
    """Missing values: NaN and infinities."""
    ACCENT = "accent"
    """The cursor, and what was selected."""


class Ink(NamedTuple):
    """The paint of a cell, by meaning; the front end chooses the colour."""

    role: Role = Role.TEXT
    index: int = 0  # type: ignore[assignment]  # hides tuple.index, which is not needed here
    is_faint: bool = False
    """Whether it is in the background: the raw line behind a smoothed one, runs outside a brush."""
    is_strong: bool = False
    """Whether it is emphasised: the run under the cursor."""


PLAIN = Ink()


class PictureCell(NamedTuple):
    """A terminal cell. `text` is one character wide; the second cell of a wide character has an empty text."""

    text: str = " "
    ink: Ink = PLAIN


class PlotArea(NamedTuple):
    """The area of the data in a picture, in cells, and the scales of its axes."""

    left: int
    top: int
    width: int
    height: int
    x: Scale
    y: Scale

    def column_of(self, value: float) -> int | None:
        """Return the column of the picture for an x value, or None if it is outside."""
        share = self.x.share(value)
        return (
            None if share is None or not 0 <= share <= 1 else self.left + min(self.width - 1, int(share * self.width))
        )

    def row_of(self, value: float) -> int | None:
        """Return the row of the picture for a y value, or None if it is outside. Row 0 is the top of the picture."""
        share = self.y.share(value)
        if share is None or not 0 <= share <= 1:
            return None
        return self.top + self.height - 1 - min(self.height - 1, int(share * self.height))

    def x_at(self, column: int) -> float:
        """Return the x value at the centre of a column of the picture."""
        return self.x.value((column - self.left + 0.5) / self.width)


@dataclass(frozen=True)
class Picture:
    """A finished picture: rows of cells, and the area of its data."""

    rows: tuple[tuple[PictureCell, ...], ...]
    """From the top; all rows have the same width."""
    plot: PlotArea | None = None
    """The area of the data; None for a picture without axes."""

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0

    @property
    def height(self) -> int:
        return len(self.rows)

    @property
    def text(self) -> str:
        """The text without colours and without trailing blanks."""
        return "\n".join("".join(cell.text for cell in row).rstrip() for row in self.rows)


def spans(row: Iterable[PictureCell]) -> Iterable[tuple[str, Ink]]:
    """Split a row into runs of cells with the same ink, as (text, ink)."""
    for ink, cells in groupby(row, key=lambda cell: cell.ink):
        yield "".join(cell.text for cell in cells), ink


class PictureCanvas:
    """A grid of cells to draw on. Drawing outside it is ignored."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self._rows = [[PictureCell()] * self.width for _ in range(self.height)]

    def put(self, column: int, row: int, text: str, ink: Ink = PLAIN) -> None:
        """Write characters that are one cell wide each, from (column, row) to the right."""
        if 0 <= row < self.height:
            line = self._rows[row]
            for index, character in enumerate(text, column):
                if 0 <= index < self.width:
                    self._replace(line, index, PictureCell(character, ink))

    def is_blank(self, column: int, row: int) -> bool:
        """Return whether a cell is blank; a cell outside the canvas is not."""
        return 0 <= row < self.height and 0 <= column < self.width and self._rows[row][column].text == " "

    def is_free(self, column: int, row: int) -> bool:
        """Return whether a cell inside the canvas holds nothing, or only an axis or its grid."""
        cell = self._rows[row][column]
        return cell.text == " " or cell.ink.role is Role.AXIS

    def paste(self, column: int, row: int, rows: Sequence[Sequence[PictureCell]], *, blanks: bool = False) -> None:
        """Copy rows of cells to (column, row); blank cells are skipped unless `blanks` is true."""
        for y, cells in enumerate(rows, row):
            if 0 <= y < self.height:
                for x, cell in enumerate(cells, column):
                    if 0 <= x < self.width and (blanks or cell.text != " "):
                        self._replace(self._rows[y], x, cell)

    def _replace(self, line: list[PictureCell], column: int, cell: PictureCell) -> None:
        """Replace a cell. The other half of a wide character that was there becomes a blank."""
        if line[column].text == "" != cell.text:
            line[column - 1] = PictureCell(" ", line[column - 1].ink)
        line[column] = cell
        if column + 1 < self.width and line[column + 1].text == "":
            line[column + 1] = PictureCell(" ", line[column + 1].ink)

    def picture(self, plot: PlotArea | None = None) -> Picture:
        """Return what was drawn as a picture."""
        return Picture(tuple(map(tuple, self._rows)), plot)
