"""Shows JSON and YAML as a tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType

from mldeck.artifacts.previews.values import Tree, TreeMapping, UnquotedScalar
from mldeck.ui.kit.cell_text import cell_text
from mldeck.ui.kit.grid import Cell, Grid
from mldeck.ui.kit.keys import FOLDS, bindings

_UNFOLDED_ROWS = 200
"""Branches are open at first as long as there are no more rows than this."""
_LONGEST = 4_000
"""Characters of a key or a value that are shown at most."""
_DEEPEST_INDENT = 40


@dataclass(eq=False, slots=True)
class _Branch:
    key: str | None
    """Its key; None at the root and in a list."""
    index: int | None
    """Its index in a list; None elsewhere."""
    value: Tree
    depth: int
    is_open: bool = False

    @property
    def children(self) -> list[_Branch]:
        if isinstance(self.value, TreeMapping):
            return [_Branch(key, None, value, self.depth + 1) for key, value in self.value.items]
        if isinstance(self.value, list):
            return [_Branch(None, index, value, self.depth + 1) for index, value in enumerate(self.value)]
        return []

    @property
    def size(self) -> int | None:
        """Number of its children; None for a single value."""
        if isinstance(self.value, TreeMapping):
            return len(self.value.items)
        return len(self.value) if isinstance(self.value, list) else None


class ValueTree(Grid):
    BINDINGS: ClassVar[list[BindingType]] = bindings(FOLDS)
    WHOLE_LINES = True

    def __init__(self, root: Tree) -> None:
        super().__init__(id="preview-tree")
        top = _Branch(None, None, root, 0)
        # A single value has no children: it is shown itself.
        self._branches = [_Branch(child.key, child.index, child.value, 0) for child in top.children] or [top]
        self._unfold_small()
        self.set_content(len(self._branches))

    def _unfold_small(self) -> None:
        """Open branches from the top down, as long as there is room."""
        row = 0
        while row < len(self._branches) and len(self._branches) < _UNFOLDED_ROWS:
            node = self._branches[row]
            if node.size and len(self._branches) + node.size <= _UNFOLDED_ROWS:
                node.is_open = True
                self._branches[row + 1 : row + 1] = node.children
            row += 1

    def line_cells(self, row: int) -> Sequence[Cell]:
        node = self._branches[row]
        mark = ("▾ " if node.is_open else "▸ ") if node.size else "  "
        indented = "  " * min(node.depth, _DEEPEST_INDENT)
        key = f"{node.index}" if node.key is None and node.index is not None else cell_text(node.key or "", _LONGEST)
        name = Cell(key, "dim" if node.key is None else "accent")
        gap = Cell("  " if key else "")
        return Cell(indented + mark, "dim"), name, gap, self._value(node)

    def _value(self, node: _Branch) -> Cell:
        size = node.size
        if size is not None:
            brackets = "{}" if isinstance(node.value, TreeMapping) else "[]"
            return Cell(brackets if not size else f"{brackets[0]}{size:,}{brackets[1]}", "dim")
        text = str(node.value)
        style = "warn" if isinstance(node.value, UnquotedScalar) else ""
        return Cell(cell_text(text, _LONGEST), style)

    def copied_text(self) -> str | None:
        """Return the value; the key or index of a branch that has children."""
        if not self.row_count:
            return None
        node = self._branches[self.cursor_row]
        return str(node.value) if node.size is None else node.key or (None if node.index is None else str(node.index))

    def action_open(self) -> None:
        if self.row_count:
            self._fold(self.cursor_row, not self._branches[self.cursor_row].is_open)

    def action_unfold(self) -> None:
        """Open the branch; if it is open, go to its first child."""
        node = self._branches[self.cursor_row]
        if node.is_open:
            self.action_move(1)
        else:
            self._fold(self.cursor_row, True)

    def action_fold(self) -> None:
        """Close the branch; from anything else, go to its parent."""
        node = self._branches[self.cursor_row]
        if node.is_open:
            self._fold(self.cursor_row, False)
            return
        above = (row for row in range(self.cursor_row - 1, -1, -1) if self._branches[row].depth < node.depth)
        self.move_to(next(above, self.cursor_row))

    def _fold(self, row: int, unfold: bool) -> None:
        node = self._branches[row]
        if not node.size or node.is_open == unfold:
            return
        node.is_open = unfold
        if unfold:
            self._branches[row + 1 : row + 1] = node.children
        else:
            end = row + 1
            while end < len(self._branches) and self._branches[end].depth > node.depth:
                end += 1
            del self._branches[row + 1 : end]
        self.set_content(len(self._branches))
