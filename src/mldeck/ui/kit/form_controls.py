"""Controls for dialogs with several fields: a row of buttons, a check box, and a list that takes the room that is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from mldeck.ui.kit.styles import style_named

_GAP = 2
_HINT = "Enter presses   "
"""Shown before the buttons while they have the focus: a style alone would not tell where Enter goes."""
_SHARE = 0.94
"""Largest share of the height of the screen for a dialog."""


def fit_rows(pane: Widget, rows: Widget, wanted: int, others: int) -> None:
    """Set the height of a list in a dialog so that everything below it stays in sight.

    If there is no room for all of it, the dialog gets the class `-tight`, which leaves out blank lines.
    `wanted`: lines of the list. `others`: lines of everything else in the dialog, borders included.
    """
    fits = wanted + others <= int(pane.app.size.height * _SHARE)
    pane.styles.height = "auto" if fits else f"{_SHARE:.0%}"
    rows.styles.height = wanted if fits else "1fr"
    pane.set_class(not fits, "-tight")


class ButtonBar(Widget, can_focus=True):
    """A row of buttons. One of them is selected; Enter presses it."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "turn(1)", "next", show=False),
        Binding("left", "turn(-1)", "before", show=False),
        Binding("enter", "press", "press", show=False),
    ]

    @dataclass
    class Pressed(Message):
        """Posted when a button is pressed."""

        label: str

    def __init__(self, labels: Sequence[str], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.labels = tuple(labels)
        self.marked = 0

    def show(self, labels: Sequence[str], marked: int = 0) -> None:
        self.labels, self.marked = tuple(labels), marked
        self.refresh()

    def action_turn(self, step: int) -> None:
        self.marked = (self.marked + step) % len(self.labels)
        self.refresh()

    def action_press(self) -> None:
        self.post_message(self.Pressed(self.labels[self.marked]))

    def render(self) -> Text:
        marked = style_named(self, "cursor-cell" if self.has_focus else "cursor-blurred")
        text = Text(no_wrap=True, end="")
        room = max(0, self.size.width - self._width)
        hint = _HINT if self.has_focus and room >= len(_HINT) else ""
        text.append(" " * (room - len(hint)))
        text.append(hint, style_named(self, "dim"))
        for index, label in enumerate(self.labels):
            is_marked = index == self.marked
            text.append(f"[ {label} ]" if is_marked else f"  {label}  ", marked if is_marked else "")
            text.append(" " * _GAP)
        return text

    @property
    def _width(self) -> int:
        return sum(len(label) + 4 + _GAP for label in self.labels)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        left = max(0, self.size.width - self._width)
        for index, label in enumerate(self.labels):
            right = left + len(label) + 4
            if left <= event.x < right:
                self.marked = index
                self.refresh()
                self.action_press()
            left = right + _GAP


class CheckBox(Widget, can_focus=True):
    """A check box with its label."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "tick", "tick", show=False)]

    class Changed(Message):
        """Posted when the box is checked or cleared by the user."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.label = ""
        self.is_on = False

    def show(self, label: str, is_on: bool) -> None:
        self.label, self.is_on = label, is_on
        self.refresh(layout=True)

    def action_tick(self) -> None:
        self.is_on = not self.is_on
        self.refresh()
        self.post_message(self.Changed())

    def get_content_width(self, *_: object) -> int:
        return len(self.label) + 4

    def render(self) -> Text:
        style = style_named(self, "cursor") if self.has_focus else ""
        return Text(f"[{'x' if self.is_on else ' '}] {self.label}", style, no_wrap=True, end="")

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self) -> None:
        self.action_tick()
