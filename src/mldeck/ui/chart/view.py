"""How curves are looked at: which axis, how smooth, which part of it, and which of them. No screen, no store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

from mldeck.charts.curves import Axis
from mldeck.charts.window import panned, zoomed
from mldeck.format import exact_float_text
from mldeck.model import Column
from mldeck.ui.state.history_cache import SeriesKey

SMOOTHINGS = (0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
"""Weights of the exponential moving average that one steps through; the first is none."""

AXIS_NAMES = {Axis.STEP: "step", Axis.RELATIVE: "relative time", Axis.WALL: "wall time"}

_ZOOM = 0.5
_PAN = 0.25

Window: TypeAlias = tuple[float, float]


class Range(Enum):
    """What the y axis spans."""

    ALL = "all"
    WITHOUT_OUTLIERS = "without outliers"
    BY_HAND = "by hand"


@dataclass(frozen=True)
class CurveView:
    """A value: whoever draws it in a thread has what it was when the drawing began."""

    axis: Axis = Axis.STEP
    is_log: bool = False
    smoothing: int = 0
    """Index into `SMOOTHINGS`."""
    window: Window | None = None
    """The part of the x axis that is shown; None for all of it, also when it grows."""
    range: Range = Range.ALL
    low_high: Window = (0.0, 1.0)
    """The range by hand."""
    hidden: frozenset[SeriesKey] = frozenset()
    solo: SeriesKey | None = None
    """The one that stands out while all others stand back."""
    group_by: Column | None = None
    """A param or tag: a band for each of its values instead of a curve for each run."""

    @property
    def weight(self) -> float:
        return SMOOTHINGS[self.smoothing]

    def with_next_axis(self) -> CurveView:
        """The window is one of the old axis, and means nothing on the new one."""
        axes = list(Axis)
        return replace(self, axis=axes[(axes.index(self.axis) + 1) % len(axes)], window=None)

    def smoother(self, steps: int) -> CurveView:
        return replace(self, smoothing=max(0, min(len(SMOOTHINGS) - 1, self.smoothing + steps)))

    def zoomed(self, full: Window | None, around: float | None, steps: int) -> CurveView:
        """Nearer for positive steps. When there is nothing beyond any more, all is shown again, and follows the end."""
        if full is None or (self.window is None and steps < 0):
            return self
        window = self.window or full
        middle = window[0] / 2 + window[1] / 2 if around is None else around
        return replace(self, window=_part_of(full, zoomed(window, middle, _ZOOM**steps)))

    def panned(self, full: Window | None, direction: int) -> CurveView:
        """Stays where it is when all is shown: there is nothing to either side."""
        if full is None or self.window is None:
            return self
        moved = panned(self.window, direction * _PAN)
        # At the edge it stops, as wide as it was.
        beyond = min(0.0, moved[0] - full[0]) or max(0.0, moved[1] - full[1])
        return replace(self, window=(moved[0] - beyond, moved[1] - beyond))

    def whole(self) -> CurveView:
        return replace(self, window=None, range=Range.ALL)

    def with_hidden(self, key: SeriesKey) -> CurveView:
        """Shows it again if it is hidden."""
        return replace(self, hidden=self.hidden ^ {key})

    def with_solo(self, key: SeriesKey) -> CurveView:
        return replace(self, solo=None if self.solo == key else key)

    @property
    def summary(self) -> str:
        """What is not as it was at first."""
        parts = [AXIS_NAMES[self.axis]]
        if self.is_log:
            parts.append("log")
        if self.weight:
            parts.append(f"smoothing {self.weight:g}")
        if self.range is Range.WITHOUT_OUTLIERS:
            parts.append("without outliers")
        elif self.range is Range.BY_HAND:
            parts.append(f"y {exact_float_text(self.low_high[0])} to {exact_float_text(self.low_high[1])}")
        if self.window is not None:
            parts.append("zoomed")
        if self.solo is not None:
            parts.append("solo")
        return " · ".join(parts)

    @property
    def bars_summary(self) -> str:
        """Bars have no x axis, nor a part of it that they show."""
        return f"logged once{' · log' if self.is_log else ''}{' · solo' if self.solo is not None else ''}"


def _part_of(full: Window, window: Window) -> Window | None:
    """None when nothing is left out."""
    low, high = max(full[0], window[0]), min(full[1], window[1])
    return None if low <= full[0] and high >= full[1] else (low, high)


def parsed_range(text: str) -> Window | None:
    """`low high` as typed by a person; None if that is not what it is."""
    words = text.replace(",", " ").split()
    try:
        low, high = (float(word) for word in words)
    except ValueError:
        return None
    is_span = low < high and abs(low) != float("inf") and abs(high) != float("inf")
    return (low, high) if is_span else None
