"""Files on another machine: what is refused, what is followed, and that their folder stays as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mldeck.errors import MldeckError, StoreLocked, StoreUnavailable, StoreUnmade, UsageError
from mldeck.model import View
from mldeck.store.backend import Change
from mldeck.store.ssh.line import LOCK_WAIT_S
from tests.far_hosts import FarStore, far_file, far_store, line_to
from tests.fixture_stores import FixtureStore
from tests.privileges import drop_root_powers_before_exec
from tests.store.test_files import crash_a_writer, files_beside, locked_by_another_process, write_ahead

CopyOf = Callable[[str], FixtureStore]

RENAME = "UPDATE experiments SET name = 'changed' WHERE experiment_id = 0"
LONGEST_WAIT_S = 20.0
PUSHED_WITHIN_S = 0.5


@pytest.fixture
def store(db: Path) -> Iterator[FarStore]:
    with far_store(db) as opened:
        yield opened


def refusal(path: Path | str, lock_wait_s: float = LOCK_WAIT_S) -> UsageError:
    with line_to(far_file(path), lock_wait_s=lock_wait_s) as line, pytest.raises(UsageError) as caught:
        line.hello()
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("elsewhere: ")
    return caught.value


def change(db: Path, *statements: str) -> None:
    with closing(sqlite3.connect(db)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def outcomes(store: FarStore) -> Iterator[Change | MldeckError]:
    """Yield what the next polls return or raise, except that nothing changed."""
    deadline = time.monotonic() + LONGEST_WAIT_S
    while time.monotonic() < deadline:
        try:
            if (found := store.poll()) is not Change.NOTHING:
                yield found
        except MldeckError as error:
            yield error
        time.sleep(0.01)
    raise AssertionError("it never happened")


def next_change(store: FarStore) -> Change:
    """Poll until something changed; errors are passed on."""
    found = next(outcomes(store))
    if isinstance(found, MldeckError):
        raise found
    return found


def next_error(store: FarStore) -> MldeckError:
    """Poll until there is an error, whatever changes come before."""
    return next(found for found in outcomes(store) if isinstance(found, MldeckError))


def recovered(store: FarStore) -> Change:
    """Poll until there is a change, whatever errors come before."""
    return next(found for found in outcomes(store) if isinstance(found, Change))


def names(store: FarStore) -> set[str]:
    return {experiment.name for experiment in store.experiments(View.ALL)}


class TestRefused:
    def test_a_missing_file(self, tmp_path: Path) -> None:
        error = refusal(tmp_path / "absent.db")
        assert isinstance(error, StoreUnmade)
        assert str(error) == f"elsewhere: no such file: {tmp_path}/absent.db"

    def test_a_folder(self, tmp_path: Path) -> None:
        assert str(refusal(tmp_path)) == f"elsewhere: {tmp_path} is a folder without an mlflow.db"

    def test_a_named_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert str(refusal(tmp_path / "pipe")).endswith("pipe is not a file")

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "empty.db").touch()
        assert "is empty: MLflow has not written anything to it yet" in str(refusal(tmp_path / "empty.db"))

    def test_not_sqlite(self, tmp_path: Path) -> None:
        (tmp_path / "text.db").write_text("some text that is no database")
        assert str(refusal(tmp_path / "text.db")).endswith("text.db is not a SQLite database")

    def test_another_kind_of_database(self, tmp_path: Path) -> None:
        change(tmp_path / "other.db", "CREATE TABLE runs (id INTEGER)")
        error = refusal(tmp_path / "other.db")
        assert "but not an MLflow tracking database: it has no table alembic_version, experiments" in str(error)
        assert isinstance(error, StoreUnmade)

    def test_a_database_of_something_else(self, tmp_path: Path) -> None:
        change(tmp_path / "other.db", "CREATE TABLE songs (id INTEGER)")
        assert not isinstance(refusal(tmp_path / "other.db"), StoreUnmade)

    def test_a_damaged_schema(self, db: Path) -> None:
        content = bytearray(db.read_bytes())
        content[100:4096] = os.urandom(3996)
        db.write_bytes(bytes(content))
        assert "is damaged" in str(refusal(db))

    def test_no_permission(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        db.chmod(0)
        with without_powers_over_there(monkeypatch):
            assert str(refusal(db)) == f"elsewhere: no permission to read {db}"

    def test_locked_for_long(self, db: Path) -> None:
        with locked_by_another_process(db):
            error = refusal(db, lock_wait_s=0.5)
        assert str(error) == f"elsewhere: {db} is locked by another program, for 0.5 s now"

    def test_a_pipe_in_the_place_of_the_log(self, db: Path) -> None:
        os.mkfifo(f"{db}-journal")
        assert "mlflow.db-journal is no ordinary file" in str(refusal(db))

    def test_a_journal_that_names_another_file(self, db: Path) -> None:
        Path(f"{db}-journal").write_bytes(b"x" * 600 + bytes.fromhex("d9d505f920a163d7"))
        assert "names another file, which SQLite would delete" in str(refusal(db))

    def test_what_a_crashed_writer_left(self, db: Path) -> None:
        crash_a_writer(db)
        untouched = files_beside(db)
        assert "was left unfinished by a crashed writer, and mldeck only reads there" in str(refusal(db))
        assert files_beside(db) == untouched

    def test_a_log_without_its_writer(self, db: Path, tmp_path: Path) -> None:
        copy = tmp_path / "left"
        copy.mkdir()
        with write_ahead(db) as writer:
            writer.execute(RENAME)
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{db}{suffix}", copy / f"mlflow.db{suffix}")
        untouched = files_beside(copy / "mlflow.db")
        assert "has a write-ahead log of a crashed program" in str(refusal(copy / "mlflow.db"))
        assert files_beside(copy / "mlflow.db") == untouched


@contextmanager
def without_powers_over_there(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the far end obey file modes, also where tests run as root."""
    import subprocess

    start = subprocess.Popen

    class Ordinary(start):  # type: ignore[misc,valid-type]
        def __init__(self, *words: object, **options: object) -> None:
            super().__init__(*words, preexec_fn=drop_root_powers_before_exec, **options)

    with monkeypatch.context() as patched:
        patched.setattr("mldeck.store.ssh.channel.subprocess.Popen", Ordinary)
        yield


