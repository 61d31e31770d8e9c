"""Chooses metrics and params by typing a part of their names: one of them, or several in an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from mldeck.format import safe
from mldeck.model import Column
from mldeck.ui.compare.data import axis_name, group_of
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.text_field import TextField

_MOST_ROWS = 20
_GROUP_WIDTH = 14
_MIN_NAME_WIDTH = 8


class AxisList(Grid, can_focus=False):
    """Those that are chosen first, in their order, then all others; of both only what contains the text.

    It never has the focus, which stays with the text that is typed.
    """

    def __init__(self, columns: Sequence[Column], chosen: Sequence[Column]) -> None:
        super().__init__(id="axis-list", has_header=False)
        self.empty_text = "No such metric or param."
        self.chosen = [column for column in chosen if column in columns]
        self.rows: Sequence[Column] = ()
        self._columns = columns
        self._text = ""
        self._focused = True  # looks like it
        self._list_again()

    def narrow(self, text: str) -> None:
        self._text = text.lower()
        self._list_again()

    def _list_again(self) -> None:
        others = [column for column in self._columns if column not in self.chosen]
        self.rows = [column for column in (*self.chosen, *others) if self._text in axis_name(column).lower()]
        self.cursor_row = 0
        self.set_content(len(self.rows))
        self.scroll_rows_to(0)

    @property
    def cursor_axis(self) -> Column | None:
        return self.rows[self.cursor_row] if self.rows else None

    def toggle(self) -> None:
        """Chooses what the cursor is on, behind the others, or not any more. The rows stay, so that one can go on."""
        column = self.cursor_axis
        if column in self.chosen:
            self.chosen.remove(column)
        elif column is not None:
            self.chosen.append(column)
        self.repaint()
        self.action_move(1)

    def move_axis(self, step: int) -> None:
        """Past its neighbour in the order of those chosen."""
        column = self.cursor_axis
        if column is None or column not in self.chosen:
            return
        place = self.chosen.index(column)
        other = max(0, min(place + step, len(self.chosen) - 1))
        self.chosen.insert(other, self.chosen.pop(place))
        self._list_again()
        self.move_to(self.rows.index(column))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        rank_width = len(str(len(self.chosen) + 1))
        room = self.line_width - rank_width - _GROUP_WIDTH - 3 * GAP
        return (
            GridColumn("", rank_width, right=True),
            GridColumn("", max(_MIN_NAME_WIDTH, room)),
            GridColumn("", _GROUP_WIDTH),
        )

    def row_cells(self, row: int) -> Sequence[Cell]:
        column = self.rows[row]
        is_chosen = column in self.chosen
        rank = str(self.chosen.index(column) + 1) if is_chosen else ""
        return (
            Cell(rank, "good"),
            Cell(safe(axis_name(column)), "" if is_chosen else "dim"),
            Cell(group_of(column).value, "dim"),
        )


class AxisDialog(ModalScreen["tuple[Column, ...] | None"]):
    """The result is what was chosen, at least one; None if all is to stay as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("down", "move(1)", "down", priority=True),
        Binding("up", "move(-1)", "up", priority=True),
        Binding("pagedown", "page(1)", "page down", priority=True),
        Binding("pageup", "page(-1)", "page up", priority=True),
        Binding("tab", "toggle_axis", "choose", priority=True),
        Binding("shift+down", "move_axis(1)", "later", priority=True),
        Binding("shift+up", "move_axis(-1)", "earlier", priority=True),
    ]

    def __init__(self, title: str, columns: Sequence[Column], chosen: Sequence[Column] = (), *, many: bool) -> None:
        super().__init__()
        self._title = title
        self._columns = columns
        self._chosen = chosen
        self._many = many

    def compose(self) -> ComposeResult:
        with Vertical(id="axis", classes="dialog") as pane:
            pane.border_title = Content(safe(self._title))
            keys = "Tab choose · ⇧↑↓ order · Enter apply" if self._many else "Enter choose"
            pane.border_subtitle = Content(f"type to search · {keys} · Esc cancel")
            yield TextField(placeholder="a part of the name", id="axis-text")
            axes = AxisList(self._columns, self._chosen)
            axes.styles.height = max(1, min(len(self._columns), _MOST_ROWS))
            yield axes

    @property
    def axis_list(self) -> AxisList:
        return self.query_one(AxisList)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _narrow(self) -> None:
        self.axis_list.narrow(self.query_one(TextField).text)

    @on(Input.Submitted)
    @on(Grid.Opened)
    def _choose(self) -> None:
        column, chosen = self.axis_list.cursor_axis, tuple(self.axis_list.chosen)
        if self._many and chosen:
            self.dismiss(chosen)
        elif column is not None:
            self.dismiss((column,))

    def action_move(self, rows: int) -> None:
        self.axis_list.action_move(rows)

    def action_page(self, pages: int) -> None:
        self.axis_list.action_page(pages)

    def action_toggle_axis(self) -> None:
        if self._many:
            self.axis_list.toggle()

    def action_move_axis(self, step: int) -> None:
        if self._many:
            self.axis_list.move_axis(step)

    def action_cancel(self) -> None:
        self.dismiss(None)
