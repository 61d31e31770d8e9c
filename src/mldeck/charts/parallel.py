"""Parallel coordinates: an axis for each chosen param and metric, and every run a line across them.

A brush keeps a range of one axis: the runs outside any of them stand back, dotted. The run under the cursor is laid over
the finished picture, with its values beside the axes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mldeck.charts.braille import DOTS_ACROSS, DOTS_UP
from mldeck.charts.colour_scale import run_inks, write_legend
from mldeck.charts.dimensions import Dimension
from mldeck.charts.dots import Dots
from mldeck.charts.labels import write, write_middle
from mldeck.charts.picture import Canvas, Ink, Picture, Role

MAX_AXES = 12
_LEAST_SLOT, _LAST_SLOT = 10, 16
"""Cells from one axis to the next, at least; right of the last axis, at most."""
_LEAST_PLOT = 3
_FAINT_DOTS = 3
"""Of a line that stands back one dot in so many is drawn."""


@dataclass(frozen=True)
class Brush:
    """What is kept of an axis, in its places: values, or numbers of categories; both ends included."""

    low: float
    high: float
    has_missing: bool = False
    """Whether the runs at the foot are kept too."""

    def holds(self, place: float | None) -> bool:
        return self.has_missing if place is None else self.low <= place <= self.high


@dataclass(frozen=True)
class AxisPlace:
    """An axis in the picture, in cells."""

    dimension: Dimension
    column: int
    top: int
    height: int

    @property
    def foot(self) -> int:
        """The row of runs without a place, below the axis and its lower label."""
        return self.top + self.height + 1

    def row_of(self, place: float | None) -> int:
        return self.foot if place is None else self.top + self._dot(self.dimension.share(place)) // DOTS_UP

    def dot_of(self, run: int) -> int:
        """The row of dots of a run, counted from the top of the axis."""
        share = self.dimension.shares[run]
        return (self.height + 1) * DOTS_UP + 1 if share is None else self._dot(share)

    def brush(self, row: int, other_row: int) -> Brush:
        """What keeps exactly the runs that cross the axis in these rows and between them, in either order."""
        top, bottom = sorted((row, other_row))
        low, high = self._edge(bottom + 1), self._edge(top)
        # An edge is rounded, and a run may stand on it.
        for place in self.dimension.numbers:
            at = self.row_of(place)
            if at > bottom:
                low = max(low, math.nextafter(place, math.inf))
            elif at < top:
                high = min(high, math.nextafter(place, -math.inf))
            else:
                low, high = min(low, place), max(high, place)
        return Brush(low, high, top <= self.foot <= bottom)

    def _dot(self, share: float) -> int:
        return int((1 - share) * self._last_dot + 0.5)

    def _edge(self, row: int) -> float:
        """The place between a row of the picture and the one above it."""
        inside = row - self.top
        if not 0 < inside < self.height:
            return math.inf if inside <= 0 else -math.inf
        return self.dimension.scale.value(1 - (inside * DOTS_UP - 0.5) / self._last_dot)

    @property
    def _last_dot(self) -> int:
        return self.height * DOTS_UP - 1


@dataclass(frozen=True)
class ParallelPicture:
    picture: Picture
    axes: tuple[AxisPlace, ...] = ()
    """Those that were drawn, from the left."""
    selected: tuple[str, ...] = ()
    """The runs within all brushes."""
    _labels: Picture = field(default_factory=lambda: Picture(()))
    """What lies over all lines: axes, their names and ends."""
    _runs: Mapping[str, tuple[int, Ink]] = field(default_factory=dict)
    """By run: where its values stand in the dimensions, and its ink."""

    def highlighted(self, run_id: str) -> Picture:
        """The picture with this run on top of all others and its values beside the axes."""
        if not self.axes or run_id not in self._runs:
            return self.picture
        run, ink = self._runs[run_id]
        # Some colours of the scale hardly stand out.
        strong = ink._replace(is_strong=True) if ink.role is Role.SERIES else Ink(is_strong=True)
        canvas = Canvas(self.picture.width, self.picture.height)
        canvas.paste(0, 0, self.picture.rows, blanks=True)
        lines = _grid(canvas, self.axes[0])
        _draw(lines, self.axes, run, strong, weight=2)
        canvas.paste(0, self.axes[0].top, lines.rows)
        canvas.paste(0, 0, self._labels.rows)
        for axis in self.axes:
            row = axis.row_of(axis.dimension.places[run])
            canvas.put(axis.column, row, "●", strong)
            room = _room(canvas, axis, self.axes)
            end = write(canvas, axis.column + 1, row, f" {axis.dimension.texts[run]}", Ink(is_strong=True), room)
            canvas.put(end, row, " " * (end <= axis.column + room))
        return canvas.picture()


def most_axes(width: int) -> int:
    """How many axes fit into a picture of that width."""
    return max(2, min(MAX_AXES, width // _LEAST_SLOT))


def parallel(
    runs: Mapping[str, int],
    axes: Sequence[Dimension],
    size: tuple[int, int],
    *,
    brushes: Sequence[Brush | None] = (),
    colour_by: Dimension | None = None,
) -> ParallelPicture:
    """`runs`: the number of each run's colour, in the order of the dimensions' values; `brushes`: for each axis, or none."""
    canvas = Canvas(*size)
    kept = selected(list(runs), axes, brushes)
    places = _axis_places(axes[: most_axes(canvas.width)], canvas)
    problem = "" if places else "choose params and metrics as axes" if not axes else "too small for axes"
    problem = problem or ("" if runs else "no runs")
    if problem:
        write_middle(canvas, canvas.height // 2, problem, Ink(Role.AXIS))
        return ParallelPicture(canvas.picture(), selected=kept)

    inks = run_inks(runs, colour_by)
    standing_back, others = _grid(canvas, places[0]), _grid(canvas, places[0])
    in_front = set(kept)
    for run, (run_id, ink) in enumerate(inks.items()):
        if run_id in in_front:
            _draw(others, places, run, ink)
        else:
            _draw(standing_back, places, run, ink._replace(is_faint=True), every=_FAINT_DOTS)
    canvas.paste(0, places[0].top, standing_back.rows)
    canvas.paste(0, places[0].top, others.rows)

    over = Canvas(*size)
    for index, axis in enumerate(places):
        _write_axis(over, axis, places, brushes[index] if index < len(brushes) else None)
    hidden = [f"{len(axes) - len(places)} axes do not fit"] if len(axes) > len(places) else []
    count = f"{len(runs)} runs" if len(kept) == len(runs) else f"{len(kept)} of {len(runs)} runs"
    write_legend(over, colour_by, [*hidden, count])
    labels = over.picture()
    canvas.paste(0, 0, labels.rows)
    numbered = {run_id: (run, ink) for run, (run_id, ink) in enumerate(inks.items())}
    return ParallelPicture(canvas.picture(), places, kept, labels, numbered)


def selected(runs: Sequence[str], axes: Sequence[Dimension], brushes: Sequence[Brush | None]) -> tuple[str, ...]:
    """Those within the brushes of all axes, which may be fewer than the axes. The runs are in the order of the axes' values."""
    active = [(axis, brush) for axis, brush in zip(axes, brushes, strict=False) if brush]
    return tuple(
        run_id for run, run_id in enumerate(runs) if all(brush.holds(axis.places[run]) for axis, brush in active)
    )


