"""Asks for one line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mldeck.format import safe, safe_lines
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.titles import title_of


def _no_problem(_: str) -> str | None:
    return None


class LineDialog(ModalScreen["str | None"]):
    """Asks for one line of text. The result is the text, or None if it was cancelled.

    `problem` returns what is wrong with a text, or None; it is called at every keystroke.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(
        self, title: str, text: str, problem: Callable[[str], str | None] = _no_problem, about: str = ""
    ) -> None:
        """`about` explains what the text is for, if the title does not."""
        super().__init__()
        self._title = title
        self._text = text
        self._problem = problem
        self._about = about

    def compose(self) -> ComposeResult:
        with Vertical(id="name", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            pane.border_subtitle = Content("Enter ok · Esc cancel")
            if self._about:
                yield Static(safe_lines(self._about), id="name-about", markup=False)
            yield TextField(self._text, id="name-text")
            yield Static("", id="name-problem", markup=False)

    @on(Input.Changed)
    def _changed(self) -> None:
        self._has_problem(self._typed)

    @on(Input.Submitted)
    def _done(self) -> None:
        if not self._has_problem(self._typed):
            self.dismiss(self._typed)

    @property
    def _typed(self) -> str:
        return self.query_one(TextField).text

    def _has_problem(self, text: str) -> bool:
        """Show what is wrong with the text, and return whether anything is."""
        problem = self._problem(text)
        self.query_one("#name-problem", Static).update(safe(problem or ""))
        return problem is not None

    def action_cancel(self) -> None:
        self.dismiss(None)
