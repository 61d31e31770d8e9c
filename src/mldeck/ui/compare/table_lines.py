"""The table of the marked runs as values: which lines it has, in what order the runs stand, and what is in a cell.

A line is what stands in a row when runs are columns, and in a column when runs are rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypeAlias

from mldeck.format import (
    MISSING,
    Value,
    cell_width,
    duration_text,
    exact_float_text,
    float_text,
    number_of,
    safe,
    sorted_by_value,
    texts_to_tell_apart,
)
from mldeck.model import Column, Kind
from mldeck.ui.compare.data import CompareData, Delta, Group, axis_name, best_of, group_of
from mldeck.ui.state.columns import AGE, DURATION, LABELS

BEST = "★"
"""Before the best value of a metric: colour alone would say nothing to some."""

DIFFERENCE = "Δ"
BASELINE = "baseline"
OWN = frozenset({Group.SYSTEM_METRICS, Group.SYSTEM_TAGS})
"""What nobody chose to log: folded away unless it is asked for."""

_LABELS = {AGE: "started", DURATION: "duration"}
"""Here there is room for the words."""

_MOST_TEXT = 400
"""So many characters of a text are looked at to lay out the table."""


class Heading(NamedTuple):
    """Above the lines of a group."""

    group: Group
    is_open: bool
    shown: int
    """Lines that are shown when it is open."""
    all: int


class Line(NamedTuple):
    column: Column
    is_difference: bool = False
    """Whether it says how far the runs are from the baseline, instead of the values."""


Row: TypeAlias = Heading | Line


class Shown(NamedTuple):
    """What stands in one cell."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Wishes:
    """What the user wants of the table."""

    shows_all: bool = False
    """Not only what differs."""
    folded: frozenset[Group] = OWN
    baseline: str | None = None
    """A run id."""
    sort: Column | None = None
    """What the runs are sorted by; None: as they were marked."""
    descending: bool = False

    def sorted_by(self, column: Column) -> Wishes:
        """Ascending, then descending, then not any more."""
        if self.sort != column:
            return replace(self, sort=column, descending=False)
        return replace(self, sort=None if self.descending else column, descending=not self.descending)


