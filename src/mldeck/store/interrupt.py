"""Stopping a read whose result is no longer needed. Standard library only, so that the first screen can import it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from mldeck.errors import Interrupted


class Interrupt:
    """A way to stop a read from another thread: pass it to the read, and call `fire` when the result is no longer needed.

    `fire` and `fired` may be used from any thread; the other methods belong to the thread that reads. One read at a time.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._stop: Callable[[], None] | None = None
        self._fired = False

    @property
    def fired(self) -> bool:
        return self._fired

    def fire(self) -> None:
        """Stop the read that is running, and every later one with this interrupt."""
        with self._lock:
            self._fired = True
            if self._stop is not None:
                self._stop()

    def check(self) -> None:
        """Raise `Interrupted` if it was fired. For the time between statements, when the driver has nothing to stop."""
        if self._fired:
            raise Interrupted("stopped")

    @contextmanager
    def watching(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` if this is fired while the block runs. Raises `Interrupted` if it was fired before."""
        self.check()
        with self._lock:
            self._stop = stop
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._stop = None
