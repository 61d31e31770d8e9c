"""A choice of columns that is being edited. The table changes only when it is applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mldeck.model import Column
from mldeck.ui.state.columns import MAX_WIDTH, MIN_WIDTH, NAME, ColumnChoice, ColumnSource, pinned_first

_WIDTH_WHERE_UNKNOWN = 12
"""Cells, for a column that the table does not show."""


class ColumnDraft:
    """Starts with the columns that the table shows. Showing, hiding or moving a column makes the choice a custom one."""

    def __init__(self, choice: ColumnChoice, shown: Sequence[Column], widths: Mapping[Column, int]) -> None:
        """`shown` are the columns of the table after the name, `widths` the present widths of all of them in cells."""
        self.source = choice.source
        self.pinned = list(choice.pinned)
        self.widths = dict(choice.widths)
        self._table_widths = widths
        self._shown: dict[Column, None] = dict.fromkeys(shown)

    @property
    def shown(self) -> tuple[Column, ...]:
        return pinned_first(tuple(self._shown), self.pinned)

    @property
    def count(self) -> int:
        return len(self._shown)

    def shows(self, column: Column) -> bool:
        return column == NAME or column in self._shown

    def toggle(self, column: Column) -> None:
        """Show a column after the others, or hide it. The name is always shown."""
        if column == NAME:
            return
        self.source = ColumnSource.CHOSEN
        if column in self._shown:
            del self._shown[column]
        else:
            self._shown[column] = None

    def move(self, column: Column, step: int) -> bool:
        """Move a column by one place. Return False if it cannot move: pinned columns stay before the others."""
        order = list(self.shown)
        if column not in self._shown:
            return False
        place = order.index(column)
        other = place + step
        if not 0 <= other < len(order) or (order[other] in self.pinned) != (column in self.pinned):
            return False
        order[place], order[other] = order[other], order[place]
        self.source = ColumnSource.CHOSEN
        self._shown = dict.fromkeys(order)
        return True

    def pin(self, column: Column) -> None:
        """Pin a column, which also shows it, or unpin it. The name always stays on the left."""
        if column == NAME:
            return
        if column in self.pinned:
            self.pinned.remove(column)
            return
        self.pinned.append(column)
        if column not in self._shown:
            self.toggle(column)

    def resize(self, column: Column, step: int) -> None:
        width = self.widths.get(column) or self._table_widths.get(column, _WIDTH_WHERE_UNKNOWN)
        self.widths[column] = max(MIN_WIDTH, min(MAX_WIDTH, width + step))

    def fit(self, column: Column) -> None:
        """Let the width follow the values again."""
        self.widths.pop(column, None)

    def use(self, source: ColumnSource, found: Iterable[Column]) -> None:
        """Take the columns of an automatic source; pins and widths stay."""
        self.source = source
        self._shown = dict.fromkeys(ColumnChoice(source, pinned=tuple(self.pinned)).arranged(found))

    def reset(self, found: Iterable[Column]) -> None:
        """Reset to the defaults: the columns that differ, without pins and widths."""
        self.pinned, self.widths = [], {}
        self.use(ColumnSource.DIFFERING, found)

    @property
    def choice(self) -> ColumnChoice:
        columns = self.shown if self.source is ColumnSource.CHOSEN else ()
        return ColumnChoice(self.source, columns, tuple(self.pinned), dict(self.widths))
