"""Opening a database file: the least intrusive way that works, its notices, and what is refused."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mldeck.errors import MldeckError, StoreUnavailable, UsageError
from mldeck.model import View
from mldeck.store.sqlite.files import check_database, open_database
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.privileges import without_root_powers

CopyOf = Callable[[str], FixtureStore]

# Changes every row and spills pages from its tiny cache into the file before it commits: when killed, it leaves a hot journal.
CRASHING_WRITER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 2")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE runs SET status = 'KILLED', user_id = 'nobody'")
connection.execute("UPDATE metrics SET value = value + 1")
connection.execute("UPDATE params SET value = value || '!'")
print("written", flush=True)
time.sleep(60)
"""

LOCKING_WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def db(store_copy: CopyOf) -> Path:
    return store_copy("mlflow-2.9.2").db


@pytest.fixture
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for private copies during the test, in which one left behind is seen."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def crash_a_writer(path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", CRASHING_WRITER, str(path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert Path(f"{path}-journal").stat().st_size > 512, "the writer left no journal: nothing is tested"


@contextmanager
def locked_by_another_process(path: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", LOCKING_WRITER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        yield
    finally:
        process.communicate()


@contextmanager
def write_ahead(path: Path) -> Iterator[sqlite3.Connection]:
    """Switch to WAL mode and keep a writer open, so that its log stays beside the database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        assert writer.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        yield writer


def statuses(store: Store) -> set[str]:
    with store._backend.reading() as connection:
        return {row[0] for row in connection.exec_driver_sql("SELECT status FROM runs").all()}


def files_beside(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}


def test_an_ordinary_database_is_opened_in_place_and_can_be_written(db: Path) -> None:
    opened = open_database(db, read_only=False)
    assert (opened.read_path, opened.is_snapshot) == (db, False)
    assert (opened.read_only_reason, opened.notice) == (None, None)


def test_reading_changes_no_file_and_creates_none(db: Path) -> None:
    before = files_beside(db)
    check_database(db)
    with closing(Store(db)) as store:
        assert store.experiments(View.ALL)
        assert store.run_counts()
        store.poll()
    assert files_beside(db) == before


def test_opening_read_only(db: Path) -> None:
    with closing(Store(db, read_only=True)) as store:
        assert store.read_only_reason == "opened with --read-only"
        assert store.notices == ()


def test_browsing_connections_cannot_write(db: Path) -> None:
    with (
        closing(open_database(db, read_only=False).connect()) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM runs")


def test_a_file_without_write_permission(db: Path) -> None:
    db.chmod(0o444)
    with without_root_powers(), closing(Store(db)) as store:
        assert store.read_only_reason == "the file cannot be written to"
        assert store.notices == ("read-only: the file cannot be written to",)
        assert store.reading_notices == ()
        assert len(store.experiments(View.ALL)) == 9


def test_a_folder_without_write_permission(db: Path) -> None:
    db.parent.chmod(0o555)
    with without_root_powers(), closing(Store(db)) as store:
        assert store.read_only_reason == "its folder cannot be written to"
        assert store.notices == ("read-only: its folder cannot be written to",)
        assert store.reading_notices == ()
        assert len(store.experiments(View.ALL)) == 9


class TestWriteAheadLog:
    def test_without_a_writer(self, db: Path) -> None:
        with write_ahead(db):
            pass
        with closing(Store(db)) as store:
            assert (store.read_only_reason, store.notices) == (None, ())
            assert len(store.experiments(View.ALL)) == 9

    def test_a_commit_that_is_only_in_the_log_is_seen(self, db: Path) -> None:
        with write_ahead(db) as writer:
            writer.execute("UPDATE runs SET status = 'FAILED'")
            assert Path(f"{db}-wal").stat().st_size > 0
            check_database(db)
            with closing(Store(db)) as store:
                assert statuses(store) == {"FAILED"}
                assert (store.read_only_reason, store.notices) == (None, ())

    def test_in_a_folder_without_write_permission(self, db: Path) -> None:
        with write_ahead(db):
            pass
        db.parent.chmod(0o555)
        before = files_beside(db)
        with without_root_powers():
            check_database(db)
            with closing(Store(db)) as store:
                assert len(store.experiments(View.ALL)) == 9
                assert store.read_only_reason == "its folder cannot be written to"
                assert any("write-ahead log" in notice for notice in store.notices)
        assert files_beside(db) == before

    def test_with_a_live_writer_in_a_folder_without_write_permission(self, db: Path, temporary_files: Path) -> None:
        with write_ahead(db) as writer:
            writer.execute("UPDATE runs SET status = 'FAILED'")
            db.parent.chmod(0o555)
            with without_root_powers(), closing(Store(db)) as store:
                assert statuses(store) == {"FAILED"}
            db.parent.chmod(0o755)
        assert list(temporary_files.iterdir()) == []

    def test_a_log_left_behind_in_a_folder_without_write_permission(self, db: Path, temporary_files: Path) -> None:
        copy = db.parent / "left"
        copy.mkdir()
        with write_ahead(db) as writer:
            writer.execute("UPDATE runs SET status = 'FAILED'")
            for suffix in ("", "-wal"):
                (copy / f"mlflow.db{suffix}").write_bytes(Path(f"{db}{suffix}").read_bytes())
        copy.chmod(0o555)
        before = files_beside(copy / "mlflow.db")
        with without_root_powers(), closing(Store(copy / "mlflow.db")) as store:
            assert statuses(store) == {"FAILED"}
            assert store.read_only_reason == "its folder cannot be written to"
            (notice,) = store.reading_notices
            assert "has a write-ahead log that cannot be read in place: shown from a copy" in notice
        assert files_beside(copy / "mlflow.db") == before
        assert list(temporary_files.iterdir()) == []


class TestHotJournal:
    """A writer was killed half-way: the file has some of its changes, the journal the old content."""

    @pytest.fixture
    def before(self, db: Path) -> set[str]:
        with closing(sqlite3.connect(db)) as connection:
            return {row[0] for row in connection.execute("SELECT status FROM runs")}

    def test_it_is_rolled_back_as_mlflow_would(self, db: Path, before: set[str]) -> None:
        crash_a_writer(db)
        with closing(Store(db)) as store:
            assert statuses(store) == before
            assert (store.read_only_reason, store.notices) == (None, ())
        assert not Path(f"{db}-journal").exists()

    def test_checking_the_database_leaves_it_alone(self, db: Path) -> None:
        crash_a_writer(db)
        untouched = files_beside(db)
        check_database(db)
        assert files_beside(db) == untouched

    def test_read_only_reads_a_copy_and_touches_nothing(
        self, db: Path, before: set[str], temporary_files: Path
    ) -> None:
        crash_a_writer(db)
        untouched = files_beside(db)
        with closing(Store(db, read_only=True)) as store:
            assert statuses(store) == before
            assert store.read_only_reason == "opened with --read-only"
            assert "shown from a copy made at" in store.notices[0]
            assert len(list(temporary_files.iterdir())) == 1
        assert files_beside(db) == untouched
        assert list(temporary_files.iterdir()) == []

    def test_in_a_folder_without_write_permission(self, db: Path, before: set[str], temporary_files: Path) -> None:
        crash_a_writer(db)
        untouched = files_beside(db)
        db.parent.chmod(0o555)
        with without_root_powers(), closing(Store(db)) as store:
            assert statuses(store) == before
            assert store.read_only_reason == "its folder cannot be written to"
            assert "shown from a copy made at" in store.notices[0]
        assert files_beside(db) == untouched
        assert list(temporary_files.iterdir()) == []

    def test_the_copy_is_removed_when_opening_fails(self, db: Path, temporary_files: Path) -> None:
        crash_a_writer(db)
        with closing(sqlite3.connect(db)) as connection:
            connection.execute("DROP TABLE alembic_version")
        crash_a_writer(db)
        with pytest.raises(MldeckError):
            Store(db, read_only=True)
        assert list(temporary_files.iterdir()) == []

    def test_the_copy_is_renewed_when_the_file_changes(self, db: Path, before: set[str], temporary_files: Path) -> None:
        crash_a_writer(db)
        with closing(Store(db, read_only=True)) as store:
            with closing(sqlite3.connect(db)) as writer, writer:
                writer.execute("UPDATE runs SET status = 'SCHEDULED'")
            store.poll()
            assert statuses(store) == {"SCHEDULED"}
            assert store.notices == ()
            assert list(temporary_files.iterdir()) == []


class TestLocked:
    def test_a_locked_file_is_unavailable_not_refused(self, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with locked_by_another_process(db):
            with pytest.raises(StoreUnavailable, match="is locked by another program"):
                open_database(db, read_only=False)
            check_database(db)  # it cannot be judged before the lock is released
        check_database(db)
        open_database(db, read_only=False)

    def test_an_open_store_recovers_when_the_lock_is_gone(self, db: Path) -> None:
        with closing(Store(db)) as store:
            with locked_by_another_process(db), pytest.raises(StoreUnavailable, match="is locked by another program"):
                store.experiments(View.ALL)
            assert len(store.experiments(View.ALL)) == 9


class TestRefused:
    """Each message names the file and says what is wrong with it."""

    def refusal(self, path: Path) -> str:
        with pytest.raises(UsageError) as caught:
            check_database(path)
        message = str(caught.value)
        assert str(path) in message
        assert "\n" not in message
        return message

    def test_a_missing_file(self, tmp_path: Path) -> None:
        message = self.refusal(tmp_path / "missing.db")
        assert message.startswith("no such file")
        assert "mldeck demo" in message

    def test_below_a_file(self, db: Path) -> None:
        assert self.refusal(db / "mlflow.db").startswith("no such file")

    def test_a_name_too_long(self, tmp_path: Path) -> None:
        assert "File name too long" in self.refusal(tmp_path / ("x" * 300))

    def test_a_link_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        assert "cannot be read" in self.refusal(tmp_path / "loop")

    def test_a_folder(self, tmp_path: Path) -> None:
        assert "is a folder without an mlflow.db; give the path" in self.refusal(tmp_path)

    def test_the_folder_of_a_database(self, db: Path) -> None:
        assert f"did you mean {db}?" in self.refusal(db.parent)

    def test_a_folder_that_cannot_be_listed(self, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0)
        with without_root_powers():
            self.refusal(tmp_path / "closed")
            assert "no permission" in self.refusal(tmp_path / "closed" / "mlflow.db")

    def test_a_named_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert "is not a file" in self.refusal(tmp_path / "pipe")

    def test_an_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "empty.db").touch()
        assert "is empty" in self.refusal(tmp_path / "empty.db")

    @pytest.mark.parametrize("content", [b"x", b"SQLite format 4\x00", b"id,name\n1,a\n" * 50])
    def test_not_sqlite(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "data").write_bytes(content)
        assert "is not a SQLite database" in self.refusal(tmp_path / "data")

    def test_no_permission(self, db: Path) -> None:
        db.chmod(0)
        with without_root_powers():
            assert "no permission to read" in self.refusal(db)

    def test_another_kind_of_database_names_the_missing_tables(self, tmp_path: Path) -> None:
        path = tmp_path / "places.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE runs (id)")
        message = self.refusal(path)
        assert message.endswith("it has no table alembic_version, experiments, metrics, params, tags")

    def test_only_a_header(self, tmp_path: Path) -> None:
        (tmp_path / "header.db").write_bytes(b"SQLite format 3\x00")
        self.refusal(tmp_path / "header.db")

    def test_a_damaged_schema(self, db: Path) -> None:
        content = bytearray(db.read_bytes())
        content[100:4096] = b"\xaa" * 3996
        db.write_bytes(content)
        assert "is damaged" in self.refusal(db)

    def test_truncated_within_the_first_page(self, db: Path) -> None:
        os.truncate(db, 1000)
        self.refusal(db)


def test_reading_a_truncated_database_reports_the_damage(db: Path) -> None:
    def read_all() -> None:
        with closing(Store(db)) as store:
            store.experiments(View.ALL)
            store.run_counts()

    os.truncate(db, 40960)
    with pytest.raises(MldeckError, match="malformed") as caught:
        read_all()
    assert str(db) in str(caught.value)


def test_a_damaged_page_affects_only_its_own_rows(store_copy: CopyOf) -> None:
    fixture = store_copy("mlflow-2.9.2")
    with closing(sqlite3.connect(fixture.db)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'params'").fetchone()
    content = bytearray(fixture.db.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xaa" * 4096
    fixture.db.write_bytes(content)
    check_database(fixture.db)
    with closing(Store(fixture.db)) as store:
        assert len(store.experiments(View.ALL)) == 9
        with pytest.raises(MldeckError, match="cannot be read: database disk image is malformed"):
            store.run_details(fixture.run("logreg"))


@pytest.mark.parametrize(
    "name", ["with space.db", "50%.db", "%20.db", "ünï ☃ 中.db", "what?.db", "no#1.db", "a&mode=rw.db", "quo'te\".db"]
)
def test_any_file_name_works(db: Path, name: str) -> None:
    path = db.rename(db.parent / name)
    check_database(path)
    with closing(Store(path)) as store:
        assert len(store.experiments(View.ALL)) == 9
    assert {file.name for file in path.parent.glob("*.db*")} == {name}


def test_a_file_name_that_is_not_text(db: Path) -> None:
    path = db.rename(db.parent / os.fsdecode(b"caf\xe9.db"))
    with closing(Store(path)) as store:
        assert len(store.experiments(View.ALL)) == 9


def test_a_link_is_followed(db: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(db)
    check_database(link)
    with closing(Store(link)) as store:
        assert len(store.experiments(View.ALL)) == 9
