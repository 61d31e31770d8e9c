"""Draws histories as a picture: what is drawn, in which colours, and which values can be read off it.

Nothing here touches the screen, because drawing runs in a thread.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mldeck.charts.bands import Band, band, draw_bands
from mldeck.charts.bars import Bar, draw_bars
from mldeck.charts.curves import Axis, Curve, prepare, smoothed
from mldeck.charts.lines import ChartLine, ChartView, draw_lines, marks_for
from mldeck.charts.picture import SERIES_COLOURS, Picture
from mldeck.charts.readout import Readout, step_neighbour, values_at
from mldeck.charts.window import full_window
from mldeck.format import MISSING
from mldeck.model import History
from mldeck.ui.chart.view import CurveView, Range, Window
from mldeck.ui.state.history_cache import SeriesKey

_READ_PARTS = 1_000
"""Values that differ by this part of the y axis look different in the legend and at the crosshair."""


@dataclass(frozen=True)
class Series:
    """The data of one curve."""

    key: SeriesKey
    name: str
    colour: int
    history: History | None = None
    """None until it has been read."""
    detail: History | None = None
    """All points in the window, if the history is too long to hold whole; drawn instead of it."""
    group: str | None = None
    """The run's value of the param or tag that runs are grouped by; None if it has none."""


@dataclass(frozen=True)
class CurveDrawing:
    """A picture and the curves in it."""

    picture: Picture
    lines: tuple[ChartLine, ...] = ()
    """A line for each series, or each group. Hidden series and those not read yet have no points."""
    keys: tuple[SeriesKey | None, ...] = ()
    """The series of each line, in the order of `lines`; None for a group."""
    is_bars: bool = False
    full: Window | None = None
    """The first and last x of all curves that are not hidden; None without points."""

    @property
    def readable_values(self) -> tuple[float, ...]:
        """The ends of the y axis, and a value just above the lower one: values read off the curves are told apart as well."""
        plot = self.picture.plot
        if plot is None or plot.y.is_log:
            return ()
        low, high = plot.y.low, plot.y.high
        return low, low + (high / _READ_PARTS - low / _READ_PARTS), high

    def column_of(self, x: float | None) -> int | None:
        """Return the column of the picture for an x value; None if it is outside, or there is no x axis."""
        plot = self.picture.plot
        return None if x is None or plot is None or self.is_bars else plot.column_of(x)

    def moved(self, x: float | None, columns: int) -> float | None:
        """Return the x value so many columns away, or that of the next point if it is farther; None without an x axis.

        Without a crosshair (`x` is None, or out of sight), the first step comes in from the edge.
        """
        plot = self.picture.plot
        if plot is None or self.is_bars:
            return None
        column = None if x is None else plot.column_of(x)
        if x is None or column is None:
            return self.edge(-columns)
        wanted = plot.x_at(max(plot.left, min(plot.left + plot.width - 1, column + columns)))
        direction = 1 if columns > 0 else -1
        neighbour = step_neighbour(self.lines, x, direction)
        if neighbour is None or plot.column_of(neighbour) is None:
            return wanted
        return max(wanted, neighbour) if direction > 0 else min(wanted, neighbour)

    def edge(self, direction: int) -> float | None:
        """Return the first (-1) or last (1) visible x; None without an x axis."""
        plot = self.picture.plot
        if plot is None or self.is_bars:
            return None
        return plot.x_at(plot.left if direction < 0 else plot.left + plot.width - 1)

    def readings(self, x: float) -> tuple[Readout | None, ...]:
        """Return the values at an x; None for a curve that does not reach the column of the picture that `x` is in."""
        plot = self.picture.plot
        reach = 0.0 if plot is None else abs(plot.x_at(plot.left + 1) - plot.x_at(plot.left)) / 2
        return values_at(self.lines, x, reach)

    def latest(self, row: int) -> Readout | None:
        """Return the last point of a line; None if it has none."""
        return None if self.full is None else values_at(self.lines[row : row + 1], self.full[1])[0]


@dataclass(frozen=True)
class _Prepared:
    history: History
    axis: Axis
    origin: int | None
    weight: float
    curve: Curve


