"""Asks for a tag to set: key and value."""

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

from mldeck.format import safe
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.titles import title_of


class TagDialog(ModalScreen["tuple[str, str] | None"]):
    """Asks for a tag. The result is key and value, or None if it was cancelled.

    `problem` returns what is wrong with a key and its value, or None; it is called at every keystroke.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, title: str, problem: Callable[[str, str], str | None]) -> None:
        super().__init__()
        self._title = title
        self._problem = problem

    def compose(self) -> ComposeResult:
        with Vertical(id="tag", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            pane.border_subtitle = Content("Tab next · Enter set · Esc cancel")
            yield Static("key")
            yield TextField(id="tag-key")
            yield Static("value")
            yield TextField(id="tag-value", keeps_lines=True)
            yield Static("", id="tag-problem", markup=False)

    @property
    def _tag(self) -> tuple[str, str]:
        return self.query_one("#tag-key", TextField).text, self.query_one("#tag-value", TextField).text

    @on(Input.Changed)
    def _changed(self) -> None:
        self._has_problem()

    @on(Input.Submitted, "#tag-key")
    def _to_value(self) -> None:
        self.query_one("#tag-value").focus()

    @on(Input.Submitted, "#tag-value")
    def _done(self) -> None:
        if not self._has_problem():
            self.dismiss(self._tag)
        elif not self._tag[0]:
            self.query_one("#tag-key").focus()

    def _has_problem(self) -> bool:
        """Show what is wrong with the tag, and return whether anything is."""
        problem = self._problem(*self._tag)
        self.query_one("#tag-problem", Static).update(safe(problem or ""))
        return problem is not None

    def action_cancel(self) -> None:
        self.dismiss(None)
