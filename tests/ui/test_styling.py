"""Style sheets are parsed once, and every place has the colours of the theme."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from textual.color import Color
from textual.css.parse import parse
from textual.dom import DOMNode

import mldeck.ui
from mldeck.ui.models.screen import ModelsScreen
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck

CopyOf = Callable[[str], FixtureStore]
LIGHT = "#ffffff"


@pytest.fixture
def db(store_copy: CopyOf) -> Path:
    return store_copy("mlflow-3.17.2").db


async def visit_models(deck: Deck) -> ModelsScreen:
    await deck.press("2")
    await deck.until(lambda: isinstance(deck.app.screen, ModelsScreen), "the models")
    place = deck.app.screen
    assert isinstance(place, ModelsScreen)
    await deck.until(lambda: place.cursor_version is not None, "the versions")
    return place


async def test_no_rule_is_parsed_twice(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: Counter[object] = Counter()

    def counted(scope: str, css: str, read_from: tuple[str, str], *args: Any, **named: Any) -> Iterable[Any]:
        parsed[read_from, named["tie_breaker"]] += 1  # the same rules count for more with a widget that comes later
        return parse(scope, css, read_from, *args, **named)

    monkeypatch.setattr("textual.css.stylesheet.parse", counted)
    async with running_deck(db) as deck:
        await deck.until(lambda: deck.screen.table.row_count, "the runs")
        await visit_models(deck)
        await deck.press("1")
        await deck.until(lambda: deck.app.screen is deck.screen, "the runs")
    assert parsed
    assert max(parsed.values()) == 1, parsed.most_common(3)


async def test_another_theme_reaches_a_place_that_is_out_of_sight(db: Path) -> None:
    async with running_deck(db) as deck:
        place = await visit_models(deck)
        await deck.press("1")
        await deck.until(lambda: deck.app.screen is deck.screen, "the runs")
        deck.app.theme = "mldeck-light"
        await deck.until(lambda: deck.screen.table.base.bgcolor == Color.parse(LIGHT).rich_color, "light runs")
        await visit_models(deck)
        await deck.until(
            lambda: place.versions_pane.board.base.bgcolor == Color.parse(LIGHT).rich_color, "light models"
        )


def subclasses(kind: type[DOMNode]) -> Iterable[type[DOMNode]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from subclasses(subclass)


def test_every_type_in_the_style_sheet_is_a_widget() -> None:
    """A class that gets another name would lose its style without an error."""
    for module in pkgutil.walk_packages(mldeck.ui.__path__, "mldeck.ui."):
        importlib.import_module(module.name)
    css = (Path(mldeck.ui.__file__).parent / "styles" / "deck.tcss").read_text()
    selectors = re.findall(r"([^{}]*)[{]", re.sub(r"/[*].*?[*]/", "", css, flags=re.DOTALL))
    types = {name for selector in selectors for name in re.findall(r"(?<![\w#.$:-])[A-Z]\w*", selector)}
    assert types
    assert not types - {widget.__name__ for widget in subclasses(DOMNode)}
