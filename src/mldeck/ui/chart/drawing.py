"""From histories and a view of them to a picture: what is drawn, in which colours, and what can be read off it.

Nothing of the screen here: drawing takes place in a thread.
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


@dataclass(frozen=True)
class Series:
    """One curve to be."""

    key: SeriesKey
    name: str
    colour: int
    history: History | None = None
    """None while it is being read."""
    detail: History | None = None
    """All points of a part of a history that is too long to hold whole."""
    group: str | None = None
    """The value of what runs are grouped by."""


@dataclass(frozen=True)
class Drawing:
    """A picture and what is in it."""

    picture: Picture
    lines: tuple[ChartLine, ...] = ()
    """One for each series, or each group; the hidden ones, and those that are being read, without points."""
    keys: tuple[SeriesKey | None, ...] = ()
    """The series of each line; None for a group."""
    is_bars: bool = False
    full: Window | None = None
    """From the first x to the last, of all that is not hidden."""

    def column_of(self, x: float | None) -> int | None:
        """Where the crosshair stands in the picture."""
        plot = self.picture.plot
        return None if x is None or plot is None or self.is_bars else plot.column_of(x)

    def moved(self, x: float | None, columns: int) -> float | None:
        """The x value so many columns away, or that of the next point if there is none before it; None without any axis.

        The first step comes in from the edge.
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
        """The first or the last x in sight."""
        plot = self.picture.plot
        if plot is None or self.is_bars:
            return None
        return plot.x_at(plot.left if direction < 0 else plot.left + plot.width - 1)

    def readings(self, x: float) -> tuple[Readout | None, ...]:
        return values_at(self.lines, x)


@dataclass(frozen=True)
class _Prepared:
    history: History
    axis: Axis
    origin: int | None
    weight: float
    curve: Curve


class Drawer:
    """Keeps the curves that it made, as long as their histories are shown. One drawing at a time."""

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
    ) -> Drawing:
        """`empty` is said where there is nothing to draw; `chosen` stands out among bars, which have no legend."""
        shown = [each for each in series if each.key not in view.hidden]
        origins = self._origins(series) if view.axis is Axis.RELATIVE else {}
        curves = {
            each.key: self._curve(each, view, origins.get(each.key.run_id))
            for each in shown
            if each.history is not None
        }
        self._forget_others({each.key for each in series})
        if (
            curves
            and all(curve.count <= 1 for curve in curves.values())
            and any(curve.count for curve in curves.values())
        ):
            return _bars(series, curves, view, size, chosen)
        if view.group_by is not None:
            return self._draw_bands(shown, curves, view, size, empty)
        marks = marks_for(len(series)) if len(series) > 1 else ("",) * len(series)
        lines = tuple(_line(each, curves.get(each.key), mark, view) for each, mark in zip(series, marks, strict=True))
        drawn = [line for line in lines if line.curve.count]
        picture = draw_lines(drawn, _chart_view(view), size, empty=empty)
        return Drawing(
            picture, lines, tuple(each.key for each in series), full=full_window([line.curve for line in drawn])
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
    ) -> Drawing:
        groups: dict[str | None, list[Curve]] = {}
        for each in series:
            if each.key in curves:
                groups.setdefault(each.group, []).append(curves[each.key])
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
        lines = tuple(each.line for each in bands)
        picture = draw_bands(bands, _chart_view(view), size, empty=empty)
        return Drawing(picture, lines, (None,) * len(lines), full=full_window([line.curve for line in lines]))

    def _origins(self, series: Iterable[Series]) -> dict[str, int]:
        """When each run logged its first point, of any of its metrics."""
        origins: dict[str, int] = {}
        for key, history in ((each.key, each.history) for each in series):
            if history is not None and len(history):
                if key not in self._firsts or self._firsts[key][0] is not history.timestamps:
                    self._firsts[key] = history.timestamps, min(history.timestamps)
                first = self._firsts[key][1]
                origins[key.run_id] = min(first, origins.get(key.run_id, first))
        return origins

    def _forget_others(self, keys: Collection[SeriesKey]) -> None:
        self._prepared = {key: each for key, each in self._prepared.items() if key in keys}
        self._firsts = {key: each for key, each in self._firsts.items() if key in keys}


def _chart_view(view: CurveView) -> ChartView:
    by_hand = view.low_high if view.range is Range.BY_HAND else None
    return ChartView(view.window, by_hand, view.range is Range.WITHOUT_OUTLIERS, view.is_log)


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
) -> Drawing:
    """Logged once by every run: nothing to draw a line through."""
    bars = [
        Bar(
            each.name,
            curves[each.key].latest if each.key in curves else None,
            each.colour,
            is_faint=each.key in view.hidden or view.solo not in (None, each.key),
            is_strong=each.key == chosen,
        )
        for each in series
    ]
    lines = tuple(_line(each, curves.get(each.key), "", view) for each in series)
    return Drawing(draw_bars(bars, size, is_log=view.is_log), lines, tuple(each.key for each in series), is_bars=True)
