"""Reading whole histories: complete, by the right index, in short statements, and followed without gaps."""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from mldeck.errors import Interrupted
from mldeck.model import History, MetricKey, RunFields
from mldeck.store.encoding import metric_value
from mldeck.store.histories import histories, points
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.store.test_queries import plan, recorded, version
from tests.store_insides import engine_of

CopyOf = Callable[[str], FixtureStore]
Point = tuple[int, int, str]

MANY = 30_000


def listed(history: History) -> list[Point]:
    """Return (step, timestamp, text of the value) of each point; as texts, one NaN equals another."""
    rows = zip(history.steps, history.timestamps, history.values, strict=True)
    return [(step, timestamp, repr(value)) for step, timestamp, value in rows]


def naive(db: Path, run_id: str, key: str) -> list[Point]:
    """Return the points as sqlite3 reads them row by row, in the order of DATABASE.md#latest-metrics."""
    with closing(sqlite3.connect(db)) as connection:
        rows = connection.execute(
            "SELECT step, timestamp, value, is_nan FROM metrics WHERE run_uuid = ? AND key = ?", (run_id, key)
        ).fetchall()
    return [(step, timestamp, repr(metric_value(value, is_nan))) for step, timestamp, value, is_nan in sorted(rows)]


def pairs(db: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute("SELECT DISTINCT run_uuid, key FROM metrics").fetchall()


def write(db: Path, run_id: str, rows: Sequence[tuple[int, int, float, int]], key: str = "logged") -> None:
    """Write rows (step, timestamp, value, is_nan) as MLflow does, keeping existing ones; do not wait for locks."""
    with closing(sqlite3.connect(db, timeout=0)) as connection, connection:
        connection.executemany(
            "INSERT OR IGNORE INTO metrics (key, step, timestamp, value, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)",
            [(key, *row, run_id) for row in rows],
        )


def change(db: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute(statement, values)


def row(step: int, value: float | None = None, timestamp: int = 1_700_000_000_000) -> tuple[int, int, float, int]:
    return step, timestamp + step, float(step) if value is None else value, 0


class Logged:
    """An open store, and a run to log to."""

    def __init__(self, db: Path, run_id: str, store: Store) -> None:
        self.db, self.run_id, self.store = db, run_id, store

    def write(self, *rows: tuple[int, int, float, int]) -> None:
        write(self.db, self.run_id, rows)

    def read(self, **options: Any) -> History:
        return self.store.read_history(self.run_id, "logged", **options)

    def naive(self) -> list[Point]:
        return naive(self.db, self.run_id, "logged")


@pytest.fixture(params=["mlflow-1.2.0", "mlflow-2.9.2", "mlflow-3.17.2"])
def logged(request: pytest.FixtureRequest, store_copy: CopyOf) -> Iterator[Logged]:
    """With each index that finds points: the primary key, that of runs, and that of runs, keys and steps."""
    fixture = store_copy(request.param)
    with closing(Store(fixture.db)) as store:
        yield Logged(fixture.db, fixture.run("rf5"), store)


class TestParts:
    """A history that is too long to keep, read in parts."""

    @pytest.fixture(autouse=True)
    def small_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(histories, "_ROWS_AT_ONCE", 10)

    @staticmethod
    def parts(logged: Logged, interrupt: Interrupt | None = None) -> list[list[Point]]:
        found = logged.store.iter_points(logged.run_id, "logged", interrupt)
        return [
            [
                (step, time, repr(value))
                for step, time, value in zip(part.steps, part.timestamps, part.values, strict=True)
            ]
            for part in found
        ]

    @pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 95])
    def test_every_point_is_read_once(self, logged: Logged, count: int) -> None:
        logged.write(*(row(7 * step % 97, math.inf if step == 5 else None) for step in range(count)))
        found = self.parts(logged)
        assert sorted(point for part in found for point in part) == sorted(logged.naive())
        assert all(len(part) <= 10 for part in found)

    def test_points_of_one_step(self, logged: Logged) -> None:
        logged.write(*((0, 1_700_000_000_000 + number, float(number), 0) for number in range(35)))
        assert [point for part in self.parts(logged) for point in part] == logged.naive()

    def test_times_in_seconds_are_recognised_by_the_whole_history(self, logged: Logged) -> None:
        start = logged.store.run_records([logged.run_id], RunFields())[logged.run_id].run.start_time
        assert start is not None
        logged.write(*((step, start // 1000 + step, 1.0, 0) for step in range(25)))
        times = [time for part in self.parts(logged) for _, time, _ in part]
        assert times == list(logged.read().timestamps)
        assert times[0] == start // 1000 * 1000

    def test_points_logged_meanwhile_are_left_out_and_not_blocked(self, logged: Logged) -> None:
        logged.write(*(row(step) for step in range(25)))
        before = logged.naive()
        found: list[Point] = []
        for part in logged.store.iter_points(logged.run_id, "logged"):
            found += zip(part.steps, part.timestamps, map(repr, part.values), strict=True)
            logged.write(row(100 + len(found)))  # at once: no lock is held between two parts
        assert found == before

    def test_it_is_interrupted(self, logged: Logged) -> None:
        logged.write(*(row(step) for step in range(25)))
        interrupt = Interrupt()
        reading = logged.store.iter_points(logged.run_id, "logged", interrupt)
        next(reading)
        interrupt.fire()
        with pytest.raises(Interrupted):
            next(reading)


@pytest.mark.backends("sqlite", "postgresql", "mariadb")
class TestReading:
    def test_every_history_of_every_version(self, fixture_store: FixtureStore) -> None:
        found = pairs(fixture_store.db)
        assert len(found) > 20
        with closing(Store(fixture_store.db)) as store:
            for run_id, key in found:
                history = store.read_history(run_id, key)
                assert listed(history) == naive(fixture_store.db, run_id, key)
                assert (history.run_id, history.key) == (run_id, key)
                assert history.is_whole
                assert history.point_count == len(history)

    def test_the_last_point_is_the_latest_metric(self, fixture_store: FixtureStore) -> None:
        ids = list(fixture_store.manifest["runs"].values())
        with closing(Store(fixture_store.db)) as store:
            details = [found for found in (store.run_details(run_id) for run_id in ids) if found is not None]
            for found in details:
                for metric in found.metrics:
                    last = listed(store.read_history(found.run.run_id, metric.key))[-1]
                    assert last == (metric.step, metric.timestamp, repr(metric.value))
        assert {len(found.metrics) for found in details} > {1}

    def test_values_that_are_not_numbers(self, fixture_store: FixtureStore) -> None:
        with closing(Store(fixture_store.db)) as store:
            values = store.read_history(fixture_store.run("diverged"), "loss").values
            infinite = store.read_history(fixture_store.run("diverged"), "only_inf").values
        assert any(math.isnan(value) for value in values)
        assert any(math.isinf(value) for value in (*values, *infinite))

    def test_steps_below_zero_and_repeated(self, fixture_store: FixtureStore) -> None:
        run_id = fixture_store.run("steps")
        with closing(Store(fixture_store.db)) as store:
            found = {key: store.read_history(run_id, key) for run, key in pairs(fixture_store.db) if run == run_id}
        steps = [list(history.steps) for history in found.values()]
        assert all(history == sorted(history) for history in steps)
        assert any(history[0] < 0 for history in steps)
        assert any(len(set(history)) < len(history) for history in steps)

    @pytest.mark.backends("sqlite")
    def test_the_oldest_database_has_no_nan(self, logged: Logged) -> None:
        change(
            logged.db, "CREATE TABLE old AS SELECT key, value, timestamp, step, run_uuid FROM metrics WHERE NOT is_nan"
        )
        change(logged.db, "DROP TABLE metrics")
        change(logged.db, "ALTER TABLE old RENAME TO metrics")
        with closing(Store(logged.db)) as store:
            history = store.read_history(logged.run_id, "loss")
            assert len(history) == 30
            assert store.read_newer(history).is_unchanged_since(history)

    def test_nothing(self, logged: Logged) -> None:
        for run_id, key in ((logged.run_id, "unheard-of"), ("0" * 32, "loss")):
            history = logged.store.read_history(run_id, key)
            assert (len(history), history.is_whole) == (0, True)

    def test_times_in_seconds_and_the_largest_steps(self, logged: Logged) -> None:
        logged.write((2**63 - 1, 1_600_000_000, 1.0, 0), (-(2**63), 1_600_000_000_000, -1.797e308, 0), row(3))
        assert listed(logged.read()) == [
            (-(2**63), 1_600_000_000_000, "-inf"),
            (3, 1_700_000_000_003, "3.0"),
            (2**63 - 1, 1_600_000_000, "1.0"),  # not all can be seconds, so none is read as seconds
        ]

    @pytest.mark.parametrize("base", [0, 63_072_000_000, 94_694_400_000, 1_600_000_000, -86_400_000])
    def test_unusual_times_are_kept(self, logged: Logged, base: int) -> None:
        """Steps or elapsed milliseconds logged as times, a backtest of 1972 to 1974, seconds of another year."""
        logged.write(*((step, base + step * 86_400_000, 1.0, 0) for step in range(400)))
        history = logged.read()
        assert list(history.timestamps) == [base + step * 86_400_000 for step in range(400)]

    def test_times_in_seconds_of_the_run_itself(self, logged: Logged) -> None:
        """Times as a client of MLflow 1.0 to 1.2 wrote them; later points are read the same way."""
        logged.write(*((step, 1_700_000_060 + step, 1.0, 0) for step in range(3)))
        history = logged.read()
        assert list(history.timestamps) == [1_700_000_060_000, 1_700_000_061_000, 1_700_000_062_000]
        logged.write((3, 1_700_000_063, 1.0, 0))
        assert logged.store.read_newer(history).timestamps[-1] == 1_700_000_063_000

    def test_windows(self, logged: Logged) -> None:
        logged.write(*(row(step) for step in (5, -3, 4, 9, 7, 0)), row(7, 1.5))
        window = logged.read(window=(0, 7))
        assert list(window.steps) == [0, 4, 5, 7, 7]
        assert (window.is_whole, window.window) == (False, (0, 7))
        logged.write(row(6), row(8))
        assert list(logged.store.read_newer(window).steps) == [0, 4, 5, 6, 7, 7]
        assert len(logged.read(window=(100, 200))) == 0


class TestShortStatements:
    @pytest.fixture(autouse=True)
    def short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(histories, "_ROWS_AT_ONCE", 7)

    @pytest.mark.parametrize("count", [0, 6, 7, 8, 21, 40])
    def test_together_the_statements_read_the_history(self, logged: Logged, count: int) -> None:
        """Three points per step, logged in random order, so that a statement ends in the middle of a step."""
        logged.write(*(row(step // 3 * 7 % 11, step) for step in range(count)))
        history = logged.read()
        assert listed(history) == logged.naive()
        assert len(history) == count

    @pytest.mark.parametrize("name", DESCRIBED_FIXTURES)
    def test_others_write_between_the_statements(self, store_copy: CopyOf, name: str) -> None:
        fixture = store_copy(name)
        run_id = fixture.run("rf5")
        write(fixture.db, run_id, [row(step) for step in range(30)])
        with closing(Store(fixture.db)) as store:
            late = iter(range(-100, 100))

            def log(*_: object) -> None:
                write(fixture.db, run_id, [row(next(late), 0.5)])

            engine = engine_of(store)
            event.listen(engine, "before_cursor_execute", log)
            history = store.read_history(run_id, "logged")
            event.remove(engine, "before_cursor_execute", log)
            statements = next(late) + 100
            assert statements == 2 if version(fixture) < (1, 25) else statements > 5
            assert len(history) == 30 + 1  # one was logged before the newest row was read
            newer = store.read_newer(history)
        assert listed(newer) == naive(fixture.db, run_id, "logged")
        assert len(newer) == 30 + statements

    def test_a_lock_between_the_statements_is_waited_for(self, store_copy: CopyOf) -> None:
        fixture = store_copy("mlflow-3.17.2")
        run_id = fixture.run("rf5")
        write(fixture.db, run_id, [row(step) for step in range(30)])
        with closing(Store(fixture.db)) as store, closing(sqlite3.connect(fixture.db, isolation_level=None)) as other:
            lock = iter(["", "", "", "BEGIN EXCLUSIVE", "", "ROLLBACK"])
            engine = engine_of(store)
            event.listen(engine, "before_cursor_execute", lambda *_: other.execute(next(lock, "")))
            told: list[str] = []
            event.listen(engine, "before_cursor_execute", lambda *arguments: told.append(arguments[2]))
            assert list(store.read_history(run_id, "logged").steps) == list(range(30))
        assert sum("max(metrics.rowid)" in statement for statement in told) == 1  # it did not start again
        assert next(lock, None) is None


class TestPlans:
    def test_a_history_is_read_by_its_index(self, fixture_store: FixtureStore) -> None:
        run_id = fixture_store.run("logreg")
        with closing(Store(fixture_store.db)) as store:
            with recorded(store) as statements:
                history = store.read_history(run_id, "loss")
                store.read_history(run_id, "loss", (3, 8))
            found = [plan(fixture_store.db, sent) for sent in statements if "max(metrics.rowid)" not in sent[0]]
            with recorded(store) as statements:
                store.read_newer(history)
            assert len(statements) <= 3
            newer = [plan(fixture_store.db, sent) for sent in statements]
        assert len(found) == 2
        for query_plan in found:
            if version(fixture_store) >= (3, 12):
                assert re.search(r"INDEX index_metrics_run_uuid_key_step \(run_uuid=\? AND key=\?", query_plan)
            elif version(fixture_store) >= (1, 25):
                assert "USING INDEX index_metrics_run_uuid (run_uuid=?" in query_plan
            else:
                assert re.search(r"sqlite_autoindex_metrics_1 \(key=\?", query_plan)
            assert "SCAN" not in query_plan
            assert "TEMP B-TREE" not in query_plan
        if version(fixture_store) >= (3, 12):
            assert "(run_uuid=? AND key=? AND step>? AND step<?)" in found[1]
        assert any("INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in query_plan for query_plan in newer)
        for query_plan in newer:
            assert not re.search(r"SCAN (metrics|runs)\b", query_plan)

    def test_each_part_begins_where_the_previous_one_ended(
        self, fixture_store: FixtureStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(histories, "_ROWS_AT_ONCE", 10)
        with closing(Store(fixture_store.db)) as store, recorded(store) as statements:
            store.read_history(fixture_store.run("logreg"), "loss")
        last = plan(fixture_store.db, statements[-1])
        if version(fixture_store) >= (3, 12):
            assert "index_metrics_run_uuid_key_step (run_uuid=? AND key=? AND step>?)" in last
        elif version(fixture_store) >= (1, 25):
            assert "index_metrics_run_uuid (run_uuid=? AND rowid>? AND rowid<?)" in last
        assert "TEMP B-TREE" not in last

    def test_no_lock_is_left(self, logged: Logged) -> None:
        history = logged.store.read_history(logged.run_id, "loss")
        logged.store.read_newer(history)
        with closing(sqlite3.connect(logged.db, timeout=0, isolation_level=None)) as writer:
            writer.execute("BEGIN EXCLUSIVE")
            writer.execute("ROLLBACK")


@pytest.mark.backends("sqlite", "postgresql", "mariadb")
class TestNewer:
    def test_nothing_new(self, logged: Logged) -> None:
        logged.write(row(1))
        history = logged.read()
        newer = logged.store.read_newer(history)
        assert newer.is_unchanged_since(history)
        assert listed(newer) == listed(history)

    @pytest.mark.backends("sqlite")
    def test_points_of_other_runs_do_not_count(self, logged: Logged) -> None:
        logged.write(row(1))
        history = logged.read()
        write(logged.db, logged.run_id, [row(2)], "another")
        write(logged.db, "0" * 32, [row(3)])
        newer = logged.store.read_newer(history)
        assert newer.is_unchanged_since(history)
        assert newer.mark != history.mark  # these rows are not read again

    def test_later_earlier_repeated_and_at_the_same_step(self, logged: Logged) -> None:
        logged.write(row(1), row(5), row(9))
        history = logged.read()
        logged.write(row(10), row(5), row(5, 0.5), (5, 1_700_000_000_005, 0.0, 1), row(-4), row(9))
        newer = logged.store.read_newer(history)
        assert listed(newer) == logged.naive()
        assert list(newer.steps) == [-4, 1, 5, 5, 5, 9, 10]
        assert list(history.steps) == [1, 5, 9]
        assert newer.point_count == 7

    def test_the_first_point_of_all(self, logged: Logged) -> None:
        change(logged.db, "DELETE FROM metrics")
        history = logged.read()
        logged.write(row(1))
        history = logged.store.read_newer(history)
        logged.write(row(2))
        assert list(logged.store.read_newer(history).steps) == [1, 2]

    @pytest.mark.parametrize("whose", ["its own", "another"])
    def test_the_newest_rows_were_removed_and_their_rowids_reused(self, logged: Logged, whose: str) -> None:
        logged.write(row(1), row(2), row(3))
        if whose == "another":
            write(logged.db, "0" * 32, [row(step) for step in range(5)])
        history = logged.read()
        if whose == "another":
            change(logged.db, "DELETE FROM metrics WHERE run_uuid = ?", "0" * 32)
        else:
            change(logged.db, "DELETE FROM metrics WHERE key = 'logged' AND step > 1")
        logged.write(row(4), row(5))
        newer = logged.store.read_newer(history)
        assert listed(newer) == logged.naive()
        assert list(newer.steps) == ([1, 2, 3, 4, 5] if whose == "another" else [1, 4, 5])

    @pytest.mark.backends("sqlite")
    def test_rows_were_renumbered(self, logged: Logged) -> None:
        logged.write(row(1), row(2))
        history = logged.read()
        change(logged.db, "DELETE FROM metrics WHERE key <> 'logged'")
        with closing(sqlite3.connect(logged.db)) as connection:
            connection.execute("VACUUM")
        logged.write(row(3))
        assert list(logged.store.read_newer(history).steps) == [1, 2, 3]

    def test_the_run_is_gone(self, logged: Logged) -> None:
        logged.write(row(1))
        write(logged.db, "0" * 32, [row(1)])
        history = logged.read()
        change(logged.db, "DELETE FROM metrics WHERE run_uuid = ?", logged.run_id)
        change(logged.db, "DELETE FROM runs WHERE run_uuid = ?", logged.run_id)
        assert len(logged.store.read_newer(history)) == 0

    def test_more_points_than_are_kept(self, logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
        logged.write(*(row(step) for step in range(50)))
        history = logged.read()
        monkeypatch.setattr(histories, "MAX_POINTS", 60)
        monkeypatch.setattr(histories, "PointCollector", lambda: points.PointCollector(60))
        logged.write(*(row(step) for step in range(50, 100)))
        newer = logged.store.read_newer(history)
        assert (newer.point_count, newer.is_thinned, newer.is_whole) == (100, True, False)
        assert len(newer) <= 60

    numbers = st.sampled_from([0.0, -1.5, 3.25, 1.7976931348623157e308, -1.7976931348623157e308])
    rows = st.tuples(
        st.integers(-5, 5), st.sampled_from([5, 1_600_000_000_000, 1_600_000_000_001]), numbers, st.just(0)
    ) | st.tuples(st.integers(-5, 5), st.just(1_600_000_000_000), st.just(0.0), st.just(1))

    batches = st.lists(st.lists(rows, max_size=6), min_size=1, max_size=5)

    @pytest.mark.backends("sqlite")
    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(batches=batches)
    def test_following_equals_reading_again(
        self, logged: Logged, batches: list[list[tuple[int, int, float, int]]]
    ) -> None:
        self.follow(logged, batches)

    @pytest.mark.backends("postgresql", "mariadb")
    @settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(batches=batches)
    def test_following_on_servers(self, logged: Logged, batches: list[list[tuple[int, int, float, int]]]) -> None:
        """Here each batch is copied, which takes its time."""
        self.follow(logged, batches)

    @staticmethod
    def follow(logged: Logged, batches: list[list[tuple[int, int, float, int]]]) -> None:
        change(logged.db, "DELETE FROM metrics WHERE key = 'logged'")
        history = logged.read()
        for batch in batches:
            logged.write(*batch)
            history = logged.store.read_newer(history)
            assert listed(history) == listed(logged.read()) == logged.naive()
            assert history.point_count == len(history)


class TestInterrupt:
    @pytest.fixture(autouse=True)
    def many(self, logged: Logged) -> None:
        logged.write(*(row(step) for step in range(MANY)))

    def test_what_was_read_so_far_is_kept(self, logged: Logged) -> None:
        interrupt = Interrupt()
        told: list[int] = []

        def stop(count: int) -> None:
            told.append(count)
            interrupt.fire()

        history = logged.read(interrupt=interrupt, on_part=stop)
        assert told == [10_000]
        assert history.was_stopped
        assert not history.is_whole
        assert list(history.steps) == list(range(len(history)))
        assert 10_000 <= len(history) < MANY
        logged.write(row(MANY))  # no lock is left
        newer = logged.store.read_newer(history)
        assert (len(newer), newer.is_whole) == (MANY + 1, True)

    def test_progress(self, logged: Logged) -> None:
        told: list[int] = []
        assert len(logged.read(on_part=told.append)) == MANY
        assert told == [10_000, 20_000, 30_000]

    def test_fired_before(self, logged: Logged) -> None:
        interrupt = Interrupt()
        interrupt.fire()
        with pytest.raises(Interrupted):
            logged.read(interrupt=interrupt)
        with pytest.raises(Interrupted):
            logged.store.read_newer(logged.read(), interrupt)

    def test_other_errors_are_not_swallowed(self, logged: Logged) -> None:
        def fail(count: int) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        with pytest.raises(Exception, match="disk I/O error"):
            logged.read(on_part=fail)


@pytest.mark.backends("sqlite", "postgresql", "mariadb")
class TestSeveralRuns:
    def test_metric_keys(self, fixture_store: FixtureStore) -> None:
        ids = list(fixture_store.manifest["runs"].values())
        expected: dict[str, set[str]] = {}
        for run_id, key in pairs(fixture_store.db):
            expected.setdefault(key, set()).add(run_id)
        with closing(Store(fixture_store.db)) as store:
            found = store.metric_keys(ids)
            assert store.metric_keys(ids[:1]) == tuple(
                MetricKey(key, 1) for key in sorted(expected) if ids[0] in expected[key]
            )
        assert found == tuple(MetricKey(key, len(runs)) for key, runs in sorted(expected.items()))

    def test_more_runs_than_a_statement_may_list(self, logged: Logged) -> None:
        many = [*(f"{number:032x}" for number in range(1200)), logged.run_id]
        with recorded(logged.store) as statements:
            assert MetricKey("loss", 1) in logged.store.metric_keys(many)
        assert max(len(parameters) for _, parameters in statements) <= 999
