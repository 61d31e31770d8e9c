"""The seam: all that is SQLite's own about reading a store. A database on a server would need a second module like this."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, FromClause, Select, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from mldeck.errors import Interrupted, MldeckError, StoreLocked, StoreUnavailable, UsageError
from mldeck.store.interrupt import Interrupt
from mldeck.store.sqlite.files import DatabaseFile, check_side_files, is_locked

_Result = TypeVar("_Result")


_MOST_TRIES = 50
"""Attempts of `execute_patiently`; in each, SQLite waits `BROWSE_WAIT_S` for the lock."""


class _CompilerWithHints(SQLiteCompiler):
    """SQLAlchemy leaves the hints of `with_hint` out for SQLite, which does have one: INDEXED BY."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


class SqliteReader:
    """Connections to one database file, for short reads from any thread."""

    def __init__(self, database: DatabaseFile) -> None:
        self._database = database
        self._engine: Engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=-1,  # no limit, because a read that has to wait for others to end would look like a hang
            pool_reset_on_return=None,
        )
        self._engine.dialect.statement_compiler = _CompilerWithHints
        self._closed = False
        event.listen(self._engine, "before_cursor_execute", _stop_if_fired)

    def _connect(self) -> sqlite3.Connection:
        connection = self._database.connect()
        # MLflow's own setting: LIKE tells upper from lower case (DATABASE.md#search).
        connection.execute("PRAGMA case_sensitive_like = ON")
        return connection

    @contextmanager
    def reading(self, interrupt: Interrupt | None = None) -> Iterator[Connection]:
        """A connection for a few statements, each fetched completely: an open cursor would lock out writers.

        SQLite's errors come out as mldeck's own.
        """
        check_side_files(self._database.path)
        self._database.check_unchanged()
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert raw is not None  # a connection that is checked out is open
                interrupt = interrupt or Interrupt()
                connection.execution_options(interrupt=interrupt)
                try:
                    with interrupt.watching(raw.interrupt):
                        yield connection
                finally:
                    if self._closed:
                        connection.detach()  # back in the pool, nobody would close it any more
        except (DBAPIError, sqlite3.Error) as error:
            self._database.check_unchanged()
            raise _explained(error, self._database) from error
        except UnicodeEncodeError as error:
            raise UsageError(
                "that is not in the database: it holds a byte or half a character that is no text"
            ) from error
        except MldeckError:
            raise
        except Exception as error:
            # What nobody thought of that can stand in a database ends what was asked for, not the program.
            raise MldeckError(f"{self._database.path} cannot be read: {type(error).__name__}: {error}") from error
        self._database.check_unchanged()

    def close(self) -> None:
        """Reads that are under way in other threads may end in peace."""
        self._closed = True
        self._engine.dispose()


def _stop_if_fired(connection: Connection, *_: object) -> None:
    """Before each statement: an interrupt that was fired between two of them had nothing in SQLite to stop."""
    connection.get_execution_options()["interrupt"].check()


def read_quickly(connection: Connection, read: Callable[[], _Result]) -> _Result:
    """Return what `read` reads through this connection, with its text decoded by SQLite's driver: three times as fast.

    The driver refuses bytes that are not UTF-8; `read` is called again then, with the usual decoding. Connections to
    other databases have nothing to speed up.
    """
    raw = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection):
        return read()
    careful, raw.text_factory = raw.text_factory, str
    try:
        return read()
    except (DBAPIError, sqlite3.Error) as error:
        if "decode" not in str(error):
            raise
    finally:
        raw.text_factory = careful
    return read()


def execute_patiently(connection: Connection, statement: Select[Any]) -> CursorResult[Any]:
    """Execute the statement, again and again while the database is locked.

    For reading in parts: the parts read so far must not be lost because another program writes in between.
    """
    for _ in range(_MOST_TRIES - 1):
        try:
            return connection.execute(statement)
        except DBAPIError as error:
            if not (isinstance(error.orig, sqlite3.DatabaseError) and is_locked(error.orig)):
                raise
    return connection.execute(statement)


def _explained(error: Exception, database: DatabaseFile) -> MldeckError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause)
    path = database.path
    if "interrupted" in text:
        return Interrupted("stopped")
    if isinstance(cause, sqlite3.OperationalError) and is_locked(cause):
        return StoreLocked(f"{path} is locked by another program")
    if "no such table" in text or "no such column" in text:
        return StoreUnavailable(f"{path} was changed by another MLflow, or by hand: {text}")
    if "unable to open" in text or not path.exists():
        return StoreUnavailable(f"{path} is gone" if not path.exists() else f"{path} cannot be opened now")
    return MldeckError(f"{path} cannot be read: {text}")
