"""What paints itself line by line: the style that all others are laid on, and the room that there is."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class Based(Widget):
    """Comes behind other widgets among the bases of a class: Textual takes default styles from the first one only."""

    _base: Style | None = None
    _room: tuple[Size, bool] | None = None
    """What it is laid out for; None if that is nothing that can be painted on."""

    @property
    def base(self) -> Style:
        """Asking Textual for it takes as long as painting a line does."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None

    # -- room

    def lay_out(self) -> None:
        """There is more or less room than there was."""

    def note_room(self) -> None:
        """It is laid out for the room that there is now."""
        self._room = self._present_room

    @property
    def _present_room(self) -> tuple[Size, bool]:
        return self.size, self.show_vertical_scrollbar

    def on_resize(self) -> None:
        self.note_room()
        self.lay_out()

    def on_hide(self) -> None:
        self._room = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lay it out before it is painted, where nothing has told of the room: Textual says nothing of a scroll bar, nor of the
        size of what comes up, if anybody asks for that size before it works out where everything is."""
        if self._room != self._present_room:
            self.note_room()
            self.lay_out()
        return super().render_lines(crop)
