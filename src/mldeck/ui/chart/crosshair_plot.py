"""A picture of the charts with a crosshair, of which only what changes is sent.

Textual sends a changed cell together with all that stands left of it in its widget. So the picture is painted by a few narrow
widgets side by side, and a step of the crosshair sends some columns of it, not half of the picture.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from mldeck.charts.picture import Ink, Picture, PictureCell, Role
from mldeck.ui.kit.chart_styles import ink_style
from mldeck.ui.kit.picture_view import PictureView

_SLICES = 4
_NEAR = 4
"""Columns; about as long as it takes to say where the next piece stands, and in which colour."""

_CROSSHAIR = "│"
_CROSSHAIR_INK = Ink(Role.ACCENT)


class PlotSlice(Widget):
    """Some columns of the picture."""

    ALLOW_SELECT = False

    def __init__(self, plot: CrosshairPlot) -> None:
        super().__init__()
        self._plot = plot

    def render_line(self, y: int) -> Strip:
        return self._plot.render_part(y, self.virtual_region)


class CrosshairPlot(PictureView):
    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.crosshair: int | None = None
        """A column of the picture."""
        self._slices = [PlotSlice(self) for _ in range(_SLICES)]

    def compose(self) -> ComposeResult:
        yield from self._slices

    def show(self, picture: Picture | None, crosshair: int | None = None) -> None:
        # Names may be in a picture without axes. Other slices for each would be laid out anew, and all be painted again.
        is_cut = picture is None or picture.plot is not None or not _has_wide(picture)
        for each in self._slices[1:]:
            each.display = is_cut
        if self.crosshair is not None and _area(picture) != _area(self.picture):
            self._strips = []
        super().show(picture)
        self.set_crosshair(crosshair)

    def set_crosshair(self, column: int | None) -> None:
        """Draws nothing anew: only the column that it leaves and the one that it goes to are painted."""
        area = _area(self.picture)
        if column != self.crosshair:
            columns = sorted(each for each in (self.crosshair, column) if each is not None)
            self.crosshair = column
            if area is not None:
                # Each region of a line is sent by itself, from the edge of its slice on: one for both, if they are near.
                are_near = columns[-1] - columns[0] <= _NEAR
                parts = [(columns[0], columns[-1])] if are_near else [(each, each) for each in columns]
                self.repaint(*(Region(left, area.y, right - left + 1, area.height) for left, right in parts))

    def repaint(self, *regions: Region) -> None:
        for each in self._slices:
            place = each.virtual_region
            parts = [part.translate(-place.offset) for part in map(place.intersection, regions) if part]
            if parts or not regions:
                each.refresh(*parts)

    def render_part(self, y: int, place: Region) -> Strip:
        """What stands in a line of a slice."""
        strip, column, area = self.render_line(y), self.crosshair, _area(self.picture)
        is_crossed = area is not None and area.y <= y < area.bottom
        if self.picture is None or column is None or not is_crossed or not place.x <= column < place.right:
            return strip.crop(place.x, place.right)
        cell = Segment(*self._crossed(self.picture.rows[y][column]))
        # Not three strips joined: to make a strip takes longer than to fill it.
        _, before, _, after = Segment.divide(strip, (place.x, column, column + 1, place.right))
        return Strip([*before, cell, *after], place.width)

    def _crossed(self, cell: PictureCell) -> tuple[str, Style]:
        """The curves stay in sight: the crosshair stands in the cells above and below them."""
        is_free = not cell.text.strip() or cell.ink.role is Role.AXIS or cell.ink.is_faint
        text, ink = (_CROSSHAIR, _CROSSHAIR_INK) if is_free else cell
        return text, self.base + ink_style(self, ink) + Style(bold=not is_free or None)


def _has_wide(picture: Picture) -> bool:
    """Whether it has characters that must not be cut in two."""
    return any(not cell.text for row in picture.rows for cell in row)


def _area(picture: Picture | None) -> Region | None:
    """Where the data stands."""
    plot = picture.plot if picture is not None else None
    return None if plot is None else Region(plot.left, plot.top, plot.width, plot.height)
