"""The palette finds actions by name and by description."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.command import Hit

from mldeck.ui.help.key_groups import GENERAL_TITLES, GROUPS, PLACES
from mldeck.ui.models.screen import ModelsScreen
from mldeck.ui.palette import Actions, ActionsElsewhere
from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import chart_of
from tests.ui.deck import Deck, running_deck
from tests.ui.textual_insides import told

NEWEST = "mlflow-3.17.2"


async def found(deck: Deck, query: str) -> list[str]:
    """The names of what the palette finds, the best first."""
    hits = [hit for provider in (Actions, ActionsElsewhere) async for hit in provider(deck.app.screen).search(query)]
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
        ("promote", "Staging  s · Changing models"),
        ("archive", "Archive  a · Changing models"),
        ("smooth", "Smooth  ] · Charts of metrics"),
        ("transpose", "Transpose  t · Compare"),
        ("mldeck-light", "Theme mldeck-light"),
        ("theme light mldeck", "Theme mldeck-light"),
        ("change theme", "Change theme"),
    ],
)
async def test_in_runs(store_copy: Callable[[str], FixtureStore], query: str, name: str) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_counted(1)
        assert (await found(deck, query))[0] == name


async def test_in_models_and_charts(store_copy: Callable[[str], FixtureStore]) -> None:
    async with chart_of(store_copy(NEWEST), ["rf5"]) as deck:
        assert (await found(deck, "smooth"))[:2] == ["Smooth  ]", "Smooth less  ["]
        assert not any("smooth" in name.casefold() for name in (await found(deck, "smooth"))[2:])
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


async def test_an_action_of_another_place_leads_there(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy(NEWEST).db) as deck:
        await deck.until(lambda: deck.app.session.is_open, "open")
        await deck.press("colon", *"promote to prod")
        await deck.until_shown("Production  p · Changing models")
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, ModelsScreen), "the models")
        await deck.until(lambda: any("Changing models · p: Promote" in each for each in told(deck.app)), "the key")


async def test_every_group_of_keys_has_a_place_or_works_nearly_everywhere() -> None:
    assert {title for title, _ in GROUPS} == PLACES.keys() | GENERAL_TITLES | {"Help"}


async def test_a_theme_is_chosen_by_its_name(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_counted(1)
        offered = [str(hit.text) async for hit in Actions(deck.app.screen).discover()]
        assert "Change theme" in offered
        assert "Theme mldeck-light" in (await found(deck, "light"))[:6]
        assert not any(name.startswith("Theme ") for name in offered)
        await deck.press("colon", *"deck-light")
        await deck.until_shown("Theme mldeck-light")
        await deck.press("enter")
        await deck.until(lambda: deck.app.theme == "mldeck-light", "the theme")
