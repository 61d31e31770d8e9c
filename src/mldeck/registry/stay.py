"""How long a version has been in its stage, in words: exactly where that was recorded, else the bounds that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mldeck.format import date_text, time_text
from mldeck.registry.history import Event, EventKind


@dataclass(frozen=True)
class Stay:
    text: str
    """`2h`, `2026-05-01`; of a change that was not recorded `5s–3d`, from the latest time it can have been to the earliest."""
    is_date: bool
    """Whether it names days, not ages."""


def stay_since(event: Event, age_of: Callable[[int], str]) -> Stay | None:
    """Since the event that brought the version in; None when nothing tells when that was.

    `age_of` says how long ago a time was.
    """
    if event.when is None:
        return None
    ages = list(map(age_of, _bounds(event)))
    is_date = any("-" in each for each in ages)
    if len(ages) == 1 and event.kind is EventKind.UNRECORDED:
        return Stay(f"{ages[0]} or {'before' if is_date else 'longer'}", is_date)
    shown = [date_text(each) for each in reversed(_bounds(event))] if is_date else ages
    return Stay("–".join(dict.fromkeys(shown)), is_date)


def exact_time(event: Event) -> str | None:
    """To the second: the time, or the earliest and the latest that it can have been."""
    bounds = _bounds(event)
    return " – ".join(dict.fromkeys(map(time_text, reversed(bounds)))) if bounds else None


def _bounds(event: Event) -> tuple[int, ...]:
    """The latest time that it can have been, then the earliest if that is another one, as far as they are known."""
    if event.when is None:
        return ()
    if event.kind is not EventKind.UNRECORDED or event.since is None:
        return (event.when,)
    return (event.when, event.since)
