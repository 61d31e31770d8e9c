"""Reading the registry of stores of several releases, with unusual contents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import event

from mldeck.errors import MldeckError
from mldeck.registry.history import EventKind
from mldeck.registry.nouns import ModelOrder, ModelQuery
from mldeck.search.errors import SearchError
from mldeck.store.store import Store
from tests.editing import NEWEST, OLDEST, has_column, sql
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MIGRATED, MODEL, two_workspaces
from tests.store_insides import engine_of

pytestmark = pytest.mark.backends("sqlite", "postgresql", "mariadb")

LONGEST_NAME = 256

CopyOf = Callable[[str], FixtureStore]
Opened = Callable[[FixtureStore], Store]


@pytest.fixture
def opened() -> Iterator[Opened]:
    stores: list[Store] = []

    def open_it(fixture: FixtureStore) -> Store:
        stores.append(Store(fixture.db))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


def has_registry(fixture: FixtureStore) -> bool:
    return has_column(fixture, "model_versions", "version")


def test_the_models_of_every_release(fixture_store: FixtureStore, opened: Opened) -> None:
    reader = opened(fixture_store).registry()
    models = {model.name: model for model in reader.models()}
    if not has_registry(fixture_store):
        assert (models, reader.has_registry, reader.model(MODEL), reader.history(MODEL)) == ({}, False, None, ())
        assert (reader.versions(MODEL), reader.versions_of_run("x"), reader.version(MODEL, 1)) == ((), (), None)
        return
    assert reader.has_registry
    assert list(models) == sorted(models)
    assert {MODEL, "empty-model", "new näme v2"} <= models.keys()
    assert "greeting-prompt" not in models
    assert "gone-model" not in models
    churn = models[MODEL]
    assert (churn.latest, churn.version_count, churn.is_orphan) == (
        {"None": 6, "Staging": 3, "Production": 2, "Archived": 1},
        5,
        False,
    )
    assert churn.description
    assert reader.model(MODEL) == churn
    if has_column(fixture_store, "registered_model_aliases", "alias"):
        expected = {} if fixture_store.path.name.startswith(MIGRATED) else {"champion": 2, "challenger": 3, "shadow": 3}
        assert churn.aliases == expected


def test_the_versions_of_every_release(fixture_store: FixtureStore, opened: Opened) -> None:
    if not has_registry(fixture_store):
        return
    reader = opened(fixture_store).registry()
    versions = reader.versions(MODEL)
    assert [(version.version, version.stage) for version in versions] == [
        (6, "None"), (4, "None"), (3, "Staging"), (2, "Production"), (1, "Archived"),
    ]  # fmt: skip
    first = versions[-1]
    assert (first.run_id, first.description) == (fixture_store.run("logreg"), "Logistic regression baseline")
    assert reader.version(MODEL, 1) == first
    assert reader.version(MODEL, 5) is None
    assert reader.versions_of_run(fixture_store.run("logreg")) == (first,)
    deleted = [event for event in reader.history(MODEL) if event.kind is EventKind.DELETED]
    assert [event.version for event in deleted] == [5]


def test_orphans_are_marked(store_copy: CopyOf, opened: Opened) -> None:
    reader = opened(store_copy(MIGRATED)).registry()
    orphan = reader.model("old-name")
    assert orphan is not None
    assert (orphan.is_orphan, orphan.latest, orphan.creation_time) == (True, {"None": 1}, None)
    assert orphan.last_updated_time == reader.versions("old-name")[0].last_updated_time
    assert [model.name for model in reader.models() if model.is_orphan] == ["old-name"]


def test_dangling_aliases(store_copy: CopyOf, opened: Opened) -> None:
    """MLflow before 3.17 leaves behind the aliases of a deleted version."""
    store = store_copy("mlflow-2.9.2")
    insert = "INSERT INTO registered_model_aliases (name, alias, version) VALUES (?, ?, ?)"
    sql(store, insert, MODEL, "of-deleted", 5)
    sql(store, insert, MODEL, "of-missing", 99)
    model = opened(store).registry().model(MODEL)
    assert model is not None
    assert model.dangling_aliases == {"of-deleted": 5, "of-missing": 99}
    assert model.aliases == {"champion": 2, "challenger": 3, "shadow": 3}


def test_empty_texts_are_read_as_missing(store_copy: CopyOf, opened: Opened) -> None:
    """MLflow's server writes empty texts instead of NULL."""
    store = store_copy(NEWEST)
    sql(store, "UPDATE model_versions SET run_id = '', run_link = '', description = '' WHERE version = 1")
    version = opened(store).registry().version(MODEL, 1)
    assert version is not None
    assert (version.run_id, version.run_link, version.description) == (None, None, None)


