"""The view of curves: x axis, smoothing, window, y range, and which curves are shown. No screen, no store."""

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
"""Weights of the exponential moving average, from none to the strongest."""

AXIS_NAMES = {Axis.STEP: "step", Axis.RELATIVE: "relative time", Axis.WALL: "wall time"}

_ZOOM = 0.5
"""The share of the window that is left after one step of zooming in."""

_PAN = 0.25
"""The share of the window that one step pans by."""

Window: TypeAlias = tuple[float, float]
"""The lowest and highest value of a part of an axis."""


class Range(Enum):
    """The values that the y axis covers."""

    ALL = "all"
    WITHOUT_OUTLIERS = "without outliers"
    CUSTOM = "custom"


@dataclass(frozen=True)
class CurveView:
    """An immutable value, so that a drawing thread keeps the view that it began with."""

    axis: Axis = Axis.STEP
    is_log: bool = False
    smoothing: int = 0
    """Index into `SMOOTHINGS`."""
    window: Window | None = None
    """The visible part of the x axis; None for all of it, also when it grows."""
    range: Range = Range.ALL
    low_high: Window = (0.0, 1.0)
    """The y range if `range` is `CUSTOM`."""
    hidden: frozenset[SeriesKey] = frozenset()
    solo: SeriesKey | None = None
    """The highlighted series; all others are drawn faint."""
    group_by: Column | None = None
    """A param or tag: a band is drawn for each of its values instead of a curve for each run."""

    @property
    def weight(self) -> float:
        """The weight of the moving average; 0 for none."""
        return SMOOTHINGS[self.smoothing]

    def with_next_axis(self) -> CurveView:
        """Return the view with the next x axis and without a window, which belongs to the old axis."""
        axes = list(Axis)
        return replace(self, axis=axes[(axes.index(self.axis) + 1) % len(axes)], window=None)

    def smoother(self, steps: int) -> CurveView:
        return replace(self, smoothing=max(0, min(len(SMOOTHINGS) - 1, self.smoothing + steps)))

    def zoomed(self, full: Window | None, around: float | None, steps: int) -> CurveView:
        """Return the view zoomed in (out for negative steps) around an x, or around the middle.

        Zoomed out to `full`, the window goes and the view follows growing curves again.
        """
        if full is None or (self.window is None and steps < 0):
            return self
        window = self.window or full
        middle = window[0] / 2 + window[1] / 2 if around is None else around
        return replace(self, window=_part_of(full, zoomed(window, middle, _ZOOM**steps)))

    def panned(self, full: Window | None, direction: int) -> CurveView:
        """Return the view moved left (-1) or right (1); unchanged if everything is shown."""
        if full is None or self.window is None:
            return self
        moved = panned(self.window, direction * _PAN)
        # At the edge it stops and keeps its width.
        beyond = min(0.0, moved[0] - full[0]) or max(0.0, moved[1] - full[1])
        return replace(self, window=(moved[0] - beyond, moved[1] - beyond))

    def whole(self) -> CurveView:
        """Return the view of all x and all y."""
        return replace(self, window=None, range=Range.ALL)

    def with_hidden(self, key: SeriesKey) -> CurveView:
        """Return the view with a series hidden, or shown again if it was hidden."""
        return replace(self, hidden=self.hidden ^ {key})

    def with_solo(self, key: SeriesKey) -> CurveView:
        """Return the view with a series highlighted, or with none if it was highlighted."""
        return replace(self, solo=None if self.solo == key else key)

    @property
    def summary(self) -> str:
        """The x axis, and every setting that differs from the default."""
        parts = [AXIS_NAMES[self.axis]]
        if self.is_log:
            parts.append("log")
        if self.weight:
            parts.append(f"smoothing {self.weight:g}")
        if self.range is Range.WITHOUT_OUTLIERS:
            parts.append("without outliers")
        elif self.range is Range.CUSTOM:
            parts.append(f"y {exact_float_text(self.low_high[0])} to {exact_float_text(self.low_high[1])}")
        if self.window is not None:
            parts.append("zoomed")
        if self.solo is not None:
            parts.append("solo")
        return " · ".join(parts)

    @property
    def bars_summary(self) -> str:
        """The settings that apply to bars, which have no x axis."""
        return f"logged once{' · log' if self.is_log else ''}{' · solo' if self.solo is not None else ''}"


def _part_of(full: Window, window: Window) -> Window | None:
    """Return the window within `full`; None if it leaves nothing out."""
    low, high = max(full[0], window[0]), min(full[1], window[1])
    return None if low <= full[0] and high >= full[1] else (low, high)


def parsed_range(text: str) -> Window | None:
    """Parse `low high` as typed by the user; None unless these are two finite numbers in that order."""
    words = text.replace(",", " ").split()
    try:
        low, high = (float(word) for word in words)
    except ValueError:
        return None
    is_span = low < high and abs(low) != float("inf") and abs(high) != float("inf")
    return (low, high) if is_span else None
