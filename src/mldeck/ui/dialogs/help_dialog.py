"""All keys, grouped by where they hold; made from the same table as the bindings."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.ui.keys import GROUPS, key_text


class HelpDialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "close", "close"),
        Binding("j", "scroll_help(1)", "down", show=False),
        Binding("k", "scroll_help(-1)", "up", show=False),
    ]

    def compose(self) -> ComposeResult:
        pane = VerticalScroll(Static(_key_table()), id="help", classes="dialog")
        pane.border_title = "Keys"
        pane.border_subtitle = "Esc close"
        yield pane

    def on_mount(self) -> None:
        self.query_one("#help").focus()

    def action_close(self) -> None:
        self.dismiss()

    def action_scroll_help(self, lines: int) -> None:
        self.query_one("#help").scroll_relative(y=lines, animate=False)


def _key_table() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for title, keys in GROUPS:
        table.add_row(Text(title, style="bold"), "")
        for key in keys:
            table.add_row(Text(f"  {key_text(key.keys)}"), Text(key.help))
        table.add_row("", "")
    return table
