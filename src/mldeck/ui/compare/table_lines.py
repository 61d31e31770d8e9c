"""The lines of the table of marked runs, the order of the runs, and the text of each cell. No screen.

A line is a row if runs are columns, and a column if runs are rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

from mldeck.format import (
    MISSING,
    Neighbours,
    Value,
    cell_width,
    duration_text,
    exact_float_text,
    number_format,
    number_of,
    safe,
    sorted_by_value,
)
from mldeck.model import Column, Kind
from mldeck.ui.compare.data import CompareData, Delta, Group, axis_name, best_of, group_of
from mldeck.ui.state.columns import AGE, DURATION, LABELS
from mldeck.ui.state.metric_direction import BEST, best_sign, next_descending

DIFFERENCE = "Δ"
BASELINE = "baseline"
OWN = frozenset({Group.SYSTEM_METRICS, Group.SYSTEM_TAGS})
"""The groups that were not logged on purpose. They are folded until the user unfolds them."""

_LABELS = {AGE: "started"}
"""A longer label than in the run table, because there is room for it and it shows the time."""

_MOST_TEXT = 400
"""The number of characters of a text that are used for the table."""


class SectionHeading(NamedTuple):
    """The heading above the lines of a group."""

    group: Group
    is_open: bool
    shown: int
    """The number of columns shown when the group is open."""
    all: int
    """The number of columns that the group has."""


class TableLine(NamedTuple):
    """The values of a column, or their differences from the baseline."""

    column: Column
    is_difference: bool = False
    """Whether it shows differences from the baseline instead of values."""


CompareRow: TypeAlias = SectionHeading | TableLine


class CompareText(NamedTuple):
    """The text of a cell, safe to print, and the name of its style."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class TableOptions:
    """The user's choices for the table."""

    shows_all: bool = False
    """Whether to show all columns, not only those that differ."""
    folded: frozenset[Group] = OWN
    baseline: str | None = None
    """The id of the run that the others are compared with."""
    sort: Column | None = None
    """The column to sort the runs by; None for the order of marking."""
    descending: bool = False

    def sorted_by(self, column: Column, *, descending_first: bool = False) -> TableOptions:
        """Return options sorted by the column: ascending, then descending, or the other way round, then unsorted."""
        descending = next_descending(self.descending if self.sort == column else None, first=descending_first)
        return replace(self, sort=None if descending is None else column, descending=bool(descending))


