"""The legend of a chart: the name of each curve, and its latest value or that at the crosshair."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mldeck.format import MISSING, Neighbours, NumberFormat, cell_width, exact_float_text, number_format, safe
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn

_LEAST_NAME = 6
_LEAST_VALUE = 9
_LINE = "━"
_UNREAD = "…"


class LegendLine(NamedTuple):
    name: str
    """Foreign text."""
    colour: int
    mark: str
    value: float | None
    """None if the curve has no point there."""
    is_hidden: bool = False
    is_read: bool = True


class CurveLegend(Grid, can_focus=False):
    """Never has the focus: the pane of the chart has the keys and moves the cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, has_header=False)
        self.lines: Sequence[LegendLine] = ()
        self.numbers = NumberFormat()
        """The format of the values."""
        self._names = Neighbours()
        self._whole = self._fraction = self._others = 0
        """Cells before the decimal point and from it on, so that numbers align; and cells for values that are no numbers."""
        self._is_aligned = False

    def show(self, lines: Sequence[LegendLine], apart: Iterable[float] = ()) -> None:
        """Show other lines. If the columns stay the same, only the rows that changed are painted.

        `apart` are further numbers that the format of the values has to tell apart.
        """
        before, self.lines = self.lines, lines
        numbers = number_format([*apart, *(line.value for line in lines if line.value is not None)])
        # Never narrower while the lines are the same: the legend would jump with each step of the crosshair.
        is_same = [line.name for line in before] == [line.name for line in lines]
        if not is_same:
            self._names = Neighbours(line.name for line in lines)
        least = (self._whole, self._fraction, self._others) if is_same else (0, 0, 0)
        is_finer = is_same and numbers.grown(self.numbers) != self.numbers
        self.numbers = numbers.grown(self.numbers) if is_same else numbers
        self._whole, self._fraction, self._others = map(max, zip(least, *map(self._widths, lines), strict=True))
        columns = self.fitting_columns()
        if is_finer or len(before) != len(lines) or columns != self.columns:
            self.set_content(len(lines), columns)
        else:
            changed = (row for row, pair in enumerate(zip(before, lines, strict=True)) if pair[0] != pair[1])
            self.repaint_rows(list(changed))

    @property
    def _values(self) -> int:
        return max(self._whole + self._fraction, self._others)

    @property
    def wanted_width(self) -> int:
        """The width in cells in which nothing is cut."""
        names = max((cell_width(safe(line.name)) for line in self.lines), default=0)
        return 4 + GAP + names + GAP + max(_LEAST_VALUE, self._values) + 1

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        marks = 3 if any(line.mark for line in self.lines) else 1
        room = max(0, self.line_width - marks - 2 * GAP)
        names = max((cell_width(safe(line.name)) for line in self.lines), default=0)
        value = min(max(_LEAST_VALUE, self._values), max(_LEAST_VALUE, room - _LEAST_NAME))
        self._is_aligned = self._values <= value  # else padding would be kept and digits cut
        # Values stand right behind the names: at the far end of a wide line they would be hard to follow.
        return (
            GridColumn("", marks),
            GridColumn("", max(0, min(names, room - value)), neighbours=self._names),
            GridColumn("", min(value, room), right=True),
        )

    def row_cells(self, row: int) -> Sequence[Cell]:
        line = self.lines[row]
        if line.is_hidden:
            return Cell(f"{line.mark}  ".lstrip(), "faint"), Cell(safe(line.name), "faint"), Cell("hidden", "faint")
        series = f"series-{line.colour}"
        mark = f"{line.mark} {_LINE}" if line.mark else _LINE
        is_odd = line.value is not None and not math.isfinite(line.value)
        return (
            Cell(mark, series),
            Cell(safe(line.name), series),
            Cell(
                self._value_text(line) + self._padding(line), "warn" if is_odd else "dim" if line.value is None else ""
            ),
        )

    def _padding(self, line: LegendLine) -> str:
        return " " * (self._fraction - self._fraction_width(line)) if self._is_aligned and _is_number(line) else ""

    def row_text(self, row: int) -> str:
        return self.lines[row].name

    def copied_text(self) -> str | None:
        line = self.lines[self.cursor_row] if self.lines else None
        return None if line is None or line.value is None else exact_float_text(line.value)

    def _widths(self, line: LegendLine) -> tuple[int, int, int]:
        """Return the cells before the point, from the point on, and of a value that is no number."""
        width, fraction = len(self._value_text(line)), self._fraction_width(line)
        return (width - fraction, fraction, 0) if _is_number(line) else (0, 0, width)

    def _fraction_width(self, line: LegendLine) -> int:
        """Return the number of cells from the decimal point on."""
        _, point, decimals = self._value_text(line).partition(".") if _is_number(line) else ("", "", "")
        return len(point + decimals)

    def _value_text(self, line: LegendLine) -> str:
        if not line.is_read:
            return _UNREAD
        return MISSING if line.value is None else self.numbers.text(line.value)


def _is_number(line: LegendLine) -> bool:
    return line.is_read and line.value is not None and math.isfinite(line.value)
