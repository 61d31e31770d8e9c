"""The write transaction: waiting for the lock, cancelling, all or nothing, refusals, and the statements it sends."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mldeck.errors import Interrupted, MldeckError, StoreUnavailable
from mldeck.model import RUN_NAME_TAG
from mldeck.store.edits.changes import RowChange, RowSet
from mldeck.store.edits.db_rows import read_rows, write_rows
from mldeck.store.edits.editor import StoreEditor
from mldeck.store.edits.runs import delete_runs, rename_run
from mldeck.store.interrupt import Interrupt
from mldeck.store.sqlite.files import DatabaseFile, open_database
from mldeck.store.sqlite.writer import LOCK_WAIT_S, SqliteWriter
from tests.fixture_stores import FixtureStore
from tests.many_runs import EXPERIMENT_ID, add_many_runs
from tests.privileges import without_root_powers
from tests.store_rows import all_rows, difference

CopyOf = Callable[[str], FixtureStore]
NEWEST = "mlflow-3.17.2"
FAST_S = 0.3
"""A wait in seconds that a test can afford."""
SOON_S = 5.0
"""Seconds: far more than cancelling takes on a busy machine, far less than the cancelled wait."""


@pytest.fixture
def store(store_copy: CopyOf) -> FixtureStore:
    return store_copy(NEWEST)


def opened(store: FixtureStore, *, read_only: bool = False) -> DatabaseFile:
    return open_database(store.db, read_only=read_only)


def editor_of(database: DatabaseFile, wait_s: float = LOCK_WAIT_S) -> StoreEditor:
    return StoreEditor(SqliteWriter(database, wait_s), database.path.parent)


@contextmanager
def held(path: Path, *statements: str) -> Iterator[sqlite3.Connection]:
    """Hold an open transaction of another connection."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        for statement in statements:
            connection.execute(statement).fetchone()
        yield connection


WRITER = ("BEGIN IMMEDIATE", "UPDATE runs SET user_id = 'them'")
READER = ("BEGIN", "SELECT count(*) FROM runs")


def name_tag(store: FixtureStore) -> str:
    with closing(sqlite3.connect(store.db)) as connection:
        found = connection.execute(
            "SELECT value FROM tags WHERE run_uuid = ? AND key = ?", (store.run("rf5"), RUN_NAME_TAG)
        )
        return str(found.fetchone()[0])


def test_it_waits_as_long_as_mlflow() -> None:
    assert LOCK_WAIT_S == 20.0


@pytest.mark.parametrize("statements", [WRITER, READER], ids=["writer", "reader"])
def test_it_waits_until_the_lock_is_free(statements: tuple[str, ...], store: FixtureStore) -> None:
    """With a rollback journal, a reader blocks only the commit."""
    with held(store.db, *statements) as other:
        timer = threading.Timer(FAST_S, other.execute, ["COMMIT"])
        timer.start()
        started = time.monotonic()
        editor_of(opened(store)).rename_run(store.run("rf5"), "after them")
        assert time.monotonic() - started > FAST_S / 2
        timer.join()
    assert name_tag(store) == "after them"


@pytest.mark.parametrize("statements", [WRITER, READER], ids=["writer", "reader"])
def test_a_lock_that_stays_is_reported_and_nothing_is_changed(statements: tuple[str, ...], store: FixtureStore) -> None:
    before = all_rows(store.db)
    with (
        held(store.db, *statements),
        pytest.raises(StoreUnavailable, match=r"locked by another program for 0\.3 s; nothing was changed"),
    ):
        editor_of(opened(store), FAST_S).rename_run(store.run("rf5"), "never")
    assert difference(before, all_rows(store.db)) == {}
    editor_of(opened(store), FAST_S).rename_run(store.run("rf5"), "now")


@pytest.mark.parametrize("statements", [WRITER, READER], ids=["writer", "reader"])
def test_waiting_can_be_cancelled_at_once(statements: tuple[str, ...], store: FixtureStore) -> None:
    before = all_rows(store.db)
    interrupt = Interrupt()
    with held(store.db, *statements):
        threading.Timer(0.1, interrupt.fire).start()
        started = time.monotonic()
        with pytest.raises(Interrupted, match="nothing was changed"):
            editor_of(opened(store)).rename_run(store.run("rf5"), "never", interrupt)
        assert time.monotonic() - started < SOON_S
    assert difference(before, all_rows(store.db)) == {}


