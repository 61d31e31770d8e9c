"""The other half of the seam: all that is SQLite's own about changing a store, and writing recorded rows.

Whatever is changed is changed in one transaction on a connection of its own. It takes the write lock before it reads
anything, so that what an edit was decided on is still true when it is written; and all of it lands, or nothing.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from threading import Event
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    TableClause,
    and_,
    bindparam,
    column,
    create_engine,
    delete,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mldeck.errors import Interrupted, MldeckError, StoreUnavailable, UsageError
from mldeck.store.edits.changes import DbValue, RowChange, RowSet, Values
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.sqlite.files import DatabaseFile, check_side_files, is_locked, read_only_reason
from mldeck.store.statements import MAX_BOUND_VALUES

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
        schema = Schema.read(connection, as_stored=True)
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


def write_rows(connection: Connection, row_sets: Iterable[RowSet]) -> None:
    """Makes each row what it is to be `after`: one statement each for the rows to delete, to update, and to insert."""
    for row_set in row_sets:
        target = _table(row_set)
        here = and_(*(target.c[name] == bindparam(f"key_{name}") for name in row_set.key_columns))
        new: dict[str, BindParameter[Any]] = {name: bindparam(f"new_{name}") for name in row_set.columns}
        all_new = {name: bindparam(f"key_{name}") for name in row_set.key_columns} | new
        removed = [row for row in row_set.rows if row.after is None]
        inserted = [row for row in row_set.rows if row.before is None]
        changed = [row for row in row_set.rows if row.before is not None and row.after is not None]
        for statement, rows in (
            (delete(target).where(here), removed),
            (update(target).where(here).values(new), changed),
            (insert(target).values(all_new), inserted),
        ):
            if rows:
                connection.execute(statement, [_bound(row_set, row) for row in rows])


def read_rows(
    connection: Connection,
    table_name: str,
    key_columns: Sequence[str],
    columns: Sequence[str],
    keys: Iterable[Values],
) -> dict[Values, Values]:
    """The values of `columns` by key; rows that do not exist are missing. Keys that differ in the last column only are looked
    up together, by the primary key."""
    source = table(table_name, *map(column, (*key_columns, *columns)))
    *first, last = (source.c[name] for name in key_columns)
    found: dict[Values, Values] = {}
    for shared, group in groupby(keys, key=lambda key: key[:-1]):
        lasts = [key[-1] for key in group]
        for start in range(0, len(lasts), MAX_BOUND_VALUES):
            here = [each == value for each, value in zip(first, shared, strict=True)]
            here.append(last.in_(lasts[start : start + MAX_BOUND_VALUES]))
            statement = select(last, *(source.c[name] for name in columns)).where(*here)
            for key, *values in connection.execute(statement).all():
                found[shared + (key,)] = tuple(values)
    return found


def rows_as_recorded(connection: Connection, row_set: RowSet) -> bool:
    """Whether every row is still as it was `after` the change."""
    found = read_rows(
        connection, row_set.table, row_set.key_columns, row_set.columns, (row.key for row in row_set.rows)
    )
    return all(found.get(row.key) == row.after for row in row_set.rows)


def _table(row_set: RowSet) -> TableClause:
    return table(row_set.table, *map(column, (*row_set.key_columns, *row_set.columns)))


def _bound(row_set: RowSet, row: RowChange) -> dict[str, DbValue]:
    keys = {f"key_{name}": value for name, value in zip(row_set.key_columns, row.key, strict=True)}
    if row.after is None:
        return keys
    return keys | {f"new_{name}": value for name, value in zip(row_set.columns, row.after, strict=True)}
