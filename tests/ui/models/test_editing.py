"""Descriptions, tags, aliases, names and deletion in the place Models, by keyboard.

The registry's tests compare the written rows with MLflow's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from textual.widgets import Input

from mldeck.ui.kit.grid import Grid
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL
from tests.ui.models.models_deck import NEWEST, REGISTRIES, ModelsDeck, models_deck, rows, stages

CopyOf = Callable[[str], FixtureStore]

VERSION_TAG = "SELECT value FROM model_version_tags WHERE name = ? AND version = 3 AND key = ?"
ALIASES = "SELECT alias, version FROM registered_model_aliases WHERE name = ?"


@pytest.fixture(params=REGISTRIES)
def store(request: pytest.FixtureRequest, store_copy: CopyOf) -> FixtureStore:
    return store_copy(request.param)


@pytest.fixture
def newest(store_copy: CopyOf) -> FixtureStore:
    return store_copy(NEWEST)


def description(store: FixtureStore, version: int | None) -> str | None:
    if version is None:
        found = rows(store.db, "SELECT description FROM registered_models WHERE name = ?", MODEL)
    else:
        found = rows(store.db, "SELECT description FROM model_versions WHERE name = ? AND version = ?", MODEL, version)
    text: str | None = found[0][0]
    return text


async def choose(deck: ModelsDeck, label: str) -> None:
    """Choose an entry of a menu."""
    grid = deck.app.screen.query_one(Grid)
    await deck.press(*["down"] * grid.found_rows(label)[0], "enter")


@pytest.mark.parametrize("version", [3, None], ids=["version", "model"])
async def test_a_description_is_edited_and_undone(store: FixtureStore, version: int | None) -> None:
    before = description(store, version) or ""
    async with models_deck(store.db, version) as deck:
        await deck.press("d")
        await deck.until_shown("ctrl+s save")
        await deck.type("**Good** one ")
        await deck.press("ctrl+s")
        await deck.until_told("ctrl+z undoes it")
        assert description(store, version) == "**Good** one " + before
        await deck.press("ctrl+z")
        await deck.until(lambda: (description(store, version) or "") == before, "as it was")


async def test_a_description_is_edited_in_the_users_editor(
    newest: FixtureStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "editor.sh"
    script.write_text("#!/bin/sh\nprintf 'written outside\\n' > \"$1\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(script))
    async with models_deck(newest.db) as deck:
        monkeypatch.setattr(deck.app, "suspend", nullcontext)  # there is no terminal to hand over in a test
        await deck.press("d")
        await deck.until_shown("Edit it in $EDITOR")
        await deck.press("e")
        await deck.until(lambda: description(newest, 3) == "written outside", "written")


async def test_a_tag_is_set_and_deleted(store: FixtureStore) -> None:
    async with models_deck(store.db) as deck:
        await deck.press("t")
        await deck.until_shown("ag")  # a menu where there are tags, else the dialog for one
        if "Set a tag" in deck.frame:
            await deck.press("t")
        await deck.until_shown("Tab next")
        await deck.type("reviewed")
        await deck.press("enter")
        await deck.type("yes")
        await deck.press("enter")
        await deck.until(lambda: rows(store.db, VERSION_TAG, MODEL, "reviewed") == [("yes",)], "set")
        await deck.until_alone()
        await deck.until_told("Set tag reviewed of version 3 of churn-model")
        await deck.press("t")
        await deck.until_shown("Delete a tag")
        await deck.press("d")
        await deck.until_shown("Delete which tag?")
        await choose(deck, "reviewed")
        await deck.until(lambda: not rows(store.db, VERSION_TAG, MODEL, "reviewed"), "deleted")
        await deck.press("ctrl+z")
        await deck.until(lambda: rows(store.db, VERSION_TAG, MODEL, "reviewed") == [("yes",)], "back again")


async def test_a_tag_of_the_model(newest: FixtureStore) -> None:
    tag = "SELECT value FROM registered_model_tags WHERE name = ? AND key = 'owner'"
    async with models_deck(newest.db, None) as deck:
        await deck.press("t")
        await deck.until_shown("Set a tag")
        await deck.press("t")
        await deck.until_shown("Tag of churn-model")
        await deck.type("owner")
        await deck.press("enter")
        await deck.type("ada")
        await deck.press("enter")
        await deck.until(lambda: rows(newest.db, tag, MODEL) == [("ada",)], "set")


async def test_a_tag_is_checked_while_it_is_typed(newest: FixtureStore) -> None:
    tag = "SELECT value FROM registered_model_tags WHERE name = ? AND key = 'team/nlp'"
    async with models_deck(newest.db, None) as deck:
        await deck.press("t")
        await deck.until_shown("Set a tag")
        await deck.press("t")
        await deck.until_shown("Tag of churn-model")
        await deck.type("team//nlp")
        await deck.until_shown("MLflow would read it as a path")
        await deck.press("tab")
        await deck.type("ada")
        await deck.press("enter")
        assert "team//nlp" in deck.frame, "nothing that was typed is lost"
        await deck.press("shift+tab", "end", "left", "left", "left", "backspace")
        await deck.until(lambda: "read it as a path" not in deck.frame, "nothing wrong any more")
        await deck.press("enter", "enter")
        await deck.until(lambda: rows(newest.db, tag, MODEL) == [("ada",)], "set")


async def test_the_records_of_transitions_are_not_offered_as_tags(newest: FixtureStore) -> None:
    rows(newest.db, "DELETE FROM model_version_tags")
    async with models_deck(newest.db) as deck:
        await deck.press("p")
        await deck.until_shown("Promote churn-model version 3")
        await deck.until_shown("archive version 2")
        await deck.press("enter")
        await deck.until_alone()
        assert rows(newest.db, "SELECT count(*) FROM model_version_tags")[0] == (1,)
        await deck.press("t")
        await deck.until_shown("Tag of churn-model 3")  # no menu: there is none to delete


class TestAliases:
    @pytest.fixture(params=[name for name in REGISTRIES if name != "mlflow-1.30.1"])
    def store(self, request: pytest.FixtureRequest, store_copy: CopyOf) -> FixtureStore:
        """Aliases came with MLflow 2.3."""
        return store_copy(request.param)

    async def test_a_new_one_is_checked_while_it_is_typed(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await deck.press("at")
            await deck.until_shown("New alias of version 3")
            await deck.press("n")
            await deck.until_shown("without the @")
            await deck.type("v1")
            await deck.until_shown("reserved")
            await deck.press("enter")
            await deck.press("backspace", "backspace")
            await deck.type("a/b")
            await deck.until_shown("MLflow accepts only letters, digits, _ and -")
            await deck.press("backspace", "backspace")
            await deck.type("-day")
            await deck.press("enter")
            await deck.until(lambda: ("a-day", 3) in rows(store.db, ALIASES, MODEL), "set")
            await deck.press("ctrl+z")
            await deck.until(lambda: ("a-day", 3) not in rows(store.db, ALIASES, MODEL), "taken back")

    async def test_one_is_moved_here_and_deleted(self, store: FixtureStore) -> None:
        rows(store.db, "DELETE FROM registered_model_aliases WHERE name = ?", MODEL)
        rows(store.db, "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('live', 2, ?)", MODEL)
        async with models_deck(store.db) as deck:
            await deck.press("at")
            await deck.until_shown("Move @live here from version 2")
            await deck.press("down", "enter")
            await deck.until(lambda: rows(store.db, ALIASES, MODEL) == [("live", 3)], "moved")
            await deck.until_alone()
            await deck.until_told("alias live")
            await deck.press("at")
            await deck.until_shown("Delete @live of version 3")
            await deck.press("down", "enter")
            await deck.until(lambda: rows(store.db, ALIASES, MODEL) == [], "deleted")

    async def test_one_of_a_deleted_version_can_be_deleted(self, newest: FixtureStore) -> None:
        rows(newest.db, "DELETE FROM registered_model_aliases WHERE name = ?", MODEL)
        rows(newest.db, "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('lost', 5, ?)", MODEL)
        async with models_deck(newest.db) as deck:
            await deck.press("at")
            await deck.until_shown("Delete @lost of version 5, which was deleted")


async def test_a_database_without_aliases_is_explained(store_copy: CopyOf) -> None:
    store = store_copy("mlflow-1.30.1")
    async with models_deck(store.db) as deck:
        await deck.press("at")
        await deck.until_shown("New alias of version 3")
        await deck.press("n")
        await deck.until_shown("without the @")
        await deck.type("x")
        await deck.press("enter")
        await deck.until_shown("Nothing was changed")


class TestNames:
    async def test_a_model_is_renamed(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await deck.press("R")
            await deck.until_shown("Rename model churn-model")
            await deck.press("end")
            await deck.type("/")
            await deck.until_shown("the name of a model cannot contain /")
            await deck.press("enter")
            await deck.press("backspace")
            await deck.type("-2")
            await deck.press("enter")
            await deck.until_told("Renamed model churn-model to churn-model-2")
            assert stages(store) == {}
            assert len(stages(store, "churn-model-2")) == 5
            model = deck.models.cursor_model
            assert model is not None
            assert model.name == "churn-model-2"

    async def test_a_taken_name_is_refused(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await deck.press("R")
            await deck.until_shown("Rename model")
            await deck.press(*["backspace"] * 11)
            await deck.type("empty-model")
            await deck.press("enter")
            await deck.until_shown("Nothing was changed")
            assert "empty-model" in deck.frame


class TestDeleting:
    async def test_a_version_is_deleted_after_confirmation_and_restored(self, store: FixtureStore) -> None:
        before = rows(store.db, "SELECT * FROM model_versions ORDER BY name, version")
        async with models_deck(store.db) as deck:
            await deck.press("D")
            await deck.until_shown("Delete version 3 of churn-model?")
            assert "its number is not used again" in deck.frame
            await deck.press("enter")  # the safe answer
            await deck.until_alone()
            assert 3 in stages(store)
            await deck.press("D")
            await deck.until_shown("Delete version 3")
            await deck.press("y")
            await deck.until_told("Deleted version 3 of churn-model")
            assert 3 not in stages(store)
            await deck.press("ctrl+z")
            await deck.until(lambda: 3 in stages(store), "back again")
        assert rows(store.db, "SELECT * FROM model_versions ORDER BY name, version") == before

    async def test_deleting_a_model_asks_for_its_name(self, store: FixtureStore) -> None:
        async with models_deck(store.db, None) as deck:
            await deck.press("D")
            await deck.until_shown("Delete model churn-model?")
            await deck.until_shown("5 versions")
            await deck.press("enter")
            await deck.until_shown("this is not the name of the model")
            await deck.type("churn-model")
            await deck.press("enter")
            await deck.until_told("Deleted model churn-model")
            assert stages(store) == {}
            model = deck.models.cursor_model
            assert model is None or model.name != MODEL
            assert not any("no longer registered" in each for each in deck.told), "the user deleted it"
            await deck.press("ctrl+z")
            await deck.until(lambda: len(stages(store)) == 5, "back again")

    async def test_polling_notices_the_deletion_before_it_is_shown(
        self, newest: FixtureStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with models_deck(newest.db, None) as deck:
            read_again = deck.models.read_again

            async def noticed_first(cursor: tuple[str, int | None] | None = None) -> None:
                await read_again()
                await read_again(cursor)

            monkeypatch.setattr(deck.models, "read_again", noticed_first)
            await deck.press("D")
            await deck.until_shown("Delete model churn-model?")
            await deck.type("churn-model")
            await deck.press("enter")
            await deck.until_told("Deleted model churn-model")
            assert not any("no longer registered" in each for each in deck.told), "the user deleted it"

    async def test_characters_that_cannot_be_typed_are_typed_as_shown(self, newest: FixtureStore) -> None:
        rows(newest.db, "UPDATE registered_models SET name = 'a' || char(10) || 'b' WHERE name = 'empty-model'")
        async with models_deck(newest.db, None, model="a\nb") as deck:
            await deck.press("D")
            await deck.until_shown("It has no versions")
            deck.app.screen.query_one(Input).value = "a↵b"
            await deck.press("enter")
            await deck.until_told("Deleted model a↵b")


async def test_nothing_to_undo(newest: FixtureStore) -> None:
    async with models_deck(newest.db) as deck:
        await deck.press("ctrl+z")
        await deck.until_told("No edit to undo in this session")


async def test_an_edit_that_changes_nothing(newest: FixtureStore) -> None:
    rows(newest.db, "DELETE FROM registered_model_aliases WHERE name = ?", MODEL)
    rows(newest.db, "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('live', 3, ?)", MODEL)
    async with models_deck(newest.db) as deck:
        await deck.press("at")
        await deck.until_shown("New alias of version 3")
        await deck.press("n")
        await deck.until_shown("without the @")
        await deck.type("live")
        await deck.press("enter")
        await deck.until_told("No change")
