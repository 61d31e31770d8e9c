"""Durations and points in time, as written in a search."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from mldeck.search.tree import Ago, Duration, Timestamp

UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
"""The units in milliseconds, longest first."""

LENGTH = r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))"

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_LENGTH = re.compile(rf"{LENGTH}+")
_LOOSE_LENGTH = r"\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)"
_AGO = re.compile(rf"\s*({_LOOSE_LENGTH}(?:\s*{_LOOSE_LENGTH})*)\s+ago\s*", re.IGNORECASE)
_ISO = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.(?:\d{3}|\d{6}))?)?(Z|[+-]\d\d:\d\d)?)?\s*", re.IGNORECASE
)
_LONGEST = 10**16
"""In milliseconds: three hundred thousand years, still far from the limit of a 64-bit integer."""


def read_duration(text: str) -> Duration | None:
    """Return the duration for a text like `10m`, `1.5h` or `1h30m`; None if it is not one, or is too long."""
    if not _LENGTH.fullmatch(text):
        return None
    milliseconds = _milliseconds(text)
    return None if milliseconds is None else Duration(milliseconds)


def read_time(text: str) -> Ago | Timestamp | None:
    """Return the time for a text like `2d ago`, `2024-05-01`, `2024-05-01 12:30` or `2024-05-01T12:30:00Z`.

    None if it is not a time.
    """
    ago = _AGO.fullmatch(text)
    if ago:
        milliseconds = _milliseconds(ago.group(1).lower())
        return None if milliseconds is None else Ago(milliseconds)
    return _read_iso(text)


def _read_iso(text: str) -> Timestamp | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    date, clock, seconds, offset = found.groups()
    offset = "+00:00" if offset in ("Z", "z") else offset
    try:
        timestamp = Timestamp(datetime.fromisoformat(f"{date}T{clock or '00:00'}{seconds or ''}{offset or ''}"))
        to_milliseconds(timestamp, 0)
    except (ValueError, OverflowError, OSError):  # 31 February, or a year outside the range of this machine's clock
        return None
    return timestamp


def to_milliseconds(value: Ago | Timestamp, now: int) -> int:
    """Return milliseconds since the epoch, as MLflow stores times. `now` is in the same unit."""
    if isinstance(value, Ago):
        return now - value.milliseconds
    # A time without an offset is local time, as on the screen.
    aware = value.when.astimezone()
    return round((aware - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() * 1000)


def write_duration(milliseconds: int) -> str:
    """Return the shortest exact text: `90m`, not `1.5h` or `5400s`."""
    unit = next(unit for unit, size in UNITS.items() if milliseconds % size == 0 and (milliseconds or unit == "ms"))
    return f"{milliseconds // UNITS[unit]}{unit}"


def write_time(value: Ago | Timestamp) -> str:
    """Return the text that `read_time` reads as this value."""
    if isinstance(value, Ago):
        return f"{write_duration(value.milliseconds)} ago"
    when = value.when
    if when.tzinfo is None and (when.hour, when.minute, when.second, when.microsecond) == (0, 0, 0, 0):
        return when.date().isoformat()
    return when.isoformat(sep=" ")


def _milliseconds(text: str) -> int | None:
    """Return the milliseconds, or None if the duration is too long: a few hundred digits give infinity, not an integer."""
    length = sum(float(count) * UNITS[unit] for count, unit in _PART.findall(text))
    return round(length) if length <= _LONGEST else None
