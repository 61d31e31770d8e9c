"""The metrics of one run as a list, each with its history as a line of dots."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from textual import work
from textual.binding import BindingType
from textual.message import Message

from mldeck.charts.sparkline import slices_for, sparkline
from mldeck.format import Neighbours, cell_width, exact_float_text, safe, time_text
from mldeck.model import Metric
from mldeck.ui.details.keys import METRIC_VIEW
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.keys import bindings

if TYPE_CHECKING:
    from mldeck.store.histories.outline import HistorySpan

ReadOutlines: TypeAlias = "Callable[[str, Sequence[str], int], Awaitable[Mapping[str, Sequence[HistorySpan]] | None]]"
"""Reads histories of a run, cut into so many slices, by metric: run id, metrics, slices.

At least that of the first metric. None if it cannot be read.
"""


class Outlines:
    """The histories of the metrics of one run, each cut into slices.

    When a metric has grown, its old outline stays until the new one has been read.
    """

    def __init__(self, read: ReadOutlines) -> None:
        self._read = read
        self.run_id: str | None = None
        self.metrics: Sequence[Metric] = ()
        self._spans: dict[str, Sequence[HistorySpan]] = {}
        self._outdated: set[str] = set()

    def follow(self, run_id: str, metrics: Sequence[Metric]) -> None:
        if run_id != self.run_id:
            self.forget()
        else:
            self._outdated |= {metric.key for metric in set(metrics) - set(self.metrics)}
        self.run_id, self.metrics = run_id, metrics

    def forget(self) -> None:
        """Drop all outlines: another run is shown, or there is room for another number of slices."""
        self._spans, self._outdated = {}, set()

    async def read(self, keys: Iterable[str], width: int) -> AsyncIterator[str]:
        """Read the outlines of some metrics for `width` cells. Yield each metric once it is read."""
        run_id, slices = self.run_id, slices_for(width)
        if not run_id or not slices:
            return
        missing = list(keys)
        while missing:
            found = await self._read(run_id, missing, slices)
            if found is None or run_id != self.run_id:
                return
            self._spans |= found
            self._outdated -= found.keys()
            missing = [key for key in missing if key not in found]
            for key in found:
                yield key

    def get(self, key: str) -> Sequence[HistorySpan] | None:
        return self._spans.get(key)

    def missing(self, keys: Iterable[str]) -> list[str]:
        return [key for key in keys if key not in self._spans or key in self._outdated]


class MetricGrid(Grid):
    """The latest value of each metric with step and time, and its history as a line of dots. Enter asks for a chart."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(METRIC_VIEW)

    class OtherViewAsked(Message):
        """Posted to switch between charts and a list."""

    def __init__(self, read_outlines: ReadOutlines, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty_text = "This run has logged no metrics."
        self.metrics: Sequence[Metric] = ()
        self._outlines = Outlines(read_outlines)

    def show(self, run_id: str, metrics: Sequence[Metric]) -> None:
        self._outlines.follow(run_id, metrics)
        self.metrics = metrics
        self.set_content(len(metrics))
        self.want_outlines()

    @property
    def history_width(self) -> int:
        """The width of a history in cells: what the other columns leave."""
        return self.columns[-1].width if self.columns else 0

    def missing_outlines(self) -> list[str]:
        return self._outlines.missing(self.metrics[row].key for row in self.visible_rows)

    def want_outlines(self) -> None:
        if self.history_width and self.is_on_screen and self.missing_outlines():
            self._read_outlines()

    @work(group="outlines", exclusive=True)
    async def _read_outlines(self) -> None:
        """Show each history as soon as it is read; stop when the list is hidden."""
        async for _ in self._outlines.read(self.missing_outlines(), self.history_width):
            self.repaint()
            if not self.is_on_screen:
                break

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        names = max((cell_width(safe(metric.key)) for metric in self.metrics), default=6)
        values = max((len(exact_float_text(metric.value)) for metric in self.metrics), default=5)
        steps = max((len(str(metric.step)) for metric in self.metrics), default=4)
        columns = [
            GridColumn(
                "metric",
                min(names, max(8, self.line_width // 3)),
                neighbours=Neighbours(metric.key for metric in self.metrics),
            ),
            GridColumn("latest", max(6, values), right=True),
            GridColumn("step", max(4, steps), right=True),
            GridColumn("logged", 19),
        ]
        used = sum(column.width + GAP for column in columns)
        return (*columns, GridColumn("history", max(0, min(60, self.line_width - used))))

    def row_cells(self, row: int) -> Sequence[Cell]:
        metric = self.metrics[row]
        outline = self._outlines.get(metric.key)
        return (
            Cell(safe(metric.key)),
            Cell(exact_float_text(metric.value), "" if math.isfinite(metric.value) else "warn"),
            Cell(str(metric.step), "dim"),
            Cell(time_text(metric.timestamp), "dim"),
            Cell("" if outline is None else self._sparkline(outline), "accent"),
        )

    def _sparkline(self, outline: Sequence[HistorySpan]) -> str:
        return sparkline([(span.position, span.low, span.high) for span in outline], self.history_width)

    def row_text(self, row: int) -> str:
        return self.metrics[row].key

    def copied_text(self) -> str | None:
        return exact_float_text(self.metrics[self.cursor_row].value) if self.metrics else None

    @property
    def cursor_metric(self) -> str | None:
        return self.metrics[self.cursor_row].key if self.metrics else None

    def action_other_view(self) -> None:
        self.post_message(self.OtherViewAsked())

    def rows_in_view_changed(self) -> None:
        self.want_outlines()

    def lay_out(self) -> None:
        width = self.history_width
        super().lay_out()
        if self.history_width != width:
            self._outlines.forget()
            self.want_outlines()
