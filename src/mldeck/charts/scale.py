"""From values to places on an axis and back: linear, or by decades.

Logarithms are taken here, never by what draws: a value that has none (zero, a negative number) has no place on such an axis.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, both finite and `low` < `high`; on a log axis `low` > 0."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float | None:
        """0 at `low`, 1 at `high`, and beyond for values beyond; None for what has no place: NaN, infinities, logs of ≤ 0."""
        if not math.isfinite(value) or (self.is_log and value <= 0):
            return None
        low, high, at = self._transformed(self.low), self._transformed(self.high), self._transformed(value)
        distance, span = at - low, high - low
        if math.isinf(distance) or math.isinf(span):  # between two huge numbers of opposite sign
            distance, span = at / 2 - low / 2, high / 2 - low / 2
        # Logarithms of neighbouring numbers may be the same.
        return distance / span if span else 0.5

    def shares(self, values: Iterable[float]) -> list[float]:
        """The shares of many values, all of which have one."""
        span = self.high - self.low
        if self.is_log or not 1e-300 < span < 1e300:
            return [0.5 if share is None else share for share in map(self.share, values)]
        low = self.low
        return [(value - low) / span for value in values]

    def value(self, share: float) -> float:
        """The inverse: what stands at a share of the axis."""
        low, high = self._transformed(self.low), self._transformed(self.high)
        at = low * (1 - share) + high * share
        if not self.is_log:
            return at
        try:
            return math.pow(10, at)
        except OverflowError:
            return sys.float_info.max

    def _transformed(self, value: float) -> float:
        return math.log10(value) if self.is_log else value
