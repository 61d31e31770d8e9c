"""Real MLflow takes the sample project for a store of its own."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("mlflow")

from mldeck.demo import churn, images
from mldeck.demo.project import make_demo

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = [
    pytest.mark.interop,
    # Stages are deprecated in MLflow, and still what this is about.
    pytest.mark.filterwarnings("ignore:.*stages.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*get_latest_versions.*:FutureWarning"),
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def client(demo: Path) -> MlflowClient:
    # Both are read when MLflow is imported, and a module's fixture comes before what is set for each test.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{demo}", registry_uri=f"sqlite:///{demo}")


@pytest.fixture
def churn_id(client: MlflowClient) -> str:
    experiment = client.get_experiment_by_name(churn.EXPERIMENT)
    assert experiment is not None
    return str(experiment.experiment_id)


def schema(db: Path) -> list[tuple[str | None, ...]]:
    connection = sqlite3.connect(db)
    try:
        rows = connection.execute("SELECT version_num, NULL FROM alembic_version").fetchall()
        return rows + connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    finally:
        connection.close()


def test_opening_migrates_nothing(demo: Path, client: MlflowClient) -> None:
    before = schema(demo)
    client.search_experiments()
    client.search_registered_models()
    assert schema(demo) == before
    assert before[0][0] == "dc11669786a5"


def test_experiments(client: MlflowClient) -> None:
    names = {experiment.name for experiment in client.search_experiments()}
    assert names == {"Default", churn.EXPERIMENT, images.EXPERIMENT, "hourly-demand"}
    noted = client.get_experiment_by_name(churn.EXPERIMENT)
    assert noted is not None
    assert noted.tags["mlflow.note.content"].startswith("# Churn forecast")


def test_runs_filtered_and_ordered(client: MlflowClient, churn_id: str) -> None:
    runs = client.search_runs(
        [churn_id], "metrics.`best/val_auc` > 0.8 and params.max_depth = '6'", order_by=["metrics.`best/val_auc` DESC"]
    )
    values = [run.data.metrics["best/val_auc"] for run in runs]
    assert values
    assert values == sorted(values, reverse=True)
    assert all(run.data.params["max_depth"] == "6" for run in runs)


def test_runs_by_dataset_and_name(client: MlflowClient, churn_id: str) -> None:
    used = client.search_runs([churn_id], "dataset.context = 'validation'")
    assert any(run.info.run_name == "candidate-may-data" for run in used)
    (found,) = client.search_runs([churn_id], "attributes.run_name = 'mlp-fp16'")
    assert found.info.status == "FAILED"
    assert math.isnan(found.data.metrics["train/loss"])


def test_history(client: MlflowClient) -> None:
    experiment = client.get_experiment_by_name(images.EXPERIMENT)
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], f"attributes.run_name = '{images.SPIKED_RUN}'")
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [point.step for point in history] == list(range(images.STEPS))
    assert max(history, key=lambda point: point.value).step == images.SPIKE_STEP


def test_registry(client: MlflowClient) -> None:
    assert [model.name for model in client.search_registered_models()] == ["churn-scorer", "hourly-demand"]
    champion = client.get_model_version_by_alias("churn-scorer", "champion")
    assert (int(champion.version), champion.current_stage) == (3, "Production")
    latest = {v.current_stage: int(v.version) for v in client.get_latest_versions("churn-scorer")}
    assert latest == {"None": 5, "Staging": 4, "Production": 3, "Archived": 2}
    assert len(client.search_model_versions("name = 'churn-scorer'")) == 5


def test_logged_models_and_their_files(client: MlflowClient, churn_id: str) -> None:
    models = client.search_logged_models([churn_id])
    assert len(models) == 5
    for model in models:
        assert model.status == "READY"
        assert model.tags["mlflow.modelVersions"]
        assert {metric.key for metric in model.metrics or []} >= {"val/auc", "test/auc"}
        paths = {file.path for file in client.list_logged_model_artifacts(model.model_id)}
        assert paths == {"MLmodel", "conda.yaml", "model.json", "python_env.yaml", "requirements.txt"}
        run = client.get_run(model.source_run_id)
        assert [output.model_id for output in run.outputs.model_outputs] == [model.model_id]


def test_descriptions_of_models_load(client: MlflowClient, churn_id: str) -> None:
    pytest.importorskip("pandas", reason="MLflow reads signatures with pandas")
    from mlflow.models import Model

    for model in client.search_logged_models([churn_id]):
        loaded = Model.load(model.artifact_location)
        assert (loaded.model_id, loaded.run_id) == (model.model_id, model.source_run_id)
        assert loaded.signature is not None
        assert loaded.signature.inputs.input_names() == list(churn.FEATURES)


def test_artifacts_of_a_run(client: MlflowClient, churn_id: str) -> None:
    (run,) = client.search_runs([churn_id], "attributes.run_name = 'candidate-sweep-best'")
    paths = {file.path: file.is_dir for file in client.list_artifacts(run.info.run_id)}
    assert paths == {"metrics.json": False, "plots": True, "report.md": False, "tables": True, "train.log": False}


def test_mlflow_goes_on_writing(client: MlflowClient, churn_id: str, tmp_path: Path) -> None:
    run = client.create_run(churn_id, run_name="from-mlflow")
    client.log_metric(run.info.run_id, "val/auc", 0.9, step=3)
    client.log_param(run.info.run_id, "max_depth", 6)
    (tmp_path / "note.txt").write_text("hello")
    client.log_artifact(run.info.run_id, str(tmp_path / "note.txt"))
    client.set_terminated(run.info.run_id)
    (found,) = client.search_runs([churn_id], "attributes.run_name = 'from-mlflow'")
    assert found.data.metrics == {"val/auc": 0.9}
    assert found.info.status == "FINISHED"
    candidate = client.get_latest_versions("churn-scorer", ["None"])[0]
    client.transition_model_version_stage("churn-scorer", candidate.version, "Staging", archive_existing_versions=True)
    assert client.get_model_version("churn-scorer", "4").current_stage == "Archived"
