"""Changing a SQLite file on another machine: the same edits as on this one, sent there as one request each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from mldeck.errors import Interrupted, MldeckError, PerhapsWritten, StoreUnavailable
from mldeck.store.edits.changes import RowSet
from mldeck.store.edits.db_rows import Outcome, outcome, written_rows
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import CATALOGUE
from mldeck.store.sqlite.reader import ReadableDatabase
from mldeck.store.sqlite.writer import LOCK_WAIT_S, explaining, known_schema
from mldeck.store.ssh.channel import NoAnswer
from mldeck.store.ssh.driver import FarChange, FarDriver
from mldeck.store.ssh.line import FarLine
from mldeck.store.statements import asked_together

LOOK_UP_WAIT_S = 60.0
"""Seconds that a lost line gets to come back, so that it can be looked up whether a commit was written."""
_RETRY_S = 0.1
_SCHEMA_NUMBER = "PRAGMA schema_version"
"""Changes with each table, column and index. To repeat this look under the lock costs less than to read the catalogue again."""


class SshWriter:
    """Changes of the database at the far end of a line, from any thread. See `Writer`, which this is."""

    def __init__(
        self,
        line: FarLine,
        database: ReadableDatabase,
        driver: FarDriver,
        read_only_reason: str | None,
        *,
        wait_s: float = LOCK_WAIT_S,
        look_up_wait_s: float = LOOK_UP_WAIT_S,
    ) -> None:
        """`wait_s`: how long the far end waits for the lock."""
        self._line = line
        self._database = database
        self._read_only_reason = read_only_reason
        self._wait_s = wait_s
        self._look_up_wait_s = look_up_wait_s
        self._engine = create_engine(
            "sqlite://",
            module=driver,
            creator=lambda: FarChange(line, wait_s, CATALOGUE),
            poolclass=NullPool,
        )
        self.lock_s: float | None = None
        """How long the last change held the lock over there; None if it changed nothing."""

    @contextmanager
    def writing(self, interrupt: Interrupt | None = None) -> Iterator[tuple[Connection, Schema]]:
        self.check_writable()
        interrupt = interrupt or Interrupt()
        lost: NoAnswer | None = None
        with explaining(self._database), self._engine.connect() as connection:
            change = _change_of(connection)
            with interrupt.watching(change.interrupt):
                with asked_together(connection, map(text, (_SCHEMA_NUMBER, *CATALOGUE))):
                    connection.exec_driver_sql(_SCHEMA_NUMBER)
                    schema = known_schema(connection, self._database)
                yield connection, schema
                interrupt.check()
                try:
                    change.commit_change()
                except NoAnswer as error:
                    lost = error
                self.lock_s = change.lock_s
            rows = tuple(written_rows(connection))
        if lost is not None:
            self._look_up(rows, change.deadline, interrupt, lost)

    def check_writable(self) -> None:
        if self._read_only_reason:
            raise MldeckError(f"{self._database.name} cannot be changed: {self._read_only_reason}")
        if self._database.is_gone:
            raise StoreUnavailable(f"{self._database.name} is gone")
        self._line.connected()

    def _look_up(self, rows: tuple[RowSet, ...], deadline: float, interrupt: Interrupt, lost: NoAnswer) -> None:
        """Return if the change was written whose answer was lost. Raises `StoreUnavailable` if it was not, and
        `PerhapsWritten` if that cannot be found out.

        Until the `deadline` the far end may still commit. It is asked before, too, because the answer may be yes.
        """
        place, reason = self._line.file.place, "this could not be looked up"
        end = max(time.monotonic(), deadline) + self._look_up_wait_s
        with suppress(Interrupted):
            while time.monotonic() < end:
                interrupt.check()
                is_final = time.monotonic() >= deadline
                self._line.try_again()
                try:
                    found = self._outcome(rows, interrupt)
                except Interrupted:
                    raise
                except (MldeckError, NoAnswer):
                    found = Outcome.UNCLEAR  # the line is not back yet, or the database cannot be read now
                else:
                    if found is Outcome.UNCLEAR and is_final:
                        reason = "others have changed the same since"
                        break
                if found is Outcome.WRITTEN:
                    return
                if found is Outcome.NOT_WRITTEN and is_final:
                    raise StoreUnavailable(f"connection to {place} lost: the change was not written") from lost
                time.sleep(_RETRY_S)
        raise PerhapsWritten(
            f"connection to {place} lost while the change was being written; whether it was is not known: {reason}"
        ) from lost

    def _outcome(self, rows: tuple[RowSet, ...], interrupt: Interrupt) -> Outcome:
        with explaining(self._database), self._engine.connect() as connection:
            change = _change_of(connection)
            with interrupt.watching(change.interrupt):
                change.lock_every_look()
                return outcome(connection, rows)


def _change_of(connection: Connection) -> FarChange:
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, FarChange)  # the engine makes these
    return raw
