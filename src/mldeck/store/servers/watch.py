"""Noticing changes of a database on a server. Its thread asks, so that nobody waits."""

from __future__ import annotations

import threading
import time

from mldeck.errors import ConnectionLost, MldeckError, StoreUnavailable
from mldeck.store.backend import Change
from mldeck.store.server_database import ServerDatabase
from mldeck.store.servers.driver import DatabaseFacts, Driver
from mldeck.store.servers.errors import Fault, NoServer, explained
from mldeck.store.servers.links import LinkPool

PAUSE_S = 0.35
"""Seconds from an answer to the next question, at least."""
PATIENCE = 5
"""The least pause, as a multiple of the time that the last question took: a distant server is asked less often."""
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 30.0
"""Seconds before the first attempt after a question that failed, and the longest between two; doubled after each."""


class ServerWatcher:
    """Asks the server, while it is polled, whether anything has changed. Only one thread may poll at a time."""

    def __init__(self, database: ServerDatabase, driver: Driver, links: LinkPool, facts: DatabaseFacts) -> None:
        """`facts`: what was known when the database was opened."""
        self._database = database
        self._driver = driver
        self._links = links
        self._facts = facts
        self._seen = self._state = facts.state
        self._doubts_tables = False
        self._has_other_tables = False
        self._error: MldeckError | None = None
        self._asking = threading.Lock()
        self._next_s = 0.0
        self._delay_s = FIRST_DELAY_S
        self._is_closed = False

    def doubt_tables(self) -> None:
        """Look with the next question whether tables or columns are other ones now."""
        self._doubts_tables = True

    def poll(self) -> Change:
        """Return what has changed as far as the last answer tells, and ask again if it is time. Never waits.

        Raises `MldeckError` while the server cannot be asked.
        """
        try:
            return self._known()
        finally:
            if not self._is_closed and time.monotonic() >= self._next_s and self._asking.acquire(blocking=False):
                threading.Thread(target=self._ask, name="watch server", daemon=True).start()

    def _known(self) -> Change:
        if self._error is not None:
            raise self._error
        if self._has_other_tables:
            return Change.FILE  # reported by every poll until the database was opened again
        before, self._seen = self._seen, self._state
        return Change.NOTHING if self._seen == before else Change.DATA

    def close(self) -> None:
        """Ask nothing any more."""
        self._is_closed = True

    def _ask(self) -> None:
        try:
            began = time.monotonic()
            try:
                try:
                    self._ask_once()
                except ConnectionLost:  # an idle one may have been cut long ago
                    self._ask_once()
            except MldeckError as error:
                self._error = _worded(error, self._database)
                self._next_s = time.monotonic() + self._delay_s
                self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)
            else:
                ended = time.monotonic()
                self._error = None
                self._delay_s = FIRST_DELAY_S
                self._next_s = ended + max(PAUSE_S, PATIENCE * (ended - began))
        finally:
            self._asking.release()

    def _ask_once(self) -> None:
        link = self._links.take()
        try:
            doubts_tables, self._doubts_tables = self._doubts_tables, False
            state, revision = self._driver.state(link)
            if revision != self._facts.revision:
                self._has_other_tables = True
            elif doubts_tables:
                self._has_other_tables = self._driver.columns(link) != self._facts.columns
            self._state = state
        except Exception as error:
            link.close()
            if not isinstance(error, self._driver.error):
                raise MldeckError(
                    f"{self._database.name} cannot be watched: {type(error).__name__}: {error}"
                ) from error
            fault = self._driver.fault_of(error)
            if fault is Fault.LOST:
                self._links.drop_idle()
            raise explained(fault, self._driver.words_of(error), self._database) from error
        self._links.give(link)


def _worded(error: MldeckError, database: ServerDatabase) -> MldeckError:
    if isinstance(error, (ConnectionLost, NoServer)):
        return StoreUnavailable(f"connection to {database.place} lost · trying again")
    return error
