"""Keys that arrive faster than they can be dealt with: none is lost, and all come in the order in which they were typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from textual import events
from textual.widgets import Input

from mldeck.settings import config_file
from mldeck.ui.runs.screen import RunsScreen
from mldeck.ui.textual_patches.answers import AnswerParser
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck, until_refused

_KEYS = {"/": "slash", " ": "space", "-": "minus", "\r": "enter", "\x1b": "escape", "\x1a": "ctrl+z"}


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


async def type_ahead(deck: Deck, text: str, every: int = 0) -> None:
    """All at once, or with a pause, for whatever else has to run, after so many."""
    for count, character in enumerate(text, start=1):
        printable = character if character.isprintable() else None
        deck.app.post_message(events.Key(_KEYS.get(character, character), printable))
        if every and count % every == 0:
            await asyncio.sleep(0)


async def read(deck: Deck, text: str) -> None:
    """Send what the terminal has sent at once, as the thread does that reads keys."""
    parser = AnswerParser(Event())
    for message in (*parser.feed(text), *parser.feed("")):
        deck.app.post_message(message)


def cursor(deck: Deck) -> int:
    focused = deck.app.focused
    assert isinstance(focused, Input)
    return focused.cursor_position


def typed(deck: Deck) -> str | None:
    """What stands in the line that has the focus; None if no line has it."""
    return deck.app.focused.value if isinstance(deck.app.focused, Input) else None


@pytest.mark.parametrize("every", [0, 1, 2, 3, 5])
async def test_what_follows_the_key_for_finding_is_the_text(taxi: Path, every: int) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await type_ahead(deck, "/trial-17 s v/qjkG", every)
        await deck.until(lambda: typed(deck) == "trial-17 s v/qjkG")
        assert not deck.app.session.marked


async def test_a_dialog_gets_what_was_typed_behind_its_key(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        deck.app.post_message(events.Key("ctrl+p", None))
        await type_ahead(deck, "/theme q")
        await deck.until(lambda: typed(deck) == "/theme q")


async def test_what_closes_a_dialog_does_not_swallow_what_follows(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        for _ in range(5):
            await type_ahead(deck, "?\x1bjj")
        await deck.until(lambda: deck.screen.table.cursor_row == 10)
        assert isinstance(deck.app.screen, RunsScreen)


async def test_keys_and_pastes_keep_their_order(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await type_ahead(deck, "/ab")
        deck.app.post_message(events.Paste("-pasted-"))
        await type_ahead(deck, "cd")
        await deck.until(lambda: typed(deck) == "ab-pasted-cd")


async def test_menus_and_questions_are_answered_ahead(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await type_ahead(deck, "en2\rjj")
        await deck.until(lambda: any(name.endswith("2") for name in deck.run_names), "the name")
        await deck.until(lambda: deck.screen.table.cursor_row == 2)


async def test_what_asks_nothing_in_the_end_holds_nothing_up(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await type_ahead(deck, "\x1aj\x1aj\x1aj")  # nothing to undo
        await deck.until(lambda: deck.screen.table.cursor_row == 3)
        assert isinstance(deck.app.screen, RunsScreen)


async def test_what_is_refused_swallows_the_answer(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment", read_only=True) as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await type_ahead(deck, "enjq \r")
        await until_refused(deck, "Read-only: opened with --read-only")
        await type_ahead(deck, "\rj")
        await deck.until(lambda: deck.screen.table.cursor_row == 1)
        assert isinstance(deck.app.screen, RunsScreen)
        assert not deck.app.session.marked


async def test_a_busy_machine_turns_no_text_into_commands(taxi: Path) -> None:
    """However long the key for finding takes, what is typed behind it is the text."""
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        table = deck.screen.table
        original = table.on_event

        async def slowly(event: events.Event) -> None:
            if isinstance(event, events.Key):
                await asyncio.sleep(1.5)
            await original(event)

        table.on_event = slowly  # type: ignore[method-assign]
        await type_ahead(deck, "/ab x")
        await deck.until(lambda: typed(deck) == "ab x")
        assert not deck.app.session.marked


async def test_esc_and_a_letter_in_one_read(taxi: Path) -> None:
    """Textual hands them on as the letter with Alt."""
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await type_ahead(deck, "?")
        deck.app.post_message(events.Key("alt+j", "j"))
        deck.app.post_message(events.Key("alt+shift+g", "G"))
        await deck.until(lambda: deck.screen.table.cursor_row == deck.screen.table.row_count - 1, "the last row")
        assert isinstance(deck.app.screen, RunsScreen)


@pytest.mark.parametrize("letter", ["f", "b", "c"])
async def test_esc_and_any_letter_as_the_terminal_sends_them(taxi: Path, letter: str) -> None:
    """Textual alone takes two of them for ctrl and an arrow."""
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await deck.press("slash", *"trial", "enter")
        await deck.until(lambda: deck.screen.finder.has_matches, "the matches")
        await read(deck, f"\x1b{letter}")
        await deck.until(lambda: not deck.screen.finder.has_matches, "what Esc does")
        opened = {"f": "filter", "b": "Only metrics have a best value", "c": "Columns of"}[letter]
        await deck.until_shown(opened)


async def test_in_a_text_field_alt_and_a_letter_may_go_by_a_word(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await deck.press("slash", *"one", "space", *"two")
        await deck.until(lambda: typed(deck) == "one two")
        await read(deck, "\x1bb\x1bb")
        await deck.until(lambda: cursor(deck) == 0, "two words back")
        await read(deck, "\x1bf")
        await deck.until(lambda: cursor(deck) == len("one "), "a word on")
        assert typed(deck) == "one two"


async def test_in_a_text_field_the_letter_is_no_command(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        await deck.press("slash", *"trial")
        deck.app.post_message(events.Key("alt+q", "q"))
        await deck.until(lambda: deck.screen.table.has_focus, "the find bar is closed")
        await deck.press("j")
        await deck.until(lambda: deck.app.is_running)


async def test_a_letter_with_alt_that_the_settings_have_chosen(taxi: Path, isolated: Path) -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text('[keys]\nlast = "alt+j"\n')
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until(lambda: deck.screen.table.row_count)
        deck.app.post_message(events.Key("alt+j", "j"))
        await deck.until(lambda: deck.screen.table.cursor_row == deck.screen.table.row_count - 1, "the last row")
