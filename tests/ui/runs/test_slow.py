"""A slow store: the keyboard stays responsive, stale answers are dropped, and leaving is immediate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mldeck.model import RunQuery
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.runs import reading
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck

EXPERIMENT = "nyc-taxi-experiment"


class Gate:
    """Blocks every sort until it is opened. An interrupted sort stops waiting."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.waiting: list[RunQuery] = []
        self.stopped: list[RunQuery] = []

    def pass_through(self, query: RunQuery, interrupt: Interrupt | None) -> None:
        self.waiting.append(query)
        while not self.is_open.wait(0.005):
            if interrupt is not None and interrupt.fired:
                self.stopped.append(query)
                interrupt.check()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    real = Store.run_ids

    def run_ids(self: Store, query: RunQuery, limit: int | None = None, interrupt: Interrupt | None = None) -> Any:
        if query.order:
            gate.pass_through(query, interrupt)
        return real(self, query, limit, interrupt)

    monkeypatch.setattr(Store, "run_ids", run_ids)
    yield gate
    gate.is_open.set()


async def test_the_cursor_moves_while_a_sort_runs(store_copy: Callable[[str], FixtureStore], gate: Gate) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        await deck.press("right", "s")
        await deck.until(lambda: gate.waiting, "the sort runs")
        await deck.press("j", "j", "j")
        assert deck.screen.table.cursor_row == 3
        await deck.until_shown("Esc stops")
        gate.is_open.set()
        await deck.until(lambda: deck.run_names[0] == min(deck.run_names), "sorted")


async def test_a_newer_sort_stops_the_older_one(store_copy: Callable[[str], FixtureStore], gate: Gate) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        await deck.press("right", "s")
        await deck.until(lambda: len(gate.waiting) == 1, "the first sort runs")
        await deck.press("s")
        await deck.until(lambda: len(gate.waiting) == 2, "the second sort runs")
        await deck.until(lambda: gate.stopped == gate.waiting[:1], "the first one was stopped")
        gate.is_open.set()
        await deck.until(lambda: deck.run_names[0] == max(deck.run_names), "descending")


async def test_escape_stops_a_sort(store_copy: Callable[[str], FixtureStore], gate: Gate) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        before = list(deck.screen.table.run_ids)
        await deck.press("right", "s")
        await deck.until_shown("Esc stops")
        await deck.press("escape")
        await deck.until(lambda: gate.stopped, "stopped")
        assert list(deck.screen.table.run_ids) == before
        await deck.until(lambda: "sorted by" not in deck.frame, "the title tells the truth again")


async def test_marking_all_includes_runs_that_are_still_being_listed(
    store_copy: Callable[[str], FixtureStore], gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "FIRST_PAGE", 10)
    real = reading.read_all_rows

    def read_all_rows(store: Store, query: RunQuery, *rest: Any) -> Any:
        gate.pass_through(query, rest[-1])
        return real(store, query, *rest)

    monkeypatch.setattr(reading, "read_all_rows", read_all_rows)
    async with running_deck(store_copy("nyc-taxi").db, experiment=EXPERIMENT) as deck:
        await deck.until(lambda: gate.waiting and deck.screen.table.row_count == 10, "the first page")
        await deck.press("ctrl+a")
        assert not deck.app.session.marked
        gate.is_open.set()
        await deck.until_shown("45 marked")


async def test_leaving_does_not_wait_for_a_read(store_copy: Callable[[str], FixtureStore], gate: Gate) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        await deck.press("right", "s")
        await deck.until(lambda: gate.waiting, "the sort runs")
        try:
            await deck.press("q")
            await deck.until(lambda: not deck.app.is_running, "it is left, although the gate is shut")
            await deck.until(lambda: gate.stopped == gate.waiting, "the read is interrupted")
        finally:
            gate.is_open.set()


async def test_no_key_press_is_lost(store_copy: Callable[[str], FixtureStore], gate: Gate) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        await deck.press("right")
        deck.screen.table.action_sort()
        deck.screen.table.action_sort()
        gate.is_open.set()
        await deck.until(lambda: deck.run_names[0] == max(deck.run_names), "descending: the key was pressed twice")
