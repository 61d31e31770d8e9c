"""All that is specific to SQLite about changing a store.

Each change is one transaction on a connection of its own. It takes the write lock before it reads anything, so that what an
edit was based on is still true when it is written, and it is written completely or not at all.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Protocol

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mldeck.errors import Interrupted, MldeckError, StoreUnavailable, UsageError
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import read_schema
from mldeck.store.sqlite.files import DatabaseFile, check_side_files, connect_file, is_locked, read_only_reason

LOCK_WAIT_S = 20.0
"""Seconds that a write waits for the lock: as long as MLflow does (DATABASE.md#sharing-the-file)."""

_RETRY_S = 0.02
"""Seconds between two attempts to get the lock; SQLite's own waiting sleeps up to 0.1 s and cannot be interrupted."""


class SqliteWriter:
    """Transactions that change one database file, from any thread; no connection is kept between them."""

    def __init__(self, database: DatabaseFile, wait_s: float = LOCK_WAIT_S) -> None:
        self._database = database
        self._wait_s = wait_s
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)

    @contextmanager
    def writing(self, interrupt: Interrupt | None = None) -> Iterator[tuple[Connection, Schema]]:
        """Yield a connection that holds the write lock, and the schema at this moment.

        Commits when the block ends without an error; otherwise nothing is changed. Raises `Interrupted` when `interrupt`
        is fired before the commit; `StoreUnavailable` when the file is gone, or locked for longer than the wait;
        `MldeckError` when it must not or cannot be written.
        """
        self.check_writable()
        check_side_files(self._database.path)
        interrupt = interrupt or Interrupt()
        stopped = Event()
        with explaining(self._database), self._engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)  # `_connect` makes these

            def stop() -> None:
                stopped.set()
                raw.interrupt()

            with interrupt.watching(stop):
                self._patiently(lambda: raw.execute("BEGIN IMMEDIATE"), stopped)
                yield connection, known_schema(connection, self._database)
                # With a rollback journal the commit waits for readers. SQLAlchemy could not retry it, because it
                # considers a transaction finished when its commit failed.
                self._patiently(lambda: raw.execute("COMMIT"), stopped)

    def _connect(self) -> sqlite3.Connection:
        """Open the file, never creating it. Closing the connection rolls back what was not committed."""
        # Without waiting: `_patiently` waits instead, because it can be interrupted.
        connection = connect_file(self._database.path, "mode=rw", wait_s=0)
        # As MLflow does.
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA case_sensitive_like = ON")
        return connection

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` or `MldeckError` when the file cannot be written."""
        path = self._database.path
        if not path.exists():
            raise StoreUnavailable(f"{path} is gone")
        reason = self._database.read_only_reason or read_only_reason(path)
        if reason:
            raise MldeckError(f"{path} cannot be changed: {reason}")

    def _patiently(self, attempt: Callable[[], object], stopped: Event) -> None:
        """Retry while another program holds the lock, until the wait is over or it is stopped."""
        deadline = time.monotonic() + self._wait_s
        while True:
            if stopped.is_set():
                raise Interrupted("cancelled; nothing was changed")
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


class ChangedDatabase(Protocol):
    """A database that SQLite changes: a file here, or one on another machine."""

    @property
    def name(self) -> str:
        """How messages name it."""

    @property
    def is_gone(self) -> bool:
        """Whether it does not exist any more, as far as that is known without waiting."""


def known_schema(connection: Connection, database: ChangedDatabase) -> Schema:
    """Read the schema again, because another MLflow may have migrated the database since it was opened.

    Raises `MldeckError` for a revision that this mldeck does not know.
    """
    schema = read_schema(connection, as_stored=True)
    if schema.is_unknown:
        raise MldeckError(
            f"{database.name} was written by a newer MLflow than this mldeck knows "
            f"(revision {schema.revision}), so it can be shown, but not changed"
        )
    return schema


@contextmanager
def explaining(database: ChangedDatabase) -> Iterator[None]:
    """Turn what goes wrong in the block, while the database is changed, into an error for the user."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise _explained(error, database) from error
    except UnicodeEncodeError as error:
        raise UsageError(
            "nothing was changed: the text contains a byte or half a character that is not text"
        ) from error
    except (
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:  # a value of another type than its column has
        what = f"{type(error).__name__}: {error}"
        raise MldeckError(f"{database.name} could not be changed: {what}; nothing was changed") from error


def _explained(error: Exception, database: ChangedDatabase) -> MldeckError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause)
    name = database.name
    if "interrupted" in text:
        return Interrupted("cancelled; nothing was changed")
    if database.is_gone:
        return StoreUnavailable(f"{name} is gone")
    if "no such table" in text or "no such column" in text:
        return StoreUnavailable(f"{name} was changed by another MLflow, or by hand: {text}; nothing was changed")
    if "readonly" in text or "unable to open" in text:
        return MldeckError(f"{name} cannot be changed: it, or its folder, cannot be written to")
    return MldeckError(f"{name} could not be changed: {text}; nothing was changed")
