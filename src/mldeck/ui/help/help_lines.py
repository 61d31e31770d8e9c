"""The lines of the help: sections of two columns, whose right one is wrapped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from mldeck.format import cell_width
from mldeck.ui.help.sections import Section
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.line_view import indent

_MARGIN = 2
"""Blank cells before a key, and between it and its meaning."""


class HelpLines(Grid):
    """Scrolls and searches like a table. The column of keys is as wide as the widest key of its section."""

    def __init__(self, sections: Sequence[Section], *, id: str) -> None:
        super().__init__(id=id, has_header=False)
        self._sections = sections
        self._rows: Sequence[tuple[Sequence[Cell], str]] = ()
        """The cells of each row, and the text that find looks through: all of an entry at its first row."""

    def lay_out(self) -> None:
        # The scroll bar has its place also when it is not shown.
        self._rows = list(self._wrapped(self.size.width - self.styles.scrollbar_size_vertical))
        self.row_count = len(self._rows)
        super().lay_out()

    def _wrapped(self, width: int) -> Iterator[tuple[Sequence[Cell], str]]:
        for index, section in enumerate(self._sections):
            if index:
                yield (), ""
            yield [Cell(section.title, "name")], section.title
            key_width = max((cell_width(keys) for keys, _ in section.entries), default=0)
            meaning_width = max(_MARGIN, width - key_width - 2 * _MARGIN)
            for keys, meaning in section.entries:
                first, *others = [line.plain.rstrip() for line in Content(meaning).wrap(meaning_width)]
                left = " " * _MARGIN + indent(keys, key_width + _MARGIN)
                yield [Cell(left, "accent"), Cell(first)], f"{keys} {meaning}"
                for line in others:
                    yield [Cell(" " * cell_width(left)), Cell(line)], ""

    def line_cells(self, row: int) -> Sequence[Cell]:
        return self._rows[row][0]

    def row_text(self, row: int) -> str:
        return self._rows[row][1]

    def copied_text(self) -> str | None:
        return self.row_text(self.cursor_row) if self.row_count else None
