"""ctrl+q leaves from everywhere, but never with text that was typed in a dialog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.ui.kit.text_field import has_typed_text
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck
from tests.ui.textual_insides import told

TAXI = "nyc-taxi-experiment"
_REFUSAL = "Text was typed here. Esc closes the dialog without it"


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


@pytest.mark.parametrize("keys", ["", "?", "c", "e", "A", "f", ":", "/"])
async def test_it_leaves_where_nothing_was_typed(taxi: Path, keys: str) -> None:
    names = {"?": "question_mark", ":": "colon", "/": "slash"}
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        before = len(deck.app.screen_stack)
        if keys:
            await deck.press(names.get(keys, keys))
            if keys not in "f/":
                await deck.until(lambda: len(deck.app.screen_stack) > before, "a dialog")
        await deck.pilot.press("ctrl+q")
        await deck.until(lambda: not deck.app.is_running, "left")


@pytest.mark.parametrize("way", [("A",), ("e", "m"), ("e", "t")])
async def test_it_does_not_lose_typed_text(taxi: Path, way: tuple[str, ...]) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        for depth, key in enumerate(way, start=2):
            await deck.press(key)
            await deck.until(lambda: len(deck.app.screen_stack) == 2, f"dialog {depth}")
        await deck.until(lambda: deck.app.focused is not None, "a text field")
        # At once: the text may be on its way to the field.
        await asyncio.gather(deck.pilot.press("x"), deck.pilot.press("ctrl+q"))
        await deck.until(lambda: _REFUSAL in told(deck.app), "the refusal")
        assert deck.app.is_running
        await deck.until(lambda: has_typed_text(deck.app.screen), "the text")
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "closed")
        await deck.pilot.press("ctrl+q")
        await deck.until(lambda: not deck.app.is_running, "left")
