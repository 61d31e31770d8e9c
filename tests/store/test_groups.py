"""Summaries of metrics in groups of runs, compared with Python's `statistics`, and the columns that runs can be grouped by."""

from __future__ import annotations

import math
import sqlite3
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.model import Column, Kind, MetricSummary, RunFields, RunQuery, View
from mldeck.store.seed.seed import SCHEMA_FILE, encode_metric
from mldeck.store.store import Store
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.store.test_queries import recorded

pytestmark = pytest.mark.backends("sqlite", "postgresql", "mariadb")

SIZE = Column(Kind.PARAM, "size")
ALL = RunQuery(("1",))

Logged = Sequence[tuple[str | None, float | None]]
"""Of each run: the text that it is grouped by, and its value of the metric; None for nothing logged."""


def make_store(path: Path, runs: Logged) -> Store:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, lifecycle_stage, artifact_location) VALUES (1, 'e', 'active', '')"
        )
    replace_runs(path, runs)
    return Store(path)


def replace_runs(path: Path, runs: Logged) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("params", "tags", "latest_metrics", "runs"):
            connection.execute(f"DELETE FROM {table}")
        for number, (text, value) in enumerate(runs):
            add_run(connection, f"{number:032x}", text, value)


def add_run(connection: sqlite3.Connection, run_id: str, text: str | None, value: float | None) -> None:
    connection.execute(
        "INSERT INTO runs (run_uuid, name, experiment_id, lifecycle_stage, status, start_time)"
        " VALUES (?, ?, 1, 'active', 'FINISHED', ?)",
        (run_id, run_id, int(run_id[-8:], 16)),
    )
    if text is not None:
        connection.execute("INSERT INTO params (key, value, run_uuid) VALUES ('size', ?, ?)", (text, run_id))
    if value is not None:
        connection.execute(
            "INSERT INTO latest_metrics (key, value, is_nan, timestamp, step, run_uuid) VALUES ('loss', ?, ?, 0, 0, ?)",
            (*encode_metric(value), run_id),
        )


def expected(runs: Logged) -> dict[str | None, MetricSummary]:
    values: dict[str | None, list[float]] = {}
    for text, value in runs:
        if value is not None:
            values.setdefault(text, []).append(value)
    return {text: summary_of(of_text) for text, of_text in values.items()}


def summary_of(values: Iterable[float]) -> MetricSummary:
    values = list(values)
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        total = sum(values)
        return MetricSummary(0, total, None, total, total)
    deviation = statistics.stdev(finite) if len(finite) > 1 else None
    return MetricSummary(len(finite), statistics.mean(finite), deviation, min(finite), max(finite))


def assert_close(found: MetricSummary, wanted: MetricSummary) -> None:
    assert found.number == wanted.number
    for one, other in ((found.low, wanted.low), (found.high, wanted.high)):
        assert one == other or (math.isnan(one) and math.isnan(other))
    if not wanted.number:
        assert found.mean == wanted.mean or (math.isnan(found.mean) and math.isnan(wanted.mean))
        assert found.deviation is None
        return
    # The smallest numbers have no digits left that rounding could spare.
    size = max(abs(wanted.low), abs(wanted.high), sys.float_info.min)
    assert math.isclose(found.mean, wanted.mean, rel_tol=1e-9, abs_tol=1e-12 * size)
    assert wanted.low <= found.mean <= wanted.high
    assert (found.deviation is None) == (wanted.deviation is None)
    if found.deviation is not None and wanted.deviation is not None:
        # Values that differ in their last digit only have a spread that no sum of floats can show exactly.
        assert math.isclose(found.deviation, wanted.deviation, rel_tol=1e-6, abs_tol=1e-15 * size)


def assert_summaries(found: Mapping[str | None, MetricSummary], wanted: Mapping[str | None, MetricSummary]) -> None:
    assert found.keys() == wanted.keys()
    for text, summary in wanted.items():
        assert_close(found[text], summary)


