"""The cells of a row, each made when it is looked at: there may be thousands, of which a few are on screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from mldeck.ui.kit.grid import Cell


class LazyCells(Sequence[Cell]):
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
            return [self[each] for each in range(self._count)[index]]
        place = range(self._count)[index]
        return self._replaced.get(place) or self._make(place)

    def __setitem__(self, index: int, cell: Cell) -> None:
        self._replaced[index] = cell
