"""The time on screen: one time for all texts, and when the first of them will change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from mldeck.format import TextChange, age_change, age_or_date_text, age_text, running_change, running_text

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

_LONGEST_UNIT_MS = 60_000
"""Texts that change once a minute or more rarely are repainted at most once a minute; those in seconds, once a second."""

_NAP_S = 60.0
"""Seconds after which the time is checked in any case: it may have been set, or the machine may have been asleep."""


def now_ms() -> int:
    """Return the present time, as MLflow counts it."""
    return int(time.time() * 1000)


@runtime_checkable
class Timed(Protocol):
    """A widget with texts that change as time passes."""

    def pass_time(self) -> None:
        """Repaint what looks different now, and nothing else."""


def pass_time(screen: Screen[Any]) -> None:
    """Update all times on a screen, those of a widget before those of its children.

    Widgets that are not mounted yet are skipped: they show nothing so far, and will make their texts from the present time.
    """
    for node in screen.walk_children(with_self=True):
        if isinstance(node, Timed) and cast("Widget", node).is_mounted:
            node.pass_time()


class Clock:
    """Makes the texts that depend on the time, and so knows when the first of them will change.

    From that moment on the clock stands still, so that what is painted meanwhile agrees with what is on screen already, until
    everything is repainted: at once for texts in seconds, once a minute for all others.
    """

    def __init__(self, read: Callable[[], int] | None = None) -> None:
        self.read = read or now_ms
        self._struck = self.read()
        self._change: int | None = None
        """Time in ms when the first text will change; None while none will."""
        self._due: int | None = None
        """Time in ms when the texts are to be made anew."""
        self._noted = asyncio.Event()

    @property
    def now(self) -> int:
        """The time on screen, in ms."""
        return self.read() if self._change is None else min(self.read(), self._change - 1)

    def age(self, timestamp: int) -> str:
        """Return how long ago a time in ms is, as text."""
        return age_text(timestamp, self._now_for_age(timestamp))

    def age_or_date(self, timestamp: int) -> str:
        """Return how long ago a time in ms is, or its date if that was more than 14 days ago."""
        return age_or_date_text(timestamp, self._now_for_age(timestamp))

    def _now_for_age(self, timestamp: int) -> int:
        now = self._now_after(timestamp)
        self._note(age_change(timestamp, now))
        return now

    def running(self, start: int) -> str | None:
        """Return how long ago something started that is still running; None if the start is in the future."""
        now = self._now_after(start)
        self._note(running_change(start, now))
        return running_text(start, now)

    def is_past(self, moment: int) -> bool:
        """Return whether a time in ms is past. What depends on that is made anew when it is."""
        now = self.now
        if moment > now:
            self._note(TextChange(moment, _LONGEST_UNIT_MS))
        return moment <= now

    def _now_after(self, timestamp: int) -> int:
        """Return `now`, or the timestamp if it is newer than the time on screen, which then has to catch up."""
        now = self.now
        if now < timestamp <= self.read():
            self._be_due(timestamp)
            return timestamp
        return now

    def _note(self, change: TextChange) -> None:
        self._change = change.at if self._change is None else min(change.at, self._change)
        self._be_due(max(change.at, self._struck + min(change.unit, _LONGEST_UNIT_MS)))

    def _be_due(self, at: int) -> None:
        if self._due is None or at < self._due:
            self._due = at
            self._noted.set()

    def strike(self) -> None:
        """Go on to the present time, because all texts are about to be made anew."""
        self._struck, self._change, self._due = self.read(), None, None

    async def until_due(self) -> None:
        """Sleep until a text on screen has to be made anew."""
        while (left := self._left()) is None or left > 0:
            self._noted.clear()
            nap = None if left is None else min(left / 1000, _NAP_S)
            with suppress(asyncio.TimeoutError):  # Not the builtin one before Python 3.11.
                await asyncio.wait_for(self._noted.wait(), nap)

    def _left(self) -> int | None:
        return None if self._due is None else self._due - self.read()

    def look(self) -> None:
        """Check the time again, because the system clock has been set."""
        self._noted.set()
