"""Parallel coordinates of the marked runs: what is on the axes, what was brushed, and which run is next on an axis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mldeck.charts.dimensions import Dimension
from mldeck.charts.parallel import Brush, DrawnAxis, ParallelPicture, most_axes, parallel, selected
from mldeck.charts.picture import Picture
from mldeck.model import Column
from mldeck.ui.compare.axes import Dimensions, colours_of, default_metric, parallel_axes, saying
from mldeck.ui.compare.data import CompareData

_NOTHING = "These runs have no metrics or params to be put on axes.\n\nMark other runs in the place Runs (1)."


@dataclass(frozen=True)
class ParallelWish:
    """What is to be drawn."""

    axes: tuple[Column, ...] = ()
    """From the left; none: nobody chose."""
    colour: Column | None = None
    has_own_colours: bool = False
    """Each run its own, not those of a metric."""
    logs: Mapping[Column, bool] = field(default_factory=dict)
    brushes: Mapping[Column, Brush] = field(default_factory=dict)
    cursor: Column | None = None
    """The axis that must be in sight."""


@dataclass(frozen=True)
class ParallelDrawing:
    data: CompareData
    size: tuple[int, int]
    axes: tuple[Column, ...]
    """All of them."""
    shown: tuple[Column, ...]
    """Those in sight."""
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
        """Where it is drawn, if it is."""
        places = zip(self.shown, self.chart.axes, strict=False)
        return next((place for each, place in places if each == column), None)

    def place_of(self, column: Column, run_id: str) -> float | None:
        return self.dimensions[column].places[self.data.numbers[run_id] - 1]

    def within(self, brushes: Mapping[Column, Brush]) -> tuple[str, ...]:
        """The runs within these, which may be newer than the picture."""
        brushed = [column for column in brushes if column in self.dimensions]
        axes = [self.dimensions[column] for column in brushed]
        return selected(tuple(self.data.numbers), axes, [brushes[column] for column in brushed])

    def next_on(self, column: Column, run_id: str, steps: int, kept: Collection[str] | None = None) -> str:
        """The kept run so many further down the axis, or up; at most the last or first. Any run may ask.

        `kept`: the runs within all brushes, if these are newer than the picture.
        """
        kept = self.kept if kept is None else kept
        order = sorted({*kept, run_id}, key=lambda each: self._depth(column, each))
        place = order.index(run_id) + steps
        if run_id not in kept:
            order.remove(run_id)
            place -= steps > 0
        return order[max(0, min(place, len(order) - 1))] if order else run_id

    def nearest_on(self, axis: DrawnAxis, column: Column, row: int) -> str | None:
        """The kept run that crosses the axis closest to a row of the picture."""
        return min(self.kept, key=lambda run_id: abs(axis.row_of(self.place_of(column, run_id)) - row), default=None)

    def _depth(self, column: Column, run_id: str) -> tuple[bool, float, int]:
        """From the top; those without a place last."""
        place = self.place_of(column, run_id)
        return place is None, -(place or 0.0), self.data.numbers[run_id]


def draw_parallel(dimensions: Dimensions, wish: ParallelWish, size: tuple[int, int]) -> ParallelDrawing:
    data, most = dimensions.data, most_axes(size[0])
    metric = default_metric(data)
    axes = wish.axes or parallel_axes(data, metric, most)
    if not axes:
        return ParallelDrawing(data, size, (), (), None, {}, ParallelPicture(saying(_NOTHING, size)))
    colour = None if wish.has_own_colours else wish.colour or metric
    made = {column: dimensions.of(column, wish.logs.get(column)) for column in axes}
    shown = _in_sight(axes, wish.cursor, most)
    # Those out of sight are handed over as well: their brushes count, and the picture says how many they are.
    order = (*shown, *(column for column in axes if column not in shown))
    chart = parallel(
        colours_of(data),
        [made[column] for column in order],
        size,
        brushes=[wish.brushes.get(column) for column in order],
        colour_by=None if colour is None else dimensions.of(colour, wish.logs.get(colour)),
    )
    return ParallelDrawing(data, size, axes, shown, colour, made, chart)


def _in_sight(axes: tuple[Column, ...], cursor: Column | None, most: int) -> tuple[Column, ...]:
    """The page of axes that the cursor is on; the last page is as full as the others."""
    place = axes.index(cursor) if cursor in axes else 0
    first = max(0, min(place // most * most, len(axes) - most))
    return axes[first : first + most]
