"""One-line widgets: the bar of tabs, and the key bar at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from mldeck.ui.kit.keys import key_text
from mldeck.ui.kit.styles import style_named


class TabBar(Widget):
    """The names of the tabs in one line; the active one is highlighted."""

    @dataclass
    class Chosen(Message):
        """Posted when a tab is clicked."""

        index: int

    def __init__(self, names: Sequence[str], active: int = 0, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names = names
        self.active = active

    def activate(self, index: int) -> None:
        self.active = index
        self.refresh()

    def render(self) -> Text:
        text = Text(no_wrap=True, end="")
        for index, name in enumerate(self._names):
            style = style_named(self, "name") if index == self.active else ""
            text.append(f" {name} ", style)
            text.append(" ")
        return text

    def on_click(self, event: events.Click) -> None:
        left = 0
        for index, name in enumerate(self._names):
            left += len(name) + 3
            if event.x < left:
                self.post_message(self.Chosen(index))
                return


class KeyBar(Widget):
    """The keys of the widget that has the focus, as many as there is room for."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Text:
        key_style = style_named(self, "accent")
        dimmed = style_named(self, "faint")
        text = Text(no_wrap=True, end="")
        for binding in self._shown_bindings():
            key, label = key_text(binding.key), binding.description
            if text.cell_len + len(key) + len(label) + 4 > self.size.width:
                break
            is_dimmed = bool(self._unavailable(binding.action))
            text.append(f" {key} ", dimmed if is_dimmed else key_style)
            text.append(f"{label} ", dimmed if is_dimmed else "")
        return text

    def _unavailable(self, action: str) -> str | None:
        """Return why the screen cannot do it now; None if it can."""
        ask: Callable[[str], str | None] = getattr(self.screen, "unavailable", lambda _: None)
        return ask(action)

    def _shown_bindings(self) -> list[Binding]:
        """Return the bindings to show: Esc first, then those nearest to the focus, each action once."""
        seen: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled:
                seen.setdefault(binding.action, binding)
        return sorted(seen.values(), key=lambda binding: binding.key != "escape")
