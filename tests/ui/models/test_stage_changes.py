"""Stage changes by keyboard. The registry's tests compare the written rows with MLflow's."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

import pytest
from textual import events

from mldeck.errors import MldeckError
from mldeck.registry.history import previous_in
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.dialogs.refusal import RefusalDialog
from mldeck.ui.kit.dialogs.waiting import WaitingDialog
from mldeck.ui.kit.form_controls import CheckBox
from mldeck.ui.models.review import Review, StageChange
from mldeck.ui.models.review_dialog import ReviewDialog, ReviewGrid
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL
from tests.ui.models.models_deck import NEWEST, REGISTRIES, ModelsDeck, models_deck, records, rows, stages

CopyOf = Callable[[str], FixtureStore]
AS_MADE = {1: "Archived", 2: "Production", 3: "Staging", 4: "None", 6: "None"}


@pytest.fixture(params=REGISTRIES)
def store(request: pytest.FixtureRequest, store_copy: CopyOf) -> FixtureStore:
    return store_copy(request.param)


@pytest.fixture
def newest(store_copy: CopyOf) -> FixtureStore:
    return store_copy(NEWEST)


async def review(deck: ModelsDeck, key: str) -> ReviewDialog:
    await deck.press(key)
    await deck.until(lambda: isinstance(deck.app.screen, ReviewDialog), "the review")
    dialog = deck.app.screen
    assert isinstance(dialog, ReviewDialog)
    await deck.until(lambda: dialog.query_one(ReviewGrid).rows, "what is compared")
    return dialog


class TestKeys:
    async def test_moving_to_production_archives_the_present_version_by_default(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            await deck.until_shown("Promote churn-model version 3 → Production")
            await deck.until_shown("3: Staging → Production")
            assert "2: Production → Archived" in deck.frame
            assert "now: 2" in deck.frame
            assert "then: 3" in deck.frame
            await deck.press("enter")
            await deck.until_told("churn-model 3 is in Production · 2 archived · u undoes it")
            assert stages(store) == AS_MADE | {3: "Production", 2: "Archived"}
            version = deck.models.cursor_version
            assert version is not None
            assert (version.version, version.stage) == (3, "Production")
            (record,) = records(store)
            assert (record["from"], record["to"], record["archived"]) == ("Staging", "Production", [2])
            assert record["who"]

    async def test_the_present_version_can_stay_and_a_reason_is_recorded(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            await deck.press("ctrl+a")
            await deck.until_shown("version 2 stays in Production")
            await deck.type("a/b test, [/x]")
            await deck.press("enter", "enter")
            await deck.until_alone()
            assert stages(store) == AS_MADE | {3: "Production"}
            assert records(store)[0]["reason"] == "a/b test, [/x]"

    async def test_it_is_said_where_enter_goes(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            await deck.until_shown("Enter presses   [ Promote ]")
            assert "type a reason" in deck.frame
            await deck.type("recall")
            await deck.until_shown("Enter: buttons")
            assert "Enter presses" not in deck.frame, "the buttons have lost the focus"
            await deck.press("enter")
            await deck.until_shown("Enter presses   [ Promote ]")
            await deck.press("right")
            await deck.until_shown("Enter presses     Promote    [ Cancel ]")
            await deck.type("2")
            await deck.until_shown("Enter: buttons")
            assert "recall2" in deck.frame
            assert stages(store) == AS_MADE

    async def test_the_present_version_can_stay_after_the_reason_was_typed(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            await deck.type("a/b test")
            await deck.press("ctrl+a")
            await deck.until_shown("version 2 stays in Production")
            await deck.press("enter", "enter")
            await deck.until_alone()
            assert stages(store) == AS_MADE | {3: "Production"}
            assert records(store)[0]["reason"] == "a/b test"

    @pytest.mark.parametrize(
        ("key", "version", "stage"),
        [
            ("s", 6, "Staging"),
            ("a", 3, "Archived"),
            ("n", 3, "None"),
            ("shift+right", 3, "Production"),
            ("shift+left", 3, "None"),
            ("greater_than_sign", 6, "Staging"),
        ],
    )
    async def test_every_stage_has_a_key(self, newest: FixtureStore, key: str, version: int, stage: str) -> None:
        async with models_deck(newest.db, version) as deck:
            await review(deck, key)
            await deck.press("enter")
            await deck.until_alone()
            assert stages(newest)[version] == stage

    async def test_esc_and_cancel_change_nothing(self, store: FixtureStore) -> None:
        before = store.db.read_bytes()
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            await deck.press("escape")
            await deck.until_alone()
            await review(deck, "p")
            await deck.press("right", "enter")
            await deck.until_alone()
        assert store.db.read_bytes() == before

    async def test_moving_to_the_present_stage_opens_no_review(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, 2) as deck:
            await deck.press("p")
            await deck.until_refused("Version 2 is already in Production")

    async def test_the_other_versions_of_the_present_stage_can_be_archived(self, newest: FixtureStore) -> None:
        rows(
            newest.db,
            "UPDATE model_versions SET current_stage = 'Production' WHERE name = ? AND version IN (3, 6)",
            MODEL,
        )
        async with models_deck(newest.db, 3) as deck:
            await review(deck, "p")
            await deck.until_shown("since")
            assert "In Production: version 6" in deck.frame
            assert "1 more" in deck.frame
            await deck.press("enter")
            await deck.until_alone()
            assert stages(newest) == AS_MADE | {2: "Archived", 3: "Production", 6: "Archived"}

    async def test_n_steps_through_matches_while_there_are_any(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, None) as deck:
            await deck.press("slash")
            await deck.type("model")
            await deck.press("enter")
            await deck.until(lambda: deck.models.finder.has_matches, "matches")
            row = deck.model_list.cursor_row
            await deck.press("n")
            await deck.until(lambda: deck.model_list.cursor_row != row, "the next match")
            assert len(deck.app.screen_stack) == 1

    async def test_a_model_without_versions_says_so(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, None, model="empty-model") as deck:
            for key in ("p", "shift+right", "at"):
                await deck.press(key)
                await deck.until_refused("This model has no version")


async def test_keys_in_the_list_of_models_name_what_they_act_on(newest: FixtureStore) -> None:
    async with models_deck(newest.db, size=(200, 50)) as deck:
        await deck.until_shown("p production  ")
        assert " t tags " in deck.frame
        await deck.press("escape")
        await deck.until_shown("p production v3")
        await deck.until_shown("t model's tags")
        await deck.press("p")
        await deck.until_shown("Promote churn-model version 3 → Production")
        await deck.press("escape")
        await deck.press("D")
        await deck.until_shown("Delete model churn-model?")


class TestReview:
    async def test_a_narrow_review_keeps_the_end_of_the_source(self, newest: FixtureStore) -> None:
        tags = (
            ("mlflow.source.name", "/home/ada/train_the_churn_model.py"),
            ("mlflow.source.git.commit", "1f3c2a9" * 5),
        )
        of_version = "SELECT run_id FROM model_versions WHERE name = ? AND version = 3"
        (run_id,) = rows(newest.db, of_version, MODEL)[0]
        for key, value in tags:
            rows(newest.db, "INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", key, value, run_id)
        async with models_deck(newest.db, size=(80, 24)) as deck:
            await review(deck, "p")
            await deck.until_shown("…@1f3c2a9")
            assert "train_the_churn_model" not in deck.frame

    async def test_the_better_direction_is_asked_once(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, 1) as deck:
            dialog = await review(deck, "p")
            grid = dialog.query_one(ReviewGrid)
            assert grid.rows[0].metric == "auc"
            await deck.until_shown("hi/lo?")
            await deck.press("ctrl+b")
            await deck.until_shown("When is auc best?")
            await deck.press("h")
            await deck.until(lambda: grid.rows[0].verdict == "worse", "the answer is used")
            await deck.press("escape")
        async with models_deck(newest.db, 1) as deck:
            dialog = await review(deck, "p")
            assert dialog.query_one(ReviewGrid).rows[0].verdict == "worse"

    async def test_only_metrics_have_a_direction(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, 1) as deck:
            dialog = await review(deck, "p")
            dialog.query_one(ReviewGrid).action_edge(1)
            await deck.press("ctrl+b")
            await deck.until_told("Only metrics have a better direction")

    async def test_missing_files_are_a_warning_only(self, newest: FixtureStore) -> None:
        rows(
            newest.db,
            "UPDATE model_versions SET source = '/nowhere/x', storage_location = '/nowhere/x' WHERE name = ? AND version = 3",
            MODEL,
        )
        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            await deck.until_shown("! files of version 3: no files at /nowhere/x")
            await deck.press("enter")
            await deck.until_alone()
            assert stages(newest)[3] == "Production"

    async def test_a_missing_run_is_a_warning(self, newest: FixtureStore) -> None:
        rows(newest.db, "UPDATE model_versions SET run_id = 'gone' WHERE name = ? AND version = 3", MODEL)
        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            await deck.until_shown("! the run of version 3 is not in this database")

    async def test_leaving_production_empty_is_a_warning(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, 2) as deck:
            await review(deck, "a")
            await deck.until_shown("Archive churn-model version 2")
            await deck.until_shown("! no version will be in Production")

    async def test_a_reason_that_is_too_long_is_refused_while_it_is_typed(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            dialog = await review(deck, "p")
            dialog._reason.value = "x" * 501
            await deck.until_shown("the reason")
            await deck.press("enter")
            await deck.until_shown("Nothing was changed")
            assert stages(newest) == AS_MADE

    async def test_space_and_clicks_toggle_the_tick(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            dialog = await review(deck, "p")
            tick = dialog.query_one(CheckBox)
            assert tick.is_on
            await deck.press("tab", "tab", "space")
            assert not tick.is_on
            await deck.pilot.click(CheckBox)
            assert tick.is_on


class TestMeanwhile:
    async def test_a_stale_review_writes_nothing_and_shows_the_new_state(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            rows(
                store.db,
                "UPDATE model_versions SET current_stage = 'Production', last_updated_time = 99"
                " WHERE name = ? AND version = 6",
                MODEL,
            )
            await deck.press("enter")
            await deck.until_shown("Nothing was changed: Production of churn-model was changed meanwhile")
            await deck.until_shown("now: 6")
            assert stages(store) == AS_MADE | {6: "Production"}
            assert records(store) == []
            await deck.press("enter")  # Cancel is marked now
            await deck.until_alone()
            assert stages(store)[3] == "Staging"
            await review(deck, "p")
            await deck.until_shown("archive versions 6 and 2")
            await deck.press("enter")
            await deck.until_alone()
            assert stages(store) == AS_MADE | {2: "Archived", 3: "Production", 6: "Archived"}

    async def test_a_version_deleted_meanwhile(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            rows(
                newest.db,
                "UPDATE model_versions SET current_stage = 'Deleted_Internal' WHERE name = ? AND version = 3",
                MODEL,
            )
            await deck.press("enter")
            await deck.until_shown("version 3 of churn-model no longer exists")
            await deck.press("enter")
            await deck.until_alone()

    async def test_waiting_for_a_lock_shows_a_dialog_and_can_be_cancelled(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            with closing(sqlite3.connect(store.db, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await deck.press("enter")
                await deck.until(lambda: isinstance(deck.app.screen, WaitingDialog), "the wait is said")
                await deck.until_shown("Another program is writing")
                await deck.press("escape")
                await deck.until_told("Cancelled; nothing was changed")
                assert isinstance(deck.app.screen, ReviewDialog)
                other.execute("ROLLBACK")
            assert stages(store) == AS_MADE
            await deck.press("enter")
            await deck.until_alone()
            assert stages(store)[3] == "Production"

    async def test_keys_after_the_write_change_nothing(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            await deck.press("enter", "enter", "escape", "enter")
            await deck.until_told("churn-model 3 is in Production")
            assert len(records(newest)) == 1
            assert stages(newest) == AS_MADE | {2: "Archived", 3: "Production"}

    async def test_what_is_typed_before_the_review_is_read_is_its_reason(
        self, newest: FixtureStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No letter reaches the place below as a command: `q` would leave, `t` would open the tags."""
        is_ready, read = threading.Event(), StageChange.read

        def read_late(change: StageChange, interrupt: Interrupt) -> Review:
            is_ready.wait(10)
            return read(change, interrupt)

        monkeypatch.setattr(StageChange, "read", read_late)
        async with models_deck(newest.db) as deck:
            await deck.press("p", *"quick test", "enter")
            dialog = deck.app.screen
            assert isinstance(dialog, ReviewDialog)
            is_ready.set()
            await deck.until(lambda: dialog.query_one(ReviewGrid).rows, "what is compared")
            await deck.until(lambda: dialog.query_one("#review-reason").has_focus, "the reason has the focus")
            assert records(newest) == []
            await deck.press("enter", "enter")
            await deck.until_alone()
            assert [record["reason"] for record in records(newest)] == ["quick test"]

    async def test_a_lock_released_in_time(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            with closing(sqlite3.connect(newest.db, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                await deck.press("enter")
                await deck.until(lambda: isinstance(deck.app.screen, WaitingDialog), "the wait is said")
                other.execute("ROLLBACK")
                await deck.until_alone()
            assert stages(newest)[3] == "Production"

    async def test_a_database_without_room_is_explained(
        self, newest: FixtureStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from mldeck.errors import MldeckError
        from mldeck.store.registry.editor import RegistryEditor

        def full(*_: object) -> None:
            raise MldeckError(f"{newest.db} could not be changed: database or disk is full; nothing was changed")

        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            monkeypatch.setattr(RegistryEditor, "transition", full)
            await deck.press("enter")
            await deck.until_shown("disk is full")
            await deck.press("escape")
            assert isinstance(deck.app.screen, ReviewDialog)


class TestTakingBack:
    async def test_u_undoes_the_change_after_confirmation(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            await deck.press("enter")
            await deck.until_alone()
            await deck.press("u")
            await deck.until_shown("Undo the last stage change of churn-model?")
            assert "version 3: Production → Staging" in deck.frame
            assert "version 2: Archived → Production" in deck.frame
            await deck.press("enter")  # the safe answer
            await deck.until_alone()
            assert stages(store)[3] == "Production"
            await deck.press("u")
            await deck.until_shown("Undo the last stage change")
            await deck.press("y")
            await deck.until_told("churn-model 3 is in Staging · 2 back in Production · u undoes it")
            assert stages(store) == AS_MADE
            assert records(store)[1]["undo_of"]

    async def test_u_refuses_after_a_later_change(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            await deck.press("enter")
            await deck.until_alone()
            rows(newest.db, "UPDATE model_versions SET current_stage = 'None' WHERE name = ? AND version = 2", MODEL)
            await deck.press("u")
            await deck.until_refused("cannot undo, because it was changed since: version 2")
            assert stages(newest)[3] == "Production"

    async def test_u_refuses_after_a_change_during_the_confirmation(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await review(deck, "p")
            await deck.press("enter")
            await deck.until_alone()
            await deck.press("u")
            await deck.until_shown("Undo the last stage change")
            rows(newest.db, "UPDATE model_versions SET current_stage = 'None' WHERE name = ? AND version = 2", MODEL)
            await deck.press("y")
            await deck.until_refused("version 2 of churn-model is in None now")
            assert stages(newest)[3] == "Production"

    async def test_u_without_a_recorded_change(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await deck.press("u")
            await deck.until_refused("Nothing to undo: no stage change of churn-model is")

    async def test_P_moves_the_previous_production_version_back(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await review(deck, "p")
            await deck.press("enter")
            await deck.until_alone()
            await review(deck, "P")
            await deck.until_shown("churn-model version 2 → Production")
            await deck.press("enter")
            await deck.until_alone()
            assert stages(store) == AS_MADE | {2: "Production", 3: "Archived"}

    async def test_P_without_a_previous_production_version(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            assert previous_in(deck.app.session.registry.history(MODEL), "Production") is None
            await deck.press("P")
            await deck.until_refused("No earlier Production version of churn-model is known")

    async def test_changes_of_this_session_can_be_undone_without_records(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            settings = deck.app.session.settings
            deck.app.session.settings = settings._replace(record_transitions=False)
            await review(deck, "p")
            await deck.press("enter")
            await deck.until_alone()
            assert records(newest) == []
            await deck.press("u")
            await deck.until_shown("version 2: Archived → Production")
            await deck.press("y")
            await deck.until(lambda: stages(newest) == AS_MADE, "undone")


async def type_ahead(deck: ModelsDeck, text: str) -> None:
    """Type without waiting for anything that the keys open."""
    for character in text:
        printable = character if character.isprintable() else None
        deck.app.post_message(events.Key({" ": "space", "\r": "enter"}.get(character, character), printable))


REFUSED = {
    "p": "Version 2 is already in Production",
    "P": "No earlier Production version of churn-model is known",
    "u": "no stage change of churn-model is",
}


@pytest.mark.parametrize("key", REFUSED)
@pytest.mark.parametrize("waits", [False, True])
async def test_text_behind_a_refused_key_does_nothing(newest: FixtureStore, key: str, waits: bool) -> None:
    """People go on typing the reason, fast or slowly, and end it with Enter."""
    before = newest.db.read_bytes()
    async with models_deck(newest.db, 2) as deck:
        await type_ahead(deck, key if waits else f"{key}better recall, qa\r")
        await deck.until(lambda: isinstance(deck.app.screen, RefusalDialog), "the refusal")
        if waits:
            await type_ahead(deck, "better recall, qa\r")
        await deck.until_shown("what was typed is not used")
        await deck.until_refused(REFUSED[key])
        assert deck.models.versions_pane.grid.has_focus
    assert newest.db.read_bytes() == before


async def test_archiving_again_is_refused_whatever_else_is_archived(newest: FixtureStore) -> None:
    rows(newest.db, "UPDATE model_versions SET current_stage = 'Archived' WHERE name = ? AND version IN (1, 2)", MODEL)
    async with models_deck(newest.db, 2) as deck:
        await deck.press("a")
        await deck.until_refused("Version 2 is already in Archived")


async def test_a_step_beyond_the_last_stage_is_refused(newest: FixtureStore) -> None:
    async with models_deck(newest.db, 1) as deck:
        for key, sides in (("shift+right", "Archived, the last stage"), ("shift+left", "None, the first stage")):
            assert deck.models.cursor_version is not None
            stage = sides.partition(",")[0]
            rows(newest.db, "UPDATE model_versions SET current_stage = ? WHERE name = ? AND version = 1", stage, MODEL)
            await deck.go_to(MODEL, 1)
            await deck.press(key)
            await deck.until_refused(f"Version 1 is in {sides}")


async def test_a_store_that_cannot_be_read_refuses_in_a_dialog(
    newest: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with models_deck(newest.db, 2) as deck:

        def history(*_: object) -> None:
            raise MldeckError("mlflow.db is locked")

        monkeypatch.setattr(type(deck.app.session.registry), "history", history)
        await type_ahead(deck, "Ptq")
        await deck.until_shown("mlflow.db is locked")
        await deck.press("escape")
        await deck.until_alone()


async def test_a_review_with_nothing_to_change_keeps_its_text_from_closing_it(newest: FixtureStore) -> None:
    async with models_deck(newest.db, 3) as deck:
        await review(deck, "p")
        rows(
            newest.db,
            "UPDATE model_versions SET current_stage = iif(version = 3, 'Production', 'None') WHERE name = ?",
            MODEL,
        )
        await deck.press("enter")
        await deck.until_shown("version 3 is already in Production")
        await type_ahead(deck, "better recall\r")
        await deck.press("q")
        await deck.until_shown("version 3 is already in Production")
        await deck.press("enter", "enter")
        await deck.until_alone()


async def test_read_only_says_why_at_every_key(store: FixtureStore) -> None:
    before = store.db.read_bytes()
    async with models_deck(store.db, read_only=True) as deck:
        for key in ("s", "p", "a", "n", "shift+right", "u", "P", "d", "t", "at", "R", "D", "ctrl+z"):
            await deck.press(key)
            await deck.until_refused("Read-only: opened with --read-only")
        assert deck.models.unavailable("stage('Staging')")
        assert deck.models.unavailable("history") is None
        await deck.press("H")
        await deck.until_shown("History of churn-model")
    assert store.db.read_bytes() == before


@pytest.mark.parametrize("name", ["[/x]", "\x1b[31mred\x1b]52;c;AAAA\x07", "a/b:c", "  ", "雪👩‍🚀" + "x" * 200])
async def test_names_with_control_characters(store_copy: CopyOf, name: str) -> None:
    store = store_copy("mlflow-2.9.2")
    rows(store.db, "PRAGMA foreign_keys = OFF")
    for table in ("model_versions", "registered_models", "registered_model_aliases", "registered_model_tags"):
        rows(store.db, f"UPDATE {table} SET name = ? WHERE name = ?", name, MODEL)
    rows(store.db, "UPDATE model_version_tags SET name = ? WHERE name = ?", name, MODEL)
    async with models_deck(store.db, model=name) as deck:
        await review(deck, "p")
        await deck.press("enter")
        await deck.until_alone()
        assert stages(store, name)[3] == "Production"
        await deck.press("H")
        await deck.until_shown("History of")
        assert "\x1b" not in deck.frame
        await deck.press("escape", "u")
        await deck.until_shown("Undo the last stage change")
        await deck.press("y")
        await deck.until(lambda: stages(store, name)[3] == "Staging", "undone")


async def test_a_registry_in_another_database(store_copy: CopyOf, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, registry = store_copy(NEWEST), store_copy("mlflow-2.9.2")
    before = runs.db.read_bytes()
    monkeypatch.setenv("MLDECK_REGISTRY_STORE", str(registry.db))
    async with models_deck(runs.db) as deck:
        await review(deck, "p")
        await deck.press("enter")
        await deck.until_alone()
    assert stages(registry)[3] == "Production"
    assert runs.db.read_bytes() == before


async def test_only_the_shown_workspace_is_changed(newest: FixtureStore) -> None:
    from tests.registry_rooms import two_workspaces

    two_workspaces(newest)
    async with models_deck(newest.db) as deck:
        await review(deck, "p")
        await deck.press("enter")
        await deck.until_alone()
    found = rows(
        newest.db,
        "SELECT workspace, version FROM model_versions WHERE name = ? AND current_stage = 'Production'",
        MODEL,
    )
    assert sorted(found) == [("default", 3), ("lab", 9)]
