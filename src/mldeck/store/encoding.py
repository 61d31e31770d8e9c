"""How MLflow stores numbers that SQLite cannot hold (DATABASE.md#numbers-and-times)."""

from __future__ import annotations

import math
import time
from typing import Any

from mldeck.store.values import float_of

STORED_INFINITY = 1.797e308
"""MLflow writes ±inf as ±1.7976931348623157e308; anything this large is an infinity."""

SECONDS_LIMIT = 10**11
"""MlflowClient.log_metric of 1.0-1.2 wrote seconds: as milliseconds such a time would lie before March 1973."""

_DAY_MS = 86_400_000


def metric_value(value: Any, is_nan: Any) -> float:
    """The float that was logged, from a row's `value` and `is_nan`, which may be as they are stored."""
    if is_nan or value is None:
        return math.nan
    try:
        is_infinite = abs(value) >= STORED_INFINITY
    except TypeError:
        return metric_value(float_of(value), False)
    return math.copysign(math.inf, value) if is_infinite else value


def are_seconds(first: int, last: int, start_time: int | None, end_time: int | None) -> bool:
    """Whether the times of a history, of which these are the least and the greatest, were logged in seconds.

    They are if they lie within the run's own time then, a day either side. Times of 1970 to 1973, elapsed milliseconds and the
    numbers of steps are logged as times on purpose. Decided once for a history (DATABASE.md#numbers-and-times).
    """
    if last >= SECONDS_LIMIT or start_time is None:
        return False
    end = int(time.time() * 1000) if end_time is None else end_time
    return start_time - _DAY_MS <= first * 1000 and last * 1000 <= max(start_time, end) + _DAY_MS
