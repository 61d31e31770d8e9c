"""The palette finds actions by name and by description."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.command import Hit

from mldeck.ui.models.screen import ModelsScreen
from mldeck.ui.palette import Actions
from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import chart_of
from tests.ui.deck import Deck, running_deck

NEWEST = "mlflow-3.17.2"


async def found(deck: Deck, query: str) -> list[str]:
    """The names of what the palette finds, the best first."""
    hits = [hit async for hit in Actions(deck.app.screen).search(query)]
    assert all(isinstance(hit, Hit) and 0 < hit.score <= 1 for hit in hits)
    return [str(hit.text) for hit in sorted(hits, reverse=True)]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("nested", "Tree  T"),
        ("clear", "Clear filter  F"),
        ("create experiment", "Create experiment  A"),
        ("experiment create", "Create experiment  A"),
        ("SORT", "Sort  O"),
        ("csv", "Export  E"),
        ("fltr", "Filter  f"),
    ],
)
async def test_in_runs(store_copy: Callable[[str], FixtureStore], query: str, name: str) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_counted(1)
        assert (await found(deck, query))[0] == name


async def test_in_models_and_charts(store_copy: Callable[[str], FixtureStore]) -> None:
    async with chart_of(store_copy(NEWEST), ["rf5"]) as deck:
        assert (await found(deck, "smooth"))[:2] == ["Smooth  ]", "Smooth less  ["]
        await deck.press("q", "2")
        await deck.until(lambda: isinstance(deck.app.screen, ModelsScreen), "the models")
        assert set(await found(deck, "promote")) == {"Production  p", "Staging  s"}
        assert (await found(deck, "clear"))[0] == "Clear filter  F"


async def test_moves_are_left_out(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_counted(1)
        offered = [str(hit.text) async for hit in Actions(deck.app.screen).discover()]
        names = [name.partition("  ")[0] for name in offered]
        assert {"Sort", "Copy", "Next tab", "Refresh"} <= set(names)
        assert {"Down", "Up", "Left", "Right", "First", "Last", "Page down", "Next pane"}.isdisjoint(names)
        assert names == sorted(names)
        assert await found(deck, "row down") == []


async def test_it_does_what_was_found_by_its_description(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_counted(1)
        await deck.press("colon", *"nested")
        await deck.until_shown("nested runs below their parents")
        await deck.press("enter")
        await deck.until(lambda: deck.app.session.layout.is_tree, "a tree")
