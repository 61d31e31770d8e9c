"""Shows a picture, which scrolls if it is larger than the view.

It is drawn as the terminal can, or else as half blocks, with two colours in each cell.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events, work
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mldeck.artifacts.previews.values import RGB, ImagePreview
from mldeck.ui.files.keys import PICTURE
from mldeck.ui.files.preview.kitty_picture import KittyPicture
from mldeck.ui.files.preview.painted_picture import paint_commands, uncovered
from mldeck.ui.kit.graphics import Graphics, Way, graphics_of
from mldeck.ui.kit.keys import bindings
from mldeck.ui.kit.threads import in_thread

_MIDDLE = (0.5, 0.5)
_QUIET_S = 0.05
"""Seconds without a repaint before a picture is painted over the cells."""


class ImageView(ScrollView, can_focus=True):
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = bindings(PICTURE)

    class Resized(Message):
        """Posted when the view has another size, for which the picture has to be read again."""

    @dataclass
    class ZoomAsked(Message):
        """Posted when the picture is wanted in another size."""

        zoom: int
        """Steps larger than the size at which the picture opens."""

    def __init__(self, preview: ImagePreview, before: ImageView | None = None) -> None:
        """`before`: the view of the same picture in another size; the middle of the view stays the same."""
        super().__init__(id="preview-image")
        self.preview = preview
        self.virtual_size = Size(*preview.size)
        self._graphics: Graphics | None = None
        self._kitty: KittyPicture | None = None
        self._unpainted = Region()
        """The part of the view in which Textual has written over a picture that is painted."""
        self._centre = None if before is None else before.centre
        self._room: Size | None = None

    def on_mount(self) -> None:
        graphics = self._graphics = graphics_of(self.app)
        if self.preview.tiles is not None and graphics is not None and graphics.way is Way.KITTY:
            self._kitty = KittyPicture(self.preview.tiles, graphics.write)
            # The program that had the terminal may have cleared it.
            self.app.app_resume_signal.subscribe(self, lambda _: self._draw_again())

    def on_unmount(self) -> None:
        if self._kitty is not None:
            self._kitty.remove()

    def _draw_again(self) -> None:
        if self._kitty is not None:
            self._kitty.remove()
            self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.preview.tiles is not None and self._kitty is None:
            self._unpainted = self._unpainted.union(crop) if self._unpainted else crop
            self._paint()
        return super().render_lines(crop)

    @work(group="paint", exclusive=True)
    async def _paint(self) -> None:
        """Paint what Textual has written over, once it has been quiet for a moment.

        Nothing is painted below a dialog and below what else lies on the view: when it goes, the cells are written again.
        """
        await asyncio.sleep(_QUIET_S)
        tiles, graphics = self.preview.tiles, self._graphics
        if tiles is None or graphics is None or not self._is_in_front:
            return
        sixel_cell = graphics.cell_pixels if graphics.way is Way.SIXEL else None
        commands = await in_thread(paint_commands, tiles, self._parts_to_paint(), sixel_cell)
        if self._is_in_front:
            self._unpainted = Region()
            graphics.write(commands)

    @property
    def _is_in_front(self) -> bool:
        return self.is_attached and self.is_on_screen and self.app.screen is self.screen

    def _parts_to_paint(self) -> list[tuple[Region, Region]]:
        """Return the regions to paint: where they are in the picture, and where on the screen."""
        room = self.scrollable_content_region
        picture = Region(0, 0, *self.virtual_size).translate(room.offset - self.scroll_offset)
        damage = self._unpainted.translate(self.region.offset).intersection(room).intersection(picture)
        seen = damage.intersection(self.screen.find_widget(self).visible_region)
        covers = [widget.region for widget in self.screen.query("Toast, Tooltip") if widget.display]
        return [(place.translate(-picture.offset), place) for place in uncovered(seen, covers) if place]

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the view, as shares of the picture's width and height."""
        (left, top), size, whole = self.scroll_offset, self.size, self.virtual_size
        if not whole.area:
            return _MIDDLE
        return (left + size.width / 2) / whole.width, (top + size.height / 2) / whole.height

    def on_resize(self, event: events.Resize) -> None:
        room = self.outer_size  # Scroll bars do not count: the picture stays as it is when they come or go.
        if self._room is None and self._centre is not None:
            across, down = self._centre
            left = across * self.virtual_size.width - self.size.width / 2
            top = down * self.virtual_size.height - self.size.height / 2
            self.scroll_to(round(left), round(top), animate=False, immediate=True, force=True)
        elif self._room is not None and room != self._room:
            self.post_message(self.Resized())
        self._room = room

    def action_zoom(self, step: int) -> None:
        """Zoom in (1) or out (-1), or to the size at which the picture opens (0)."""
        preview = self.preview
        least, most = preview.zooms
        zoom = preview.zoom + step if step else 0
        if zoom == preview.zoom and not step:
            self.scroll_home(animate=False)
        elif least <= zoom <= most:
            self.post_message(self.ZoomAsked(zoom))
        else:
            self.notify("This is the largest size" if step > 0 else "All of the picture is in view", timeout=2)

    def render_line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        left, top = self.scroll_offset
        if self._kitty is not None:
            return self._kitty.strip(y + top, left, width, base)
        if self.preview.tiles is not None:
            return Strip.blank(width, base)
        rows = self.preview.rows
        if y + top >= len(rows):
            return Strip.blank(width, base)
        cells = rows[y + top][left : left + width]
        segments = [Segment("▀", _style(above, below)) for above, below in cells]
        return Strip(segments, len(segments)).simplify().adjust_cell_length(width, base)


def _style(top: RGB, bottom: RGB) -> Style:
    return Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*bottom))


def picture_text(preview: ImagePreview) -> str:
    frames = f" · {preview.frames:,} frames" if preview.frames and preview.frames > 1 else ""
    scale = f" · at {100 * preview.scale:.0f} %" if preview.size[1] and preview.zoom != preview.zooms[0] else ""
    return f"{preview.width:,} x {preview.height:,} · {preview.mode}{frames}{scale}"
