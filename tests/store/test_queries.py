"""How the store queries: the number of statements, the indexes they use, no lock left behind, and interrupts."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mldeck.errors import Interrupted
from mldeck.model import ALL_FIELDS, Column, Kind, OrderKey, RunFields, RunQuery, View
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.store_insides import engine_of

pytestmark = pytest.mark.backends("sqlite", "postgresql", "mariadb")

CopyOf = Callable[[str], FixtureStore]

STORE_CALLS: dict[str, Callable[[Store, list[str]], object]] = {
    "experiments": lambda store, ids: store.experiments(View.ALL),
    "run_counts": lambda store, ids: store.run_counts(),
    "run_ids": lambda store, ids: store.run_ids(churn(OrderKey(Column(Kind.METRIC, "auc"))), 10),
    "run_records": lambda store, ids: store.run_records(ids, RunFields(("auc", "loss"), ("C",), ("stage",))),
    "all_fields": lambda store, ids: store.run_records(ids, ALL_FIELDS),
    "iter_records": lambda store, ids: next(store.iter_records(ids, ALL_FIELDS)),
    "differing_columns": lambda store, ids: store.differing_columns(ids),
    "keys_of_runs": lambda store, ids: store.keys_of_runs(ids),
    "find_runs": lambda store, ids: store.find_runs(churn(), "a", [Column(Kind.PARAM, "C")]),
    "run_details": lambda store, ids: store.run_details(ids[0]),
    "history_outline": lambda store, ids: store.history_outline(ids[0], "loss", 10),
    "poll": lambda store, ids: store.poll(),
    "reopen": lambda store, ids: store.reopen(),
}

NEWEST_REVISION = "f4a9b2c7d1e6"
"""The revision of MLflow 3.18."""


def churn(*order: OrderKey) -> RunQuery:
    return RunQuery(("1", "2"), View.ALL, order)


class Statements(list[tuple[str, Any]]):
    """The statements sent to the database: (text, bound values)."""


@contextmanager
def recorded(store: Store) -> Iterator[Statements]:
    statements = Statements()

    def record(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        statements.append((statement, parameters))

    engine = engine_of(store)
    event.listen(engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", record)


def plan(db: Path, statement: tuple[str, Any]) -> str:
    with closing(sqlite3.connect(db)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement[0]}", statement[1]).fetchall()
    return "\n".join(row[3] for row in rows)


@pytest.fixture
def store(fixture_store: FixtureStore) -> Iterator[Store]:
    with closing(Store(fixture_store.db)) as store:
        yield store


@pytest.fixture
def ids(fixture_store: FixtureStore) -> list[str]:
    return list(fixture_store.manifest["runs"].values())


def version(fixture: FixtureStore) -> tuple[int, ...]:
    notes = fixture.manifest["notes"]
    written = notes.get("migrated_by", fixture.manifest["mlflow_version"])
    return tuple(int(part) for part in written.split("."))


def count(store: Store, call: Callable[[], object]) -> int:
    with recorded(store) as statements:
        call()
    return len(statements)


@pytest.mark.backends("sqlite")
class TestHowMany:
    def test_the_number_of_statements_for_a_page_does_not_depend_on_its_rows(
        self, store: Store, ids: list[str]
    ) -> None:
        fields = RunFields(("auc", "loss"), ("C", "solver"), ("stage",))
        few, many = (count(store, lambda some=some: store.run_records(some, fields)) for some in (ids[:2], ids))  # type: ignore[misc]
        assert few == many
        assert many <= 5  # metrics, params, tags, the runs, and the names of those that have none

    def test_columns_that_are_not_shown_are_not_read(self, store: Store, ids: list[str]) -> None:
        assert count(store, lambda: store.run_records(ids, RunFields())) <= 2

    def test_the_database_orders_and_limits(self, store: Store) -> None:
        order = (OrderKey(Column(Kind.METRIC, "auc")), OrderKey(Column(Kind.PARAM, "C")))
        with recorded(store) as statements:
            store.run_ids(churn(*order), 5)
        ((statement, _),) = statements
        assert "ORDER BY" in statement
        assert "LIMIT" in statement

    @pytest.mark.parametrize(
        ("name", "most"),
        [("experiments", 2), ("run_counts", 1), ("run_ids", 1), ("differing_columns", 2), ("find_runs", 1)]
        + [("history_outline", 2), ("run_details", 9), ("keys_of_runs", 3), ("poll", 0)],
    )
    def test_the_other_reads(self, store: Store, ids: list[str], name: str, most: int) -> None:
        assert count(store, lambda: STORE_CALLS[name](store, ids)) <= most

    def test_no_statement_binds_more_values_than_older_builds_of_sqlite_accept(self, store: Store) -> None:
        many = [f"{number:032x}" for number in range(1200)]
        keys = tuple(f"key{number}" for number in range(700))
        with recorded(store) as statements:
            store.run_records(many, RunFields(keys, keys, keys))
            store.keys_of_runs(many)
            store.find_runs(RunQuery(tuple(map(str, range(2000)))), "a", [Column(Kind.PARAM, key) for key in keys[:60]])
            store.run_ids(RunQuery(tuple(map(str, range(2000)))))
        assert max(len(parameters) for _, parameters in statements) <= 999


@pytest.mark.backends("sqlite")
class TestPlans:
    """These databases have no statistics, so SQLite guesses; where it would guess wrong, statements name the index."""

    def test_history_of_one_run_reads_one_run(self, fixture_store: FixtureStore, store: Store) -> None:
        with recorded(store) as statements:
            store.history_outline(fixture_store.run("logreg"), "loss", 40)
        assert len(statements) == 2
        for statement in statements:
            found = plan(fixture_store.db, statement)
            if version(fixture_store) >= (3, 12):
                assert re.search(
                    r"USING (COVERING )?INDEX index_metrics_run_uuid_key_step \(run_uuid=\? AND key=\?\)", found
                )
            elif version(fixture_store) >= (1, 25):
                assert "USING INDEX index_metrics_run_uuid (run_uuid=?)" in found
            else:
                assert re.search(r"sqlite_autoindex_metrics_1 \(key=\?", found)
            assert "SCAN" not in found

    @pytest.mark.parametrize("source", ["latest_metrics", "params", "tags"])
    def test_values_of_visible_columns(
        self, fixture_store: FixtureStore, store: Store, ids: list[str], source: str
    ) -> None:
        with recorded(store) as statements:
            store.run_records(ids[:20], RunFields(("auc", "loss"), ("C", "solver"), ("stage",)))
        source = "metrics" if source == "latest_metrics" and version(fixture_store) < (1, 3) else source
        plans = [plan(fixture_store.db, sent) for sent in statements if re.search(rf"FROM {source}\b", sent[0])]
        assert plans
        for found in plans:
            assert not re.search(rf"SCAN {source}\b", found), found
            assert re.search(rf"SEARCH {source} USING (COVERING )?INDEX (sqlite_autoindex|index)_{source}", found), (
                found
            )

    # 1.2 has neither latest metrics to look up nor an index on the run.
    @pytest.mark.parametrize("name", [name for name in DESCRIBED_FIXTURES if name != "mlflow-1.2.0"])
    def test_sorting_by_a_metric_looks_each_run_up_by_the_primary_key(self, store_copy: CopyOf, name: str) -> None:
        fixture = store_copy(name)
        with closing(Store(fixture.db)) as store, recorded(store) as statements:
            store.run_ids(churn(OrderKey(Column(Kind.METRIC, "auc"))))
        found = plan(fixture.db, statements[0])
        assert re.search(r"sqlite_autoindex_latest_metrics_1 \(key=\? AND run_uuid=\?\)", found), found

    @pytest.mark.parametrize("name", [name for name in DESCRIBED_FIXTURES if name != "mlflow-1.2.0"])
    def test_one_runs_details_scan_no_large_table(self, store_copy: CopyOf, name: str) -> None:
        fixture = store_copy(name)
        with closing(Store(fixture.db)) as store, recorded(store) as statements:
            store.run_details(fixture.run("parent"))
        for statement in statements:
            found = plan(fixture.db, statement)
            assert not re.search(r"SCAN (latest_metrics|metrics|params|tags|runs|inputs)\b", found), (statement, found)


def test_single_metrics_are_those_logged_at_one_step(fixture_store: FixtureStore, store: Store, ids: list[str]) -> None:
    """Before the index of MLflow 3.12, they are those whose latest step is 0."""
    steps = "count(DISTINCT step) = 1" if version(fixture_store) >= (3, 12) else "max(step) = 0"
    statement = f"SELECT key FROM metrics WHERE run_uuid = ? GROUP BY key HAVING {steps}"
    found = {}
    with closing(sqlite3.connect(fixture_store.db)) as connection:
        for run_id in ids:
            details = store.run_details(run_id)
            assert details is not None
            found[run_id] = details.single_metrics
            assert details.single_metrics == {key for (key,) in connection.execute(statement, (run_id,))}, run_id
    assert any(found.values())


@pytest.mark.backends("sqlite")
@pytest.mark.parametrize("name", STORE_CALLS)
def test_no_lock_is_left(fixture_store: FixtureStore, store: Store, ids: list[str], name: str) -> None:
    """An open cursor would make a training script fail with "database is locked"."""
    kept = STORE_CALLS[name](store, ids)
    with closing(sqlite3.connect(fixture_store.db, timeout=0, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("ROLLBACK")
    del kept


@pytest.mark.backends("sqlite")
def test_no_lock_is_left_by_a_listing_that_is_not_read_to_its_end(fixture_store: FixtureStore, store: Store) -> None:
    records = store.iter_records(list(fixture_store.manifest["runs"].values()), ALL_FIELDS)
    next(records)
    with closing(sqlite3.connect(fixture_store.db, timeout=0, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("ROLLBACK")
    assert next(records).run.run_id in fixture_store.manifest["runs"].values()


class TestInterrupt:
    SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"

    @pytest.fixture
    def store(self, store_copy: CopyOf) -> Iterator[Store]:
        with closing(Store(store_copy("mlflow-3.17.2").db)) as store:
            yield store

    @pytest.mark.backends("sqlite", "postgresql")  # MariaDB ends a recursion by itself
    def test_a_slow_statement_stops_at_once(self, store: Store) -> None:
        interrupt = Interrupt()
        started = threading.Event()

        def fire() -> None:
            assert started.wait(10)
            time.sleep(0.05)  # until the statement runs
            interrupt.fire()

        def read() -> None:
            with store._backend.reading(interrupt) as connection:
                started.set()
                connection.exec_driver_sql(self.SLOW).all()

        thread = threading.Thread(target=fire)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Interrupted):
            read()
        assert time.monotonic() - began < 10  # without the interrupt it takes minutes
        thread.join()

    def test_fired_before_it_begins(self, store: Store) -> None:
        interrupt = Interrupt()
        interrupt.fire()
        with recorded(store) as statements:
            for call in (
                lambda: store.experiments(View.ALL, interrupt),
                lambda: store.run_ids(churn(), None, interrupt),
                lambda: store.run_details("0" * 32, interrupt),
            ):
                with pytest.raises(Interrupted):
                    call()
        assert statements == []

    @pytest.mark.backends("sqlite")
    def test_fired_between_two_statements(self, store: Store) -> None:
        interrupt = Interrupt()

        def fire_once(*_: object) -> None:
            interrupt.fire()

        event.listen(engine_of(store), "after_cursor_execute", fire_once)
        many = [f"{number:032x}" for number in range(5000)]
        with recorded(store) as statements, pytest.raises(Interrupted):
            store.run_records(many, ALL_FIELDS, interrupt)
        assert len(statements) <= 2

    def test_the_next_read_is_not_stopped(self, store: Store) -> None:
        interrupt = Interrupt()
        with store._backend.reading(interrupt):
            pass
        interrupt.fire()
        assert interrupt.fired
        assert len(store.experiments(View.ALL)) == 9

    def test_reads_without_an_interrupt_do_not_inherit_one(self, store: Store) -> None:
        interrupt = Interrupt()
        store.experiments(View.ALL, interrupt)
        interrupt.fire()
        for _ in range(3):
            assert len(store.experiments(View.ALL)) == 9


class TestUnusualContents:
    @pytest.fixture
    def fixture(self, store_copy: CopyOf) -> FixtureStore:
        return store_copy("mlflow-3.17.2")

    @staticmethod
    def change(fixture: FixtureStore, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            assert connection.execute(statement, values).rowcount != 0

    @pytest.mark.backends("sqlite")
    def test_a_newer_database_opens_with_a_notice(self, fixture: FixtureStore) -> None:
        self.change(fixture, "UPDATE alembic_version SET version_num = 'f0f0f0f0f0f0'")
        self.change(fixture, "ALTER TABLE runs ADD COLUMN priority INTEGER NOT NULL DEFAULT 3")
        self.change(fixture, "ALTER TABLE latest_metrics ADD COLUMN unit VARCHAR(20)")
        self.change(fixture, "CREATE TABLE constellations (name TEXT PRIMARY KEY)")
        with closing(Store(fixture.db)) as store:
            (notice,) = store.notices
            assert "newer MLflow" in notice
            assert "f0f0f0f0f0f0" in notice
            assert len(store.experiments(View.ALL)) == 9
            details = store.run_details(fixture.run("rf5"))
            assert details is not None
            assert {metric.key: metric.value for metric in details.metrics}["auc"] == 0.91
            assert store.run_records([fixture.run("rf5")], ALL_FIELDS)

    @pytest.mark.backends("sqlite")
    @pytest.mark.parametrize(
        "change",
        [
            "CREATE TABLE constellations (name TEXT)",
            "ALTER TABLE issues ADD COLUMN metadata TEXT",
            "DROP TABLE webhooks",
        ],
    )
    def test_a_newer_database_has_no_notice_when_the_tables_read_are_the_same(
        self, fixture: FixtureStore, change: str
    ) -> None:
        self.change(fixture, "UPDATE alembic_version SET version_num = 'f0f0f0f0f0f0'")
        with closing(sqlite3.connect(fixture.db)) as connection:
            connection.execute(change)
        with closing(Store(fixture.db)) as store:
            assert store.notices == ()

    @pytest.mark.backends("sqlite")
    @pytest.mark.parametrize(
        "change",
        [
            "ALTER TABLE runs ADD COLUMN priority INTEGER",
            "ALTER TABLE registered_models DROP COLUMN description",
            "ALTER TABLE model_versions ADD COLUMN stars INTEGER",
            "ALTER TABLE inputs RENAME TO run_inputs",
        ],
    )
    def test_a_newer_database_has_a_notice_when_a_table_read_differs(self, fixture: FixtureStore, change: str) -> None:
        with closing(sqlite3.connect(fixture.db)) as connection:
            connection.execute(change)
        for revision in (NEWEST_REVISION, "f0f0f0f0f0f0"):
            self.change(fixture, f"UPDATE alembic_version SET version_num = '{revision}'")
            with closing(Store(fixture.db)) as store:
                is_newer = any("newer MLflow" in notice for notice in store.notices)
            assert is_newer is (revision != NEWEST_REVISION)

    @pytest.mark.backends("sqlite")
    def test_the_newest_release_is_known(self, fixture: FixtureStore) -> None:
        """3.18 only adds to tables that are not read."""
        self.change(fixture, f"UPDATE alembic_version SET version_num = '{NEWEST_REVISION}'")
        with closing(sqlite3.connect(fixture.db)) as connection:
            connection.execute("ALTER TABLE issues ADD COLUMN metadata TEXT")
        with closing(Store(fixture.db)) as store:
            assert store.notices == ()

    def test_a_database_without_a_revision(self, fixture: FixtureStore) -> None:
        self.change(fixture, "DELETE FROM alembic_version")
        with closing(Store(fixture.db)) as store:
            assert store.reading_notices == ()

    @pytest.mark.backends("sqlite")
    def test_the_oldest_database_without_nan(self, store_copy: CopyOf) -> None:
        """1.0 had neither `is_nan` nor `experiment_tags` nor `latest_metrics`."""
        fixture = store_copy("mlflow-1.2.0")
        with closing(sqlite3.connect(fixture.db)) as connection, connection:
            connection.executescript(
                """
                CREATE TABLE old (key, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, run_uuid, step BIGINT NOT NULL,
                                  PRIMARY KEY (key, timestamp, step, run_uuid, value));
                INSERT INTO old SELECT key, value, timestamp, run_uuid, step FROM metrics WHERE NOT is_nan;
                DROP TABLE metrics;
                ALTER TABLE old RENAME TO metrics;
                DROP TABLE experiment_tags;
                UPDATE alembic_version SET version_num = '90e64c465722';
                """
            )
        with closing(Store(fixture.db)) as store:
            assert store.notices == ()
            assert {experiment.note for experiment in store.experiments(View.ALL)} == {None}
            details = store.run_details(fixture.run("rf10"))
            assert details is not None
            assert {metric.key: metric.value for metric in details.metrics}["auc"] == 0.94
            spans = store.history_outline(fixture.run("rf10"), "loss", 10)
            assert {span.nan_count for span in spans} == {0}
            labels = {run_id: label for label, run_id in fixture.manifest["runs"].items()}
            best = store.run_ids(RunQuery(("1",), View.ACTIVE, (OrderKey(Column(Kind.METRIC, "auc"), True),)), 3)
            assert [labels[run_id] for run_id in best] == ["rf20", "rf10", "rf5"]
            records = store.run_records([fixture.run("rf10")], ALL_FIELDS)
            assert records[fixture.run("rf10")].metrics["auc"] == 0.94
            assert store.differing_columns([fixture.run("rf10"), fixture.run("rf5")])

    @pytest.mark.backends("sqlite")
    def test_text_that_is_not_utf8(self, fixture: FixtureStore) -> None:
        run_id = fixture.run("rf5")
        latin = b"caf\xe9"
        self.change(fixture, "UPDATE runs SET name = CAST(? AS TEXT), user_id = CAST(? AS TEXT)", latin, latin)
        self.change(fixture, "UPDATE params SET value = CAST(? AS TEXT)", latin)
        self.change(fixture, "UPDATE tags SET value = CAST(? AS TEXT)", latin)
        self.change(fixture, "UPDATE experiments SET name = CAST(? AS TEXT) WHERE experiment_id = 1", latin)
        with closing(Store(fixture.db)) as store:
            details = store.run_details(run_id)
            assert details is not None
            assert details.run.run_name == details.experiment_name == "caf\ufffd"
            assert set(dict(details.params).values()) == {"caf\ufffd"}
            assert "caf\ufffd" in {experiment.name for experiment in store.experiments(View.ALL)}
            assert store.find_runs(churn(), "caf", [Column(Kind.PARAM, "C")])

    @pytest.mark.backends("sqlite")
    def test_text_with_a_nul_character(self, fixture: FixtureStore) -> None:
        self.change(fixture, "UPDATE params SET value = ?", "a\0b")
        with closing(Store(fixture.db)) as store:
            details = store.run_details(fixture.run("rf5"))
            assert details is not None
            assert set(dict(details.params).values()) == {"a\0b"}

    def test_metric_times_in_seconds(self, fixture: FixtureStore) -> None:
        run_id = fixture.run("rf5")
        with closing(Store(fixture.db)) as store:
            details = store.run_details(run_id)
            assert details is not None
            assert details.run.start_time is not None
            start = details.run.start_time // 1000 + 60
        for logged, meant in (
            (start, start * 1000),
            (1_600_000_000, 1_600_000_000),
            (63_072_000_000, 63_072_000_000),
            (7, 7),
        ):
            self.change(fixture, "UPDATE latest_metrics SET timestamp = ? WHERE run_uuid = ?", logged, run_id)
            with closing(Store(fixture.db)) as store:
                details = store.run_details(run_id)
                assert details is not None
                assert {metric.timestamp for metric in details.metrics} == {meant}

    @pytest.mark.backends("sqlite")
    def test_values_longer_than_declared(self, fixture: FixtureStore) -> None:
        self.change(fixture, "UPDATE params SET value = ? WHERE key = 'C'", "x" * 100_000)
        with closing(Store(fixture.db)) as store:
            record = store.run_records([fixture.run("rf5")], ALL_FIELDS)[fixture.run("rf5")]
            assert record.params["C"] == "x" * 100_000

    @pytest.mark.parametrize("limit", [2**62, 2**63 - 1])
    def test_steps_as_far_apart_as_possible(self, fixture: FixtureStore, limit: int) -> None:
        run_id = fixture.run("rf5")
        self.change(
            fixture, "UPDATE metrics SET step = ? WHERE run_uuid = ? AND step = 0 AND key = 'loss'", -limit, run_id
        )
        self.change(
            fixture, "UPDATE metrics SET step = ? WHERE run_uuid = ? AND step = 29 AND key = 'loss'", limit, run_id
        )
        with closing(Store(fixture.db)) as store:
            spans = store.history_outline(run_id, "loss", 40)
        assert [span.position for span in spans] == sorted({span.position for span in spans})
        assert all(isinstance(span.position, int) for span in spans)
        assert (spans[0].position, spans[-1].position) == (0, 39)
        assert (spans[0].high, spans[-1].low) == (1.0, 1 / 30)

    def test_a_name_in_upper_case_is_not_the_one_in_lower_case(self, fixture: FixtureStore) -> None:
        self.change(fixture, "UPDATE params SET key = 'c' WHERE key = 'C' AND run_uuid = ?", fixture.run("rf5"))
        with closing(Store(fixture.db)) as store:
            ids = [fixture.run(label) for label in ("rf5", "rf10")]
            records = store.run_records(ids, RunFields(params=("C",)))
        assert [dict(records[run_id].params) for run_id in ids] == [{}, {"C": "9.5"}]

    def test_a_run_without_an_experiment(self, fixture: FixtureStore) -> None:
        self.change(fixture, "UPDATE runs SET experiment_id = NULL WHERE run_uuid = ?", fixture.run("rf5"))
        with closing(Store(fixture.db)) as store:
            details = store.run_details(fixture.run("rf5"))
            assert details is not None
            assert details.experiment_name is None
            assert store.run_counts()


def test_empty_texts_written_by_a_server(store_copy: CopyOf) -> None:
    """NULL and the empty text mean the same; MLflow's server writes the latter."""
    with closing(Store(store_copy("rest-3.17.2").db)) as store:
        experiments = store.experiments(View.ALL)
        ids = store.run_ids(RunQuery(tuple(experiment.experiment_id for experiment in experiments), View.ALL))
        assert ids
        for record in store.iter_records(ids, ALL_FIELDS):
            optional = (record.run.run_name, record.run.user_id, record.run.artifact_uri)
            assert "" not in optional
        assert "" not in {experiment.note for experiment in experiments}


