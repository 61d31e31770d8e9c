"""The sample project: what is in it, that it is the same each time, and the training job that goes on writing to it."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mldeck.demo import churn, images
from mldeck.demo.live import train
from mldeck.demo.project import find_demo, make_demo
from mldeck.demo.sitting import demo_store
from mldeck.errors import UsageError
from mldeck.model import Metric, RunQuery, View
from mldeck.store.seed.seed import RunNotActive, StoreWriter, encode_metric, new_store
from mldeck.store.store import Store
from mldeck.ui.state.columns import ColumnChoice, label_of
from tests.fixture_stores import FixtureStore

NOW = 1_790_000_000_000
LARGEST = 1.7976931348623157e308


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("demo"), now_ms=NOW)


@pytest.fixture
def own_demo(tmp_path: Path) -> Path:
    return make_demo(tmp_path / "own")


def query(db: Path, sql: str, *parameters: object) -> list[Any]:
    # A training job without pauses leaves little room between its writes.
    connection = sqlite3.connect(f"{db.as_uri()}?mode=ro", uri=True, timeout=60)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def until(predicate: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < deadline, "did not come true"
        time.sleep(0.02)


class TestContents:
    def test_experiments(self, demo: Path) -> None:
        rows = query(
            demo,
            "SELECT e.name, e.lifecycle_stage, count(r.run_uuid) FROM experiments e"
            " LEFT JOIN runs r ON r.experiment_id = e.experiment_id GROUP BY e.name ORDER BY e.experiment_id",
        )
        assert rows == [
            ("Default", "active", 0),
            ("churn-forecast-2025", "deleted", 3),
            ("hourly-demand", "active", 11),
            ("leaf-disease-images", "active", 7),
            ("churn-forecast", "active", 60),
        ]

    def test_every_status_a_demo_needs(self, demo: Path) -> None:
        rows = dict(query(demo, "SELECT status, count(*) FROM runs WHERE lifecycle_stage = 'active' GROUP BY status"))
        assert rows.keys() == {"FINISHED", "FAILED", "KILLED", "RUNNING"}
        assert query(demo, "SELECT count(*) FROM runs WHERE lifecycle_stage = 'deleted' AND deleted_time > 0") == [(4,)]

    def test_a_run_has_its_name_in_both_places(self, demo: Path) -> None:
        names = "SELECT count(*) FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'mlflow.runName'"
        assert query(demo, f"{names} WHERE t.value = r.name") == query(demo, "SELECT count(*) FROM runs")

    def test_trials_are_nested(self, demo: Path) -> None:
        children = query(
            demo,
            "SELECT p.name, count(*) FROM tags t JOIN runs p ON p.run_uuid = t.value"
            " WHERE t.key = 'mlflow.parentRunId' GROUP BY 1",
        )
        assert children == [("sweep-boosted-trees", churn.TRIALS)]

    def test_stages_and_who_archived_whom(self, demo: Path) -> None:
        rows = query(demo, "SELECT name, version, current_stage FROM model_versions ORDER BY name, version")
        assert rows == [
            ("churn-scorer", 1, "Archived"),
            ("churn-scorer", 2, "Archived"),
            ("churn-scorer", 3, "Production"),
            ("churn-scorer", 4, "Staging"),
            ("churn-scorer", 5, "None"),
            ("hourly-demand", 1, "Archived"),
            ("hourly-demand", 2, "Production"),
        ]
        archived, promoted = query(
            demo, "SELECT last_updated_time FROM model_versions WHERE name = 'churn-scorer' AND version IN (2, 3)"
        )
        assert archived == promoted

    def test_aliases(self, demo: Path) -> None:
        rows = query(demo, "SELECT alias, version FROM registered_model_aliases WHERE name = 'churn-scorer' ORDER BY 1")
        assert rows == [("challenger", 4), ("champion", 3)]

    def test_versions_lead_to_files(self, demo: Path) -> None:
        rows = query(
            demo,
            "SELECT v.source, v.storage_location, m.model_id, m.artifact_location, v.run_id, m.source_run_id"
            " FROM model_versions v JOIN logged_models m ON v.source = 'models:/' || m.model_id",
        )
        assert len(rows) == 7
        for source, storage, model_id, location, run_id, source_run_id in rows:
            assert (source, storage, run_id) == (f"models:/{model_id}", location, source_run_id)
            assert f"model_id: {model_id}" in (Path(storage) / "MLmodel").read_text()

    def test_nan_and_infinity_are_encoded(self, demo: Path) -> None:
        latest = (
            "SELECT l.value, l.is_nan FROM latest_metrics l JOIN runs r ON r.run_uuid = l.run_uuid"
            " WHERE r.name = ? AND l.key = 'train/loss'"
        )
        assert query(demo, latest, "mlp-fp16") == [(0.0, 1)]
        assert query(demo, latest, "mlp-lr-too-high") == [(LARGEST, 0)]

    def test_latest_metrics_are_the_greatest_points(self, demo: Path) -> None:
        wrong = query(
            demo,
            "SELECT count(*) FROM latest_metrics l JOIN metrics m ON m.run_uuid = l.run_uuid AND m.key = l.key"
            " WHERE (m.step, m.timestamp, m.value) > (l.step, l.timestamp, l.value)",
        )
        missing = query(demo, "SELECT run_uuid, key FROM metrics EXCEPT SELECT run_uuid, key FROM latest_metrics")
        assert wrong == [(0,)]
        assert missing == []

    def test_the_spike_is_one_step(self, demo: Path) -> None:
        spike = query(
            demo,
            "SELECT m.step FROM metrics m JOIN runs r ON r.run_uuid = m.run_uuid"
            " WHERE r.name = ? AND m.key = 'train/loss' AND m.value > 2",
            images.SPIKED_RUN,
        )
        assert spike == [(images.SPIKE_STEP,)]

    def test_the_best_trials_lie_in_the_best_region(self, demo: Path) -> None:
        best = query(
            demo,
            "SELECT CAST(p.value AS REAL), CAST(d.value AS INTEGER) FROM latest_metrics l"
            " JOIN params p ON p.run_uuid = l.run_uuid AND p.key = 'learning_rate'"
            " JOIN params d ON d.run_uuid = l.run_uuid AND d.key = 'max_depth'"
            " WHERE l.key = 'best/val_auc' ORDER BY l.value DESC LIMIT 5",
        )
        assert all(0.02 < rate < 0.25 and 3 <= depth <= 9 for rate, depth in best)

    def test_the_version_in_production_was_made_of_the_best_trial(self, demo: Path) -> None:
        params = (
            "SELECT p.key, p.value FROM params p WHERE p.run_uuid = ({})"
            " AND p.key IN ('learning_rate', 'max_depth', 'subsample', 'min_child_weight', 'reg_lambda') ORDER BY 1"
        )
        best = (
            "SELECT l.run_uuid FROM latest_metrics l JOIN runs r ON r.run_uuid = l.run_uuid"
            " WHERE l.key = 'best/val_auc' AND r.name LIKE 'trial-%' ORDER BY l.value DESC LIMIT 1"
        )
        production = "SELECT run_id FROM model_versions WHERE name = 'churn-scorer' AND current_stage = 'Production'"
        assert query(demo, params.format(best)) == query(demo, params.format(production))

    def test_everything_happened_before_now(self, demo: Path) -> None:
        for table, column in (
            ("metrics", "timestamp"), ("runs", "start_time"), ("runs", "end_time"), ("runs", "deleted_time"),
            ("model_versions", "last_updated_time"), ("logged_models", "creation_timestamp_ms"),
        ):  # fmt: skip
            ((latest,),) = query(demo, f"SELECT max({column}) FROM {table}")
            assert latest < NOW, (table, column)

    def test_metrics_lie_within_their_run(self, demo: Path) -> None:
        outside = query(
            demo,
            "SELECT r.name, m.key, count(*) FROM metrics m JOIN runs r ON r.run_uuid = m.run_uuid"
            " WHERE m.timestamp < r.start_time OR m.timestamp > r.end_time GROUP BY 1, 2",
        )
        assert outside == []

    def test_datasets_systems_and_pictures(self, demo: Path) -> None:
        contexts = query(demo, "SELECT DISTINCT value FROM input_tags WHERE name = 'mlflow.data.context' ORDER BY 1")
        assert contexts == [("eval",), ("training",), ("validation",)]
        ((monitored,),) = query(demo, "SELECT count(DISTINCT run_uuid) FROM metrics WHERE key LIKE 'system/%'")
        assert monitored >= 3
        pictures = list(demo.parent.glob("mlruns/**/*.png"))
        assert pictures
        assert all(p.read_bytes().startswith(b"\x89PNG\r\n\x1a\n") for p in pictures)

    def test_the_file_is_whole_and_small(self, demo: Path) -> None:
        assert query(demo, "PRAGMA integrity_check") == [("ok",)]
        assert query(demo, "PRAGMA foreign_key_check") == []
        assert query(demo, "PRAGMA journal_mode") == [("delete",)]
        assert demo.stat().st_size < 8_000_000
        assert 10_000 < query(demo, "SELECT count(*) FROM metrics")[0][0] < 30_000


class TestMaking:
    def test_the_same_each_time(self, demo: Path, tmp_path: Path) -> None:
        again = make_demo(tmp_path, now_ms=NOW)
        dumps = []
        for db in (demo, again):
            connection = sqlite3.connect(db)
            dumps.append("\n".join(connection.iterdump()).replace(str(db.parent), "ROOT"))
            connection.close()
        assert dumps[0] == dumps[1]

    def test_refuses_to_overwrite(self, demo: Path) -> None:
        before = demo.stat().st_mtime_ns
        with pytest.raises(UsageError, match=r"exists already.*--path"):
            make_demo(demo.parent)
        assert demo.stat().st_mtime_ns == before

    def test_a_folder_is_opened_again(self, tmp_path: Path) -> None:
        with demo_store(str(tmp_path / "new"), live=False) as made:
            before = made.stat().st_mtime_ns
        with demo_store(str(tmp_path / "new"), live=False) as again:
            assert (again, again.stat().st_mtime_ns) == (made, before)
        with closing(sqlite3.connect(made)) as connection, connection:
            connection.execute("DELETE FROM latest_metrics")
            connection.execute("UPDATE experiments SET name = name || ' of mine'")
        assert find_demo(made.parent) == made, "it stays the same store, whatever was changed in it"

    @pytest.mark.parametrize("content", [b"", b"precious", None], ids=["empty", "text", "another store"])
    def test_another_database_is_neither_opened_nor_replaced(
        self, content: bytes | None, store_copy: Callable[[str], FixtureStore], tmp_path: Path
    ) -> None:
        database = tmp_path / "mlflow.db" if content is not None else store_copy("mlflow-3.17.2").db
        if content is not None:
            database.write_bytes(content)
        before = database.read_bytes()
        with pytest.raises(UsageError, match="exists already"), demo_store(str(database.parent), live=False):
            pytest.fail("it was opened")
        assert database.read_bytes() == before

    def test_a_folder_that_cannot_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="--path"):
            make_demo(tmp_path / "file")

    def test_a_failed_build_leaves_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), new_store(tmp_path / "mlflow.db", artifact_root=tmp_path, time=NOW):
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []


class TestWriter:
    @pytest.fixture
    def writer(self, tmp_path: Path) -> Iterator[StoreWriter]:
        with new_store(tmp_path / "mlflow.db", artifact_root=tmp_path / "mlruns", time=NOW) as writer:
            yield writer

    def test_encoding(self) -> None:
        assert encode_metric(math.nan) == (0.0, 1)
        assert encode_metric(-math.inf) == (-LARGEST, 0)
        assert encode_metric(0.25) == (0.25, 0)

    @pytest.mark.parametrize(
        ("logged", "latest"),
        [
            ([(-5, 1, 3.0), (-1, 1, 1.0), (-4, 1, 2.0)], 1.0),
            ([(5, 1, 10.0), (3, 9, 20.0)], 10.0),
            ([(1, 2, 5.0), (1, 1, 9.0)], 5.0),
            ([(1, 1, 5.0), (1, 1, 9.0), (1, 1, 7.0)], 9.0),
            ([(1, 1, math.nan), (1, 1, -1.0)], math.nan),
            ([(1, 1, math.nan), (1, 1, 1.0)], 1.0),
        ],
    )
    @pytest.mark.parametrize("in_one_batch", [True, False])
    def test_latest_rule(
        self, writer: StoreWriter, logged: list[tuple[int, int, float]], latest: float, in_one_batch: bool
    ) -> None:
        run_id = writer.create_run(self._experiment(writer), "r", user="u", time=NOW)
        points = [Metric("k", value, NOW + after, step) for step, after, value in logged]
        for batch in [points] if in_one_batch else [[point] for point in points]:
            writer.log_metrics(run_id, batch)
        value, is_nan = writer._db.execute("SELECT value, is_nan FROM latest_metrics").fetchone()
        assert (math.nan if is_nan else value) == pytest.approx(latest, nan_ok=True)

    def test_nothing_is_logged_to_a_deleted_run(self, writer: StoreWriter) -> None:
        run_id = writer.create_run(self._experiment(writer), "r", user="u", time=NOW)
        writer.delete_run(run_id, NOW)
        with pytest.raises(RunNotActive):
            writer.log_metrics(run_id, [Metric("k", 1.0, NOW, 0)])

    @staticmethod
    def _experiment(writer: StoreWriter) -> str:
        return writer.create_experiment("e", artifact_root=Path("/a"), time=NOW)

    def test_opening_creates_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="check the path"):
            StoreWriter.open(tmp_path / "absent.db")
        assert list(tmp_path.iterdir()) == []


def live_runs(db: Path) -> list[Any]:
    return query(
        db,
        "SELECT r.status, r.end_time, (SELECT count(*) FROM metrics m WHERE m.run_uuid = r.run_uuid) FROM runs r"
        " WHERE r.name LIKE 'live-training-%' ORDER BY r.start_time, r.name",
    )


class TestLive:
    def test_grows_and_is_killed_by_stop(self, own_demo: Path) -> None:
        stop = threading.Event()
        job = threading.Thread(target=train, args=(own_demo, stop, 0.01))
        job.start()
        try:
            until(lambda: live_runs(own_demo) and live_runs(own_demo)[0][2] >= 9)
            assert live_runs(own_demo)[0][:2] == ("RUNNING", None)
        finally:
            stop.set()
            job.join(10)
        ((status, end_time, _),) = live_runs(own_demo)
        assert status == "KILLED"
        assert end_time is not None

    def test_finishes_and_begins_another(self, own_demo: Path) -> None:
        stop = threading.Event()
        job = threading.Thread(target=train, args=(own_demo, stop, 0.0))
        job.start()
        try:
            until(lambda: len(live_runs(own_demo)) >= 2)
        finally:
            stop.set()
            job.join(10)
        assert live_runs(own_demo)[0][0] == "FINISHED"

    def test_survives_the_deletion_of_its_run(self, own_demo: Path) -> None:
        stop = threading.Event()
        job = threading.Thread(target=train, args=(own_demo, stop, 0.005))
        job.start()
        try:
            until(lambda: live_runs(own_demo))
            writer = StoreWriter.open(own_demo)
            with writer.transaction():
                ((run_id,),) = writer._db.execute("SELECT run_uuid FROM runs WHERE name = 'live-training-1'").fetchall()
                writer.delete_run(run_id, NOW)
            writer.close()
            until(lambda: len(live_runs(own_demo)) >= 2)
        finally:
            stop.set()
            job.join(10)
        assert not job.is_alive()

    def test_refuses_another_store(self, tmp_path: Path) -> None:
        with new_store(tmp_path / "mlflow.db", artifact_root=tmp_path, time=NOW):
            pass
        with pytest.raises(UsageError, match="mldeck demo"):
            train(tmp_path / "mlflow.db", threading.Event())


@pytest.mark.skipif(os.name != "posix", reason="signals and orphans as POSIX has them")
class TestLiveProcess:
    COMMAND = (sys.executable, "-m", "mldeck.demo.live")
    PARENT = (
        "import os, subprocess, sys, time\n"
        "subprocess.Popen([*sys.argv[1:], '--parent-pid', str(os.getpid())])\n"
        "time.sleep(60)"
    )

    def test_ends_by_signal(self, own_demo: Path) -> None:
        process = subprocess.Popen([*self.COMMAND, str(own_demo), "--interval", "0.02"])
        try:
            until(lambda: live_runs(own_demo))
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
        assert live_runs(own_demo)[0][0] == "KILLED"

    def test_ends_with_its_parent(self, own_demo: Path) -> None:
        parent = subprocess.Popen(
            [
                sys.executable,
                "-c",
                self.PARENT,
                *self.COMMAND,
                str(own_demo),
                "--interval",
                "0.02",
            ]
        )
        try:
            until(lambda: live_runs(own_demo))
        finally:
            parent.kill()
            parent.wait()
        until(lambda: live_runs(own_demo)[0][0] == "KILLED")

    def test_a_wrong_path_is_one_line(self, tmp_path: Path) -> None:
        done = subprocess.run([*self.COMMAND, str(tmp_path / "no.db")], capture_output=True, text=True, timeout=20)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1


def test_any_column_of_the_largest_experiment_is_six_keys_away(demo: Path) -> None:
    """`C`, up to four letters or steps down in what is left of the list, and Enter."""
    with closing(Store(demo)) as store:
        (experiment,) = (each for each in store.experiments(View.ACTIVE) if each.name == "churn-forecast")
        ids = store.run_ids(RunQuery((experiment.experiment_id,)))
        columns = ColumnChoice().arranged(store.differing_columns(ids))
    names = [label_of(column) for column in columns]
    assert len(names) == 42

    def keys(name: str) -> int:
        typed = {name[start:end] for start in range(len(name)) for end in range(start, start + 5)}
        return min(len(text) + [other for other in names if text in other].index(name) for text in typed)

    assert max(map(keys, names)) <= 4
