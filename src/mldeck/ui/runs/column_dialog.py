"""The dialog for the columns of the run table: which ones, in which order, how wide, and which are pinned."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mldeck.errors import MldeckError
from mldeck.model import Kind
from mldeck.ui.app_keys import HELP
from mldeck.ui.kit.bars import KeyBar, TabBar
from mldeck.ui.kit.keys import bindings
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.kit.titles import title_of
from mldeck.ui.runs.column_draft import ColumnDraft
from mldeck.ui.runs.column_list import GROUPS, ColumnList
from mldeck.ui.runs.column_reading import ColumnReader
from mldeck.ui.runs.keys import COLUMN_DIALOG
from mldeck.ui.state.columns import ColumnChoice, ColumnSource

_SOURCES = (
    (ColumnSource.DIFFERING, "d what differs"),
    (ColumnSource.PRESENT, "a all with values"),
    (ColumnSource.CHOSEN, "custom"),
)


class ColumnDialog(ModalScreen[ColumnChoice | None]):
    """Returns the choice, or None to change nothing. It opens with the columns that are shown now; the keys of the database
    are added when they have been found."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(COLUMN_DIALOG, (HELP,)), Binding("down", "to_list", show=False)]
    AUTO_FOCUS = "#column-list"

    def __init__(self, experiment: str, draft: ColumnDraft, reader: ColumnReader) -> None:
        super().__init__()
        self._experiment = experiment
        self._draft = draft
        self._reader = reader
        self._is_finding = True

    def compose(self) -> ComposeResult:
        with Vertical(id="columns", classes="dialog") as pane:
            pane.border_title = title_of(f"Columns of {self._experiment}")
            with Horizontal(id="column-search"):
                yield Static("/", id="column-mark")
                yield TextField(id="column-text", select_on_focus=False)
            yield TabBar([name for name, _ in GROUPS], id="column-groups")
            yield Static("", id="column-source", markup=False)
            yield ColumnList(id="column-list")
            yield KeyBar(id="column-keys")

    @property
    def column_list(self) -> ColumnList:
        return self.query_one(ColumnList)

    @property
    def line(self) -> TextField:
        return self.query_one("#column-text", TextField)

    def on_mount(self) -> None:
        self.column_list.show(self._draft)
        self._show_state()
        self._find_keys()

    @work(group="keys", exclusive=True)
    async def _find_keys(self) -> None:
        reader = self._reader
        try:
            for kind in (Kind.METRIC, Kind.PARAM, Kind.TAG):
                keys = await read_off_loop(lambda interrupt, kind=kind: reader.keys(kind, interrupt))  # type: ignore[misc]
                self.column_list.add_keys(kind, keys)
        except MldeckError as error:
            self.notify(str(error), severity="warning")
        self._is_finding = False
        self._show_state()

    @on(ColumnList.Edited)
    def _show_state(self) -> None:
        sources = "  ".join(f"{'●' if source is self._draft.source else '○'} {name}" for source, name in _SOURCES)
        self.query_one("#column-source", Static).update(f" {sources}   r reset")
        keys = "finding keys…" if self._is_finding else f"{self.column_list.key_count:,} in total"
        self.query_one("#columns").border_subtitle = Content(f"{self._draft.count:,} shown · {keys}")

    # -- what is listed

    @on(Input.Changed)
    def _list_again(self) -> None:
        _, group = GROUPS[self.query_one(TabBar).active]
        self.column_list.narrow(group, self.line.text)

    @on(TabBar.Chosen)
    def _choose_group(self, message: TabBar.Chosen) -> None:
        self.query_one(TabBar).activate(message.index)
        self._list_again()

    def action_group(self, step: int) -> None:
        bar = self.query_one(TabBar)
        bar.activate((bar.active + step) % len(GROUPS))
        self._list_again()

    def action_search(self) -> None:
        self.line.focus()

    @on(Input.Submitted)
    def action_to_list(self) -> None:
        self.column_list.focus()

    # -- the sources

    @work(group="source", exclusive=True)
    async def action_use(self, name: str) -> None:
        """Take all columns of a source. `default` takes those that differ, and resets pins and widths."""
        reader, draft = self._reader, self._draft
        source = ColumnSource.DIFFERING if name == "default" else ColumnSource(name)
        try:
            found = await read_off_loop(lambda interrupt: reader.found(source, interrupt))
        except MldeckError as error:
            self.notify(str(error), severity="warning")
            return
        if name == "default":
            draft.reset(found)
        else:
            draft.use(source, found)
        self.column_list.rearrange()
        self._show_state()

    # -- leaving

    @on(ColumnList.Applied)
    def _accept(self) -> None:
        self.dismiss(self._draft.choice)

    def action_back(self) -> None:
        """End the search; outside the search, close the dialog without changes."""
        if self.line.text or self.line.has_focus:
            self.line.text = ""
            self.column_list.focus()
        else:
            self.dismiss(None)
