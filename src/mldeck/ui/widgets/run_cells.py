"""What a run looks like in the table: columns that fit the values, and cells whose numbers align on the point.

Widths are taken from a sample of the runs and then kept, so that nothing jumps while one scrolls. No screen is needed here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mldeck.format import (
    MISSING,
    age_text,
    cell_width,
    digits_to_tell_apart,
    duration_text,
    float_text,
    safe,
)
from mldeck.model import Column, Kind, OrderKey, RunRecord
from mldeck.ui.widgets.grid import Cell, GridColumn

STATUS_GLYPHS = {
    "FINISHED": ("✓", "good"),
    "RUNNING": ("⟳", "accent"),
    "SCHEDULED": ("◷", "dim"),
    "FAILED": ("✗", "bad"),
    "KILLED": ("■", "warn"),
}
MARK = "●"

STATE = Column(Kind.ATTRIBUTE, "status")
NAME = Column(Kind.ATTRIBUTE, "run_name")
AGE = Column(Kind.ATTRIBUTE, "start_time")
DURATION = Column(Kind.ATTRIBUTE, "duration")
LEADING = (STATE, NAME, AGE, DURATION)
"""Always there, before the metrics and params; the first two stay in sight when one scrolls to the right."""
FIXED_COLUMNS = 2

_LABELS = {STATE: "", NAME: "name", AGE: "age", DURATION: "time"}
_STATE_WIDTH = 2
_MIN_TIME_WIDTH = 6
"""Room for `time ▲`."""
_MAX_NAME_WIDTH, _MIN_NAME_WIDTH = 32, 12
_MAX_TEXT_WIDTH = 24


@dataclass(frozen=True, slots=True)
class _NumberFormat:
    """How the numbers of one column are written: significant digits, and cells before and after the point."""

    digits: int
    whole: int
    fraction: int

    @property
    def width(self) -> int:
        return self.whole + self.fraction

    def text(self, value: float) -> str:
        whole, fraction = _split(float_text(value, self.digits))
        return f"{whole:>{self.whole}}{fraction:<{self.fraction}}"


class RunCells:
    """The columns of a run table over certain runs, and the cells of each run in them."""

    def __init__(
        self, columns: Sequence[Column], sample: Sequence[RunRecord], previous: RunCells | None = None
    ) -> None:
        """Nothing gets narrower than it was in `previous`."""
        self.columns = (*LEADING, *columns)
        self._numbers = {
            column: _number_format([record.metrics[column.key] for record in sample if column.key in record.metrics])
            for column in columns
            if column.kind is Kind.METRIC
        }
        self._texts = {
            column: _text_format([_text(record, column) for record in sample])
            for column in columns
            if column.kind in (Kind.PARAM, Kind.TAG)
        }
        now = now_ms()
        names = (cell_width(safe(record.run.label)) for record in sample)
        self._widths = {
            STATE: _STATE_WIDTH,
            NAME: min(_MAX_NAME_WIDTH, max((_MIN_NAME_WIDTH, *names))),
            AGE: max((_MIN_TIME_WIDTH, *(len(_age(record, now)) for record in sample))),
            DURATION: max((_MIN_TIME_WIDTH, *(len(_duration(record, now)) for record in sample))),
        }
        if previous is not None:
            self._keep_widths_of(previous)

    def _keep_widths_of(self, previous: RunCells) -> None:
        self._widths = {column: max(width, previous._widths[column]) for column, width in self._widths.items()}
        for column, number in self._numbers.items():
            before = previous._numbers.get(column, number)
            self._numbers[column] = _NumberFormat(
                max(number.digits, before.digits),
                max(number.whole, before.whole),
                max(number.fraction, before.fraction),
            )
        for column, (is_number, width) in self._texts.items():
            self._texts[column] = is_number, max(width, previous._texts.get(column, (is_number, width))[1])

    def grid_columns(self, order: Sequence[OrderKey]) -> tuple[GridColumn, ...]:
        """Arrows say the direction; with several keys a number says their rank."""
        ranks = [str(rank) if len(order) > 1 else "" for rank in range(1, len(order) + 1)]
        marks = {key.column: f" {'▼' if key.descending else '▲'}{rank}" for key, rank in zip(order, ranks, strict=True)}
        return tuple(self._grid_column(column, marks.get(column, "")) for column in self.columns)

    def _grid_column(self, column: Column, mark: str) -> GridColumn:
        label = _LABELS.get(column, column.key)
        label_width = cell_width(safe(label)) + 2  # room for the mark of sorting, so that nothing moves when it comes
        if column in self._widths:
            mark = mark.strip() if column == STATE else mark
            return GridColumn(label, self._widths[column], right=column in (AGE, DURATION), mark=mark)
        if column.kind is Kind.METRIC:
            width = max(min(label_width, _MAX_TEXT_WIDTH), self._numbers[column].width)
            return GridColumn(label, width, right=True, group="metrics", mark=mark)
        is_number, width = self._texts[column]
        width = max(min(label_width, _MAX_TEXT_WIDTH), width)
        return GridColumn(label, width, right=is_number, group=column.kind.value, mark=mark)

    def cells(self, record: RunRecord, now: int, is_marked: bool) -> list[Cell]:
        run = record.run
        glyph, style = STATUS_GLYPHS.get(run.status, ("?", "dim"))
        deleted = run.lifecycle_stage == "deleted"
        cells = [
            Cell((MARK if is_marked else " ") + glyph, style),
            Cell(safe(run.label), "dim" if deleted or run.run_name is None else ""),
            Cell(_age(record, now), "dim"),
            Cell(_duration(record, now), "dim"),
        ]
        cells.extend(self._value_cell(record, column) for column in self.columns[len(LEADING) :])
        return cells

    def _value_cell(self, record: RunRecord, column: Column) -> Cell:
        if column.kind is Kind.METRIC:
            value = record.metrics.get(column.key)
            number = self._numbers[column]
            if value is None:
                return Cell(f"{MISSING:>{number.whole}}{'':{number.fraction}}", "dim")
            return Cell(number.text(value), "" if math.isfinite(value) else "warn")
        text = _text(record, column)
        if text is None:
            return Cell(MISSING, "dim")
        return Cell(safe(text))


def now_ms() -> int:
    """The present time, as MLflow counts it."""
    return int(time.time() * 1000)


def _age(record: RunRecord, now: int) -> str:
    start_time = record.run.start_time
    return MISSING if start_time is None else age_text(start_time, now)


def _duration(record: RunRecord, now: int) -> str:
    run = record.run
    if run.duration is not None:
        return duration_text(run.duration)
    if run.status == "RUNNING" and run.start_time is not None and now >= run.start_time:
        return duration_text(now - run.start_time)
    return MISSING


def _text(record: RunRecord, column: Column) -> str | None:
    return (record.params if column.kind is Kind.PARAM else record.tags).get(column.key)


def _number_format(values: Sequence[float]) -> _NumberFormat:
    digits = digits_to_tell_apart(values)
    parts = [_split(float_text(value, digits)) for value in values] or [("", "")]
    return _NumberFormat(digits, max(len(whole) for whole, _ in parts), max(len(fraction) for _, fraction in parts))


def _split(text: str) -> tuple[str, str]:
    """Before the point, and from the point on; an exponent without a point stays whole."""
    whole, point, fraction = text.partition(".")
    return whole, point + fraction


def _text_format(values: Iterable[str | None]) -> tuple[bool, int]:
    """Whether all the values are numbers, and the width that they need."""
    present = [value for value in values if value is not None]
    width = min(_MAX_TEXT_WIDTH, max((cell_width(safe(value)) for value in present), default=1))
    return bool(present) and all(_is_number(value) for value in present), width


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
