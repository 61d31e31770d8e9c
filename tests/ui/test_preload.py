"""What is loaded and made while nobody waits."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldeck.ui.models import models_pane
from mldeck.ui.models.reading import RegistryListing, read_listing
from mldeck.ui.models.screen import ModelsScreen
from mldeck.ui.place import Place
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.runs.test_live import writing
from tests.ui.textual_insides import written

_VISIT = """
import asyncio, sys
from pathlib import Path
from mldeck.ui.preload import preload
from tests.ui.deck import running_deck

async def visit(db):
    async with running_deck(db) as deck:
        await deck.until(lambda: deck.app.session.is_open and deck.screen.table.row_count, "the runs")
        preload()
        loaded = set(sys.modules)
        await deck.press("2")
        await deck.until(lambda: deck.app.screen.NAME == "models" and deck.app.screen.versions_pane.versions, "the versions")
        await deck.press("1", "m")
        await deck.until_shown("crosshair")
        print(*(name for name in set(sys.modules) - loaded if name.startswith("mldeck.")))

asyncio.run(visit(Path(sys.argv[1])))
"""


def test_the_first_visits_load_nothing(store_copy: Callable[[str], FixtureStore]) -> None:
    """In an interpreter that has loaded nothing else."""
    command = [sys.executable, "-c", _VISIT, str(store_copy("mlflow-3.17.2").db)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


@pytest.fixture
def db(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-3.17.2").db


@pytest.fixture(autouse=True)
def _quiet(never_quiet: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mldeck.ui.app._QUIET_S", 0.5)


async def models_made(deck: Deck) -> ModelsScreen:
    await deck.until(lambda: deck.app.session.is_open and deck.screen.table.row_count, "the runs")
    await deck.until(lambda: (made := deck.app._place("models")) and made.is_mounted, "the place is made")
    place = deck.app._place("models")
    assert isinstance(place, ModelsScreen)
    return place


async def models_read(deck: Deck) -> ModelsScreen:
    place = await models_made(deck)
    await deck.until(lambda: place.versions_pane.versions, "what is in it is read")
    return place


async def test_models_come_up_with_what_is_in_them(db: Path) -> None:
    async with running_deck(db) as deck:
        place = await models_read(deck)
        assert deck.app.screen is deck.screen
        shown: list[int] = []

        def note(_: object) -> None:
            if deck.app.screen is place:
                shown.append(len(place.models_pane.listing.models))

        place.screen_layout_refresh_signal.subscribe(place, note)
        await deck.press("2")
        await deck.until(lambda: shown, "the same place")
        assert shown[0] > 0


async def test_models_are_read_ahead_once(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with running_deck(store.db) as deck:
        place = await models_read(deck)
        before = place.models_pane.listing
        with writing(store.db) as connection:
            connection.execute("UPDATE registered_models SET description = 'changed meanwhile'")
        session = deck.app.session
        await deck.until(lambda: session.changes, "the change is seen")
        assert place.models_pane.listing is before, "nobody looks at it"
        await deck.press("2")
        await deck.until(
            lambda: {each.description for each in place.models_pane.listing.models} == {"changed meanwhile"},
            "it is read",
        )


async def test_nothing_is_told_the_terminal_while_models_is_made_and_read(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_make = threading.Event()
    monkeypatch.setattr("mldeck.ui.preload.preload", lambda: may_make.wait(30))
    async with running_deck(db) as deck:
        await deck.until(lambda: deck.screen.table.row_count, "the runs")
        told = written(deck.app, monkeypatch)
        may_make.set()
        await models_read(deck)
        await deck.pilot.pause()
        assert told == []


async def test_models_that_take_long_to_read_come_up_without(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    may_read = threading.Event()

    def read(*args: Any) -> RegistryListing:
        may_read.wait(30)
        return read_listing(*args)

    monkeypatch.setattr(models_pane, "read_listing", read)
    async with running_deck(db) as deck:
        place = await models_made(deck)
        try:
            await deck.press("2")
            await deck.until(lambda: deck.app.screen is place, "it comes up")
            assert not place.models_pane.listing.models
        finally:
            may_read.set()
        await deck.until(lambda: place.versions_pane.versions, "and is filled")


async def test_leaving_while_a_place_comes_up(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not gone to any more: its widgets may be gone already."""
    came_back: list[Place] = []

    async def before_show(place: Place) -> None:
        place.app.exit()

    async with running_deck(db) as deck:
        await models_read(deck)
        monkeypatch.setattr(Place, "before_show", before_show)
        monkeypatch.setattr(Place, "after_show", came_back.append)
        await deck.press("2")
        await deck.until(lambda: not deck.app.is_running, "it is left")
        assert deck.app.current_mode == "runs"
        assert came_back == []