class TestOpened:
    def test_a_folder_stands_for_the_database_in_it(self, db: Path) -> None:
        with line_to(far_file(db.parent)) as line:
            assert line.hello().path == str(db)

    def test_a_path_without_a_slash_begins_in_the_home_folder(self, db: Path, isolated: Path) -> None:
        shutil.copyfile(db, isolated / "mine.db")
        for path in ("mine.db", "~/mine.db"):
            with line_to(far_file(path)) as line:
                assert line.hello().path == str(isolated / "mine.db")

    @pytest.mark.parametrize("name", ["a b'c\"$d;e.db", "ü?#%41.db", "-rf.db", "line\nbreak.db"])
    def test_any_name_works(self, db: Path, name: str) -> None:
        with far_store(db.rename(db.with_name(name))) as store:
            assert len(names(store)) == 9

    def test_a_link_is_followed(self, db: Path, tmp_path: Path) -> None:
        link = tmp_path / "link.db"
        link.symlink_to(db)
        with far_store(link) as store:
            assert len(names(store)) == 9

    def test_what_the_far_end_says(self, db: Path) -> None:
        with line_to(db) as line:
            hello = line.hello()
        assert hello.path == str(db)
        assert hello.read_only_reason is None
        assert hello.sqlite == sqlite3.sqlite_version_info

    def test_whether_it_could_be_written(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        db.chmod(0o444)
        with without_powers_over_there(monkeypatch), line_to(db) as line:
            assert line.hello().read_only_reason == "the file cannot be written to"

    def test_it_is_read_only(self, store: FarStore) -> None:
        assert store.read_only_reason == "it is on another machine; --write allows changes"
        with pytest.raises(MldeckError, match="cannot be changed: it is on another machine; --write allows changes"):
            store.writer().check_writable()
        with pytest.raises(MldeckError, match="cannot be changed"), store.writer().writing():
            pass
        with store._backend.reading() as connection, pytest.raises(Exception, match="readonly database"):
            connection.exec_driver_sql("DELETE FROM runs")

    def test_reading_changes_no_file_and_creates_none(self, db: Path) -> None:
        before = files_beside(db)
        with far_store(db) as store:
            assert names(store)
            store.poll()
        assert files_beside(db) == before

    def test_no_read_blocks_a_writer(self, store: FarStore, db: Path) -> None:
        names(store)
        change(db, RENAME)
        assert "changed" in names(store)


class TestFollowed:
    def test_a_commit_is_told_unasked(self, store: FarStore, db: Path) -> None:
        received = store.line.traffic.received_bytes
        time.sleep(0.6)
        assert store.line.traffic.received_bytes == received, "an idle line costs nothing"
        requests = store.line.traffic.requests
        started = time.monotonic()
        change(db, RENAME)
        assert next_change(store) is Change.DATA
        assert time.monotonic() - started < PUSHED_WITHIN_S + 2, "the machine may be busy"
        assert store.line.traffic.requests == requests
        assert store.poll() is Change.NOTHING
        assert "changed" in names(store)

    def test_a_migration(self, store: FarStore, db: Path) -> None:
        change(db, "ALTER TABLE experiments RENAME COLUMN creation_time TO once_called_creation_time")
        with pytest.raises(StoreUnavailable, match="was changed by another MLflow"):
            store.experiments(View.ALL)
        assert next_change(store) is Change.FILE
        assert {experiment.creation_time for experiment in store.experiments(View.ALL)} == {None}
        assert store.poll() is Change.NOTHING

    def test_a_migration_that_cannot_be_followed_yet(self, store: FarStore, db: Path) -> None:
        change(db, "ALTER TABLE alembic_version RENAME TO elsewhere")
        for _ in range(2):
            assert isinstance(next_error(store), StoreUnavailable)
        change(db, "ALTER TABLE elsewhere RENAME TO alembic_version")
        assert recovered(store) is Change.FILE
        assert len(names(store)) == 9

    def test_another_file_takes_its_place(self, store: FarStore, db: Path, store_copy: CopyOf) -> None:
        other = store_copy("mlflow-3.17.2").db
        change(other, RENAME)
        other.replace(db)
        assert next_change(store) is Change.FILE
        assert "changed" in names(store)

    def test_gone_and_back(self, store: FarStore, db: Path) -> None:
        away = db.rename(db.with_name("away.db"))
        assert "is gone" in str(next_error(store))
        shutil.copyfile(away, db)
        change(db, RENAME)
        assert recovered(store) is Change.FILE
        assert "changed" in names(store)

    def test_locked_and_free_again(self, store: FarStore, db: Path) -> None:
        with locked_by_another_process(db):
            with pytest.raises(StoreLocked, match=r"ssh://elsewhere/.*mlflow\.db is locked by another program"):
                names(store)
            assert isinstance(next_error(store), StoreLocked)
        assert len(names(store)) == 9
        deadline = time.monotonic() + LONGEST_WAIT_S
        while time.monotonic() < deadline:
            try:
                assert store.poll() is Change.NOTHING
                break
            except StoreLocked:
                time.sleep(0.05)


class TestWriteAheadLog:
    def test_without_a_writer_nothing_is_created(self, db: Path) -> None:
        with write_ahead(db):
            pass
        before = files_beside(db)
        with far_store(db) as store:
            assert len(names(store)) == 9
            time.sleep(0.5)
            assert store.poll() is Change.NOTHING
            assert files_beside(db) == before
        assert files_beside(db) == before

    def test_a_writer_comes_and_goes(self, db: Path) -> None:
        with write_ahead(db):
            pass
        with far_store(db) as store:
            assert len(names(store)) == 9
            with write_ahead(db) as writer:
                writer.execute(RENAME)
                assert recovered(store) is Change.FILE
                assert "changed" in names(store)
                writer.execute("UPDATE experiments SET name = 'again' WHERE experiment_id = 0")
                assert next_change(store) is Change.DATA
                assert "again" in names(store)
                writer.execute("ALTER TABLE experiments RENAME COLUMN creation_time TO once_called_creation_time")
                assert recovered(store) is Change.FILE
                assert {experiment.creation_time for experiment in store.experiments(View.ALL)} == {None}
            assert sorted(file.name for file in db.parent.glob("mlflow.db*")) == ["mlflow.db"]
            assert recovered(store) is Change.FILE
            assert "again" in names(store)
        assert sorted(file.name for file in db.parent.glob("mlflow.db*")) == ["mlflow.db"]

    def test_a_read_during_a_commit_is_not_trusted(self, db: Path) -> None:
        """The store opens the file again and reads once more, without anybody noticing."""
        with write_ahead(db):
            pass
        with far_store(db) as store, write_ahead(db) as writer:
            assert len(names(store)) == 9
            writer.execute(RENAME)
            assert "changed" in names(store)

    def test_a_database_that_changes_its_mode(self, store: FarStore, db: Path) -> None:
        assert len(names(store)) == 9
        with write_ahead(db) as writer:
            writer.execute(RENAME)
            assert "changed" in names(store)
        assert sorted(file.name for file in db.parent.glob("mlflow.db*")) == ["mlflow.db"]
        assert recovered(store) is Change.FILE
        assert "changed" in names(store)
        assert sorted(file.name for file in db.parent.glob("mlflow.db*")) == ["mlflow.db"]
