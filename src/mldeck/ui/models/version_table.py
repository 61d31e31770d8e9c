"""The versions of a model as a table, with the metrics and params of their source runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message

from mldeck.format import MISSING, Neighbours, cell_width, safe
from mldeck.model import Column, OrderKey, RunRecord
from mldeck.registry.nouns import ModelVersion
from mldeck.ui.details.run_cells import LEADING, RunCells
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.grid import GAP, Cell, CursorPosition, Grid, GridColumn
from mldeck.ui.kit.keys import COLUMNS, bindings
from mldeck.ui.kit.lazy_row import LazyCells
from mldeck.ui.models.keys import VERSION_TABLE
from mldeck.ui.models.reading import AGE, VERSION, VERSION_COLUMNS, VersionOrder, VersionRuns, Versions, sorted_rows
from mldeck.ui.models.version_overview import VERSION_GLYPHS
from mldeck.ui.state.columns import ColumnStyle

_FIXED_COLUMNS = 2
_MAX_WIDTH = 28
_RIGHT = (VERSION, AGE)
STAGE_STYLES = {"Production": "good", "Staging": "accent", "Archived": "dim", "None": ""}
_NO_RUN = "·"


class VersionTable(Grid):
    """The versions, a row each, with the metrics and params in which their source runs differ."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(COLUMNS, VERSION_TABLE)

    @dataclass
    class SortAsked(Message):
        """Posted when the user sorts by a column."""

        column: str | Column
        """See `VersionOrder`."""

    def __init__(self, clock: Clock, *, id: str | None = None) -> None:
        super().__init__(id=id, fixed_columns=_FIXED_COLUMNS)
        self._clock = clock
        self.data = Versions()
        self.runs = VersionRuns()
        self.order: VersionOrder | None = None
        self.rows: tuple[int, ...] = ()
        """The index in `data.versions`, by row of the table."""
        self._cells = RunCells((), ())
        self._best: dict[str, float] = {}

    def show(self, data: Versions, runs: VersionRuns, order: VersionOrder | None, cursor: int | None) -> None:
        """Show versions, with the cursor on the one with that number if there is one; it keeps its screen line."""
        is_same, before = data.model == self.data.model, self.cursor_position
        self.data, self.runs, self.order = data, runs, order
        self.rows = sorted_rows(data, runs, order)
        numbers = [data.versions[row].version for row in self.rows]
        metric = data.metric
        greater = {} if metric is None or metric.greater_is_better is None else {metric.key: metric.greater_is_better}
        self._cells = RunCells(
            runs.columns,
            list(runs.records.values()),
            self._cells if is_same else None,
            style=ColumnStyle(greater_is_better=greater),
        )
        best = None if metric is None else metric.best_of(runs.records.values())
        self._cells.best = {} if best is None or metric is None else {metric.key: best}
        columns = self._all_columns()
        self._fixed_columns = self._fixed_that_fit(columns)
        self.set_content(len(self.rows), columns)
        self.restore_cursor(
            numbers.index(cursor) if cursor in numbers else 0, before if is_same else CursorPosition(0, True)
        )

    @property
    def cursor_version(self) -> ModelVersion | None:
        return self._version(self.cursor_row) if self.rows else None

    @property
    def cursor_key(self) -> str | Column | None:
        """The column under the cursor: one of `VERSION_COLUMNS`, or a column of the source run."""
        keys: tuple[str | Column, ...] = (*VERSION_COLUMNS, *self.runs.columns)
        return keys[self.cursor_column] if self.cursor_column < len(keys) else None

    def _version(self, row: int) -> ModelVersion:
        return self.data.versions[self.rows[row]]

    def _record(self, version: ModelVersion) -> RunRecord | None:
        return self.runs.records.get(version.run_id or "")

    def _all_columns(self) -> tuple[GridColumn, ...]:
        cells = [self._leading(version) for version in self.data.versions]
        leading = []
        for index, label in enumerate(VERSION_COLUMNS):
            widest = max((cell_width(row[index].text) for row in cells), default=0)
            width = max(len(label) + 2, min(_MAX_WIDTH, widest))  # with room for the sort mark
            neighbours = Neighbours(row[index].text for row in cells)
            leading.append(GridColumn(label, width, label in _RIGHT, mark=self._mark(label), neighbours=neighbours))
        column = self.order.column if self.order is not None else None
        descending = self.order is not None and self.order.descending
        order = () if column is None or isinstance(column, str) else (OrderKey(column, descending),)
        return (*leading, *self._cells.grid_columns(order)[len(LEADING) :])

    def _fixed_that_fit(self, columns: Sequence[GridColumn]) -> int:
        """Return how many columns stay in view: two, unless they would leave too little room for the others."""
        leading = sum(column.width + GAP for column in columns[:_FIXED_COLUMNS])
        return _FIXED_COLUMNS if leading < self.line_width // 2 else 1

    def _mark(self, label: str) -> str:
        if self.order is None or self.order.column != label:
            return ""
        return " ▼" if self.order.descending else " ▲"

    def row_cells(self, row: int) -> Sequence[Cell]:
        version = self._version(row)
        record, leading, columns = self._record(version), self._leading(version), self.runs.columns

        def make(index: int) -> Cell:
            if index < len(leading):
                return leading[index]
            if record is None:
                return Cell(_NO_RUN, "faint")
            return self._cells.cell(record, columns[index - len(leading)], self._clock, None)

        return LazyCells(len(leading) + len(columns), make)

    def _leading(self, version: ModelVersion) -> list[Cell]:
        created = version.creation_time
        record = self.data.record(version)
        name = safe(record.run.label) if record else f"run {safe(version.run_id)}" if version.run_id else MISSING
        glyph = "" if version.status == "READY" else f" {VERSION_GLYPHS.get(version.status, ('?', ''))[0]}"
        return [
            Cell(str(version.version)),
            Cell(safe(version.stage) + glyph, STAGE_STYLES.get(version.stage, "warn")),
            Cell(safe(" ".join(f"@{alias}" for alias in version.aliases)), "name"),
            Cell(MISSING if created is None else self._clock.age(created), "dim"),
            Cell(name, "" if record else "dim"),
        ]

    def row_text(self, row: int) -> str:
        version = self._version(row)
        record = self._record(version)
        params = () if record is None else record.params.values()
        return " ".join((*(cell.text for cell in self._leading(version)), version.description or "", *params))

    def copied_text(self) -> str | None:
        version = self.cursor_version
        return None if version is None else f"models:/{version.name}/{version.version}"

    def lay_out(self) -> None:
        self._fixed_columns = self._fixed_that_fit(self.columns)
        super().lay_out()

    def header_clicked(self) -> None:
        self.action_sort()

    def action_sort(self) -> None:
        if self.cursor_key is not None and self.columns:
            self.post_message(self.SortAsked(self.cursor_key))
