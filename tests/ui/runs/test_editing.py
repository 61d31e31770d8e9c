"""Editing runs and experiments by keyboard. The interop tests compare what is written with MLflow."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck, until_refused
from tests.ui.filter.test_filter_line import type_text

CHURN = "churn-baseline"


def query(path: Path, text: str, *values: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(text, values).fetchall()
    finally:
        connection.close()


async def go_to(deck: Deck, run_id: str) -> None:
    table = deck.screen.table
    await deck.until(lambda: run_id in table.run_ids, "the run is listed")
    table.move_to(list(table.run_ids).index(run_id))
    await deck.until(lambda: table.cursor_record is not None, "the row is read")


async def test_renaming_a_run_and_undoing_it(fixture_store: FixtureStore) -> None:
    run_id = fixture_store.run("rf5")
    async with running_deck(fixture_store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await go_to(deck, run_id)
        await deck.press("e")
        await deck.until_shown("Rename")
        await deck.press("n")
        await deck.until_shown("Rename rf-depth-5")
        await deck.press(*["backspace"] * 20)
        await type_text(deck, "[/x] better")
        await deck.press("enter")
        await deck.until(lambda: "[/x] better" in deck.run_names, "the new name")
        tag = "SELECT value FROM tags WHERE key = 'mlflow.runName' AND run_uuid = ?"
        assert query(fixture_store.db, tag, run_id) == [("[/x] better",)]
        await deck.press("ctrl+z")
        await deck.until(lambda: "rf-depth-5" in deck.run_names, "the old name")
        assert query(fixture_store.db, tag, run_id) == [("rf-depth-5",)]


async def test_a_note_is_written_and_shown(fixture_store: FixtureStore) -> None:
    run_id = fixture_store.run("rf5")
    async with running_deck(fixture_store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await go_to(deck, run_id)
        await deck.press("e", "m")
        await deck.until_shown("ctrl+s save")
        await type_text(deck, "**Good** one")
        await deck.press("ctrl+s")
        await deck.until_shown("Good one")
        note = "SELECT value FROM tags WHERE key = 'mlflow.note.content' AND run_uuid = ?"
        assert query(fixture_store.db, note, run_id) == [("**Good** one",)]


async def test_a_note_in_an_external_editor(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = store_copy("mlflow-3.17.2")
    script = tmp_path / "editor.sh"
    script.write_text("#!/bin/sh\nprintf 'written outside\\n' > \"$1\"\n")
    script.chmod(0o755)
    monkeypatch.setitem(os.environ, "EDITOR", str(script))
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await go_to(deck, store.run("rf5"))
        # A test has no terminal to hand over; that part is Textual's.
        from contextlib import nullcontext

        monkeypatch.setattr(deck.app, "suspend", nullcontext)
        await deck.press("e", "e")
        await deck.until_shown("written outside")


async def test_a_tag_on_all_marked_runs_at_once(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await go_to(deck, fixture_store.run("rf5"))
        await deck.press("space")
        await go_to(deck, fixture_store.run("rf10"))
        await deck.press("space", "e")
        await deck.until_shown("Edit 2 marked runs")
        await deck.press("t")
        await deck.until_shown("Tab next")
        await type_text(deck, "keep")
        await deck.press("enter")
        await type_text(deck, "yes")
        await deck.press("enter")
        await deck.until_shown("ctrl+z undoes it")
        tagged = query(fixture_store.db, "SELECT run_uuid FROM tags WHERE key = 'keep' AND value = 'yes' ORDER BY 1")
        assert [row[0] for row in tagged] == sorted([fixture_store.run("rf5"), fixture_store.run("rf10")])


async def test_deleting_asks_and_can_be_undone(fixture_store: FixtureStore) -> None:
    run_id = fixture_store.run("rf5")
    stage = "SELECT lifecycle_stage FROM runs WHERE run_uuid = ?"
    async with running_deck(fixture_store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await go_to(deck, run_id)
        await deck.press("x")
        await deck.until_shown("Delete rf-depth-5?")
        await deck.press("enter")  # the cursor starts on the safe answer
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "the dialog is closed")
        assert query(fixture_store.db, stage, run_id) == [("active",)]
        await deck.press("x")
        await deck.until_shown("Delete rf-depth-5?")
        await deck.press("y")
        await deck.until_counted(11)
        assert query(fixture_store.db, stage, run_id) == [("deleted",)]
        await deck.press("ctrl+z")
        await deck.until_counted(12)


async def test_restoring_a_deleted_run(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await deck.press("v")
        await go_to(deck, fixture_store.run("deleted"))
        await deck.press("X")
        await deck.until(lambda: deck.screen.table.row_count == 0, "no deleted runs any more")
        await deck.press("v", "v")
        await deck.until_counted(13)


async def test_experiments_are_created_renamed_deleted_and_restored(fixture_store: FixtureStore) -> None:
    names = "SELECT name FROM experiments WHERE lifecycle_stage = 'active'"
    async with running_deck(fixture_store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await deck.press("A")
        await deck.until_shown("Create an experiment")
        await type_text(deck, "brand-new")
        await deck.press("enter")
        await deck.until_shown("brand-new")
        assert ("brand-new",) in query(fixture_store.db, names)

        await deck.press("shift+tab", "x")
        await deck.until_shown(f"Delete experiment {CHURN}?")
        assert "12 runs" in deck.frame
        await deck.press("y")
        await deck.until(lambda: (CHURN,) not in query(fixture_store.db, names), "deleted")
        await deck.until(
            lambda: CHURN not in [experiment.name for experiment in deck.screen.experiments.experiments], "gone"
        )
        await deck.press("ctrl+z")
        await deck.until(lambda: (CHURN,) in query(fixture_store.db, names), "restored")


async def test_a_refusal_is_a_dialog_that_names_its_subject(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await deck.press("v")
        await go_to(deck, store.run("deleted"))
        await deck.press("e", "n")
        await deck.until_shown("Rename deleted-run")
        await type_text(deck, "x")
        await deck.press("enter")
        await deck.until_shown("Nothing was changed")
        assert "deleted-run" in deck.frame


async def test_read_only_dims_every_edit_and_says_why(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    before = store.db.read_bytes()
    async with running_deck(store.db, experiment=CHURN, read_only=True) as deck:
        await deck.until_counted(12)
        await deck.until_shown("read-only")
        for key in ("e", "x", "X", "ctrl+z"):
            await deck.press(key)
            await until_refused(deck, "Read-only: opened with --read-only")
            await deck.press("escape")
            assert deck.screen.unavailable("edit")
    assert store.db.read_bytes() == before


async def test_tags_of_an_experiment_are_set_and_deleted(fixture_store: FixtureStore) -> None:
    tag = "SELECT value FROM experiment_tags WHERE key = 'reviewed' AND experiment_id = ?"
    experiment_id = fixture_store.experiment("churn")
    async with running_deck(fixture_store.db, experiment=CHURN) as deck:
        await deck.until_counted(12)
        await deck.press("shift+tab", "e")
        await deck.until_shown("Set a tag")
        await deck.press("t")
        await deck.until_shown("Tab next")
        await type_text(deck, "reviewed")
        await deck.press("enter")
        await type_text(deck, "yes")
        await deck.press("enter")
        await deck.until(lambda: query(fixture_store.db, tag, experiment_id) == [("yes",)], "set")
        await deck.press("e")
        await deck.until_shown("Delete a tag")
        await deck.press("d")
        await deck.until_shown("Delete which tag")
        await type_text(deck, "reviewed")
        await deck.press("enter")
        await deck.until(lambda: not query(fixture_store.db, tag, experiment_id), "deleted")
        await deck.press("ctrl+z")
        await deck.until(lambda: query(fixture_store.db, tag, experiment_id) == [("yes",)], "back again")


async def test_without_a_run_letters_are_no_commands(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with running_deck(store.db, experiment="empty-experiment") as deck:
        await deck.until(lambda: deck.app.session.experiment is not None and not deck.screen.table.row_count, "no runs")
        await deck.press(*"enq")
        await until_refused(deck, "There is no run to change")
        await deck.press("enter", "enter")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "closed")
