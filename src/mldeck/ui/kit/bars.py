"""One-line widgets: the bar of tabs, and the key bar at the bottom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from mldeck.ui.kit.keys import Key, character_of, entry_of, key_text
from mldeck.ui.kit.styles import style_named

_MORE_WIDTH = len(" +99 ")


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
    """The keys of the widget that has the focus: the most used ones, as many as there is room for.

    Those for help and for leaving are always in view, at the right, after the number of keys that did not fit.
    """

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Text:
        usual, pinned = self._shown_bindings()
        right = Text.assemble(*map(self._piece, pinned))
        pieces = list(map(self._piece, usual))
        room = self.size.width - right.cell_len
        if sum(piece.cell_len for piece in pieces) > room:
            room -= _MORE_WIDTH
        ends = accumulate(piece.cell_len for piece in pieces)
        fitting = sum(end <= room for end in ends)
        left = Text.assemble(*pieces[:fitting], no_wrap=True, end="")
        if fitting < len(pieces):
            right = Text.assemble((f" +{len(pieces) - fitting} ", style_named(self, "dim")), right)
        left.pad_right(max(0, self.size.width - left.cell_len - right.cell_len))
        return left.append_text(right)

    def _piece(self, binding: Binding) -> Text:
        """Return a key and its label, dimmed if it cannot be used now."""
        dimmed = style_named(self, "faint") if self._unavailable(binding.action) else None
        key_style = style_named(self, "accent") if dimmed is None else dimmed
        return Text.assemble((f" {key_text(binding.key)} ", key_style), (f"{self._label(binding)} ", dimmed or ""))

    def _label(self, binding: Binding) -> str:
        """Return what the key does now, as the screen calls it."""
        ask: Callable[[str, str], str] = getattr(self.screen, "label_now", lambda _, label: label)
        return ask(binding.action, binding.description)

    def _unavailable(self, action: str) -> str | None:
        """Return why the screen cannot do it now; None if it can."""
        ask: Callable[[str], str | None] = getattr(self.screen, "unavailable", lambda _: None)
        return ask(action)

    def _shown_bindings(self) -> tuple[list[Binding], list[Binding]]:
        """Return the bindings to show, each action once, by rank, and the pinned ones.

        Bindings that are in no table are those of a dialog or text field. They come first, Esc before the others.
        """
        focused = self.screen.focused
        seen: dict[str, tuple[Key | None, Binding]] = {}
        for active in self.screen.active_bindings.values():
            binding = active.binding
            # Textual leaves out keys that a text field takes as text, but not those that the settings have changed.
            is_text = focused is not None and focused.check_consume_key(binding.key, character_of(binding.key))
            if binding.show and active.enabled and not is_text:
                seen.setdefault(binding.action, (entry_of(binding), binding))
        ranked = sorted(seen.values(), key=_bar_order)
        usual = [binding for entry, binding in ranked if entry is None or not entry.pinned]
        return usual, [binding for entry, binding in ranked if entry is not None and entry.pinned]


def _bar_order(shown: tuple[Key | None, Binding]) -> tuple[int, bool]:
    entry, binding = shown
    return entry.rank if entry else 0, binding.key != "escape"
