"""Parallel coordinates of the place Compare: every key, on the sweep of the taxi store."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.ui.compare.parallel import ParallelView
from mldeck.ui.compare.parallel_drawing import ParallelDrawing
from mldeck.ui.runs.screen import RunsScreen
from tests.fixture_stores import FixtureStore
from tests.ui.compare.pictures_deck import TAXI_RUNS, PicturesDeck, metric, param, picturing
from tests.ui.compare.test_pictures import export, readout_of

RMSE, DEPTH, RATE = metric("rmse"), param("max_depth"), param("learning_rate")
AXES = (RATE, DEPTH, param("min_child_weight"), param("reg_alpha"), param("reg_lambda"), RMSE)


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


def view_of(deck: PicturesDeck) -> ParallelView:
    return deck.of(ParallelView)


def drawn_in(deck: PicturesDeck) -> ParallelDrawing:
    drawing = view_of(deck).drawing
    assert drawing is not None
    return drawing


async def test_the_first_axes_are_the_params_that_differ_and_the_metric(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        assert drawn_in(deck).axes == AXES
        assert drawn_in(deck).colour == RMSE
        assert "coloured by rmse" in deck.frame
        assert "45 runs" in deck.frame


async def test_left_and_right_move_among_the_axes_and_draw_nothing(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        drawing = drawn_in(deck)
        assert view_of(deck).cursor_axis == RATE
        await deck.press("left", "right", "right")
        assert view_of(deck).cursor_axis == param("min_child_weight")
        assert "║" in deck.frame.splitlines()[10]
        await deck.press(*["right"] * 9)
        assert view_of(deck).cursor_axis == RMSE
        assert drawn_in(deck) is drawing


async def test_up_and_down_walk_along_the_axis_and_name_the_run(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.press(*["right"] * 5, "home")
        worst = max(deck.view.data.records, key=lambda each: each.metrics.get("rmse", 0))
        assert deck.view.data.by_id[deck.view.cursor_run or ""].metrics["rmse"] == worst.metrics["rmse"]
        seen = []
        for key in ("down", "j", "down", "pagedown", "up", "k", "pageup"):
            await deck.press(key)
            seen.append(deck.view.data.by_id[deck.view.cursor_run or ""].metrics["rmse"])
        assert seen[:4] == sorted(seen[:4], reverse=True)
        assert seen[3:5] == sorted(seen[3:5])
        assert deck.view.data.label(deck.view.cursor_run or "") in readout_of(deck)
        assert "rmse 3.5" in readout_of(deck)
        await deck.press("end")
        assert "rmse" not in deck.view.data.by_id[deck.view.cursor_run or ""].metrics or "NaN" in readout_of(deck)


async def test_a_brush_dims_the_other_runs_and_counts_those_within(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.press("right", "home")
        await deck.key("b")
        assert "brush: max_depth 20" in readout_of(deck)
        assert "move this end" in readout_of(deck)
        await deck.key(*["down"] * 12)
        depths = {each.run.run_id: int(each.params.get("max_depth", 0)) for each in deck.view.data.records}
        kept = drawn_in(deck).kept
        assert 0 < len(kept) < TAXI_RUNS
        assert min(depths[run_id] for run_id in kept) > max(
            depth for run_id, depth in depths.items() if run_id not in kept
        )
        assert f"{len(kept)} of 45 runs" in deck.frame
        await deck.key("b", "down", "down", "down")  # the other end
        assert len(drawn_in(deck).kept) < len(kept)
        await deck.press("enter")
        assert view_of(deck).brushing is None
        assert "move this end" not in readout_of(deck)
        assert "┃" in deck.frame
        assert "max_depth" in deck.frame.splitlines()[-2]
        await deck.press("home")
        assert deck.view.cursor_run in drawn_in(deck).kept  # the cursor stays among them
        await deck.key("backspace")
        assert len(drawn_in(deck).kept) == TAXI_RUNS


async def test_the_cursor_stays_within_a_brush_that_is_still_being_drawn(
    taxi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.press("right", "home")
        monkeypatch.setattr(view_of(deck), "redraw", lambda: None)
        await deck.press("b", *["down"] * 12, "enter", "end")
        assert len(drawn_in(deck).kept) == TAXI_RUNS
        within = drawn_in(deck).within(view_of(deck).brushes)
        assert 0 < len(within) < TAXI_RUNS
        assert deck.view.cursor_run in within
        monkeypatch.undo()
        await deck.press("M")
        await deck.until_data(len(within))


async def test_esc_cancels_a_brush(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.press("right", "home")
        await deck.key("b", "down", "down", "enter")
        before = drawn_in(deck).kept
        await deck.key("b", "G", "escape")
        assert drawn_in(deck).kept == before
        await deck.press("escape")  # nothing to end
        await deck.until(lambda: deck.app.current_mode == "runs", "the place before")
        await deck.press("3")
        await deck.until(lambda: deck.app.screen is deck.place and view_of(deck).has_focus, "the place as it was left")
        assert view_of(deck).brushes
        await deck.key("left", "b", "right")  # the brush of the axis that is left stays
        assert view_of(deck).brushing is None
        assert set(view_of(deck).brushes) == {RATE, DEPTH}


async def test_backspace_clears_the_brush_of_the_axis_or_all_brushes(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.press("backspace")
        await deck.until_shown("No axis is brushed")
        await deck.key("b", "enter", "right", "b", "enter", "backspace")
        assert set(view_of(deck).brushes) == {RATE}
        await deck.key("backspace")
        assert not view_of(deck).brushes


async def test_only_the_brushed_runs_are_marked_and_all_come_back(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        colours = dict(deck.app.session.marked)
        await deck.press("M")
        await deck.until_shown("Brush an axis first")
        await deck.press("right", "home")
        await deck.key("b", *["down"] * 12, "enter")
        kept = drawn_in(deck).kept
        await deck.press("M")
        await deck.until_data(len(kept))
        await deck.until_drawn()
        assert set(deck.app.session.marked) == set(kept)
        assert all(colours[run_id] == colour for run_id, colour in deck.app.session.marked.items())
        assert drawn_in(deck).axes == AXES
        await deck.press("ctrl+z")
        await deck.until_data(TAXI_RUNS)
        assert deck.app.session.marked == colours


async def test_axes_are_added_removed_and_moved_and_remembered(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.key("minus")
        assert drawn_in(deck).axes == AXES[1:]
        await deck.answer("plus", *"learning", "enter")
        assert drawn_in(deck).axes == (DEPTH, RATE, *AXES[2:])
        assert view_of(deck).cursor_axis == RATE
        await deck.key("shift+left")
        assert drawn_in(deck).axes == AXES
        await deck.key("greater_than_sign")
        assert drawn_in(deck).axes == (DEPTH, RATE, *AXES[2:])
        await deck.key("shift+right", "less_than_sign", "less_than_sign", "less_than_sign")
        assert drawn_in(deck).axes == AXES
    async with picturing(taxi, "Parallel") as deck:
        assert drawn_in(deck).axes == AXES
        await deck.key(*["x"] * 9)
        assert len(drawn_in(deck).axes) == 1
        await deck.until_shown("The last axis cannot be removed")


async def test_axes_are_chosen_in_an_order(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.answer("a", "tab", "tab", "tab", "tab", "tab", "shift+up", "enter")
        assert len(drawn_in(deck).axes) == 1
        await deck.answer("a", *"objective", "tab", "enter")
        assert drawn_in(deck).axes == (RMSE, param("objective"))
        await deck.press("right", "b")
        await deck.until_drawn()
        await deck.press("l")
        await deck.until_shown("objective is text")


async def test_log_per_axis_and_colours(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.key("l")
        assert drawn_in(deck).dimensions[RATE].is_log
        assert "learning_rate (log)" in readout_of(deck)
        await deck.answer("c", *"max_depth", "enter")
        assert drawn_in(deck).colour == DEPTH
        await deck.key("C")
        assert drawn_in(deck).colour is None
    async with picturing(taxi, "Parallel") as deck:
        assert drawn_in(deck).dimensions[RATE].is_log
        assert drawn_in(deck).colour is None


async def test_enter_goes_to_the_run_and_y_copies_its_id(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.press("home", "y")
        run_id = deck.view.cursor_run
        assert deck.app.clipboard == run_id
        await deck.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "the runs")
        await deck.until(lambda: deck.screen.table.cursor_run == run_id, "the run")


async def test_a_click_chooses_an_axis_and_a_run(taxi: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        axis = drawn_in(deck).axis(RMSE)
        assert axis is not None
        await deck.click(axis.column + 1, axis.top)
        assert view_of(deck).cursor_axis == RMSE
        assert "rmse 3.5" in readout_of(deck)


async def test_the_kept_runs_are_exported(taxi: Path, tmp_path: Path) -> None:
    async with picturing(taxi, "Parallel") as deck:
        await deck.press("right", "home")
        await deck.key("b", "down", "down", "enter")
        rows = list(csv.DictReader((await export(deck, tmp_path / "out.csv")).splitlines()))
        assert {row["run_id"] for row in rows} == set(drawn_in(deck).kept)
        assert list(rows[0]) == ["run_id", "run_name", *map(str, AXES)]
        assert {row["params.max_depth"] for row in rows} <= {"18", "19", "20"}


async def test_another_width_has_other_axes_until_the_user_chooses(taxi: Path) -> None:
    async with picturing(taxi, "Parallel", size=(60, 20)) as deck:
        assert len(drawn_in(deck).axes) == 5
        await deck.pilot.resize_terminal(120, 40)
        await deck.until(lambda: drawn_in(deck).axes == AXES, "all of them")
        await deck.key("shift+right")
        chosen = drawn_in(deck).axes
        await deck.pilot.resize_terminal(60, 20)
        await deck.until(lambda: drawn_in(deck).size[0] < 60, "the other width")
        assert drawn_in(deck).axes == chosen
        await deck.key(*["right"] * 5)
        assert RMSE in drawn_in(deck).shown