def test_an_edit_cancelled_before_the_commit_is_not_written(store: FixtureStore) -> None:
    before = all_rows(store.db)
    interrupt = Interrupt()

    def half() -> None:
        with SqliteWriter(opened(store)).writing(interrupt) as (connection, schema):
            rename_run(connection, schema, store.run("rf5"), "never")
            interrupt.fire()

    with pytest.raises(Interrupted):
        half()
    with pytest.raises(Interrupted):
        editor_of(opened(store)).rename_run(store.run("rf5"), "never", interrupt)
    assert difference(before, all_rows(store.db)) == {}


def test_a_long_statement_is_interrupted(store: FixtureStore) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    interrupt = Interrupt()
    threading.Timer(0.1, interrupt.fire).start()
    with pytest.raises(Interrupted), SqliteWriter(opened(store)).writing(interrupt) as (connection, _):
        connection.exec_driver_sql(endless)


@pytest.mark.parametrize("error", [RuntimeError("mine"), MldeckError("refused"), KeyboardInterrupt()])
def test_an_error_in_the_middle_changes_nothing(error: BaseException, store: FixtureStore) -> None:
    before = all_rows(store.db)

    def half() -> None:
        with SqliteWriter(opened(store)).writing() as (connection, schema):
            rename_run(connection, schema, store.run("rf5"), "half")
            delete_runs(connection, schema, [store.run("rf10")], 1)
            raise error

    with pytest.raises(type(error)):
        half()
    assert difference(before, all_rows(store.db)) == {}


@pytest.mark.parametrize("table", ["runs", "tags"])
def test_a_database_error_in_the_middle_changes_nothing(table: str, store: FixtureStore) -> None:
    """The second of the two rows of a rename cannot be written."""
    with closing(sqlite3.connect(store.db)) as connection:
        connection.execute(f"CREATE TRIGGER broken BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END")
        connection.commit()
    before = all_rows(store.db)
    with pytest.raises(MldeckError, match="no room; nothing was changed"):
        editor_of(opened(store)).rename_run(store.run("rf5"), "half")
    assert difference(before, all_rows(store.db)) == {}


def test_foreign_keys_are_enforced(store: FixtureStore) -> None:
    orphan = RowSet("tags", ("key", "run_uuid"), ("value",), (RowChange(("k", "0" * 32), None, ("v",)),))
    with (
        pytest.raises(MldeckError, match="FOREIGN KEY constraint failed; nothing was changed"),
        SqliteWriter(opened(store)).writing() as (connection, _),
    ):
        write_rows(connection, [orphan])


def test_many_writers_all_succeed(store: FixtureStore) -> None:
    runs = [store.run(label) for label in ("rf5", "rf10", "rf20", "steps")]
    editor = editor_of(opened(store))

    def tag(number: int) -> None:
        editor.set_run_tag(runs, f"k{number}", str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tag, range(24)))
    with closing(sqlite3.connect(store.db)) as connection:
        found = connection.execute("SELECT count(*) FROM tags WHERE key GLOB 'k[0-9]*'").fetchone()
    assert found == (24 * len(runs),)


def test_an_edit_is_based_on_the_state_when_it_gets_the_lock(store: FixtureStore) -> None:
    """The run is deleted while the edit waits: the edit must see the deletion."""
    with held(store.db, "BEGIN IMMEDIATE", "UPDATE runs SET lifecycle_stage = 'deleted'") as other:
        timer = threading.Timer(0.2, other.execute, ["COMMIT"])
        timer.start()
        with pytest.raises(MldeckError, match="is deleted; restore it first"):
            editor_of(opened(store)).rename_run(store.run("rf5"), "x")
        timer.join()


def test_a_database_migrated_since_it_was_opened(store_copy: CopyOf) -> None:
    store = store_copy("mlflow-1.2.0")
    editor = editor_of(opened(store))
    with closing(sqlite3.connect(store.db)) as connection:
        connection.execute("ALTER TABLE runs ADD COLUMN deleted_time BIGINT")
        connection.commit()
    editor.delete_runs([store.run("rf5")])
    with closing(sqlite3.connect(store.db)) as connection:
        assert connection.execute("SELECT count(*) FROM runs WHERE deleted_time > 0").fetchone() == (1,)


# Refusals


def test_read_only_on_request(store: FixtureStore) -> None:
    with pytest.raises(MldeckError, match=r"mlflow\.db cannot be changed: opened with --read-only"):
        editor_of(opened(store, read_only=True)).rename_run(store.run("rf5"), "x")


@pytest.mark.skipif(os.name != "posix", reason="file modes")
@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("when", ["before", "later"])
def test_read_only_by_file_mode(what: str, when: str, store: FixtureStore) -> None:
    target = store.db if what == "file" else store.path
    mode = stat.S_IMODE(target.stat().st_mode)
    early = opened(store)
    with without_root_powers():
        target.chmod(mode & ~0o222)
        try:
            database = early if when == "later" else opened(store)
            with pytest.raises(MldeckError, match=f"cannot be changed: .*{what} cannot be written to"):
                editor_of(database).rename_run(store.run("rf5"), "x")
        finally:
            target.chmod(mode)


