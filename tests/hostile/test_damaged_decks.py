"""A deck over a database that is not what its schema promises, or stops being so while one looks at it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.fixture_stores import FixtureStore
from tests.hostile.damaged import FIXTURES, damage, variant
from tests.ui.deck import Deck, running_deck

CopyOf = Callable[[str], FixtureStore]

CHURN = "churn-baseline"
RENAMED = "ALTER TABLE {0} RENAME TO {1}"


def rename_table(store: FixtureStore, name: str, new_name: str) -> None:
    with closing(sqlite3.connect(store.db)) as connection, connection:
        connection.execute("PRAGMA legacy_alter_table = ON")  # leave what refers to it as it is
        connection.execute(RENAMED.format(name, new_name))


async def look_around(deck: Deck) -> None:
    """Through the places and the tabs of a run, with some keys that read."""
    for key in ("down", "tab", "]", "]", "]", "]", "]", "escape", "s", "2", "down", "tab", "down", "3", "1", "up"):
        await deck.press(key)
        await deck.pilot.pause()


@pytest.mark.parametrize("table", ["runs", "experiments", "params", "latest_metrics", "tags", "experiment_tags"])
async def test_a_table_is_gone_for_a_while(table: str, store_copy: CopyOf) -> None:
    store = store_copy(FIXTURES[0])
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until(lambda: "churn" in deck.frame and "logreg" in deck.frame, "the runs")
        names = deck.run_names
        rename_table(store, table, "away")
        await deck.until_shown(f"has no table {table} any more")
        await look_around(deck)
        await deck.press("1")
        assert sorted(deck.run_names) == sorted(names)
        rename_table(store, "away", table)
        await deck.until(lambda: "any more" not in deck.frame, "it is back")
        assert sorted(deck.run_names) == sorted(names)


@pytest.mark.parametrize("table", ["registered_models", "model_versions", "model_version_tags"])
async def test_a_table_of_the_registry_is_gone_for_a_while(table: str, store_copy: CopyOf) -> None:
    store = store_copy(FIXTURES[0])
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until(lambda: "logreg" in deck.frame, "the runs")
        await deck.press("2")
        await deck.until(lambda: "churn-model" in deck.frame and "Production" in deck.frame, "the models")
        rename_table(store, table, "away")
        await deck.until_shown(f"has no table {table} any more")
        assert "churn-model" in deck.frame
        await deck.press("down", "up")
        rename_table(store, "away", table)
        await deck.until(lambda: "any more" not in deck.frame and "churn-model" in deck.frame, "it is back")


@pytest.mark.parametrize("seed", range(100, 108))
async def test_a_deck_over_a_damaged_store(seed: int, store_copy: CopyOf) -> None:
    store = store_copy(FIXTURES[seed % len(FIXTURES)])
    damage(store.db, variant(store.db, seed))
    async with running_deck(store.db) as deck:
        await look_around(deck)


@pytest.mark.parametrize("seed", range(200, 206))
async def test_a_store_that_is_damaged_under_the_deck(seed: int, store_copy: CopyOf) -> None:
    store = store_copy(FIXTURES[seed % len(FIXTURES)])
    async with running_deck(store.db) as deck:
        await deck.until(lambda: deck.app.session.is_open, "it is open")
        await look_around(deck)
        damage(store.db, variant(store.db, seed))
        await look_around(deck)