def test_redacted_values_of_a_deleted_version_are_hidden(store_copy: CopyOf, opened: Opened) -> None:
    assert opened(store_copy(NEWEST)).registry().versions_of_run("REDACTED-RUN-ID") == ()


@pytest.mark.parametrize("name", ["a/b", "a:b", ".", "  ", "[/x]\x1b[31m", "%", "x" * 300])
def test_names_that_old_releases_accepted(name: str, store_copy: CopyOf, opened: Opened, backend: str) -> None:
    if backend != "sqlite" and len(name) > LONGEST_NAME:
        pytest.skip("servers refuse what is longer than declared")
    store = store_copy(NEWEST)
    sql(store, "UPDATE registered_models SET name = ? WHERE name = 'empty-model'", name)
    sql(
        store,
        "INSERT INTO model_versions (name, version, current_stage, creation_time, last_updated_time)"
        " VALUES (?, 1, 'Production', 1, 1)",
        name,
    )
    reader = opened(store).registry()
    assert reader.model(name) in reader.models()
    assert [version.stage for version in reader.versions(name)] == ["Production"]


def test_the_same_name_in_two_workspaces(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy(NEWEST)
    two_workspaces(store)
    ours, theirs = opened(store).registry(), opened(store).registry("lab")
    assert theirs.workspaces() == ("default", "lab")
    assert [model.name for model in theirs.models()] == [MODEL]
    lab = theirs.model(MODEL)
    assert lab is not None
    assert (lab.latest, lab.tags, lab.aliases) == ({"Production": 9}, {"of": "lab"}, {"champion": 9})
    assert [version.aliases for version in theirs.versions(MODEL)] == [("champion",)]
    assert [version.version for version in ours.versions(MODEL)] == [6, 4, 3, 2, 1]
    mine = ours.model(MODEL)
    assert mine is not None
    assert mine.aliases["champion"] == 2


def test_there_are_no_workspaces_before_3_10(store_copy: CopyOf, opened: Opened) -> None:
    store = opened(store_copy("mlflow-2.9.2"))
    assert store.registry().workspaces() == ("default",)
    with pytest.raises(MldeckError, match="no workspaces"):
        store.registry("lab").models()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name ILIKE '%CHURN%' OR tags.missing = 'x'", [MODEL]),
        ("NOT name LIKE '%model'", ["new näme v2"]),
        ("churn", [MODEL]),
        ("tags.task IS NULL", ["direct-model", "empty-model", "new näme v2"]),
        ("tags.task IS NOT NULL", [MODEL]),
        ("name IS NULL", []),
        ("name IS NOT NULL AND tags.task != 'x'", [MODEL]),
        ("tags.task NOT IN ('x', 'y')", [MODEL]),
    ],
)
def test_searches_that_mlflow_does_not_have(text: str, expected: list[str], store_copy: CopyOf, opened: Opened) -> None:
    assert [model.name for model in opened(store_copy(NEWEST)).registry().models(ModelQuery(text))] == expected


