"""The frame of a chart over two dimensions: axes with ticks, and a cell for every run.

Runs without a finite value on an axis stand outside the frame: below it if they have no y, left of it if they have no
x.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mldeck.charts.dimensions import Dimension
from mldeck.charts.labels import write, write_right
from mldeck.charts.picture import Ink, Picture, PictureCanvas, PlotArea, Role
from mldeck.charts.spots import Spot, Spots
from mldeck.charts.ticks import AxisTick, number_ticks
from mldeck.format import cell_width, cut

_LEAST_WIDTH, _LEAST_HEIGHT = 8, 3
_MOST_LABEL = 14
_ROWS_PER_TICK, _COLUMNS_PER_TICK = 4, 12
_AXIS = Ink(Role.AXIS)
_CURSOR = Ink(Role.ACCENT, is_strong=True)


@dataclass(frozen=True)
class Plane:
    """A pair of axes around a plot area, with an extra row below and a column on the left for runs without a value."""

    x: Dimension
    y: Dimension
    plot: PlotArea

    @property
    def axis_column(self) -> int:
        """The column of the y axis."""
        return self.plot.left - 1

    @property
    def axis_row(self) -> int:
        """The row of the x axis."""
        return self.plot.top + self.plot.height

    def column_of(self, place: float | None) -> int:
        """Return the column for a place on the x axis; None gives the column for runs without an x."""
        if place is None:
            return self.axis_column - 1
        return self.plot.left + min(self.plot.width - 1, int(self.x.share(place) * self.plot.width))

    def row_of(self, place: float | None) -> int:
        """Return the row for a place on the y axis; None gives the row for runs without a y."""
        if place is None:
            return self.axis_row + 1
        return self.axis_row - 1 - min(self.plot.height - 1, int(self.y.share(place) * self.plot.height))

    def spots(self, run_ids: Iterable[str]) -> Spots:
        """Return the cell of each run; the run ids are in the order of the dimensions' values."""
        places = zip(run_ids, self.x.places, self.y.places, strict=True)
        return Spots({run_id: Spot(self.column_of(x), self.row_of(y)) for run_id, x, y in places})

    def point_at(self, picture: Picture, spot: Spot) -> Picture:
        """Return the picture with a cursor at `spot` and an arrow on each axis that points to it."""
        canvas = PictureCanvas(picture.width, picture.height)
        canvas.paste(0, 0, picture.rows, blanks=True)
        below = picture.rows[self.axis_row]
        for column in (spot.column, spot.column + 1):
            # The axis line holds the name of the axis: never leave half of a wide character.
            if column < picture.width and not below[column].text:
                canvas.put(column - 1, self.axis_row, "  ")
        canvas.put(self.axis_column, spot.row, "▶", _CURSOR)
        canvas.put(spot.column, self.axis_row, "▲", _CURSOR)
        canvas.put(*spot, "◆", _CURSOR)
        return canvas.picture(picture.plot)


@dataclass(frozen=True)
class PlanePicture:
    """A chart of runs over two dimensions, and the cell of each run in it."""

    picture: Picture
    spots: Spots = field(default_factory=lambda: Spots({}))
    """The cells of the runs that were drawn."""
    problem: str = ""
    """Why there is no chart, as a sentence; the picture says it too."""
    _plane: Plane | None = None

    def highlighted(self, run_id: str) -> Picture:
        """Return the picture with the cursor on this run; the plain picture if the run was not drawn."""
        spot = self.spots.spot_of(run_id)
        if spot is None or self._plane is None:
            return self.picture
        return self._plane.point_at(self.picture, spot)


def draw_plane(canvas: PictureCanvas, x: Dimension, y: Dimension, *, right: int = 0, below: int = 0) -> Plane | None:
    """Draw the axes on `canvas`, leaving `right` columns beside and `below` rows under the frame.

    Return None if the canvas is too small.
    """
    top, height = 1, canvas.height - 3 - bool(y.missing) - below
    y_ticks = _ticks(y, height // _ROWS_PER_TICK)
    label_width = min(_MOST_LABEL, max(map(cell_width, [*(tick.text for tick in y_ticks), y.missing]), default=0))
    left = label_width + 2 + 2 * bool(x.missing)
    width = canvas.width - left - right
    if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
        return None
    plane = Plane(x, y, PlotArea(left, top, width, height, x.scale, y.scale))
    write(canvas, 0, 0, f"↑ {y.name}", Ink(), canvas.width - right)
    _draw_y_axis(canvas, plane, y_ticks, label_width)
    _draw_x_axis(canvas, plane)
    return plane


def _draw_y_axis(canvas: PictureCanvas, plane: Plane, ticks: tuple[AxisTick, ...], width: int) -> None:
    for row in range(plane.plot.top, plane.axis_row):
        canvas.put(plane.axis_column, row, "│", _AXIS)
        if plane.x.missing:
            canvas.put(plane.axis_column - 2, row, "┊", _AXIS)
    taken: set[int] = set()
    for place, text in ticks:
        row = plane.row_of(place)
        if row not in taken:
            taken.add(row)
            canvas.put(plane.axis_column, row, "┤", _AXIS)
            write_right(canvas, width, row, cut(text, width), _AXIS)
    if plane.y.missing:
        write_right(canvas, width, plane.axis_row + 1, cut(plane.y.missing, width), Ink(Role.WARNING))


def _draw_x_axis(canvas: PictureCanvas, plane: Plane) -> None:
    row, left, width = plane.axis_row, plane.axis_column, plane.plot.width
    canvas.put(left, row, "└" + "─" * width, _AXIS)
    labels = row + 1 + bool(plane.y.missing)
    if plane.x.missing:
        write_right(canvas, left, labels, cut(plane.x.missing, left), Ink(Role.WARNING))
    ticks = _ticks(plane.x, width // _COLUMNS_PER_TICK)
    first = left + bool(plane.x.missing)
    free, most = first, width // max(1, len(ticks))
    for place, text in ticks:
        column, shown = plane.column_of(place), cut(text, most)
        size = cell_width(shown)
        start = max(first, min(column - size // 2, left + 1 + width - size))
        if start >= free:
            canvas.put(column, row, "┬", _AXIS)
            write(canvas, start, labels, shown, _AXIS)
            free = start + size + 1
    name = f" {cut(plane.x.name, width // 2)} →"
    write_right(canvas, left + 1 + width, row, name)


def _ticks(axis: Dimension, most: int) -> tuple[AxisTick, ...]:
    if not axis.is_numeric:
        return tuple(AxisTick(place, text) for place, text in axis.marks)
    return number_ticks(axis.scale, max(2, most)) if axis.numbers else ()
