"""Draws the marked runs as parallel coordinates, and finds the next run on an axis. No screen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mldeck.charts.dimensions import Dimension
from mldeck.charts.parallel import Brush, DrawnAxis, ParallelPicture, most_axes, parallel, selected
from mldeck.charts.picture import Picture
from mldeck.model import Column
from mldeck.ui.compare.axes import Dimensions, colours_of, default_metric, parallel_axes, text_picture
from mldeck.ui.compare.data import CompareData
from mldeck.ui.kit.keys import with_keys

_NOTHING = "These runs have no metrics or params for axes.\n\nMark other runs in Runs ({runs_place})."


@dataclass(frozen=True)
class ParallelOptions:
    """The user's choices for the drawing."""

    axes: tuple[Column, ...] = ()
    """From the left; empty for the defaults."""
    colour: Column | None = None
    """The column that colours the lines; None for the default metric."""
    has_own_colours: bool = False
    """Whether each run has its own colour instead of that of a column."""
    logs: Mapping[Column, bool] = field(default_factory=dict)
    """Which columns the user made logarithmic (True) or linear (False)."""
    brushes: Mapping[Column, Brush] = field(default_factory=dict)
    cursor: Column | None = None
    """The axis that must be visible."""


@dataclass(frozen=True)
class ParallelDrawing:
    data: CompareData
    size: tuple[int, int]
    axes: tuple[Column, ...]
    """All axes, from the left."""
    shown: tuple[Column, ...]
    """The visible axes."""
    colour: Column | None
    dimensions: Mapping[Column, Dimension]
    chart: ParallelPicture

    @property
    def picture(self) -> Picture:
        return self.chart.picture

    @property
    def kept(self) -> tuple[str, ...]:
        """The runs within all brushes."""
        return self.chart.selected

    def highlighted(self, run_id: str) -> Picture:
        return self.chart.highlighted(run_id)

    def axis(self, column: Column | None) -> DrawnAxis | None:
        """Return where an axis is drawn; None if it is not visible."""
        places = zip(self.shown, self.chart.axes, strict=False)
        return next((place for shown, place in places if shown == column), None)

    def place_of(self, column: Column, run_id: str) -> float | None:
        """Return where a run crosses an axis, in the units of its scale; None without a value."""
        return self.dimensions[column].places[self.data.numbers[run_id] - 1]

    def within(self, brushes: Mapping[Column, Brush]) -> tuple[str, ...]:
        """Return the runs within brushes that may be newer than the picture."""
        brushed = [column for column in brushes if column in self.dimensions]
        axes = [self.dimensions[column] for column in brushed]
        return selected(tuple(self.data.numbers), axes, [brushes[column] for column in brushed])

    def next_on(self, column: Column, run_id: str, steps: int, kept: Collection[str] | None = None) -> str:
        """Return the kept run so many steps down the axis (up for negative steps), at most the last or first.

        `run_id` need not be a kept one. `kept`: the runs within all brushes, if these are newer than the picture.
        """
        kept = self.kept if kept is None else kept
        order = sorted({*kept, run_id}, key=lambda kept_id: self._depth(column, kept_id))
        place = order.index(run_id) + steps
        if run_id not in kept:
            order.remove(run_id)
            place -= steps > 0
        return order[max(0, min(place, len(order) - 1))] if order else run_id

    def nearest_on(self, axis: DrawnAxis, column: Column, row: int) -> str | None:
        """Return the kept run that crosses the axis closest to a row of the picture; None if no run is kept."""
        return min(self.kept, key=lambda run_id: abs(axis.row_of(self.place_of(column, run_id)) - row), default=None)

    def _depth(self, column: Column, run_id: str) -> tuple[bool, float, int]:
        """Return a sort key: from the top of the axis, runs without a value last."""
        place = self.place_of(column, run_id)
        return place is None, -(place or 0.0), self.data.numbers[run_id]


def draw_parallel(dimensions: Dimensions, options: ParallelOptions, size: tuple[int, int]) -> ParallelDrawing:
    data, most = dimensions.data, most_axes(size[0])
    metric = default_metric(data)
    axes = options.axes or parallel_axes(data, metric, most)
    if not axes:
        return ParallelDrawing(data, size, (), (), None, {}, ParallelPicture(text_picture(with_keys(_NOTHING), size)))
    colour = None if options.has_own_colours else options.colour or metric
    made = {column: dimensions.of(column, options.logs.get(column)) for column in axes}
    shown = _in_sight(axes, options.cursor, most)
    # Axes that are not visible are passed on as well, because their brushes count and the picture shows how many there are.
    order = (*shown, *(column for column in axes if column not in shown))
    chart = parallel(
        colours_of(data),
        [made[column] for column in order],
        size,
        brushes=[options.brushes.get(column) for column in order],
        colour_by=None if colour is None else dimensions.of(colour, options.logs.get(colour)),
    )
    return ParallelDrawing(data, size, axes, shown, colour, made, chart)


def _in_sight(axes: tuple[Column, ...], cursor: Column | None, most: int) -> tuple[Column, ...]:
    """Return the page of axes that the cursor is on. The last page is as full as the others."""
    place = axes.index(cursor) if cursor in axes else 0
    first = max(0, min(place // most * most, len(axes) - most))
    return axes[first : first + most]
