"""Copying from the run table, and exporting it to files."""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from mldeck.model import Column, Kind
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.export.dialog import ExportDialog
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck

TAXI = "nyc-taxi-experiment"
CopyOf = Callable[[str], FixtureStore]


def path_line(deck: Deck) -> Input:
    return deck.app.screen.query_one("#export-path", Input)


async def open_export(deck: Deck, path: Path | None = None) -> None:
    await deck.until_counted(45)
    await deck.until(lambda: deck.app.session.is_open, "the store is open")
    await deck.press("E")
    await deck.until(lambda: isinstance(deck.app.screen, ExportDialog), "the dialog")
    if path is not None:
        path_line(deck).value = str(path)


async def open_menu(deck: Deck) -> None:
    await deck.until(lambda: deck.app.session.is_open, "the store is open")
    await deck.press("Y")
    await deck.until_shown("Copy as…")


async def test_exporting_the_table(store_copy: CopyOf, isolated: Path) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await open_export(deck)
        assert path_line(deck).value == f"./{TAXI}-runs.csv"
        await deck.press("enter")
        await deck.until_shown(f"Exported 45 runs to {TAXI}-runs.csv")
        ids, columns = list(deck.screen.table.run_ids), deck.screen.table.cells.columns
    with (isolated / f"{TAXI}-runs.csv").open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["run_id"] for line in lines] == ids
    assert len(lines[0]) == 1 + len(columns)
    assert {"status", "run_name", "metrics.rmse", "params.max_depth"} <= set(lines[0])


async def test_format_and_suffix_follow_each_other(store_copy: CopyOf, isolated: Path) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await open_export(deck)
        await deck.press("down")
        assert path_line(deck).value == f"./{TAXI}-runs.json"
        await deck.press("down")
        assert path_line(deck).value == f"./{TAXI}-runs.md"
        path_line(deck).value = "mine.json"
        await deck.press("enter")
        await deck.until_shown("Exported 45 runs to mine.json")
        ids = list(deck.screen.table.run_ids)
    assert [run["run_id"] for run in json.loads((isolated / "mine.json").read_text("utf-8"))] == ids


async def test_a_file_is_replaced_only_on_a_second_enter(store_copy: CopyOf, tmp_path: Path) -> None:
    target = tmp_path / "mine.csv"
    target.write_text("precious")
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await open_export(deck, target)
        await deck.press("enter")
        await deck.until_shown("Enter replaces it")
        assert target.read_text() == "precious"
        await deck.press("enter")
        await deck.until_shown("Exported 45 runs")
    assert target.read_text().startswith("run_id,")


@pytest.mark.parametrize(("key", "written"), [("enter", "=1+2"), ("ctrl+g", "'=1+2")])
async def test_a_formula_is_written_only_when_that_is_chosen(
    store_copy: CopyOf, tmp_path: Path, key: str, written: str
) -> None:
    db, target = store_copy("nyc-taxi").db, tmp_path / "mine.csv"
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE params SET value = '=1+2' WHERE key = 'max_depth'")
        connection.execute("UPDATE params SET value = '-0.5' WHERE key = 'alpha'")
    target.write_text("precious")
    async with running_deck(db, experiment=TAXI) as deck:
        table = deck.screen.table
        await deck.until(lambda: Column(Kind.PARAM, "max_depth") in table.cells.columns, "the column is shown")
        await open_export(deck, target)
        await deck.press("enter")
        await deck.until_shown("Enter replaces it")
        await deck.press("enter")
        await deck.until_shown("A spreadsheet would compute =1+2.")
        assert target.read_text() == "precious"
        assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []
        await deck.press(key)
        await deck.until_shown("Exported 45 runs")
    with target.open(newline="", encoding="utf-8") as file:
        values = {line["params.max_depth"] for line in csv.DictReader(file)}
    assert values - {""} == {written}


