"""Lengths of time and points in time, as a search writes them."""

from __future__ import annotations

import re
from datetime import datetime, timezone

from mldeck.search.tree import Ago, Duration, Moment

UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
"""Milliseconds, longest first."""

LENGTH = r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))"

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_LENGTH = re.compile(rf"{LENGTH}+")
_LOOSE_LENGTH = r"\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)"
_AGO = re.compile(rf"\s*({_LOOSE_LENGTH}(?:\s*{_LOOSE_LENGTH})*)\s+ago\s*", re.IGNORECASE)
_ISO = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.(?:\d{3}|\d{6}))?)?(Z|[+-]\d\d:\d\d)?)?\s*", re.IGNORECASE
)
_LONGEST = 10**16
"""Milliseconds: three hundred thousand years, and still far from the end of a 64-bit integer."""


def read_duration(text: str) -> Duration | None:
    """`10m`, `1.5h`, `1h30m`; None if it is nothing of the kind."""
    if not _LENGTH.fullmatch(text):
        return None
    milliseconds = _milliseconds(text)
    return None if milliseconds is None else Duration(milliseconds)


def read_moment(text: str) -> Ago | Moment | None:
    """`2d ago`, `2024-05-01`, `2024-05-01 12:30`, `2024-05-01T12:30:00Z`; None if it is nothing of the kind."""
    ago = _AGO.fullmatch(text)
    if ago:
        milliseconds = _milliseconds(ago.group(1).lower())
        return None if milliseconds is None else Ago(milliseconds)
    return _read_iso(text)


def _read_iso(text: str) -> Moment | None:
    found = _ISO.fullmatch(text)
    if not found:
        return None
    date, clock, seconds, offset = found.groups()
    offset = "+00:00" if offset in ("Z", "z") else offset
    try:
        moment = Moment(datetime.fromisoformat(f"{date}T{clock or '00:00'}{seconds or ''}{offset or ''}"))
        to_milliseconds(moment, 0)
    except (ValueError, OverflowError, OSError):  # the 31st of February; a year before the clock of this machine
        return None
    return moment


def to_milliseconds(value: Ago | Moment, now: int) -> int:
    """Milliseconds since the epoch, as MLflow stores times. `now` is such a number too."""
    if isinstance(value, Ago):
        return now - value.milliseconds
    # A time without an offset becomes local time here: what the screen shows is local as well.
    aware = value.when.astimezone()
    return round((aware - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds() * 1000)


def write_length(milliseconds: int) -> str:
    """The shortest exact way to write it: `90m`, not `1.5h` or `5400s`."""
    unit = next(unit for unit, size in UNITS.items() if milliseconds % size == 0 and (milliseconds or unit == "ms"))
    return f"{milliseconds // UNITS[unit]}{unit}"


def write_moment(value: Ago | Moment) -> str:
    if isinstance(value, Ago):
        return f"{write_length(value.milliseconds)} ago"
    when = value.when
    if when.tzinfo is None and (when.hour, when.minute, when.second, when.microsecond) == (0, 0, 0, 0):
        return when.date().isoformat()
    return when.isoformat(sep=" ")


def _milliseconds(text: str) -> int | None:
    """None for what is too long: with some hundred digits it is infinite, which is no integer."""
    length = sum(float(count) * UNITS[unit] for count, unit in _PART.findall(text))
    return round(length) if length <= _LONGEST else None