@pytest.mark.backends("sqlite")
def test_tags_in_a_database_without_tags(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy("mlflow-1.30.1")
    for table in ("model_version_tags", "registered_model_tags"):
        sql(store, f"DROP TABLE {table}")
    reader = opened(store).registry()
    assert not reader.keeps_history
    assert [model.name for model in reader.models(ModelQuery("tags.task != 'x'"))] == []
    assert len(reader.models(ModelQuery("tags.task IS NULL"))) == 3
    assert all(version.tags == {} for version in reader.versions(MODEL))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nam = 'x'", "Expected name or tags, found 'nam'. For a tag write tags.nam"),
        ("metrics.a = 1", "Expected name or tags, found 'metrics'"),
        ("name", "Expected an operator after name"),
        ("tags", "Expected a dot and a name after tags"),
        ("tags. = 'x'", "Expected a name after tags."),
        ("name = ", "Expected a quoted string"),
        ("   ", "leave it empty to see all models"),
        ("name = 'x' OR", "Expected a clause, like name LIKE 'churn%' or tags.team = 'growth'"),
    ],
)
def test_the_error_of_a_malformed_search(text: str, message: str, store_copy: CopyOf, opened: Opened) -> None:
    if not text.strip():
        assert len(opened(store_copy(NEWEST)).registry().models(ModelQuery(text))) == 4
        return
    with pytest.raises(SearchError, match=message):
        opened(store_copy(NEWEST)).registry().models(ModelQuery(text))


