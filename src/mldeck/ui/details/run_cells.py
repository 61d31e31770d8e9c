"""A run in the table: columns that fit the values, and cells whose numbers align on the decimal point.

Widths are measured on a sample of the runs and then kept, so that nothing jumps while scrolling. Cells are made on demand,
because there may be thousands of columns. No screen.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from mldeck.addresses import printable
from mldeck.format import (
    MISSING,
    RUNNING_WIDTH,
    Neighbours,
    NumberFormat,
    age_width,
    cell_width,
    duration_text,
    number_format,
    numbers_of,
    running_text,
    safe,
    time_text,
)
from mldeck.model import Column, Kind, MetricSummary, OrderKey, Pace, Run, RunRecord
from mldeck.ui.kit.clock import Clock, now_ms
from mldeck.ui.kit.grid import Cell, GridColumn
from mldeck.ui.kit.lazy_row import LazyCells
from mldeck.ui.state.arrangement import GroupHeading, GroupSummaries, shows_first_run
from mldeck.ui.state.columns import AGE, DURATION, EXPERIMENT, LABELS, MAX_WIDTH, NAME, STATE, ColumnStyle
from mldeck.ui.state.metric_direction import BEST, best_sign

# `►`, `○` and `■` are in nearly all fonts, unlike the arrows and clocks that say the same.
STATUS_GLYPHS = {
    "FINISHED": ("✓", "good"),
    "RUNNING": ("►", "accent"),
    "SCHEDULED": ("○", "dim"),
    "FAILED": ("✗", "bad"),
    "KILLED": ("■", "warn"),
}
_LATE = ("!", "warn")
"""For a run that has logged nothing for long, by its own pace."""
MARK = "●"

LEADING = (STATE, NAME)
"""The columns always shown, before the chosen ones. They stay visible when the table scrolls to the right."""
FIXED_COLUMNS = len(LEADING)
STATE_INDEX, NAME_INDEX = LEADING.index(STATE), LEADING.index(NAME)

_LABELS = {STATE: "", **LABELS}
_STATE_WIDTH = 2
_MIN_AGE_WIDTH, _MIN_DURATION_WIDTH = 5, 10
"""Cells for `age ▲` and `duration ▲`."""
_MAX_NAME_WIDTH, MIN_NAME_WIDTH = 32, 12
_MIN_LABEL_WIDTH = 10
"""Cells of a label that is cut to make room."""
_MAX_TEXT_WIDTH = 24
_RUN_ID = Column(Kind.ATTRIBUTE, "run_id")
_RUN_ID_WIDTH = 32


@dataclass(frozen=True, slots=True)
class _NumberColumn:
    """How the numbers of a column are written and aligned: cells before and from the decimal point."""

    form: NumberFormat
    whole: int
    fraction: int

    @property
    def width(self) -> int:
        """In cells."""
        return self.whole + self.fraction

    def text(self, value: float, sign: str = "") -> str:
        """Return the number aligned on its point. `sign` takes a cell of its own right before the number."""
        whole, fraction = _split(self.form.text(value))
        return f"{sign.strip() + whole:>{self.whole + len(sign)}}{fraction:<{self.fraction}}"

    def wide_enough(self, values: Iterable[float]) -> _NumberColumn:
        """Return the same format with room for these numbers, too."""
        parts = [_split(self.form.text(value)) for value in values]
        whole = max((len(whole) for whole, _ in parts), default=0)
        fraction = max((len(fraction) for _, fraction in parts), default=0)
        return _NumberColumn(self.form, max(self.whole, whole), max(self.fraction, fraction))

    def grown(self, other: _NumberColumn) -> _NumberColumn:
        """Return a format with room for the numbers of both."""
        return _NumberColumn(
            self.form.grown(other.form), max(self.whole, other.whole), max(self.fraction, other.fraction)
        )


@dataclass(frozen=True, slots=True)
class _Spread:
    """What the headings of groups show behind the mean.

    That is the standard deviation, the number of runs that have the metric if some have not, and the least and greatest value.
    """

    deviation: _NumberColumn | None
    """None if there are no standard deviations."""
    number: _NumberColumn
    """How the mean and the extremes are written."""
    count_digits: int
    """Of the numbers of runs that have the metric; 0 if all have it."""

    @property
    def _count_width(self) -> int:
        return len(" ()") + self.count_digits if self.count_digits else 0

    @property
    def _deviation_width(self) -> int:
        return 0 if self.deviation is None else len(" ±") + self.deviation.width

    @property
    def widths(self) -> tuple[int, ...]:
        """The cells of more and more of it: the number of runs; the deviation; a short one beside a number; both; all.

        The number of runs comes first, because without it a mean looks like that of the whole group.
        """
        count, deviation = self._count_width, self._deviation_width
        extremes = len("  –") + 2 * self.number.width if deviation else 0
        one, both = max(count, deviation), count + deviation
        return count, one, max(one, min(both, count + len(" ±0.01"))), both, both + extremes

    def fitting_width(self, room: int) -> int:
        """Return the cells of as much of it as there is room for."""
        return max((width for width in self.widths if width <= room), default=0)

    def text(self, summary: MetricSummary, group_count: int, width: int) -> str:
        """Return as much of it as `width` is for, of a group of so many runs."""
        _, squeezed, _, both, whole = self.widths
        count = f" ({summary.number})" if 0 < summary.number < group_count else ""
        text = ""
        if self.deviation is not None and summary.deviation is not None and width >= squeezed:
            text = f" {self.deviation.text(summary.deviation, '±')}"
            if count and width < both:
                text = _shorter(text, summary.deviation, width - len(count))
        if self._count_width:
            text += f"{count:>{min(width, both) - len(text)}}"
        if self.deviation is not None and summary.deviation is not None and width >= whole:
            low, high = (self.number.text(value).strip() for value in (summary.low, summary.high))
            text += f"  {low:>{self.number.width}}–{high:<{self.number.width}}"
        return text.ljust(width)


def _shorter(text: str, deviation: float, width: int) -> str:
    """Return a deviation with fewer decimals, in at most `width` cells; empty if no digit of it would be left."""
    before, sign, number = text.partition("±")
    if "e" in number or "." not in number:
        return text if len(text.rstrip()) <= width else ""
    for decimals in range(len(number.partition(".")[2].rstrip()) - 1, 0, -1):
        rounded = f"{deviation:.{decimals}f}"
        shorter = f"{before}{sign}{rounded}"
        if len(shorter) <= width:
            return shorter if float(rounded) else ""
    return ""


@dataclass(frozen=True, slots=True)
class _TextFormat:
    is_number: bool
    width: int
    neighbours: Neighbours
    """The texts of the sample."""

    def grown(self, other: _TextFormat) -> _TextFormat:
        return _TextFormat(other.is_number, max(self.width, other.width), other.neighbours)


class RunCells:
    """The columns of a run table, and the cells of a run in them."""

    def __init__(
        self,
        columns: Sequence[Column],
        sample: Sequence[RunRecord],
        previous: RunCells | None = None,
        *,
        read: Iterable[Column] | None = None,
        style: ColumnStyle | None = None,
        summaries: GroupSummaries | None = None,
        group_counts: Mapping[str | None, int] = MappingProxyType({}),
    ) -> None:
        """Measure the columns on a sample of the runs. No column gets narrower than in `previous`.

        `read`: the columns whose values have been read for the sample; None for all. `summaries`: those of the groups that the
        runs are in; None if they are in none. `group_counts`: the numbers of runs of the groups, by value.
        """
        self.columns = (*LEADING, *columns)
        self.style = style or ColumnStyle()
        self.best: Mapping[str, float] = {} if previous is None else previous.best
        """The best value of each metric, which is highlighted."""
        self._numbers: dict[str, _NumberColumn] = {} if previous is None else dict(previous._numbers)
        self._texts: dict[Column, _TextFormat] = {} if previous is None else dict(previous._texts)
        self._measured: set[str] = set() if previous is None else set(previous._measured)
        """The metrics that have been measured on runs."""
        self._group_counts = group_counts
        self.summaries: GroupSummaries = {}
        """Of the metrics whose summaries have been read."""
        self._spreads: dict[str, _Spread] = {} if previous is None or summaries is None else dict(previous._spreads)
        self._spread_widths: dict[str, int] = {}
        """By metric: the cells behind the number that are kept free for the spread of a group."""
        for column in columns if read is None else read:
            self._learn(column, sample)
        self.add_summaries(summaries or {})
        labels = [record.run.label for record in sample]
        self.names: Neighbours = Neighbours(labels) if labels or previous is None else previous.names
        """The names of the runs of the sample: long ones are cut where they are alike."""
        self.longest_name = min(MAX_WIDTH, max((cell_width(safe(label)) for label in labels), default=0))
        """The width in cells at which no name of the sample is cut."""
        self._widths = _leading_widths(sample, self.longest_name)
        if previous is not None:
            self._widths = {column: max(width, previous._widths[column]) for column, width in self._widths.items()}
            self.longest_name = max(self.longest_name, previous.longest_name)

    def learn(self, records: Sequence[RunRecord], columns: Iterable[Column]) -> bool:
        """Measure columns whose first values come with these records. Return whether there are any."""
        fresh = [column for column in columns if not self._is_learnt(column)]
        learnt = [self._learn(column, records) for column in fresh]
        return any(learnt)

    def _is_learnt(self, column: Column) -> bool:
        return column.key in self._measured if column.kind is Kind.METRIC else column in self._texts

    def add_summaries(self, summaries: GroupSummaries) -> None:
        """Show the summaries of more metrics, and make room for them."""
        self.summaries = {**self.summaries, **summaries}
        for key, groups in summaries.items():
            measured = list(_groups_to_measure(groups.values()))
            if measured:
                number = _number_column([value for summary in measured for value in (summary.low, summary.high)])
                number = number.wide_enough(summary.mean for summary in measured)
                self._numbers[key] = self._numbers.get(key, number).grown(number)
                self._measure_spread(key)

    def _measure_spread(self, key: str) -> None:
        """Make room for what headings show behind the means of a metric. Deviations have as many decimals as its values."""
        number, groups = self._numbers[key], self.summaries.get(key, {})
        measured = _groups_to_measure(groups.values())
        deviations = [summary.deviation for summary in measured if summary.deviation is not None]
        before, counts = self._spreads.get(key), self._group_counts
        fewer = [summary.number for value, summary in groups.items() if 0 < summary.number < counts.get(value, 0)]
        digits = max((len(str(count)) for count in fewer), default=0)
        column = _NumberColumn(number.form, 0, 0).wide_enough(deviations) if deviations else None
        if before is not None:
            digits = max(digits, before.count_digits)
            if column is None or before.deviation is None:
                column = column or before.deviation
            else:
                column = before.deviation.grown(column)
        if column is not None or digits:
            self._spreads[key] = _Spread(column, number, digits)

    def width_with_spread(self, column: Column, level: int) -> int:
        """Return the width at which a metric shows what `_Spread.widths` lists up to this index; 0 if there is nothing."""
        spread = self._spreads.get(column.key) if column.kind is Kind.METRIC else None
        return 0 if spread is None else self._number_width(column.key) + spread.widths[level]

    def _number_width(self, key: str) -> int:
        """Return the width of a number with the sign of the best one, in cells."""
        number = self._numbers.get(key)
        return (0 if number is None else number.width) + (key in self.style.greater_is_better)

    def least_width(self, column: Column) -> int:
        """Return the width in which the values of a metric, param or tag are not cut, though its label may be."""
        if column.kind is Kind.METRIC:
            return max(_MIN_LABEL_WIDTH, self._number_width(column.key))
        form = self._texts.get(column)
        return max(_MIN_LABEL_WIDTH, 0 if form is None else form.width)

    def with_room_for_spreads(self, columns: Sequence[GridColumn]) -> tuple[GridColumn, ...]:
        """Keep room for the spreads of groups behind the numbers of these columns, as far as they are wide enough."""
        self._spread_widths = {
            column.key: self._spreads[column.key].fitting_width(shown.width - self._number_width(column.key))
            for column, shown in zip(self.columns, columns, strict=True)
            if column.kind is Kind.METRIC and column.key in self._spreads
        }
        if not self._spread_widths:
            return tuple(columns)
        tails = (self._spread_widths.get(column.key, 0) * (column.kind is Kind.METRIC) for column in self.columns)
        return tuple(shown._replace(tail=tail) for shown, tail in zip(columns, tails, strict=True))

    def _learn(self, column: Column, records: Sequence[RunRecord]) -> bool:
        """Make room for the values of these records. Return whether they have any."""
        if column.kind is Kind.METRIC:
            values = [record.metrics[column.key] for record in records if column.key in record.metrics]
            if values:
                self._measured.add(column.key)
                number = _number_column(values)
                self._numbers[column.key] = self._numbers.get(column.key, number).grown(number)
                self._measure_spread(column.key)
            return bool(values)
        texts = [text for text in (self._text(record, column) for record in records) if text is not None]
        if texts and column not in (AGE, DURATION):
            form = _text_format(texts, _RUN_ID_WIDTH if column == _RUN_ID else _MAX_TEXT_WIDTH)
            self._texts[column] = self._texts.get(column, form).grown(form)
        return bool(texts)

    def grid_columns(self, order: Sequence[OrderKey]) -> tuple[GridColumn, ...]:
        """Return the columns of the grid. An arrow marks the sort direction; a number the rank among several sort keys."""
        ranks = [str(rank) if len(order) > 1 else "" for rank in range(1, len(order) + 1)]
        marks = {key.column: f" {'▼' if key.descending else '▲'}{rank}" for key, rank in zip(order, ranks, strict=True)}
        return tuple(self._grid_column(column, marks.get(column, "")) for column in self.columns)

    def _grid_column(self, column: Column, mark: str) -> GridColumn:
        shown = self._fitting_column(column)
        if column in self.style.widths:
            shown = shown._replace(width=self.style.widths[column])
        if mark:
            shown = shown._replace(mark=mark.strip() if column == STATE else mark)
        return shown

    def _fitting_column(self, column: Column) -> GridColumn:
        if column in self._widths:
            return GridColumn(_LABELS[column], self._widths[column], right=column in (AGE, DURATION))
        if column.kind is Kind.METRIC:
            greater = self.style.greater_is_better.get(column.key)
            number = self._numbers.get(column.key)
            if greater is None and number is None:
                return _unread_column(column)
            label = column.key if greater is None else f"{column.key} {best_sign(greater_is_better=greater)}"
            return GridColumn(
                label, max(_label_width(label), self._number_width(column.key)), right=True, group="metrics"
            )
        form = self._texts.get(column)
        if form is None:
            return _unread_column(column)
        shown = _unread_column(column)
        return shown._replace(width=max(shown.width, form.width), right=form.is_number, neighbours=form.neighbours)

    def cells(
        self, record: RunRecord, clock: Clock, colour: int | None, known: Collection[Column] | None = None
    ) -> LazyCells:
        """Return the cells of a run, made on demand.

        `colour`: the colour number of its mark; None if it is not marked. `known`: the columns that were read; None for all.
        """

        def make(index: int) -> Cell:
            column = self.columns[index]
            if known is not None and column.kind is not Kind.ATTRIBUTE and column not in known:
                return Cell(_NOT_READ, "faint")
            return self.cell(record, column, clock, colour)

        return LazyCells(len(self.columns), make)

    def heading_cells(
        self, heading: GroupHeading, clock: Clock, first_run: LazyCells | None, sorted_by: Column | None
    ) -> LazyCells:
        """Return the cells of the heading of a group, made on demand: means of its metrics, its newest age, its mean duration.

        In the column that the table is sorted by, it shows the value of its first run, whose cells are `first_run`; None if
        they are being read.
        """

        def make(index: int) -> Cell:
            column = self.columns[index]
            if column.kind is Kind.METRIC:
                return self._summary_cell(column.key, heading)
            if column == AGE:
                newest = heading.newest
                return Cell(MISSING if newest is None else clock.age(newest), "dim")
            if column == DURATION:
                duration = heading.duration
                return Cell(MISSING if duration is None else duration_text(round(duration)), "dim")
            if column != sorted_by or not shows_first_run(column):
                return Cell("")
            return Cell(_NOT_READ, "faint") if first_run is None else first_run[index]

        return LazyCells(len(self.columns), make)

    def _summary_cell(self, key: str, heading: GroupHeading) -> Cell:
        if key not in self.summaries:
            return Cell(_NOT_READ, "faint")
        summary = self.summaries[key].get(heading.value)
        if summary is None:
            return self._missing_cell(key)
        number, width = self._numbers.get(key, _UNREAD), self._spread_widths.get(key, 0)
        spread = self._spreads[key].text(summary, heading.count, width) if width else ""
        return Cell(number.text(summary.mean, self._sign(key)) + spread, "header-cursor" if summary.number else "warn")

    def _missing_cell(self, key: str) -> Cell:
        number = self._numbers.get(key, _UNREAD)
        text = f"{self._sign(key)}{MISSING:>{number.whole}}{'':{number.fraction}}"
        return Cell(text + " " * self._spread_widths.get(key, 0), "dim")

    def _sign(self, key: str) -> str:
        """Return the cell before a number that is not the best one, where that has a sign."""
        return " " if key in self.style.greater_is_better else ""

    def cell(self, record: RunRecord, column: Column, clock: Clock, colour: int | None) -> Cell:
        run = record.run
        if column == STATE:
            glyph, style = status_glyph(run, record.pace, clock)
            return Cell(f" {glyph}", style) if colour is None else Cell(MARK + glyph, style, f"series-{colour}")
        if column == NAME:
            deleted = run.lifecycle_stage == "deleted"
            return Cell(safe(run.label), "dim" if deleted or run.run_name is None else "")
        if column == AGE:
            return Cell(_age(record, clock), "dim")
        if column == DURATION:
            return Cell(_duration(record, clock), "dim")
        if column.kind is Kind.METRIC:
            return self._metric_cell(record.metrics.get(column.key), column.key)
        text = self._text(record, column)
        return Cell(MISSING, "dim") if text is None else Cell(safe(text))

    def _text(self, record: RunRecord, column: Column) -> str | None:
        if column == EXPERIMENT:
            experiment_id = record.run.experiment_id
            return self.style.experiment_names.get(experiment_id, experiment_id)
        return _text(record, column)

    def _metric_cell(self, value: float | None, key: str) -> Cell:
        if value is None:
            return self._missing_cell(key)
        number, sign, behind = self._numbers.get(key, _UNREAD), self._sign(key), " " * self._spread_widths.get(key, 0)
        if sign and value == self.best.get(key):
            return Cell(number.text(value, BEST) + behind, "good")
        return Cell(number.text(value, sign) + behind, "" if math.isfinite(value) else "warn")


def status_glyph(run: Run, pace: Pace | None, clock: Clock) -> tuple[str, str]:
    """Return the sign of the status of a run, and its style."""
    if pace is not None and clock.is_past(pace.late_at):
        return _LATE
    return STATUS_GLYPHS.get(run.status, ("?", "dim"))


_UNREAD = _NumberColumn(NumberFormat(), 0, 0)
_NOT_READ = "·"
"""Shown for a value that is being read, as opposed to one that was not logged."""


def _leading_widths(sample: Sequence[RunRecord], longest_name: int) -> dict[Column, int]:
    now = now_ms()
    return {
        STATE: _STATE_WIDTH,
        NAME: min(_MAX_NAME_WIDTH, max(MIN_NAME_WIDTH, longest_name)),
        AGE: max((_MIN_AGE_WIDTH, *(age_width(record.run.start_time or now, now) for record in sample))),
        DURATION: max((_MIN_DURATION_WIDTH, *(_duration_width(record.run, now) for record in sample))),
    }


@lru_cache(maxsize=32_768)  # a table of thousands of columns is laid out again whenever it is sorted
def _unread_column(column: Column) -> GridColumn:
    """Return a column as wide as its label, for use until a value is known."""
    label = _LABELS.get(column, column.key)
    is_attribute = column.kind is Kind.ATTRIBUTE or (column in _LABELS and column.kind is Kind.TAG)
    group = "" if is_attribute else column.kind.value
    return GridColumn(label, _label_width(label), right=column.kind is Kind.METRIC, group=group)


def _label_width(label: str) -> int:
    """Return the width of a label with room for the sort mark, so that nothing moves when the mark appears."""
    return min(cell_width(safe(label)) + 2, _MAX_TEXT_WIDTH)


def _age(record: RunRecord, clock: Clock) -> str:
    start_time = record.run.start_time
    return MISSING if start_time is None else clock.age(start_time)


def _duration(record: RunRecord, clock: Clock) -> str:
    run = record.run
    if run.duration is not None:
        return duration_text(run.duration)
    if run.status == "RUNNING" and run.start_time is not None:
        return clock.running(run.start_time) or MISSING
    return MISSING


def _duration_width(run: Run, now: int) -> int:
    if run.duration is not None:
        return len(duration_text(run.duration))
    if run.status != "RUNNING" or run.start_time is None:
        return len(MISSING)
    return max(RUNNING_WIDTH, len(running_text(run.start_time, now) or MISSING))  # it may run for years


def _text(record: RunRecord, column: Column) -> str | None:
    if column.kind is Kind.ATTRIBUTE:
        return _attribute_text(record, column.key)
    values = {Kind.PARAM: record.params, Kind.TAG: record.tags, Kind.DATASET: record.datasets}[column.kind]
    return values.get(column.key)


def _attribute_text(record: RunRecord, name: str) -> str | None:
    run = record.run
    if name == "end_time":
        return None if run.end_time is None else time_text(run.end_time)
    texts = {
        "run_id": run.run_id,
        "user_id": run.user_id,
        "lifecycle_stage": run.lifecycle_stage,
        "artifact_uri": run.artifact_uri and printable(run.artifact_uri),
    }
    return texts.get(name)


def _number_column(values: Sequence[float]) -> _NumberColumn:
    return _NumberColumn(number_format(values), 0, 0).wide_enough(values)


_MEASURED_GROUPS = 60


def _groups_to_measure(summaries: Iterable[MetricSummary]) -> Iterator[MetricSummary]:
    """Yield the summaries of the first groups, and of those with extreme values."""
    groups = list(summaries)
    yield from groups[:_MEASURED_GROUPS]
    finite = [summary for summary in groups if summary.number]
    if len(groups) > _MEASURED_GROUPS and finite:
        yield min(finite, key=lambda summary: summary.low)
        yield max(finite, key=lambda summary: summary.high)
        yield max(finite, key=lambda summary: summary.deviation or 0.0)


def _split(text: str) -> tuple[str, str]:
    """Return the parts before the point and from the point on; the second is empty without a point."""
    whole, point, fraction = text.partition(".")
    return whole, point + fraction


def _text_format(values: Sequence[str], widest: int) -> _TextFormat:
    width = min(widest, max(cell_width(safe(value)) for value in values))
    return _TextFormat(numbers_of(values) is not None, width, Neighbours(values))
