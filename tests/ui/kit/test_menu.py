"""Menus show every choice, however long it is and however narrow the terminal."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

import pytest

from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog, _ChoiceList
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck

CopyOf = Callable[[str], FixtureStore]

LONG = "validation/holdout/seed_0/mean_average_precision_at_intersection_over_union_of_"
SIZES = [(60, 20), (80, 24), (120, 40), (200, 50)]


async def menu_lines(store: FixtureStore, choices: Sequence[Choice], size: tuple[int, int]) -> list[str]:
    """Return the lines of a menu without its border."""
    async with running_deck(store.db, size=size) as deck:
        deck.app.push_screen(MenuDialog("Which?", choices))
        await deck.until_shown("Which?")
        grid = deck.app.screen.query_one(_ChoiceList)
        await deck.until(lambda: grid.size.width > 10, "it is laid out")
        return [grid.line_at(row).text.rstrip() for row in range(len(choices))]


@pytest.mark.parametrize("size", SIZES)
async def test_long_choices_are_cut_where_they_are_alike(store_copy: CopyOf, size: tuple[int, int]) -> None:
    rows = await menu_lines(
        store_copy("nyc-taxi"), [Choice(f"{LONG}{n}", "", f"{LONG}{n}") for n in (50, 75, 95)], size
    )
    assert [row[-2:] for row in rows] == ["50", "75", "95"]
    assert all(row.startswith("   val") and ("…" in row) == (size[0] < 120) for row in rows)


@pytest.mark.parametrize("size", SIZES)
async def test_notes_leave_room_for_the_labels(store_copy: CopyOf, size: tuple[int, int]) -> None:
    choices = [Choice("a", "a", "run id", "0123456789" * 5), Choice("b", "b", "cell: max_depth", "7")]
    first, second = await menu_lines(store_copy("nyc-taxi"), choices, size)
    assert first.startswith("a  run id ")
    assert ("…" in first) == (size[0] < 120)
    assert second.split() == ["b", "cell:", "max_depth", "7"]
    assert first.index("0123") == second.index("7"), "the notes are aligned"


async def test_wide_characters_have_room(store_copy: CopyOf) -> None:
    assert await menu_lines(store_copy("nyc-taxi"), [Choice("a", "", "場" * 20)], (80, 24)) == ["   " + "場" * 20]


def add_tags(store: FixtureStore, keys: Sequence[str]) -> None:
    with closing(sqlite3.connect(store.db)) as connection, connection:
        (run_ids,) = zip(*connection.execute("SELECT run_uuid FROM runs"), strict=True)
        pairs = [(key, "x", run_id) for run_id in run_ids for key in keys]
        connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", pairs)


async def open_editing(deck: Deck) -> None:
    await deck.until_counted(45)
    await deck.until(lambda: deck.app.session.is_open, "the store is open")
    await deck.press("e")
    await deck.until_shown("Delete a tag")


@pytest.mark.parametrize("size", SIZES[1:])
async def test_the_tags_of_a_run_are_legible(store_copy: CopyOf, size: tuple[int, int]) -> None:
    store = store_copy("nyc-taxi")
    add_tags(store, [f"{LONG}{number}" for number in (50, 75)])
    async with running_deck(store.db, write=True, experiment="nyc-taxi-experiment", size=size) as deck:
        await open_editing(deck)
        await deck.press("d")
        await deck.until_shown("Delete which tag?")
        shown = [line for line in deck.frame.splitlines() if "val" in line and "union_of_" in line]
        assert [("_of_50" in line, "_of_75" in line) for line in shown] == [(True, False), (False, True)]


@pytest.mark.parametrize("size", SIZES[1:])
async def test_what_can_be_copied_is_shown(store_copy: CopyOf, size: tuple[int, int]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment", size=size) as deck:
        await deck.until_counted(45)
        await deck.until(lambda: deck.app.session.is_open, "the store is open")
        await deck.press("Y")
        await deck.until_shown("Copy as…")
        run_id = deck.screen.table.cursor_run
        assert f"i  run id            {run_id}" in deck.frame
        for text in ("r  row as JSON       { ", "f  filter as Python  "):
            assert text in deck.frame
