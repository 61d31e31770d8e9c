"""The frame of a chart: y ticks on the left, x ticks below, and the area of the data between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mldeck.charts.curves import Axis
from mldeck.charts.labels import write, write_right
from mldeck.charts.picture import Ink, PictureCanvas, PlotArea, Role
from mldeck.charts.scale import Scale
from mldeck.charts.ticks import AxisTick, fitting_ticks, number_ticks
from mldeck.charts.times import clock_ticks, relative_ticks
from mldeck.format import cell_width, cut, date_text, duration_text, number_format, safe, time_text

_AXIS = Ink(Role.AXIS)
_GRID = Ink(Role.AXIS, is_faint=True)
_FEWEST_COLUMNS, _FEWEST_ROWS = 8, 2
"""The least size of a plot, in cells; a line in a smaller one is unreadable."""
_ROWS_PER_TICK = 4
_ROWS_FOR_FOOT = 5
"""The least height, in rows, of a small chart that has an x axis."""


def axis_ticks(axis: Axis, scale: Scale) -> Callable[[int], Sequence[AxisTick]]:
    """Return a function that gives at most so many ticks of an x axis."""
    if axis is Axis.STEP:
        return lambda most: number_ticks(scale, most, is_whole=True)
    if axis is Axis.RELATIVE:
        return lambda most: relative_ticks(scale, most)
    return lambda most: clock_ticks(scale, most)


def header(canvas: PictureCanvas, title: str, notes: Sequence[str]) -> int:
    """Write the title, with notes on the right. Return the number of rows used: 1, or 0 if there is nothing to write."""
    note = " · ".join(notes)
    if not (title or note):
        return 0
    room = canvas.width - (cell_width(note) + 2 if note else 0)
    if title and room < min(cell_width(title), 8):
        note = cut(note, max(0, canvas.width - cell_width(cut(title, 8)) - 2))
        room = canvas.width - cell_width(note) - 2
    write(canvas, 0, 0, safe(title), Ink(is_strong=True), max(0, room))
    write_right(canvas, canvas.width, 0, note, _AXIS)
    return 1


def frame(canvas: PictureCanvas, x: Scale, y: Scale, axis: Axis, *, top: int, right: int = 0) -> PlotArea | None:
    """Draw the axes, leaving `top` rows above and `right` columns beside the data. None if there is no room."""
    height = canvas.height - top - 2
    ticks = {}
    for tick in number_ticks(y, max(2, height // _ROWS_PER_TICK + 1)):
        row = PlotArea(0, top, 1, max(1, height), x, y).row_of(tick.value)
        if row is not None:
            ticks[row] = tick
    gutter = max((len(tick.text) for tick in ticks.values()), default=0)
    if gutter > canvas.width // 3:  # the labels would leave no room for the line
        ticks, gutter = {}, 0
    width = canvas.width - gutter - 1 - right
    if width < _FEWEST_COLUMNS or height < _FEWEST_ROWS:
        return None
    plot = PlotArea(gutter + 1, top, width, height, x, y)
    for row in range(top, top + height):
        canvas.put(gutter, row, "┤" if row in ticks else "│", _AXIS)
        if row in ticks:
            canvas.put(gutter + 1, row, "┈" * width, _GRID)
            write_right(canvas, gutter, row, ticks[row].text, _AXIS)
    _foot(canvas, plot, axis)
    return plot


def small_frame(canvas: PictureCanvas, x: Scale, y: Scale, axis: Axis) -> PlotArea | None:
    """Draw the frame of a small chart, below a row for the title. None if there is no room.

    The highest and lowest value stand on the left, the first and last x below.
    """
    has_foot = canvas.height >= _ROWS_FOR_FOOT
    height = canvas.height - 1 - has_foot
    high, low = map(number_format((y.low, y.high)).text, (y.high, y.low))
    gutter = max(len(high), len(low))
    if gutter > canvas.width // 3 or height < _FEWEST_ROWS:
        gutter = 0
    if height < 1 or canvas.width - gutter - 1 < 1:
        return None
    plot = PlotArea(gutter + 1, 1, canvas.width - gutter - 1, height, x, y)
    for row in range(1, 1 + height):
        canvas.put(gutter, row, "│", _AXIS)
    if gutter:
        write_right(canvas, gutter, 1, high, _AXIS)
        write_right(canvas, gutter, height, low, _AXIS)
    if has_foot:
        first, last = _end_texts(axis, x)
        write(canvas, plot.left, height + 1, first, _AXIS)
        if cell_width(first) + cell_width(last) + 2 <= plot.width:
            write_right(canvas, canvas.width, height + 1, last, _AXIS)
    return plot


def _end_texts(axis: Axis, x: Scale) -> tuple[str, str]:
    first, last = int(x.low), int(x.high)
    if axis is Axis.STEP:
        return str(first), str(last)
    if axis is Axis.RELATIVE:
        return duration_text(first), duration_text(last)
    is_one_day = date_text(first) == date_text(last)
    return (time_text(first)[11:], time_text(last)[11:]) if is_one_day else (date_text(first), date_text(last))


def _foot(canvas: PictureCanvas, plot: PlotArea, axis: Axis) -> None:
    row = plot.top + plot.height
    canvas.put(plot.left - 1, row, "└" + "─" * plot.width, _AXIS)

    def place(value: float) -> int | None:
        column = plot.column_of(value)
        return None if column is None else column - plot.left

    for column, start, tick in fitting_ticks(axis_ticks(axis, plot.x), place, plot.width):
        canvas.put(plot.left + column, row, "┬", _AXIS)
        write(canvas, plot.left + start, row + 1, tick.text, _AXIS)
    name = _axis_name(axis, plot.x)
    if len(name) < plot.left - 1:
        write_right(canvas, plot.left - 1, row + 1, name, _AXIS)


def _axis_name(axis: Axis, scale: Scale) -> str:
    """Return the name of the x axis: "step", "time", or for local times on a single day its month and day."""
    if axis is not Axis.WALL:
        return "step" if axis is Axis.STEP else "time"
    first, last = date_text(int(scale.low)), date_text(int(scale.high))
    return first[5:] if first == last else "time"
