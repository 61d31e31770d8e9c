"""A text in Markdown that changes with the cursor; hidden where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work
from textual.containers import VerticalScroll

from mldeck.format import safe_lines

if TYPE_CHECKING:
    from textual.widgets import Markdown


class MarkdownPane(VerticalScroll):
    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = ""
        self._markdown: Markdown | None = None
        self._is_filling = False

    def on_mount(self) -> None:
        self.display = bool(self.text)

    def show(self, text: str) -> None:
        self.display = bool(text)
        if text == self.text:
            return
        self.text = text
        self.scroll_home(animate=False)
        if not self._is_filling:
            self._is_filling = True
            self.call_after_refresh(self._fill)  # what stands beside it is painted first

    @work
    async def _fill(self) -> None:
        """One text after the other: what is set before the widget is mounted would be lost."""
        if self._markdown is None:
            from textual.widgets import Markdown  # heavy, and most things have no description

            if not self.is_attached:
                return  # the deck is being closed
            self._markdown = Markdown(open_links=False)
            await self.mount(self._markdown)
        shown = None
        while shown != self.text:
            shown = self.text
            await self._markdown.update(safe_lines(shown))
        self._is_filling = False
