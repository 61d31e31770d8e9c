"""The filter as Python, run by the real MLflow, finds what the table shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mldeck.model import Column, Kind, OrderKey, RunQuery, View
from mldeck.search.python import search_call
from mldeck.store.store import Store
from tests.fixture_stores import unpack

pytestmark = pytest.mark.interop

QUERIES = [
    ("", (), View.ACTIVE),
    ("metrics.rmse < 7", (OrderKey(Column(Kind.METRIC, "rmse"), True),), View.ALL),
    (
        "params.max_depth = '4' AND tags.`mlflow.runName` LIKE '%'",
        (OrderKey(Column(Kind.PARAM, "max_depth")),),
        View.ALL,
    ),
    ('status = "FINISHED"', (OrderKey(Column(Kind.ATTRIBUTE, "run_name")),), View.ACTIVE),
    ("tags.developer IS NOT NULL", (OrderKey(Column(Kind.TAG, "team.name")),), View.DELETED),
]


@pytest.mark.parametrize(("text", "order", "view"), QUERIES)
def test_the_snippet_finds_the_same_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, order: tuple[OrderKey, ...], view: View
) -> None:
    import mlflow

    db = unpack("search", tmp_path / "store") / "mlflow.db"
    store = Store(db)
    experiments = store.experiments(View.ACTIVE)
    query = RunQuery(tuple(each.experiment_id for each in experiments), view, order, text)
    wanted = store.run_ids(query)
    store.close()
    mlflow.set_tracking_uri(f"sqlite:///{db}")
    found: dict[str, Any] = {}
    exec(search_call(query, [each.name for each in experiments]), found)
    runs = found["runs"]
    assert (list(runs["run_id"]) if len(runs) else []) == wanted
    assert wanted or view is View.DELETED
