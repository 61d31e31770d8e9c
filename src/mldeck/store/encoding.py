"""How MLflow stores numbers that SQLite cannot hold (MLFLOW_DATABASE.md section 3)."""

from __future__ import annotations

import math

STORED_INFINITY = 1.797e308
"""MLflow writes ±inf as ±1.7976931348623157e308; anything this large is an infinity."""

SECONDS_LIMIT = 10**11
"""MlflowClient.log_metric of 1.0-1.2 wrote seconds: as milliseconds such a time would lie before March 1973."""


def metric_value(value: float | None, is_nan: int | bool | None) -> float:
    """The float that was logged, from a row's `value` and `is_nan`."""
    if is_nan or value is None:
        return math.nan
    if abs(value) >= STORED_INFINITY:
        return math.copysign(math.inf, value)
    return value


def metric_timestamp_ms(timestamp: int | None) -> int:
    """Milliseconds since the epoch, whatever unit the client wrote."""
    if timestamp is None:
        return 0
    return timestamp * 1000 if abs(timestamp) < SECONDS_LIMIT else timestamp
