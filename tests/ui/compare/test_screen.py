"""The place Compare and its table: every key, on a store that real MLflow wrote."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from mldeck.model import Column, Kind
from mldeck.store.store import Store
from mldeck.ui.chart.pane import CurvesPane
from mldeck.ui.compare.curves import CurvesView
from mldeck.ui.compare.data import CompareData, Group, read_runs
from mldeck.ui.compare.screen import CompareScreen
from mldeck.ui.compare.table import CompareTable, CompareTableView
from mldeck.ui.compare.table_lines import OWN, SectionHeading, TableLine
from mldeck.ui.export.dialog import ExportDialog
from mldeck.ui.kit.dialogs.text import TextDialog
from mldeck.ui.runs.screen import RunsScreen
from mldeck.ui.state.columns import AGE
from mldeck.ui.state.metric_direction import BEST, Better
from tests import many_runs, wide_runs
from tests.fixture_stores import FixtureStore
from tests.ui.compare.compare_deck import CompareDeck, comparing
from tests.ui.runs.test_live import writing

TAXI = "nyc-taxi-experiment"
CopyOf = Callable[[str], FixtureStore]
RMSE, DEPTH = Column(Kind.METRIC, "rmse"), Column(Kind.PARAM, "max_depth")


@pytest.fixture
def taxi(store_copy: CopyOf) -> Path:
    return store_copy("nyc-taxi").db


def table_of(deck: CompareDeck) -> CompareTable:
    view = deck.view
    assert isinstance(view, CompareTableView)
    return view.table


async def go_to_line(deck: CompareDeck, column: Column) -> None:
    """Move the cursor to the line of a column, in a table with runs as columns."""
    table = table_of(deck)
    wanted = [place for place, row in enumerate(table.lines.rows) if row == TableLine(column)]
    assert wanted, f"{column} is not in the table"
    while table.cursor_row != wanted[0]:
        await deck.press("down" if table.cursor_row < wanted[0] else "up")


# -- the place


async def test_without_marked_runs_it_says_what_to_do(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 0) as deck:
        await deck.until_shown("Mark runs with Space")
        assert "none is marked" in deck.frame
        await deck.press("E", "space", "ctrl+z", "slash", "escape", "right_curly_bracket")
        await deck.until_shown("No run was unmarked here")
        await deck.press("1", "space", "3")
        await deck.until_shown("one is marked")
        await deck.press("1", "space", "3")
        await deck.until_data(2)


@pytest.mark.parametrize("view", ["Table", "Parallel", "Scatter"])
async def test_escape_goes_back_to_the_place_before(taxi: Path, view: str) -> None:
    async with comparing(taxi, TAXI, 3, view=view) as deck:
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen) and deck.screen.table.has_focus, "the runs")
        await deck.press("2")
        await deck.until(lambda: deck.app.current_mode == "models", "the models")
        await deck.press("3")
        await deck.until(lambda: deck.app.current_mode == "compare", "the place Compare")
        await deck.press("3", "escape")
        await deck.until(lambda: deck.app.current_mode == "models", "the models again")


async def test_escape_clears_the_matches_before_it_goes_back(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3) as deck:
        await deck.press("slash", *"rmse", "enter")
        await deck.until(lambda: deck.place.finder.has_matches, "the matches")
        await deck.press("escape")
        await deck.until(lambda: not deck.place.finder.has_matches, "no matches")
        assert deck.app.screen is deck.place
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")


async def test_escape_goes_back_from_too_few_runs(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 0) as deck:
        await deck.until_shown("Mark runs with Space")
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")


async def test_the_marked_runs_are_compared_in_the_order_of_marking(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3) as deck:
        assert deck.place.data.run_ids == tuple(deck.app.session.marked)
        assert "Table of 3 runs" in deck.frame
        assert "3 Compare (3)" in deck.frame
        assert "● 1 still-running" in deck.frame
        assert deck.view.cursor_run == deck.place.data.run_ids[0]
        assert deck.app.focused is table_of(deck)


async def test_both_keys_lead_here_and_back(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 2) as deck:
        await deck.press("1")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        await deck.press("3")
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen), "the place")
        assert "Table of 2 runs" in deck.frame


async def test_a_run_marked_in_another_place_appears_on_coming_back(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 2) as deck:
        await deck.press("1", "space", "equals_sign")
        await deck.until_data(3)
        await deck.until_shown("Table of 3 runs")


async def test_a_run_is_unmarked_and_marked_again(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3) as deck:
        before, colours = deck.place.data.run_ids, dict(deck.app.session.marked)
        await deck.press("right", "space")
        await deck.until_data(2)
        assert deck.place.data.run_ids == (before[0], before[2])
        await deck.until_shown("3 Compare (2)")
        assert {run_id: colours[run_id] for run_id in deck.place.data.run_ids} == deck.place.data.colours
        await deck.press("space", "1")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        assert len(deck.screen.table.marked) == 1
        await deck.press("3")
        await deck.until_shown("one is marked")
        await deck.press("ctrl+z", "ctrl+z")
        await deck.until_data(3)
        assert deck.app.session.marked == colours
        assert list(deck.app.session.marked) == list(before)


async def test_marking_again_keeps_marks_changed_elsewhere(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 4) as deck:
        first, second, third, fourth = deck.place.data.run_ids
        await deck.press("space")
        await deck.until_data(3)
        await deck.press("1")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        new = next(run_id for run_id in deck.screen.table.run_ids if run_id not in (first, second, third, fourth))
        deck.app.session.toggle_marks([second])
        deck.app.session.toggle_marks([new])
        await deck.press("3")
        await deck.until(lambda: deck.place.data.run_ids == (third, fourth, new), "the marks")
        await deck.press("ctrl+z")
        await deck.until(lambda: deck.place.data.run_ids == (first, third, fourth, new), "the one that was unmarked")
        await deck.press("ctrl+z")
        await deck.until_shown("No run was unmarked here")


async def test_each_action_is_in_the_palette_once(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 2) as deck:
        await deck.press("1")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        titles = [each.title for each in deck.app.get_system_commands(deck.app.screen)]
        assert sum(title.startswith("Compare ") for title in titles) == 1


async def test_a_click_on_the_number_of_marked_runs_leads_here(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 2) as deck:
        await deck.press("1")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        await deck.until_shown("3 Compare (2)")
        column = deck.frame.splitlines()[0].index("(2)") + 2
        await deck.pilot.click(deck.screen.top_bar, offset=(column, 0))
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen), "the place")


async def test_going_to_a_run_and_to_one_of_another_experiment(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3) as deck:
        await deck.press("right", "right", "o")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        wanted = deck.place.data.run_ids[2]
        await deck.until(lambda: deck.screen.table.cursor_run == wanted, "the run")
        await deck.press("shift+tab", "down")
        await deck.until_shown("Runs of Default")
        await deck.press("3", "o")
        await deck.until_shown(f"Runs of {TAXI}")
        await deck.until(lambda: deck.screen.table.cursor_run == wanted, "the run in its experiment")


# -- live


async def test_changes_by_other_programs_are_shown(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 2) as deck:
        run_id = deck.place.data.run_ids[0]
        await deck.press("down")
        cursor = table_of(deck).cursor_line
        with writing(taxi) as connection:
            connection.execute(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)"
                " VALUES ('fresh', 7.25, 1, 0, 0, ?)",
                (run_id,),
            )
        await deck.until_shown("fresh")
        assert "7.25" in deck.frame
        assert table_of(deck).cursor_line == cursor


async def test_changes_to_other_runs_do_not_draw_again(taxi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[CompareData] = []

    def reading(*arguments: Any) -> CompareData:
        read.append(read_runs(*arguments))
        return read[-1]

    async with comparing(taxi, TAXI, 2) as deck:
        monkeypatch.setattr("mldeck.ui.compare.screen.read_runs", reading)
        before = deck.place.data
        with writing(taxi) as connection:
            connection.execute("UPDATE params SET value = 'other' WHERE run_uuid NOT IN (?, ?)", before.run_ids)
        await deck.until(lambda: read, "read again")
        reads = [worker for worker in deck.place.workers if worker.group == "compare"]
        await deck.until(lambda: all(worker.is_finished for worker in reads), "all done")
        assert deck.view.data is deck.place.data is before


async def test_a_run_that_is_gone_is_counted(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3) as deck:
        with writing(taxi) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("DELETE FROM runs WHERE run_uuid = ?", (deck.place.data.run_ids[0],))
        await deck.until_shown("Table of 2 runs (1 more not in the database)")


async def test_a_change_does_not_take_the_focus_away(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 2) as deck:
        await deck.press("slash", *"rm")
        before = deck.place.data
        with writing(taxi) as connection:
            connection.execute("UPDATE params SET value = 'other' WHERE run_uuid = ?", (before.run_ids[1],))
        await deck.until(lambda: deck.place.data is not before, "read again")
        await deck.press(*"se", "enter")
        await deck.until(lambda: table_of(deck).cursor_line == TableLine(RMSE), "what was looked for")


# -- the table


async def test_runs_out_of_view_are_counted_and_found_by_name(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 5, size=(80, 24)) as deck:
        table = table_of(deck)
        await deck.until_shown("Table of 5 runs · runs 1–")
        assert "more →" in deck.frame
        last = deck.place.data.run_ids[-1]
        name = deck.place.data.label(last)
        await deck.press("C", *name, "enter")
        await deck.until(lambda: table.cursor_run == last, "the run")
        await deck.until_shown("5 of 5")
        assert "←" in deck.frame
        await deck.press("slash", *deck.place.data.label(deck.place.data.run_ids[1]), "enter")
        await deck.until(lambda: table.cursor_run == deck.place.data.run_ids[1], "found by the header")
        await deck.press("t")
        await deck.until_shown("Table of 5 runs · columns ")
        await deck.press("C", *"max_dep", "enter")
        await deck.until(lambda: table.cursor_line == TableLine(DEPTH), "the line")
        await deck.press("t")
        await deck.pilot.resize_terminal(200, 50)
        await deck.until(lambda: "Table of 5 runs ─" in deck.frame, "all of them are in view")


async def test_all_or_what_differs(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3, size=(120, 60)) as deck:
        data = deck.place.data
        assert {line.column for line in table_of(deck).lines.lines} <= data.differing
        await deck.press("a")
        await deck.until(lambda: "everything" in deck.frame, "everything")
        shown = {line.column for line in table_of(deck).lines.lines}
        assert not shown <= data.differing
        await deck.press("a")
        assert {line.column for line in table_of(deck).lines.lines} <= data.differing


async def test_mlflows_own_tags_are_folded_until_they_are_unfolded(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3) as deck:
        table = table_of(deck)
        folded = [row for row in table.lines.rows if isinstance(row, SectionHeading) and not row.is_open]
        assert [heading.group for heading in folded] == [Group.SYSTEM_TAGS]
        await deck.press("G", "enter")
        assert any(line.column.key.startswith("mlflow.") for line in table.lines.lines)
        await deck.press("full_stop")  # one of the two is folded still
        assert not deck.view.options.folded  # type: ignore[attr-defined]
        await deck.press("full_stop")
        assert deck.view.options.folded == OWN  # type: ignore[attr-defined]
        await go_to_line(deck, RMSE)
        await deck.press("z")
        assert RMSE not in {line.column for line in table.lines.lines}
        assert isinstance(table.cursor_line, SectionHeading)
        await deck.press("z")
        assert RMSE in {line.column for line in table.lines.lines}


async def test_differences_to_a_baseline(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 4) as deck:
        table = table_of(deck)
        await deck.press("right", "right", "b")
        baseline = deck.place.data.run_ids[2]
        assert table.lines.baseline == baseline
        assert table.cursor_run == baseline
        await deck.until_shown("◆ 3 ")
        assert "Δ rmse" in deck.frame
        assert "baseline 3 candidate-3" in deck.frame
        await deck.press("b")
        assert table.lines.baseline is None
        assert "Δ rmse" not in deck.frame
        await deck.press("left", "left", "left", "b")
        await deck.until_shown("Go to a run first")


async def test_transposing_keeps_the_cursor_on_its_run_and_line(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 4) as deck:
        table = table_of(deck)
        await go_to_line(deck, RMSE)
        await deck.press("right", "t")
        assert table.is_transposed
        assert table.cursor_line == TableLine(RMSE)
        assert table.cursor_run == deck.place.data.run_ids[1]
        assert table.row_count == 4
        assert "Metrics" in deck.frame  # above the columns
        await deck.press("z")
        await deck.until_shown("t transposes")
        await deck.press("down", "t")
        assert table.cursor_line == TableLine(RMSE)
        assert table.cursor_run == deck.place.data.run_ids[2]


@pytest.mark.parametrize("is_transposed", [False, True])
async def test_runs_are_sorted_by_what_is_under_the_cursor(taxi: Path, is_transposed: bool) -> None:
    async with comparing(taxi, TAXI, 4) as deck:
        table, marked = table_of(deck), deck.place.data.run_ids
        await go_to_line(deck, AGE)
        await deck.press(*["t"] * is_transposed, "s")
        assert table.lines.run_ids == tuple(reversed(marked))
        assert "started ▲" in deck.frame
        assert table.cursor_run == marked[0]
        await deck.press("s")
        assert "started ▼" in deck.frame
        await deck.press("s")
        assert table.lines.run_ids == marked
        assert "▲" not in deck.frame


async def test_sorting_by_a_heading_is_refused(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 2) as deck:
        await deck.press("g", "s")
        await deck.until_shown("to sort the runs by")
        await deck.press("asterisk")
        await deck.until_shown("Only metrics have a best value")


async def test_the_better_direction_chosen_here_also_applies_to_the_place_runs(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 4) as deck:
        await go_to_line(deck, RMSE)
        assert BEST not in deck.frame
        await deck.press("O")
        await deck.until_shown("rmse lowest first (* sets which is best)")
        await deck.press("asterisk")
        await deck.until_shown("When is rmse best?")
        await deck.press("l")
        await deck.until_shown(f"{BEST}3.")
        assert "rmse ★lo" in deck.frame
        assert "rmse best first" in deck.frame
        assert deck.app.session.better["rmse"] is Better.LOWER
        await deck.press("1")
        await deck.until_shown("rmse ★lo")
        await deck.until(lambda: deck.screen.table.cells.best.get("rmse"), "the best value")
    async with comparing(taxi, TAXI, 4) as deck:
        await deck.until_shown(f"{BEST}3.")


async def test_a_cell_is_read_and_copied(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3) as deck:
        await go_to_line(deck, RMSE)
        await deck.press("right", "right", "y")
        value = deck.place.data.by_id[deck.place.data.run_ids[2]].metrics["rmse"]
        assert deck.app.clipboard == repr(value)
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, TextDialog), "the dialog")
        assert "rmse of 3 candidate-3" in deck.frame
        assert repr(value) in deck.frame
        await deck.press("escape", "left", "left", "left", "y")
        assert deck.app.clipboard == "rmse"
        await deck.press("enter")  # on a name: sorts by it
        assert "rmse ▲" in deck.frame


async def test_finding(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 4) as deck:
        await deck.press("slash", *"max_de", "enter")
        await deck.until(lambda: table_of(deck).cursor_line == TableLine(DEPTH), "the param")
        await deck.press("escape", "slash", *"candidate-1", "enter")
        assert table_of(deck).has_focus


# -- files


async def export(deck: CompareDeck, path: Path) -> None:
    await deck.press("E")
    await deck.until(lambda: isinstance(deck.app.screen, ExportDialog), "the dialog")
    deck.app.screen.query_one("#export-path", Input).value = str(path)
    await deck.press("enter")
    await deck.until(lambda: not isinstance(deck.app.screen, ExportDialog), "written")


async def test_exporting_what_is_shown(taxi: Path, tmp_path: Path) -> None:
    async with comparing(taxi, TAXI, 4) as deck:
        await deck.press("b")
        for name in ("shown.csv", "shown.json", "shown.md"):
            await export(deck, tmp_path / name)
        lines, run_ids = table_of(deck).lines, deck.place.data.run_ids
    with (tmp_path / "shown.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["run_id"] for row in rows] == list(run_ids)
    assert list(rows[0]) == lines.header()
    assert float(rows[2]["metrics.rmse"]) == lines.data.values(RMSE)[2]
    objects = json.loads((tmp_path / "shown.json").read_text(encoding="utf-8"))
    assert [each["run_id"] for each in objects] == list(run_ids)
    assert objects[0].keys() == rows[0].keys()
    markdown = (tmp_path / "shown.md").read_text(encoding="utf-8").splitlines()
    assert len(markdown) == 2 + len(run_ids)


async def test_an_existing_file_is_not_replaced_without_asking(taxi: Path, tmp_path: Path) -> None:
    path = tmp_path / "there.csv"
    path.write_text("mine")
    async with comparing(taxi, TAXI, 2) as deck:
        await deck.press("E")
        await deck.until(lambda: isinstance(deck.app.screen, ExportDialog), "the dialog")
        deck.app.screen.query_one("#export-path", Input).value = str(path)
        await deck.press("enter")
        await deck.until_shown("Enter replaces it")
        assert path.read_text() == "mine"
        await deck.press("enter")
        await deck.until(lambda: path.read_text() != "mine", "replaced")


# -- curves


def pane_of(deck: CompareDeck) -> CurvesPane:
    view = deck.view
    assert isinstance(view, CurvesView)
    return view.pane


async def test_curves_of_the_marked_runs(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3, view="Curves") as deck:
        pane = pane_of(deck)
        await deck.until(lambda: pane.metric is not None and pane.is_drawn, "curves")
        assert pane.loader.run_ids == deck.place.data.run_ids
        first = pane.metric
        await deck.press("n")
        await deck.until(lambda: pane.metric != first, "the next metric")
        chosen = pane.metric
        await deck.press("left_curly_bracket")
        await deck.until(lambda: deck.view.NAME == "Table", "the table")
        await deck.until(lambda: table_of(deck).has_focus, "the focus")
    async with comparing(taxi, TAXI, 3, view="Curves") as deck:
        await deck.until(lambda: pane_of(deck).metric == chosen, "the metric of before")


async def test_a_change_leaves_the_curves_as_they_are(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3, view="Curves") as deck:
        pane = pane_of(deck)
        await deck.until(lambda: pane.drawing is not None and not pane.is_reading and pane.is_drawn, "the curves")
        pane.show_metrics(("validation-rmse", "rmse"))
        await deck.until(lambda: pane.drawing is not None and not pane.is_reading and pane.is_drawn, "both metrics")
        before = deck.place.data
        with writing(taxi) as connection:
            connection.execute("UPDATE params SET value = 'other' WHERE run_uuid = ?", (before.run_ids[1],))
        await deck.until(lambda: deck.place.data is not before, "read again")
        await deck.until(lambda: deck.view.data is deck.place.data and not pane.is_reading and pane.is_drawn, "shown")
        assert pane.metrics == ("validation-rmse", "rmse")


async def test_an_unmarked_run_is_not_in_the_curves(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 3, view="Curves") as deck:
        await deck.press("left_curly_bracket", "space")
        await deck.until_data(2)
        await deck.turn_to("Curves")
        await deck.until(lambda: tuple(pane_of(deck).loader.run_ids) == deck.place.data.run_ids, "two runs")


# -- many, and hostile


async def test_three_hundred_runs(tmp_path: Path) -> None:
    db = wide_runs.make_wide_store(tmp_path / "mlflow.db", runs=300, keys=60, keys_per_run=30)
    async with comparing(db, wide_runs.EXPERIMENT, 300) as deck:
        table = table_of(deck)
        assert "Table of 300 runs" in deck.frame
        assert len(table.columns) == 301
        await deck.press(*["right"] * 12, "b", "s", "t", "G", "k", "t", "a", "space")
        await deck.until_data(299)
        await deck.press("ctrl+z")
        await deck.until_data(300)


async def test_many_keys(tmp_path: Path) -> None:
    db = wide_runs.make_wide_store(tmp_path / "mlflow.db", runs=12, keys=6000, keys_per_run=500)
    async with comparing(db, wide_runs.EXPERIMENT, 12) as deck:
        await deck.press("G", "t", "b", "t", "g", "a")
        assert len(table_of(deck).lines.rows) > 5000


HOSTILE = [
    "[/x] [@click=app.quit]quit[/]",
    "\x1b[31mred\x1b]52;c;aGk=\x07",
    "two\nlines\r\n\ttab",
    "日本語の名前" * 8,
    "\u202eright to left\u200b",
    "same name",
    "same name",
    "x" * 10_000,
    "",
    "👩‍👩‍👧 family e\u0301",
]


@pytest.fixture
def hostile(taxi: Path) -> Path:
    many_runs.add_many_runs(taxi, len(HOSTILE))
    with writing(taxi) as connection:
        for number, text in enumerate(HOSTILE):
            run_id = many_runs.run_id_of(number)
            connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (text, run_id))
            for key in (text or "empty", "text", *(f"param-{each:03}" for each in range(200))):
                connection.execute(
                    "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", (f"{key}!", text, run_id)
                )
            value, is_nan = [
                (0.0, 1),
                (1.7976931348623157e308, 0),
                (-1.7976931348623157e308, 0),
                (0.0, 0),
                (3e-320, 0),
            ][number % 5]
            connection.execute(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, 1, 0, ?, ?)",
                ("[/x]\x1b[2J", value, is_nan, run_id),
            )
            connection.execute("INSERT INTO tags (key, value, run_uuid) VALUES ('[/x]', ?, ?)", (text, run_id))
    return taxi


@pytest.mark.parametrize("size", [(60, 16), (120, 40)])
async def test_hostile_texts_go_through_every_key(hostile: Path, size: tuple[int, int]) -> None:
    async with comparing(hostile, many_runs.EXPERIMENT, len(HOSTILE), size=size) as deck:
        table = table_of(deck)
        await deck.press(
            "b", "down", "down", "down", "down", "s", "right", "right", "s", "a", "full_stop", "G", "t", "h", "b"
        )
        await deck.press("slash", *"[/x]", "enter", "escape", "t", "g")
        await deck.press("down", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, TextDialog), "the text")
        await deck.press("escape")
        for _ in range(len(HOSTILE)):
            await deck.press("y", "right", "space", "ctrl+z")
        await deck.until(lambda: len(deck.place.data) == len(HOSTILE), "all of them")
        await deck.until(lambda: table.lines.data is deck.place.data, "the table")
        frame = deck.frame
        assert all(line == "".join(each for each in line if each.isprintable()) for line in frame.splitlines())
        assert all(len(table.row_cells(row)) for row in range(table.row_count) if not table.line_cells(row))


async def test_a_failed_read_is_reported_and_the_table_stays(taxi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mldeck.errors import StoreUnavailable

    async with comparing(taxi, TAXI, 2) as deck:

        def refuse(*_: object) -> None:
            raise StoreUnavailable("no such luck")

        monkeypatch.setattr(Store, "run_records", refuse)
        await deck.press("ctrl+r")
        await deck.until_shown("no such luck")
        assert "Table of 2 runs" in deck.frame
        monkeypatch.undo()
        await deck.until(lambda: "no such luck" not in deck.frame, "all well again")
