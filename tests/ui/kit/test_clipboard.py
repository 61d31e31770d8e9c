"""What `y` copies, and what it says of it. Inside a real tmux: tests/terminal/test_tmux.py."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mldeck.ui.kit.clipboard import CopyAsked
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.files.artifact_deck import files_of
from tests.ui.files.test_tree import folder_of


@pytest.fixture
def db(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TERM", "xterm-256color")
    return store_copy("nyc-taxi").db


@asynccontextmanager
async def deck_with_sent(db: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Deck, list[str]]]:
    """With what was sent to the terminal."""
    sent: list[str] = []
    monkeypatch.setattr("textual.app.App.copy_to_clipboard", lambda _, text: sent.append(text))
    async with running_deck(db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        yield deck, sent


async def test_the_terminal_never_says_whether_it_took_it(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with deck_with_sent(db, monkeypatch) as (deck, sent):
        await deck.press("y")
        run_id = deck.screen.table.run_ids[0]
        await deck.until_shown(f"Sent {run_id}")
        await deck.until_shown("clipboard")
        assert sent == [run_id]


@pytest.mark.parametrize("term", ["tmux-256color", "screen-256color", "screen.xterm-256color"])
async def test_tmux_on_another_machine_may_drop_it(db: Path, monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    async with deck_with_sent(db, monkeypatch) as (deck, sent):
        await deck.press("y")
        await deck.until_shown("set-clipboard on")
        assert sent == [deck.screen.table.run_ids[0]]


async def test_a_tmux_that_is_not_installed(db: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMUX", "/tmp/nowhere,1,0")
    monkeypatch.setenv("PATH", str(tmp_path))
    async with deck_with_sent(db, monkeypatch) as (deck, sent):
        await deck.press("y")
        await deck.until_shown("Sent ")
        assert sent == [deck.screen.table.run_ids[0]]


async def test_a_tmux_that_hangs_stops_nothing(db: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "tmux"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("TMUX", "/tmp/nowhere,1,0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    async with deck_with_sent(db, monkeypatch) as (deck, sent):
        await deck.press("y", "down", "y")
        run_ids = deck.screen.table.run_ids
        assert deck.screen.table.cursor_row == 1
        assert deck.app.clipboard == run_ids[1]
        assert sent == []
        await deck.until(lambda: sent == list(run_ids[:2]), "both went to the terminal, in order")


async def test_half_a_character_ends_nothing(store_copy: Callable[[str], FixtureStore]) -> None:
    """In a text, and in the name of a file."""
    store = store_copy("mlflow-3.17.2")
    folder = folder_of(store, "logreg")
    (folder / "half.json").write_text(json.dumps({"half": "a\ud800"}))
    (folder / "\udcff.txt").write_text("text")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("half.json")
        await deck.press("G", "y")
        await deck.until_shown("Sent ")
        assert deck.app.clipboard == "a?"
        await deck.press("escape")
        await deck.view("\udcff.txt")
        await deck.press("c")
        await deck.until_shown("Sent the path")
        assert deck.app.clipboard == str(folder / "?.txt")


async def test_an_empty_text_is_a_text(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It empties the clipboard; tmux has no buffer for it."""
    monkeypatch.setenv("TMUX", "/tmp/nowhere,1,0")
    async with deck_with_sent(db, monkeypatch) as (deck, sent):
        deck.app.screen.post_message(CopyAsked("", ""))
        await deck.until_shown("Sent an empty text")
        assert sent == [""]
