"""A menu of a few choices, each with its letter, and the confirmation made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.format import Neighbours, cell_width, safe, safe_lines
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.titles import title_of

_WIDTH, _MOST_WIDTH = 64, 110
"""The width of the dialog in cells, if the terminal has it: as a rule, and with long choices."""
_FRAME = 4
"""Cells of its border and padding."""


class Choice(NamedTuple):
    value: str
    """The result of the dialog."""
    letter: str
    """Key that picks the choice at once; empty if there is none."""
    label: str
    note: str = ""
    """Shown behind the labels."""


class _ChoiceList(Grid):
    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__(id="choices", has_header=False)
        self._choices = choices
        self._labels = Neighbours(choice.label for choice in choices)
        self._label_width = max(cell_width(safe(choice.label)) for choice in choices)
        self._note_width = max(cell_width(safe(choice.note)) for choice in choices)
        self.set_content(len(choices))

    @property
    def wanted_width(self) -> int:
        """The width in cells in which nothing is cut, with a scroll bar."""
        notes = GAP + self._note_width if self._note_width else 0
        return 1 + GAP + self._label_width + notes + 1

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        room = max(1, self.line_width - 1 - GAP)
        note = min(self._note_width, max(0, room - GAP - self._label_width, room // 2 - GAP))
        label = min(self._label_width, room - GAP - note if note else room)
        columns = GridColumn("", 1), GridColumn("", label, neighbours=self._labels)
        return (*columns, GridColumn("", note)) if note else columns

    def row_cells(self, row: int) -> Sequence[Cell]:
        choice = self._choices[row]
        return Cell(choice.letter, "accent"), Cell(safe(choice.label)), Cell(safe(choice.note), "dim")


class MenuDialog(ModalScreen["str | None"]):
    """A menu. The result is the value of the choice, or None if it was cancelled.

    `text` explains the question. `present` is the value of the choice that is selected first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "cancel")]

    def __init__(self, title: str, choices: Sequence[Choice], text: str = "", *, present: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._text = text
        self._present = present

    def compose(self) -> ComposeResult:
        with Vertical(id="menu", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            pane.border_subtitle = Content("Enter choose · Esc cancel")
            if self._text:
                yield Static(safe_lines(self._text), id="menu-text", markup=False)
            choices = _ChoiceList(self._choices)
            choices.styles.height = min(len(self._choices), 16)
            pane.styles.max_width = max(_WIDTH, min(choices.wanted_width + _FRAME, _MOST_WIDTH))
            yield choices

    def on_mount(self) -> None:
        choices = self.query_one(_ChoiceList)
        choices.focus()
        values = [choice.value for choice in self._choices]
        if self._present in values:
            choices.move_to(values.index(self._present))

    @on(Grid.Opened)
    def _opened(self, message: Grid.Opened) -> None:
        message.stop()
        self.dismiss(self._choices[message.grid.cursor_row].value)

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if choice.letter and event.character == choice.letter:
                event.stop()
                self.dismiss(choice.value)

    def action_cancel(self) -> None:
        self.dismiss(None)


def confirmation(title: str, text: str, verb: str) -> MenuDialog:
    """Ask before something is done. `verb` is the label of "yes"; "no" is selected first, because it is safe."""
    return MenuDialog(title, (Choice("no", "n", "Leave it as it is"), Choice("yes", "y", verb)), text)
