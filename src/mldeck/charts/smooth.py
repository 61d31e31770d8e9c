"""Exponential moving averages, as TensorBoard draws them."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator

HIGHEST_WEIGHT = 0.999

_NO_BIAS = 1e-18
"""What the bias is too small to show in a float below."""


def moving_average(values: array[float], weight: float) -> array[float]:
    """Each value as an average of it and all before it, of which each weighs `weight` times as much as the one after it.

    Debiased as in TensorBoard: divided by the sum of the weights so far, 1 - weight ** n after n points, so that the curve
    begins at its first value instead of at zero. It counts points, not the distance between their steps.

    `values` are the finite ones: what was NaN or infinite in between is skipped, and the average goes on after it.
    """
    weight = min(max(weight, 0.0), HIGHEST_WEIGHT)
    if not values or max(abs(min(values)), abs(max(values))) < 1e300:
        return array("d", _averages(values, weight))
    # Halved, and held within what a float can be: rounding must not push the average of the largest ones over the edge.
    limit = sys.float_info.max
    halves = _averages((value / 2 for value in values), weight)
    return array("d", (min(max(2 * half, -limit), limit) for half in halves))


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
