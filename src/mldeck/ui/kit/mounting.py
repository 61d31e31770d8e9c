"""Widgets that are made when they are first needed, and may be gone when they are next looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual.widget import Widget

from mldeck.ui.kit.textual_patches import until_mounted

AnyWidget = TypeVar("AnyWidget", bound=Widget)


async def made(parent: Widget, widget: AnyWidget, *, before: int | None = None) -> AnyWidget:
    """Mount a widget, unless somebody does so already, and wait until all is there that it consists of.

    Until then nothing in it can be found, though the widget can.
    """
    if widget.parent is None:
        parent.mount(widget, before=before)
    await until_mounted(parent, widget)
    return widget


def after_refresh(widget: Widget, callback: Callable[[], object]) -> None:
    """Call once the screen has been painted, unless the widget is gone by then: its dialog may have been left."""

    def call() -> object:
        return callback() if widget.is_mounted and widget.is_attached else None

    widget.call_after_refresh(call)
