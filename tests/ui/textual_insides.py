"""What the tests need of Textual that has no public name.

When a release of Textual changes any of it, this file alone has to follow.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._context import visible_screen_stack
from textual.app import App
from textual.dom import DOMNode
from textual.geometry import Region
from textual.notifications import Notification
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets._toast import Toast

__all__ = [
    "Toast",
    "bound_actions",
    "bound_ids",
    "make_mode",
    "notifications",
    "painted",
    "screen_strips",
    "told",
    "written",
]


def screen_strips(app: App[Any]) -> list[Strip]:
    """The lines of the screen, as they would be painted now."""
    # What is behind a dialog: without it a dialog that is to be painted would be painted, and stay, on nothing.
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips()


def notifications(app: App[Any]) -> list[Notification]:
    """The messages whose time is not over."""
    return list(app._notifications)


def told(app: App[Any]) -> list[str]:
    """The texts of these messages."""
    return [str(each.message) for each in notifications(app)]


def painted(app: App[Any], monkeypatch: pytest.MonkeyPatch) -> list[frozenset[Region]]:
    """For each update of the terminal from now on: the parts of the screen that are sent. The list grows."""
    sent: list[frozenset[Region]] = []
    display = app._display

    def noted(screen: Screen[object], update: Any) -> None:
        if isinstance(update, ChopsUpdate):
            sent.append(frozenset(Region(left, y, right - left, 1) for y, left, right in update.spans))
        elif isinstance(update, LayoutUpdate):
            sent.append(frozenset([update.region]))
        elif update is not None:
            sent.append(frozenset([screen.size.region]))
        display(screen, update)

    monkeypatch.setattr(app, "_display", noted)
    return sent


def written(app: App[Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written to the terminal beside these updates from now on. The list grows."""
    texts: list[str] = []
    assert app._driver is not None
    monkeypatch.setattr(app._driver, "write", texts.append)
    return texts


def make_mode(app: App[Any], name: str) -> Awaitable[object]:
    """Make the screen of a mode without going there."""
    return app._init_mode(name)


def bound_actions(widget: Widget) -> list[str]:
    """The actions of the keys of a widget."""
    return [binding.action for each in widget._bindings.key_to_bindings.values() for binding in each]


def bound_ids(widget_class: type[DOMNode]) -> set[str]:
    """The ids of the keys of a class, with those that it inherits."""
    return {each.id for keys in widget_class._merge_bindings().key_to_bindings.values() for each in keys if each.id}
