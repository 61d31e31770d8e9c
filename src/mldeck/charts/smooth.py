"""Exponential moving averages, as TensorBoard draws them."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator

HIGHEST_WEIGHT = 0.999

_NO_BIAS = 1e-18
"""Below this the bias is too small to change a float."""


def moving_average(values: array[float], weight: float) -> array[float]:
    """Return the moving average of `values`: each earlier value weighs `weight` times as much as the one after it.

    Debiased as in TensorBoard: divided by the sum of the weights so far, 1 - weight ** n after n points, so that the
    curve starts at its first value instead of at zero. Points are counted, not the distances between their steps.

    `values` are finite: NaN and infinities have been removed, and the average continues across them.
    """
    weight = min(max(weight, 0.0), HIGHEST_WEIGHT)
    if not values or max(abs(min(values)), abs(max(values))) < 1e300:
        return array("d", _averages(values, weight))
    # Halve and clamp: rounding could push the average of the largest floats over the limit.
    limit = sys.float_info.max
    half_averages = _averages((value / 2 for value in values), weight)
    return array("d", (min(max(2 * half, -limit), limit) for half in half_averages))


def _averages(values: Iterable[float], weight: float) -> Iterator[float]:
    rest = iter(values)
    average, decay = 0.0, 1.0
    for value in rest:
        decay *= weight
        share = (1 - weight) / (1 - decay)
        average = average * (1 - share) + value * share
        yield average
        if decay < _NO_BIAS:
            break
    share = 1 - weight
    for value in rest:
        average = average * weight + value * share
        yield average
