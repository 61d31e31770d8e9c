"""The time on screen: one for all that is shown, and when the first text that it changes is another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from mldeck.format import TextChange, age_change, age_text, running_change, running_text

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.widget import Widget

_LONGEST_UNIT_MS = 60_000
"""What changes by the minute, or more rarely, is shown once a minute; what changes by the second, once a second."""

_NAP_S = 60.0
"""At the latest then the time is looked at again: somebody may have set it, or the machine may have been asleep."""


def now_ms() -> int:
    """Return the present time, as MLflow counts it."""
    return int(time.time() * 1000)


@runtime_checkable
class Timed(Protocol):
    """A widget with texts that time changes."""

    def pass_time(self) -> None:
        """Paint what looks different now; nothing else."""


def pass_time(screen: Screen[Any]) -> None:
    """Bring all times on a screen up to date, those of a widget before those of the widgets in it.

    A widget that is still being made is left out: it has nothing on screen yet, and makes its texts from the present time.
    """
    for node in screen.walk_children(with_self=True):
        if isinstance(node, Timed) and cast("Widget", node).is_mounted:
            node.pass_time()


class Clock:
    """Makes the texts that time changes, and so knows when the first of them will be another one.

    Until then the time goes by unseen. Then it stands still, so that what is painted in between agrees with what is on screen
    already, until all of it is painted anew: at once for seconds, and once a minute for all else.
    """

    def __init__(self, read: Callable[[], int] | None = None) -> None:
        self.read = read or now_ms
        self._struck = self.read()
        self._change: int | None = None
        """When the first of the texts that were made will be another one; None while none will."""
        self._due: int | None = None
        """When they are to be made anew."""
        self._noted = asyncio.Event()

    @property
    def now(self) -> int:
        """The time on screen."""
        return self.read() if self._change is None else min(self.read(), self._change - 1)

    def age(self, timestamp: int) -> str:
        """Return how long ago that is."""
        now = self._now_after(timestamp)
        self._note(age_change(timestamp, now))
        return age_text(timestamp, now)

    def running(self, start: int) -> str | None:
        """Return how long what started then has been running; None if that is still to come."""
        now = self._now_after(start)
        self._note(running_change(start, now))
        return running_text(start, now)

    def _now_after(self, timestamp: int) -> int:
        """Return `now`; or the time of something that happened since, which the rest of the screen has to catch up with."""
        now = self.now
        if now < timestamp <= self.read():
            self._be_due(timestamp)
            return timestamp
        return now

    def _note(self, change: TextChange | None) -> None:
        if change is not None:
            self._change = change.at if self._change is None else min(change.at, self._change)
            self._be_due(max(change.at, self._struck + min(change.unit, _LONGEST_UNIT_MS)))

    def _be_due(self, at: int) -> None:
        if self._due is None or at < self._due:
            self._due = at
            self._noted.set()

    def strike(self) -> None:
        """Go on to the present time: all that is shown is about to be made anew."""
        self._struck, self._change, self._due = self.read(), None, None

    async def until_due(self) -> None:
        """Sleep until something on screen has to be made anew."""
        while (left := self._left()) is None or left > 0:
            self._noted.clear()
            nap = None if left is None else min(left / 1000, _NAP_S)
            with suppress(asyncio.TimeoutError):  # until Python 3.11 not the builtin one
                await asyncio.wait_for(self._noted.wait(), nap)

    def _left(self) -> int | None:
        return None if self._due is None else self._due - self.read()

    def look(self) -> None:
        """Look at the time again, which has been set."""
        self._noted.set()
