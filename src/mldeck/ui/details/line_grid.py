"""The lists of the inspector: fields, metrics, params and tags of one run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual.binding import BindingType
from textual.message import Message

from mldeck.charts.sparkline import sparkline
from mldeck.format import cell_width, exact_float_text, safe, time_text
from mldeck.model import SYSTEM_TAG_PREFIX, Metric
from mldeck.ui.details.keys import METRIC_VIEW
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.keys import bindings

if TYPE_CHECKING:
    from mldeck.store.histories.outline import HistorySpan

_MIN_VALUE_WIDTH = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A name and what belongs to it."""

    name: str
    text: str
    style: str = ""
    run_id: str | None = None
    """The run that Enter goes to."""
    is_heading: bool = False


class LineGrid(Grid):
    """Names on the left, texts on the right. Enter shows the whole text, or goes to the run that it names."""

    class RunAsked(Message):
        def __init__(self, run_id: str) -> None:
            super().__init__()
            self.run_id = run_id

    class TextAsked(Message):
        """Somebody wants to read the whole of a long text."""

        def __init__(self, title: str, text: str) -> None:
            super().__init__()
            self.title = title
            self.text = text

    def __init__(self, empty_text: str, *, id: str | None = None) -> None:
        super().__init__(id=id, has_header=False)
        self.empty_text = empty_text
        self.lines: Sequence[Line] = ()

    def show(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.set_content(len(lines))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        room = max(0, self.line_width - GAP - _MIN_VALUE_WIDTH)
        name_width = min(room, max((cell_width(safe(line.name)) for line in self.lines), default=0))
        return GridColumn("name", name_width), GridColumn("value", max(0, self.line_width - name_width - GAP))

    def row_cells(self, row: int) -> Sequence[Cell]:
        line = self.lines[row]
        if line.is_heading:
            return Cell(line.name, "group"), Cell("")
        return Cell(safe(line.name), "dim"), Cell(safe(line.text), "accent" if line.run_id else line.style)

    def row_text(self, row: int) -> str:
        line = self.lines[row]
        return f"{line.name} {line.text}"

    def copied_text(self) -> str | None:
        return self.lines[self.cursor_row].text if self.lines else None

    def action_open(self) -> None:
        if not self.lines:
            return
        line = self.lines[self.cursor_row]
        if line.run_id:
            self.post_message(self.RunAsked(line.run_id))
        elif not line.is_heading:
            self.post_message(self.TextAsked(line.name, line.text))


def param_lines(params: Sequence[tuple[str, str]]) -> list[Line]:
    return [Line(key, value) for key, value in params]


def tag_lines(tags: Sequence[tuple[str, str]]) -> list[Line]:
    """People's own tags first; MLflow's (`mlflow.…`) apart."""
    own = [Line(key, value) for key, value in tags if not key.startswith(SYSTEM_TAG_PREFIX)]
    system = [Line(key, value, "dim") for key, value in tags if key.startswith(SYSTEM_TAG_PREFIX)]
    heading = [Line("MLflow's own tags", "", is_heading=True)] if system else []
    return [*own, *heading, *system]


class Outlines:
    """Histories of the metrics of one run, each cut into slices. One that grew stays until it has been read again."""

    def __init__(self) -> None:
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
        """They are wanted in another number of slices."""
        self._spans, self._outdated = {}, set()

    def add(self, outlines: Mapping[str, Sequence[HistorySpan]]) -> None:
        self._spans.update(outlines)
        self._outdated -= outlines.keys()

    def get(self, key: str) -> Sequence[HistorySpan] | None:
        return self._spans.get(key)

    def missing(self, keys: Iterable[str]) -> list[str]:
        return [key for key in keys if key not in self._spans or key in self._outdated]


class OutlineView(Protocol):
    """Shows outlines of histories, and says which ones it does not have."""

    run_id: str | None

    @property
    def history_width(self) -> int:
        """In cells."""

    def missing_outlines(self) -> list[str]: ...
    def add_outlines(self, outlines: Mapping[str, Sequence[HistorySpan]]) -> None: ...


class MetricGrid(Grid):
    """Latest values with step and time, and the history of each as a line of dots. Enter asks for a chart."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(METRIC_VIEW)

    class OutlinesWanted(Message):
        """Metrics came into view whose histories are not known yet."""

        def __init__(self, view: OutlineView) -> None:
            super().__init__()
            self.view = view

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, MetricGrid.OutlinesWanted) and message.view is self.view

    class OtherViewAsked(Message):
        """Charts instead of a list, or the other way round."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.empty_text = "This run has logged no metrics."
        self.metrics: Sequence[Metric] = ()
        self.run_id: str | None = None
        self._outlines = Outlines()

    def show(self, run_id: str, metrics: Sequence[Metric]) -> None:
        self._outlines.follow(run_id, metrics)
        self.run_id, self.metrics = run_id, metrics
        self.set_content(len(metrics))
        self.want_outlines()

    def add_outlines(self, outlines: Mapping[str, Sequence[HistorySpan]]) -> None:
        self._outlines.add(outlines)
        self.repaint()

    @property
    def history_width(self) -> int:
        """Cells for a history: what the other columns leave."""
        return self.columns[-1].width if self.columns else 0

    def missing_outlines(self) -> list[str]:
        return self._outlines.missing(self.metrics[row].key for row in self.visible_rows)

    def want_outlines(self) -> None:
        if self.history_width and self.is_on_screen and self.missing_outlines():
            self.post_message(self.OutlinesWanted(self))

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        names = max((cell_width(safe(metric.key)) for metric in self.metrics), default=6)
        values = max((len(exact_float_text(metric.value)) for metric in self.metrics), default=5)
        steps = max((len(str(metric.step)) for metric in self.metrics), default=4)
        columns = [
            GridColumn("metric", min(names, max(8, self.line_width // 3))),
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

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.want_outlines()

    def lay_out(self) -> None:
        width = self.history_width
        super().lay_out()
        if self.history_width != width:
            self._outlines.forget()
        self.want_outlines()

    def on_show(self) -> None:
        self.want_outlines()
