"""The bar at the top: the store, the places, and the state of the store."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.widget import Widget

from mldeck.format import cell_width, cut_middle, safe
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.styles import style_named

_LEAST_STORE = 12
"""The fewest cells for the name of the store. With less room, the places are left out."""

PLACES = (("1", "Runs", "runs"), ("2", "Models", "models"), ("3", "Compare", "compare"))
"""Key, label and name of each place."""


class TopBar(Widget):
    """The name of the store, the places, and the state of the store: live or a copy, read-only or not, and its trouble."""

    def __init__(self, store: str, place: str, *, id: str | None = None) -> None:
        """`place` is the name of the place that the bar belongs to."""
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
        """Show why the screen is not up to date; an empty text if it is."""
        if trouble != self._trouble:
            self._trouble = trouble
            self.refresh()

    def show_marked(self, count: int) -> None:
        """Show the number of marked runs."""
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
        store = cut_middle(self._store, max(0, room - (places.cell_len + 2 if shows_places else 0)))
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
