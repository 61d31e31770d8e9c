"""mldeck reads and searches a registry as MLflow does, and MLflow uses what mldeck registered and promoted."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mlflow")

from mldeck.registry.nouns import ModelOrder, ModelQuery, ModelVersion
from mldeck.registry.plan import plan_transition, plan_undo
from mldeck.search.errors import SearchError
from tests.fixture_stores import FixtureStore
from tests.interop.registry_deck import CURRENT, MODEL, NEWEST, Deck, client_of, registered

pytestmark = [
    pytest.mark.interop,
    pytest.mark.usefixtures("quiet_mlflow"),
    # Stages are deprecated in MLflow, and still what this is about.
    pytest.mark.filterwarnings("ignore:.*stages.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*get_latest_versions.*:FutureWarning"),
]

CopyOf = Callable[[str], FixtureStore]


def test_mlflow_uses_what_was_registered_and_promoted(store_copy: CopyOf, deck_of: Callable[[Path], Deck]) -> None:
    import mlflow

    store = store_copy(NEWEST)
    client = client_of(store.db)
    mlflow.set_experiment(experiment_id=store.experiment("churn"))
    with mlflow.start_run() as run:
        for factor in (2, 3):
            mlflow.pyfunc.log_model(name="scaler", python_model=scaled_by(factor), pip_requirements=[], step=factor)
        mlflow.pyfunc.save_model(store.path / "saved", python_model=scaled_by(7), pip_requirements=[])
        mlflow.log_artifacts(str(store.path / "saved"), "in/the/run")
    deck = deck_of(store.db)

    def has_model(uri: str) -> bool:
        return (Path(uri) / "MLmodel").exists()

    logged = deck.reader.source_of_run(run.info.run_id, "scaler", has_model)
    assert logged.source == f"models:/{logged.model_id}"
    assert deck.editor.register("scaler", logged).version == 1
    in_run = deck.reader.source_of_run(run.info.run_id, "in/the/run", has_model)
    assert (in_run.source, in_run.model_id) == (f"{run.info.artifact_uri}/in/the/run", None)
    assert deck.editor.register("scaler", in_run).version == 2
    deck.move(1, "Production", True, "scaler")
    deck.move(2, "Staging", True, "scaler")
    deck.editor.set_alias("scaler", "champion", 2)

    latest = {each.current_stage: int(each.version) for each in client.get_latest_versions("scaler")}
    assert latest == {"Production": 1, "Staging": 2}
    loaded = [f"models:/scaler/{which}" for which in ("Production", "Staging", "latest")] + ["models:/scaler@champion"]
    assert [mlflow.pyfunc.load_model(uri).predict([5.0]) for uri in loaded] == [[15.0], [35.0], [35.0], [35.0]]
    assert int(registered("scaler", f"models:/{logged.model_id}").version) == 3  # type: ignore[attr-defined]
    assert logged.model_id is not None
    noted = json.loads(client.get_logged_model(logged.model_id).tags["mlflow.modelVersions"])
    assert [(each["name"], int(each["version"])) for each in noted] == [("scaler", 1), ("scaler", 3)]


def scaled_by(factor: int) -> Callable[[list[float]], list[float]]:
    from mlflow.pyfunc.utils import pyfunc

    @pyfunc
    def predict(model_input: list[float]) -> list[float]:
        return [factor * each for each in model_input]

    predictor: Callable[[list[float]], list[float]] = predict
    return predictor


def test_undoing_is_for_mlflow_a_change_of_stage(store_copy: CopyOf, deck_of: Callable[[Path], Deck]) -> None:
    store = store_copy(NEWEST)
    deck = deck_of(store.db)
    editor = deck.store.registry_editor()
    done = editor.transition(plan_transition(deck.reader.versions(MODEL), 3, "Production", True), "because")
    client = client_of(store.db)
    record = json.loads(client.get_model_version(MODEL, "3").tags[f"mldeck.transition.{done.when}"])
    assert (record["from"], record["to"], record["archived"], record["reason"]) == (
        "Staging",
        "Production",
        [2],
        "because",
    )
    editor.transition(plan_undo(deck.reader.versions(MODEL), done))
    assert [client.get_model_version(MODEL, each).current_stage for each in ("2", "3")] == ["Production", "Staging"]


FILTERS = [
    "", "name = 'churn-model'", "name != 'churn-model'", "name LIKE 'churn%'", "name LIKE 'CHURN%'", "name ILIKE '%MODEL'",
    "name IN ('churn-model', 'empty-model')", "name NOT IN ('churn-model')", "attribute.name = 'direct-model'",
    "tags.task = 'classification'", "tag.task != 'x'", "tags.task LIKE '%class%'", "tags.`task` ILIKE 'CLASS%'",
    "tags.task = 'classification' AND tags.domain = 'crm'", "tags.task = 'classification' and tags.task != 'crm'",
    "tags.task = 'classification' AND name = 'empty-model'", "tags.missing = 'x'", "tags.missing != 'x'",
    "name = 'greeting-prompt'", "tags.`mlflow.prompt.is_prompt` = 'false'", "tags.`mlflow.prompt.is_prompt` != 'true'",
    "name LIKE '%\u00e4%'", "name ILIKE '%\u00c4%'", "name = 'churn_model'", "name LIKE 'churn_model'", "name=\"churn-model\"",
    "name = 'churn-model' AND", "name = 'old-name'", "tags.`task` = 'classification'", "tags.\"task\" = 'classification'",
    *(f"tags.`mlflow.prompt.is_prompt` {operator} '{value}'" for operator in ("=", "!=", "LIKE", "ILIKE")
      for value in ("x", "false", "False", "true", "TRUE", "")),
]  # fmt: skip


@pytest.mark.parametrize("fixture", CURRENT)
def test_a_search_finds_what_mlflow_finds(fixture: str, store_copy: CopyOf, deck_of: Callable[[Path], Deck]) -> None:
    store = store_copy(fixture)
    client, reader = client_of(store.db), deck_of(store.db).reader
    for text in FILTERS:
        theirs = [each.name for each in client.search_registered_models(text) if each.name != "greeting-prompt"]
        # What has no registered model is not found by MLflow.
        assert [each.name for each in reader.models(ModelQuery(text)) if not each.is_orphan] == theirs, text


@pytest.mark.parametrize("order", ["name ASC", "name DESC", "last_updated_timestamp ASC", "timestamp DESC"])
def test_the_order_is_mlflows(order: str, store_copy: CopyOf, deck_of: Callable[[Path], Deck]) -> None:
    store = store_copy(NEWEST)
    with closing(sqlite3.connect(store.db)) as connection, connection:
        connection.execute("UPDATE registered_models SET last_updated_time = 5 WHERE name != 'churn-model'")
    theirs = [each.name for each in client_of(store.db).search_registered_models(order_by=[order])]
    by = ModelOrder.LAST_UPDATED if "timestamp" in order else ModelOrder.NAME
    ours = deck_of(store.db).reader.models(ModelQuery("", by, order.endswith("DESC")))
    assert [each.name for each in ours] == theirs


@pytest.mark.parametrize(
    "text",
    ["nam = 'x'", "metrics.a = 1", "params.a = 'x'", "tags.a > 'x'", "tags.a = 1", "name = 1", "name > 'x'",
     "last_updated_timestamp > 5", "name == 'x'", "run_id = 'x'", "datasets.name = 'x'", "`name` = 'x'", "\"name\" = 'x'",
     "attr.name = 'x'", "attributes.name = 'x'", "attribute.`name` = 'x'", "`attribute`.name = 'x'", "`tags`.a = 'x'"],
)  # fmt: skip
def test_a_search_that_mlflow_refuses_is_refused(
    text: str, store_copy: CopyOf, deck_of: Callable[[Path], Deck]
) -> None:
    from mlflow.exceptions import MlflowException

    store = store_copy(NEWEST)
    with pytest.raises(MlflowException):
        client_of(store.db).search_registered_models(text)
    with pytest.raises(SearchError):
        deck_of(store.db).reader.models(ModelQuery(text))


def test_versions_and_models_are_read_as_mlflow_reads_them(store_copy: CopyOf, deck_of: Callable[[Path], Deck]) -> None:
    for fixture in CURRENT:
        store = store_copy(fixture)
        client, reader = client_of(store.db), deck_of(store.db).reader
        for model in client.search_registered_models():
            ours = reader.model(model.name)
            assert ours is not None
            assert (ours.creation_time, ours.last_updated_time) == (
                model.creation_timestamp,
                model.last_updated_timestamp,
            )
            assert (ours.description or "", ours.tags) == (model.description or "", model.tags)
            assert ours.aliases == {alias: int(version) for alias, version in model.aliases.items()}
            assert ours.latest == {each.current_stage: int(each.version) for each in model.latest_versions}
            theirs = client.search_model_versions(f"name = '{model.name}'", order_by=["version_number DESC"])
            assert [fields_of(each) for each in reader.versions(model.name)] == [their_fields(each) for each in theirs]
            assert ours.version_count == len(theirs)


def fields_of(version: ModelVersion) -> tuple[object, ...]:
    texts = (version.description, version.source, version.run_id, version.run_link)
    times = (version.creation_time, version.last_updated_time)
    named = (version.version, version.stage, version.status, version.tags)
    return (*named, *times, *(each or "" for each in texts))


def their_fields(version: Any) -> tuple[object, ...]:
    texts = (version.description, version.source, version.run_id, version.run_link)
    times = (version.creation_timestamp, version.last_updated_timestamp)
    named = (int(version.version), version.current_stage, version.status, version.tags)
    return (*named, *times, *(each or "" for each in texts))
