"""Connections to a server, shared by threads: a few that are idle are kept, and one that was stopped is made clean again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from mldeck.store.servers.answers import AnsweredConnection
from mldeck.store.servers.filling import Statement, StatementAnswer

MOST_IDLE = 4
"""Most idle connections that are kept."""
IDLE_S = 300.0
"""Seconds after which idle connections are closed, but for one."""
STOP_AGAIN_S = 0.3
"""Seconds between two attempts to stop a statement: one that came before the statement was there stopped nothing."""
CLEAN_TRIES = 5
"""Most attempts to use a connection again after a statement was stopped."""


class Link(Protocol):
    """A connection of a driver. It belongs to one thread at a time, but for `cancel`."""

    @property
    def is_lost(self) -> bool:
        """Whether it has ended, as far as that is known without asking."""

    def ask(self, statements: Sequence[Statement], timeout_s: float | None) -> list[StatementAnswer | Exception]:
        """Run SELECTs in a transaction of their own, which may only read, in one request if there is no error.

        Returns an answer for each, up to the first error, which is the last. `timeout_s` is the most that a statement may take.
        """

    def cancel(self) -> None:
        """Ask the server, on another connection, to stop the statement that is running. Raises the driver's errors."""

    def close(self) -> None: ...


class LinkPool:
    """The connections to one database."""

    def __init__(self, connect: Callable[[], Link]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[tuple[Link, float]] = []
        """With the time of its last use; the one that was used last is the last."""
        self._is_closed = False

    def take(self) -> Link:
        """Return an idle connection, or a new one. Raises what connecting raises."""
        while True:
            with self._lock:
                link = self._idle.pop()[0] if self._idle else None
            if link is None:
                return self._connect()
            if not link.is_lost:
                self._close_old()
                return link
            link.close()

    def give(self, link: Link) -> None:
        """Take back a connection that is not used any more."""
        with self._lock:
            keep = not (self._is_closed or link.is_lost) and len(self._idle) < MOST_IDLE
            if keep:
                self._idle.append((link, time.monotonic()))
        if not keep:
            link.close()

    def drop_idle(self) -> None:
        """Close the idle connections: one of them was lost, so the others probably are."""
        with self._lock:
            idle, self._idle = self._idle, []
        for link, _ in idle:
            link.close()

    def close(self) -> None:
        """Close what is idle, and later what is still in use."""
        self._is_closed = True
        self.drop_idle()

    def _close_old(self) -> None:
        """Close what has been idle for long, but for the one that was used last."""
        oldest = time.monotonic() - IDLE_S
        with self._lock:
            old = [link for link, used in self._idle[:-1] if used < oldest]
            self._idle = [(link, used) for link, used in self._idle if link not in old]
        for link in old:
            link.close()


class PooledConnection(AnsweredConnection):
    """A connection of the pool for one read, as SQLAlchemy takes it."""

    def __init__(self, pool: LinkPool) -> None:
        super().__init__(self._ask_server)
        self._pool = pool
        self._link = pool.take()
        self._ended = threading.Event()
        self._stopper: threading.Thread | None = None
        self.timeout_s: float | None = None
        """The most that a statement may take, in seconds."""

    @property
    def closed(self) -> bool:
        return self._link.is_lost

    broken = closed

    def stop(self) -> None:
        """Stop the statement that is running, and those that follow. Never waits."""
        if self._stopper is None:
            self._stopper = threading.Thread(target=self._stop_until_ended, name="stop statement", daemon=True)
            self._stopper.start()

    def close(self) -> None:
        """Give the connection back. One that was stopped is made clean first, in the background."""
        if self._ended.is_set():
            return
        self._ended.set()
        if self._stopper is None:
            self._pool.give(self._link)
        else:
            threading.Thread(target=self._clean, name="clean connection", daemon=True).start()

    def _ask_server(self, statements: list[Statement]) -> list[StatementAnswer | Exception]:
        return self._link.ask(statements, self.timeout_s)

    def _stop_until_ended(self) -> None:
        while True:
            with suppress(Exception):  # it ends by itself, then
                self._link.cancel()
            if self._ended.wait(STOP_AGAIN_S):
                return

    def _clean(self) -> None:
        """Wait until no stop is under way, and use the connection until none of them hits it any more."""
        assert self._stopper is not None
        self._stopper.join()
        for _ in range(CLEAN_TRIES):
            try:
                if isinstance(self._link.ask([("SELECT 1", ())], None)[-1], StatementAnswer):
                    self._pool.give(self._link)
                    return
            except Exception:  # noqa: BLE001 - whatever it is, the connection is of no use
                break
        self._link.close()
