"""A picture of half blocks: two colours in each cell."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from mldeck.artifacts.previews.values import RGB, ImagePreview


class ImageView(Widget, can_focus=True):
    ALLOW_SELECT = False

    class Resized(Message):
        """The picture does not fit the room any more, or there is room for more of it."""

    def __init__(self, preview: ImagePreview) -> None:
        super().__init__(id="preview-image")
        self.preview = preview
        self._room: tuple[int, int] | None = None

    def on_resize(self, event: events.Resize) -> None:
        room = (event.size.width, event.size.height)
        if self._room is not None and room != self._room:
            self.post_message(self.Resized())
        self._room = room

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        rows = self.preview.rows
        if y >= len(rows):
            return Strip.blank(self.size.width, base)
        cells = rows[y]
        segments = [Segment("▀", _style(top, bottom)) for top, bottom in cells]
        return Strip(segments, len(segments)).simplify().adjust_cell_length(self.size.width, base)


def _style(top: RGB, bottom: RGB) -> Style:
    return Style(color=Color.from_rgb(*top), bgcolor=Color.from_rgb(*bottom))


def picture_text(preview: ImagePreview) -> str:
    frames = f" · {preview.frames:,} frames" if preview.frames and preview.frames > 1 else ""
    return f"{preview.width:,} x {preview.height:,} · {preview.mode}{frames}"