class Drawer:
    """Draws, and keeps the prepared curves as long as their histories are shown. Not for two threads at once."""

    def __init__(self) -> None:
        self._prepared: dict[SeriesKey, _Prepared] = {}
        self._firsts: dict[SeriesKey, tuple[array[int], int]] = {}
        self._bands: dict[str | None, tuple[tuple[Curve, ...], Band]] = {}

    def draw(
        self,
        series: Sequence[Series],
        view: CurveView,
        size: tuple[int, int],
        empty: str,
        chosen: SeriesKey | None = None,
    ) -> CurveDrawing:
        """Draw for a size in cells (width, height).

        `empty` is the text shown when there is nothing to draw. `chosen` is highlighted among bars, which have no legend.
        """
        shown = [entry for entry in series if entry.key not in view.hidden]
        origins = self._origins(series) if view.axis is Axis.RELATIVE else {}
        curves = {
            entry.key: self._curve(entry, view, origins.get(entry.key.run_id))
            for entry in shown
            if entry.history is not None
        }
        self._forget_others({entry.key for entry in series})
        if (
            curves
            and all(curve.count <= 1 for curve in curves.values())
            and any(curve.count for curve in curves.values())
        ):
            return _bars(series, curves, view, size, chosen)
        if view.group_by is not None:
            return self._draw_bands(shown, curves, view, size, empty)
        marks = marks_for(len(series)) if len(series) > 1 else ("",) * len(series)
        lines = tuple(
            _line(entry, curves.get(entry.key), mark, view) for entry, mark in zip(series, marks, strict=True)
        )
        drawn = [line for line in lines if line.curve.count]
        picture = draw_lines(drawn, _chart_view(view), size, empty=empty)
        return CurveDrawing(
            picture, lines, tuple(entry.key for entry in series), full=full_window([line.curve for line in drawn])
        )

    def _curve(self, series: Series, view: CurveView, origin: int | None) -> Curve:
        history = series.history if series.detail is None else series.detail
        assert history is not None
        before = self._prepared.get(series.key)
        is_same = before is not None and before.history.is_unchanged_since(history)
        if before is None or not is_same or (before.axis, before.origin) != (view.axis, origin):
            curve = prepare(history.steps, history.timestamps, history.values, view.axis, view.weight, origin)
        elif before.weight != view.weight:
            curve = smoothed(before.curve, view.weight)
        else:
            return before.curve
        self._prepared[series.key] = _Prepared(history, view.axis, origin, view.weight, curve)
        return curve

    def _draw_bands(
        self,
        series: Sequence[Series],
        curves: Mapping[SeriesKey, Curve],
        view: CurveView,
        size: tuple[int, int],
        empty: str,
    ) -> CurveDrawing:
        groups: dict[str | None, list[Curve]] = {}
        for entry in series:
            if entry.key in curves:
                groups.setdefault(entry.group, []).append(curves[entry.key])
        marks = marks_for(len(groups))
        bands = []
        for number, (value, members) in enumerate(groups.items()):
            made = self._bands.get(value)
            if made is None or made[0] != tuple(members):
                name = f"{MISSING if value is None else value} ({len(members)})"
                made = tuple(members), band(members, name, number % SERIES_COLOURS, marks[number])
            self._bands[value] = made
            bands.append(made[1])
        self._bands = {value: self._bands[value] for value in groups}
        lines = tuple(made.line for made in bands)
        picture = draw_bands(bands, _chart_view(view), size, empty=empty)
        return CurveDrawing(picture, lines, (None,) * len(lines), full=full_window([line.curve for line in lines]))

    def _origins(self, series: Iterable[Series]) -> dict[str, int]:
        """Return when each run logged its first point of any metric shown: milliseconds since the epoch, by run id."""
        origins: dict[str, int] = {}
        for key, history in ((entry.key, entry.history) for entry in series):
            if history is not None and len(history):
                if key not in self._firsts or self._firsts[key][0] is not history.timestamps:
                    self._firsts[key] = history.timestamps, min(history.timestamps)
                first = self._firsts[key][1]
                origins[key.run_id] = min(first, origins.get(key.run_id, first))
        return origins

    def _forget_others(self, keys: Collection[SeriesKey]) -> None:
        self._prepared = {key: made for key, made in self._prepared.items() if key in keys}
        self._firsts = {key: first for key, first in self._firsts.items() if key in keys}


def _chart_view(view: CurveView) -> ChartView:
    custom = view.low_high if view.range is Range.CUSTOM else None
    return ChartView(view.window, custom, view.range is Range.WITHOUT_OUTLIERS, view.is_log)


_NO_CURVE = prepare(array("q"), array("q"), array("d"))


def _line(series: Series, curve: Curve | None, mark: str, view: CurveView) -> ChartLine:
    is_solo = view.solo == series.key
    stands_back = view.solo is not None and not is_solo
    return ChartLine(curve or _NO_CURVE, series.name, series.colour, mark, is_faint=stands_back, is_strong=is_solo)


def _bars(
    series: Sequence[Series],
    curves: Mapping[SeriesKey, Curve],
    view: CurveView,
    size: tuple[int, int],
    chosen: SeriesKey | None,
) -> CurveDrawing:
    """Draw a metric that each run logged only once, so that there is nothing to draw a line through."""
    bars = [
        Bar(
            entry.name,
            curves[entry.key].latest if entry.key in curves else None,
            entry.colour,
            is_faint=entry.key in view.hidden or view.solo not in (None, entry.key),
            is_strong=entry.key == chosen,
        )
        for entry in series
    ]
    lines = tuple(_line(entry, curves.get(entry.key), "", view) for entry in series)
    return CurveDrawing(
        draw_bars(bars, size, is_log=view.is_log), lines, tuple(entry.key for entry in series), is_bars=True
    )
