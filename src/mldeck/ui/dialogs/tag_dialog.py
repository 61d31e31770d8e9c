"""A tag to set: its key and its value."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mldeck.format import safe


class TagDialog(ModalScreen["tuple[str, str] | None"]):
    """The result is key and value, or None if nothing is to be set."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, title: str, key: str = "", value: str = "") -> None:
        super().__init__()
        self._title = title
        self._key = key
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(id="tag", classes="dialog") as pane:
            pane.border_title = Content(safe(self._title))
            pane.border_subtitle = Content("Tab next · Enter set · Esc cancel")
            yield Static("key")
            yield self._line("tag-key", self._key)
            yield Static("value")
            yield self._line("tag-value", self._value)

    def _line(self, id: str, text: str) -> Input:
        line = Input(text, id=id, compact=True)
        line.cursor_blink = False
        return line

    @on(Input.Submitted, "#tag-key")
    def _to_value(self) -> None:
        self.query_one("#tag-value").focus()

    @on(Input.Submitted, "#tag-value")
    def _done(self) -> None:
        key = self.query_one("#tag-key", Input).value
        if key:
            self.dismiss((key, self.query_one("#tag-value", Input).value))
        else:
            self.query_one("#tag-key").focus()

    def action_cancel(self) -> None:
        self.dismiss(None)
