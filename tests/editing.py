"""Editing a copy of a store in tests, and reading it with plain SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from mldeck.store.backend import Writer
from mldeck.store.edits.editor import StoreEditor
from mldeck.store.sqlite.files import open_database
from mldeck.store.sqlite.writer import LOCK_WAIT_S, SqliteWriter
from tests.fixture_stores import FixtureStore

NOW = 1_900_000_000_000
NEWEST = "mlflow-3.17.2"
OLDEST = "mlflow-1.2.0"


def editor_of(store: FixtureStore, now: int = NOW) -> StoreEditor:
    return StoreEditor(writer_of(store.db), store.db.parent, clock=lambda: now / 1000)


def writer_of(db: Path, *, read_only: bool = False, wait_s: float = LOCK_WAIT_S) -> Writer:
    """Return a writer of the backend that the test is about: see the fixture `backend`."""
    return new_writer(db, read_only, wait_s)


def new_writer(db: Path, read_only: bool, wait_s: float) -> Writer:
    return SqliteWriter(open_database(db, read_only=read_only), wait_s)


def sql(store: FixtureStore, statement: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(store.db)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def has_column(store: FixtureStore, table: str, name: str) -> bool:
    return bool(sql(store, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?", table, name))


def marks_runs(store: FixtureStore) -> bool:
    return has_column(store, "runs", "deleted_time")


def keeps_times(store: FixtureStore) -> bool:
    return has_column(store, "experiments", "last_update_time")
