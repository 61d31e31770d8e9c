"""The filter line of a table: text in MLflow's search language, with errors, completions and history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from mldeck.format import cell_width, escaped, safe
from mldeck.search.complete import word_at
from mldeck.search.errors import SearchError
from mldeck.search.language import RUNS, Language
from mldeck.search.parse import parse
from mldeck.search.tree import Node
from mldeck.ui.filter.completer import Candidate
from mldeck.ui.kit.brief_text import BriefText
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.text_field import TextField

_MARK_WIDTH = 8
"""Cells of the label `filter` before the text."""
_HELD = "Enter searches for that word in names"


class CandidateList(Grid, can_focus=False):
    """The completions, below the position where they would be inserted."""

    def __init__(self) -> None:
        super().__init__(id="candidates", has_header=False)
        self.candidates: Sequence[Candidate] = ()
        self.is_chosen = False
        """Whether the user has moved to a candidate. Enter then takes it, instead of applying the filter."""

    def show(self, candidates: Sequence[Candidate], column: int) -> None:
        """Show candidates at a column of the filter line, in cells; hide the list if there are none."""
        self.candidates, self.is_chosen = candidates, False
        self.display = bool(candidates)
        if not candidates:
            self.set_content(0)
            return
        width = min(60, max(cell_width(safe(candidate.text)) for candidate in candidates))
        note = max(cell_width(safe(candidate.note)) for candidate in candidates)
        self.styles.width = width + note + GAP + 3  # the border, and a scrollbar
        self.styles.height = min(8, len(candidates)) + 2
        self.styles.offset = (column, 0)
        self.cursor_row = 0
        self.set_content(len(candidates), (GridColumn("", width), GridColumn("", note)))
        self.scroll_rows_to(0)

    def step(self, rows: int) -> None:
        if self.is_chosen:
            self.move_to((self.cursor_row + rows) % self.row_count)
        self.is_chosen = True
        self._focused = True
        self.repaint()

    @property
    def chosen(self) -> Candidate:
        return self.candidates[self.cursor_row]

    def row_cells(self, row: int) -> Sequence[Cell]:
        candidate = self.candidates[row]
        return Cell(safe(candidate.text)), Cell(safe(candidate.note), "dim")


class FilterLine(Vertical):
    """The line to type a filter. Its messages ask for what needs the store: applying the filter, and finding completions."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "apply", priority=True, tooltip="Apply the filter and go to the table"),
        Binding("escape", "cancel", "cancel", tooltip="Close the completions, or undo the change"),
        Binding("tab", "complete", "complete", priority=True, tooltip="Insert the completion"),
        Binding("down", "step(1)", "next", show=False, tooltip="Next completion, or newer filter"),
        Binding("up", "step(-1)", "previous", show=False, tooltip="Previous completion, or older filter"),
        Binding("ctrl+s", "star", "star", tooltip="Save this filter under a name, or remove it"),
    ]

    @dataclass
    class Changed(Message):
        """Posted when another complete filter has been typed."""

        text: str

    @dataclass
    class Closed(Message):
        """Posted when editing ends with this filter."""

        text: str

    @dataclass
    class CandidatesWanted(Message):
        """Posted to ask for completions. Answered with `show_candidates`, also if there are none."""

        line: FilterLine
        text: str
        cursor: int

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FilterLine.CandidatesWanted)

    @dataclass
    class CheckAsked(Message):
        """Posted to ask which names of a filter no run has. Answered with `show_unknown`."""

        line: FilterLine
        text: str

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, FilterLine.CheckAsked)

    @dataclass
    class StarAsked(Message):
        """Posted to save a filter under a name or, if it is saved, to remove it."""

        text: str

    def __init__(self, language: Language = RUNS) -> None:
        super().__init__(id="filter")
        self._language = language
        self.history: Sequence[str] = ()
        """Filters for the keys up and down, the newest last."""
        self.applied = ""
        """The filter that Esc returns to: the one before editing began."""
        self._past = 0
        """Steps back in the history; 0 for the typed text."""
        self._typed = ""
        """The typed text, while a filter of the history is shown."""
        self._held = ""
        """A filter that is applied only if there are no completions for its last word: see `_typed_something`."""
        self._is_edited = False
        self._error = ""
        """Why the text is malformed, after a pointer at the wrong character; empty if it is not."""
        self._unknown = ""
        """Which names of the filter no run has, and what may have been meant. The filter is valid all the same."""
        self._note = ""
        """What else there is to say while the text is edited."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="filter-row"):
            yield Static("filter", id="filter-mark")
            yield TextField(id="filter-text", select_on_focus=False)
        yield BriefText(id="filter-hint")
        yield CandidateList()

    def on_mount(self) -> None:
        self.display = False
        self._candidate_list.display = False
        self._show_hint()

    @property
    def _input(self) -> TextField:
        return self.query_one("#filter-text", TextField)

    @property
    def _candidate_list(self) -> CandidateList:
        return self.query_one(CandidateList)

    @property
    def text(self) -> str:
        return self._input.text

    def edit(self) -> None:
        """Open the line for typing."""
        self.display = self._is_edited = True
        self.applied = self.text
        self._past = 0
        self.screen.set_focus(self._input)  # at once, so that what is typed next goes there
        self._input.cursor = len(self.text)
        self._judge(self.text)
        self.post_message(self.CandidatesWanted(self, self.text, len(self.text)))

    def set_text(self, text: str) -> None:
        """Show a filter that was not typed here."""
        with self.prevent(Input.Changed):
            self._input.text = text
        self.applied = text
        self._error = self._unknown = self._note = ""
        self._end_editing()
        self.check()

    def check(self) -> None:
        """Ask which names of the filter no run has."""
        if self.text.strip():
            self.post_message(self.CheckAsked(self, self.text))

    def show_unknown(self, text: str, unknown: str) -> None:
        """Show which names of a filter no run has, unless another text is there now. It stays as long as the filter does."""
        if text == self.text:
            self._unknown = unknown
            self._show_hint()

    def show_note(self, text: str, note: str) -> None:
        """Show a note about a filter while it is being typed, unless there is another text, or something worse to say."""
        if text == self.text.strip():
            self._note = note
            self._show_hint()

    def show_candidates(self, text: str, candidates: Sequence[Candidate]) -> None:
        """Show the completions of a text, unless another text has been typed meanwhile."""
        if text != self.text or not (self._is_edited and self._input.has_focus):
            return
        if text == self._held:
            self._held = ""
            if candidates:
                self.show_note(text.strip(), _HELD)
            else:
                self.post_message(self.Changed(text))
        if candidates or self._candidate_list.display:
            column = cell_width(escaped(text[: candidates[0].span[0]])) if candidates else 0
            self._candidate_list.show(candidates, min(_MARK_WIDTH + column, max(0, self.size.width - 30)))

    def _show_hint(self) -> None:
        """Show the most important thing to say below the text. What is wrong stays when the editing ends."""
        wrong = self._error or self._unknown
        hint = self.query_one("#filter-hint", BriefText)
        hint.display = self._is_edited or bool(wrong)
        hint.set_class(bool(wrong), "-error")
        hint.show(wrong or self._note)

    @on(Input.Changed)
    def _typed_something(self, event: Input.Changed) -> None:
        """Apply the filter, unless its last word is bare and may become a field.

        A bare word is searched for in names. As long as typing on or a completion may make it a field, it is applied only on
        Enter, because half a field would empty the table.
        """
        event.stop()
        text, cursor = self.text, self._input.cursor
        self._held = ""
        tree = self._judge(text)
        word = None if tree is None else word_at(tree, cursor)
        if word is not None and self._language.may_become(word):
            self.show_note(text.strip(), _HELD)
        elif word is not None:
            self._held = text
        elif tree is not None:
            self.post_message(self.Changed(text))
        self.post_message(self.CandidatesWanted(self, text, cursor))
        self.check()

    def _judge(self, text: str) -> Node | None:
        """Parse the text. If it is malformed, show the error below the wrong character and return None."""
        tree, self._error, self._note = None, "", ""
        if not text.strip():
            self._unknown = ""
        try:
            tree = parse(text.rstrip(), self._language)
        except SearchError as error:
            column = _MARK_WIDTH + cell_width(escaped(text[: error.position]))
            self._error = _pointed(str(error), column, self.size.width)
        else:
            self._note = "mldeck syntax; MLflow would reject this" if self._language.uses_extension(tree) else ""
        self._show_hint()
        return tree

    # -- keys

    def action_accept(self) -> None:
        if self._candidate_list.display and self._candidate_list.is_chosen:
            self.action_complete()
        elif self._judge(self.text) is not None:
            self._close(self.text)

    def action_cancel(self) -> None:
        """Close the completions that the user has asked for by typing or by moving to one; else undo the change and leave."""
        candidates = self._candidate_list
        is_edited = self.text.strip() and self.text != self.applied
        if candidates.display and (is_edited or candidates.is_chosen):
            candidates.show((), 0)
            return
        self.set_text(self.applied)
        self._close(self.applied)

    def _close(self, text: str) -> None:
        self.applied, self._held = text, ""
        self._candidate_list.show((), 0)
        self._end_editing()
        self.post_message(self.Closed(text))

    def _end_editing(self) -> None:
        self._is_edited = False
        self.display = bool(self.text.strip())
        self._show_hint()

    def action_complete(self) -> None:
        candidates = self._candidate_list
        if not candidates.display:
            return
        candidate = candidates.chosen
        start, end = candidate.span
        self._input.text = self.text[:start] + candidate.text + self.text[end:].lstrip()
        self._input.cursor = start + len(candidate.text)

    def action_step(self, step: int) -> None:
        if self._candidate_list.display and self._past == 0 and (step > 0 or self._candidate_list.is_chosen):
            self._candidate_list.step(step)
            return
        if self._past == 0:
            self._typed = self.text
        self._past = max(0, min(len(self.history), self._past - step))
        self._input.text = self.history[-self._past] if self._past else self._typed
        self._input.cursor = len(self.text)

    def action_star(self) -> None:
        if self.text.strip() and self._judge(self.text) is not None:
            self.post_message(self.StarAsked(self.text.strip()))


def _pointed(message: str, column: int, width: int) -> str:
    """Return the message after a pointer at that column, or before the pointer if there is no room after it."""
    if column + len(message) + 2 <= width:
        return f"{' ' * column}▲ {message}"
    if len(message) + 2 <= column < width:
        return f"{message} ▲".rjust(column + 1)
    return message
