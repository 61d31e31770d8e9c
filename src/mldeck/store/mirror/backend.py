"""A mirror, as the database of a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection

from mldeck.errors import MldeckError
from mldeck.store.backend import Change, NoWriter
from mldeck.store.interrupt import Interrupt
from mldeck.store.mirror.mirror import Mirror
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import read_schema
from mldeck.store.sqlite.files import BROWSE_WAIT_S, connect_file
from mldeck.store.sqlite.reader import SqliteReader


class MirrorBackend:
    """An open mirror. See `Backend` and `Mirrored`, which this is."""

    def __init__(self, mirror: Mirror, name: str, read_only_reason: str) -> None:
        """`name` is that of the source, for messages. Waits until the first runs are in the mirror."""
        self._mirror = mirror
        self._name = name
        self._read_only_reason = read_only_reason
        mirror.join()
        try:
            database = _MirrorFile(mirror.wait_for_first(), name)
            self._reader = SqliteReader(database)
            self._watched = database.connect()
            self._data_version = self._pragma_data_version()
        except sqlite3.Error as error:
            mirror.leave()
            raise MldeckError(f"the mirror of {name} cannot be read: {error}") from error
        except BaseException:
            mirror.leave()
            raise

    @property
    def read_only_reason(self) -> str | None:
        return self._read_only_reason

    @property
    def is_distant(self) -> bool:
        return False

    @property
    def is_copy(self) -> bool:
        return False

    @property
    def notice(self) -> str | None:
        return "; ".join(self._mirror.notices) or None

    @property
    def is_replaced(self) -> bool:
        return False

    @property
    def state(self) -> str:
        return self._mirror.state

    def read_schema(self) -> Schema:
        with self.reading() as connection:
            return read_schema(connection)

    def reading(self, interrupt: Interrupt | None = None) -> AbstractContextManager[Connection]:
        return self._reader.reading(interrupt)

    def poll(self) -> Change:
        if self._mirror.failure is not None:
            raise self._mirror.failure
        version = self._pragma_data_version()
        if version == self._data_version:
            return Change.NOTHING
        self._data_version = version
        return Change.DATA

    def _pragma_data_version(self) -> int:
        return int(self._watched.execute("PRAGMA data_version").fetchone()[0])

    def show(self, run_ids: Sequence[str]) -> None:
        self._mirror.show(run_ids)

    def fetch_history(self, run_id: str, key: str, interrupt: Interrupt | None) -> None:
        self._mirror.fetch_history(run_id, key, interrupt)

    def wait_until_complete(self, tell: Callable[[str], None]) -> None:
        self._mirror.wait_until_complete(tell)

    def refresh(self) -> None:
        self._mirror.refresh()

    def writer(self) -> NoWriter:
        return NoWriter(self._name, self._read_only_reason)

    def close(self) -> None:
        self._watched.close()
        self._reader.close()
        self._mirror.leave()

    def tidy(self) -> None:
        """Do nothing: the mirror has tidied up when its last user left."""


class _MirrorFile:
    """The file of a mirror, for the reader."""

    is_gone = False

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.name = name

    def connect(self) -> sqlite3.Connection:
        return connect_file(self._path, "mode=ro", BROWSE_WAIT_S)

    def check_before_reading(self) -> None: ...

    def check_unchanged(self) -> None: ...
