"""For widgets that paint themselves line by line: their base style, and notice when their room changes."""

from __future__ import annotations

from collections.abc import Callable

from rich.style import Style
from textual.geometry import Size
from textual.widget import Widget


class Surface:
    """The base style of a widget, and the room that the widget was laid out for last.

    Textual sends no Resize when a scroll bar appears, nor to a widget that comes up, if anything asks for its size before the
    next layout. So the widget also checks its room before it is painted.
    """

    def __init__(self, widget: Widget, lay_out: Callable[[], None]) -> None:
        """`lay_out` arranges the widget for the room that it has now."""
        self._widget = widget
        self._lay_out = lay_out
        self._base: Style | None = None
        self._room: tuple[Size, bool] | None = None
        """Size and whether there is a scroll bar; None while the widget is hidden."""

    @property
    def base(self) -> Style:
        """The style that all others are laid on. Cached: asking Textual for it takes as long as painting a line."""
        if self._base is None:
            self._base = self._widget.rich_style
        return self._base

    def forget_base(self) -> None:
        self._base = None

    @property
    def _present_room(self) -> tuple[Size, bool]:
        return self._widget.size, self._widget.show_vertical_scrollbar

    def note_room(self) -> None:
        """The widget is laid out for the present room."""
        self._room = self._present_room

    def forget_room(self) -> None:
        self._room = None

    def lay_out(self) -> None:
        self.note_room()
        self._lay_out()

    def check_room(self) -> None:
        """Lay the widget out if its room has changed since the last time."""
        if self._room != self._present_room:
            self.lay_out()
