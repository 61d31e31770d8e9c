"""Real MLflow writes from another process while mldeck reads: everything appears, and nobody stands in MLflow's way."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mlflow")
pytest.importorskip("termios", reason="there are no pseudo-terminals here")

from mldeck.model import Column, Experiment, Kind, OrderKey, RunFields, RunQuery, View
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.many_runs import add_many_runs
from tests.terminal.terminal import ENTER, MLDECK, PAGE_DOWN, RIGHT, TAB, Terminal, mldeck, until

pytestmark = pytest.mark.interop

WRITER = Path(__file__).with_name("mlflow_writer.py")
BUSY_S = 20.0
"""How long MLflow waits for a lock before it gives up with "database is locked"."""
LONGEST_S = 5.0
"""No call of MLflow may take longer because of us. It is far below what MLflow would fail at, and far above what a busy
machine does to it."""
MANY = 20_000
HAMMERED = 60
WIDE = 300
"""Columns: the paths of temporary folders leave room for what is said about them."""
LIST_OF_METRICS = "\tv"
"""Into the inspector, whose charts become a list there."""
SOON_S = 10.0
"""Within a second or two, on a machine that has nothing else to do."""


class Writer:
    """See `mlflow_writer.py`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def start(self, name: str, *arguments: object) -> None:
        assert self._process.stdin is not None
        words = [str(each) if isinstance(each, Path) else each for each in arguments]
        self._process.stdin.write(json.dumps([name, *words]) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "MLflow's process ended"
        found = json.loads(line)
        assert not (isinstance(found, dict) and "error" in found), found
        return found

    def __call__(self, name: str, *arguments: object) -> Any:
        self.start(name, *arguments)
        return self.answer()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def mlflow() -> Iterator[Writer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        writer = Writer()
    try:
        writer("ready")
        yield writer
    finally:
        writer.close()


@pytest.fixture
def db(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-3.17.2").db


@pytest.fixture(scope="module")
def _many_runs(tmp_path_factory: pytest.TempPathFactory, _extracted: Callable[[str], Path]) -> Path:
    path = tmp_path_factory.mktemp("many") / "mlflow.db"
    shutil.copyfile(_extracted("mlflow-3.17.2") / "mlflow.db", path)
    add_many_runs(path, MANY)
    return path


@pytest.fixture
def many(_many_runs: Path, tmp_path: Path) -> Path:
    """MLflow's own file, with an experiment `many` of MANY runs."""
    return shutil.copyfile(_many_runs, tmp_path / "many.db")


def changed(store: Store) -> bool:
    return store.poll().value != "nothing"


def experiment_named(store: Store, name: str) -> Experiment:
    return next(each for each in store.experiments(View.ALL) if each.name == name)


def assert_undisturbed(hammered: dict[str, Any], count: int = HAMMERED) -> None:
    assert hammered["errors"] == []
    assert hammered["count"] == count
    # Worded as a time-out, which is waited for once more where others use the machine, too.
    assert hammered["longest"] < LONGEST_S, f"never happened: every write within {LONGEST_S:g} s"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TestStore:
    """The store room, without a screen."""

    def test_everything_that_mlflow_writes_appears(self, mlflow: Writer, db: Path) -> None:
        store = Store(db)
        try:
            assert not changed(store)
            experiment_id = mlflow("create_experiment", db, "fresh")
            until(lambda: changed(store), SOON_S)
            assert experiment_named(store, "fresh").experiment_id == experiment_id
            query = RunQuery((experiment_id,), View.ACTIVE, ())
            assert store.run_ids(query) == []

            run_id = mlflow("create_run", db, experiment_id, "first")
            until(lambda: changed(store), SOON_S)
            assert store.run_ids(query) == [run_id]

            mlflow("log_metric", db, run_id, "loss", 0.5, 3)
            mlflow("log_param", db, run_id, "lr", "1e-3")
            mlflow("set_tag", db, run_id, "team", "red")
            mlflow("end_run", db, run_id)
            until(lambda: changed(store), SOON_S)
            details = store.run_details(run_id)
            assert details is not None
            assert [(m.key, m.value, m.step) for m in details.metrics] == [("loss", 0.5, 3)]
            assert details.params == (("lr", "1e-3"),)
            assert ("team", "red") in details.tags
            assert details.run.status == "FINISHED"

            mlflow("delete_run", db, run_id)
            until(lambda: changed(store), SOON_S)
            assert store.run_ids(query) == []
            assert store.run_ids(RunQuery((experiment_id,), View.DELETED, ())) == [run_id]
            assert not changed(store)
        finally:
            store.close()

    def test_mlflow_writes_while_a_listing_is_paused(self, mlflow: Writer, many: Path) -> None:
        run_id = mlflow("create_run", many, "1000", "hammered")
        store = Store(many)
        try:
            ids = store.run_ids(RunQuery(("1000",), View.ACTIVE, ()))
            records = store.iter_records(ids, RunFields(("loss",), ("seed",), ()))
            for _ in range(700):
                next(records)
            mlflow.start("hammer", many, run_id, HAMMERED)
            assert_undisturbed(mlflow.answer())
            assert sum(1 for _ in records) == len(ids) - 700
        finally:
            store.close()

    def test_mlflow_writes_while_everything_is_sorted(self, mlflow: Writer, many: Path) -> None:
        """Orders of all runs are read one after the other, as somebody with a heavy thumb would."""
        run_id = mlflow("create_run", many, "1000", "hammered")
        store = Store(many)
        try:
            mlflow.start("hammer", many, run_id, HAMMERED)
            orders = [
                (OrderKey(Column(Kind.METRIC, "loss"), descending),) for descending in (False, True)
            ]  # fmt: skip
            for order in orders * 4:
                assert len(store.run_ids(RunQuery(("1000",), View.ACTIVE, order))) == MANY + 1
            assert_undisturbed(mlflow.answer())
        finally:
            store.close()

    def test_a_history_is_followed(self, mlflow: Writer, db: Path) -> None:
        """Also points of steps that were passed already, and of steps that have one."""
        run_id = mlflow("create_run", db, "1", "followed")
        steps = [step for number in range(40) for step in (number, number // 2)]
        store = Store(db)
        try:
            history = store.read_history(run_id, "followed")
            looks = set()
            mlflow.start("log_steps", db, run_id, "followed", steps)

            def everything_is_there() -> bool:
                nonlocal history
                if changed(store):
                    history = store.read_newer(history)
                    looks.add(len(history))
                return len(history) == len(steps)

            until(everything_is_there, BUSY_S)
            assert len(looks) > 2
            assert mlflow.answer() is None
            found = zip(history.steps, history.timestamps, history.values, strict=True)
            assert list(found) == sorted(map(tuple, mlflow("metric_history", db, run_id, "followed")))
            assert history.is_whole
            assert store.read_newer(history).is_unchanged_since(history)
        finally:
            store.close()

    def test_a_printed_listing_that_nobody_reads_on(self, mlflow: Writer, many: Path) -> None:
        """`mldeck runs --limit 0 | less`, waiting at its first page."""
        run_id = mlflow("create_run", many, "1000", "hammered")
        words: list[str | Path] = [MLDECK, "runs", "-s", many, "-e", "many", "--limit", "0", "--format", "csv"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            mlflow.start("hammer", many, run_id, HAMMERED)
            assert_undisturbed(mlflow.answer())
            rest, _ = process.communicate(timeout=60)
            assert rest.count(b"\n") >= MANY
        finally:
            process.kill()
            process.communicate()


class TestDeck:
    """The installed command on a terminal."""

    @staticmethod
    def open(db: Path, *words: str, **options: Any) -> Terminal:
        deck = mldeck(db, *words, **options)
        deck.wait_for(re.compile(r"[\d,]+ runs? |No runs here yet"))
        deck.wait_for("live · rw")
        return deck

    def test_a_training_run_is_followed(self, mlflow: Writer, db: Path) -> None:
        with self.open(db) as deck:
            experiment_id = mlflow("create_experiment", db, "while-open")
            deck.wait_for("while-open", SOON_S)
        with self.open(db, "--experiment", "while-open") as deck:
            run_id = mlflow("create_run", db, experiment_id, "followed")
            deck.wait_for(re.compile("► +followed"), SOON_S)
            deck.wait_for("1 run ")
            deck.wait_for(run_id)
            mlflow("log_metric", db, run_id, "loss", 0.625, 1)
            deck.press("]" + LIST_OF_METRICS, re.compile(r"loss +0\.625 +1 "))
            for step in range(2, 8):
                mlflow("log_metric", db, run_id, "loss", 1 / step, step)
            deck.wait_for(re.compile(r"loss +0\.142857\d* +7 "), SOON_S)
            mlflow("log_param", db, run_id, "optimizer", "adamw")
            deck.press("]", re.compile("optimizer +adamw"))
            mlflow("set_tag", db, run_id, "team", "red")
            deck.press("]", re.compile("team +red"))
            mlflow("end_run", db, run_id, "FAILED")
            deck.wait_for(re.compile("✗ +followed"), SOON_S)
            mlflow("delete_run", db, run_id)
            deck.wait_for("No runs here yet", SOON_S)

    def test_the_cursor_stays_on_its_run(self, mlflow: Writer, many: Path) -> None:
        with self.open(many, "--experiment", "many") as deck:
            deck.send(PAGE_DOWN * 3 + "jjj ")
            deck.wait_for("1 marked")
            run_id = deck.copy()
            name = f"many-{int(run_id[1:], 16):05}"
            deck.settle()
            row = deck.row_of(f"✓  {name}")
            assert row is not None
            for number in range(3):
                mlflow("create_run", many, "1000", f"newer-{number}")
                deck.wait_for(f"{MANY + number + 1:,} runs · {number + 1} newer above (g) · 1 marked", SOON_S)
            assert deck.row_of(f"✓  {name}") == row
            assert deck.copy() == run_id
            assert "newer-" not in deck.text
            deck.press("g", "newer-2")

    def test_the_first_rows_are_the_newest(self, mlflow: Writer, many: Path) -> None:
        """A cursor that was not moved stays on the first row; one that was stays on its run."""
        with self.open(many, "--experiment", "many") as deck:
            newest = mlflow("create_run", many, "1000", "newest")
            deck.wait_for("newest", SOON_S)
            assert deck.copy() == newest
            deck.send("j")
            second = deck.copy()
            mlflow("create_run", many, "1000", "still-newer")
            deck.wait_for(f"{MANY + 2:,} runs", SOON_S)
            assert deck.copy() == second

    def test_mlflow_writes_while_somebody_browses(self, mlflow: Writer, many: Path) -> None:
        run_id = mlflow("create_run", many, "1000", "hammered")
        with self.open(many, "--experiment", "many") as deck:
            mlflow.start("hammer", many, run_id, HAMMERED)
            column = RIGHT * 4
            for keys in (column, "s", "s", "G", "g", PAGE_DOWN * 5, "]", "]", "s", "/many-0001", ENTER, "n", "vvv"):
                deck.send(keys)
                deck.read(0.1)
            hammered = mlflow.answer()
            deck.wait_for("runs")
        assert_undisturbed(hammered)

    def test_mlflow_writes_while_the_deck_sits_there(self, mlflow: Writer, many: Path) -> None:
        """Paused as hard as can be: stopped by a signal, with whatever it holds."""
        run_id = mlflow("create_run", many, "1000", "hammered")
        with self.open(many, "--experiment", "many") as deck:
            deck.settle()
            mlflow.start("hammer", many, run_id, HAMMERED)
            hammered = mlflow.answer()
            deck.wait_for("hammered")
            deck.press("g]" + LIST_OF_METRICS, re.compile(rf"hammered +{HAMMERED - 1} +{HAMMERED - 1} "), SOON_S)
        assert_undisturbed(hammered)

    def test_migrated_while_open(self, mlflow: Writer, store_copy: Callable[[str], FixtureStore]) -> None:
        """The user's next script uses a newer MLflow: it migrates the file in place, under an open store and deck."""
        fixture = store_copy("mlflow-2.9.2")
        db, experiment_id = fixture.db, fixture.experiment("churn")
        store = Store(db)
        try:
            with self.open(db, "--experiment", "churn-baseline") as deck:
                before = mlflow_schema(db)
                mlflow.start("create_run", db, experiment_id, "by-the-newer-one")
                run_id = mlflow.answer()
                assert mlflow_schema(db) != before
                deck.wait_for("by-the-newer-one")
                deck.wait_for("live · rw")
                until(lambda: changed(store), SOON_S)
                details = store.run_details(run_id)
                assert details is not None
                assert details.run.run_name == "by-the-newer-one"
                mlflow("log_metric", db, run_id, "after", 0.25)
                deck.press("g]", re.compile(r"after +0\.25"))
                deck.send("q")
                assert deck.wait_exit() == 0
        finally:
            store.close()

    def test_replaced_by_another_file(self, mlflow: Writer, db: Path, many: Path) -> None:
        with self.open(db) as deck:
            many.replace(db)
            deck.wait_for(re.compile(f"many +{MANY}"))
            mlflow("create_run", db, "1000", "into-the-other")
            deck.press("\x1b[Z", "Experiments")
            deck.press("g" + "j" * 20, "Runs of ")
            deck.wait_for("─ Runs of ")
            deck.send(TAB)
            deck.send("q")
            assert deck.wait_exit() == 0

    def test_moved_away_and_back(self, mlflow: Writer, db: Path) -> None:
        away = db.with_name("away.db")
        with self.open(db, cols=WIDE) as deck:
            db.rename(away)
            deck.wait_for(lambda: "gone" in deck.state, SOON_S)
            deck.send("jjkG")
            away.rename(db)
            deck.wait_for(lambda: "gone" not in deck.state, SOON_S)
            deck.wait_for("live · rw")
            experiment_id = mlflow("create_experiment", db, "back-again")
            assert experiment_id
            deck.wait_for("back-again", SOON_S)

    def test_locked_for_long(self, db: Path) -> None:
        connection = sqlite3.connect(db, isolation_level=None)
        try:
            with self.open(db, cols=WIDE) as deck:
                connection.execute("BEGIN EXCLUSIVE")
                connection.execute("UPDATE runs SET name = 'under-lock' WHERE name <> ''")
                deck.press("\x12", lambda: "locked" in deck.state)
                connection.execute("COMMIT")
                deck.wait_for(lambda: "locked" not in deck.state, SOON_S)
                deck.wait_for("under-lock", SOON_S)
        finally:
            connection.close()

    def test_browsing_changes_no_byte(self, mlflow: Writer, db: Path) -> None:
        before, files = digest(db), sorted(path.name for path in db.parent.iterdir())
        with self.open(db) as deck:
            for keys in ("G", "g", RIGHT * 3 + "ss", "]", "]", "]", " ", "y", "v", "v", "v", TAB, "jjk", "\x12"):
                deck.send(keys)
                deck.settle(0.15)
            deck.send("q")
            assert deck.wait_exit() == 0
        for command in (["experiments"], ["runs", "--limit", "0", "--format", "json"]):
            subprocess.run([MLDECK, *command, "-s", db], check=True, capture_output=True, timeout=60)
        assert digest(db) == before
        assert sorted(path.name for path in db.parent.iterdir()) == files
        assert mlflow("run_names", db, "1")


def mlflow_schema(db: Path) -> object:
    connection = sqlite3.connect(db)
    try:
        return connection.execute("SELECT version_num FROM alembic_version").fetchall()
    finally:
        connection.close()