class CompareLines:
    """The lines of the table. Texts and widths are computed on demand: there may be thousands of lines and hundreds of runs."""

    def __init__(
        self,
        data: CompareData,
        options: TableOptions = TableOptions(),
        greater_is_better: Mapping[str, bool] | None = None,
        previous: CompareLines | None = None,
    ) -> None:
        """Take over what `previous` has computed for the same runs."""
        self.data = data
        self.options = options
        self.greater_is_better = dict(greater_is_better or {})
        self._places = {run_id: place for place, run_id in enumerate(data.run_ids)}
        self._number_texts: dict[Column, Sequence[str]] = {}
        self._best: dict[Column, float | None] = {}
        self._deltas: dict[Column, Sequence[Delta | None]] = {}
        self._delta_texts: dict[Column, Sequence[str]] = {}
        self._neighbours: dict[TableLine, Neighbours] = {}
        self._widths: dict[TableLine, int] = {}
        if previous is not None and previous.data is data and previous.greater_is_better == self.greater_is_better:
            self._number_texts, self._best = previous._number_texts, previous._best
            is_same = previous.baseline == self.baseline
            if is_same:
                self._deltas, self._delta_texts = previous._deltas, previous._delta_texts
            self._widths = {
                line: width for line, width in previous._widths.items() if is_same or not line.is_difference
            }

    @property
    def baseline(self) -> str | None:
        return self.options.baseline if self.options.baseline in self._places else None

    @cached_property
    def run_ids(self) -> tuple[str, ...]:
        """The runs in the order in which they are shown."""
        column = self.options.sort
        if column is None:
            return self.data.run_ids
        return sorted_runs(self.data, column, descending=self.options.descending)

    @cached_property
    def rows(self) -> tuple[CompareRow, ...]:
        """The rows with the headings of the groups."""
        return tuple(self._rows())

    @cached_property
    def lines(self) -> tuple[TableLine, ...]:
        """The rows without the headings."""
        return tuple(row for row in self.rows if isinstance(row, TableLine))

    def _rows(self) -> Iterator[CompareRow]:
        data = self.data
        by_group: dict[Group, list[Column]] = {}
        for column in data.columns:
            by_group.setdefault(group_of(column), []).append(column)
        for group, columns in by_group.items():
            shown = columns if self.options.shows_all else data.differing_first(columns)
            if not shown:
                continue
            is_open = group not in self.options.folded
            yield SectionHeading(group, is_open, len(shown), len(columns))
            for column in shown if is_open else ():
                yield TableLine(column)
                if self._has_differences(column):
                    yield TableLine(column, is_difference=True)

    def _has_differences(self, column: Column) -> bool:
        """Return whether any run differs from the baseline by a number."""
        if self.baseline is None or column not in self.data.differing or not self.data.is_numeric(column):
            return False
        values = self.data.values(column)
        baseline = number_of(values[self._places[self.baseline]])
        deltas = (Delta.between(baseline, number_of(value)) for value in values)
        return any(delta is not None and delta.difference for delta in deltas)

    # -- cells

    def label(self, line: TableLine) -> str:
        """Return the name shown before or above a line. Foreign text."""
        column = line.column
        if line.is_difference:
            return f"{DIFFERENCE} {axis_name(column)}"
        label = _LABELS.get(column) or LABELS.get(column, column.key)
        greater = self.greater_is_better.get(column.key) if column.kind is Kind.METRIC else None
        return label if greater is None else f"{label} {best_sign(greater_is_better=greater)}"

    def mark(self, line: TableLine) -> str:
        """Return the sort direction, at the line that the runs are sorted by; else nothing."""
        if line.is_difference or line.column != self.options.sort:
            return ""
        return " ▼" if self.options.descending else " ▲"

    def is_right(self, line: TableLine) -> bool:
        """Return whether the line is aligned to the right."""
        return line.is_difference or self.data.is_numeric(line.column)

    def value(self, column: Column, run_id: str) -> Value:
        return self.data.values(column)[self._places[run_id]]

    def cell(self, line: TableLine, run_id: str) -> CompareText:
        column = line.column
        if line.is_difference:
            return self._difference(column, run_id)
        value = self.value(column, run_id)
        if value is None:
            return CompareText(MISSING, "dim")
        if isinstance(value, str):
            return CompareText(safe(value[:_MOST_TEXT]))
        if column == DURATION:
            return CompareText(duration_text(round(value * 1000)))
        text = self._texts_of(column)[self._places[run_id]]
        if value == self._best_of(column):
            return CompareText(f"{BEST}{text}", "good")
        return CompareText(text, "" if math.isfinite(value) else "warn")

    def neighbours(self, line: TableLine) -> Neighbours:
        """Return the texts of a line, which are cut where they are alike."""
        if line not in self._neighbours:
            self._neighbours[line] = Neighbours(self.cell(line, run_id).text for run_id in self.data.run_ids)
        return self._neighbours[line]

    def width(self, line: TableLine, most: int) -> int:
        """Return the width of a line in terminal cells: what its numbers need, but at most `most` for texts."""
        if line not in self._widths:
            self._widths[line] = self._measured(line, most)
        return self._widths[line]

    def _measured(self, line: TableLine, most: int) -> int:
        column = line.column
        if line.is_difference:
            return max((len(BASELINE), *map(len, self._delta_texts_of(column))))
        if column.kind is Kind.METRIC:
            return max(map(len, self._texts_of(column))) + len(BEST)
        if column == DURATION:
            return max(len(self.cell(line, run_id).text) for run_id in self.data.run_ids)
        texts = {value for value in self.data.values(column) if isinstance(value, str)}
        widest = max((cell_width(MISSING), *(cell_width(safe(text[:_MOST_TEXT])) for text in texts)))
        return widest if self.is_right(line) else min(most, widest)

    def _difference(self, column: Column, run_id: str) -> CompareText:
        if run_id == self.baseline:
            return CompareText(BASELINE, "dim")
        delta = self.delta(column, run_id)
        if delta is None:
            return CompareText("n/a", "dim")
        if not delta.difference:
            return CompareText("=", "dim")
        greater = self.greater_is_better.get(column.key) if column.kind is Kind.METRIC else None
        style = "" if greater is None else "good" if (delta.difference > 0) == greater else "bad"
        return CompareText(self._delta_texts_of(column)[self._places[run_id]], style)

    def delta(self, column: Column, run_id: str) -> Delta | None:
        """Return the difference of the run from the baseline; None if there is none."""
        return self._deltas_of(column)[self._places[run_id]]

    def _deltas_of(self, column: Column) -> Sequence[Delta | None]:
        if column not in self._deltas:
            numbers = [number_of(value) for value in self.data.values(column)]
            baseline = None if self.baseline is None else numbers[self._places[self.baseline]]
            self._deltas[column] = [Delta.between(baseline, number) for number in numbers]
        return self._deltas[column]

    def _delta_texts_of(self, column: Column) -> Sequence[str]:
        """Return each difference and its percentage, both with one precision; an empty text where there is none."""
        if column not in self._delta_texts:
            self._delta_texts[column] = delta_texts(self._deltas_of(column))
        return self._delta_texts[column]

    def exact_text(self, line: TableLine, run_id: str) -> str:
        """Return the whole value of a cell, to read or to copy."""
        delta = self.delta(line.column, run_id) if line.is_difference and run_id != self.baseline else None
        if delta is not None and delta.difference:
            return exact_float_text(delta.difference)
        if line.is_difference:
            return self.cell(line, run_id).text
        value = self.value(line.column, run_id)
        if value is None:
            return MISSING
        return value if isinstance(value, str) else exact_float_text(value)

    def _texts_of(self, column: Column) -> Sequence[str]:
        """Return the texts of a metric, which have one precision and tell its values apart."""
        if column not in self._number_texts:
            numbers = [value if isinstance(value, float) else None for value in self.data.values(column)]
            form = number_format(number for number in numbers if number is not None)
            self._number_texts[column] = [MISSING if number is None else form.text(number) for number in numbers]
        return self._number_texts[column]

    def _best_of(self, column: Column) -> float | None:
        """Return the best value; None if the direction is unknown or all values are the same."""
        greater = self.greater_is_better.get(column.key)
        if greater is None or column.kind is not Kind.METRIC or column not in self.data.differing:
            return None
        if column not in self._best:
            self._best[column] = best_of(self.data.values(column), greater=greater)
        return self._best[column]

    # -- as a file

    def header(self) -> list[str]:
        """Return the header for a file with a run in each row and each column once."""
        columns = [line.column for line in self.lines if not line.is_difference]
        header = ["run_id", "run_name", *map(_field_name, columns)]
        if self.baseline is not None:
            header += [f"{part} {_field_name(line.column)}" for line in self._differences for part in ("Δ", "Δ%")]
        return header

    def file_rows(self) -> Iterator[list[Value]]:
        """Yield the values of each run, then its differences from the baseline."""
        columns = [line.column for line in self.lines if not line.is_difference]
        for run_id in self.run_ids:
            row: list[Value] = [run_id, self.data.by_id[run_id].run.run_name]
            row += (self.value(column, run_id) for column in columns)
            for line in self._differences:
                delta = self.delta(line.column, run_id)
                row += (None, None) if delta is None else (delta.difference, delta.percent)
            yield row

    @property
    def _differences(self) -> Sequence[TableLine]:
        return [line for line in self.lines if line.is_difference]


def sorted_runs(data: CompareData, column: Column, *, descending: bool) -> tuple[str, ...]:
    """Return the run ids sorted by a column: numbers, then texts; NaN, then missing values, come last in both directions."""
    values = dict(zip(data.run_ids, data.values(column), strict=True))
    return tuple(sorted_by_value(data.run_ids, values.__getitem__, descending=descending))


def delta_texts(deltas: Sequence[Delta | None]) -> list[str]:
    """Return each difference and its percentage, both with one precision; an empty text for None."""
    found = [delta for delta in deltas if delta is not None]
    differences = number_format((delta.difference for delta in found), tells_apart=False)
    percents = number_format((delta.percent for delta in found if delta.percent is not None), tells_apart=False)

    def text(delta: Delta) -> str:
        percent = "" if delta.percent is None else f"  {percents.signed(delta.percent)}%"
        return differences.signed(delta.difference) + percent

    return ["" if delta is None else text(delta) for delta in deltas]


def _field_name(column: Column) -> str:
    """Return the name of a column in a file, as in other files; a duration has its unit."""
    if column == DURATION:
        return "duration_s"
    return column.key if column.kind is Kind.ATTRIBUTE else str(column)
