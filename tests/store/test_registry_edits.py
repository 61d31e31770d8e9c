"""Changing the registry: what is refused and why, undo, and changes by others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from mldeck.errors import MldeckError
from mldeck.registry.nouns import ModelSource
from mldeck.store.edits.changes import Edit
from mldeck.store.registry.editor import RegistryEditor
from mldeck.store.store import Store
from tests.editing import NEWEST, NOW, has_column, sql, writer_of
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MIGRATED, MODEL, RegistryOf, two_workspaces
from tests.store_rows import all_rows, difference

pytestmark = pytest.mark.usefixtures("backend")

CopyOf = Callable[[str], FixtureStore]
SOURCE = ModelSource("s3://bucket/model", "s3://bucket/model", "f" * 32)


# Registering


def test_version_numbers_are_never_reused(fixture_store: FixtureStore, registry: RegistryOf) -> None:
    room = registry(fixture_store)
    if not room.reader.has_registry:
        with pytest.raises(MldeckError, match=r"from before MLflow 1.4, which has no model registry"):
            room.editor.register(MODEL, SOURCE)
        return
    room.editor.delete_version(MODEL, 6)
    done = room.editor.register(MODEL, SOURCE, "what", {})
    assert (done.version, done.is_new_model) == (7, False)
    version = room.reader.version(MODEL, 7)
    assert version is not None
    assert (version.stage, version.status, version.description, version.creation_time) == ("None", "READY", "what", NOW)
    room.editor.delete_model(MODEL)
    again = room.editor.register(MODEL, SOURCE)
    assert (again.version, again.is_new_model) == (1, True)


def test_the_storage_location_is_stored_if_there_is_a_column(fixture_store: FixtureStore, registry: RegistryOf) -> None:
    if has_column(fixture_store, "model_versions", "version"):
        room = registry(fixture_store)
        room.editor.register("fresh", SOURCE)
        (version,) = room.reader.versions("fresh")
        kept = has_column(fixture_store, "model_versions", "storage_location")
        assert version.storage_location == (SOURCE.storage_location if kept else None)


def test_the_version_is_noted_in_the_logged_model(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    room = registry(store)
    source = room.reader.source_of_run(store.run("logreg"), "model", lambda uri: False)
    room.editor.register("other", source)
    room.editor.register(MODEL, source)
    tag = room.reader.models_of_run(store.run("logreg"))[0].tags["mlflow.modelVersions"]
    assert [(noted["name"], noted["version"]) for noted in json.loads(tag)] == [(MODEL, 1), ("other", 1), (MODEL, 7)]


@pytest.mark.parametrize("note", ["{", '{"a": 1}'])
def test_a_malformed_note_is_left_unchanged(note: str, store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    sql(store, "UPDATE logged_model_tags SET tag_value = ? WHERE tag_key = 'mlflow.modelVersions'", note)
    room = registry(store)
    source = room.reader.source_of_run(store.run("logreg"), "model", lambda uri: False)
    assert room.editor.register("other", source).version == 1
    assert room.reader.models_of_run(store.run("logreg"))[0].tags["mlflow.modelVersions"] == note


def test_a_registry_in_another_database(store_copy: CopyOf, registry: RegistryOf) -> None:
    runs, models = store_copy(NEWEST), store_copy("mlflow-2.9.2")
    shown = registry(runs)
    source = shown.reader.source_of_run(runs.run("logreg"), "model", lambda uri: False)
    before = all_rows(runs.db)
    editor = RegistryEditor(writer_of(models.db), tracking=writer_of(runs.db))
    done = editor.register("other", source)
    assert done.notice is None
    assert difference(before, all_rows(runs.db)).keys() == {"logged_model_tags"}
    (version,) = registry(models).reader.versions("other")
    assert (version.source, version.run_id) == (source.source, runs.run("logreg"))
    assert registry(models).reader.versions_of_run(runs.run("logreg")) == (version,)


def test_the_version_stays_when_the_logged_model_cannot_be_updated(store_copy: CopyOf, registry: RegistryOf) -> None:
    runs, models = store_copy(NEWEST), store_copy("mlflow-2.9.2")
    source = registry(runs).reader.source_of_run(runs.run("logreg"), "model", lambda uri: False)
    editor = RegistryEditor(writer_of(models.db), tracking=writer_of(runs.db, read_only=True))
    done = editor.register("other", source)
    assert done.notice is not None
    assert "cannot be changed: opened with --read-only" in done.notice
    assert [version.version for version in registry(models).reader.versions("other")] == [1]


# Other edits


EDITS: dict[str, Callable[[RegistryEditor], Edit]] = {
    "describe_model": lambda editor: editor.set_model_description(MODEL, "x"),
    "describe_version": lambda editor: editor.set_version_description(MODEL, 2, "x"),
    "set_model_tag": lambda editor: editor.set_model_tag(MODEL, "task", "x"),
    "delete_model_tag": lambda editor: editor.delete_model_tag(MODEL, "task"),
    "set_version_tag": lambda editor: editor.set_version_tag(MODEL, 3, "validation_status", "x"),
    "delete_version_tag": lambda editor: editor.delete_version_tag(MODEL, 3, "validation_status"),
    "move_alias": lambda editor: editor.set_alias(MODEL, "champion", 3),
    "set_alias": lambda editor: editor.set_alias(MODEL, "new", 3),
    "delete_alias": lambda editor: editor.delete_alias(MODEL, "shadow"),
    "delete_version": lambda editor: editor.delete_version(MODEL, 3),
    "delete_model": lambda editor: editor.delete_model(MODEL),
}


@pytest.mark.parametrize("fixture", [NEWEST, "mlflow-2.9.2"])
@pytest.mark.parametrize("name", EDITS)
def test_every_edit_can_be_undone(name: str, fixture: str, store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(fixture)
    before = all_rows(store.db)
    edit = EDITS[name](registry(store).editor)
    after = all_rows(store.db)
    assert edit.changed
    assert edit.ids == (MODEL,)
    undone = registry(store).editor.undo(edit)
    assert difference(before, all_rows(store.db)) == {}
    registry(store).editor.undo(undone)
    assert difference(after, all_rows(store.db)) == {}


def test_undo_is_refused_after_another_change(store_copy: CopyOf, registry: RegistryOf) -> None:
    editor = registry(store_copy(NEWEST)).editor
    edit = editor.set_alias(MODEL, "champion", 3)
    editor.set_alias(MODEL, "champion", 4)
    with pytest.raises(MldeckError, match="changed since: set alias champion to version 3 of churn-model"):
        editor.undo(edit)
    deleted = editor.delete_model(MODEL)
    editor.create_model(MODEL)
    with pytest.raises(MldeckError, match="changed since: deleted model churn-model"):
        editor.undo(deleted)


def test_edits_that_mlflow_cannot_undo(store_copy: CopyOf, registry: RegistryOf) -> None:
    editor = registry(store_copy(NEWEST)).editor
    for edit, message in (
        (editor.create_model("x"), "delete it instead"),
        (editor.rename_model("x", "y"), "rename model y to x"),
    ):
        with pytest.raises(MldeckError, match=message):
            editor.undo(edit)


def test_rename_renames_versions_tags_and_aliases(fixture_store: FixtureStore, registry: RegistryOf) -> None:
    room = registry(fixture_store)
    if not room.reader.has_registry:
        return
    before = room.reader.model(MODEL), room.reader.versions(MODEL)
    room.editor.rename_model(MODEL, "new")
    after = room.reader.model("new"), room.reader.versions("new")
    assert before[0] is not None
    assert after[0] is not None
    assert (after[0].tags, after[0].aliases, after[0].latest) == (before[0].tags, before[0].aliases, before[0].latest)
    assert [version.tags for version in after[1]] == [version.tags for version in before[1]]
    assert {version.last_updated_time for version in after[1]} == {NOW}
    assert room.reader.model(MODEL) is None


def test_deleting_a_version_deletes_its_aliases(store_copy: CopyOf, registry: RegistryOf) -> None:
    room = registry(store_copy("mlflow-2.9.2"))
    room.editor.delete_version(MODEL, 3)
    model = room.reader.model(MODEL)
    assert model is not None
    assert (model.aliases, model.dangling_aliases) == ({"champion": 2}, {})


def test_a_dangling_alias_can_be_deleted(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy("mlflow-2.9.2")
    sql(store, "INSERT INTO registered_model_aliases (name, alias, version) VALUES (?, 'old', 5)", MODEL)
    room = registry(store)
    assert room.editor.delete_alias(MODEL, "old").changed
    model = room.reader.model(MODEL)
    assert model is not None
    assert model.dangling_aliases == {}


@pytest.mark.parametrize("name", ["a/b", "a:b", ".", "  ", "[/x]\x1b[31m"])
def test_models_with_names_of_old_releases_can_be_changed(name: str, store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    sql(store, "UPDATE registered_models SET name = ? WHERE name = 'empty-model'", name)
    room = registry(store)
    room.editor.register(name, SOURCE)
    room.move(1, "Production", True, name)
    edit = room.editor.set_alias(name, "champion", 1)
    assert "\x1b" not in edit.summary
    with pytest.raises(MldeckError):
        room.editor.rename_model("direct-model", name)
    room.editor.rename_model(name, "better")
    assert room.stages("better") == {1: "Production"}


def test_orphans_are_refused_until_a_model_adopts_them(store_copy: CopyOf, registry: RegistryOf) -> None:
    room = registry(store_copy(MIGRATED))
    for attempt in (
        lambda: room.move(1, "Staging", name="old-name"),
        lambda: room.editor.set_version_description("old-name", 1, "x"),
        lambda: room.editor.delete_version("old-name", 1),
        lambda: room.editor.delete_model("old-name"),
    ):
        with pytest.raises(MldeckError, match="create a model of that name to adopt them"):
            attempt()
    with pytest.raises(MldeckError, match="versions called old-name already"):
        room.editor.rename_model(MODEL, "old-name")
    room.editor.create_model("old-name")
    room.move(1, "Staging", name="old-name")
    assert room.stages("old-name") == {1: "Staging"}


def test_a_prompt_is_not_a_model(store_copy: CopyOf, registry: RegistryOf) -> None:
    room = registry(store_copy(NEWEST))
    for attempt in (
        lambda: room.editor.register("greeting-prompt", SOURCE),
        lambda: room.editor.delete_model("greeting-prompt"),
        lambda: room.editor.set_model_tag("greeting-prompt", "k", "v"),
    ):
        with pytest.raises(MldeckError, match="greeting-prompt is a prompt, not a model"):
            attempt()
    with pytest.raises(MldeckError, match="there is a prompt greeting-prompt already"):
        room.editor.rename_model(MODEL, "greeting-prompt")


def test_only_one_workspace_is_changed(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    two_workspaces(store)
    lab = registry(store, workspace="lab")
    before = registry(store).reader.versions(MODEL), registry(store).reader.model(MODEL)
    lab.editor.register(MODEL, SOURCE)
    lab.move(10, "Production", True)
    lab.editor.set_alias(MODEL, "champion", 10)
    lab.editor.set_version_tag(MODEL, 10, "k", "v")
    lab.editor.delete_version(MODEL, 9)
    assert lab.stages() == {10: "Production"}
    assert (registry(store).reader.versions(MODEL), registry(store).reader.model(MODEL)) == before
    lab.editor.rename_model(MODEL, "renamed")
    lab.editor.delete_model("renamed")
    assert (registry(store).reader.versions(MODEL), registry(store).reader.model(MODEL)) == before
    assert lab.reader.models() == []
    with pytest.raises(MldeckError, match="no workspace nowhere"):
        registry(store, workspace="nowhere").editor.create_model("x")


REFUSALS: list[tuple[Callable[[RegistryEditor], object], str]] = [
    (lambda editor: editor.create_model(""), "cannot be empty"),
    (lambda editor: editor.create_model("a/b"), "cannot contain /"),
    (lambda editor: editor.create_model("a:b"), "cannot contain :"),
    (lambda editor: editor.create_model(".."), "read it as a path"),
    (lambda editor: editor.create_model(MODEL), "there is a registered model churn-model already"),
    (lambda editor: editor.create_model("x", "", {"": "v"}), "key of a tag cannot be empty"),
    (lambda editor: editor.register("a/b", SOURCE), "cannot contain /"),
    (lambda editor: editor.register("new", SOURCE, "", {"a//b": "v"}), "tag key a//b"),
    (lambda editor: editor.set_alias(MODEL, "v3", 3), "alias v3 is reserved"),
    (lambda editor: editor.set_alias(MODEL, "a b", 3), "accepts only letters, digits, _ and -"),
    (lambda editor: editor.set_alias(MODEL, "x", 5), "no version 5 of churn-model"),
    (lambda editor: editor.set_version_tag(MODEL, 3, "k", "v" * 100_001), "at most 100,000"),
    (lambda editor: editor.set_version_tag(MODEL, 5, "k", "v"), "no version 5"),
    (lambda editor: editor.delete_version_tag(MODEL, 99, "k"), "no version 99"),
    (lambda editor: editor.set_model_description("missing", "x"), "no registered model missing"),
    (lambda editor: editor.delete_alias("missing", "x"), "no registered model missing"),
    (lambda editor: editor.rename_model(MODEL, "empty-model"), "registered model empty-model already"),
]


@pytest.mark.parametrize(("attempt", "message"), REFUSALS)
def test_refused_edits_change_nothing(
    attempt: Callable[[RegistryEditor], object], message: str, store_copy: CopyOf, registry: RegistryOf
) -> None:
    store = store_copy(NEWEST)
    before = all_rows(store.db)
    with pytest.raises(MldeckError, match=message):
        attempt(registry(store).editor)
    assert difference(before, all_rows(store.db)) == {}


def test_the_longest_tag_depends_on_the_release(store_copy: CopyOf, registry: RegistryOf) -> None:
    editor = registry(store_copy("mlflow-2.9.2")).editor
    editor.set_model_tag(MODEL, "k", "v" * 5000)
    with pytest.raises(MldeckError, match="at most 5,000"):
        editor.set_model_tag(MODEL, "k", "v" * 5001)


def test_aliases_in_a_database_without_aliases(store_copy: CopyOf, registry: RegistryOf) -> None:
    with pytest.raises(MldeckError, match=r"from before MLflow 2.3, which has no aliases"):
        registry(store_copy("mlflow-1.30.1")).editor.set_alias(MODEL, "x", 3)


def test_the_store_provides_reader_and_editor(store_copy: CopyOf) -> None:
    runs, models = store_copy(NEWEST), store_copy(NEWEST)
    shutil.copyfile(runs.db, models.db)
    tracking, registered = Store(runs.db), Store(models.db)
    try:
        source = tracking.registry().source_of_run(runs.run("logreg"), "model", lambda uri: False)
        done = registered.registry_editor(tracking=tracking).register("x", source)
        assert (done.version, done.notice) == (1, None)
        assert tracking.registry().model("x") is None
        tag = tracking.registry().models_of_run(runs.run("logreg"))[0].tags["mlflow.modelVersions"]
        assert json.loads(tag)[-1] == {"name": "x", "version": 1}
        same = tracking.registry_editor(record_transitions=False, tracking=tracking).register("x", source)
        assert same.version == 1
    finally:
        tracking.close()
        registered.close()
