"""What is made when it is first needed: keys that come before all of it is there end nothing, and are not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

from mldeck.ui.compare.screen import CompareScreen
from mldeck.ui.compare.table import CompareTable
from mldeck.ui.kit.mounting import after_refresh
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("mlflow-3.17.2").db


async def test_going_back_from_a_view_that_is_being_made(store: Path) -> None:
    async with running_deck(store, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        await deck.press("ctrl+a")
        deck.app.post_message(events.Key("equals_sign", "="))
        while not deck.app.screen.query(CompareTable):
            await asyncio.sleep(0)
            place = deck.app._place("compare")
            if isinstance(place, CompareScreen) and place.is_mounted:
                assert place.main_grid is None
                place.action_export()
                place.show_title()
        await deck.until_shown("Table of 12 runs")


async def test_a_tab_that_is_being_made(store: Path) -> None:
    async with running_deck(store, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        inspector = deck.screen.inspector
        for tab in ("artifact-tree", "run-models"):
            inspector.turn(4 if tab == "artifact-tree" else 1)
            for _ in range(10):
                inspector.turn(-1)
                inspector.turn(1)
                deck.screen.set_focus(deck.screen.table)
                inspector.take_focus()
                await asyncio.sleep(0)
            await deck.until(lambda tab=tab: deck.screen.query(f"#{tab}:focus"), tab)  # type: ignore[misc]


async def test_a_filter_line_that_is_wanted_twice(store: Path) -> None:
    async with running_deck(store, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        deck.screen.run_pane.show_filter("params.a = '1'")
        await asyncio.sleep(0)
        line = await deck.screen.run_pane.opened_filter_line()
        line.edit()
        await deck.until_shown("params.a = '1'")
        assert len(deck.screen.query("FilterLine")) == 1


async def test_what_was_to_be_done_after_painting_is_not_done_to_what_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen below does it, so that it would be no fault of the dialog's own."""
    done: list[str] = []
    later: list[Callable[[], object]] = []
    app: App[None] = App()
    async with app.run_test() as pilot:
        dialog = ModalScreen[None]()
        await app.push_screen(dialog)
        monkeypatch.setattr(dialog, "call_after_refresh", later.append)
        for what in ("there", "gone"):
            after_refresh(dialog, partial(done.append, what))
        later[0]()
        dialog.dismiss(None)
        await pilot.pause()
        later[1]()
    assert done == ["there"]


async def test_a_callback_finds_its_dialog_half_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The screen below calls what waits for a refresh, while the dialog loses its widgets one after another."""

    class Dialog(ModalScreen[None]):
        def compose(self) -> ComposeResult:
            yield Static(id="inside")

    app = App[None]()
    later: list[Callable[[], object]] = []
    async with app.run_test():
        dialog = Dialog()
        await app.push_screen(dialog)
        monkeypatch.setattr(dialog, "call_after_refresh", later.append)
        after_refresh(dialog, lambda: dialog.query_one("#inside"))
        dialog.dismiss(None)
        for _ in range(1_000):
            if not dialog.query("#inside"):
                break
            await asyncio.sleep(0)
        assert dialog.is_attached
        assert not dialog.query("#inside")
        later[0]()
