"""Brushes an axis of parallel coordinates with keys: selects the range between two rows, one of which moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mldeck.charts.dimensions import Dimension
from mldeck.charts.parallel import Brush, DrawnAxis


@dataclass(frozen=True)
class Brushing:
    """A brush while its ends are being moved."""

    axis: DrawnAxis
    before: Brush | None
    """The brush to restore if the user cancels."""
    start: int
    """The end that stays, as an index into `rows_of(axis)`."""
    end: int
    """The end that moves, as an index into `rows_of(axis)`."""

    @classmethod
    def at(cls, axis: DrawnAxis, place: float | None, before: Brush | None) -> Brushing:
        """Begin a brush where a run crosses the axis. `place` is None for a run without a value there."""
        rows = rows_of(axis)
        start = rows.index(axis.row_of(place)) if axis.row_of(place) in rows else 0
        return cls(axis, before, start, start)

    @property
    def brush(self) -> Brush:
        rows, scale = rows_of(self.axis), self.axis.dimension.scale
        brush = self.axis.brush(rows[self.start], rows[self.end])
        # An end beyond all values is put at the end of the axis, because the picture shows the brush up to there.
        return replace(brush, low=max(brush.low, scale.low), high=min(brush.high, scale.high))

    def moved(self, rows: int) -> Brushing:
        """Return the brush with its moving end so many rows further down."""
        return replace(self, end=max(0, min(self.end + rows, len(rows_of(self.axis)) - 1)))

    def turned(self) -> Brushing:
        """Return the brush with its other end moving."""
        return replace(self, start=self.end, end=self.start)


def rows_of(axis: DrawnAxis) -> list[int]:
    """Return the rows of the picture where runs can cross the axis, from the top; the foot only if a run is there."""
    foot = [axis.foot] if axis.dimension.missing else []
    return [*range(axis.top, axis.top + axis.height), *foot]


def brush_text(dimension: Dimension, brush: Brush) -> str:
    """Return the lowest and highest value that a brush keeps, as in `rmse 5.91 to 6.2`. Safe to print."""
    kept = [place for place in dimension.numbers if brush.holds(place)]
    low, high = (dimension.text_at(min(kept)), dimension.text_at(max(kept))) if kept else ("", "")
    parts = [low if low == high else f"{low} to {high}"] if kept else []
    if brush.has_missing and dimension.missing:
        parts.append(dimension.missing)
    return f"{dimension.name} {' and '.join(parts) or 'nothing'}"
