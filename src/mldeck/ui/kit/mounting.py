"""Widgets that are mounted when they are first needed, and may be gone when a callback reaches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual.widget import Widget

from mldeck.ui.textual_patches.widgets import until_mounted

AnyWidget = TypeVar("AnyWidget", bound=Widget)


async def made(parent: Widget, widget: AnyWidget, *, before: int | None = None) -> AnyWidget:
    """Mount a widget unless it is being mounted already, and wait until its children are mounted too.

    Until then a query finds the widget, but nothing in it.
    """
    if widget.parent is None:
        parent.mount(widget, before=before)
    await until_mounted(parent, widget)
    return widget


def after_refresh(widget: Widget, callback: Callable[[], object]) -> None:
    """Call a function once the screen has been painted, unless the widget is gone by then: its dialog may be closed."""

    def call() -> object:
        # A screen that is being removed is attached to the end, and is not displayed from the beginning.
        is_there = widget.is_mounted and widget.is_attached and widget.screen.display
        return callback() if is_there else None

    widget.call_after_refresh(call)
