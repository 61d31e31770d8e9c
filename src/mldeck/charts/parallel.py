"""Parallel coordinates: an axis for each chosen param and metric, and a line across them for every run.

A brush keeps a range of one axis; runs outside any brush are drawn faint and dotted. The run under the cursor is drawn
on top of the finished picture, with its values beside the axes.
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
from mldeck.charts.picture import Ink, Picture, PictureCanvas, Role
from mldeck.format import Neighbours

MAX_AXES = 12
_LEAST_SLOT, _LAST_SLOT = 10, 16
"""The least number of cells from one axis to the next, and the most to the right of the last axis."""
_LEAST_PLOT = 3
_FAINT_DOTS = 3
"""Only every such dot of a faint line is drawn."""


@dataclass(frozen=True)
class Brush:
    """The range of an axis that is kept, both ends included, as places: values, or indices of categories."""

    low: float
    high: float
    has_missing: bool = False
    """Whether runs without a place, at the foot of the axis, are kept too."""

    def holds(self, place: float | None) -> bool:
        """Return whether a place is kept; None is the foot of the axis."""
        return self.has_missing if place is None else self.low <= place <= self.high


@dataclass(frozen=True)
class DrawnAxis:
    """The position of an axis in the picture, in cells."""

    dimension: Dimension
    column: int
    top: int
    height: int

    @property
    def foot(self) -> int:
        """The row of runs without a place, below the axis and its lower label."""
        return self.top + self.height + 1

    def row_of(self, place: float | None) -> int:
        """Return the row of a place; None gives the foot."""
        return self.foot if place is None else self.top + self._dot(self.dimension.share(place)) // DOTS_UP

    def dot_of(self, run: int) -> int:
        """Return the row of dots of a run, given by index, counted from the top of the axis."""
        share = self.dimension.shares[run]
        return (self.height + 1) * DOTS_UP + 1 if share is None else self._dot(share)

    def brush(self, row: int, other_row: int) -> Brush:
        """Return the brush that keeps exactly the runs that cross the axis in or between these rows, in either order."""
        top, bottom = sorted((row, other_row))
        low, high = self._edge(bottom + 1), self._edge(top)
        # The edges are rounded, and a run may lie exactly on one.
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
        """Return the place between a row of the picture and the one above it."""
        inside = row - self.top
        if not 0 < inside < self.height:
            return math.inf if inside <= 0 else -math.inf
        return self.dimension.scale.value(1 - (inside * DOTS_UP - 0.5) / self._last_dot)

    @property
    def _last_dot(self) -> int:
        return self.height * DOTS_UP - 1


@dataclass(frozen=True)
class ParallelPicture:
    """A picture of parallel coordinates, and where its axes are."""

    picture: Picture
    axes: tuple[DrawnAxis, ...] = ()
    """The axes that were drawn, from the left."""
    selected: tuple[str, ...] = ()
    """The ids of the runs kept by all brushes."""
    _labels: Picture = field(default_factory=lambda: Picture(()))
    """Everything above the lines: axes, their names and labels."""
    _runs: Mapping[str, tuple[int, Ink]] = field(default_factory=dict)
    """For each run id: its index in the dimensions, and its ink."""

    def highlighted(self, run_id: str) -> Picture:
        """Return the picture with this run on top of all others and its values beside the axes."""
        if not self.axes or run_id not in self._runs:
            return self.picture
        run, ink = self._runs[run_id]
        # Some colours of the scale hardly stand out.
        strong = ink._replace(is_strong=True) if ink.role is Role.SERIES else Ink(is_strong=True)
        canvas = PictureCanvas(self.picture.width, self.picture.height)
        canvas.paste(0, 0, self.picture.rows, blanks=True)
        lines = _empty_dots(canvas, self.axes[0])
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
    """Return how many axes fit into a picture `width` cells wide."""
    return max(2, min(MAX_AXES, width // _LEAST_SLOT))


def parallel(
    runs: Mapping[str, int],
    axes: Sequence[Dimension],
    size: tuple[int, int],
    *,
    brushes: Sequence[Brush | None] = (),
    colour_by: Dimension | None = None,
) -> ParallelPicture:
    """Draw parallel coordinates in `size` (width, height) cells.

    `runs` maps run ids to colour numbers, in the order of the dimensions' values. `brushes` has a brush or None for
    each axis, and may be shorter than `axes`. If nothing can be drawn the picture says why.
    """
    canvas = PictureCanvas(*size)
    kept = selected(list(runs), axes, brushes)
    places = _axis_places(axes[: most_axes(canvas.width)], canvas)
    problem = "" if places else "choose params and metrics as axes" if not axes else "too small for axes"
    problem = problem or ("" if runs else "no runs")
    if problem:
        write_middle(canvas, canvas.height // 2, problem, Ink(Role.AXIS))
        return ParallelPicture(canvas.picture(), selected=kept)

    inks = run_inks(runs, colour_by)
    faint_lines, kept_lines = _empty_dots(canvas, places[0]), _empty_dots(canvas, places[0])
    in_front = set(kept)
    for run, (run_id, ink) in enumerate(inks.items()):
        if run_id in in_front:
            _draw(kept_lines, places, run, ink)
        else:
            _draw(faint_lines, places, run, ink._replace(is_faint=True), every=_FAINT_DOTS)
    canvas.paste(0, places[0].top, faint_lines.rows)
    canvas.paste(0, places[0].top, kept_lines.rows)

    over = PictureCanvas(*size)
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
    """Return the ids of the runs that all brushes keep, in order.

    `runs` are in the order of the axes' values; `brushes` may be shorter than `axes`.
    """
    active = [(axis, brush) for axis, brush in zip(axes, brushes, strict=False) if brush]
    return tuple(
        run_id for run, run_id in enumerate(runs) if all(brush.holds(axis.places[run]) for axis, brush in active)
    )


def _axis_places(axes: Sequence[Dimension], canvas: PictureCanvas) -> tuple[DrawnAxis, ...]:
    """Return the positions of the axes; empty if they do not fit.

    From the top: names, upper labels, the axes, lower labels, the foot if a run needs it, and the row of the legend.
    """
    height = canvas.height - 4 - any(axis.missing for axis in axes)
    if not axes or height < _LEAST_PLOT or canvas.width < len(axes) * _LEAST_SLOT:
        return ()
    last = min(canvas.width // len(axes), _LAST_SLOT)
    between = (canvas.width - last) / max(1, len(axes) - 1)
    return tuple(DrawnAxis(axis, int(index * between), 2, height) for index, axis in enumerate(axes))


def _empty_dots(canvas: PictureCanvas, axis: DrawnAxis) -> Dots:
    """Return an empty grid of dots from the top of the axes to their foot."""
    return Dots(canvas.width, axis.height + 2)


def _draw(dots: Dots, axes: Sequence[DrawnAxis], run: int, ink: Ink, *, every: int = 1, weight: int = 1) -> None:
    points = [(axis.column * DOTS_ACROSS, axis.dot_of(run)) for axis in axes]
    for (x, y), (next_x, next_y) in pairwise(points):
        for below in range(weight):
            dots.line((x, y + below), (next_x, next_y + below), ink, every)


def _write_axis(canvas: PictureCanvas, axis: DrawnAxis, axes: Sequence[DrawnAxis], brush: Brush | None) -> None:
    ink = Ink(Role.AXIS)
    room = _room(canvas, axis, axes)
    names = Neighbours(axis.dimension.name for axis in axes)
    write(canvas, axis.column, 0, names.cut(axis.dimension.name, room + 1))
    for row in range(axis.top, axis.top + axis.height):
        canvas.put(axis.column, row, "│", ink)
    low, high = axis.top + axis.height, axis.top - 1
    categories = Neighbours(axis.dimension.categories)
    for place, text in axis.dimension.marks:
        share = axis.dimension.share(place)
        if axis.dimension.is_numeric and share in (0, 1):
            write(canvas, axis.column, high if share else low, text, ink, room + 1)
        else:
            write(canvas, axis.column + 1, axis.row_of(place), categories.cut(text, room), ink)
    if axis.dimension.missing:
        canvas.put(axis.column, axis.foot, "×", Ink(Role.WARNING))
        write(canvas, axis.column + 1, axis.foot, axis.dimension.missing, Ink(Role.WARNING), room)
    if brush:
        _write_brush(canvas, axis, brush)


def _write_brush(canvas: PictureCanvas, axis: DrawnAxis, brush: Brush) -> None:
    ink = Ink(Role.ACCENT)
    if brush.low <= brush.high:
        for row in range(axis.row_of(brush.high), axis.row_of(brush.low) + 1):
            canvas.put(axis.column, row, "┃", ink)
    if brush.has_missing:
        canvas.put(axis.column, axis.foot, "┃", ink)


def _room(canvas: PictureCanvas, axis: DrawnAxis, axes: Sequence[DrawnAxis]) -> int:
    """Return the cells to the right of an axis before the next one, less one as a gap."""
    next_column = min((other.column for other in axes if other.column > axis.column), default=canvas.width + 1)
    return next_column - axis.column - 2
