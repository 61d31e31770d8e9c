"""Exports of panes: the picture, or the numbers that it was drawn from."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from mldeck.charts.picture import Ink, PictureCanvas, Role
from mldeck.ui.export.dialog import ExportDialog
from mldeck.ui.export.export import Exported, ExportValue, export
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck

NAN = float("nan")
ROWS: list[list[ExportValue]] = [["[/x],\n", 0.1, None], ["日本", NAN, "=1+1"]]
TITLE = "scatter of [/x] & <b>"


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


def picture_of(text: str) -> Exported:
    canvas = PictureCanvas(len(text), 1)
    canvas.put(0, 0, text, Ink(Role.SERIES, 2))
    return Exported(canvas.picture(), ("run", "x", "y"), ROWS)


async def written(deck: Deck, exported: Exported, path: Path, *, has_formula: bool = False) -> str:
    export(deck.screen, deck.app.session, TITLE, exported)
    await deck.until_shown("Export scatter of [/x] & <b> to a file")
    deck.app.screen.query_one("#export-path", Input).value = str(path)
    await deck.press("enter")
    if has_formula:
        await deck.until_shown("A spreadsheet would compute =1+1.")
        await deck.press("enter")
    await deck.until(lambda: not isinstance(deck.app.screen, ExportDialog), "written")
    return path.read_text(encoding="utf-8")


async def test_a_picture_in_each_format(taxi: Path, tmp_path: Path) -> None:
    async with running_deck(taxi) as deck:
        exported = picture_of("a <dot> & [/x]")
        assert await written(deck, exported, tmp_path / "picture.txt") == "a <dot> & [/x]\n"
        svg = ElementTree.fromstring(await written(deck, exported, tmp_path / "picture.svg"))
        assert "a <dot> & [/x]" in " ".join("".join(svg.itertext()).split())
        await written(deck, exported, tmp_path / "numbers.csv", has_formula=True)
    with (tmp_path / "numbers.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["run", "x", "y"], ["[/x],\n", "0.1", ""], ["日本", "nan", "=1+1"]]


async def test_a_picture_is_offered_as_text_and_a_table_as_csv(taxi: Path) -> None:
    async with running_deck(taxi) as deck:
        for exported, name in ((picture_of("a"), "txt"), (Exported(None, ("run", "x", "y"), ROWS), "csv")):
            export(deck.screen, deck.app.session, TITLE, exported)
            await deck.until_shown("Export scatter")
            assert deck.app.screen.query_one("#export-path", Input).value == f"./scatter-of-x-b.{name}"
            await deck.press("escape")
            await deck.until(lambda: not isinstance(deck.app.screen, ExportDialog), "gone")


async def test_the_database_is_never_replaced(taxi: Path) -> None:
    before = taxi.read_bytes()
    async with running_deck(taxi) as deck:
        await deck.until(lambda: deck.app.session.is_open, "open")
        export(deck.screen, deck.app.session, TITLE, picture_of("a"))
        await deck.until_shown("Export scatter")
        deck.app.screen.query_one("#export-path", Input).value = str(taxi)
        await deck.press("enter")
        await deck.until_shown("it is the tracking database itself")
    assert taxi.read_bytes() == before


async def test_nothing_to_export(taxi: Path) -> None:
    async with running_deck(taxi) as deck:
        export(deck.screen, deck.app.session, TITLE, None)
        await deck.until_shown("There is nothing to export")
