"""The list of all columns that a run table can have: there may be 12,000 of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeGuard

from textual.binding import BindingType
from textual.message import Message

from mldeck.format import Neighbours
from mldeck.model import Column, Kind
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.keys import bindings, key_name
from mldeck.ui.runs.column_draft import ColumnDraft
from mldeck.ui.runs.keys import COLUMN_LIST
from mldeck.ui.state.columns import ATTRIBUTES, DATASETS, NAME, ColumnChoice, label_of

GROUPS: Sequence[tuple[str, Kind | None]] = (
    ("All", None),
    ("Attributes", Kind.ATTRIBUTE),
    ("Metrics", Kind.METRIC),
    ("Params", Kind.PARAM),
    ("Tags", Kind.TAG),
    ("Datasets", Kind.DATASET),
)
_SHOWN_WIDTH, _GROUP_WIDTH, _PIN_WIDTH, _SIZE_WIDTH = 1, 10, 6, 9
_MIN_NAME_WIDTH = 8


class ColumnList(Grid):
    """The name and the shown columns first, in their order; then all others, group by group."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(COLUMN_LIST)

    class Edited(Message):
        """Posted when the draft has changed."""

    class Applied(Message):
        """Posted when the user accepts the draft."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, has_header=False)
        self.draft = ColumnDraft(ColumnChoice(), (), {})
        self.rows: Sequence[Column] = ()
        self.empty_text = "No matching columns."
        self._keys: dict[Kind, Sequence[Column]] = {Kind.ATTRIBUTE: ATTRIBUTES, Kind.DATASET: DATASETS}
        self._group: Kind | None = None
        self._text = ""

    # -- what is listed

    def show(self, draft: ColumnDraft) -> None:
        self.draft = draft
        self.rearrange()
        self.move_to(1)  # behind the name, which can only be resized

    def add_keys(self, kind: Kind, keys: Iterable[str]) -> None:
        """Add all keys of a kind that the database has."""
        columns = (Column(kind, key) for key in keys)
        self._keys[kind] = [column for column in columns if column not in ATTRIBUTES]
        self.rearrange()

    def narrow(self, group: Kind | None, text: str) -> None:
        """List one group (None for all), and only columns that contain the text."""
        self._group, self._text = group, text.lower()
        self.rearrange()
        self.cursor_row = 0
        self.scroll_rows_to(0)

    @property
    def key_count(self) -> int:
        return sum(len(columns) for columns in self._keys.values())

    @property
    def cursor_column_key(self) -> Column | None:
        return self.rows[self.cursor_row] if self.cursor_row < len(self.rows) else None

    def rearrange(self) -> None:
        """List the shown columns first; the cursor stays on its column."""
        cursor = self.cursor_column_key
        shown = self.draft.shown
        others = (column for _, kind in GROUPS if kind for column in self._keys.get(kind, ()))
        rows = [NAME, *shown, *(column for column in others if not self.draft.shows(column))]
        self.rows = [column for column in rows if self._is_listed(column)]
        if cursor in self.rows:
            self.cursor_row = self.rows.index(cursor)
        self.set_content(len(self.rows))
        self._show_cursor()

    def _is_listed(self, column: Column) -> bool:
        if self._group is not None and group_of(column) is not self._group:
            return False
        return self._text in column.key.lower() or self._text in label_of(column).lower()

    # -- the grid

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        others = _SHOWN_WIDTH + _GROUP_WIDTH + _PIN_WIDTH + _SIZE_WIDTH + 4 * GAP
        return (
            GridColumn("", _SHOWN_WIDTH),
            GridColumn(
                "column",
                max(_MIN_NAME_WIDTH, self.line_width - others),
                neighbours=Neighbours(map(label_of, self.rows)),
            ),
            GridColumn("group", _GROUP_WIDTH),
            GridColumn("pinned", _PIN_WIDTH),
            GridColumn("width", _SIZE_WIDTH),
        )

    def row_cells(self, row: int) -> Sequence[Cell]:
        column, draft = self.rows[row], self.draft
        is_shown = draft.shows(column)
        width = draft.widths.get(column)
        return (
            Cell("✓" if is_shown else " ", "good"),
            Cell(label_of(column), "" if is_shown else "dim"),
            Cell(group_of(column).value, "dim"),
            Cell("pinned" if column in draft.pinned else "", "accent"),
            Cell(f"width {width}" if width else "", "dim"),
        )

    def copied_text(self) -> str | None:
        column = self.cursor_column_key
        return column.key if column else None

    # -- editing the draft

    def action_open(self) -> None:
        """A double click shows or hides, like Space; Enter accepts the draft."""
        self.action_show_or_hide()

    def action_apply(self) -> None:
        self.post_message(self.Applied())

    def action_show_or_hide(self) -> None:
        column = self.cursor_column_key
        if self._can_arrange(column):
            self.draft.toggle(column)
            # The row stays in place, so that columns can be toggled one after the other.
            self._edited(rearrange=False)
            self.action_move(1)

    def action_move_column(self, step: int) -> None:
        column = self.cursor_column_key
        if not self._can_arrange(column):
            return
        if self.draft.move(column, step):
            self._edited()
        elif not self.draft.shows(column):
            self.notify(f"Only a shown column can be moved: {key_name('toggle_column')} shows it", timeout=3)

    def action_pin(self) -> None:
        column = self.cursor_column_key
        if self._can_arrange(column):
            self.draft.pin(column)
            self._edited()

    def _can_arrange(self, column: Column | None) -> TypeGuard[Column]:
        """Return whether there is a column that can be hidden, moved and pinned; say so if it is the name."""
        if column == NAME:
            self.notify("The name is always shown, on the left; + and - change its width", timeout=3)
        return column is not None and column != NAME

    def action_resize_column(self, step: int) -> None:
        column = self.cursor_column_key
        if column is not None:
            self.draft.resize(column, step)
            self._edited(rearrange=False)

    def action_fit(self) -> None:
        column = self.cursor_column_key
        if column is not None:
            self.draft.fit(column)
            self._edited(rearrange=False)

    def _edited(self, *, rearrange: bool = True) -> None:
        if rearrange:
            self.rearrange()
        self.repaint()
        self.post_message(self.Edited())


def group_of(column: Column) -> Kind:
    """Return the group of a column. Some attributes are tags, because MLflow stores them so."""
    return Kind.ATTRIBUTE if column in ATTRIBUTES else column.kind
