"""One-line widgets: the bar at the top, the tabs of the inspector, and the keys at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from mldeck.format import cell_width, safe
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.keys import key_text
from mldeck.ui.kit.styles import style_named

_LEAST_STORE = 12
"""Cells for the name of the store, before the places are left out for it."""

PLACES = (("1", "Runs", "runs"), ("2", "Models", "models"), ("3", "Compare", "compare"))
"""Key, label and name of each place."""


class TopBar(Widget):
    """What is open, the places, and how the store is: live or not, writable or not, and what is wrong with it."""

    def __init__(self, store: str, place: str, *, id: str | None = None) -> None:
        """`place` is the name of the one that the bar belongs to."""
        super().__init__(id=id)
        self._store = safe(store)
        self._place = place
        self._marked = 0
        self._state = "opening…"
        self._trouble = ""
        self._places_left = 0

    def set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.refresh()

    def set_trouble(self, trouble: str) -> None:
        """What keeps the deck from being up to date; empty when nothing does."""
        if trouble != self._trouble:
            self._trouble = trouble
            self.refresh()

    def show_marked(self, count: int) -> None:
        """How many runs are marked to be compared."""
        if count != self._marked:
            self._marked = count
            self.refresh()

    @property
    def trouble(self) -> str:
        return self._trouble

    def render(self) -> Text:
        width = self.size.width
        right = safe(self._trouble) if self._trouble else self._state
        right = cell_text(right, max(10, width // 2))
        name = " mldeck  "
        places = self._places()
        room = width - len(name) - cell_width(right) - 3
        shows_places = room >= places.cell_len + _LEAST_STORE
        store = cell_text(self._store, max(0, room - (places.cell_len + 2 if shows_places else 0)))
        text = Text(no_wrap=True, end="")
        text.append(name, style_named(self, "name"))
        text.append(store)
        if shows_places:
            centre = (width - places.cell_len) // 2
            last = width - cell_width(right) - places.cell_len - 3
            text.append(" " * max(2, min(centre, last) - text.cell_len))
            self._places_left = text.cell_len
            text.append_text(places)
        text.append(" " * max(1, width - text.cell_len - cell_width(right) - 1))
        text.append(right, style_named(self, "trouble" if self._trouble else "dim"))
        return text

    def _places(self) -> Text:
        text = Text()
        for place in PLACES:
            style = style_named(self, "name" if place[2] == self._place else "dim")
            text.append(self._place_text(*place), style)
        text.rstrip()
        return text

    def _place_text(self, key: str, label: str, name: str) -> str:
        marked = f" ({self._marked})" if name == "compare" and self._marked else ""
        return f"{key} {label}{marked}  "

    async def on_click(self, event: events.Click) -> None:
        left = self._places_left
        for place in PLACES:
            width = len(self._place_text(*place))
            if left <= event.x < left + width:
                await self.run_action(f"app.place({place[2]!r})")
            left += width


class TabBar(Widget):
    """The names of the tabs in one line; the present one stands out."""

    class Chosen(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, names: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._names = names
        self.active = 0

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
    """What can be done here: the bindings of the widget that has the focus, as many as there is room for."""

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
        """Why the screen cannot do it now; it says so when the key is pressed."""
        ask: Callable[[str], str | None] = getattr(self.screen, "unavailable", lambda _: None)
        return ask(action)

    def _shown_bindings(self) -> list[Binding]:
        """Those nearest to the focus first, each action once; before them the way out, if it is one of them."""
        seen: dict[str, Binding] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.show and active.enabled:
                seen.setdefault(binding.action, binding)
        return sorted(seen.values(), key=lambda binding: binding.key != "escape")
