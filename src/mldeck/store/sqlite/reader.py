"""All that is specific to SQLite about reading a store, wherever its file is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, FromClause, Select, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from mldeck.errors import Interrupted, MldeckError, StoreLocked, StoreUnavailable, UsageError
from mldeck.store.interrupt import Interrupt
from mldeck.store.sqlite.files import is_locked

_Result = TypeVar("_Result")


_MOST_TRIES = 50
"""Attempts of `execute_patiently`; in each, SQLite waits `BROWSE_WAIT_S` for the lock."""


class _CompilerWithHints(SQLiteCompiler):
    """Renders the hints of `with_hint`: SQLAlchemy drops them for SQLite, although it knows one, INDEXED BY."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        return text


class ReadableDatabase(Protocol):
    """A database that SQLite reads: a file here, or one on another machine."""

    @property
    def name(self) -> str:
        """How messages name it."""

    @property
    def is_gone(self) -> bool:
        """Whether it does not exist any more, as far as that is known without waiting."""

    def connect(self) -> Any:
        """Return a connection of the driver that may be used from any thread, but from one at a time."""

    def check_before_reading(self) -> None:
        """Raise `MldeckError` if it must not be read now."""

    def check_unchanged(self) -> None:
        """Raise `StoreChanged` if it was changed in a way that makes what was read doubtful."""


class SqliteReader:
    """A pool of connections to one database, for short reads from any thread."""

    def __init__(self, database: ReadableDatabase, driver: Any = sqlite3) -> None:
        """`driver` is the module, or what serves as one, that makes the connections."""
        self._database = database
        self._engine: Engine = create_engine(
            "sqlite://",
            module=driver,
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=-1,  # no limit, because a read that waits for others to end would look like a hang
            pool_reset_on_return=None,
        )
        self._engine.dialect.statement_compiler = _CompilerWithHints
        self._closed = False
        event.listen(self._engine, "before_cursor_execute", _stop_if_fired)

    def _connect(self) -> Any:
        connection = self._database.connect()
        # As MLflow does: LIKE is case-sensitive (DATABASE.md#search).
        connection.execute("PRAGMA case_sensitive_like = ON")
        return connection

    @contextmanager
    def reading(self, interrupt: Interrupt | None = None) -> Iterator[Connection]:
        """Yield a connection for a few statements, each to be fetched completely because an open cursor locks out writers.

        Raises `Interrupted` when the interrupt is fired, `StoreLocked` while another program holds the lock,
        `StoreUnavailable` when the file is gone or has other tables now, `StoreChanged` when it was written although it was
        opened as immutable, and `MldeckError` when it cannot be read.
        """
        self._database.check_before_reading()
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert raw is not None  # a checked-out connection is open
                interrupt = interrupt or Interrupt()
                connection.execution_options(interrupt=interrupt)
                try:
                    with interrupt.watching(raw.interrupt):
                        yield connection
                finally:
                    if self._closed:
                        connection.detach()  # because a connection returned to a closed pool is never closed
        except (DBAPIError, sqlite3.Error) as error:
            self._database.check_unchanged()
            raise _explained(error, self._database) from error
        except UnicodeEncodeError as error:
            raise UsageError("not found: the text contains a byte or half a character that is not text") from error
        except MldeckError:
            raise
        except Exception as error:
            # A database may hold values that no code expects: they must end this read, not the program.
            raise MldeckError(f"{self._database.name} cannot be read: {type(error).__name__}: {error}") from error
        self._database.check_unchanged()

    def close(self) -> None:
        """Close the pool. Reads that are running in other threads continue to their end."""
        self._closed = True
        self._engine.dispose()


def _stop_if_fired(connection: Connection, *_: object) -> None:
    """Raise `Interrupted` before a statement: an interrupt fired between two statements found nothing in SQLite to stop."""
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


def _explained(error: Exception, database: ReadableDatabase) -> MldeckError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause)
    name = database.name
    if "interrupted" in text:
        return Interrupted("stopped")
    if isinstance(cause, sqlite3.OperationalError) and is_locked(cause):
        return StoreLocked(f"{name} is locked by another program")
    if "no such table" in text or "no such column" in text:
        return StoreUnavailable(f"{name} was changed by another MLflow, or by hand: {text}")
    if "unable to open" in text or database.is_gone:
        return StoreUnavailable(f"{name} is gone" if database.is_gone else f"{name} cannot be opened now")
    return MldeckError(f"{name} cannot be read: {text}")