def test_every_store_opens(store_copy: CopyOf) -> None:
    with closing(Store(store_copy("nyc-taxi").db)) as store:
        experiments = store.experiments(View.ACTIVE)
        ids = store.run_ids(RunQuery(tuple(experiment.experiment_id for experiment in experiments)))
        assert len(list(store.iter_records(ids, ALL_FIELDS))) == len(ids) > 20


@pytest.mark.backends("sqlite", "postgresql")  # others order text in another way
def test_numbers_come_before_texts_and_texts_before_missing_values(store_copy: CopyOf) -> None:
    fixture = store_copy("search")
    with closing(Store(fixture.db)) as store, closing(sqlite3.connect(fixture.db)) as connection:
        ids = store.run_ids(RunQuery(("1",)))[:7]
        values = ["b", "10", "9", "None", "1_000", "1e1"]
        with connection:
            connection.executemany("INSERT INTO params VALUES ('mixed', ?, ?)", zip(values, ids, strict=False))
        column, chosen = Column(Kind.PARAM, "mixed"), ", ".join(f"'{run_id}'" for run_id in ids)
        by_id = dict(zip(ids, values, strict=False))

        def found(key: OrderKey) -> list[str | None]:
            order = store.run_ids(RunQuery(("1",), View.ALL, (key,), f"run_id IN ({chosen})"))
            return [by_id.get(run_id) for run_id in order]

        assert found(OrderKey(column, as_number=True)) == ["9", "10", "1e1", "1_000", "None", "b", None]
        assert found(OrderKey(column, True, as_number=True)) == ["1e1", "10", "9", "b", "None", "1_000", None]
        assert found(OrderKey(column)) == ["10", "1_000", "1e1", "9", "None", "b", None], "as MLflow sorts"
        assert found(OrderKey(column, True)) == ["b", "None", "9", "1e1", "1_000", "10", None], "as MLflow sorts"


@pytest.mark.parametrize(
    ("values", "numeric"),
    [
        (["1", "None", " NULL ", "", "2"], True),
        (["1", "auto"], False),
        (["1", "1_000"], False),
        (["None", ""], False),
        ([], False),
    ],
)
def test_which_params_are_numeric(store_copy: CopyOf, values: list[str], numeric: bool) -> None:
    fixture = store_copy("search")
    with closing(Store(fixture.db)) as store, closing(sqlite3.connect(fixture.db)) as connection:
        ids = store.run_ids(RunQuery(("1",)))[: len(values)]
        with connection:
            connection.executemany("INSERT INTO params VALUES ('mixed', ?, ?)", zip(values, ids, strict=True))
        assert store.is_numeric(RunQuery(("1",)), Kind.PARAM, "mixed") is numeric
