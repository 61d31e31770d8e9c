"""Coming and going: nothing is drawn before the store is known to be good, and the terminal is left as it was found."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.many_runs import EXPERIMENT, add_many_runs, make_sorting_slow
from tests.processes import descendants
from tests.terminal import terminal
from tests.terminal.terminal import ALTERNATE_SCREEN, ESC, RIGHT, Terminal, mldeck

AT_ONCE_S = 1.5
WIDE = 300
"""So that the paths of temporary folders leave room for what is said about them."""
RUN_ID = re.compile(r"run id +[0-9a-f]{32}")


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-3.17.2").db


def quit_in_s(deck: Terminal, keys: str = "q") -> float:
    began = deck.send(keys)
    assert deck.wait_exit() == 0
    deck.assert_left_as_found()
    return time.monotonic() - began


@pytest.mark.parametrize("keys", ["q", "\x11"], ids=["q", "ctrl+q"])
def test_leaving(store: Path, keys: str) -> None:
    with mldeck(store) as deck:
        deck.wait_for(RUN_ID)
        assert deck.modes()[ALTERNATE_SCREEN]
        assert quit_in_s(deck, keys) < AT_ONCE_S


def test_leaving_at_the_first_frame(store: Path) -> None:
    with mldeck(store) as deck:
        deck.wait_for("Experiments")
        assert quit_in_s(deck) < AT_ONCE_S


def test_no_signal_stops_or_revives_a_deck_that_is_leaving(store: Path) -> None:
    """ctrl+z is a signal again as soon as the terminal has its modes back."""
    with mldeck(store) as deck:
        deck.wait_for(RUN_ID)
        deck.send("q")
        deck.wait_for(lambda: not deck.modes()[ALTERNATE_SCREEN])
        for number in (signal.SIGTSTP, signal.SIGCONT):
            deck.process.send_signal(number)
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()


def test_waiting_for_a_database(store: Path, tmp_path: Path) -> None:
    """As MLflow makes it: the file, then one table after the other."""
    path = tmp_path / "later" / "mlflow.db"
    with mldeck("--wait", path, cols=WIDE) as deck:
        deck.wait_for(f"waiting for the database: no such file: {path}")
        path.parent.mkdir()
        path.touch()
        deck.wait_for("is empty")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
        deck.wait_for("has no table alembic_version, metrics, params, runs, tags")
        store.replace(path)
        deck.wait_for(RUN_ID)
        quit_in_s(deck)


def test_waiting_for_the_usual_database(store: Path, tmp_path: Path) -> None:
    with mldeck("--wait", cols=WIDE, cwd=tmp_path) as deck:
        deck.wait_for("waiting for the database: no such file")
        store.replace(tmp_path / "mlflow.db")
        deck.wait_for(RUN_ID)
        quit_in_s(deck)


def test_waiting_no_longer(tmp_path: Path) -> None:
    with mldeck("--wait", tmp_path / "mlflow.db", cols=WIDE) as deck:
        deck.wait_for("no such file")
        deck.send("\x03")
        assert deck.wait_exit() == 130
        deck.assert_left_as_found()


def test_what_is_no_database_is_not_waited_for(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with mldeck("--wait", other, cols=WIDE) as deck:
        assert deck.wait_exit() == 2
        assert "not an MLflow tracking database" in deck.text


def bad_stores(folder: Path) -> Iterator[tuple[Path, str]]:
    yield folder / "absent.db", "no such file"
    yield folder, "folder"
    empty = folder / "empty.db"
    empty.touch()
    yield empty, "is empty"
    text = folder / "text.db"
    text.write_text("this is text, and more than a header of it\n" * 9)
    yield text, "not a SQLite database"
    other = folder / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE runs (id)")
    connection.close()
    yield other, "no table alembic_version, experiments"
    hostile = folder / "\x1b[31m\x1b]0;owned\x07.db"
    yield hostile, "no such file"


@pytest.mark.parametrize("number", range(6))
def test_a_bad_store_is_one_line_and_no_screen(tmp_path: Path, number: int) -> None:
    path, message = list(bad_stores(tmp_path))[number]
    with mldeck(path, separate_stderr=True) as deck:
        assert deck.wait_exit() == 2
        errors = deck.errors
        assert deck.raw == b""
        assert message in errors
        assert len(errors.splitlines()) == 1
        assert "\x1b" not in errors
        deck.assert_left_as_found()


def test_an_unknown_theme_is_said_before_any_screen(store: Path) -> None:
    with mldeck(store, "--theme", "no-such-theme", separate_stderr=True) as deck:
        assert deck.wait_exit() == 2
        assert deck.raw == b""
        assert "no-such-theme" in deck.errors


class TestLocked:
    """Somebody holds the database and does not let go."""

    @pytest.fixture
    def lock(self, store: Path) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(store, isolation_level=None)
        yield connection
        connection.close()

    def test_leaving_while_waiting_to_open(self, store: Path, lock: sqlite3.Connection) -> None:
        lock.execute("BEGIN EXCLUSIVE")
        with mldeck(store, cols=WIDE) as deck:
            deck.wait_for(lambda: "locked" in deck.state)
            assert quit_in_s(deck) < AT_ONCE_S

    def test_leaving_while_waiting_to_read(self, store: Path, lock: sqlite3.Connection) -> None:
        with mldeck(store, cols=WIDE) as deck:
            deck.wait_for(RUN_ID)
            lock.execute("BEGIN EXCLUSIVE")
            deck.press("\x12", lambda: "locked" in deck.state)  # ctrl+r
            deck.send("\x12vvv")
            assert quit_in_s(deck) < AT_ONCE_S

    def test_it_is_said_where_there_is_little_room(self, store: Path, lock: sqlite3.Connection) -> None:
        with mldeck(store, cols=80, rows=24) as deck:
            deck.wait_for(RUN_ID)
            lock.execute("BEGIN EXCLUSIVE")
            deck.press("\x12", lambda: "locked" in deck.lines[0])

    def test_it_opens_as_soon_as_it_can(self, store: Path, lock: sqlite3.Connection) -> None:
        lock.execute("BEGIN EXCLUSIVE")
        with mldeck(store, cols=WIDE) as deck:
            deck.wait_for(lambda: "locked" in deck.state)
            lock.execute("ROLLBACK")
            deck.wait_for(RUN_ID)
            deck.wait_for(lambda: "locked" not in deck.state)


class TestSlow:
    """Sorting takes minutes."""

    @pytest.fixture
    def slow(self, store: Path) -> Iterator[Terminal]:
        add_many_runs(store, 20_000)
        make_sorting_slow(store)
        with mldeck(store, "--experiment", EXPERIMENT) as deck:
            deck.wait_for("20,000 runs")
            deck.wait_for("live · rw")
            deck.press(RIGHT * 2 + "s", "sorting… Esc stops")
            deck.wait_for("sorted by loss ▲")
            yield deck

    def test_leaving_during_a_slow_query(self, slow: Terminal) -> None:
        assert quit_in_s(slow) < AT_ONCE_S

    def test_the_keyboard_stays_alive_and_escape_stops_it(self, slow: Terminal) -> None:
        before = slow.copy()
        slow.send("jjj")
        slow.wait_for(lambda: slow.copy() != before, timeout=5)
        slow.press(ESC, "sorting…", timeout=5, gone=True)
        slow.press("?", "Esc close", timeout=5)


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=["TERM", "HUP", "KILL"])
    def test_nothing_stays_behind(self, tmp_path: Path, number: signal.Signals) -> None:
        """No process, whatever happens; no file and no mode of the terminal, if there is a chance to clean up."""
        with mldeck("demo", "--live", env={"TMPDIR": str(tmp_path)}) as deck:
            deck.wait_for("live-training-1")
            below = descendants(deck.process.pid)
            assert below
            deck.process.send_signal(number)
            deck.wait_exit()
            terminal.until(lambda: not any(map(terminal.is_running, below)))
            if number != signal.SIGKILL:
                deck.assert_left_as_found()
                assert list(tmp_path.iterdir()) == []

    def test_suspended_and_continued(self, store: Path) -> None:
        with mldeck(store) as deck:
            deck.wait_for(RUN_ID)
            deck.settle()
            deck.process.send_signal(signal.SIGSTOP)
            deck.process.send_signal(signal.SIGCONT)
            deck.press("?", "Esc close")


def test_without_a_terminal_it_says_so(store: Path) -> None:
    done = subprocess.run(
        [terminal.MLDECK, store], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "needs a terminal" in done.stderr


def test_as_a_module(store: Path) -> None:
    with Terminal([sys.executable, "-m", "mldeck", store]) as deck:
        deck.wait_for(RUN_ID)
        assert quit_in_s(deck) < AT_ONCE_S


def test_a_demo_can_be_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with mldeck("demo", "--path", kept) as deck:
        deck.wait_for(RUN_ID)
        assert quit_in_s(deck) < AT_ONCE_S
    with mldeck(kept / "mlflow.db") as deck:
        deck.wait_for("churn-forecast")
