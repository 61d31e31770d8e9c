"""Scales: map values to positions on an axis and back, linearly or logarithmically.

Logarithms are taken only here, never by drawing code: a value without a logarithm (≤ 0) has no position on a log axis.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`, both finite, `low` < `high`; on a log axis `low` > 0."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float | None:
        """Return the position of a value: 0 at `low`, 1 at `high`, less or more outside.

        None if the value has no position: NaN, infinities, and values ≤ 0 on a log axis.
        """
        if not math.isfinite(value) or (self.is_log and value <= 0):
            return None
        low, high, at = self._transformed(self.low), self._transformed(self.high), self._transformed(value)
        distance, span = at - low, high - low
        if math.isinf(distance) or math.isinf(span):  # two huge numbers of opposite sign
            distance, span = at / 2 - low / 2, high / 2 - low / 2
        # Two neighbouring numbers may have the same logarithm.
        return distance / span if span else 0.5

    def shares(self, values: Iterable[float]) -> list[float]:
        """Return the positions of many values, all of which have one."""
        span = self.high - self.low
        if self.is_log or not 1e-300 < span < 1e300:
            return [0.5 if share is None else share for share in map(self.share, values)]
        low = self.low
        return [(value - low) / span for value in values]

    def value(self, share: float) -> float:
        """Return the value at a position: the inverse of `share`."""
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
