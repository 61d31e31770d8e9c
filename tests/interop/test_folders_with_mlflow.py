"""File stores that the real MLflow writes while mldeck reads them, and searches in them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldeck.model import ALL_FIELDS, RunQuery, RunRecord, View
from mldeck.search.errors import SearchError
from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.store.store import Store
from tests.file_stores import write_as_folder
from tests.fixture_stores import unpack
from tests.interop.test_search_interop import ORDERS
from tests.search.mlflow_text import search
from tests.store.search_oracle import find

pytestmark = pytest.mark.interop
ALLOWED = ("MLFLOW_ALLOW_FILE_STORE", "true")
"""MLflow 3.13 and later open file stores only with this variable."""
_PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of the recorded searches."""
    place = tmp_path_factory.mktemp("folder")
    write_as_folder(unpack("search", place / "database") / "mlflow.db", place / "mlruns")
    return place / "mlruns"


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = Store(MlrunsFolder(folder))
    opened.wait_until_complete(print)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def mlflow_store(folder: Path, quiet_mlflow: None) -> Any:
    from mlflow.store.tracking.file_store import FileStore

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*ALLOWED)
        return FileStore(str(folder), str(folder))


def ask_mlflow(store: Any, text: str, order: list[str]) -> list[str] | None:
    """The ids that MLflow finds, None if it rejects the search."""
    from mlflow.entities import ViewType

    names = [each.experiment_id for each in store.search_experiments(ViewType.ALL)]
    try:
        return [run.info.run_id for run in store.search_runs(names, text, ViewType.ALL, 1000, order)]
    except Exception:  # noqa: BLE001 - MLflow rejects with errors of all kinds
        return None


def test_generated_searches(mlflow_store: Any, store: Store) -> None:
    rng = random.Random(7)
    answered = 0
    for _ in range(150):
        text = search(rng)
        order = rng.choices(ORDERS, k=rng.choice([0, 1, 1, 2]))
        try:
            ours = find(store, text, order)
        except SearchError:
            continue
        theirs = ask_mlflow(mlflow_store, text, order)
        if theirs is not None:
            assert ours == theirs, (text, order)
            answered += 1
    assert answered > 20


def test_it_follows_mlflow(tmp_path: Path, quiet_mlflow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv(*ALLOWED)
    monkeypatch.setattr("mldeck.store.mirror.mirror.LOOK_S", 0.1)
    client = MlflowClient(f"file://{tmp_path}/mlruns")
    experiment = client.create_experiment("watched")
    first = client.create_run(experiment).info.run_id
    store = Store(MlrunsFolder(tmp_path / "mlruns"))
    try:
        everything = RunQuery((experiment,), View.ALL)

        def seen() -> dict[str, RunRecord]:
            store.poll()
            ids = store.run_ids(everything)
            return store.run_records(ids, ALL_FIELDS)

        def until(is_true: Any) -> None:
            deadline = time.monotonic() + _PATIENCE_S
            while not is_true(seen()):
                assert time.monotonic() < deadline, seen()
                time.sleep(0.02)

        until(lambda runs: first in runs)
        client.log_metric(first, "loss", 0.5, step=0)
        until(lambda runs: runs[first].metrics == {"loss": 0.5})
        client.log_metric(first, "loss", 0.25, step=1)
        until(lambda runs: runs[first].metrics == {"loss": 0.25})
        client.log_param(first, "nested/param", "1")
        until(lambda runs: runs[first].params == {"nested/param": "1"})
        client.set_tag(first, "stage", "dev")
        until(lambda runs: runs[first].tags.get("stage") == "dev")
        client.set_tag(first, "stage", "prod")
        until(lambda runs: runs[first].tags.get("stage") == "prod")
        client.set_terminated(first, "FAILED")
        until(lambda runs: runs[first].run.status == "FAILED")
        client.set_tag(first, "stage", "archived")
        until(lambda runs: runs[first].tags.get("stage") == "archived")
        second = client.create_run(experiment).info.run_id
        until(lambda runs: second in runs)
        client.delete_run(second)
        until(lambda runs: second in runs and runs[second].run.lifecycle_stage == "deleted")
        client.create_registered_model("model")
        client.create_model_version("model", "s3://bucket/model", first)
        until(lambda _: [version.version for version in store.registry().versions("model")] == [1])
        client.transition_model_version_stage("model", "1", "Production")
        client.set_registered_model_alias("model", "champion", "1")
        until(lambda _: store.registry().version("model", 1).stage == "Production")  # type: ignore[union-attr]
        until(lambda _: store.registry().version("model", 1).aliases == ("champion",))  # type: ignore[union-attr]
        logged = client.create_logged_model(experiment, "logged", first)
        client.finalize_logged_model(logged.model_id, "READY")
        until(lambda _: [model.status for model in store.registry().models_of_run(first)] == ["READY"])
        client.delete_experiment(experiment)
        until(lambda _: [each.name for each in store.experiments(View.DELETED)] == ["watched"])
        until(lambda runs: runs[first].run.lifecycle_stage == "deleted")
        client.restore_experiment(experiment)
        until(lambda runs: runs[first].run.lifecycle_stage == "active")
        assert store.reading_notices == ()
        assert seen()[first].metrics == {"loss": 0.25}
    finally:
        store.close()
