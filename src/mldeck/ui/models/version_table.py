"""The versions of a model as a table, with the metrics and params of their source runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from mldeck.format import MISSING, Neighbours, cell_width, duration_text, safe
from mldeck.model import Column, Kind, OrderKey, RunRecord
from mldeck.registry.nouns import PRODUCTION, ModelVersion
from mldeck.ui.details.run_cells import RunCells
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.grid import Cell, CursorPosition, Grid, GridColumn
from mldeck.ui.kit.keys import TABLE, bindings
from mldeck.ui.kit.lazy_row import LazyCells
from mldeck.ui.models.keys import VERSION_TABLE
from mldeck.ui.models.reading import (
    AGE,
    ALIASES,
    DURATION,
    FILE_COLUMNS,
    READING,
    RUN,
    SIGNATURE,
    SIZE,
    STAGE,
    VERSION,
    VERSION_COLUMNS,
    WEIGHED_COLUMNS,
    VersionOrder,
    VersionRuns,
    Versions,
    in_production,
    sorted_rows,
)
from mldeck.ui.models.version_overview import VERSION_GLYPHS
from mldeck.ui.state.columns import ColumnStyle

if TYPE_CHECKING:
    from mldeck.artifacts.file_facts import FileFacts

_MAX_WIDTH = 28
_RIGHT = (VERSION, AGE)
STAGE_STYLES = {"Production": "good", "Staging": "accent", "Archived": "dim", "None": ""}
_WEIGHED_WIDTHS = {DURATION: len(DURATION) + 2, SIZE: len("≥ 999 MB")}
_WIDE_SIGNATURE = "99 in, 9 out"
_REFERENCE = "reference"
"""Shown for the signature that the others are compared with."""
_NO_RUN = "·"


class VersionTable(Grid):
    """The versions, a row each, with the metrics and params in which their source runs differ."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE, VERSION_TABLE)

    @dataclass
    class SortAsked(Message):
        """Posted when the user sorts by a column."""

        column: str | Column
        """See `VersionOrder`."""

    @dataclass
    class FactsWanted(Message):
        """Posted when sizes and signatures come into view that have not been read."""

        versions: tuple[ModelVersion, ...]

    def __init__(
        self,
        clock: Clock,
        facts_of: Callable[[ModelVersion], FileFacts | None] = lambda version: None,
        *,
        id: str | None = None,
    ) -> None:
        """`facts_of` returns what has been read of the files of a version, None before that."""
        super().__init__(id=id)
        self.pinned_columns = 1
        self._clock = clock
        self._facts_of = facts_of
        self._asked_for: frozenset[int] = frozenset()
        """The numbers of the versions whose facts were asked for last."""
        self.data = Versions()
        self.runs = VersionRuns()
        self.order: VersionOrder | None = None
        self.rows: tuple[int, ...] = ()
        """The index in `data.versions`, by row of the table."""
        self._cells = RunCells((), ())
        self._keys: tuple[str | Column, ...] = ()
        """By column: one of `VERSION_COLUMNS`, of `WEIGHED_COLUMNS`, or a column of the source run."""

    def show(self, data: Versions, runs: VersionRuns, order: VersionOrder | None, cursor: int | None) -> None:
        """Show versions, with the cursor on the one with that number if there is one; it keeps its screen line."""
        is_same, before = data.model == self.data.model, self.cursor_position
        self.data, self.runs, self.order = data, runs, order
        self._asked_for = frozenset()
        self.rows = sorted_rows(data, runs, order, {SIZE: self._file_size, SIGNATURE: self._signature_text})
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
        self._keys = self._arranged()
        self.set_content(len(self.rows), self._all_columns())
        self.restore_cursor(
            numbers.index(cursor) if cursor in numbers else 0, before if is_same else CursorPosition(0, True)
        )

    @property
    def cursor_version(self) -> ModelVersion | None:
        return self._version(self.cursor_row) if self.rows else None

    @property
    def cursor_key(self) -> str | Column | None:
        """The column under the cursor: one of `VERSION_COLUMNS`, of `WEIGHED_COLUMNS`, or a column of the source run."""
        return self._keys[self.cursor_column] if self.cursor_column < len(self._keys) else None

    def _version(self, row: int) -> ModelVersion:
        return self.data.versions[self.rows[row]]

    def _record(self, version: ModelVersion) -> RunRecord | None:
        return self.runs.records.get(version.run_id or "")

    def _arranged(self) -> tuple[str | Column, ...]:
        """Return the columns: the metric of the cards and what else is weighed right after the stage.

        The other columns of the runs are at the end.
        """
        wanted = None if self.data.metric is None else Column(Kind.METRIC, self.data.metric.key)
        main = tuple(column for column in self.runs.columns if column == wanted)
        others = (column for column in self.runs.columns if column != wanted)
        return (VERSION, STAGE, *main, *WEIGHED_COLUMNS, ALIASES, AGE, RUN, *others)

    def _all_columns(self) -> tuple[GridColumn, ...]:
        cells = [self._leading(version) for version in self.data.versions]
        columns: dict[str | Column, GridColumn] = {}
        for index, label in enumerate(VERSION_COLUMNS):
            widest = max((cell_width(row[index].text) for row in cells), default=0)
            width = max(len(label) + 2, min(_MAX_WIDTH, widest))  # with room for the sort mark
            neighbours = Neighbours(row[index].text for row in cells)
            columns[label] = GridColumn(
                label, width, right=label in _RIGHT, mark=self._mark(label), neighbours=neighbours
            )
        column = self.order.column if self.order is not None else None
        descending = self.order is not None and self.order.descending
        order = () if column is None or isinstance(column, str) else (OrderKey(column, descending),)
        compares = any(version.stage == PRODUCTION for version in self.data.versions)
        widths = {**_WEIGHED_WIDTHS, SIGNATURE: len(SIGNATURE if compares else _WIDE_SIGNATURE)}
        for label, width in widths.items():
            columns[label] = GridColumn(label, width, right=label != SIGNATURE, mark=self._mark(label))
        columns |= zip(self._cells.columns, self._cells.grid_columns(order), strict=True)
        return tuple(columns[key] for key in self._keys)

    def _mark(self, label: str) -> str:
        if self.order is None or self.order.column != label:
            return ""
        return " ▼" if self.order.descending else " ▲"

    def row_cells(self, row: int) -> Sequence[Cell]:
        version = self._version(row)
        record, leading = self._record(version), dict(zip(VERSION_COLUMNS, self._leading(version), strict=True))

        def make(index: int) -> Cell:
            key = self._keys[index]
            if key in leading:
                return leading[key]
            if isinstance(key, Column):
                return Cell(_NO_RUN, "faint") if record is None else self._cells.cell(record, key, self._clock, None)
            if key == DURATION:
                duration = record.run.duration if record else None
                return Cell(MISSING if duration is None else duration_text(duration))
            return self._fact(version, key)

        return LazyCells(len(self._keys), make)

    # -- what is read of the files

    def _file_size(self, version: ModelVersion) -> int | None:
        facts = self._facts_of(version)
        return None if facts is None else facts.size

    def _signature_text(self, version: ModelVersion) -> str | None:
        text = self._fact(version, SIGNATURE).text
        return None if text in (READING, MISSING) else text

    def _fact(self, version: ModelVersion, key: str) -> Cell:
        """Return the size, or whether the signature is that of the version in Production which this one would replace."""
        facts, replaced = self._facts_of(version), in_production(self.data.versions, version)
        other = self._facts_of(replaced) if replaced else None
        if facts is None or (key == SIGNATURE and replaced and other is None):
            return Cell(READING, "faint")
        if key == SIZE:
            return Cell(facts.size_text)
        if other is None:
            return Cell(_REFERENCE if version.stage == PRODUCTION else facts.signature_text, "dim")
        from mldeck.artifacts.file_facts import signature_verdict

        verdict = signature_verdict(other, facts)
        return Cell(verdict or MISSING, "warn" if verdict == "differs" else "dim")

    def _facts_in_view(self) -> tuple[ModelVersion, ...]:
        """Return the versions whose facts are in view and have not been read."""
        if not any(self._keys[index] in FILE_COLUMNS for index in self.visible_columns()):
            return ()
        shown = [self._version(row) for row in self.visible_rows if row < len(self.rows)]
        replaced = (in_production(self.data.versions, version) for version in shown[:1])
        wanted = dict.fromkeys(version.version for version in (*shown, *filter(None, replaced)))
        by_number = {version.version: version for version in self.data.versions}
        return tuple(by_number[number] for number in wanted if self._facts_of(by_number[number]) is None)

    def render_lines(self, crop: Region) -> list[Strip]:
        wanted = self._facts_in_view()
        if not self._asked_for.issuperset(version.version for version in wanted):
            self._asked_for = frozenset(version.version for version in wanted)
            self.post_message(self.FactsWanted(wanted))
        return super().render_lines(crop)

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

    @property
    def column_noun(self) -> str:
        return "column"

    def column_name(self, index: int) -> str:
        key = self._keys[index]
        return key if isinstance(key, str) else key.key

    def header_clicked(self) -> None:
        self.action_sort()

    def action_sort(self) -> None:
        if self.cursor_key is not None and self.columns:
            self.post_message(self.SortAsked(self.cursor_key))
