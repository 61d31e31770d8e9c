"""Say how long a version has been in its stage: exactly if that is recorded, else between which bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mldeck.format import date_text, time_text
from mldeck.registry.history import Event, EventKind


@dataclass(frozen=True)
class TimeInStage:
    """How long a version has been in its stage."""

    text: str
    """`2h` or `2026-05-01`. If the change was not recorded, the bounds of its time: `5s–3d`, or `at least 5s`."""
    is_date: bool
    """Whether the text consists of dates instead of ages."""


def time_in_stage(event: Event, age_of: Callable[[int], str]) -> TimeInStage | None:
    """Return the time since the event that brought the version into its stage; None if its time is unknown.

    `age_of` returns the age of a time in ms as text: how long ago it was, or its date.
    """
    if event.when is None:
        return None
    bounds = _bounds(event)
    ages = list(map(age_of, bounds))
    is_date = any("-" in age for age in ages)
    if len(ages) == 1 and event.kind is EventKind.UNRECORDED:
        return TimeInStage(f"{ages[0]} or earlier" if is_date else f"at least {ages[0]}", is_date)
    shown = [date_text(time) for time in reversed(bounds)] if is_date else ages
    return TimeInStage("–".join(dict.fromkeys(shown)), is_date)


def exact_time(event: Event) -> str | None:
    """Return the time of the event to the second, or the earliest and the latest possible time; None if unknown."""
    bounds = _bounds(event)
    return " – ".join(dict.fromkeys(map(time_text, reversed(bounds)))) if bounds else None


def _bounds(event: Event) -> tuple[int, ...]:
    """Return the time in ms if it is recorded, else the latest and the earliest possible time, as far as known."""
    if event.when is None:
        return ()
    if event.kind is not EventKind.UNRECORDED or event.since is None:
        return (event.when,)
    return (event.when, event.since)
