"""A chart as a value: rows of text with inks, and where in it the data stands.

Whoever shows it turns inks into colours: the deck with those of its theme, a terminal with ANSI sequences, a file with SVG.
Because it knows where the data stands, a crosshair can be laid over it without drawing it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import NamedTuple

from mldeck.charts.scale import Scale

SERIES_COLOURS = 8
"""How many colours there are for series; further ones begin again with the first, and are told apart by their marker."""

SCALE_STEPS = 12
"""How many colours a colour scale has, from the lowest value to the highest."""


class Role(str, Enum):
    TEXT = "text"
    AXIS = "axis"
    """Frames, ticks and their labels."""
    SERIES = "series"
    """`index` is the number of its colour."""
    SCALE = "scale"
    """`index` is the step of the colour scale."""
    WARNING = "warning"
    """Where values are missing: NaN, infinities."""
    ACCENT = "accent"


class Ink(NamedTuple):
    """What a cell is to be painted with, not in which colour."""

    role: Role = Role.TEXT
    index: int = 0  # type: ignore[assignment]  # hides a method of tuples that nobody needs here
    is_faint: bool = False
    """Whether it stands back: the raw line behind the smoothed one, what a brush left out."""
    is_strong: bool = False
    """Whether it stands out: the run under the cursor."""


PLAIN = Ink()


class Cell(NamedTuple):
    """One terminal cell. `text` is one character wide; of a wide character the second cell has an empty text."""

    text: str = " "
    ink: Ink = PLAIN


class PlotArea(NamedTuple):
    """Where in the picture the data stands, in cells, and how values become places."""

    left: int
    top: int
    width: int
    height: int
    x: Scale
    y: Scale

    def column_of(self, value: float) -> int | None:
        """The column of the picture that an x value falls into; None when it is outside."""
        share = self.x.share(value)
        return (
            None if share is None or not 0 <= share <= 1 else self.left + min(self.width - 1, int(share * self.width))
        )

    def row_of(self, value: float) -> int | None:
        """The row of the picture that a y value falls into; None when it is outside. Row 0 is the top of the picture."""
        share = self.y.share(value)
        if share is None or not 0 <= share <= 1:
            return None
        return self.top + self.height - 1 - min(self.height - 1, int(share * self.height))

    def x_at(self, column: int) -> float:
        """The x value in the middle of a column of the picture."""
        return self.x.value((column - self.left + 0.5) / self.width)


@dataclass(frozen=True)
class Picture:
    rows: tuple[tuple[Cell, ...], ...]
    """All of the same width."""
    plot: PlotArea | None = None
    """None for pictures without axes."""

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0

    @property
    def height(self) -> int:
        return len(self.rows)

    @property
    def text(self) -> str:
        """Without colours, and without blanks at the ends of lines."""
        return "\n".join("".join(cell.text for cell in row).rstrip() for row in self.rows)


def spans(row: Iterable[Cell]) -> Iterable[tuple[str, Ink]]:
    """A row as stretches of the same ink."""
    for ink, cells in groupby(row, key=lambda cell: cell.ink):
        yield "".join(cell.text for cell in cells), ink


class Canvas:
    """A picture in the making. What lies outside is cut off."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = max(0, width), max(0, height)
        self._rows = [[Cell()] * self.width for _ in range(self.height)]

    def put(self, column: int, row: int, text: str, ink: Ink = PLAIN) -> None:
        """Writes characters that are one cell wide each, from there to the right."""
        if 0 <= row < self.height:
            line = self._rows[row]
            for index, character in enumerate(text, column):
                if 0 <= index < self.width:
                    line[index] = Cell(character, ink)

    def is_blank(self, column: int, row: int) -> bool:
        """Whether nothing stands there; what lies outside is not blank."""
        return 0 <= row < self.height and 0 <= column < self.width and self._rows[row][column].text == " "

    def is_free(self, column: int, row: int) -> bool:
        """Whether nothing but an axis or its grid stands there."""
        cell = self._rows[row][column]
        return cell.text == " " or cell.ink.role is Role.AXIS

    def paste(self, column: int, row: int, rows: Sequence[Sequence[Cell]], *, blanks: bool = False) -> None:
        """Lays cells over those that are there; blank ones only if asked to."""
        for y, cells in enumerate(rows, row):
            if 0 <= y < self.height:
                for x, cell in enumerate(cells, column):
                    if 0 <= x < self.width and (blanks or cell.text != " "):
                        self._rows[y][x] = cell

    def picture(self, plot: PlotArea | None = None) -> Picture:
        return Picture(tuple(map(tuple, self._rows)), plot)
