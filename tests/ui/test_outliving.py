"""A worker that goes on when its screen is gone ends nothing; one whose screen is there is no less of a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from textual import work
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import WorkerFailed

from mldeck.errors import MldeckError
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck
from tests.ui.textual_insides import make_mode


class Dialog(ModalScreen[None]):
    ended = False

    @work
    async def look_late(self) -> None:
        with suppress(asyncio.CancelledError):  # as when what it waited for came just before
            await asyncio.sleep(60)
        Dialog.ended = True
        self.query_one("#gone", Static)

    @work
    async def look_now(self) -> None:
        self.query_one("#gone", Static)

    @work
    async def refuse(self) -> None:
        raise MldeckError("it [cannot] be read")


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-2.9.2").db


async def test_a_worker_that_outlives_its_dialog(store: Path) -> None:
    async with running_deck(store) as deck:
        dialog = Dialog()
        await deck.app.push_screen(dialog)
        dialog.look_late()
        await deck.pilot.pause()
        dialog.dismiss(None)
        await deck.until(lambda: Dialog.ended, "the worker is ended")
        await deck.press("?")
        await deck.until_shown("Esc close")


async def test_a_worker_whose_dialog_is_there(store: Path) -> None:
    async def fail() -> None:
        async with running_deck(store) as deck:
            dialog = Dialog()
            await deck.app.push_screen(dialog)
            dialog.look_now()
            await deck.pilot.pause(0.5)

    with pytest.raises(WorkerFailed) as caught:
        await fail()
    assert isinstance(caught.value.error, NoMatches)


async def test_what_a_worker_could_not_read_is_said(store: Path) -> None:
    async with running_deck(store) as deck:
        dialog = Dialog()
        await deck.app.push_screen(dialog)
        dialog.refuse()
        await deck.until_shown("it [cannot] be read")


@pytest.mark.parametrize("steps", range(10))
async def test_a_place_that_is_being_made_when_the_deck_is_left(store: Path, steps: int) -> None:
    """Models is made while nobody does anything. Widgets get no children any more once the deck is about to close."""
    async with running_deck(store) as deck:
        make_mode(deck.app, "models")
        for _ in range(steps):
            await asyncio.sleep(0)
        deck.app.exit()


async def test_a_store_error_ends_nothing_only_in_a_worker(store_copy: Callable[[str], FixtureStore]) -> None:
    """After one in a handler, the screen would answer no key any more."""
    async with running_deck(store_copy("mlflow-3.17.2").db) as deck:
        error = MldeckError("the store cannot be read")
        assert deck.app.handle_fault(error, deck.screen, in_worker=True)
        assert not deck.app.handle_fault(error, deck.screen, in_worker=False)