def test_a_missing_file_is_not_created(store: FixtureStore) -> None:
    editor = editor_of(opened(store))
    store.db.unlink()
    with pytest.raises(StoreUnavailable, match="is gone"):
        editor.rename_run("x", "x")
    # Not even when it vanishes between the check and the opening.
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        SqliteWriter(DatabaseFile(store.db, store.db))._connect()
    assert not store.db.exists()


def test_a_newer_mlflow_is_only_read(store: FixtureStore) -> None:
    with closing(sqlite3.connect(store.db)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'fedcba987654'")
        connection.commit()
    before = all_rows(store.db)
    with pytest.raises(MldeckError, match="newer MLflow than this mldeck knows"):
        editor_of(opened(store)).rename_run(store.run("rf5"), "x")
    assert difference(before, all_rows(store.db)) == {}


def test_a_file_that_became_something_else(store: FixtureStore) -> None:
    editor = editor_of(opened(store))
    store.db.write_bytes(b"x" * 5000)
    with pytest.raises(MldeckError, match=r"could not be changed: .*nothing was changed"):
        editor.rename_run(store.run("rf5"), "x")


# The file afterwards, and the statements


def test_write_ahead_log(store: FixtureStore) -> None:
    """In WAL mode a reader does not block, and the mode is kept."""
    with closing(sqlite3.connect(store.db)) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    with held(store.db, *READER):
        edit = editor_of(opened(store), FAST_S).rename_run(store.run("rf5"), "in the log")
    with held(store.db, *WRITER), pytest.raises(StoreUnavailable, match="locked"):
        editor_of(opened(store), FAST_S).undo(edit)
    assert name_tag(store) == "in the log"
    with closing(sqlite3.connect(store.db)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_file_is_left_as_mlflow_keeps_it(store: FixtureStore) -> None:
    with closing(sqlite3.connect(store.db)) as connection:
        before = connection.execute("PRAGMA schema_version").fetchone()
    editor_of(opened(store)).delete_experiments([store.experiment("churn")])
    with closing(sqlite3.connect(store.db)) as connection:
        assert connection.execute("PRAGMA schema_version").fetchone() == before
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert not list(store.path.glob("mlflow.db-*"))


class Recording(SqliteWriter):
    """A writer that records the statements it sends."""

    def __init__(self, database: DatabaseFile) -> None:
        super().__init__(database)
        self.statements: list[str] = []
        event.listen(self._engine, "before_cursor_execute", self._note)

    def _note(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        self.statements.append(statement)


def test_the_number_of_statements_does_not_grow_with_the_runs(store: FixtureStore) -> None:
    counts = []
    for number in (2, 200):
        ids = add_runs(store, number)
        writer = Recording(opened(store))
        with writer.writing() as (connection, schema):
            delete_runs(connection, schema, ids, 1)
        counts.append(len(writer.statements))
    assert counts[0] == counts[1] <= 9


def add_runs(store: FixtureStore, number: int) -> list[str]:
    ids = [f"{number:016x}{index:016x}" for index in range(number)]
    with closing(sqlite3.connect(store.db)) as connection, connection:
        connection.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, status, lifecycle_stage, experiment_id)"
            " VALUES (?, 'many', 'UNKNOWN', 'FINISHED', 'active', 1)",
            [(run_id,) for run_id in ids],
        )
    return ids


def test_tags_are_looked_up_by_the_primary_key(store: FixtureStore) -> None:
    keys = [("stage", run_id) for run_id in add_runs(store, 3)]
    writer = Recording(opened(store))
    with writer.writing() as (connection, _):
        read_rows(connection, "tags", ("key", "run_uuid"), ("value",), keys)
    values = tuple(value for key in keys for value in key)[: writer.statements[-1].count("?")]
    with closing(sqlite3.connect(store.db)) as plain:
        plan = plain.execute(f"EXPLAIN QUERY PLAN {writer.statements[-1]}", values).fetchall()
    assert "(key=? AND run_uuid=?)" in plan[0][3]


def test_twenty_thousand_runs_hold_the_lock_only_briefly(store: FixtureStore) -> None:
    add_many_runs(store.db, 20_000)
    started = time.monotonic()
    edit = editor_of(opened(store)).delete_experiments([EXPERIMENT_ID])
    assert time.monotonic() - started < SOON_S
    assert len(edit.run_ids) == 20_000
    editor_of(opened(store)).undo(edit)
