"""Detecting all that other programs do to the database, and recovering from it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.errors import MldeckError, StoreUnavailable
from mldeck.model import View
from mldeck.store.backend import Change
from mldeck.store.sqlite.files import open_database
from mldeck.store.sqlite.watch import ChangeWatcher
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore

CopyOf = Callable[[str], FixtureStore]


@pytest.fixture
def fixture(store_copy: CopyOf) -> FixtureStore:
    return store_copy("mlflow-2.9.2")


@pytest.fixture
def db(fixture: FixtureStore) -> Path:
    return fixture.db


@pytest.fixture
def store(db: Path) -> Iterator[Store]:
    with closing(Store(db)) as store:
        yield store


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def experiment_names(store: Store) -> set[str]:
    return {experiment.name for experiment in store.experiments(View.ALL)}


RENAME = "UPDATE experiments SET name = 'changed' WHERE experiment_id = 1"


def test_nothing_changed(store: Store) -> None:
    assert [store.poll() for _ in range(3)] == [Change.NOTHING] * 3


def test_our_own_reads_are_no_change(store: Store) -> None:
    store.experiments(View.ALL)
    store.run_counts()
    assert store.poll() is Change.NOTHING


def test_other_readers_are_no_change(store: Store, db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("SELECT count(*) FROM runs").fetchone()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    assert store.poll() is Change.NOTHING


def test_a_commit_is_seen_once(store: Store, db: Path) -> None:
    change(db, RENAME)
    assert store.poll() is Change.DATA
    assert store.poll() is Change.NOTHING
    assert "changed" in experiment_names(store)


def test_an_open_transaction_is_no_change(store: Store, db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.execute(RENAME)
        assert store.poll() is Change.NOTHING
        connection.commit()
    assert store.poll() is Change.DATA


def test_a_writer_in_wal_mode(store: Store, db: Path) -> None:
    change(db, "PRAGMA journal_mode = WAL")
    store.poll()
    with closing(sqlite3.connect(db, isolation_level=None)) as writer:
        for _ in range(2):
            writer.execute(RENAME)
            assert store.poll() is Change.DATA
            assert store.poll() is Change.NOTHING
        assert "changed" in experiment_names(store)


def test_a_watcher_blocks_no_writer(store: Store, db: Path) -> None:
    store.poll()
    with closing(sqlite3.connect(db, timeout=0, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute(RENAME)
        writer.execute("COMMIT")


def test_replaced_by_another_file(store: Store, db: Path, store_copy: CopyOf) -> None:
    store_copy("mlflow-3.17.2").db.replace(db)
    change(db, RENAME)
    assert store.poll() is Change.FILE
    assert store.poll() is Change.NOTHING
    assert "changed" in experiment_names(store)


def test_overwritten_in_place(store: Store, db: Path, store_copy: CopyOf) -> None:
    """As by `cp`: the file keeps its inode and gets other contents."""
    other = store_copy("mlflow-3.17.2").db
    change(other, RENAME)
    shutil.copyfile(other, db)
    assert store.poll() is Change.FILE
    assert "changed" in experiment_names(store)


def test_migrated_by_a_newer_release(store: Store, fixture: FixtureStore) -> None:
    """A new column is used after the next poll."""
    db = fixture.db
    change(db, "ALTER TABLE experiments RENAME COLUMN creation_time TO once_called_creation_time")
    assert store.poll() is Change.FILE
    assert {experiment.creation_time for experiment in store.experiments(View.ALL)} == {None}
    change(db, "ALTER TABLE experiments RENAME COLUMN once_called_creation_time TO creation_time")
    assert store.poll() is Change.FILE
    assert None not in {experiment.creation_time for experiment in store.experiments(View.ALL)}
    assert store.poll() is Change.NOTHING


def test_a_read_between_a_migration_and_the_next_poll_reports_it(store: Store, db: Path) -> None:
    change(db, "ALTER TABLE experiments RENAME COLUMN creation_time TO once_called_creation_time")
    with pytest.raises(StoreUnavailable, match="was changed by another MLflow"):
        store.experiments(View.ALL)
    store.poll()
    assert len(store.experiments(View.ALL)) == 9


def test_a_migration_that_cannot_be_followed_yet_is_followed_later(store: Store, db: Path) -> None:
    change(db, "ALTER TABLE alembic_version RENAME TO elsewhere")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            store.poll()
    change(db, "ALTER TABLE elsewhere RENAME TO alembic_version")
    assert store.poll() is Change.FILE
    assert len(store.experiments(View.ALL)) == 9


def test_a_migration_that_is_rolled_back_in_the_file(store: Store, db: Path) -> None:
    change(db, "ALTER TABLE experiments RENAME COLUMN creation_time TO once_called_creation_time")
    change(db, "ALTER TABLE alembic_version RENAME TO elsewhere")
    with pytest.raises(StoreUnavailable):
        store.poll()
    change(db, "ALTER TABLE elsewhere RENAME TO alembic_version")
    assert store.poll() is Change.FILE
    assert {experiment.creation_time for experiment in store.experiments(View.ALL)} == {None}


def test_vanished_and_back(store: Store, db: Path) -> None:
    away = db.rename(db.with_name("away.db"))
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="is gone"):
            store.poll()
    shutil.copyfile(away, db)
    change(db, RENAME)
    assert store.poll() is Change.FILE
    assert "changed" in experiment_names(store)


def test_vanished_and_back_as_the_same_file(store: Store, db: Path) -> None:
    away = db.rename(db.with_name("away.db"))
    with pytest.raises(StoreUnavailable, match="is gone"):
        store.poll()
    away.rename(db)
    store.poll()
    change(db, RENAME)
    assert store.poll() is Change.DATA
    assert "changed" in experiment_names(store)


def test_replaced_by_something_else_and_back(store: Store, db: Path, store_copy: CopyOf) -> None:
    """The store remains usable with the old content until there is a database again."""
    rubbish = db.with_name("rubbish")
    rubbish.write_bytes(b"no database" * 1000)
    rubbish.replace(db)
    for _ in range(2):
        with pytest.raises(MldeckError):
            store.poll()
    assert len(experiment_names(store)) == 9
    store_copy("mlflow-3.17.2").db.replace(db)
    assert store.poll() is Change.FILE
    assert len(experiment_names(store)) == 9


def test_overwritten_with_garbage_and_back(store: Store, db: Path, store_copy: CopyOf) -> None:
    good = db.read_bytes()
    db.write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(MldeckError):
            store.poll()
    db.write_bytes(good)
    change(db, RENAME)
    store.poll()
    assert "changed" in experiment_names(store)


def test_emptied_and_filled_again(store: Store, db: Path) -> None:
    good = db.read_bytes()
    os.truncate(db, 0)
    with pytest.raises(MldeckError):
        store.poll()
    db.write_bytes(good)
    change(db, RENAME)
    store.poll()
    assert "changed" in experiment_names(store)


def test_locked_and_free_again(db: Path) -> None:
    """A poll during an exclusive lock fails or waits, and a later one sees the change."""
    database = open_database(db, read_only=False)
    with closing(ChangeWatcher(database)) as watcher, closing(sqlite3.connect(db, isolation_level=None)) as writer:
        watcher._connection.execute("PRAGMA busy_timeout = 10")
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute(RENAME)
        try:
            assert watcher.poll() is Change.NOTHING
        except sqlite3.OperationalError as error:
            assert "locked" in str(error)  # noqa: PT017
        writer.execute("COMMIT")
        assert watcher.poll() is Change.DATA


def test_reopening_on_request(store: Store, db: Path) -> None:
    change(db, RENAME)
    store.reopen()
    assert "changed" in experiment_names(store)
    assert store.poll() is Change.NOTHING


def test_reads_continue_while_it_is_reopened(store: Store, fixture: FixtureStore) -> None:
    """Another thread may be reading."""
    with store._backend.reading() as connection:
        store.reopen()
        assert connection.exec_driver_sql("SELECT count(*) FROM experiments").scalar() == 9
        raw = connection.connection.dbapi_connection
        assert raw is not None
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists the open files there")
def test_a_closed_store_leaves_the_file_alone(db: Path) -> None:
    store = Store(db)
    store.experiments(View.ALL)
    store.close()
    open_files = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert str(db) not in open_files
