"""Patches of widgets: titles, notifications, scroll bars, mounting."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.notifications import Notification
from textual.widget import AwaitMount, Widget

from mldeck.format import cut_middle

# -- titles in borders


class Title(Content):
    """A title in a border, safe to print. If it does not fit, its middle is left out, because titles end in names.

    Relies on the border calling `truncate` to fit a title.
    """

    def truncate(self, max_width: int, *, ellipsis: bool = False, pad: bool = False) -> Content:
        return Content(cut_middle(self.plain, max_width))


def set_border_titles(widget: Widget, title: str, subtitle: str) -> None:
    """Put safe text into a widget's border, and repaint the border only; nothing if the text is there already.

    Setting `border_title` repaints the whole widget, which sends all of a picture over a terminal's line. Relies on the
    attributes in which Textual keeps the two titles. Not needed any more when Textual repaints only the border itself.
    """
    wanted = Title(title), Content(subtitle)
    if (widget.border_title or "", widget.border_subtitle or "") == tuple(text.markup for text in wanted):
        return
    widget._border_title, widget._border_subtitle = wanted
    # Regions are relative to the content, which begins inside the border.
    content, whole = widget.content_offset, widget.outer_size
    top, bottom = -content.y, whole.height - content.y - 1
    widget.refresh(*(Region(-content.x, y, whole.width, 1) for y in (top, bottom)))


# -- notifications

_LEAST_S = 0.1
"""Seconds that a notification is shown at least."""


class LateNotification(Notification):
    """A notification that may expire before it is shown, on a busy machine.

    Textual sets a timer to `time_left`, and a timer over a negative time never returns to the event loop. Relies on
    `Toast` reading `time_left` once and `has_expired` separately.
    """

    @property
    def time_left(self) -> float:
        return max(_LEAST_S, super().time_left)

    @property
    def has_expired(self) -> bool:
        return super().time_left <= 0


# -- scroll bars


def align_scrollbar(widget: Widget) -> None:
    """Set the vertical scroll bar to where the widget is scrolled to. Call it when the bar appears.

    Textual moves the bar only while it is shown: a bar that appears after the widget was scrolled is at the top.
    """
    widget.vertical_scrollbar.position = widget.scroll_y


# -- mounting


async def until_mounted(parent: Widget, widget: Widget) -> None:
    """Wait until a child and everything that it is composed of is mounted, even if another task mounts it.

    Only the caller of `mount` gets an awaitable from Textual. Relies on the constructor of that awaitable.
    """
    await AwaitMount(parent, [widget])
