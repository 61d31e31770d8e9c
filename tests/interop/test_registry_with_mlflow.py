"""Each change of the registry writes what MLflow's own client writes for it, row by row, and refuses what it refuses."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("mlflow")

from mldeck.errors import MldeckError
from mldeck.store.edits.changes import Edit
from mldeck.store.registry.rules import check_alias, check_model_name
from tests.fixture_stores import FixtureStore
from tests.interop.registry_deck import CURRENT, MODEL, NEWEST, Deck, client_of, registered
from tests.store_rows import all_rows, difference

if TYPE_CHECKING:
    from mlflow import MlflowClient

pytestmark = [
    pytest.mark.interop,
    pytest.mark.usefixtures("quiet_mlflow"),
    # Stages are deprecated in MLflow, and still what this is about.
    pytest.mark.filterwarnings("ignore:.*stages.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*get_latest_versions.*:FutureWarning"),
]

CopyOf = Callable[[str], FixtureStore]


def stage_of(client: MlflowClient, version: int) -> str:
    return str(client.get_model_version(MODEL, str(version)).current_stage)


@dataclass(frozen=True)
class Action:
    """The same thing done by both, and how MLflow sees that it was done."""

    ours: Callable[[Deck, FixtureStore], object]
    theirs: Callable[[MlflowClient, FixtureStore], object]
    seen: Callable[[MlflowClient], bool]


def moved(version: int, stage: str, archive: bool) -> Action:
    return Action(
        lambda deck, _: deck.move(version, stage, archive),
        lambda client, _: client.transition_model_version_stage(
            MODEL, str(version), stage, archive_existing_versions=archive
        ),
        lambda client: stage_of(client, version).lower() == stage.lower(),
    )


ACTIONS = {
    "to_production": moved(3, "Production", archive=True),
    "to_production_beside": moved(3, "production", archive=False),
    "to_staging": moved(6, "STAGING", archive=True),
    "to_archived": moved(2, "Archived", archive=False),
    "to_none": moved(2, "None", archive=False),
    "to_the_same": moved(2, "Production", archive=True),
    "create": Action(
        lambda deck, _: deck.editor.create_model("new model", "# what", {"team": "β", "k": ""}),
        lambda client, _: client.create_registered_model("new model", {"team": "β", "k": ""}, "# what"),
        lambda client: client.get_registered_model("new model").tags["team"] == "β",
    ),
    "create_plain": Action(
        lambda deck, _: deck.editor.create_model("plain"),
        lambda client, _: client.create_registered_model("plain"),
        lambda client: client.get_registered_model("plain").name == "plain",
    ),
    "create_at_length": Action(
        lambda deck, _: deck.editor.create_model("n" * 600, "d" * 6000),
        lambda client, _: client.create_registered_model("n" * 600, None, "d" * 6000),
        lambda client: client.get_registered_model("n" * 600).description == "d" * 6000,
    ),
    "describe_model_at_length": Action(
        lambda deck, _: deck.editor.set_model_description(MODEL, "d" * 100_000),
        lambda client, _: client.update_registered_model(MODEL, "d" * 100_000),
        lambda client: client.get_registered_model(MODEL).description == "d" * 100_000,
    ),
    "describe_version_at_length": Action(
        lambda deck, _: deck.editor.set_version_description(MODEL, 3, "d" * 100_000),
        lambda client, _: client.update_model_version(MODEL, "3", "d" * 100_000),
        lambda client: client.get_model_version(MODEL, "3").description == "d" * 100_000,
    ),
    "register": Action(
        lambda deck, fixture: deck.register(fixture, "logreg", MODEL, tags={"a": "b"}),
        lambda client, fixture: registered(MODEL, f"runs:/{fixture.run('logreg')}/model", {"a": "b"}),
        lambda client: client.get_model_version(MODEL, "7").tags == {"a": "b"},
    ),
    "register_new": Action(
        lambda deck, fixture: deck.register(fixture, "rf5", "brand-new"),
        lambda client, fixture: registered("brand-new", f"runs:/{fixture.run('rf5')}/model"),
        lambda client: client.get_model_version("brand-new", "1").current_stage == "None",
    ),
    "register_after_all_were_deleted": Action(
        lambda deck, fixture: [deck.editor.delete_version(MODEL, 6), deck.register(fixture, "rf5", MODEL)],
        lambda client, fixture: [
            client.delete_model_version(MODEL, "6"),
            registered(MODEL, f"runs:/{fixture.run('rf5')}/model"),
        ],
        lambda client: client.get_model_version(MODEL, "7").version is not None,
    ),
    "describe_model": Action(
        lambda deck, _: deck.editor.set_model_description(MODEL, "other *text*"),
        lambda client, _: client.update_registered_model(MODEL, "other *text*"),
        lambda client: client.get_registered_model(MODEL).description == "other *text*",
    ),
    "clear_description": Action(
        lambda deck, _: deck.editor.set_version_description(MODEL, 1, ""),
        lambda client, _: client.update_model_version(MODEL, "1", ""),
        lambda client: not client.get_model_version(MODEL, "1").description,
    ),
    "describe_version": Action(
        lambda deck, _: deck.editor.set_version_description(MODEL, 3, "it *is*"),
        lambda client, _: client.update_model_version(MODEL, "3", "it *is*"),
        lambda client: client.get_model_version(MODEL, "3").description == "it *is*",
    ),
    "tag_model": Action(
        lambda deck, _: [deck.editor.set_model_tag(MODEL, "task", "new"), deck.editor.set_model_tag(MODEL, "a/b", "")],
        lambda client, _: [
            client.set_registered_model_tag(MODEL, "task", "new"),
            client.set_registered_model_tag(MODEL, "a/b", ""),
        ],
        lambda client: client.get_registered_model(MODEL).tags["task"] == "new",
    ),
    "untag_model": Action(
        lambda deck, _: [deck.editor.delete_model_tag(MODEL, "task"), deck.editor.delete_model_tag(MODEL, "missing")],
        lambda client, _: [
            client.set_registered_model_tag(MODEL, "task", "x"),
            client.delete_registered_model_tag(MODEL, "task"),
            client.delete_registered_model_tag(MODEL, "missing"),
        ],
        lambda client: "task" not in client.get_registered_model(MODEL).tags,
    ),
    "tag_version": Action(
        lambda deck, _: deck.editor.set_version_tag(MODEL, 3, "validation_status", "x" * 100_000),
        lambda client, _: client.set_model_version_tag(MODEL, "3", "validation_status", "x" * 100_000),
        lambda client: len(client.get_model_version(MODEL, "3").tags["validation_status"]) == 100_000,
    ),
    "untag_version": Action(
        lambda deck, _: [
            deck.editor.set_version_tag(MODEL, 4, "k", "v"),
            deck.editor.delete_version_tag(MODEL, 4, "k"),
            deck.editor.delete_version_tag(MODEL, 4, "missing"),
            deck.editor.delete_version_tag(MODEL, 4, "origin"),
        ],
        lambda client, _: [client.delete_model_version_tag(MODEL, "4", key) for key in ("origin", "missing")],
        lambda client: client.get_model_version(MODEL, "4").tags == {},
    ),
    "alias": Action(
        lambda deck, _: [deck.editor.set_alias(MODEL, "champion", 3), deck.editor.set_alias(MODEL, "nèw_-1", 4)],
        lambda client, _: [
            client.set_registered_model_alias(MODEL, "champion", "3"),
            client.set_registered_model_alias(MODEL, "nèw_-1", "4"),
        ],
        lambda client: int(client.get_model_version_by_alias(MODEL, "champion").version) == 3,
    ),
    "unalias": Action(
        lambda deck, _: [deck.editor.delete_alias(MODEL, "champion"), deck.editor.delete_alias(MODEL, "missing")],
        lambda client, _: [client.delete_registered_model_alias(MODEL, each) for each in ("champion", "missing")],
        lambda client: "champion" not in client.get_registered_model(MODEL).aliases,
    ),
    "rename": Action(
        lambda deck, _: deck.editor.rename_model(MODEL, "renämed"),
        lambda client, _: client.rename_registered_model(MODEL, "renämed"),
        lambda client: len(client.search_model_versions("name = 'renämed'")) == 5,
    ),
    "delete_version": Action(
        lambda deck, _: [deck.editor.set_alias(MODEL, "third", 3), deck.editor.delete_version(MODEL, 3)],
        lambda client, _: [
            client.set_registered_model_alias(MODEL, "third", "3"),
            client.delete_model_version(MODEL, "3"),
        ],
        lambda client: len(client.search_model_versions(f"name = '{MODEL}'")) == 4,
    ),
    "delete_model": Action(
        lambda deck, _: deck.editor.delete_model(MODEL),
        lambda client, _: client.delete_registered_model(MODEL),
        lambda client: MODEL not in {each.name for each in client.search_registered_models()},
    ),
}


def two_copies(store: FixtureStore) -> tuple[Path, Path]:
    """Beside each other: the paths of artifacts are the same."""
    theirs = store.path / "theirs.db"
    shutil.copyfile(store.db, theirs)
    return store.db, theirs


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("fixture", CURRENT)
@pytest.mark.parametrize("name", ACTIONS)
def test_the_same_rows_as_mlflow(name: str, fixture: str, store_copy: CopyOf, deck_of: Callable[[Path], Deck]) -> None:
    store = store_copy(fixture)
    ours, theirs = two_copies(store)
    before = all_rows(ours)
    started = int(time.time() * 1000)
    action = ACTIONS[name]
    done = action.ours(deck_of(ours), store)
    action.theirs(client_of(theirs), store)
    written = all_rows(ours, since_ms=started)
    assert difference(written, all_rows(theirs, since_ms=started)) == {}
    if fixture == NEWEST:  # the other one has no tags and aliases to begin with
        assert difference(before, written)

    assert action.seen(client_of(ours))
    assert difference(written, all_rows(ours, since_ms=started)) == {}
    if isinstance(done, Edit) and not done.undo_refusal:
        deck_of(ours).editor.undo(done)
        assert difference(before, all_rows(ours)) == {}


REFUSED: dict[str, tuple[Callable[[Deck], object], Callable[[MlflowClient], object]]] = {
    "taken_name": (
        lambda deck: deck.editor.create_model(MODEL),
        lambda client: client.create_registered_model(MODEL),
    ),
    "prompts_name": (
        lambda deck: deck.editor.create_model("greeting-prompt"),
        lambda client: client.create_registered_model("greeting-prompt"),
    ),
    "bad_name": (
        lambda deck: deck.editor.create_model("a/b"),
        lambda client: client.create_registered_model("a/b"),
    ),
    "rename_to_taken": (
        lambda deck: deck.editor.rename_model(MODEL, "empty-model"),
        lambda client: client.rename_registered_model(MODEL, "empty-model"),
    ),
    "rename_missing": (
        lambda deck: deck.editor.rename_model("missing", "x"),
        lambda client: client.rename_registered_model("missing", "x"),
    ),
    "unknown_stage": (
        lambda deck: deck.move(3, "Deleted_Internal"),
        lambda client: client.transition_model_version_stage(MODEL, "3", "Deleted_Internal"),
    ),
    "archive_into_archived": (
        lambda deck: deck.move(3, "Archived", True),
        lambda client: client.transition_model_version_stage(MODEL, "3", "Archived", archive_existing_versions=True),
    ),
    "deleted_version": (
        lambda deck: deck.move(5, "Staging", True),
        lambda client: client.transition_model_version_stage(MODEL, "5", "Staging", archive_existing_versions=True),
    ),
    "reserved_alias": (
        lambda deck: deck.editor.set_alias(MODEL, "LATEST", 3),
        lambda client: client.set_registered_model_alias(MODEL, "LATEST", "3"),
    ),
    "alias_of_deleted": (
        lambda deck: deck.editor.set_alias(MODEL, "x", 5),
        lambda client: client.set_registered_model_alias(MODEL, "x", "5"),
    ),
    "tag_of_deleted": (
        lambda deck: deck.editor.set_version_tag(MODEL, 5, "x", "y"),
        lambda client: client.set_model_version_tag(MODEL, "5", "x", "y"),
    ),
    "long_tag": (
        lambda deck: deck.editor.set_model_tag(MODEL, "x", "y" * 100_001),
        lambda client: client.set_registered_model_tag(MODEL, "x", "y" * 100_001),
    ),
    "description_of_deleted": (
        lambda deck: deck.editor.set_version_description(MODEL, 5, "x"),
        lambda client: client.update_model_version(MODEL, "5", "x"),
    ),
    "delete_twice": (
        lambda deck: deck.editor.delete_version(MODEL, 5),
        lambda client: client.delete_model_version(MODEL, "5"),
    ),
    "delete_missing": (
        lambda deck: deck.editor.delete_model("missing"),
        lambda client: client.delete_registered_model("missing"),
    ),
    "register_what_is_missing": (
        lambda deck: deck.reader.source_of_run("0" * 32, "model", lambda uri: True),
        lambda client: registered(MODEL, f"runs:/{'0' * 32}/model"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_mlflow_refuses_is_refused(name: str, store_copy: CopyOf, deck_of: Callable[[Path], Deck]) -> None:
    from mlflow.exceptions import MlflowException

    store = store_copy(NEWEST)
    ours, theirs = two_copies(store)
    before = all_rows(ours)
    edit, call = REFUSED[name]
    with pytest.raises(MlflowException):
        call(client_of(theirs))
    with pytest.raises(MldeckError):
        edit(deck_of(ours))
    assert difference(before, all_rows(ours)) == {}


NAMES = [
    "",
    " ",
    "\t",
    "a",
    " a ",
    "a b",
    "a/b",
    "a:b",
    ".",
    "..",
    "..a",
    "a..",
    "./a",
    "a/",
    "ü",
    "[/x]",
    "a\\b",
    "%",
    "'",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_names_as_mlflow(name: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.utils.validation import _validate_model_name

    assert accepts(lambda: check_model_name(name), MldeckError) == accepts(
        lambda: _validate_model_name(name), MlflowException
    )


ALIASES = ["", "a", "A_-9", "a b", "a.b", "ü", "latest", "Latest", "v1", "V12", "v", "v1a", "1", "a" * 255, "a" * 256]


@pytest.mark.parametrize("alias", ALIASES)
def test_the_same_aliases_as_mlflow(alias: str) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.utils.validation import _validate_model_alias_name, _validate_model_alias_name_reserved

    def theirs() -> None:
        _validate_model_alias_name(alias)
        _validate_model_alias_name_reserved(alias)

    assert accepts(lambda: check_alias(alias), MldeckError) == accepts(theirs, MlflowException)


def accepts(check: Callable[[], object], error: type[Exception]) -> bool:
    try:
        check()
    except error:
        return False
    return True
