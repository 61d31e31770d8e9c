"""Searches for runs, compared with recorded answers of MLflow 3.17.2, and the extensions with plain Python."""

from __future__ import annotations

import json
import math
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, column, select
from sqlalchemy.dialects import mysql, postgresql

from mldeck.search.errors import SearchError
from mldeck.search.parse import parse
from mldeck.search.tree import uses_extension
from mldeck.store.runs.filter import run_filter
from mldeck.store.store import Store
from tests.fixture_stores import ARCHIVES, SUFFIX, FixtureStore, unpack
from tests.store.search_oracle import find

pytestmark = pytest.mark.backends("sqlite", "postgresql", "mariadb")


def recorded_cases() -> list[dict[str, Any]]:
    """Return 160 searches with the answers of MLflow 3.17.2."""
    with tarfile.open(ARCHIVES / f"search{SUFFIX}", "r:xz") as archive:
        file = archive.extractfile("search_cases.json") or archive.extractfile("./search_cases.json")
        assert file is not None
        return list(json.load(file))


CASES = recorded_cases()
NOW = 1_704_000_000_000
EXTENSIONS = (
    " or ",
    "params.model IN",
    "params.model NOT IN",
    "params.max_depth IN",
    "tags.developer IN",
    "params.model = 3",
)
"""Texts in recorded errors of MLflow that are valid searches in mldeck."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("search", tmp_path_factory.mktemp("search"))


@pytest.fixture(scope="module")
def store(folder: Path, backend: str) -> Iterator[Store]:
    opened = Store(folder / "mlflow.db")
    yield opened
    opened.close()


@pytest.mark.backends("sqlite", "postgresql")  # on others, the order of text is another one: see tests/servers
@pytest.mark.parametrize(
    "case", CASES, ids=[f"{i}: {case['filter']} {case['order_by']}" for i, case in enumerate(CASES)]
)
def test_recorded_answers(case: dict[str, Any], store: Store) -> None:
    arguments = (case["filter"], case["order_by"], case["view"], case["experiments"])
    if "error" not in case:
        assert find(store, *arguments) == case["run_ids"]
    elif any(sign in case["filter"] for sign in EXTENSIONS):
        assert uses_extension(parse(case["filter"]))
        find(store, *arguments)
    else:
        with pytest.raises(SearchError):
            find(store, *arguments)


class Facts:
    """One run of the fixture, as plain values."""

    def __init__(
        self, row: sqlite3.Row, metrics: dict[str, float], params: dict[str, str], tags: dict[str, str]
    ) -> None:
        self.start, self.end, self.status = row["start_time"], row["end_time"], row["status"]
        self.metrics, self.params, self.tags = metrics, params, tags
        self.contexts: list[str] = []

    def number(self, key: str) -> float:
        """Return the param as a number, or NaN, which compares as false, when it is not one."""
        try:
            return float(self.params[key])
        except (KeyError, ValueError):
            return math.nan


@pytest.fixture(scope="module")
def facts(folder: Path) -> dict[str, Facts]:
    db = sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True)
    db.row_factory = sqlite3.Row
    found: dict[str, Facts] = {}
    for row in db.execute("SELECT * FROM runs"):
        rows = {
            name: db.execute(f"SELECT * FROM {name} WHERE run_uuid = ?", (row["run_uuid"],)).fetchall()
            for name in ("latest_metrics", "params", "tags")
        }
        metrics = {row["key"]: math.nan if row["is_nan"] else row["value"] for row in rows["latest_metrics"]}
        texts = ({row["key"]: row["value"] for row in rows[name]} for name in ("params", "tags"))
        found[row["run_uuid"]] = Facts(row, metrics, *texts)
    for row in db.execute("SELECT destination_id, value FROM inputs JOIN input_tags USING (input_uuid)"):
        found[row["destination_id"]].contexts.append(row["value"])
    db.close()
    return found


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("params.max_depth > 8", lambda f: f.number("max_depth") > 8),
        ("params.learning_rate < 0.1", lambda f: f.number("learning_rate") < 0.1),
        ("params.learning_rate >= 0.1", lambda f: f.number("learning_rate") >= 0.1),
        ("params.learning_rate = 0.3", lambda f: f.params.get("learning_rate") == "0.30"),
        (
            "params.learning_rate != 0.1",
            lambda f: f.number("learning_rate") not in (0.1,) and f.number("learning_rate") > -1,
        ),
        ("params.learning_rate IN (0.3, 1)", lambda f: f.number("learning_rate") in (0.3, 1)),
        ("params.max_depth NOT IN (2, 3)", lambda f: f.number("max_depth") > 3),
        ("params.model IN ('lasso', \"o'neil\")", lambda f: f.params.get("model") in ("lasso", "o'neil")),
        ("params.model NOT IN ('lasso')", lambda f: "model" in f.params and f.params["model"] != "lasso"),
        ("params.model NOT LIKE '%o%'", lambda f: "model" in f.params and "o" not in f.params["model"]),
        ("tags.developer NOT ILIKE 'ADA'", lambda f: f.tags.get("developer", "ada").lower() != "ada"),
        ("metrics.rmse IN (6.5, 7)", lambda f: f.metrics.get("rmse") in (6.5, 7)),
        ("metrics.rmse NOT IN (6.5, 7)", lambda f: "rmse" in f.metrics and f.metrics["rmse"] not in (6.5, 7)),
        (f"metrics.rmse < {10**20 - 1}", lambda f: f.metrics.get("rmse", math.nan) < 1e20),
        (f"metrics.rmse < {'9' * 310}", lambda f: f.metrics.get("rmse", math.nan) < math.inf),
        (f"metrics.rmse NOT IN (6.5, {'9' * 310})", lambda f: f.metrics.get("rmse", 6.5) != 6.5),
        (f"params.max_depth > -{'9' * 310}", lambda f: f.number("max_depth") > -math.inf),
        ("metrics.rmse IS NULL", lambda f: "rmse" not in f.metrics),
        ("metrics.rmse IS NOT NULL", lambda f: "rmse" in f.metrics),
        ("NOT metrics.rmse < 7", lambda f: not f.metrics.get("rmse", math.nan) < 7),
        ("NOT metrics.rmse IS NULL", lambda f: "rmse" in f.metrics),
        ("NOT (NOT params.model = 'lasso')", lambda f: f.params.get("model") == "lasso"),
        ("end_time IS NULL", lambda f: f.end is None),
        ("NOT end_time > 0", lambda f: f.end is None),
        ("dataset.context IS NULL", lambda f: not f.contexts),
        ("dataset.name IS NOT NULL", lambda f: bool(f.contexts)),
        ("NOT dataset.context = 'train'", lambda f: "train" not in f.contexts),
        ("run_name IS NULL", lambda f: not f.tags.get("mlflow.runName")),
        ("user_id IS NOT NULL", lambda f: True),
        ("status IN ('FAILED', 'KILLED')", lambda f: f.status in ("FAILED", "KILLED")),
        ("NOT status IN ('FAILED', 'KILLED')", lambda f: f.status not in ("FAILED", "KILLED")),
        ("duration > 10m", lambda f: f.end is not None and f.end - f.start > 600_000),
        ("NOT duration > 10m", lambda f: f.end is None or f.end - f.start <= 600_000),
        ("duration IS NULL", lambda f: f.end is None),
        ("start_time > '20d ago'", lambda f: f.start > NOW - 20 * 86_400_000),
        ("start_time >= '2023-12-01T00:00:00Z'", lambda f: f.start >= 1_701_388_800_000),
        ("brave", lambda f: "brave" in f.tags["mlflow.runName"].lower()),
        ("run-00", lambda f: "run-00" in f.tags["mlflow.runName"].lower()),
        ("n_0", lambda f: False),
        ("'a b c'", lambda f: "a b c" in f.tags["mlflow.runName"].lower()),
        (
            "metrics.rmse < 5 OR metrics.rmse > 10",
            lambda f: f.metrics.get("rmse", 7) < 5 or f.metrics.get("rmse", 7) > 10,
        ),
        (
            "(status = 'FAILED' OR status = 'KILLED') AND NOT params.model LIKE 'r%'",
            lambda f: f.status in ("FAILED", "KILLED") and not f.params.get("model", "").startswith("r"),
        ),
        (
            "status = 'FAILED' OR status = 'KILLED' AND params.model = 'lasso'",
            lambda f: f.status == "FAILED" or (f.status == "KILLED" and f.params.get("model") == "lasso"),
        ),
    ],
)
def test_extensions(
    text: str,
    matches: Callable[[Facts], bool],
    store: Store,
    facts: dict[str, Facts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mldeck.store.runs.records.time.time", lambda: NOW / 1000)
    wanted = {run_id for run_id, fact in facts.items() if matches(fact)}
    assert set(find(store, text)) == wanted


NUMBERS = {"1e-3": 0.001, " 7 ": 7.0, ".5": 0.5, "5.": 5.0, "+1": 1.0, "-2.5E3": -2500.0, "0.30": 0.3}
TEXTS = ["7b", "", " ", "nan", "inf", "0x1F", "1_0", "7 8", "true", "1e", "- 7", "--7", "1.2.3"]


@pytest.mark.parametrize("text", [*NUMBERS, *TEXTS])
def test_a_param_is_a_number_only_as_a_whole(text: str, tmp_path: Path) -> None:
    path = unpack("search", tmp_path) / "mlflow.db"
    db = sqlite3.connect(path)
    (run_id,) = db.execute("SELECT run_uuid FROM runs LIMIT 1").fetchone()
    db.execute("INSERT INTO params (key, value, run_uuid) VALUES ('p', ?, ?)", (text, run_id))
    db.commit()
    db.close()
    store = Store(path)
    hits = [clause for clause in ("< 1e999", ">= -1e999", "!= 123456") if find(store, f"params.p {clause}")]
    assert len(hits) == (3 if text in NUMBERS else 0)
    if text in NUMBERS:
        assert find(store, f"params.p = {NUMBERS[text]:f}".replace("0.001000", "0.001")) == [run_id]
    store.close()


def test_a_database_without_datasets(store_copy: Callable[[str], FixtureStore]) -> None:
    old = Store(store_copy("mlflow-1.30.1").db)
    assert find(old, "dataset.name = 'x'") == []
    assert find(old, "dataset.name IS NULL") == find(old, "")
    old.close()


@pytest.mark.backends("sqlite")
@pytest.mark.parametrize(
    "text", ["metrics.a < 1", "params.a > 1 AND tags.b LIKE 'x'", "NOT (brave OR duration > 1m)", ""]
)
def test_sql_for_servers(text: str, store: Store) -> None:
    schema = store.schema
    statement: Select[Any] = (
        select(column("run_uuid")).select_from(schema.runs).where(run_filter(parse(text), schema, NOW))
    )
    on_postgresql = str(statement.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    on_mysql = str(statement.compile(dialect=mysql.dialect()))
    assert "9e999" not in on_postgresql + on_mysql
    if "params" in text:
        assert "AS NUMERIC" in on_postgresql
        assert "BINARY" in on_mysql
