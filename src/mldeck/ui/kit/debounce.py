"""Waits for a pause before something is done: while a key is held down, only what the cursor stops at is read."""

from __future__ import annotations

from collections.abc import Callable

from textual.timer import Timer
from textual.widget import Widget

_PAUSE_S = 0.12
"""Seconds that the cursor must rest before anything that depends on it is read."""


class Debouncer:
    """Calls an action once no other one of its kind has been asked for during a moment."""

    def __init__(self, widget: Widget) -> None:
        """`widget` owns the timers: when it is gone, nothing is called any more."""
        self._widget = widget
        self._timers: dict[str, Timer] = {}

    def call(self, action: Callable[[], object], kind: str = "") -> None:
        """Call an action after the pause, in place of an earlier one of its kind."""
        self.cancel(kind)

        def act() -> None:
            self._timers.pop(kind, None)
            action()

        self._timers[kind] = self._widget.set_timer(_PAUSE_S, act)

    def is_waiting(self, kind: str = "") -> bool:
        return kind in self._timers

    def cancel(self, kind: str = "") -> None:
        if kind in self._timers:
            self._timers.pop(kind).stop()
