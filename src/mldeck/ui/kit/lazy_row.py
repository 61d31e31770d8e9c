"""A row whose cells are made on access: of thousands of columns, few are on screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from mldeck.ui.kit.grid import Cell


class LazyCells(Sequence[Cell]):
    """The cells of a row, by index. Assigning a cell replaces the one that would be made."""

    def __init__(self, count: int, make: Callable[[int], Cell]) -> None:
        self._count, self._make = count, make
        self._replaced: dict[int, Cell] = {}

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Cell: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Cell]: ...

    def __getitem__(self, index: int | slice) -> Cell | Sequence[Cell]:
        if isinstance(index, slice):
            return [self[column] for column in range(self._count)[index]]
        column = range(self._count)[index]
        return self._replaced.get(column) or self._make(column)

    def __setitem__(self, index: int, cell: Cell) -> None:
        self._replaced[index] = cell