async def test_other_formats_have_no_formulas(store_copy: CopyOf, isolated: Path) -> None:
    db = store_copy("nyc-taxi").db
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE params SET value = '=1+2' WHERE key = 'max_depth'")
    async with running_deck(db, experiment=TAXI) as deck:
        await open_export(deck, Path("mine.json"))
        await deck.press("enter")
        await deck.until_shown("Exported 45 runs to mine.json")
    assert '"=1+2"' in (isolated / "mine.json").read_text("utf-8")


async def test_a_failed_export_names_the_file(store_copy: CopyOf) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await open_export(deck, Path("no/mine.csv"))
        await deck.press("enter")
        await deck.until_shown("Not exported")
        assert "no/mine.csv was not written: No such file or directory" in deck.frame
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, ExportDialog), "the path can be corrected")
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "left")


@pytest.fixture
def slow_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Hold rows up after the first one, until the event is set or the read is stopped."""
    gate = threading.Event()
    real = Store.iter_rows

    def iter_rows(self: Store, ids: Any, columns: Any, interrupt: Interrupt | None = None) -> Iterator[list[Any]]:
        for row in real(self, ids, columns, interrupt):
            yield row
            while not gate.wait(0.005):
                if interrupt is not None:
                    interrupt.check()

    monkeypatch.setattr(Store, "iter_rows", iter_rows)
    yield gate
    gate.set()


async def test_escape_stops_the_export_and_leaves_no_file(
    store_copy: CopyOf, tmp_path: Path, slow_rows: threading.Event
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await open_export(deck, folder / "mine.csv")
        await deck.press("enter")
        await deck.until_shown("0 of 45 runs… Esc stops")
        assert [each.suffix for each in folder.iterdir()] == [".part"]
        await deck.press("escape")
        await deck.until_shown("Stopped; nothing was written.")
        await deck.until(lambda: not list(folder.iterdir()), "nothing is left")
        slow_rows.set()
        await deck.press("enter")
        await deck.until_shown("Exported 45 runs")
    assert [each.name for each in folder.iterdir()] == ["mine.csv"]


async def test_leaving_stops_the_export(store_copy: CopyOf, tmp_path: Path, slow_rows: threading.Event) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await open_export(deck, folder / "mine.csv")
        await deck.press("enter")
        await deck.until(lambda: list(folder.iterdir()), "it has begun")
        deck.app.exit()
        await deck.until(lambda: not list(folder.iterdir()), "nothing is left")


async def test_copying_by_letter(store_copy: CopyOf) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        column = table.cells.columns.index(Column(Kind.PARAM, "max_depth"))
        row = next(row for row in table.visible_rows if table.row_cells(row)[column].text != "–")  # type: ignore[index]
        table.move_to(row, column)
        for letter in ("i", "c", "r", "f"):
            await open_menu(deck)
            await deck.press(letter)
            await deck.until(lambda: len(deck.app.screen_stack) == 1, "chosen")
            copied = deck.app.clipboard
            if letter == "i":
                assert copied == table.run_ids[row]
            elif letter == "c":
                assert copied == table.row_cells(row)[column].text  # type: ignore[index]
            elif letter == "r":
                run = json.loads(copied)
                assert run["run_id"] == table.run_ids[row]
                assert run["experiment"] == TAXI
                assert "rmse" in run["metrics"]
            else:
                assert f"experiment_names=['{TAXI}']" in copied
                assert "ViewType.ACTIVE_ONLY" in copied


async def test_enter_copies_the_run_id_and_escape_nothing(store_copy: CopyOf) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await open_menu(deck)
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "left")
        assert deck.app.clipboard == ""
        await open_menu(deck)
        await deck.press("enter")
        await deck.until(lambda: deck.app.clipboard == deck.screen.table.run_ids[0], "copied")


async def test_marked_runs_are_copied_together(store_copy: CopyOf) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("space", "space")
        await open_menu(deck)
        assert "ids of the 2 marked runs" in deck.frame
        await deck.press("i")
        await deck.until(lambda: deck.app.clipboard == "\n".join(deck.screen.table.run_ids[:2]), "copied")