class CompareLines:
    """Works out what is looked at, and when it is looked at: there may be thousands of lines, and hundreds of runs."""

    def __init__(
        self,
        data: CompareData,
        wishes: Wishes = Wishes(),
        greater_is_better: Mapping[str, bool] | None = None,
        previous: CompareLines | None = None,
    ) -> None:
        """What was worked out for the same runs in `previous` is taken over."""
        self.data = data
        self.wishes = wishes
        self.greater_is_better = dict(greater_is_better or {})
        self._places = {run_id: place for place, run_id in enumerate(data.run_ids)}
        self._number_texts: dict[Column, Sequence[str]] = {}
        self._best: dict[Column, float | None] = {}
        self._deltas: dict[Column, Sequence[Delta | None]] = {}
        self._widths: dict[Line, int] = {}
        if previous is not None and previous.data is data and previous.greater_is_better == self.greater_is_better:
            self._number_texts, self._best = previous._number_texts, previous._best
            is_same = previous.baseline == self.baseline
            self._deltas = previous._deltas if is_same else {}
            self._widths = {
                line: width for line, width in previous._widths.items() if is_same or not line.is_difference
            }

    @property
    def baseline(self) -> str | None:
        return self.wishes.baseline if self.wishes.baseline in self._places else None

    @cached_property
    def run_ids(self) -> tuple[str, ...]:
        """In the order in which they are shown."""
        column = self.wishes.sort
        if column is None:
            return self.data.run_ids
        return sorted_runs(self.data, column, descending=self.wishes.descending)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Group by group, each below its heading."""
        return tuple(self._rows())

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Without the headings."""
        return tuple(row for row in self.rows if isinstance(row, Line))

    def _rows(self) -> Iterator[Row]:
        data = self.data
        by_group: dict[Group, list[Column]] = {}
        for column in data.columns:
            by_group.setdefault(group_of(column), []).append(column)
        for group, columns in by_group.items():
            shown = columns if self.wishes.shows_all else [each for each in columns if each in data.differing]
            if not shown:
                continue
            is_open = group not in self.wishes.folded
            yield Heading(group, is_open, len(shown), len(columns))
            for column in shown if is_open else ():
                yield Line(column)
                if self._has_differences(column):
                    yield Line(column, is_difference=True)

    def _has_differences(self, column: Column) -> bool:
        """Whether there is a number to be said of any run but the baseline."""
        if self.baseline is None or column not in self.data.differing or not self.data.is_numeric(column):
            return False
        values = self.data.values(column)
        baseline = number_of(values[self._places[self.baseline]])
        deltas = (Delta.between(baseline, number_of(value)) for value in values)
        return any(delta is not None and delta.difference for delta in deltas)

    # -- what is in it

    def label(self, line: Line) -> str:
        """What stands before or above a line; somebody else's text."""
        column = line.column
        if line.is_difference:
            return f"{DIFFERENCE} {axis_name(column)}"
        label = _LABELS.get(column) or LABELS.get(column, column.key)
        greater = self.greater_is_better.get(column.key) if column.kind is Kind.METRIC else None
        return label if greater is None else f"{label} {'↑' if greater else '↓'}"

    def mark(self, line: Line) -> str:
        """The direction, at what the runs are sorted by."""
        if line.is_difference or line.column != self.wishes.sort:
            return ""
        return " ▼" if self.wishes.descending else " ▲"

    def is_right(self, line: Line) -> bool:
        return line.is_difference or self.data.is_numeric(line.column)

    def value(self, column: Column, run_id: str) -> Value:
        return self.data.values(column)[self._places[run_id]]

    def cell(self, line: Line, run_id: str) -> Shown:
        column = line.column
        if line.is_difference:
            return self._difference(column, run_id)
        value = self.value(column, run_id)
        if value is None:
            return Shown(MISSING, "dim")
        if isinstance(value, str):
            return Shown(safe(value[:_MOST_TEXT]))
        if column == DURATION:
            return Shown(duration_text(round(value * 1000)))
        text = self._texts_of(column)[self._places[run_id]]
        if value == self._best_of(column):
            return Shown(f"{BEST}{text}", "good")
        return Shown(text, "" if math.isfinite(value) else "warn")

    def width(self, line: Line, most: int) -> int:
        """Terminal cells for what is in it: as many as its numbers need, but at most so many for texts."""
        if line not in self._widths:
            self._widths[line] = self._measured(line, most)
        return self._widths[line]

    def _measured(self, line: Line, most: int) -> int:
        column = line.column
        if line.is_difference:
            texts = {delta.text for delta in self._deltas_of(column) if delta is not None}
            return max((len(BASELINE), *map(len, texts)))
        if column.kind is Kind.METRIC:
            return max(map(len, self._texts_of(column))) + len(BEST)
        if column == DURATION:
            return max(len(self.cell(line, run_id).text) for run_id in self.data.run_ids)
        texts = {value for value in self.data.values(column) if isinstance(value, str)}
        widest = max((cell_width(MISSING), *(cell_width(safe(text[:_MOST_TEXT])) for text in texts)))
        return widest if self.is_right(line) else min(most, widest)

    def _difference(self, column: Column, run_id: str) -> Shown:
        if run_id == self.baseline:
            return Shown(BASELINE, "dim")
        delta = self.delta(column, run_id)
        if delta is None:
            return Shown("n/a", "dim")
        if not delta.difference:
            return Shown("=", "dim")
        greater = self.greater_is_better.get(column.key) if column.kind is Kind.METRIC else None
        style = "" if greater is None else "good" if (delta.difference > 0) == greater else "bad"
        return Shown(delta.text, style)

    def delta(self, column: Column, run_id: str) -> Delta | None:
        """How far the run is from the baseline; None where there is no telling."""
        return self._deltas_of(column)[self._places[run_id]]

    def _deltas_of(self, column: Column) -> Sequence[Delta | None]:
        if column not in self._deltas:
            numbers = [number_of(value) for value in self.data.values(column)]
            baseline = None if self.baseline is None else numbers[self._places[self.baseline]]
            self._deltas[column] = [Delta.between(baseline, number) for number in numbers]
        return self._deltas[column]

    def exact_text(self, line: Line, run_id: str) -> str:
        """All of what stands in a cell, to read or to copy."""
        if line.is_difference:
            return self.cell(line, run_id).text
        value = self.value(line.column, run_id)
        if value is None:
            return MISSING
        return value if isinstance(value, str) else exact_float_text(value)

    def _texts_of(self, column: Column) -> Sequence[str]:
        """Of a metric: with as many digits as tell all its values apart."""
        if column not in self._number_texts:
            numbers = [value if isinstance(value, float) else None for value in self.data.values(column)]
            _, texts = texts_to_tell_apart(number for number in numbers if number is not None)
            shown = (MISSING if each is None else texts.get(each) or float_text(each) for each in numbers)
            self._number_texts[column] = list(shown)
        return self._number_texts[column]

    def _best_of(self, column: Column) -> float | None:
        """None as well where all are alike: there is nothing to choose."""
        greater = self.greater_is_better.get(column.key)
        if greater is None or column.kind is not Kind.METRIC or column not in self.data.differing:
            return None
        if column not in self._best:
            self._best[column] = best_of(self.data.values(column), greater=greater)
        return self._best[column]

    # -- as a file

    def header(self) -> list[str]:
        """A run in each row, each column once."""
        columns = [each.column for each in self.lines if not each.is_difference]
        header = ["run_id", "run_name", *map(_field_name, columns)]
        if self.baseline is not None:
            header += [f"{part} {_field_name(line.column)}" for line in self._differences for part in ("Δ", "Δ%")]
        return header

    def file_rows(self) -> Iterator[list[Value]]:
        """The values as they are, and how far they are from the baseline."""
        columns = [each.column for each in self.lines if not each.is_difference]
        for run_id in self.run_ids:
            row: list[Value] = [run_id, self.data.by_id[run_id].run.run_name]
            row += (self.value(column, run_id) for column in columns)
            for line in self._differences:
                delta = self.delta(line.column, run_id)
                row += (None, None) if delta is None else (delta.difference, delta.percent)
            yield row

    @property
    def _differences(self) -> Sequence[Line]:
        return [line for line in self.lines if line.is_difference]


def sorted_runs(data: CompareData, column: Column, *, descending: bool) -> tuple[str, ...]:
    """Numbers by size, texts by the alphabet behind them; NaN, then what is missing, come last in both directions."""
    values = dict(zip(data.run_ids, data.values(column), strict=True))
    return tuple(sorted_by_value(data.run_ids, values.__getitem__, descending=descending))


def _field_name(column: Column) -> str:
    """As in other files; a duration has its unit."""
    if column == DURATION:
        return "duration_s"
    return column.key if column.kind is Kind.ATTRIBUTE else str(column)
