"""Picks items from a list that may be long by typing parts of their names: one, or several in an order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from mldeck.format import safe
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.text_field import TextField
from mldeck.ui.kit.titles import title_of

_MOST_ROWS = 20
_MIN_NAME_WIDTH = 8

AnyItem = TypeVar("AnyItem")


class PickList(Grid, Generic[AnyItem], can_focus=False):
    """The picked items in their order, then all others; of both only those whose names contain every word of the text.

    It never has the focus, which stays in the line for typing.
    """

    def __init__(
        self,
        items: Sequence[AnyItem],
        picked: Sequence[AnyItem],
        name: Callable[[AnyItem], str],
        group: Callable[[AnyItem], str],
    ) -> None:
        super().__init__(id="pick-list", has_header=False)
        self.picked = [item for item in picked if item in items]
        self.rows: Sequence[AnyItem] = ()
        self._items = items
        self._name_of = name
        self._group_of = group
        self._group_width = max((len(group(item)) for item in items), default=0)
        self._words: Sequence[str] = ()
        self._focused = True  # looks like it
        self._list_again()

    def narrow(self, text: str) -> None:
        self._words = text.lower().split()
        self._list_again()

    def _list_again(self) -> None:
        others = (item for item in self._items if item not in self.picked)
        self.rows = [item for item in (*self.picked, *others) if self._matches(self._name_of(item).lower())]
        self.cursor_row = 0
        self.set_content(len(self.rows))
        self.scroll_rows_to(0)

    def _matches(self, name: str) -> bool:
        return all(word in name for word in self._words)

    @property
    def cursor_item(self) -> AnyItem | None:
        return self.rows[self.cursor_row] if self.rows else None

    def toggle(self) -> None:
        """Pick the item under the cursor as the last one, or drop it, and go to the next row. All rows stay in place."""
        item = self.cursor_item
        if item in self.picked:
            self.picked.remove(item)
        elif item is not None:
            self.picked.append(item)
        self.repaint()
        self.action_move(1)

    def move_item(self, step: int) -> None:
        """Move the item under the cursor past its neighbour among the picked ones."""
        item = self.cursor_item
        if item is None or item not in self.picked:
            return
        place = self.picked.index(item)
        other = max(0, min(place + step, len(self.picked) - 1))
        self.picked.insert(other, self.picked.pop(place))
        self._list_again()
        self.move_to(self.rows.index(item))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        rank_width = len(str(len(self.picked) + 1))
        room = self.line_width - rank_width - self._group_width - 3 * GAP
        return (
            GridColumn("", rank_width, right=True),
            GridColumn("", max(_MIN_NAME_WIDTH, room)),
            GridColumn("", self._group_width),
        )

    def row_cells(self, row: int) -> Sequence[Cell]:
        item = self.rows[row]
        is_picked = item in self.picked
        rank = str(self.picked.index(item) + 1) if is_picked else ""
        return (
            Cell(rank, "good"),
            Cell(safe(self._name_of(item)), "" if is_picked else "dim"),
            Cell(self._group_of(item), "dim"),
        )


class PickerDialog(ModalScreen["tuple[AnyItem, ...] | None"], Generic[AnyItem]):
    """The result is the items picked, at least one, in their order; None if the user cancelled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("down", "move(1)", "down", priority=True),
        Binding("up", "move(-1)", "up", priority=True),
        Binding("pagedown", "page(1)", "page down", priority=True),
        Binding("pageup", "page(-1)", "page up", priority=True),
        Binding("tab", "pick", "pick", priority=True),
        Binding("shift+down", "move_item(1)", "later", priority=True),
        Binding("shift+up", "move_item(-1)", "earlier", priority=True),
    ]

    def __init__(
        self,
        title: str,
        items: Sequence[AnyItem],
        picked: Sequence[AnyItem] = (),
        *,
        many: bool = False,
        takes_cursor: bool = False,
        name: Callable[[AnyItem], str] = str,
        group: Callable[[AnyItem], str] = lambda _: "",
        no_match: str = "No match.",
    ) -> None:
        """`many`: several may be picked, else Enter takes the item under the cursor. `takes_cursor`: it takes that also
        while the items picked are those that came with the dialog. `name` may be foreign text; `group` stands beside it.
        `no_match` is shown if no name contains what was typed."""
        super().__init__()
        self._title = title
        self._items = items
        self._picked = tuple(item for item in picked if item in items)
        self._many = many
        self._takes_cursor = takes_cursor
        self._name_of = name
        self._group_of = group
        self._no_match = no_match

    def compose(self) -> ComposeResult:
        with Vertical(id="picker", classes="dialog") as pane:
            pane.border_title = title_of(self._title)
            enter = "only this one" if self._takes_cursor else "apply" if self._many else "choose"
            pick = "Tab choose · ⇧↑↓ order · " if self._many else ""
            pane.border_subtitle = Content(f"{pick}Enter {enter} · Esc cancel")
            yield TextField(placeholder="type to narrow the list", id="pick-text")
            rows = PickList(self._items, self._picked, self._name_of, self._group_of)
            rows.empty_text = self._no_match
            rows.styles.height = max(1, min(len(self._items), _MOST_ROWS))
            yield rows

    @property
    def _list(self) -> PickList[AnyItem]:
        return self.query_one(PickList)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _narrow(self) -> None:
        self._list.narrow(self.query_one(TextField).text)

    @on(Input.Submitted)
    @on(Grid.Opened)
    def _take(self) -> None:
        item, picked = self._list.cursor_item, tuple(self._list.picked)
        if self._many and picked and not (self._takes_cursor and picked == self._picked):
            self.dismiss(picked)
        elif item is not None:
            self.dismiss((item,))

    def action_move(self, rows: int) -> None:
        self._list.action_move(rows)

    def action_page(self, pages: int) -> None:
        self._list.action_page(pages)

    def action_pick(self) -> None:
        if self._many:
            self._list.toggle()

    def action_move_item(self, step: int) -> None:
        if self._many:
            self._list.move_item(step)

    def action_cancel(self) -> None:
        self.dismiss(None)
