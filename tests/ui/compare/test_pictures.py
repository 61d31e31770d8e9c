"""Scatter, contour and importance of the place Compare: every key, on the sweep of the taxi store."""

from __future__ import annotations

import csv
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mldeck.charts.spots import Direction
from mldeck.ui.compare.contour import ContourView
from mldeck.ui.compare.importance import ImportanceView
from mldeck.ui.compare.plane import PlaneDrawing, PlaneView
from mldeck.ui.compare.scatter import ScatterView
from mldeck.ui.export.dialog import ExportDialog
from mldeck.ui.kit.threads import in_thread
from mldeck.ui.runs.screen import RunsScreen
from tests.fixture_stores import FixtureStore
from tests.ui.compare.compare_deck import VIEW_NAMES, comparing
from tests.ui.compare.pictures_deck import TAXI, TAXI_RUNS, PicturesDeck, metric, param, picturing

RMSE, VALIDATION = metric("rmse"), metric("validation-rmse")
WEIGHT, DEPTH, RATE = param("min_child_weight"), param("max_depth"), param("learning_rate")


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


def plane_of(deck: PicturesDeck) -> PlaneDrawing:
    assert isinstance(deck.view, PlaneView)
    assert deck.view.drawing is not None
    return deck.view.drawing


def readout_of(deck: PicturesDeck) -> str:
    return deck.frame.splitlines()[-3]


async def export(deck: PicturesDeck, path: Path) -> str:
    await deck.press("E")
    await deck.until(lambda: isinstance(deck.app.screen, ExportDialog), "the dialog")
    await deck.press("ctrl+u", *str(path), "enter")
    await deck.until_shown("Exported to")
    return path.read_text(encoding="utf-8")


# -- scatter


