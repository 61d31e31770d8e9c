"""The input line of quick find, at the bottom of a screen while it is in use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from mldeck.ui.kit.text_field import TextField


class FindBar(Horizontal):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close(False)", "close", show=False),
        Binding("enter", "close(True)", "go", show=False, priority=True),
        Binding("down,ctrl+n", "step(1)", "next", show=False),
        Binding("up,ctrl+p", "step(-1)", "previous", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Posted when another text is typed."""

        text: str

    @dataclass
    class Stepped(Message):
        """Posted to go to the next match (1) or the previous one (-1)."""

        step: int

    @dataclass
    class Closed(Message):
        """Posted by Enter and Esc."""

        keep: bool
        """Whether the matches stay marked."""

    def compose(self) -> ComposeResult:
        yield Static("/", id="find-mark")
        yield TextField(id="find-text")
        yield Static("", id="find-count", markup=False)

    @property
    def input(self) -> TextField:
        return self.query_one(TextField)

    @on(Input.Changed)
    def _on_input(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self.input.text))

    def show_count(self, text: str) -> None:
        self.query_one("#find-count", Static).update(text)

    def action_step(self, step: int) -> None:
        self.post_message(self.Stepped(step))

    def action_close(self, keep: bool) -> None:
        self.post_message(self.Closed(keep))
