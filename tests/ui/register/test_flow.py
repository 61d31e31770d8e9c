"""Registering models of runs by keyboard. The registry's tests compare the rows with MLflow's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from mldeck.errors import MldeckError
from mldeck.ui.kit.dialogs.waiting import WaitingDialog
from mldeck.ui.register.dialog import RegisterDialog, read_tags
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL
from tests.ui.deck import Deck, running_deck, until_refused
from tests.ui.filter.test_filter_line import type_text
from tests.ui.models.models_deck import NEWEST, REGISTRIES, rows, stages
from tests.ui.runs.test_editing import go_to
from tests.ui.textual_insides import told

CopyOf = Callable[[str], FixtureStore]
CHURN = "churn-baseline"


@pytest.fixture(params=REGISTRIES)
def store(request: pytest.FixtureRequest, store_copy: CopyOf) -> FixtureStore:
    return store_copy(request.param)


@pytest.fixture
def newest(store_copy: CopyOf) -> FixtureStore:
    return store_copy(NEWEST)


async def open_dialog(deck: Deck, run_id: str) -> RegisterDialog:
    await deck.until(lambda: deck.screen.table.row_count, "the runs")
    await go_to(deck, run_id)
    await deck.press("r")
    return await dialog_of(deck)


async def dialog_of(deck: Deck) -> RegisterDialog:
    await deck.until(lambda: isinstance(deck.app.screen, RegisterDialog), "the dialog")
    dialog = deck.app.screen
    assert isinstance(dialog, RegisterDialog)
    return dialog


async def until_told(deck: Deck, text: str) -> None:
    await deck.until(lambda: any(text in toast for toast in told(deck.app)), text)


def newest_version(store: FixtureStore, name: str = MODEL) -> tuple[object, ...]:
    statement = (
        "SELECT version, run_id, description, current_stage FROM model_versions WHERE name = ? ORDER BY version DESC"
    )
    found: tuple[object, ...] = rows(store.db, statement, name)[0]
    return found


async def test_the_next_version_of_a_registered_model(store: FixtureStore) -> None:
    run_id = store.run("rf5")
    async with running_deck(store.db, experiment=CHURN) as deck:
        await open_dialog(deck, run_id)
        await type_text(deck, "churn-m")
        await deck.press("down")
        await deck.until_shown("the next version of churn-model")
        await deck.press("tab")
        await type_text(deck, "from the deck")
        await deck.press("tab")
        await type_text(deck, "by=me note='two words'")
        await deck.press("enter", "enter")
        await until_told(deck, "Registered churn-model 7 from rf-depth-5")
    assert newest_version(store) == (7, run_id, "from the deck", "None")
    tags = rows(
        store.db, "SELECT key, value FROM model_version_tags WHERE name = ? AND version = 7 ORDER BY key", MODEL
    )
    assert tags == [("by", "me"), ("note", "two words")]


async def test_the_name_of_a_new_model_is_checked_while_it_is_typed(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        await open_dialog(deck, store.run("rf5"))
        await type_text(deck, "brand/")
        await deck.until_shown("the name of a model cannot contain /")
        await deck.press("enter", "enter")
        await deck.until_shown("the name of a model cannot contain /")
        await deck.press("backspace")
        await type_text(deck, "-new")
        await deck.until_shown("version 1 of a new model, brand-new")
        await deck.press("enter", "enter")
        await until_told(deck, "Registered brand-new 1 (a new model)")
    assert newest_version(store, "brand-new")[0] == 1


async def test_esc_registers_nothing(newest: FixtureStore) -> None:
    before = newest.db.read_bytes()
    async with running_deck(newest.db, experiment=CHURN) as deck:
        await open_dialog(deck, newest.run("rf5"))
        await type_text(deck, "x")
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "closed")
    assert newest.db.read_bytes() == before


async def test_a_run_without_models_is_reported(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await go_to(deck, store.run("diverged"))
        await deck.press("r")
        await until_refused(deck, "diverged logged no model")


async def test_marked_runs_without_models_are_reported_at_once(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        for label in ("diverged", "killed", "steps"):
            await go_to(deck, store.run(label))
            await deck.press("space")
        await deck.press("r")
        await until_refused(deck, "the 3 marked runs logged no model")
        await deck.press("x", "enter", "enter")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "closed")


async def test_one_of_several_models_of_a_run(newest: FixtureStore) -> None:
    models = rows(
        newest.db, "SELECT source_run_id, name FROM logged_models WHERE name IN ('classifier', 'classifier-b')"
    )
    run_id = models[0][0]
    experiment = rows(
        newest.db,
        "SELECT e.name FROM experiments e JOIN runs r ON r.experiment_id = e.experiment_id WHERE r.run_uuid = ?",
        run_id,
    )[0][0]
    async with running_deck(newest.db, experiment=experiment) as deck:
        dialog = await open_dialog(deck, run_id)
        shown = [model.name for model in dialog._models]
        assert {"classifier", "classifier-b"} <= set(shown)
        await type_text(deck, "picked")
        await deck.until_shown("classifier becomes version 1 of a new model, picked")
        await deck.press("shift+tab", *["down"] * shown.index("classifier-b"), "tab")
        await deck.until_shown("classifier-b becomes version 1 of a new model, picked")
        await deck.press("enter", "enter")
        await until_told(deck, "Registered picked 1")
    source = rows(newest.db, "SELECT source FROM model_versions WHERE name = 'picked'")[0][0]
    model_id = rows(newest.db, "SELECT model_id FROM logged_models WHERE name = 'classifier-b'")[0][0]
    assert source == f"models:/{model_id}"


async def test_marked_runs_come_one_after_the_other(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        for label in ("rf5", "diverged", "rf10"):
            await go_to(deck, store.run(label))
            await deck.press("space")
        await deck.press("r")
        first = await dialog_of(deck)
        await deck.until_shown("Register a model of rf-depth-5 (1 of 3 marked)")
        await type_text(deck, "both")
        await deck.press("enter", "enter")
        await deck.until(lambda: deck.app.screen is not first, "the next one")
        await dialog_of(deck)
        await deck.until_shown("Register a model of rf-depth-10 (3 of 3 marked)")
        await type_text(deck, "both")
        await deck.until_shown("the next version of both")
        await deck.press("enter", "enter")
        await until_told(deck, "Registered both 2 from rf-depth-10")
    found = rows(store.db, "SELECT version, run_id FROM model_versions WHERE name = 'both' ORDER BY version")
    assert found == [(1, store.run("rf5")), (2, store.run("rf10"))]


async def test_esc_ends_the_series_of_marked_runs(newest: FixtureStore) -> None:
    async with running_deck(newest.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        for label in ("rf5", "rf10"):
            await go_to(deck, newest.run(label))
            await deck.press("space")
        await deck.press("r")
        await dialog_of(deck)
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "closed")
    assert max(stages(newest)) == 6


async def test_another_program_registers_at_the_same_time(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        await open_dialog(deck, store.run("rf5"))
        await type_text(deck, "churn-model")
        with closing(sqlite3.connect(store.db, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute(
                "INSERT INTO model_versions (name, version, current_stage, status) VALUES (?, 7, 'None', 'READY')",
                (MODEL,),
            )
            await deck.press("enter", "enter")
            await deck.until(lambda: isinstance(deck.app.screen, WaitingDialog), "it waits")
            other.execute("COMMIT")
            await until_told(deck, "Registered churn-model 8")


async def test_pressing_twice_registers_once(newest: FixtureStore) -> None:
    async with running_deck(newest.db, experiment=CHURN) as deck:
        await open_dialog(deck, newest.run("rf5"))
        await type_text(deck, "once")
        await deck.press("enter", "enter", "enter", "escape")
        await until_told(deck, "Registered once 1")
    assert rows(newest.db, "SELECT count(*) FROM model_versions WHERE name = 'once'") == [(1,)]


async def test_a_refusal_keeps_the_typed_text(newest: FixtureStore) -> None:
    async with running_deck(newest.db, experiment=CHURN) as deck:
        await open_dialog(deck, newest.run("rf5"))
        await type_text(deck, "greeting-prompt")
        await deck.press("enter", "enter")
        await deck.until_shown("Nothing was registered")
        assert "greeting-prompt" in deck.frame
        await deck.press("escape")
        await deck.until_shown("version 1 of a new model, greeting-prompt")


async def ask_for_a_model_of_a_deleted_run(deck: Deck, store: FixtureStore) -> str:
    """Submit the dialog for a deleted run, which `v` shows among all runs. Return its id."""
    run_id = store.run("rf5")
    rows(store.db, "UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", run_id)
    await deck.until_counted(11)
    await deck.press("v")
    await open_dialog(deck, run_id)
    await type_text(deck, "of-deleted")
    await deck.press("enter", "enter")
    return run_id


async def test_the_folder_of_a_deleted_run_is_refused(store_copy: CopyOf) -> None:
    store = store_copy("mlflow-2.9.2")
    async with running_deck(store.db, experiment=CHURN) as deck:
        await ask_for_a_model_of_a_deleted_run(deck, store)
        await deck.until_shown("Nothing was registered")
        await deck.until_shown("is deleted; restore it first")
    assert rows(store.db, "SELECT count(*) FROM registered_models WHERE name = 'of-deleted'") == [(0,)]


async def test_the_logged_model_of_a_deleted_run_can_be_registered(newest: FixtureStore) -> None:
    """MLflow registers it too, because it does not look at the run."""
    async with running_deck(newest.db, experiment=CHURN) as deck:
        run_id = await ask_for_a_model_of_a_deleted_run(deck, newest)
        await until_told(deck, "Registered of-deleted 1")
    assert newest_version(newest, "of-deleted")[:2] == (1, run_id)


async def test_a_folder_with_a_model(store_copy: CopyOf) -> None:
    store = store_copy("mlflow-2.9.2")
    run_id = store.run("rf5")
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        deck.screen.register_models(run_id, "model")
        await dialog_of(deck)
        await type_text(deck, "of-folder")
        await deck.press("enter", "enter")
        await until_told(deck, "Registered of-folder 1")
    source = rows(store.db, "SELECT source FROM model_versions WHERE name = 'of-folder'")[0][0]
    assert source.endswith(f"{run_id}/artifacts/model")


async def test_read_only_says_why(newest: FixtureStore) -> None:
    async with running_deck(newest.db, experiment=CHURN, read_only=True) as deck:
        await deck.until_counted(12)
        await deck.press("r")
        await until_refused(deck, "Read-only: opened with --read-only")
        assert deck.screen.unavailable("register")


async def test_a_database_without_a_registry(store_copy: CopyOf) -> None:
    store = store_copy("mlflow-1.2.0")
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until(lambda: deck.screen.table.row_count, "the runs")
        await deck.until_shown("rw")
        await deck.press("r")
        await until_refused(deck, "before MLflow 1.4")


async def test_into_a_registry_in_another_database(store_copy: CopyOf, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, registry = store_copy(NEWEST), store_copy("mlflow-2.9.2")
    monkeypatch.setenv("MLDECK_REGISTRY_STORE", str(registry.db))
    async with running_deck(runs.db, experiment=CHURN) as deck:
        await open_dialog(deck, runs.run("rf5"))
        await type_text(deck, "churn-model")
        await deck.press("enter", "enter")
        await until_told(deck, "Registered churn-model 7")
    assert newest_version(registry)[1] == runs.run("rf5")
    assert max(stages(runs)) == 6


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        ("a= b=c=d 'e f=g h'", {"a": "", "b": "c=d", "e f": "g h"}),
    ],
)
def test_tags_in_a_line(text: str, tags: dict[str, str]) -> None:
    assert read_tags(text) == tags


@pytest.mark.parametrize("text", ["a", "a=b c", "a='b", "=b", "k" * 300 + "=1"])
def test_malformed_tags(text: str) -> None:
    with pytest.raises(MldeckError):
        read_tags(text)