async def test_the_scatter_shows_the_metric_over_the_most_related_param(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        assert plane_of(deck).columns == {"x": WEIGHT, "y": RMSE}
        assert "Scatter of 45 runs" in deck.frame
        assert "rmse over min_child_weight" in deck.frame


async def test_arrows_go_to_the_next_run_and_name_it_with_its_values(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        spots, run_id = plane_of(deck).spots, deck.view.cursor_run
        for key in ("right", "up", "right", "down", "left", "k", "j"):
            direction = {"k": Direction.UP, "j": Direction.DOWN}.get(key) or Direction[key.upper()]
            assert run_id is not None
            run_id = spots.neighbour(run_id, direction)
            await deck.press(key)
            assert deck.view.cursor_run == run_id
        assert run_id is not None
        assert deck.view.data.by_id[run_id].run.label in readout_of(deck)
        assert f"rmse {plane_of(deck).dimensions['y'].texts[deck.view.data.numbers[run_id] - 1]}" in readout_of(deck)
        column, row = spots.by_run[run_id]
        picture = deck.of(ScatterView).plot.picture
        assert picture is not None
        assert picture.rows[row][column].text == "◆"


async def test_moving_the_cursor_does_not_draw_again(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        drawing = plane_of(deck)
        await deck.press("right", "right", "full_stop")
        assert plane_of(deck) is drawing
        assert deck.of(ScatterView).is_drawn


async def test_every_run_is_reached_line_by_line(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        seen = set()
        for _ in range(TAXI_RUNS):
            await deck.press("full_stop")
            seen.add(deck.view.cursor_run)
        assert seen == set(deck.view.data.run_ids)
        last = deck.view.cursor_run
        await deck.press("full_stop", "comma")
        assert deck.view.cursor_run == last


async def test_a_click_goes_to_the_nearest_run(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        spots = plane_of(deck).spots
        run_id = deck.view.data.run_ids[30]
        await deck.click(*spots.by_run[run_id])
        assert deck.view.cursor_run == spots.nearest(*spots.by_run[run_id])


async def test_the_axes_and_the_colour_are_chosen_and_remembered(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        await deck.answer("x", *"learning", "enter")
        await deck.answer("y", *"validation", "enter")
        await deck.answer("c", *"max_depth", "enter")
        chosen = {"x": RATE, "y": VALIDATION, "colour": DEPTH}
        assert plane_of(deck).columns == chosen
        assert "validation-rmse over learning_rate, coloured by max_depth" in deck.frame
        await deck.key("X")
        assert plane_of(deck).dimensions["x"].is_log
        await deck.key("Y")
        assert "validation-rmse (log) over learning_rate (log)" in deck.frame
    async with picturing(taxi, "Scatter") as deck:
        assert plane_of(deck).columns == chosen
        assert plane_of(deck).dimensions["x"].is_log
        await deck.key("X")
        assert not plane_of(deck).dimensions["x"].is_log
        await deck.key("C")
        assert plane_of(deck).columns["colour"] is None
        assert "coloured" not in deck.frame


async def test_esc_in_the_dialog_leaves_the_axes(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        await deck.answer("x", *"learning", "escape")
        assert plane_of(deck).columns["x"] == WEIGHT


async def test_a_text_cannot_have_a_log_axis(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        await deck.answer("x", *"objective", "enter")
        await deck.press("X")
        await deck.until_shown("objective is text: it cannot have a log axis")
        assert not deck.of(ScatterView).logs


async def test_enter_goes_to_the_run(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        await deck.press("right", "right")
        run_id = deck.view.cursor_run
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        await deck.until(lambda: deck.screen.table.cursor_run == run_id, "the run")


async def test_unmarking_a_run_keeps_the_axes(taxi: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        await deck.press("right")
        gone = deck.view.cursor_run
        await deck.press("space")
        await deck.until_data(TAXI_RUNS - 1)
        await deck.until_drawn()
        assert gone not in plane_of(deck).spots.by_run
        assert plane_of(deck).columns == {"x": WEIGHT, "y": RMSE}
        await deck.press("ctrl+z")
        await deck.until_data(TAXI_RUNS)
        await deck.until_drawn()
        assert gone in plane_of(deck).spots.by_run


async def test_the_cursor_is_on_the_same_run_in_all_views(taxi: Path) -> None:
    async with picturing(taxi, "Contour") as deck:
        await deck.press("right", "right", "down")
        run_id = deck.view.cursor_run
        await deck.press("left_curly_bracket")
        await deck.until(lambda: isinstance(deck.view, ScatterView), "the scatter")
        await deck.until_drawn()
        assert deck.view.cursor_run == run_id


async def test_the_scatter_is_exported_with_its_numbers(taxi: Path, tmp_path: Path) -> None:
    async with picturing(taxi, "Scatter") as deck:
        rows = list(csv.DictReader((await export(deck, tmp_path / "out.csv")).splitlines()))
        assert [row["run_id"] for row in rows] == list(deck.view.data.run_ids)
        assert list(rows[0]) == ["run_id", "run_name", "params.min_child_weight", "metrics.rmse"]
        of = deck.view.data.by_id[rows[20]["run_id"]]
        assert rows[20]["params.min_child_weight"] == of.params["min_child_weight"]
        assert float(rows[20]["metrics.rmse"]) == of.metrics["rmse"]
    async with picturing(taxi, "Scatter") as deck:
        assert await export(deck, tmp_path / "out.txt") == f"{plane_of(deck).picture.text}\n"
    async with picturing(taxi, "Scatter") as deck:
        assert (await export(deck, tmp_path / "out.svg")).startswith("<svg")


# -- contour


async def test_the_contour_is_over_the_two_most_related_params(taxi: Path) -> None:
    async with picturing(taxi, "Contour") as deck:
        assert plane_of(deck).columns == {"x": WEIGHT, "y": DEPTH, "metric": RMSE}
        assert "30 trials · 15 runs lack one of the values" in deck.frame
        await deck.press("right")
        assert "min_child_weight" in readout_of(deck)
        await deck.key("X")
        await deck.key("Y")
        await deck.key("M")
        assert "rmse (log) over min_child_weight (log) and max_depth (log)" in deck.frame


async def test_the_readout_says_that_a_run_is_not_in_the_picture(taxi: Path) -> None:
    async with picturing(taxi, "Contour") as deck:
        run_id = deck.view.cursor_run
        assert run_id is not None
        assert plane_of(deck).spots.spot_of(run_id) is None
        assert "not in the picture" in readout_of(deck)


async def test_contour_says_why_there_is_none(taxi: Path) -> None:
    async with picturing(taxi, "Contour") as deck:
        await deck.answer("x", "a", "l", "p", "h", "a", "enter")
        assert "a contour needs 4" in deck.frame
        await deck.press("right", "full_stop", "down")  # nowhere to go
        await deck.answer("m", *"validation", "enter")
        await deck.answer("x", *"max_depth", "enter")
        assert "validation-rmse over" in deck.frame
        assert "vary independently" in deck.frame


# -- importance


async def test_importance_lists_the_params_by_strength(taxi: Path) -> None:
    async with picturing(taxi, "Importance") as deck:
        drawing = deck.of(ImportanceView).drawing
        assert drawing is not None
        assert [column for column, _ in drawing.found[:3]] == [WEIGHT, DEPTH, param("reg_lambda")]
        assert "Correlation with rmse (of ranks, not a cause)" in deck.frame
        assert "over 30 runs" in readout_of(deck)
        await deck.press("G")
        assert "fewer than 5 runs" in readout_of(deck) or "one value" in readout_of(deck)
        await deck.press("k", "up", "j", "down", "pageup", "ctrl+d", "pagedown", "ctrl+u", "home")
        assert readout_of(deck).startswith("│ min_child_weight")


async def test_importance_says_how_many_runs_it_needs(taxi: Path) -> None:
    async with picturing(taxi, "Importance", count=3) as deck:
        assert "Importance needs at least 5 runs, and these are 3." in deck.frame
        drawing = deck.of(ImportanceView).drawing
        assert drawing is not None
        assert drawing.found == ()
        assert readout_of(deck).strip("│ ") == ""


@pytest.mark.parametrize("view", ["Parallel", "Scatter", "Contour"])
async def test_a_picture_that_takes_long_says_that_it_is_being_read(
    taxi: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    may_draw = threading.Event()

    async def slowly(draw: Callable[[], Any]) -> Any:
        await in_thread(may_draw.wait, 30)
        return draw()

    async with comparing(taxi, TAXI, 3) as deck:
        monkeypatch.setattr("mldeck.ui.kit.background_drawing.in_thread", slowly)
        for _ in range(VIEW_NAMES.index(view)):
            before = deck.place.view
            await deck.press("right_curly_bracket")
            await deck.until(lambda before=before: deck.place.view not in (None, before), view)  # type: ignore[misc]
        await deck.until(lambda: deck.frame.count("reading…") == 2, "it says so, in the picture and in the border")
        may_draw.set()
        await deck.until(lambda: "reading…" not in deck.frame, "the picture")


async def test_the_metric_of_importance_is_chosen_and_remembered(taxi: Path) -> None:
    async with picturing(taxi, "Importance") as deck:
        await deck.answer("m", *"validation", "enter")
        assert "Correlation with validation-rmse" in deck.frame
    async with picturing(taxi, "Importance") as deck:
        assert "Correlation with validation-rmse" in deck.frame


@pytest.mark.parametrize("visited", [False, True])
async def test_enter_shows_the_scatter_of_a_param(taxi: Path, visited: bool) -> None:
    async with picturing(taxi, "Scatter" if visited else "Importance") as deck:
        if visited:
            await deck.press("right_curly_bracket", "right_curly_bracket")
            await deck.until(lambda: isinstance(deck.view, ImportanceView), "the list")
            await deck.until_drawn()
        await deck.press("down", "enter")
        await deck.until(lambda: isinstance(deck.place.view, ScatterView), "the scatter")
        await deck.until(lambda: deck.view.data is deck.place.data, "its runs")
        await deck.until(lambda: deck.of(ScatterView).roles.get("x") == DEPTH, "the axes")
        await deck.until_drawn()
        assert plane_of(deck).columns["x"] == DEPTH
        assert plane_of(deck).columns["y"] == RMSE


async def test_a_click_chooses_a_param(taxi: Path) -> None:
    async with picturing(taxi, "Importance") as deck:
        await deck.click(3, 3)
        assert deck.of(ImportanceView).cursor == 1
        await deck.click(3, 0)
        assert deck.of(ImportanceView).cursor == 1


async def test_the_name_of_a_param_is_copied(taxi: Path) -> None:
    async with picturing(taxi, "Importance") as deck:
        await deck.press("down", "y")
        assert deck.app.clipboard == "max_depth"


async def test_importance_is_exported(taxi: Path, tmp_path: Path) -> None:
    async with picturing(taxi, "Importance") as deck:
        rows = list(csv.DictReader((await export(deck, tmp_path / "out.csv")).splitlines()))
        assert rows[0]["param"] == "min_child_weight"
        assert float(rows[0]["strength"]) == pytest.approx(0.5, abs=0.01)
        assert rows[0]["runs"] == "30"
        assert rows[-1]["problem"]


def test_kinds_of_planes_name_what_they_need() -> None:
    for view in (ScatterView, ContourView):
        assert set(view.NEEDED) <= set(view.ROLES)
