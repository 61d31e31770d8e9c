"""A picture with a crosshair. Only the cells that change are sent to the terminal.

Textual sends a changed cell together with everything left of it in its widget. So the picture is painted by a few narrow
widgets side by side: a step of the crosshair then sends a few columns, not half of the picture.
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
"""Distance in columns up to which two columns are sent as one region. Moving the terminal's cursor and setting the colour costs
about as many bytes."""

_CROSSHAIR = "│"
_CROSSHAIR_INK = Ink(Role.ACCENT)


class PlotSlice(Widget):
    """A part of the columns of the picture."""

    ALLOW_SELECT = False

    def __init__(self, plot: CrosshairPlot) -> None:
        super().__init__()
        self._plot = plot

    def render_line(self, y: int) -> Strip:
        return self._plot.render_part(y, self.virtual_region)


class CrosshairPlot(PictureView):
    """A picture view that consists of slices side by side, and draws a vertical line over the picture."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.crosshair: int | None = None
        """The column of the picture that it is in; None if there is none."""
        self._slices = [PlotSlice(self) for _ in range(_SLICES)]

    def compose(self) -> ComposeResult:
        yield from self._slices

    def show(self, picture: Picture | None, crosshair: int | None = None) -> None:
        # A picture without axes may have names with wide characters, which must not be cut in two: one slice shows it all.
        # Slices of other widths for each picture would be laid out and painted again.
        is_cut = picture is None or picture.plot is not None or not _has_wide(picture)
        for plot_slice in self._slices[1:]:
            plot_slice.display = is_cut
        if self.crosshair is not None and _area(picture) != _area(self.picture):
            self._strips = []
        super().show(picture)
        self.set_crosshair(crosshair)

    def set_crosshair(self, column: int | None) -> None:
        """Move the crosshair. Only the column that it leaves and the one that it goes to are painted."""
        area = _area(self.picture)
        if column != self.crosshair:
            columns = sorted(place for place in (self.crosshair, column) if place is not None)
            self.crosshair = column
            if area is not None:
                # Each region of a line is sent on its own, from the left edge of its slice: take one for both if they are near.
                are_near = columns[-1] - columns[0] <= _NEAR
                parts = [(columns[0], columns[-1])] if are_near else [(place, place) for place in columns]
                self.repaint(*(Region(left, area.y, right - left + 1, area.height) for left, right in parts))

    def repaint(self, *regions: Region) -> None:
        for plot_slice in self._slices:
            place = plot_slice.virtual_region
            parts = [part.translate(-place.offset) for part in map(place.intersection, regions) if part]
            if parts or not regions:
                plot_slice.refresh(*parts)

    def render_part(self, y: int, place: Region) -> Strip:
        """Return line `y` of the slice that covers the region `place` of the picture."""
        strip, column, area = self.render_line(y), self.crosshair, _area(self.picture)
        is_crossed = area is not None and area.y <= y < area.bottom
        if self.picture is None or column is None or not is_crossed or not place.x <= column < place.right:
            return strip.crop(place.x, place.right)
        cell = Segment(*self._crossed(self.picture.rows[y][column]))
        # Joining three strips would be slower: making a strip takes longer than filling it.
        _, before, _, after = Segment.divide(strip, (place.x, column, column + 1, place.right))
        return Strip([*before, cell, *after], place.width)

    def _crossed(self, cell: PictureCell) -> tuple[str, Style]:
        """Return the text and style of a cell under the crosshair. Cells of a curve keep their text, so curves stay visible."""
        is_free = not cell.text.strip() or cell.ink.role is Role.AXIS or cell.ink.is_faint
        text, ink = (_CROSSHAIR, _CROSSHAIR_INK) if is_free else cell
        return text, self.base + ink_style(self, ink) + Style(bold=not is_free or None)


def _has_wide(picture: Picture) -> bool:
    """Return whether the picture has characters two cells wide."""
    return any(not cell.text for row in picture.rows for cell in row)


def _area(picture: Picture | None) -> Region | None:
    """Return the region of the plot area; None without axes."""
    plot = picture.plot if picture is not None else None
    return None if plot is None else Region(plot.left, plot.top, plot.width, plot.height)
