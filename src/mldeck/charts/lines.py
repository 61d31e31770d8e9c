"""Line charts: the curves of a metric on common axes, large and small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mldeck.charts.axes import frame, header, small_frame
from mldeck.charts.braille import DOTS_ACROSS, DOTS_UP, Layer, draw_layers
from mldeck.charts.curves import Curve
from mldeck.charts.decimate import AxisWindow, outline, part_of
from mldeck.charts.labels import write, write_middle, write_right
from mldeck.charts.limits import PlacedPoints, scale_by_hand, y_scale
from mldeck.charts.line_marks import End, put_ends, put_gaps, put_single
from mldeck.charts.picture import Ink, Picture, PictureCanvas, PlotArea, Role
from mldeck.charts.points import FinitePoints
from mldeck.charts.scale import Scale
from mldeck.charts.window import full_window, window_of
from mldeck.format import cell_width, float_text, safe

NO_POINTS = "no points yet"
NOTHING_POSITIVE = "nothing above 0 for a log axis"
NOTHING_HERE = "nothing in this window: 0 shows everything"
NOTHING_FINITE = "nothing but NaN and inf"
_AXIS = Ink(Role.AXIS)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, eq=False)
class ChartLine:
    """A curve with its name and its style in a chart."""

    curve: Curve
    name: str = ""
    colour: int = 0
    """The number of its series colour."""
    mark: str = ""
    """One character drawn at the right end of the line and repeated in the legend."""
    is_faint: bool = False
    is_strong: bool = False

    @property
    def ink(self) -> Ink:
        return Ink(Role.SERIES, self.colour, self.is_faint, self.is_strong)


@dataclass(frozen=True)
class ChartView:
    """The part of the data that a chart shows, and how the y axis is scaled."""

    x: tuple[float, float] | None = None
    """The window on the x axis; None for everything."""
    y: tuple[float, float] | None = None
    """The y limits set by the user; None to fit the data in the window."""
    is_without_outliers: bool = False
    """Whether the y axis leaves out the highest and lowest percent of the values in the window; ignored with `y`."""
    is_log: bool = False
    """Whether the y axis is logarithmic; values ≤ 0 are then left out and counted."""


def draw_lines(
    lines: Sequence[ChartLine], view: ChartView, size: tuple[int, int], *, title: str = "", empty: str = NO_POINTS
) -> Picture:
    """Draw lines in `size` (width, height) cells: strong ones on top, faint ones at the bottom.

    If there is nothing to draw the picture says why; `empty` is the message if there are no points at all.
    """
    canvas = PictureCanvas(*size)
    window = window_for([line.curve for line in lines], view)
    notes = _notes(lines, window, view) if window else []
    top = header(canvas, title, notes)
    y = _y_scale(lines, window, view) if window else None
    if window is None or y is None:
        write_middle(canvas, max(top, canvas.height // 2), _why_nothing(lines, window, view, empty), _AXIS)
        return canvas.picture()
    right = 2 if any(line.mark for line in lines) else 0
    plot = frame(canvas, Scale(*window), y, lines[0].curve.axis, top=top, right=right)
    if plot is None:
        return canvas.picture()
    _draw(canvas, plot, lines)
    put_ends(
        canvas,
        plot,
        [End(line.mark, line.ink, placeable(line.curve.shown, view.is_log), line.curve.origin) for line in lines],
    )
    return canvas.picture(plot)


def draw_small(
    lines: Sequence[ChartLine],
    size: tuple[int, int],
    *,
    title: str = "",
    is_log: bool = False,
    empty: str = NO_POINTS,
    note: str = "",
) -> Picture:
    """Draw a chart for a grid of small charts.

    It has the title, the latest value (of a single line only), the lines, and the limits of both axes if there is room. A
    `note` is shown instead of the lines.
    """
    canvas = PictureCanvas(*size)
    view = ChartView(is_log=is_log)
    latest = lines[0].curve.latest if len(lines) == 1 else None
    text = "" if latest is None else float_text(latest)
    write(canvas, 0, 0, safe(title), Ink(is_strong=True), max(0, canvas.width - cell_width(text) - 1))
    write_right(canvas, canvas.width, 0, text, Ink())
    if note:
        write_middle(canvas, max(1, canvas.height // 2), note, _AXIS)
        return canvas.picture()
    window = window_for([line.curve for line in lines], view)
    y = _y_scale(lines, window, view) if window else None
    if window is None or y is None:
        write_middle(canvas, max(1, canvas.height // 2), _why_nothing(lines, window, view, empty), _AXIS)
        return canvas.picture()
    first, last = lines[0].curve.limits or (0, 0)
    if len(lines) == 1 and first == last:
        write_middle(canvas, max(1, canvas.height // 2), f"only at step {first}", _AXIS)
        return canvas.picture()
    plot = small_frame(canvas, Scale(*window), y, lines[0].curve.axis)
    if plot is not None:
        _draw(canvas, plot, lines)
    return canvas.picture(plot)


def marks_for(count: int) -> tuple[str, ...]:
    """Return the marks for `count` lines: letters, and a common dot for lines beyond the last letter."""
    return tuple(_LETTERS[:count]) + ("·",) * (count - len(_LETTERS))


def window_for(curves: Sequence[Curve], view: ChartView) -> AxisWindow | None:
    """Return the window that a view shows; None if the curves have no points."""
    full = full_window(curves)
    return window_of(*view.x) if full and view.x else full


def placeable(points: FinitePoints, is_log: bool) -> FinitePoints:
    """Return the points that can be drawn on the y axis."""
    return points.positive if is_log else points


def _y_scale(lines: Sequence[ChartLine], window: AxisWindow, view: ChartView) -> Scale | None:
    by_hand = scale_by_hand(view.y, view.is_log) if view.y else None
    if by_hand:
        return by_hand
    placed = [
        PlacedPoints(placeable(points, view.is_log), line.curve.origin)
        for line in lines
        for points, _ in _strokes(line)
    ]
    return y_scale(placed, window, view.is_log, view.is_without_outliers)


def _strokes(line: ChartLine) -> list[tuple[FinitePoints, Ink]]:
    """Return the strokes of a line as (points, ink), from back to front.

    If the line is smoothed, the raw line is drawn faintly behind it, unless the line is faint itself.
    """
    curve = line.curve
    if curve.smooth is None or line.is_faint:
        return [(curve.shown, line.ink)]
    return [(curve.points, line.ink._replace(is_faint=True, is_strong=False)), (curve.smooth, line.ink)]


def _draw(canvas: PictureCanvas, plot: PlotArea, lines: Sequence[ChartLine]) -> None:
    """Draw the lines into the plot area, and marks where values are missing."""
    ordered = sorted(lines, key=lambda line: (line.is_strong, not line.is_faint))
    strokes = [(points, ink, line.curve.origin) for line in ordered for points, ink in _strokes(line)]
    layers = [layer_of(placeable(points, plot.y.is_log), plot, ink, origin) for points, ink, origin in strokes]
    canvas.paste(plot.left, plot.top, draw_layers(layers, plot.width, plot.height))
    for line in ordered:
        points = line.curve.points
        put_single(canvas, plot, points, line.curve.origin, line.ink)
        put_gaps(canvas, plot, points, line.curve.gaps, line.curve.origin)


def layer_of(points: FinitePoints, plot: PlotArea, ink: Ink, origin: int) -> Layer:
    """Return a line as braille dots in the plot area. `origin` is subtracted from its x."""
    layer = Layer(ink, plot.width, plot.height)
    window = AxisWindow(plot.x.low, plot.x.high)
    for stretch in outline(points, window, plot.width * DOTS_ACROSS, origin):
        up = plot.height * DOTS_UP
        layer.line(stretch.columns, [share * up for share in plot.y.shares(stretch.ys)])
    return layer


def _notes(lines: Sequence[ChartLine], window: AxisWindow, view: ChartView) -> list[str]:
    """Return notes on what the chart leaves out."""
    notes = []
    if view.is_log:
        left_out = sum(
            _count(line.curve.points, window, line.curve.origin)
            - _count(line.curve.points.positive, window, line.curve.origin)
            for line in lines
        )
        notes.append(f"log, {left_out:,} value{'s' * (left_out != 1)} ≤ 0 left out" if left_out else "log")
    if view.is_without_outliers and not view.y:
        notes.append("1–99 % of the values")
    return notes


def _count(points: FinitePoints, window: AxisWindow, origin: int) -> int:
    first, last = part_of(points, window, origin)
    return last - first


def _why_nothing(lines: Sequence[ChartLine], window: AxisWindow | None, view: ChartView, empty: str) -> str:
    if window is None:
        return empty
    if not any(line.curve.points for line in lines):
        return NOTHING_FINITE
    if view.is_log and not any(line.curve.points.positive for line in lines):
        return NOTHING_POSITIVE
    return NOTHING_HERE
