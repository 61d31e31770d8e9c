"""The user's own pager and editor: no artifact is run in their place, and no text is lost with what they leave."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from mldeck.ui.files.viewer import ArtifactScreen
from mldeck.ui.kit.external_program import _stopped_later
from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import DOWN, ENTER, TAB, mldeck
from tests.ui.deck import Deck, running_deck
from tests.ui.files.artifact_deck import CHURN, files_of

NOTE = "SELECT value FROM tags WHERE key = 'mlflow.note.content' AND run_uuid = ?"


@pytest.fixture
def fixture(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> FixtureStore:
    # There is no terminal to hand over in a test.
    monkeypatch.setattr("textual.app.App.suspend", lambda _: nullcontext())
    return store_copy("mlflow-3.17.2")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def note_of(fixture: FixtureStore, run_id: str) -> str | None:
    with closing(sqlite3.connect(fixture.db)) as connection:
        row = connection.execute(NOTE, (run_id,)).fetchone()
    return None if row is None else row[0]


@pytest.mark.parametrize("program", [" ", "   \t", "''", '""', "'' --option"])
async def test_a_blank_program_runs_nothing(
    fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    trace = tmp_path / "executed"
    with closing(sqlite3.connect(fixture.db)) as connection:
        (uri,) = connection.execute(
            "SELECT artifact_uri FROM runs WHERE run_uuid = ?", (fixture.run("logreg"),)
        ).fetchone()
    script(Path(uri.removeprefix("file://")) / "a.sh", f"touch '{trace}'")
    monkeypatch.setenv("PAGER", program)
    monkeypatch.setenv("EDITOR", program)
    async with files_of(fixture.db, fixture.run("logreg")) as deck:
        await deck.go_to("a.sh")
        await deck.press("o")
        await deck.until_shown("$PAGER is set, but names no program")
        await deck.press("e")
        await deck.until_shown("$EDITOR is set, but names no program")
        assert not isinstance(deck.app.screen, ArtifactScreen)
    assert not trace.exists()


async def edit_note(deck: Deck, fixture: FixtureStore) -> str:
    run_id = fixture.run("rf5")
    await deck.until_counted(12)
    table = deck.screen.table
    table.move_to(list(table.run_ids).index(run_id))
    await deck.press("e", "e")
    return run_id


@pytest.mark.parametrize(
    ("does", "said", "offered"),
    [
        ('rm "$1"', "left no file that can be read", "A note that stays"),
        ('rm "$1"; mkdir "$1"', "left no file that can be read", "A note that stays"),
        ("printf 'caf\\351' > \"$1\"", "a text that is not UTF-8", "café"),
    ],
    ids=["no file", "a folder", "latin-1"],
)
async def test_a_note_is_offered_again(
    fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str, said: str, offered: str
) -> None:
    with closing(sqlite3.connect(fixture.db)) as connection, connection:
        connection.execute(
            "INSERT OR REPLACE INTO tags (run_uuid, key, value) VALUES (?, 'mlflow.note.content', 'A note that stays')",
            (fixture.run("rf5"),),
        )
    monkeypatch.setenv("EDITOR", str(script(tmp_path / "editor", does)))
    async with running_deck(fixture.db, experiment=CHURN) as deck:
        run_id = await edit_note(deck, fixture)
        await deck.until_shown(said)
        await deck.until_shown("ctrl+s save")
        assert offered in deck.frame
        assert note_of(fixture, run_id) == "A note that stays"
        await deck.press("end", "!", "ctrl+s")
        await deck.until(lambda: note_of(fixture, run_id) == f"{offered}!", "the note is saved")


@pytest.mark.parametrize("does", ["exit 1", 'printf lost > "$1"; kill -9 $$'], ids=["fails", "is killed"])
async def test_an_editor_that_fails_changes_nothing(
    fixture: FixtureStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str
) -> None:
    script(tmp_path / "ed", does)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("EDITOR", "ed")  # a short name, so that the message stays in one line
    async with running_deck(fixture.db, experiment=CHURN) as deck:
        run_id = await edit_note(deck, fixture)
        await deck.until_shown("unchanged")
        assert note_of(fixture, run_id) in (None, "")


def test_keys_that_interrupt_are_left_to_the_program(store_copy: Callable[[str], FixtureStore], tmp_path: Path) -> None:
    """The terminal sends them to the deck as well. And a program may leave the terminal in any state."""
    fixture = store_copy("mlflow-3.17.2")
    started, got, end = tmp_path / "started", tmp_path / "got", tmp_path / "end"
    does = f"""
trap 'echo INT >> {got}' INT
trap 'echo QUIT >> {got}' QUIT
touch {started}
until [ -e {end} ]; do sleep 0.05; done
stty raw -echo"""
    environment = {"PAGER": str(script(tmp_path / "pager", does))}
    with mldeck(fixture.db, "--experiment", CHURN, env=environment) as deck:
        deck.wait_for("live · rw")
        deck.press("/logreg" + ENTER + "]]]]", "notes.txt")
        deck.press(TAB, "view")
        deck.send(3 * DOWN + "o")
        deck.wait_for(started.exists)
        deck.send("\x03")
        deck.wait_for(got.exists)
        deck.send("\x1c")
        deck.wait_for(lambda: got.read_text() == "INT\nQUIT\n")
        end.touch()
        deck.wait_for("live · rw")
        deck.send("q")
        assert deck.wait_exit() == 0, deck.frame()
        deck.assert_left_as_found()


def test_a_stop_that_comes_while_the_terminal_is_handed_over_comes_after_it() -> None:
    """Textual answers ctrl+z by handing the terminal over, and would wait for itself."""
    seen: list[str] = []
    before = signal.signal(signal.SIGTSTP, lambda *_: seen.append("stopped"))
    try:
        with _stopped_later():
            os.kill(os.getpid(), signal.SIGTSTP)
            time.sleep(0.01)
            seen.append("handed over")
        time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTSTP, before)
    assert seen == ["handed over", "stopped"]