LONG = "x" * 6_000
ODD: Logged = [
    *(("8", value) for value in (0.5, 0.25, math.nan, 0.75, math.inf, None)),
    *(("16", value) for value in (math.nan, math.nan)),
    *(("17", value) for value in (math.inf, math.inf)),
    *(("18", value) for value in (-math.inf, None)),
    *(("19", value) for value in (math.inf, -math.inf)),
    *((LONG, value) for value in (1.0, 3.0)),
    (LONG + "y", 5.0),
    *(("", value) for value in (0.1, 0.1, 0.1)),
    ("alone", 7.25),
    ("none logged", None),
    *((None, value) for value in (-1.5, 2.5)),
    *(("times", 1.7e12 + value) for value in (0, 1, 2)),
    *(("huge", value) for value in (1e308, 1.2e308, -1e308)),
    *(("tiny", value) for value in (1e-300, 2e-300)),
]


def test_odd_values(tmp_path: Path) -> None:
    with closing(make_store(tmp_path / "mlflow.db", ODD)) as store:
        found = store.group_summaries(ALL, SIZE, ["loss", "never"])
    assert found["never"] == {}
    assert_summaries(found["loss"], expected(ODD))
    assert found["loss"]["8"] == (3, 0.5, 0.25, 0.25, 0.75)
    assert found["loss"]["17"].mean == math.inf
    assert found["loss"]["18"].mean == -math.inf
    assert found["loss"]["alone"] == (1, 7.25, None, 7.25, 7.25)
    assert found["loss"][""] == (3, 0.1, 0.0, 0.1, 0.1)
    assert found["loss"]["times"].deviation == pytest.approx(1.0)
    assert "none logged" not in found["loss"]


FLOATS = st.floats() | st.floats(0, 1) | st.integers(0, 3).map(float) | st.floats(1e6, 1e6 + 1e-3)
RUNS = st.lists(st.tuples(st.sampled_from(["a", "b", "10", "9", "", None]), FLOATS | st.none()), max_size=25)


@pytest.fixture(scope="module")
def reused(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Store]:
    with closing(make_store(tmp_path_factory.mktemp("groups") / "mlflow.db", [])) as store:
        yield store


@pytest.mark.backends("sqlite")
@given(RUNS)
def test_they_are_what_plain_python_computes(reused: Store, runs: Logged) -> None:
    # MLflow's database cannot tell the largest floats from an infinity.
    runs = [(text, value if value is None or abs(value) < 1e307 else math.inf) for text, value in runs]
    replace_runs(Path(str(reused.address)), runs)
    assert_summaries(reused.group_summaries(ALL, SIZE, ["loss"])["loss"], expected(runs))


@pytest.mark.backends("sqlite")
@given(st.lists(FLOATS.filter(lambda value: not abs(value) > 1e300), min_size=2, max_size=20), st.data())
def test_summaries_of_parts_are_joined(values: list[float], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(values) - 1))
    assert_close(summary_of(values[:cut]).joined(summary_of(values[cut:])), summary_of(values))


def test_only_some_runs_count(tmp_path: Path) -> None:
    """More of them than a statement has room for."""
    runs = [(str(number % 3), float(number)) for number in range(1_200)]
    with closing(make_store(tmp_path / "mlflow.db", runs)) as store:
        some = [number for number in range(1_200) if number % 7]
        found = store.group_summaries(ALL, SIZE, ["loss"], {f"{number:032x}" for number in some})
        assert store.group_summaries(ALL, SIZE, ["loss"], ()) == {"loss": {}}
    assert_summaries(found["loss"], expected([runs[number] for number in some]))


