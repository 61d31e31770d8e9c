"""Stopping a read whose answer is no longer wanted. Standard library only, so that the screen can have it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from mldeck.errors import Interrupted


class Interrupt:
    """Stops a read from another thread: hand it in with the read, and `fire` it when the answer is no longer wanted."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stop: Callable[[], None] | None = None
        self._fired = False

    @property
    def fired(self) -> bool:
        return self._fired

    def fire(self) -> None:
        with self._lock:
            self._fired = True
            if self._stop is not None:
                self._stop()

    def check(self) -> None:
        """Between statements, where there is nothing for SQLite to interrupt."""
        if self._fired:
            raise Interrupted("stopped")

    @contextmanager
    def watching(self, stop: Callable[[], None]) -> Iterator[None]:
        self.check()
        with self._lock:
            self._stop = stop
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._stop = None
