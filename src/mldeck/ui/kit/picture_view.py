"""Shows a picture of the charts, and repaints only what differs from the picture before.

The lines of hundreds of runs have so many colours that a whole picture takes about 100 kB on the line to the terminal. Moving
a cursor should send less than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mldeck.charts.picture import Picture, PictureCell, spans
from mldeck.ui.kit.chart_styles import ink_style
from mldeck.ui.kit.surface import Surface


class PictureView(Widget):
    """A widget that shows a picture. The strips of the picture are made once, when it is first painted."""

    ALLOW_SELECT = False

    class Resized(Message):
        """Posted when the picture has to be drawn for another size."""

    @dataclass
    class Pointed(Message):
        """Posted when a cell of the picture is clicked."""

        view: PictureView
        column: int
        row: int

        @property
        def control(self) -> PictureView:
            return self.view

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.picture: Picture | None = None
        self._surface = Surface(self, self.lay_out)
        self._strips: list[Strip] = []

    def show(self, picture: Picture | None) -> None:
        before, self.picture = self.picture, picture
        if before is None or picture is None or not self._strips or _size(before) != _size(picture):
            self._strips = []
            self.repaint()
            return
        changed = list(changed_rows(before, picture))
        for region in changed:
            self._strips[region.y] = self._strip(picture.rows[region.y])
        if changed:
            self.repaint(*changed)

    def repaint(self, *regions: Region) -> None:
        """Repaint parts of the picture, or all of it if no region is given."""
        self.refresh(*regions)

    def lay_out(self) -> None:
        self.post_message(self.Resized())

    def on_resize(self) -> None:
        self._surface.lay_out()

    def on_hide(self) -> None:
        self._surface.forget_room()

    def render_lines(self, crop: Region) -> list[Strip]:
        self._surface.check_room()
        return super().render_lines(crop)

    def on_click(self, event: events.Click) -> None:
        if self.content_region.contains_point(event.screen_offset):
            place = event.screen_offset - self.content_region.offset
            self.post_message(self.Pointed(self, place.x, place.y))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._surface.forget_base()
        self._strips = []

    @property
    def base(self) -> Style:
        """The style that all others are laid on."""
        return self._surface.base

    def render_line(self, y: int) -> Strip:
        base = self.base
        if self.picture is None or y >= self.picture.height:
            return Strip.blank(self.size.width, base)
        if not self._strips:
            self._strips = [self._strip(row) for row in self.picture.rows]
        return self._strips[y].adjust_cell_length(self.size.width, base)

    def _strip(self, row: Sequence[PictureCell]) -> Strip:
        # Most of a picture is blank. The colour of a blank cannot be seen, but would be sent with each piece.
        base = self.base
        blank = Style(bgcolor=base.bgcolor)
        return Strip(
            [Segment(text, blank if text.isspace() else base + ink_style(self, ink)) for text, ink in spans(row)]
        )


def changed_rows(before: Picture, after: Picture) -> Iterator[Region]:
    """Yield where two pictures of one size differ: a region for each such row, from its first to its last difference.

    One region for a row is enough: for each region, Textual sends the row from the left edge of the widget.
    """
    for y, (old, new) in enumerate(zip(before.rows, after.rows, strict=True)):
        if old != new:
            different = [x for x in range(len(new)) if old[x] != new[x]]
            # One more on either side, so that no half of a wide character stays.
            first, last = max(0, different[0] - 1), min(len(new) - 1, different[-1] + 1)
            yield Region(first, y, last - first + 1, 1)


def _size(picture: Picture) -> tuple[int, int]:
    return picture.width, picture.height
