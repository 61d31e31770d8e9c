"""Reads single histories: newer points only if possible, with progress and a stop, and the steps that a window needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mldeck.charts.curves import Axis
from mldeck.errors import Interrupted
from mldeck.model import History
from mldeck.store.interrupt import Interrupt
from mldeck.ui.chart.view import Window
from mldeck.ui.state.history_cache import HistoryCache, SeriesKey

if TYPE_CHECKING:
    from mldeck.store.store import Store


class ReadProgress:
    """The progress of reading several histories, and a way to stop it.

    `read` is called in a thread; everything else on the event loop.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.is_stopped = False
        self._points_before = 0
        self._points_now = 0
        self._interrupt: Interrupt | None = None

    def stop(self) -> None:
        """Stop the history being read, which is returned as far as it was read, and start no other."""
        self.is_stopped = True
        if self._interrupt is not None:
            self._interrupt.fire()

    def read(self, read: Callable[[Interrupt, Callable[[int], None]], History], interrupt: Interrupt) -> History | None:
        """Read one history. Return None if reading was stopped before its first points. Call it in a thread."""
        self._interrupt = interrupt
        if self.is_stopped:
            return None
        try:
            history = read(interrupt, self._count)
        except Interrupted:
            return None
        self.done += 1
        self._points_before, self._points_now = self._points_before + history.point_count, 0
        return history

    def _count(self, points: int) -> None:
        self._points_now = points

    def __str__(self) -> str:
        of_all = f"{self.done} of {self.total} · " if self.total > 1 else ""
        return f"{of_all}{self._points_before + self._points_now:,} points…"


def read_or_renew(
    store: Store, cache: HistoryCache, key: SeriesKey, interrupt: Interrupt, on_part: Callable[[int], None]
) -> History:
    """Return the history as it is now. If it is in the cache, only newer points are read."""
    known = cache.get(key)
    if known is None:
        history = store.read_history(key.run_id, key.metric, None, interrupt, on_part)
    else:
        history = store.read_newer(known, interrupt)
    cache.add(history)
    return history


def steps_within(history: History, axis: Axis, window: Window, origin: int | None) -> tuple[int, int] | None:
    """Return the first and last step that a window of the axis needs, with one more point on either side; None if none.

    The history is a thinned one. `origin` is where relative time begins, in milliseconds since the epoch.
    """
    low, high = window
    if axis is Axis.STEP:
        return int(low) - 1, int(high) + 1
    start = (origin or 0) if axis is Axis.RELATIVE else 0
    inside = [index for index, at in enumerate(history.timestamps) if low <= at - start <= high]
    if not inside:
        return None
    return history.steps[max(0, inside[0] - 1)], history.steps[min(len(history) - 1, inside[-1] + 1)]
