"""The help: all keys by group, made from the tables that the bindings are made from, and the filter language."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.ui.help.key_groups import GROUPS
from mldeck.ui.kit.keys import key_text

_GENERAL = 2
"""The number of leading groups whose keys work nearly everywhere."""


class HelpDialog(ModalScreen[None]):
    """The keys, those that work here first, and the filter language with examples."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "close", "close"),
        Binding("j", "scroll_help(1)", "down", show=False),
        Binding("k", "scroll_help(-1)", "up", show=False),
    ]

    def __init__(self, here: Collection[str] = ()) -> None:
        """`here` holds the ids of the keys that work where the help was opened."""
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        pane = VerticalScroll(Static(_key_table(self._here)), Static(_language_table()), id="help", classes="dialog")
        pane.border_title = "Keys"
        pane.border_subtitle = "Esc close"
        yield pane

    def on_mount(self) -> None:
        self.query_one("#help").focus()

    def action_close(self) -> None:
        self.dismiss()

    def action_scroll_help(self, lines: int) -> None:
        self.query_one("#help").scroll_relative(y=lines, animate=False)


_LANGUAGE = (
    ("metrics.rmse < 7 AND params.model = 'xgboost'", "clauses joined by AND; text values in quotes"),
    ("metrics.`val/loss` <= 1e-3", "backticks around keys with characters other than letters, digits, _ and ."),
    ("tags.team LIKE 'a%'", "% any text, _ one character; ILIKE ignores case"),
    ("status = 'FINISHED'", "also run_name, run_id, user_id, artifact_uri, start_time, end_time"),
    ("dataset.name = 'train'", "also dataset.digest and dataset.context"),
    ("params.seed IS NULL", "also IS NOT NULL; for params and tags"),
)
_EXTENSIONS = (
    ("(a OR b) AND NOT c", "OR, NOT and parentheses"),
    ("params.lr < 0.1", "params as numbers; values that are not numbers never match"),
    ("metrics.auc IS NOT NULL", "IS NULL and IS NOT NULL for every field"),
    ("duration > 10m", "ms, s, m, h or d"),
    ("start_time > '2d ago'", "also dates: '2026-11-21', '2026-11-21 09:30'"),
    ("status IN ('FAILED', 'KILLED')", "IN, LIKE, NOT LIKE … wherever they make sense"),
    ("candidate", "a bare word: part of the run's name"),
)


def _add_examples(table: Table, title: str, examples: Iterable[tuple[str, str]]) -> None:
    table.add_row(Text(title, style="bold"), "")
    for example, meaning in examples:
        table.add_row(Text(f"  {example}"), Text(meaning))
    table.add_row("", "")


def _key_table(here: Collection[str]) -> Table:
    """Return the keys. Groups that work here come first, the special ones before the general ones."""
    table = _grid()
    general = GROUPS[:_GENERAL]
    special = [group for group in GROUPS[_GENERAL:] if any(key.id in here for key in group[1])]
    others = [group for group in GROUPS[_GENERAL:] if group not in special]
    for title, keys in (*special, *general, *others):
        table.add_row(Text(title, style="bold"), "")
        for key in keys:
            table.add_row(Text(f"  {key_text(key.keys)}"), Text(key.help))
        table.add_row("", "")
    return table


def _language_table() -> Table:
    table = _grid()
    _add_examples(table, "The filter: MLflow's search language", _LANGUAGE)
    _add_examples(table, "mldeck syntax; MLflow would reject this", _EXTENSIONS)
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    return table