def test_the_order_of_models(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy(NEWEST)
    sql(store, "UPDATE registered_models SET last_updated_time = 5 WHERE name = 'empty-model'")
    sql(store, "UPDATE registered_models SET last_updated_time = NULL WHERE name = 'direct-model'")
    reader = opened(store).registry()

    def names(order: ModelOrder, descending: bool) -> list[str]:
        return [model.name for model in reader.models(ModelQuery("", order, descending))]

    assert names(ModelOrder.NAME, True) == ["new näme v2", "empty-model", "direct-model", MODEL]
    assert names(ModelOrder.LAST_UPDATED, False)[:2] == ["direct-model", "empty-model"]
    assert names(ModelOrder.LAST_UPDATED, True)[-2:] == ["empty-model", "direct-model"]


@pytest.mark.backends("sqlite")
def test_a_list_of_models_takes_as_many_statements_as_one_model(store_copy: CopyOf, opened: Opened) -> None:
    store = opened(store_copy(NEWEST))
    sent: list[str] = []
    event.listen(engine_of(store), "before_cursor_execute", lambda *args: sent.append(args[2]))
    store.registry().model(MODEL)
    of_one = len(sent)
    store.registry().models()
    assert of_one == len(sent) - of_one == 4


# Logged models


def test_the_models_of_a_run(fixture_store: FixtureStore, opened: Opened) -> None:
    run_id = fixture_store.run("logreg")
    models = opened(fixture_store).registry().models_of_run(run_id)
    if fixture_store.path.name.startswith(OLDEST):  # it does not record logged models
        assert models == ()
        return
    (model,) = models
    assert opened(fixture_store).registry().models_of_experiment(fixture_store.experiment("churn"))[0].uri == model.uri
    assert (model.run_id, model.name, model.status) == (run_id, "model", "READY")
    assert model.creation_time is not None
    if fixture_store.path.name.startswith(NEWEST):
        assert model.uri == f"models:/{model.model_id}"
        assert (model.step, model.flavors) == (0, ())
        assert model.params["C"]
        assert "mlflow.modelVersions" in model.tags
    else:
        assert model.uri == f"runs:/{run_id}/model"
        assert (model.model_id, model.step, model.flavors) == (None, None, ("python_function", "sklearn"))
    assert model.artifact_location is not None
    location = fixture_store.path / model.artifact_location.removeprefix(f"{fixture_store.path}/")
    assert (location / "MLmodel").is_file()


def test_logged_models_of_every_status(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy(NEWEST)
    reader = opened(store).registry()
    models = reader.models_of_experiment(store.experiment("images"))
    assert [(model.name, model.status, model.step) for model in models] == [
        ("classifier", "READY", 0),
        ("classifier-b", "READY", 0),
        ("pending-model", "PENDING", None),
        ("failed-model", "FAILED", None),
    ]
    of_run = reader.models_of_run(store.run("model_logged"))
    assert [model.model_id for model in of_run] == [model.model_id for model in models]
    assert {point.key for point in of_run[0].metrics}
    assert reader.logged_model(of_run[0].model_id or "") == of_run[0]
    assert reader.logged_model("m-0") is None
    assert len(reader.models_of_experiment(store.experiment("churn"))) == 3
    found = reader.versions_of_run("", tuple(model.model_id or "" for model in models))
    assert [(version.name, version.version, version.logged_model_id) for version in found] == [
        ("direct-model", 2, models[1].model_id),
        ("direct-model", 1, models[0].model_id),
    ]


@pytest.mark.parametrize("value", ["", "{", "[1, {}]", '{"a": 1}', "null", '[{"artifact_path": 5}]'])
def test_a_malformed_history_of_models(value: str, store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy("mlflow-2.9.2")
    sql(store, "UPDATE tags SET value = ? WHERE key = 'mlflow.log-model.history'", value)
    assert opened(store).registry().models_of_run(store.run("logreg")) == ()


def test_a_path_that_was_logged_to_twice_is_one_model(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy("mlflow-2.9.2")
    entry = '{"artifact_path": "%s", "utc_time_created": "%s", "flavors": {"%s": {}}}'
    entries = [
        entry % ("m", "2024-01-01 00:00:00.5", "a"),
        entry % ("m", "2024-01-01 00:00:01", "b"),
        entry % ("n", "x", "c"),
    ]
    sql(store, "UPDATE tags SET value = ? WHERE key = 'mlflow.log-model.history'", f"[{', '.join(entries)}]")
    models = opened(store).registry().models_of_run(store.run("logreg"))
    assert [(model.name, model.flavors, model.creation_time) for model in models] == [
        ("n", ("c",), None),
        ("m", ("b",), 1_704_067_201_000),
    ]


# Sources of versions


def no_files(uri: str) -> bool:
    return False


def test_the_source_before_3_0_is_the_folder_of_the_run(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy("mlflow-2.9.2")
    run_id = store.run("logreg")
    reader = opened(store).registry()
    found = reader.source_of_run(run_id, "/model/", no_files)
    (version,) = reader.versions_of_run(run_id)
    assert (found.source, found.storage_location, found.run_id) == (
        version.source,
        version.storage_location,
        version.run_id,
    )
    assert found.model_id is None


def test_the_source_since_3_0_depends_on_the_files(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy(NEWEST)
    run_id = store.run("logreg")
    reader = opened(store).registry()
    asked: list[str] = []

    def files(uri: str) -> bool:
        asked.append(uri)
        return True

    in_run = reader.source_of_run(run_id, "some/model", files)
    assert asked == [in_run.source] == [in_run.storage_location]
    assert in_run.source.endswith(f"{run_id}/artifacts/some/model")
    logged = reader.source_of_run(run_id, "model", no_files)
    (model,) = reader.models_of_run(run_id)
    assert (logged.source, logged.storage_location) == (model.uri, model.artifact_location)
    assert (logged.run_id, logged.model_id) == (run_id, model.model_id)
    assert reader.source_of_logged_model(model.model_id or "") == logged


def test_the_latest_of_several_models_of_one_name_is_registered(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy(NEWEST)
    run_id = store.run("model_logged")
    sql(store, "UPDATE logged_models SET name = 'classifier' WHERE name = 'classifier-b'")
    reader = opened(store).registry()
    first, second = (model.model_id for model in reader.models_of_run(run_id) if model.name == "classifier")
    assert reader.source_of_run(run_id, "classifier", no_files).model_id == second
    sql(store, "UPDATE inputs SET step = 9 WHERE destination_id = ?", first)
    assert reader.source_of_run(run_id, "classifier", no_files).model_id == first


def test_models_that_cannot_be_registered(store_copy: CopyOf, opened: Opened) -> None:
    store = store_copy(NEWEST)
    reader = opened(store).registry()
    for run_id, path, message in (
        ("0" * 32, "model", "there is no run"),
        (store.run("deleted"), "model", "is deleted; restore it first"),
        (store.run("logreg"), "missing", "run baseline-logreg has no model missing"),
    ):
        with pytest.raises(MldeckError, match=message):
            reader.source_of_run(run_id, path, no_files)
    with pytest.raises(MldeckError, match="no logged model m-0"):
        reader.source_of_logged_model("m-0")