def test_the_filter_and_the_stage_count(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with closing(make_store(path, [("a", 1.0), ("a", 2.0), ("a", 9.0)])) as store:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", (f"{0:032x}",))

        def mean(query: RunQuery) -> float:
            return store.group_summaries(query, SIZE, ["loss"])["loss"]["a"].mean

        assert mean(ALL) == 5.5
        assert mean(RunQuery(("1",), View.ALL)) == 4.0
        assert mean(RunQuery(("1",), filter="metrics.loss < 5")) == 2.0


@pytest.mark.backends("sqlite")
def test_times_of_runs(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with closing(make_store(path, [("a", None)] * 6)) as store:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE runs SET end_time = start_time + 100 * rowid WHERE rowid IN (2, 3, 6)")
            connection.execute("UPDATE runs SET start_time = 'text' WHERE rowid = 3")
            connection.execute("UPDATE runs SET start_time = NULL WHERE rowid = 4")
            connection.execute("UPDATE runs SET lifecycle_stage = 'deleted' WHERE rowid = 5")
        ids = [f"{number:032x}" for number in range(6)]
        times = [(0, None), (1, 200), (None, None), (None, None), (5, 600)]
        assert store.run_times(ALL) == dict(zip([*ids[:4], ids[5]], times, strict=True))


@pytest.mark.backends("sqlite")
def test_bytes_that_are_no_text_join_the_group_that_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with closing(make_store(path, [("5", 1.0), ("\ufffd", 2.0), ("a", 4.0), ("b", 6.0)])) as store:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE params SET value = CAST(x'ff' AS TEXT) WHERE value = 'a'")
            connection.execute("UPDATE params SET value = CAST(x'fe' AS TEXT) WHERE value = 'b'")
        texts = store.text_values(ALL, SIZE)
        found = store.group_summaries(ALL, SIZE, ["loss"])["loss"]
    assert found.keys() == set(texts.values())
    assert_summaries(found, expected([(texts[f"{i:032x}"], value) for i, value in enumerate((1.0, 2.0, 4.0, 6.0))]))


@pytest.mark.parametrize("name", DESCRIBED_FIXTURES)
def test_every_release(name: str, store_copy: Callable[[str], FixtureStore]) -> None:
    fixture = store_copy(name)
    with closing(Store(fixture.db)) as store:
        query = RunQuery(("1", "2"), View.ALL)
        kind = Column(Kind.PARAM, "C")
        texts = store.text_values(query, kind)
        records = store.run_records(store.run_ids(query), RunFields(metrics=("auc",)))
        runs = [(texts.get(run_id), record.metrics.get("auc")) for run_id, record in records.items()]
        with recorded(store) as statements:
            found = store.group_summaries(query, kind, ["auc", "loss"])
        assert len(statements) == 1
    assert any(value is not None for _, value in runs)
    assert_summaries(found["auc"], expected(runs))


@pytest.mark.backends("sqlite")
def test_each_value_is_read_once(tmp_path: Path) -> None:
    """Following the rows of the metrics, however many runs and groups there are."""
    path = tmp_path / "mlflow.db"
    with closing(make_store(path, [("a", 1.0)])) as store:
        with recorded(store) as statements:
            store.group_summaries(ALL, SIZE, ["loss"])
        with closing(sqlite3.connect(path)) as connection:
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statements[0][0]}", statements[0][1])]
    reads = [step for step in plan if "latest_metrics" in step]
    assert len(reads) == 1
    assert "(key=?)" in reads[0]


def test_what_differs_is_offered_first_and_mlflows_own_tags_last(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with closing(make_store(path, [("1", None), ("2", None)])) as store:
        one, two = (f"{number:032x}" for number in range(2))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executemany(
                "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
                [
                    ("constant", "7", one),
                    ("constant", "7", two),
                    ("depth", "3", one),
                    ("depth", "4", two),
                    ("added", "1", two),
                ],
            )
            tags = [("mlflow.user", "ada", one), ("mlflow.user", "bob", two), ("team", "x", one), ("team", "y", two)]
            connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)
        found = store.grouping_columns(ALL, [one, two])
        assert [(str(column), differs) for column, differs in found.items()] == [
            ("params.depth", True),
            ("params.size", True),
            ("tags.team", True),
            ("params.added", False),
            ("params.constant", False),
            ("tags.mlflow.user", True),
        ]
        assert set(store.grouping_columns(ALL, [])) == set(found)
        assert store.grouping_columns(RunQuery(("2",)), []) == {}
