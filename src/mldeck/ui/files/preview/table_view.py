"""Previews as tables: the rows of a file, the arrays of a file, the members of an archive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from mldeck.artifacts.previews.values import ArchivePreview, ArrayPreview, TablePreview
from mldeck.format import MISSING, Neighbours, cell_width, safe, size_text
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.full_text import TextAsked
from mldeck.ui.kit.grid import Cell, Grid, GridColumn
from mldeck.ui.kit.keys import TABLE, bindings

_WIDEST = 40
_MEASURED_ROWS = 200
_NUMBERS = frozenset({"integer", "number"})


class TableView(Grid):
    """The first rows of a table, with the types of the columns above the header."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE)

    def __init__(
        self, columns: Sequence[GridColumn], rows: Sequence[Sequence[str | None]], names: Sequence[str]
    ) -> None:
        """`names`: the whole names of the columns."""
        super().__init__(id="preview-table", fixed_columns=0)
        self._rows = rows
        self._names = names
        self.set_content(len(rows), columns)

    @property
    def column_noun(self) -> str:
        return "column"

    def column_name(self, index: int) -> str:
        return self._names[index]

    def row_cells(self, row: int) -> Sequence[Cell]:
        return [Cell(MISSING, "faint") if text is None else Cell(safe(text)) for text in self._rows[row]]

    def copied_text(self) -> str | None:
        return self._rows[self.cursor_row][self.cursor_column] if self.row_count else None

    def action_open(self) -> None:
        """Show the cell in full."""
        text = self.copied_text()
        if text is not None:
            self.post_message(TextAsked(self._names[self.cursor_column], text))


def table_view(preview: TablePreview) -> TableView:
    columns = []
    names = Neighbours(column.name for column in preview.columns)
    for index, column in enumerate(preview.columns):
        name = names.cut(column.name, _WIDEST)
        width = max(cell_width(name), cell_width(cell_text(column.type, _WIDEST)), _values_width(preview.rows, index))
        right = column.type in _NUMBERS or column.type.startswith(("int", "uint", "float", "double"))
        columns.append(
            GridColumn(
                name,
                width,
                right=right,
                group=safe(column.type),
                neighbours=_neighbours(preview.rows, index),
            )
        )
    return TableView(columns, preview.rows, [column.name for column in preview.columns])


def array_view(preview: ArrayPreview) -> TableView:
    rows = []
    for array in preview.arrays:
        shape = MISSING if array.shape is None else " x ".join(map(str, array.shape)) or "a single value"
        rows.append((array.name, array.dtype, shape, "columns" if array.fortran_order else "rows"))
    return _listing(("array", "type", "shape", "order"), rows)


def archive_view(preview: ArchivePreview) -> TableView:
    rows = [
        (member.name, size_text(member.size), None if member.packed_size is None else size_text(member.packed_size))
        for member in preview.members
    ]
    return _listing(("member", "size", "packed"), rows)


def _listing(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> TableView:
    columns = [
        GridColumn(
            name,
            max(len(name), _values_width(rows, index, 2 * _WIDEST)),
            right=name in ("size", "packed"),
            neighbours=_neighbours(rows, index),
        )
        for index, name in enumerate(names)
    ]
    return TableView(columns, rows, names)


def _values_width(rows: Sequence[Sequence[str | None]], index: int, most: int = _WIDEST) -> int:
    """Return the width that the first values of a column need, from 1 to `most` cells."""
    return max((cell_width(cell_text(row[index] or "", most)) for row in rows[:_MEASURED_ROWS]), default=1) or 1


def _neighbours(rows: Sequence[Sequence[str | None]], index: int) -> Neighbours:
    return Neighbours(row[index] or "" for row in rows)


def rows_text(preview: TablePreview) -> str:
    """Return how many rows are shown, and how many there are."""
    shown = len(preview.rows)
    columns = f"{len(preview.columns):,} {'column' if len(preview.columns) == 1 else 'columns'}"
    if preview.is_all:
        return f"{shown:,} {'row' if shown == 1 else 'rows'} · {columns}"
    total = "not counted" if preview.row_count is None else f"{preview.row_count:,} in all"
    return f"first {shown:,} rows, {total} · {columns}"
