"""A text in Markdown that changes with the cursor; hidden where there is none.

It is rendered by the helper that renders files: Textual's own widget makes a widget of each paragraph and list item, and a note
of 5,000 characters can then take fifteen seconds.
"""

from __future__ import annotations

from textual import work

from mldeck.errors import Interrupted
from mldeck.format import safe
from mldeck.ui.kit.line_view import ReadyLines
from mldeck.ui.kit.mounting import after_refresh
from mldeck.ui.kit.threads import read_off_loop

_LONGEST = 100_000
"""Characters that are rendered; a note is no book."""


class MarkdownPane(ReadyLines):
    def __init__(self, *, id: str | None = None) -> None:
        super().__init__((), id=id)
        self.text = ""
        self._width = 0

    def on_mount(self) -> None:
        self.display = bool(self.text)

    def show(self, text: str) -> None:
        self.display = bool(text)
        if text == self.text:
            return
        self.text = text
        self.show_lines(())
        self.cursor_row = 0
        self.scroll_rows_to(0)
        after_refresh(self, self._render_text)  # what stands beside it is painted first

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
        from mldeck.helper import Unanswered  # what renders is loaded with the first note
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
            self.show_lines([[(safe(line), "")] for line in text.splitlines()])
        else:
            self.show_lines(lines)
