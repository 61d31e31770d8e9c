"""What tests look at inside an opened store: the statements that it sends, and the file behind it."""

from __future__ import annotations

from sqlalchemy import Engine

from mldeck.store.opened import OpenedStore
from mldeck.store.sqlite.backend import SqliteBackend
from mldeck.store.sqlite.files import DatabaseFile


def engine_of(store: OpenedStore) -> Engine:
    with store._backend.reading() as connection:
        return connection.engine


def file_of(store: OpenedStore) -> DatabaseFile:
    assert isinstance(store._backend, SqliteBackend)
    return store._backend._database
