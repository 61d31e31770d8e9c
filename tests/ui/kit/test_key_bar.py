"""The key bar: what is used most, what is always there, and how many keys did not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import chart_of
from tests.ui.deck import Deck, running_deck
from tests.ui.files.artifact_deck import files_of

TAXI = "nyc-taxi-experiment"


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


def bar(deck: Deck) -> str:
    return deck.frame.splitlines()[-1]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 200])
async def test_help_and_leaving_are_at_the_right_at_any_width(taxi: Path, width: int) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(width, 24)) as deck:
        await deck.until_counted(45)
        assert bar(deck).endswith("  ? help  q quit")
        assert len(bar(deck)) == width - 1


async def test_what_is_used_most_comes_first(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        assert bar(deck).startswith(" f filter  O sort  Space mark  m chart  = compare ")


async def test_it_counts_the_keys_that_do_not_fit(taxi: Path) -> None:
    shown = {}
    for width in (80, 250):
        async with running_deck(taxi, experiment=TAXI, size=(width, 24)) as deck:
            await deck.until_counted(45)
            shown[width] = bar(deck)
    assert "+" not in shown[250]
    keys_of = re.compile(r"\S+ [a-z/]+(?: [a-z]+)*")
    in_all, at_80 = (keys_of.findall(shown[width].replace("?", " ?").partition("+")[0]) for width in (250, 80))
    assert "T tree" in in_all
    assert "B group by" in in_all
    assert "A create experiment" in in_all
    more = re.search(r" \+(\d+) ", shown[80])
    assert more is not None
    assert int(more[1]) == len(in_all) - 2 - len(at_80)  # without the two pinned ones


async def test_text_fields_have_no_keys_that_are_text(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        await deck.press("f")
        await deck.until_shown("Esc cancel")
        assert bar(deck) == " Esc cancel  Enter apply  Tab complete  ctrl+s star"


async def test_full_screen_viewers_pin_what_leaves_them(store_copy: Callable[[str], FixtureStore]) -> None:
    async with chart_of(store_copy("mlflow-3.17.2"), ["rf5"]) as chart:
        assert bar(chart).endswith("  ? help  q close")
        await chart.press("q")
        await chart.until(lambda: chart.app.screen is chart.screen, "the runs")
        assert chart.app.is_running
    store = store_copy("mlflow-3.17.2")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.go_to("metrics.json")
        await deck.press("v")
        await deck.until(lambda: deck.preview.view is not None, "the file")
        assert bar(deck).endswith("  ? help  q close")
        await deck.press("q")
        await deck.until(lambda: deck.app.screen is deck.screen, "the runs")
        assert deck.app.is_running


async def test_the_column_dialog_pins_help_and_leaving(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        await deck.press("c")
        await deck.until_shown("? help  Esc leave")
