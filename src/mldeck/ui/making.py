"""Widgets that are made when they are first needed."""

from __future__ import annotations

from typing import TypeVar

from textual.widget import AwaitMount, Widget

AnyWidget = TypeVar("AnyWidget", bound=Widget)


async def made(parent: Widget, widget: AnyWidget, *, before: int | None = None) -> AnyWidget:
    """Mount a widget, unless somebody does so already, and wait until all is there that it consists of.

    Until then nothing in it can be found, though the widget can.
    """
    if widget.parent is None:
        parent.mount(widget, before=before)
    await AwaitMount(parent, [widget])
    return widget
