"""Chooses metrics from a list that may be long: typing narrows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from mldeck.format import safe
from mldeck.ui.kit.grid import Cell, Grid, GridColumn
from mldeck.ui.kit.text_field import TextField


class _MetricList(Grid, can_focus=False):
    """The line for typing has the keys."""

    def __init__(self, metrics: Sequence[str], chosen: Sequence[str]) -> None:
        super().__init__(id="metric-list", has_header=False)
        self.all_metrics = metrics
        self.metrics = metrics
        self.chosen = list(chosen)
        self.empty_text = "No metric of these runs is called that."
        self.narrow("")
        self.move_to(next((row for row, metric in enumerate(metrics) if metric in chosen), 0))

    def narrow(self, text: str) -> None:
        words = text.lower().split()
        self.metrics = [each for each in self.all_metrics if all(word in each.lower() for word in words)]
        self.set_content(len(self.metrics))
        self.move_to(0)

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        return GridColumn("", 1), GridColumn("", max(1, self.line_width - 3))

    def row_cells(self, row: int) -> Sequence[Cell]:
        metric = self.metrics[row]
        return Cell("✓" if metric in self.chosen else " ", "accent"), Cell(safe(metric))

    @property
    def cursor_metric(self) -> str | None:
        return self.metrics[self.cursor_row] if self.metrics else None

    def toggle(self) -> None:
        metric = self.cursor_metric
        if metric in self.chosen:
            self.chosen.remove(metric)
        elif metric is not None:
            self.chosen.append(metric)
        self.repaint()


class MetricDialog(ModalScreen["tuple[str, ...] | None"]):
    """The result is the metrics in the order in which they were chosen; None if all is to stay as it was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "cancel"),
        Binding("down", "move(1)", "down", priority=True),
        Binding("up", "move(-1)", "up", priority=True),
        Binding("tab", "add", "add", priority=True),
    ]

    def __init__(self, metrics: Sequence[str], chosen: Sequence[str]) -> None:
        super().__init__()
        self._metrics = metrics
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        with Vertical(id="metric-choice", classes="dialog") as pane:
            pane.border_title = "Metrics"
            pane.border_subtitle = Content("Enter only this one · Tab on the same axes · Esc cancel")
            yield TextField(placeholder="type to narrow the list", id="metric-text")
            yield _MetricList(self._metrics, self._chosen)

    @property
    def _list(self) -> _MetricList:
        return self.query_one(_MetricList)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _narrow(self) -> None:
        self._list.narrow(self.query_one(TextField).text)

    def action_move(self, rows: int) -> None:
        self._list.action_move(rows)

    def action_add(self) -> None:
        self._list.toggle()

    @on(Grid.CursorMoved)
    def _moved(self, message: Grid.CursorMoved) -> None:
        message.stop()
        if isinstance(message, Grid.Opened):
            self._take()

    @on(Input.Submitted)
    def _take(self) -> None:
        """What was chosen with Tab; if nothing was, what the cursor is on."""
        grid = self._list
        if tuple(grid.chosen) != tuple(self._chosen) and grid.chosen:
            self.dismiss(tuple(grid.chosen))
        elif grid.cursor_metric is not None:
            self.dismiss((grid.cursor_metric,))

    def action_cancel(self) -> None:
        self.dismiss(None)
