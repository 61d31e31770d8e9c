"""The pane with the curves of metrics on the same axes, their legend and a crosshair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.widgets import Static
from textual.worker import WorkerError

from mldeck.charts.curves import Axis
from mldeck.charts.readout import Readout
from mldeck.errors import MldeckError
from mldeck.format import MISSING, NumberFormat, cut_middle, safe, time_text
from mldeck.model import Run
from mldeck.ui.chart.choices import choose_groups, choose_metrics, next_metric
from mldeck.ui.chart.crosshair_plot import CrosshairPlot
from mldeck.ui.chart.drawing import CurveDrawing, Drawer
from mldeck.ui.chart.history_loader import HistoryLoader, News
from mldeck.ui.chart.keys import CURVES
from mldeck.ui.chart.legend import CurveLegend, LegendLine
from mldeck.ui.chart.view import CurveView, Range, parsed_range
from mldeck.ui.export.export import Exported, export
from mldeck.ui.kit.background_drawing import BackgroundDrawing
from mldeck.ui.kit.clipboard import CopyAsked
from mldeck.ui.kit.debounce import Debouncer
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings, key_name
from mldeck.ui.kit.picture_view import PictureView
from mldeck.ui.kit.questions import asks
from mldeck.ui.state.history_cache import SeriesKey
from mldeck.ui.state.session import Session
from mldeck.ui.textual_patches.widgets import set_border_titles

_BESIDE_WIDTH = 100
"""From this width in cells on, a legend with several lines stands beside the plot; else below it."""

_LEGEND_SHARE = 0.36
"""The largest share of the pane's width for the legend."""

_MOST_LINES_BELOW = 6

_BUSY_S = 0.5
"""Reading that takes longer is shown in the title, with its progress."""

_TICK_S = 0.25
"""The time between two updates of the progress."""


