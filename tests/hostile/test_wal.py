"""A database in WAL mode: reading it leaves the folder as it was, and shows what was committed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from mldeck.errors import MldeckError, StoreUnavailable
from mldeck.model import View
from mldeck.store.backend import Change
from mldeck.store.schema import Schema
from mldeck.store.sqlite.files import _let_sqlite_recover, check_database
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.store_insides import file_of
from tests.terminal.terminal import mldeck

Ask = Callable[..., tuple[int, str, str]]

COMING_AND_GOING = """
import sqlite3, sys
for number in range(10_000):
    connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE runs SET user_id = ?", (str(number),))
    connection.execute("UPDATE experiments SET creation_time = ?", (number,))
    connection.execute("COMMIT")
    connection.close()  # the last one out writes the log into the file, and removes it
    print(number, flush=True)
"""


@pytest.fixture
def db(store_copy: Callable[[str], FixtureStore]) -> Path:
    path = store_copy("mlflow-3.17.2").db
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    assert beside(path) == {path.name}
    return path


def beside(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir() if each.name.startswith(path.name)}


def write(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("read_only", [True, False])
def test_reading_leaves_nothing_behind(db: Path, read_only: bool) -> None:
    before = db.read_bytes()
    check_database(db)
    with closing(Store(db, read_only=read_only)) as store:
        assert store.experiments(View.ALL)
        assert store.poll() is Change.NOTHING
        assert beside(db) == {db.name}
        assert not store.is_copy
        assert store.notices == ()
    assert beside(db) == {db.name}
    assert db.read_bytes() == before


@pytest.mark.parametrize("words", [(), ("--read-only",)], ids=["rw", "ro"])
def test_the_deck_leaves_nothing_behind(db: Path, words: tuple[str, ...]) -> None:
    with mldeck(db, *words) as deck:
        deck.wait_for("live · rw" if not words else "live · read-only")
        deck.press("2", "versions")
        deck.send("q")
        assert deck.wait_exit() == 0
    assert beside(db) == {db.name}


@pytest.mark.parametrize(
    "words", [("runs",), ("experiments",), ("models",), ("runs", "-f", "metrics.auc > 0.5", "--format", "json")]
)
def test_commands_leave_nothing_behind(db: Path, ask: Ask, words: tuple[str, ...]) -> None:
    assert ask(*words, "-s", str(db))[0] == 0
    assert beside(db) == {db.name}


@pytest.mark.parametrize("read_only", [True, False])
def test_what_others_commit_is_seen_without_a_look_at_the_clock(db: Path, read_only: bool) -> None:
    """Neither a poll nor luck is needed: a read makes sure that nobody wrote."""
    with closing(Store(db, read_only=read_only)) as store:
        for name in ("one", "two", "three"):
            write(db, f"UPDATE experiments SET name = '{name}' WHERE experiment_id = 0")
            assert name in {each.name for each in store.experiments(View.ALL)}
        assert beside(db) == {db.name}


def test_a_writer_that_stays_is_followed(db: Path) -> None:
    with closing(Store(db)) as store:
        with closing(sqlite3.connect(db, isolation_level=None)) as writer:
            writer.execute("UPDATE experiments SET name = 'one' WHERE experiment_id = 0")
            assert Path(f"{db}-wal").stat().st_size > 0
            assert store.poll() is Change.FILE
            assert "one" in {each.name for each in store.experiments(View.ALL)}
            writer.execute("UPDATE experiments SET name = 'two' WHERE experiment_id = 0")
            assert store.poll() is Change.DATA
            assert "two" in {each.name for each in store.experiments(View.ALL)}
        assert beside(db) > {db.name}  # we still read, so the writer could not remove its log
    assert beside(db) == {db.name}  # which is done when we leave
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT name FROM experiments WHERE experiment_id = 0").fetchone() == ("two",)


def test_a_writer_that_crashed(db: Path, tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    with closing(sqlite3.connect(db, isolation_level=None)) as writer:
        writer.execute("UPDATE experiments SET name = 'logged' WHERE experiment_id = 0")
        for suffix in ("", "-wal"):
            (left / f"{db.name}{suffix}").write_bytes(Path(f"{db}{suffix}").read_bytes())
    crashed = left / db.name
    with closing(Store(crashed, read_only=True)) as store:
        assert "logged" in {each.name for each in store.experiments(View.ALL)}
    assert beside(crashed) >= {db.name, f"{db.name}-wal"}  # what was left is not lost
    with closing(Store(crashed)) as store:
        assert "logged" in {each.name for each in store.experiments(View.ALL)}
    assert beside(crashed) == {db.name}


def test_an_edit_leaves_nothing_behind(db: Path) -> None:
    with closing(Store(db)) as store:
        (experiment, *_) = store.experiments(View.ACTIVE)
        store.editor.rename_experiment(experiment.experiment_id, "renamed by hand")
        assert "renamed by hand" in {each.name for each in store.experiments(View.ACTIVE)}
        assert beside(db) == {db.name}


def test_no_read_is_torn_while_writers_come_and_go(db: Path) -> None:
    """Each of them writes its log into the file and removes it. What one transaction wrote is seen as a whole, and in order."""
    process = subprocess.Popen([sys.executable, "-c", COMING_AND_GOING, str(db)], stdout=subprocess.PIPE, text=True)
    seen = [0]
    try:
        assert process.stdout is not None
        process.stdout.readline()
        with closing(Store(db, read_only=True, patience_s=20)) as store:
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                try:
                    (number,) = store.read(_numbers, None)
                except StoreUnavailable:
                    continue
                assert number >= seen[-1]
                seen.append(number)
    finally:
        process.kill()
        process.communicate()
    assert len(set(seen)) > 5


def _numbers(connection: Connection, _: Schema) -> set[int]:
    """In one statement, since each sees a state of its own."""
    rows = connection.exec_driver_sql("SELECT user_id FROM runs UNION SELECT creation_time FROM experiments")
    return {int(row[0]) for row in rows}


def test_a_hot_journal_beats_the_mode_in_the_header(db: Path) -> None:
    """Immutable reading would ignore it."""
    Path(f"{db}-journal").write_bytes(os.urandom(4096))
    with closing(Store(db, read_only=True)) as store:
        assert not file_of(store).quiet_state
        assert store.experiments(View.ALL)


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("words", [("experiments", "-s"), ()], ids=["command", "deck"])
@pytest.mark.parametrize("is_pipe", [True, False], ids=["pipe", "link"])
def test_what_stands_in_the_place_of_a_log_is_not_opened(
    db: Path, suffix: str, words: tuple[str, ...], is_pipe: bool
) -> None:
    """SQLite waits for a pipe for good, and a copy of an endless device fills the disk."""
    if is_pipe:
        os.mkfifo(f"{db}{suffix}")
    else:
        Path(f"{db}{suffix}").symlink_to("/dev/zero")
    with mldeck(*words, db) as opened:
        assert opened.wait_exit() != 0
        assert f"{db.name}{suffix} is no ordinary file" in "".join(opened.lines)


def test_a_pipe_that_comes_while_the_deck_is_open(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("mlflow-3.17.2").db
    with mldeck(path) as deck:
        deck.wait_for("live · rw")
        os.mkfifo(f"{path}-journal")
        deck.press("\x12", "mlflow.db-journal is no ordinary file")
        deck.send("q")
        assert deck.wait_exit() == 0


LEAVES_A_HOT_JOURNAL = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = DELETE")
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE experiments SET name = 'never committed ' || experiment_id")
connection.execute("UPDATE params SET value = value || '1'")
connection.execute("UPDATE metrics SET value = value + 1")
os._exit(0)
"""


