"""Ticks for time axes: time since a run began, or local clock time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction

from mldeck.charts.scale import Scale
from mldeck.charts.ticks import AxisTick, number_ticks, round_step
from mldeck.format import local_time

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(n * _SECOND for n in (1, 2, 5, 10, 15, 30)),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
)


def relative_ticks(scale: Scale, most: int) -> tuple[AxisTick, ...]:
    """Return at most `most` ticks for milliseconds since the start: 0s, 30s, 1m30s, 2h, 3d."""
    if most < 1:
        return ()
    values, _ = _multiples(scale, most, 0)
    return tuple(AxisTick(value, relative_text(value)) for value in values)


def relative_text(milliseconds: int) -> str:
    """Return a duration with every unit that is not zero: 1m30s, 2h, 1d12h, 250ms."""
    sign, rest = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    parts = []
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (_SECOND, "s"), (1, "ms")):
        count, rest = divmod(rest, unit)
        if count:
            parts.append(f"{count}{name}")
    return sign + "".join(parts) if parts else "0s"


def clock_ticks(scale: Scale, most: int) -> tuple[AxisTick, ...]:
    """Return at most `most` ticks for milliseconds since the epoch, as local times.

    Dates are added if the axis crosses midnight. Numbers outside the range of dates are shown as plain numbers.
    """
    low, high = local_time(int(scale.low)), local_time(int(scale.high))
    if low is None or high is None:
        return number_ticks(scale, most, is_whole=True)
    if most < 1:
        return ()
    offset = (low.utcoffset() or timedelta()) // timedelta(milliseconds=1)
    values, step = _multiples(scale, most, offset)
    if step >= _DAY:
        return _days(scale, low, step // _DAY)
    style = ("%m-%d " if low.date() != high.date() else "") + ("%H:%M" if step >= _MINUTE else "%H:%M:%S")
    return tuple(AxisTick(value, _clock_text(value, style, step)) for value in values)


def _days(scale: Scale, low: datetime, days: int) -> tuple[AxisTick, ...]:
    """Return a tick at every `days`-th local midnight. Days may be 23 or 25 hours long because of daylight saving time."""
    ticks = []
    number = -(-low.toordinal() // days) * days
    while number <= date.max.toordinal():
        try:
            midnight = datetime.fromordinal(number).astimezone()
        except (ValueError, OverflowError):  # beyond the first or last date that Python knows
            break
        value = round(midnight.timestamp() * 1000)
        if value > scale.high:
            break
        if value >= scale.low:
            ticks.append(AxisTick(value, f"{midnight:%Y-%m-%d}"))
        number += days
    return tuple(ticks)


def _clock_text(value: int, style: str, step: int) -> str:
    moment = local_time(value)
    text = str(value) if moment is None else moment.strftime(style)
    return text if step >= _SECOND else f"{text}.{value % 1000:03d}"


def _multiples(scale: Scale, most: int, offset: int) -> tuple[range, int]:
    """Return at most `most` round times and the step between them, by a clock `offset` milliseconds ahead of UTC."""
    low, high = Fraction(scale.low) + offset, Fraction(scale.high) + offset
    at_least = (high - low) / (most + 1)

    def times(step: int) -> range:
        return range(int(-(-low // step)) * step - offset, int(high // step) * step - offset + 1, step)

    return next((times(step), step) for step in _steps(at_least) if len(times(step)) <= most)


def _steps(at_least: Fraction) -> Iterator[int]:
    """Yield round steps in milliseconds, each longer than the one before, without end."""
    yield from (step for step in _STEPS if step >= at_least)
    while True:
        days = int(round_step(at_least / _DAY, is_whole=True))
        yield days * _DAY
        at_least = Fraction(days * _DAY * 3, 2)
