"""Detecting changes of a database file without querying it. Standard library only."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mldeck.store.backend import Change
from mldeck.store.sqlite.files import DatabaseFile, check_side_files, file_state


class ChangeWatcher:
    """Polls one idle connection, whose `PRAGMA data_version` changes exactly when another connection commits.

    An idle connection holds no lock (DATABASE.md#sharing-the-file). Only one thread may poll at a time.
    """

    def __init__(self, database: DatabaseFile) -> None:
        self._database = database
        self._identity = _identity(database.path)
        self._state = database.quiet_state or file_state(database.path)
        self._connection = database.connect()
        self._data_version = self._pragma("data_version")
        self._schema_version = self._pragma("schema_version")

    def poll(self) -> Change:
        """Return what changed since the last poll.

        Raises `sqlite3.DatabaseError` or `MldeckError` while the database is locked or damaged; poll again later.
        """
        check_side_files(self._database.path)
        identity = _identity(self._database.path)
        if identity is None:
            return Change.GONE
        if identity != self._identity:
            return Change.FILE
        if self._database.is_snapshot:
            return Change.FILE if file_state(self._database.path) != self._state else Change.NOTHING
        data_version = self._pragma("data_version")
        if data_version == self._data_version:
            return Change.NOTHING
        if self._pragma("schema_version") != self._schema_version:
            return Change.FILE  # reported by every poll until the database was opened again
        self._data_version = data_version
        return Change.DATA

    @property
    def is_replaced(self) -> bool:
        """Whether the path now names another file than the one that was opened."""
        return _identity(self._database.path) != self._identity

    def close(self) -> None:
        self._connection.close()

    def _pragma(self, name: str) -> int:
        row = self._connection.execute(f"PRAGMA {name}").fetchone()
        if row is None:
            raise sqlite3.OperationalError(f"no answer to PRAGMA {name}")
        return int(row[0])


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode, which tell a file from another one of the same name; None when there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