@pytest.mark.parametrize("read_only", [True, False])
def test_a_journal_that_names_another_file_deletes_nothing(db: Path, tmp_path: Path, read_only: bool) -> None:
    """SQLite takes the name for that of a super-journal, and removes the file when it rolls the journal back."""
    victim = tmp_path / "thesis.txt"
    victim.write_text("years of work")
    subprocess.run([sys.executable, "-c", LEAVES_A_HOT_JOURNAL, str(db)], check=True)
    name = str(victim).encode()
    with Path(f"{db}-journal").open("ab") as journal:
        journal.write(name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big"))
        journal.write(bytes.fromhex("d9d505f920a163d7"))
    with pytest.raises(MldeckError, match=f"{db.name}-journal names another file"):
        Store(db, read_only=read_only)
    assert victim.read_text() == "years of work"
    # Without the check:
    _let_sqlite_recover(db)
    assert not victim.exists()


@pytest.fixture
def link(db: Path, tmp_path: Path) -> Path:
    """SQLite keeps its log and its journal beside the database itself, not beside a link to it."""
    path = tmp_path / "elsewhere" / "link.db"
    path.parent.mkdir()
    path.symlink_to(db)
    return path


@pytest.mark.parametrize("read_only", [True, False])
def test_a_writer_is_followed_through_a_link(db: Path, link: Path, read_only: bool) -> None:
    with (
        closing(Store(link, read_only=read_only)) as store,
        closing(sqlite3.connect(db, isolation_level=None)) as writer,
    ):
        for name in ("one", "two"):
            writer.execute(f"UPDATE experiments SET name = '{name}' WHERE experiment_id = 0")
            assert Path(f"{db}-wal").stat().st_size > 0
            assert name in {each.name for each in store.experiments(View.ALL)}
    assert [each.name for each in link.parent.iterdir()] == [link.name]
    assert read_only or beside(db) == {db.name}


@pytest.mark.parametrize("read_only", [True, False])
def test_what_a_crashed_writer_left_is_seen_through_a_link(db: Path, link: Path, read_only: bool) -> None:
    with closing(Store(db)) as store:
        names = {each.name for each in store.experiments(View.ALL)}
    subprocess.run([sys.executable, "-c", LEAVES_A_HOT_JOURNAL, str(db)], check=True)
    assert Path(f"{db}-journal").stat().st_size > 0
    before = db.read_bytes()
    with closing(Store(link, read_only=read_only)) as store:
        assert {each.name for each in store.experiments(View.ALL)} == names
        assert store.is_copy is read_only
    assert [each.name for each in link.parent.iterdir()] == [link.name]
    if read_only:
        assert db.read_bytes() == before
        assert beside(db) == {db.name, f"{db.name}-journal"}
