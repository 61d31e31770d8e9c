"""The help: all keys by group, made from the tables that the bindings are made from, and the filter language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from mldeck.ui.app_keys import CLOSE_HELP, FIND
from mldeck.ui.help.help_lines import HelpLines
from mldeck.ui.help.sections import LANGUAGE, Section
from mldeck.ui.kit.bars import KeyBar
from mldeck.ui.kit.find_bar import FindBar
from mldeck.ui.kit.finder import Finder
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings

_KEY_BAR = "help-keys"


class HelpDialog(ModalScreen[None]):
    """The keys, and the filter language with examples. It moves and finds as tables do."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(FIND, (CLOSE_HELP,))

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__()
        self._lines = HelpLines([*sections, *LANGUAGE], id="help-lines")
        self._finder = Finder(self, lambda grid, text: grid.find_rows(text))

    def compose(self) -> ComposeResult:
        with Vertical(id="help", classes="dialog") as pane:
            pane.border_title = "Keys"
            yield self._lines
            yield KeyBar(id=_KEY_BAR)

    def on_mount(self) -> None:
        self._lines.focus()

    @on(Grid.Opened)
    def action_close(self) -> None:
        self.dismiss()

    async def action_find(self) -> None:
        await self._finder.open(self._lines, before=_KEY_BAR)

    async def action_find_next(self) -> None:
        await self._finder.step(1)

    async def action_find_previous(self) -> None:
        await self._finder.step(-1)

    async def on_find_bar_changed(self, message: FindBar.Changed) -> None:
        await self._finder.search(message.text)

    async def on_find_bar_stepped(self, message: FindBar.Stepped) -> None:
        await self._finder.step(message.step)

    async def on_find_bar_closed(self, message: FindBar.Closed) -> None:
        await self._finder.close(keep=message.keep)
