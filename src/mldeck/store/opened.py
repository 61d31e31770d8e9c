"""An open database file: connecting, following changes, waiting for locks, and reopening a file that was replaced."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, RLock
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from mldeck.errors import StoreChanged, StoreLocked, StoreUnavailable
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import newest_columns, read_schema
from mldeck.store.sqlite.files import DatabaseFile, is_locked, open_database
from mldeck.store.sqlite.reader import SqliteReader
from mldeck.store.sqlite.watch import Change, ChangeWatcher
from mldeck.store.sqlite.writer import SqliteWriter

_P = ParamSpec("_P")
_Result = TypeVar("_Result")

PATIENCE_S = 1.0
"""Seconds that an interactive read waits for a lock before the user is told."""


class OpenedStore:
    """An open database file, usable from any thread.

    Opening raises `StoreUnavailable` while the file is locked or gone, and `MldeckError` when it is damaged.
    """

    path: Path
    """The file, as the user named it."""
    schema: Schema
    """The tables and columns of the database; replaced when the file is opened again."""

    def __init__(self, path: Path, *, read_only: bool = False, patience_s: float = PATIENCE_S) -> None:
        """`patience_s`: seconds that a read waits for another program's lock before it raises `StoreLocked`."""
        self.path = path
        self._asked_read_only = read_only
        self._patience_s = patience_s
        self._gave_up = Event()
        self._locked_since: float | None = None
        # Held while polling and reopening, because a connection must not be closed while another thread uses it.
        self._watching = RLock()
        self._is_closed = False
        self._patiently(self._open, None)

    def _open(self, before: Schema | None = None) -> None:
        """Open the file. Nothing is replaced unless all of it succeeds and no table of `before` is missing now."""
        database = open_database(self.path, read_only=self._asked_read_only)
        reader = SqliteReader(database)
        try:
            with reader.reading() as connection:
                schema = read_schema(connection)
            if before is not None and (lost := schema.lost_since(before)):
                raise StoreUnavailable(f"{self.path} has no table {lost} any more")
            watcher = _watcher(database)
        except BaseException:
            reader.close()
            database.discard()
            raise
        self._database, self._reader, self.schema, self._watcher = database, reader, schema, watcher

    @property
    def read_only_reason(self) -> str | None:
        """Why the database cannot be written; None when it can."""
        return self._database.read_only_reason

    @property
    def is_copy(self) -> bool:
        """Whether a private copy is read, because the file itself cannot be read in place."""
        return self._database.is_copy

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about this database that the user should see."""
        if self.read_only_reason and not self._asked_read_only:
            return (*self.reading_notices, f"read-only: {self.read_only_reason}")
        return self.reading_notices

    @property
    def reading_notices(self) -> tuple[str, ...]:
        """Those of `notices` that give reasons why the content may be incomplete."""
        notices = [self._database.notice] if self._database.notice else []
        if self.schema.is_unknown and self.schema.differs_from(newest_columns()):
            notices.append(
                f"written by a newer MLflow than this mldeck knows (revision {self.schema.revision}); "
                "what is shown may be incomplete"
            )
        return (*notices, *self.schema.notices)

    def poll(self) -> Change:
        """Return what others changed since the last call, and reopen the file when it was migrated or replaced.

        Raises `StoreUnavailable` while it is locked or gone, and `MldeckError` while it is damaged; the store stays usable
        and recovers with a later call.
        """
        with self._watching:
            if self._is_closed:
                return Change.NOTHING
            try:
                change = self._watcher.poll()
                self._locked_since = None
            except sqlite3.DatabaseError as error:
                if is_locked(error):
                    return self._still_locked(error)
                change = Change.FILE
            if change is Change.GONE:
                raise StoreUnavailable(f"{self.path} is gone")
            if change is Change.FILE:
                self._reopen_after_change()
            return change

    def _still_locked(self, error: sqlite3.DatabaseError) -> Change:
        """Report a lock only when it has been held for longer than the patience."""
        now = time.monotonic()
        self._locked_since = self._locked_since or now
        if now - self._locked_since < self._patience_s:
            return Change.NOTHING
        raise StoreLocked(f"{self.path} is locked by another program") from error

    def writer(self) -> SqliteWriter:
        """Return a writer of the file that is open now."""
        return SqliteWriter(self._database)

    def give_up(self) -> None:
        """Stop waiting for locks in all threads, because the app is closing."""
        self._gave_up.set()

    def reopen(self) -> None:
        """Open the file that is there now; when that fails, the store keeps what it had."""
        self._reopen(None)

    def _reopen_after_change(self) -> None:
        """Reopen the file that others changed.

        Refused while a table is missing, because a migration may be rebuilding it, unless another file took its place.
        """
        self._reopen(None if self._watcher.is_replaced else self.schema)

    def _reopen(self, before: Schema | None) -> None:
        with self._watching:
            if self._is_closed:
                return
            database, reader, watcher = self._database, self._reader, self._watcher
            self._open(before)
            watcher.close()
            reader.close()
            database.discard()

    def close(self) -> None:
        """Close all connections; reads that are running in other threads continue to their end."""
        with self._watching:
            self._is_closed = True
            self._watcher.close()
            self._reader.close()
            self._database.discard()
            self._database.tidy()

    def read(
        self,
        function: Callable[Concatenate[Connection, Schema, _P], _Result],
        interrupt: Interrupt | None,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _Result:
        """Return `function(connection, schema, ...)`, waiting up to the patience while the database is locked.

        Raises what `SqliteReader.reading` raises.
        """

        def read() -> _Result:
            try:
                with self._reader.reading(interrupt) as connection:
                    return function(connection, self.schema, *args, **kwargs)
            except StoreChanged:
                self._reopen_after_change()
                raise

        return self._patiently(read, interrupt)

    def _patiently(self, read: Callable[[], _Result], interrupt: Interrupt | None) -> _Result:
        """Retry while it is locked or was changed meanwhile, until the patience ends or the interrupt is fired."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return read()
            except (StoreLocked, StoreChanged):
                if time.monotonic() >= deadline or self._gave_up.is_set():
                    raise
                if interrupt is not None:
                    interrupt.check()


def _watcher(database: DatabaseFile) -> ChangeWatcher:
    try:
        return ChangeWatcher(database)
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{database.path} cannot be watched now: {error}") from error
