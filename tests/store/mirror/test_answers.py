"""File stores of several releases of MLflow, compared with what MLflow's own client said of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mldeck.model import RunQuery, View
from mldeck.search.order import parse_orders
from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.store.store import Store
from tests.fixture_folders import FOLDERS, unpack

Answers = dict[str, Any]


@pytest.fixture(params=FOLDERS)
def answers(request: pytest.FixtureRequest, tmp_path: Path) -> Answers:
    return unpack(request.param, tmp_path)


@pytest.fixture
def store(answers: Answers, tmp_path: Path) -> Iterator[Store]:
    store = Store(MlrunsFolder(tmp_path / "mlruns"))
    store.wait_until_complete(print)
    yield store
    store.close()


def equal(number: float, other: float) -> bool:
    return number == other or (math.isnan(number) and math.isnan(other))


OF_DATASET = "acc"
"""A metric with a point for a dataset. MLflow's client takes the step of such a point for 0; `migrate-filestore` does not."""


def test_the_releases() -> None:
    assert FOLDERS == ["mlflow-1.2.0", "mlflow-1.30.1", "mlflow-2.9.2", "mlflow-3.17.2"]


@pytest.mark.parametrize("view", View)
def test_experiments(store: Store, answers: Answers, view: View) -> None:
    found = {each.experiment_id: each for each in store.experiments(view)}
    expected = {each["experiment_id"]: each for each in answers["experiments"][view.value]}
    assert found.keys() == expected.keys()
    for key, each in found.items():
        written = expected[key]
        assert (each.name, each.artifact_location) == (written["name"], written["artifact_location"])
        assert each.lifecycle_stage == written["lifecycle_stage"]
        assert (each.creation_time, each.last_update_time) == (written["creation_time"], written["last_update_time"])
        assert each.note == written["tags"].get("mlflow.note.content")
    if int(answers["mlflow_version"][0]) > 1:  # the order was another one
        assert list(found) == list(expected)


def test_every_field_of_every_run(store: Store, answers: Answers) -> None:
    everything = RunQuery(tuple(each.experiment_id for each in store.experiments(View.ALL)), View.ALL)
    assert sorted(store.run_ids(everything)) == sorted(run["run_id"] for run in answers["runs"])
    for expected in answers["runs"]:
        details = store.run_details(expected["run_id"])
        assert details is not None
        run = details.run
        names = (
            "run_id",
            "experiment_id",
            "user_id",
            "status",
            "start_time",
            "end_time",
            "lifecycle_stage",
            "artifact_uri",
        )
        assert {name: getattr(run, name) for name in names} == {name: expected[name] for name in names}
        name = expected["run_name"] or expected["tags"].get("mlflow.runName")
        assert run.run_name == (name or None)
        assert dict(details.params) == expected["params"]
        assert dict(details.tags) == expected["tags"]
        metrics = {metric.key: metric for metric in details.metrics}
        assert metrics.keys() == expected["metrics"].keys()
        for key, (value, timestamp, step) in expected["metrics"].items():
            metric = metrics[key]
            if key == OF_DATASET:
                assert (metric.value, metric.step) == (0.79, 2)
                continue
            assert equal(metric.value, value), key
            assert (metric.timestamp, metric.step) == (timestamp, step), key
        datasets = sorted([each.name, each.digest, each.context] for each in details.datasets)
        assert datasets == [
            [name, digest, tags.get("mlflow.data.context")] for name, digest, tags in expected["datasets"]
        ]


def test_histories(store: Store, answers: Answers) -> None:
    count = 0
    for run in answers["runs"]:
        details = store.run_details(run["run_id"])
        assert details is not None
        for key, points in run["histories"].items():
            history = store.read_history(run["run_id"], key)
            found = zip(history.steps, history.timestamps, history.values, strict=True)
            if key == OF_DATASET:
                assert list(history.steps) == [0, 1, 2]
                continue
            assert sorted(map(str, map(list, found))) == sorted(map(str, points)), key
            assert (key in details.single_metrics) == (len({step for step, _, _ in points}) == 1), key
            count += 1
    assert count > 20


def test_searches(store: Store, answers: Answers) -> None:
    ids = tuple(each.experiment_id for each in store.experiments(View.ALL))
    assert len(answers["searches"]) > 12
    for text, order, expected in answers["searches"]:
        found = store.run_ids(RunQuery(ids, View.ACTIVE, parse_orders(order), text))
        assert found == expected, (text, order)


def test_registered_models(store: Store, answers: Answers) -> None:
    reader = store.registry()
    models = {each.name: each for each in reader.models()}
    assert models.keys() == {each["name"] for each in answers["models"]}
    for expected in answers["models"]:
        model = models[expected["name"]]
        assert model.creation_time == expected["creation_timestamp"]
        assert model.last_updated_time == expected["last_updated_timestamp"]
        assert model.description == (expected["description"] or None)
        assert dict(model.tags) == expected["tags"]
        assert dict(model.aliases) == expected["aliases"]
    versions = {(name, each.version): each for name in models for each in reader.versions(name)}
    live = [each for each in answers["versions"] if each["current_stage"] != "Deleted_Internal"]
    assert versions.keys() == {(each["name"], each["version"]) for each in live}
    for expected in live:
        version = versions[expected["name"], expected["version"]]
        assert (version.stage, version.status) == (expected["current_stage"], expected["status"])
        assert (version.source, version.run_id) == (expected["source"], expected["run_id"])
        assert version.description == (expected["description"] or None)
        assert version.creation_time == expected["creation_timestamp"]
        assert version.last_updated_time == expected["last_updated_timestamp"]
        assert dict(version.tags) == expected["tags"]


def test_logged_models(store: Store, answers: Answers) -> None:
    expected = {each["model_id"]: each for each in answers["logged_models"]}
    reader = store.registry()
    found = {
        model.model_id: model
        for run in answers["runs"]
        for model in reader.models_of_run(run["run_id"])
        if model.model_id
    }
    of_runs = {key for key, each in expected.items() if each["source_run_id"]}
    assert found.keys() == of_runs
    for key in of_runs:
        assert found[key].name == expected[key]["name"]
        assert dict(found[key].params) == expected[key]["params"]