def _axis_places(axes: Sequence[Dimension], canvas: Canvas) -> tuple[AxisPlace, ...]:
    """Names and upper labels above, lower labels below, then the foot if a run needs it, and the row of the legend."""
    height = canvas.height - 4 - any(axis.missing for axis in axes)
    if not axes or height < _LEAST_PLOT or canvas.width < len(axes) * _LEAST_SLOT:
        return ()
    last = min(canvas.width // len(axes), _LAST_SLOT)
    between = (canvas.width - last) / max(1, len(axes) - 1)
    return tuple(AxisPlace(axis, int(index * between), 2, height) for index, axis in enumerate(axes))


def _grid(canvas: Canvas, axis: AxisPlace) -> Dots:
    """Dots from the axes' upper end to their foot."""
    return Dots(canvas.width, axis.height + 2)


def _draw(dots: Dots, axes: Sequence[AxisPlace], run: int, ink: Ink, *, every: int = 1, weight: int = 1) -> None:
    points = [(axis.column * DOTS_ACROSS, axis.dot_of(run)) for axis in axes]
    for (x, y), (next_x, next_y) in pairwise(points):
        for below in range(weight):
            dots.line((x, y + below), (next_x, next_y + below), ink, every)


def _write_axis(canvas: Canvas, axis: AxisPlace, axes: Sequence[AxisPlace], brush: Brush | None) -> None:
    ink = Ink(Role.AXIS)
    write(canvas, axis.column, 0, axis.dimension.name, Ink(), _room(canvas, axis, axes) + 1)
    for row in range(axis.top, axis.top + axis.height):
        canvas.put(axis.column, row, "│", ink)
    low, high = axis.top + axis.height, axis.top - 1
    for place, text in axis.dimension.marks:
        share = axis.dimension.share(place)
        if axis.dimension.is_numeric and share in (0, 1):
            write(canvas, axis.column, high if share else low, text, ink, _room(canvas, axis, axes) + 1)
        else:
            _write_label(canvas, axis, axes, axis.row_of(place), text, ink)
    if axis.dimension.missing:
        canvas.put(axis.column, axis.foot, "×", Ink(Role.WARNING))
        _write_label(canvas, axis, axes, axis.foot, axis.dimension.missing, Ink(Role.WARNING))
    if brush:
        _write_brush(canvas, axis, brush)


def _write_brush(canvas: Canvas, axis: AxisPlace, brush: Brush) -> None:
    ink = Ink(Role.ACCENT)
    if brush.low <= brush.high:
        for row in range(axis.row_of(brush.high), axis.row_of(brush.low) + 1):
            canvas.put(axis.column, row, "┃", ink)
    if brush.has_missing:
        canvas.put(axis.column, axis.foot, "┃", ink)


def _write_label(canvas: Canvas, axis: AxisPlace, axes: Sequence[AxisPlace], row: int, text: str, ink: Ink) -> None:
    write(canvas, axis.column + 1, row, text, ink, _room(canvas, axis, axes))


def _room(canvas: Canvas, axis: AxisPlace, axes: Sequence[AxisPlace]) -> int:
    """The cells right of an axis that are its own, less one that keeps it apart from the next."""
    next_column = min((other.column for other in axes if other.column > axis.column), default=canvas.width + 1)
    return next_column - axis.column - 2
