"""Curves on common axes: the chart of a metric, large and small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mldeck.charts.axes import frame, header, small_frame
from mldeck.charts.braille import DOTS_ACROSS, DOTS_UP, Layer, draw_layers
from mldeck.charts.curves import Curve
from mldeck.charts.decimate import Window, outline, part_of
from mldeck.charts.labels import write, write_middle, write_right
from mldeck.charts.limits import Placed, scale_by_hand, y_scale
from mldeck.charts.line_marks import End, put_ends, put_gaps, put_single
from mldeck.charts.picture import Canvas, Ink, Picture, PlotArea, Role
from mldeck.charts.points import Points
from mldeck.charts.scale import Scale
from mldeck.charts.window import full_window, window_of
from mldeck.format import cell_width, float_text, safe

NO_POINTS = "no points yet"
NOTHING_POSITIVE = "nothing above 0 for a log axis"
NOTHING_HERE = "nothing in this window: 0 shows everything"
NOTHING_FINITE = "nothing but NaN and inf"
_AXIS = Ink(Role.AXIS)
_SMALL_DIGITS = 4
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, eq=False)
class Line:
    curve: Curve
    name: str = ""
    colour: int = 0
    """The number of its series colour."""
    mark: str = ""
    """One character at its right end, which the legend repeats."""
    is_faint: bool = False
    is_strong: bool = False

    @property
    def ink(self) -> Ink:
        return Ink(Role.SERIES, self.colour, self.is_faint, self.is_strong)


@dataclass(frozen=True)
class View:
    x: tuple[float, float] | None = None
    """The window; None for everything."""
    y: tuple[float, float] | None = None
    """Limits set by hand; None for what is in the window."""
    is_without_outliers: bool = False
    """Whether the y axis leaves out the highest and the lowest percent of the values in the window; not when set by hand."""
    is_log: bool = False
    """The y axis by decades: values ≤ 0 are left out and counted."""


def draw_lines(
    lines: Sequence[Line], view: View, size: tuple[int, int], *, title: str = "", empty: str = NO_POINTS
) -> Picture:
    """Strong lines above the others, those above faint ones. Without anything to draw the picture says why."""
    canvas = Canvas(*size)
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
    lines: Sequence[Line], size: tuple[int, int], *, title: str = "", is_log: bool = False, empty: str = NO_POINTS
) -> Picture:
    """For a grid of charts: title, a single line's latest value, the line, and the limits of both axes where there is room."""
    canvas = Canvas(*size)
    view = View(is_log=is_log)
    latest = lines[0].curve.latest if len(lines) == 1 else None
    text = "" if latest is None else float_text(latest, _SMALL_DIGITS)
    write(canvas, 0, 0, safe(title), Ink(is_strong=True), max(0, canvas.width - cell_width(text) - 1))
    write_right(canvas, canvas.width, 0, text, Ink())
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
    """Letters for so many lines; further ones share a dot."""
    return tuple(_LETTERS[:count]) + ("·",) * (count - len(_LETTERS))


def window_for(curves: Sequence[Curve], view: View) -> Window | None:
    """What a view looks at; None when there are no points at all."""
    full = full_window(curves)
    return window_of(*view.x) if full and view.x else full


def placeable(points: Points, is_log: bool) -> Points:
    """Those that have a place on the y axis."""
    return points.positive if is_log else points


def _y_scale(lines: Sequence[Line], window: Window, view: View) -> Scale | None:
    by_hand = scale_by_hand(view.y, view.is_log) if view.y else None
    if by_hand:
        return by_hand
    placed = [
        Placed(placeable(points, view.is_log), line.curve.origin) for line in lines for points, _ in _strokes(line)
    ]
    return y_scale(placed, window, view.is_log, view.is_without_outliers)


def _strokes(line: Line) -> list[tuple[Points, Ink]]:
    """What is drawn of a line: behind a smoothed one the raw one is kept faint, unless the line is faint itself."""
    curve = line.curve
    if curve.smooth is None or line.is_faint:
        return [(curve.shown, line.ink)]
    return [(curve.points, line.ink._replace(is_faint=True, is_strong=False)), (curve.smooth, line.ink)]


def _draw(canvas: Canvas, plot: PlotArea, lines: Sequence[Line]) -> None:
    """The lines, and the marks of what is missing in them, into the plot area."""
    ordered = sorted(lines, key=lambda line: (line.is_strong, not line.is_faint))
    strokes = [(points, ink, line.curve.origin) for line in ordered for points, ink in _strokes(line)]
    layers = [layer_of(placeable(points, plot.y.is_log), plot, ink, origin) for points, ink, origin in strokes]
    canvas.paste(plot.left, plot.top, draw_layers(layers, plot.width, plot.height))
    for line in ordered:
        points = line.curve.points
        put_single(canvas, plot, points, line.curve.origin, line.ink)
        put_gaps(canvas, plot, points, line.curve.gaps, line.curve.origin)


def layer_of(points: Points, plot: PlotArea, ink: Ink, origin: int) -> Layer:
    """A line as dots in the plot area."""
    layer = Layer(ink, plot.width, plot.height)
    window = Window(plot.x.low, plot.x.high)
    for stretch in outline(points, window, plot.width * DOTS_ACROSS, origin):
        up = plot.height * DOTS_UP
        layer.line(stretch.columns, [share * up for share in plot.y.shares(stretch.ys)])
    return layer


def _notes(lines: Sequence[Line], window: Window, view: View) -> list[str]:
    """What the chart leaves out."""
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


def _count(points: Points, window: Window, origin: int) -> int:
    first, last = part_of(points, window, origin)
    return last - first


def _why_nothing(lines: Sequence[Line], window: Window | None, view: View, empty: str) -> str:
    if window is None:
        return empty
    if not any(line.curve.points for line in lines):
        return NOTHING_FINITE
    if view.is_log and not any(line.curve.points.positive for line in lines):
        return NOTHING_POSITIVE
    return NOTHING_HERE
