"""Tests that make a SQLite store run on servers: the rows of each store that they open are copied into a database there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from mldeck.store.address import Address, read_address
from mldeck.store.backend import Backend
from mldeck.store.connect import open_backend
from mldeck.store.interrupt import Interrupt
from tests.servers.databases import Database, Databases


class MirroredBackend:
    """A server's backend that reads what is in a SQLite file: after each change the rows are copied again."""

    def __init__(self, backend: Backend, database: Database, db: Path, give_back: Callable[[Database], None]) -> None:
        self._backend = backend
        self._database = database
        self._db = db
        self._give_back = give_back
        self._watch = sqlite3.connect(db, check_same_thread=False)
        self._version = self._data_version()

    def _data_version(self) -> int:
        return int(self._watch.execute("PRAGMA data_version").fetchone()[0])

    def reading(self, interrupt: Interrupt | None = None) -> AbstractContextManager[Connection]:
        before, self._version = self._version, self._data_version()
        if self._version != before:
            self._database.fill(self._db)
        return self._backend.reading(interrupt)

    def close(self) -> None:
        self._watch.close()
        self._backend.close()
        self._give_back(self._database)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


def opening_on(databases: Databases) -> Callable[..., Backend]:
    """Return what takes the place of `open_backend`: it opens copies of SQLite files."""

    def open_copy(address: Address, **options: Any) -> Backend:
        if not isinstance(address, Path):
            return open_backend(address, **options)
        database = databases.take(address)
        backend = open_backend(read_address(database.url), **options)
        return MirroredBackend(backend, database, address, databases.give_back)

    return open_copy
