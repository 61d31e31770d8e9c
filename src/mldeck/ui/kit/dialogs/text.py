"""Shows a long text in full, to read, scroll and copy."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.format import safe_lines
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.titles import title_of


class TextDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "close"),
        Binding("y", "copy", "copy"),
        Binding("j", "scroll_text(1)", "down", show=False),
        Binding("k", "scroll_text(-1)", "up", show=False),
        Binding("g", "go_to_edge(0)", "first", show=False),
        Binding("G", "go_to_edge(1)", "last", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        pane = VerticalScroll(Static(safe_lines(self._text), markup=False), id="text", classes="dialog")
        pane.border_title = title_of(self._title)
        pane.border_subtitle = Content("y copy · Esc close")
        yield pane

    def on_mount(self) -> None:
        self.query_one("#text").focus()

    def action_close(self) -> None:
        self.dismiss()

    def action_copy(self) -> None:
        self.post_message(CopyAsked(self._text, "the text"))

    def action_scroll_text(self, lines: int) -> None:
        self.query_one("#text").scroll_relative(y=lines, animate=False)

    def action_go_to_edge(self, share: int) -> None:
        """Go to the top (0) or the bottom (1)."""
        pane = self.query_one("#text")
        pane.scroll_to(y=share * pane.max_scroll_y, animate=False)