class CurvesPane(BackgroundDrawing[CurveDrawing], can_focus=True):
    """The curves of some runs: the loader reads them, this pane draws them and has the keys."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(CURVES)

    @dataclass
    class MetricChanged(Message):
        """Posted when another metric is shown."""

        pane: CurvesPane

        @property
        def control(self) -> CurvesPane:
            return self.pane

    @dataclass
    class RunAsked(Message):
        """Posted to go to a run of the chart."""

        run: Run

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session
        self.loader = HistoryLoader(session, self._take_news)
        self.empty_text = "No run to show."
        self.crosshair: float | None = None
        """The x value of the crosshair; None without one."""
        self._drawer = Drawer()
        self._debouncer = Debouncer(self)

    def compose(self) -> ComposeResult:
        with Container(classes="curve-body"):
            yield CrosshairPlot(id="curve-plot")
            legend = CurveLegend(id="curve-legend")
            legend.display = False  # until there are several curves; else the picture would be drawn for two sizes
            yield legend
        yield Static("", id="curve-readout", markup=False)

    @property
    def plot(self) -> CrosshairPlot:
        return self.query_one(CrosshairPlot)

    @property
    def legend(self) -> CurveLegend:
        return self.query_one(CurveLegend)

    # -- reading

    @property
    def view(self) -> CurveView:
        return self.loader.view

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics on the same axes; usually one."""
        return self.loader.metrics

    @property
    def metric(self) -> str | None:
        return next(iter(self.metrics), None)

    @property
    def is_reading(self) -> bool:
        return self.loader.is_reading

    def show(self, run_ids: Sequence[str], metric: str | None = None) -> None:
        """Show some runs. Without a metric: the present one if these runs have it, else the experiment's most important one."""
        if self.loader.follow(run_ids, metric):
            self._load()

    def show_metrics(self, metrics: tuple[str, ...] | None) -> None:
        """Show other metrics in the same view, as far as it makes sense for them; None leaves them."""
        if metrics is not None and (metrics != self.metrics or self.loader.was_stopped):
            y_range = Range.ALL if self.view.range is Range.CUSTOM else self.view.range
            self.loader.view = replace(self.view, range=y_range, solo=None, hidden=frozenset())
            self.loader.show_metrics(metrics)
            self._load()
            self.post_message(self.MetricChanged(self))

    async def read_again(self) -> None:
        """Read names and newer points after the database changed. Raises `MldeckError`."""
        if not self.loader.renew():
            return
        error = None
        with suppress(WorkerError):
            error = await self._load().wait()
        if error is not None:
            raise error

    @work(group="curves", exclusive=True)
    async def _load(self) -> MldeckError | None:
        with self._showing_progress():
            return await self.loader.load()

    @contextmanager
    def _showing_progress(self) -> Iterator[None]:
        ticks = self.set_interval(_TICK_S, self.show_title, pause=True)
        patience = self.set_timer(_BUSY_S, ticks.resume)
        try:
            yield
        finally:
            patience.stop()
            ticks.stop()

    def stop_reading(self) -> None:
        """Show what has been read so far."""
        if not self.loader.stop():
            self.workers.cancel_group(self, "curves")
            self._take_news(News.CURVES)

    def _take_news(self, news: News) -> None:
        if news is News.METRICS:
            self.post_message(self.MetricChanged(self))
        elif news is News.WINDOW:
            self._read_window_soon()
        else:
            self.show_title()
            self.redraw()

    def _read_window_soon(self) -> None:
        """Read all points in the window once it has rested for a moment."""
        self._debouncer.call(self._read_window)

    @work(group="details", exclusive=True)
    async def _read_window(self) -> None:
        await self.loader.read_window()

    # -- drawing

    def drawer(self, size: tuple[int, int]) -> Callable[[], CurveDrawing]:
        return partial(self._drawer.draw, self.loader.series(), self.view, size, self._empty_text(), self.chosen)

    def _empty_text(self) -> str:
        if not self.loader.run_ids:
            return self.empty_text
        if self.is_reading:
            return "reading…"
        if self.loader.error is not None:
            return "The database could not be read."
        if self.loader.was_stopped and not self.loader.point_count:
            return f"Stopped before anything was read: {key_name('refresh')} reads on."
        if not self.metrics:
            return "No metric yet: it appears here as soon as one is logged."
        if self.view.hidden.issuperset(self.loader.keys):
            return f"All curves are hidden: {key_name('toggle_run')} shows the one under the cursor."
        return "No points yet: they appear here as soon as they are logged."

    def show_drawing(self) -> None:
        drawing = self.drawing
        if drawing is not None:
            self._show_legend()
            self.plot.show(drawing.picture, drawing.column_of(self.crosshair))
            self._fit_legend()
            self.show_title()

    def _show_legend(self) -> None:
        """Show the values at the crosshair in the legend; without a crosshair, the latest ones."""
        drawing = self.drawing
        if drawing is None:
            return
        at = self.crosshair
        readings = drawing.readings(at) if at is not None else (None,) * len(drawing.lines)
        self.legend.show(
            [
                LegendLine(
                    line.name,
                    line.colour,
                    line.mark,
                    line.curve.latest if at is None else None if reading is None else reading.value,
                    is_hidden=key in self.view.hidden,
                    is_read=key is None or self.loader.is_read(key),
                )
                for line, key, reading in zip(drawing.lines, drawing.keys, readings, strict=True)
            ],
            drawing.readable_values,
        )
        self._show_readout()

    def _show_readout(self) -> None:
        """Show the value of the selected run at the crosshair; without a crosshair, its latest value."""
        self.query_one("#curve-readout", Static).update(Content(self._readout()), layout=False)

    def _readout(self) -> str:
        drawing, row = self.drawing, self.legend.cursor_row
        if drawing is None or row >= len(drawing.lines) or drawing.is_bars:
            return ""
        name, width, at = safe(drawing.lines[row].name), self.size.width - 1, self.crosshair
        reading = drawing.latest(row) if at is None else drawing.readings(at)[row]
        if reading is None:
            is_beyond = at is not None and drawing.lines[row].curve.count
            return f" {cut_middle(name, width - 5)}   {MISSING}" if is_beyond else ""
        return " " + _reading_text(reading, name, width, self.view, self.legend.numbers)

    def show_title(self) -> None:
        metrics = ", ".join(safe(metric) for metric in self.metrics) or "Curves"
        by = self.view.group_by
        grouped = f" by {safe(by.key)}, mean and min–max" if by is not None else ""
        title = cut_middle(metrics, max(20, self.size.width // 2)) + grouped
        is_bars = self.drawing is not None and self.drawing.is_bars
        parts = [self.view.bars_summary if is_bars else self.view.summary]
        loader = self.loader
        if loader.error is not None:
            parts.append(safe(str(loader.error)))
        elif loader.is_reading:
            parts.append(f"{loader.progress} {key_name('leave_chart')} stops")
        elif loader.was_stopped:
            parts.append(f"stopped at {loader.point_count:,} points: {key_name('refresh')} reads on")
        set_border_titles(self, title, " · ".join(parts))

    # -- sizes

    def _fit_legend(self) -> None:
        """Put the legend beside the plot if there is room, else a few lines of it below."""
        legend, count = self.legend, len(self.legend.lines)
        is_beside = self.size.width >= _BESIDE_WIDTH and count > 1
        self.set_class(is_beside, "-beside")
        # A single curve is described by the line at the bottom, and bars have their names beside them.
        legend.display = count > 1 and self.drawing is not None and not self.drawing.is_bars
        most = max(1, min(_MOST_LINES_BELOW, self.size.height // 4))
        legend.styles.width = min(legend.wanted_width, int(self.size.width * _LEGEND_SHARE)) if is_beside else "1fr"
        legend.styles.height = "1fr" if is_beside else min(count, most)

    # -- the view

    def _set_view(self, view: CurveView) -> None:
        if view != self.view:
            self.loader.view = view
            self.redraw()
            self._read_window_soon()
            self.show_title()

    async def action_x_axis(self) -> None:
        """Switch the x axis. Wait until it is drawn, because the next key may refer to a place on it."""
        self.crosshair = None
        self._set_view(self.view.with_next_axis())
        await self.drawn()

    def action_log_axis(self) -> None:
        self._set_view(replace(self.view, is_log=not self.view.is_log))

    def action_smooth(self, steps: int) -> None:
        self._set_view(self.view.smoother(steps))

    def action_zoom(self, steps: int) -> None:
        """Zoom in or out around the crosshair, if it is visible."""
        drawing = self.drawing
        if drawing is not None:
            around = None if drawing.column_of(self.crosshair) is None else self.crosshair
            self._set_view(self.view.zoomed(drawing.full, around, steps))

    def action_pan(self, direction: int) -> None:
        if self.view.window is None:
            self.notify(f"Everything is visible: {key_name('zoom_in')} zooms in", timeout=2)
        elif self.drawing is not None:
            self._set_view(self.view.panned(self.drawing.full, direction))

    def action_reset_view(self) -> None:
        self._move_crosshair(None)
        self._set_view(self.view.whole())

    def action_y_range(self) -> None:
        """Switch the y range: all values, without outliers, custom, and all values again."""
        if self.view.range is Range.ALL:
            self._set_view(replace(self.view, range=Range.WITHOUT_OUTLIERS))
        elif self.view.range is Range.CUSTOM:
            self._set_view(replace(self.view, range=Range.ALL))
        else:
            self._ask_for_range()

    def _ask_for_range(self) -> None:
        from mldeck.ui.kit.dialogs.line_input import LineDialog

        plot = self.drawing.picture.plot if self.drawing is not None else None
        shown = "" if plot is None else f"{plot.y.low:.6g} {plot.y.high:.6g}"

        def problem(text: str) -> str | None:
            return None if parsed_range(text) else "Enter two numbers, the lower one first: 0 1.5"

        def take(text: str | None) -> None:
            low_high = parsed_range(text or "")
            custom = None if low_high is None else replace(self.view, range=Range.CUSTOM, low_high=low_high)
            self._set_view(custom or replace(self.view, range=Range.ALL))

        self.app.push_screen(LineDialog("Range of the y axis: low high", shown, problem), take)

    # -- metrics and groups

    @asks("choose")
    async def action_metric(self, step: int) -> None:
        self.show_metrics(await next_metric(self, self.loader, step))

    @asks("choose")
    async def action_choose_metrics(self) -> None:
        self.show_metrics(await choose_metrics(self, self.loader))

    @asks("choose")
    async def action_group(self) -> None:
        """Show a band from the lowest to the highest run for each value of a param or a tag."""
        view = await choose_groups(self, self.loader)
        if view is not None:
            self.loader.view = view
            self.show_title()
            self.redraw()

    # -- the crosshair

    def _move_crosshair(self, x: float | None) -> None:
        self.crosshair = x
        if self.drawing is not None:
            self.plot.set_crosshair(self.drawing.column_of(x))
            self._show_legend()

    def action_crosshair(self, columns: int) -> None:
        if self.drawing is not None:
            self._move_crosshair(self.drawing.moved(self.crosshair, columns))

    def action_crosshair_edge(self, direction: int) -> None:
        if self.drawing is not None:
            self._move_crosshair(self.drawing.edge(direction))

    @on(PictureView.Pointed)
    def _pointed(self, message: PictureView.Pointed) -> None:
        message.stop()
        plot = message.view.picture.plot if message.view.picture is not None else None
        if plot is not None and plot.left <= message.column < plot.left + plot.width:
            self._move_crosshair(plot.x_at(message.column))

    # -- the runs in the legend

    @property
    def chosen(self) -> SeriesKey | None:
        """The series under the cursor of the legend; None on a group."""
        keys = self.drawing.keys if self.drawing is not None else ()
        return keys[self.legend.cursor_row] if self.legend.cursor_row < len(keys) else None

    def action_choose_run(self, rows: int) -> None:
        self.legend.action_move(rows)

    @on(Grid.CursorMoved)
    def _run_chosen(self, message: Grid.CursorMoved) -> None:
        message.stop()
        if isinstance(message, Grid.Opened):
            self.action_open()
            return
        self._show_readout()
        if self.drawing is not None and self.drawing.is_bars:
            self.redraw()
        if self.view.solo is not None and self.chosen is not None:
            self._set_view(replace(self.view, solo=self.chosen))

    def action_solo(self) -> None:
        chosen = self._chosen_or_why_not()
        if chosen is not None:
            self._set_view(self.view.with_solo(chosen))

    def action_toggle_run(self) -> None:
        chosen = self._chosen_or_why_not()
        if chosen is not None:
            self._set_view(self.view.with_hidden(chosen))

    def _chosen_or_why_not(self) -> SeriesKey | None:
        if self.chosen is None and self.view.group_by is not None:
            self.notify(f"Runs are grouped: {key_name('group_runs')} shows them one by one", timeout=3)
        return self.chosen

    def action_open(self) -> None:
        if self.chosen is not None and self.chosen.run_id in self.loader.records:
            self.post_message(self.RunAsked(self.loader.records[self.chosen.run_id].run))

    def action_copy(self) -> None:
        text = self.legend.copied_text()
        if text is not None:
            self.post_message(CopyAsked(text, text))

    def action_export(self) -> None:
        exported = self._exported()
        if exported is None and self.is_reading:
            self.notify("The points are still being read", timeout=2)
        else:
            export(self, self.session, ", ".join(self.metrics), exported)

    def _exported(self) -> Exported | None:
        from mldeck.run_text import POINT_HEADER
        from mldeck.ui.chart.table_rows import CurveRows

        drawing = self.drawing
        if drawing is None or not any(line.curve.count for line in drawing.lines):
            return None
        series, records, store = self.loader.series(), self.loader.records, self.session.store
        return Exported(drawing.picture, POINT_HEADER, lambda interrupt: CurveRows(series, records, store, interrupt))


def _reading_text(reading: Readout, name: str, width: int, view: CurveView, numbers: NumberFormat) -> str:
    """Return the step, value and time of a point, with the smoothed value if the curve is smoothed."""
    value = numbers.text(reading.value)
    if view.group_by is not None:  # several runs, which logged the step at different times
        step = f"step {reading.step:,}   " if view.axis is Axis.STEP else ""
        text = f"{step}mean {value}"
        return f"{cut_middle(name, max(8, width - len(text) - 3))}   {text}"
    smoothed = "" if reading.smoothed is None else f"   smoothed {numbers.text(reading.smoothed)}"
    text = f"step {reading.step:,}   {value}{smoothed}   {time_text(reading.timestamp)}"
    return f"{cut_middle(name, max(8, width - len(text) - 5))}   {text}"
