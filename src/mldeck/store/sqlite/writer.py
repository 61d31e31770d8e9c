"""The other half of the seam: all that is SQLite's own about changing a store.

Whatever is changed is changed in one transaction on a connection of its own. It takes the write lock before it reads
anything, so that what an edit was decided on is still true when it is written; and all of it lands, or nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mldeck.errors import Interrupted, MldeckError, StoreUnavailable, UsageError
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import read_schema
from mldeck.store.sqlite.files import DatabaseFile, check_side_files, is_locked, read_only_reason

LOCK_WAIT_S = 20.0
"""How long a write waits for somebody's lock: as long as MLflow does (DATABASE.md#sharing-the-file)."""

_RETRY_S = 0.02
"""Between two attempts to get the lock; SQLite's own waiting sleeps up to 0.1 s and cannot be interrupted."""


class SqliteWriter:
    """Transactions that change one database file."""

    def __init__(self, database: DatabaseFile, wait_s: float = LOCK_WAIT_S) -> None:
        self._database = database
        self._wait_s = wait_s
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)

    @contextmanager
    def writing(self, interrupt: Interrupt | None = None) -> Iterator[tuple[Connection, Schema]]:
        """A connection that holds the write lock, and what the database offers at this moment.

        Commits when the block ends without an error, else nothing is changed. Raises `Interrupted` when `interrupt` is
        fired before the commit; `StoreUnavailable` when the file is gone, or locked for longer than the wait; `MldeckError`
        when it must not or cannot be written.
        """
        self.check_writable()
        check_side_files(self._database.path)
        interrupt = interrupt or Interrupt()
        stopped = Event()
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert isinstance(raw, sqlite3.Connection)  # what `_connect` made

                def stop() -> None:
                    stopped.set()
                    raw.interrupt()

                with interrupt.watching(stop):
                    self._patiently(lambda: raw.execute("BEGIN IMMEDIATE"), stopped)
                    yield connection, self._known_schema(connection)
                    # In a rollback journal the commit waits for readers. Through the connection it could not be tried again:
                    # SQLAlchemy takes a transaction whose commit failed for finished.
                    self._patiently(lambda: raw.execute("COMMIT"), stopped)
        except (DBAPIError, sqlite3.Error) as error:
            raise self._explained(error) from error
        except UnicodeEncodeError as error:
            raise UsageError(
                "nothing was changed: there is a byte or half a character in it that is no text"
            ) from error
        except (
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        ) as error:  # a value that is not what its column says
            what = f"{type(error).__name__}: {error}"
            raise MldeckError(f"{self._database.path} could not be changed: {what}; nothing was changed") from error

    def _connect(self) -> sqlite3.Connection:
        """Never creates a file. Closing it rolls back what was not committed."""
        connection = sqlite3.connect(
            f"{self._database.path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=0,  # waiting is done here, where it can be given up
            check_same_thread=False,
            isolation_level=None,
        )
        connection.text_factory = lambda value: value.decode("utf-8", "replace")
        # As MLflow's own connections are.
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA case_sensitive_like = ON")
        return connection

    def check_writable(self) -> None:
        """Raises `StoreUnavailable` or `MldeckError` where nothing can be written."""
        path = self._database.path
        if not path.exists():
            raise StoreUnavailable(f"{path} is gone")
        reason = self._database.read_only_reason or read_only_reason(path)
        if reason:
            raise MldeckError(f"{path} cannot be changed: {reason}")

    def _known_schema(self, connection: Connection) -> Schema:
        """Read anew: another MLflow may have migrated the file since it was opened."""
        schema = read_schema(connection, as_stored=True)
        if schema.is_unknown:
            raise MldeckError(
                f"{self._database.path} was written by a newer MLflow than this mldeck knows "
                f"(revision {schema.revision}), so it is only shown, not changed"
            )
        return schema

    def _patiently(self, attempt: Callable[[], object], stopped: Event) -> None:
        """Tries until nobody else holds the lock, the wait is over, or it is stopped."""
        deadline = time.monotonic() + self._wait_s
        while True:
            if stopped.is_set():
                raise Interrupted("given up; nothing was changed")
            try:
                attempt()
            except sqlite3.OperationalError as error:
                if not is_locked(error):
                    raise
                if time.monotonic() >= deadline:
                    raise StoreUnavailable(
                        f"{self._database.path} was locked by another program for {self._wait_s:g} s; nothing was changed"
                    ) from error
                stopped.wait(_RETRY_S)
            else:
                return

    def _explained(self, error: Exception) -> MldeckError:
        cause = error.orig if isinstance(error, DBAPIError) else error
        text = str(cause)
        path = self._database.path
        if "interrupted" in text:
            return Interrupted("given up; nothing was changed")
        if not path.exists():
            return StoreUnavailable(f"{path} is gone")
        if "no such table" in text or "no such column" in text:
            return StoreUnavailable(f"{path} was changed by another MLflow, or by hand: {text}; nothing was changed")
        if "readonly" in text or "unable to open" in text:
            return MldeckError(f"{path} cannot be changed: it, or its folder, cannot be written to")
        return MldeckError(f"{path} could not be changed: {text}; nothing was changed")
