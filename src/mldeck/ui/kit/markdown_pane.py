"""Shows a Markdown text that changes with the cursor; hidden while there is none.

It is rendered in the helper process that renders files. Textual's own Markdown widget makes a widget of each paragraph and list
item, and a note of 5,000 characters can then take fifteen seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.binding import BindingType

from mldeck.errors import Interrupted
from mldeck.format import safe
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.keys import LINES, bindings
from mldeck.ui.kit.mounting import after_refresh
from mldeck.ui.kit.threads import read_off_loop

_LONGEST = 100_000
"""Number of characters that are rendered at most."""


class MarkdownPane(Grid):
    BINDINGS: ClassVar[list[BindingType]] = bindings(LINES)
    WHOLE_LINES = True

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = ""
        self._lines_of_text: Sequence[Sequence[Cell]] = ()
        self._width = 0

    def on_mount(self) -> None:
        self.display = bool(self.text)

    def show(self, text: str) -> None:
        self.display = bool(text)
        if text == self.text:
            return
        self.text = text
        self._show_lines(())
        self.cursor_row = 0
        self.scroll_rows_to(0)
        after_refresh(self, self._render_text)  # The panes beside it are painted first.

    def lay_out(self) -> None:
        super().lay_out()
        if self.size.width != self._width:
            self._render_text()

    @work(group="markdown", exclusive=True)
    async def _render_text(self) -> None:
        text, width, height = self.text[:_LONGEST], self.size.width, self.size.height
        self._width = width
        if not text or not width:
            return
        from mldeck.helper import Unanswered  # The helper is loaded with the first note.
        from mldeck.ui.kit.text_styles import rendered_markdown

        cut = "" if len(text) == len(self.text) else f"\n\n… the first {_LONGEST:,} characters of {len(self.text):,}"
        narrower = max(1, width - self.styles.scrollbar_size_vertical)
        try:
            lines = await read_off_loop(lambda interrupt: rendered_markdown(text + cut, width, interrupt.check))
            if len(lines) > height:
                lines = await read_off_loop(lambda interrupt: rendered_markdown(text + cut, narrower, interrupt.check))
        except Interrupted:
            return
        except Unanswered:
            self._show_lines([[Cell(safe(line))] for line in text.splitlines()])
        else:
            self._show_lines([[Cell(*piece) for piece in line] for line in lines])

    def _show_lines(self, lines: Sequence[Sequence[Cell]]) -> None:
        self._lines_of_text = lines
        self.set_content(len(lines))

    def line_cells(self, row: int) -> Sequence[Cell]:
        return self._lines_of_text[row]

    def copied_text(self) -> str | None:
        return self.row_text(self.cursor_row) if self.row_count else None
