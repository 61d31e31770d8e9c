"""Says why what was asked for is not possible. Typed letters end here: they were meant for a question that did not come."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.format import safe_lines

_KEYS, _NOT_USED = "Esc close", "what was typed is not used · Esc close"


class RefusalDialog(ModalScreen[None]):
    """Closed by Esc or Enter alone. An Enter that ends typed text does not close it, because nobody has read it yet."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close"),
        Binding("enter", "end_text", "close"),
    ]

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason
        self._has_text = False
        """Whether something was typed since the last Enter."""

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="refusal", classes="dialog") as pane:
            pane.border_title = "Not possible"
            pane.border_subtitle = Content(_KEYS)
            yield Static(safe_lines(self.reason), markup=False)

    def on_mount(self) -> None:
        self.query_one("#refusal").focus()

    def on_key(self, event: events.Key) -> None:
        if event.is_printable:
            self._note_text()

    def on_paste(self) -> None:
        self._note_text()

    def _note_text(self) -> None:
        self._has_text = True
        self.query_one("#refusal").border_subtitle = Content(_NOT_USED)

    def action_end_text(self) -> None:
        if self._has_text:
            self._has_text = False
        else:
            self.dismiss()

    def action_close(self) -> None:
        self.dismiss()
