"""How MLflow stores NaN, infinities and times (DATABASE.md#numbers-and-times)."""

from __future__ import annotations

import math
import time
from typing import Any

from mldeck.store.values import float_of

STORED_INFINITY = 1.797e308
"""MLflow writes ±inf as ±1.7976931348623157e308; every value at least this large is read as an infinity."""

SECONDS_LIMIT = 10**11
"""Times below it may be seconds, which MlflowClient.log_metric of 1.0-1.2 wrote: as milliseconds, it is March 1973."""

_DAY_MS = 86_400_000


def metric_value(value: Any, is_nan: Any) -> float:
    """Return the float that was logged, from a row's `value` and `is_nan` as they are stored. A missing value is NaN."""
    if is_nan or value is None:
        return math.nan
    try:
        is_infinite = abs(value) >= STORED_INFINITY
    except TypeError:
        return metric_value(float_of(value), False)
    return math.copysign(math.inf, value) if is_infinite else value


def are_seconds(first: int, last: int, start_time: int | None, end_time: int | None) -> bool:
    """Return whether the times of a history, whose smallest and largest are given, were logged in seconds.

    They were if, read as seconds, they lie within the time of the run, which is given in milliseconds, or a day before or
    after it. The test is needed because times of 1970 to 1973, elapsed milliseconds and step numbers are logged as times on
    purpose. It is made once for a whole history (DATABASE.md#numbers-and-times).
    """
    if last >= SECONDS_LIMIT or start_time is None:
        return False
    end = int(time.time() * 1000) if end_time is None else end_time
    return start_time - _DAY_MS <= first * 1000 and last * 1000 <= max(start_time, end) + _DAY_MS
