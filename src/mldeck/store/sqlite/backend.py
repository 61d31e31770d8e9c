"""A SQLite file on this machine, as the database of a store."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection

from mldeck.errors import StoreLocked, StoreUnavailable
from mldeck.store.backend import Change
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import read_schema
from mldeck.store.sqlite.files import is_locked, open_database
from mldeck.store.sqlite.reader import SqliteReader
from mldeck.store.sqlite.watch import ChangeWatcher
from mldeck.store.sqlite.writer import SqliteWriter


class SqliteBackend:
    """An open file. See `Backend`, which this is."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self._database = open_database(path, read_only=read_only)
        self._reader = SqliteReader(self._database)
        try:
            self._watcher = ChangeWatcher(self._database)
        except BaseException as error:
            self._reader.close()
            self._database.discard()
            if isinstance(error, sqlite3.DatabaseError):
                raise StoreUnavailable(f"{path} cannot be watched now: {error}") from error
            raise

    @property
    def read_only_reason(self) -> str | None:
        return self._database.read_only_reason

    @property
    def is_distant(self) -> bool:
        return False

    @property
    def is_copy(self) -> bool:
        return self._database.is_copy

    @property
    def notice(self) -> str | None:
        return self._database.notice

    @property
    def is_replaced(self) -> bool:
        return self._watcher.is_replaced

    def read_schema(self) -> Schema:
        with self.reading() as connection:
            return read_schema(connection)

    def reading(self, interrupt: Interrupt | None = None) -> AbstractContextManager[Connection]:
        return self._reader.reading(interrupt)

    def poll(self) -> Change:
        try:
            return self._watcher.poll()
        except sqlite3.DatabaseError as error:
            if is_locked(error):
                raise StoreLocked(f"{self._database.path} is locked by another program") from error
            return Change.FILE

    def writer(self) -> SqliteWriter:
        return SqliteWriter(self._database)

    def close(self) -> None:
        self._watcher.close()
        self._reader.close()
        self._database.discard()

    def tidy(self) -> None:
        self._database.tidy()
