"""Edits a text of several lines: the Markdown note of a run or an experiment."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from mldeck.ui.kit.text_field import TextBox
from mldeck.ui.kit.titles import title_of


class TextEditorDialog(ModalScreen["str | None"]):
    """A text editor. The result is the text, or None if it was cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "save", priority=True),
        Binding("escape", "cancel", "cancel", priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="note-pane", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            pane.border_subtitle = Content("ctrl+s save · Esc cancel")
            yield TextBox(self._text, id="note-text")

    def action_save(self) -> None:
        self.dismiss(self.query_one(TextBox).whole_text)

    def action_cancel(self) -> None:
        self.dismiss(None)
