"""The full-screen chart of metrics: every key, reading, stopping and live growth."""

from __future__ import annotations

import asyncio
import csv
import math
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import Input

from mldeck.charts.bars import Bar, draw_bars
from mldeck.charts.curves import Axis
from mldeck.charts.picture import Picture
from mldeck.errors import MldeckError
from mldeck.format import exact_float_text
from mldeck.model import History
from mldeck.store.histories import histories
from mldeck.store.histories.points import PointCollector
from mldeck.store.store import Store
from mldeck.ui.chart.crosshair_plot import PlotSlice
from mldeck.ui.chart.drawing import Drawer
from mldeck.ui.chart.screen import ChartScreen
from mldeck.ui.chart.view import Range
from mldeck.ui.runs.screen import RunsScreen
from mldeck.ui.textual_patches.widgets import set_border_titles
from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import chart_of, log
from tests.ui.runs.test_live import writing
from tests.ui.textual_insides import painted

CopyOf = Callable[[str], FixtureStore]
FORESTS = ["rf5", "rf10", "rf20"]


@pytest.fixture
def store(store_copy: CopyOf) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


# -- opening and leaving


async def test_the_marked_runs_and_the_one_under_the_cursor_are_overlaid(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg", *FORESTS]) as deck:
        assert "loss" in deck.frame
        names = [line.name for line in deck.drawing.lines]
        assert names == ["baseline-logreg", "rf-depth-5", "rf-depth-10", "rf-depth-20"]
        colours = deck.app.session.marked
        assert [line.colour for line in deck.drawing.lines] == [
            colours[store.run(each)] for each in ["logreg", *FORESTS]
        ]
        for name in names:
            assert name in deck.frame


async def test_escape_goes_back_to_the_same_cell(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        table = deck.screen.table
        row, column = table.cursor_row, table.cursor_column
        await deck.press("escape")
        assert isinstance(deck.app.screen, RunsScreen)
        assert (table.cursor_row, table.cursor_column) == (row, column)
        assert table.has_focus
        store_now = deck.app.session.store
        assert store_now.run_details(store.run("rf5")) is not None, "the store is still in use"


async def test_enter_goes_to_the_run_in_the_table(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.press("down", "down", "enter")
        await deck.until(lambda: deck.screen.table.cursor_run == store.run("rf20"), "the run in the table")
        assert isinstance(deck.app.screen, RunsScreen)


async def test_without_a_metric_under_the_cursor_there_is_still_a_chart(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        await deck.press("escape")
        deck.screen.table.move_to(deck.screen.table.cursor_row, 1)
        await deck.press("m")
        await deck.until(lambda: isinstance(deck.app.screen, ChartScreen), "the chart")
        await deck.until_drawn()
        assert deck.pane.metric == "auc", "the first one by name"


async def test_a_metric_that_was_logged_once_is_shown_as_bars(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS, "auc") as deck:
        assert deck.drawing.is_bars
        assert "rf-depth-20" in deck.frame
        await deck.key("right", "down", "plus", "l", "l")
        assert deck.drawing.is_bars
        assert deck.pane.crosshair is None


async def test_runs_without_points_say_so(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        deck.pane.show([store.run("scheduled")], "loss")
        await deck.until_shown("No points yet")
        deck.pane.show([store.run("scheduled")])
        deck.pane.loader.metrics = ()
        deck.pane.show([store.run("scheduled")])
        await deck.until_shown("No metric yet: it appears here as soon as one is logged.")
        deck.pane.show([])
        await deck.until_shown("No run to show.")


async def test_the_chart_keeps_its_view_while_another_place_is_shown(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.key("plus", "plus")
        window = deck.pane.view.window
        await deck.press("3")
        await deck.until(lambda: not isinstance(deck.app.screen, ChartScreen), "another place")
        await deck.press("1")
        await deck.until(lambda: isinstance(deck.app.screen, ChartScreen), "the chart again")
        assert deck.pane.view.window == window


# -- the view


async def test_the_axis_goes_from_steps_to_times(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.key("right", "a")
        assert deck.pane.view.axis is Axis.RELATIVE
        await deck.until_shown("relative time")
        assert deck.pane.crosshair is None, "an x of the other axis means nothing here"
        assert deck.drawing.full is not None
        assert deck.drawing.full[0] == 0
        await deck.key("a")
        await deck.until_shown("wall time")
        await deck.key("a")
        assert deck.drawing.full == (0, 29)


async def test_the_title_names_log_and_smoothing(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.key("l")
        await deck.until_shown("step · log")
        plot = deck.drawing.picture.plot
        assert plot is not None
        assert plot.y.is_log
        await deck.key("l", "right_square_bracket", "right_square_bracket")
        await deck.until_shown("smoothing 0.6")
        await deck.until_shown("smoothed 0")  # the line at the bottom has both values
        inks = {cell.ink for row in deck.drawing.picture.rows for cell in row}
        assert {ink.index for ink in inks if ink.is_faint} >= {line.colour for line in deck.drawing.lines}
        await deck.key("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await deck.until(lambda: "smoothing 0" not in deck.frame, "none")


async def test_the_crosshair_names_step_and_values_without_drawing_again(
    store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chart_of(store, FORESTS) as deck:
        picture = deck.drawing.picture
        await deck.press("left")
        at_the_end = [line.value for line in deck.pane.legend.lines]
        await deck.press(*["left"] * 40)
        x = deck.pane.crosshair
        assert x is not None
        readings = deck.drawing.readings(x)
        assert [line.value for line in deck.pane.legend.lines] == [each.value for each in readings if each is not None]
        assert [line.value for line in deck.pane.legend.lines] != at_the_end
        first = readings[0]
        assert first is not None
        await deck.until_shown(f"step {first.step}")
        await deck.until_shown(exact_float_text(first.value))
        assert deck.drawing.picture is picture, "the plot is the same"
        column = deck.drawing.column_of(x)
        assert column is not None
        await deck.until(lambda: "│" in {line[column + 1] for line in deck.frame.splitlines()[2:20]}, "a line")
        await deck.press("home")
        assert deck.drawing.readings(deck.pane.crosshair or 0)[0].step == 0  # type: ignore[union-attr]
        await deck.press("shift+right")
        ten = deck.drawing.column_of(deck.pane.crosshair)
        await deck.press("shift+left", "end")
        plot = picture.plot
        assert plot is not None
        assert ten == plot.left + 10
        assert deck.drawing.column_of(deck.pane.crosshair) == plot.left + plot.width - 1


async def test_the_crosshair_beyond_the_last_step_of_a_run_says_so(store: FixtureStore) -> None:
    log(store.db, store.run("rf10"), "loss", [(step, 0.5) for step in range(31, 200)])
    async with chart_of(store, ["rf5", "rf10"]) as deck:
        await deck.press("end")
        short, long = deck.pane.legend.lines
        assert (short.value, long.value) == (None, 0.5)
        await deck.until_shown("rf-depth-5   –")
        await deck.press("home")
        assert None not in [line.value for line in deck.pane.legend.lines]
        await deck.press("0")
        assert None not in [line.value for line in deck.pane.legend.lines], "without a crosshair, the latest values"
        await deck.until_shown("step 29")


async def test_a_step_of_the_crosshair_paints_a_slice_of_the_plot(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.press("home", "right", "right")
        painted: dict[int, int] = {}
        for index, each in enumerate(deck.pane.plot.query(PlotSlice)):

            def render_line(y: int, index: int = index, real: Callable[[int], Strip] = each.render_line) -> Strip:
                painted[index] = painted.get(index, 0) + 1
                return real(y)

            each.render_line = render_line  # type: ignore[method-assign]
        column = deck.drawing.column_of(deck.pane.crosshair)
        await deck.press("right")
        await deck.until(lambda: painted, "the crosshair is painted")
        assert column is not None
        assert deck.pane.plot.crosshair is not None
        assert deck.pane.plot.crosshair > column
        assert len(painted) == 1, "of four"


async def test_the_plot_is_laid_out_once_however_often_it_is_drawn(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        assert not deck.pane.legend.display
        assert len([each for each in deck.pane.plot.query(PlotSlice) if each.display]) > 1
        names = Picture(tuple(draw_bars([Bar("日本語", 1.0)], deck.pane.plot.size).rows))
        deck.pane.plot.show(names)
        assert len([each for each in deck.pane.plot.query(PlotSlice) if each.display]) == 1, "no half characters"


async def test_showing_the_progress_paints_only_the_border(
    store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        await deck.pilot.pause()
        sent = painted(deck.app, monkeypatch)
        set_border_titles(deck.pane, "loss", "20,000 points… Esc stops")
        await deck.until(lambda: sent, "painted")
        assert "20,000 points… Esc stops" in deck.frame
        pane = deck.pane.region
        assert sent == [{Region(pane.x, y, pane.width, 1) for y in (pane.y, pane.bottom - 1)}]
        set_border_titles(deck.pane, "loss", "20,000 points… Esc stops")
        await deck.pilot.pause()
        assert len(sent) == 1


async def test_two_requests_at_once_are_drawn_once(store: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        drawn = []
        real = Drawer.draw

        def draw(self: Drawer, *args: Any) -> Any:
            drawn.append(args)
            return real(self, *args)

        monkeypatch.setattr(Drawer, "draw", draw)
        deck.pane.redraw()
        deck.pane.redraw()
        await deck.until_drawn()
        assert len(drawn) == 1


async def test_zooming_goes_around_the_middle_when_the_crosshair_is_out_of_sight(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        await deck.key("home", "plus", "plus", *["greater_than_sign"] * 8)
        before = deck.pane.view.window
        assert before is not None
        assert deck.drawing.column_of(deck.pane.crosshair) is None
        await deck.key("plus")
        after = deck.pane.view.window
        assert after is not None
        assert after[0] + after[1] == pytest.approx(before[0] + before[1])


async def test_zooming_panning_and_back(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.press("greater_than_sign")
        await deck.until_shown("Everything is visible")
        await deck.key("home", "plus", "plus")
        plot = deck.drawing.picture.plot
        assert plot is not None
        assert plot.x.high < 29 / 2
        await deck.until_shown("zoomed")
        await deck.key("greater_than_sign")
        moved = deck.drawing.picture.plot
        assert moved is not None
        assert moved.x.low > plot.x.low
        assert moved.x.high - moved.x.low == pytest.approx(plot.x.high - plot.x.low)
        await deck.key("less_than_sign", "0")
        assert deck.pane.view.window is None
        assert deck.pane.crosshair is None
        await deck.key("plus", "minus", "minus")
        assert deck.pane.view.window is None


async def test_the_range_of_the_y_axis(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.key("r")
        assert deck.pane.view.range.value == "without outliers"
        await deck.until_shown("without outliers")
        await deck.press("r")
        await deck.until_shown("Range of the y axis: low high")
        line = deck.app.screen.query_one(Input)
        line.value = "3 1"
        await deck.press("enter")
        await deck.until_shown("the lower one first")
        line.value = "-1 3"
        await deck.press("enter")
        await deck.until(lambda: deck.pane.view.range is Range.CUSTOM, "by hand")
        await deck.until_drawn()
        plot = deck.drawing.picture.plot
        assert plot is not None
        assert (plot.y.low, plot.y.high) == (-1, 3)
        await deck.key("r")
        assert deck.pane.view.range.value == "all"


# -- the runs


async def test_solo_follows_the_cursor_of_the_legend(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.key("o")
        assert [line.is_strong for line in deck.drawing.lines] == [True, False, False]
        assert [line.is_faint for line in deck.drawing.lines] == [False, True, True]
        await deck.key("j")
        assert [line.is_strong for line in deck.drawing.lines] == [False, True, False]
        await deck.key("o")
        assert not any(line.is_strong or line.is_faint for line in deck.drawing.lines)


async def test_hiding_runs(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.key("space")
        await deck.until_shown("hidden")
        assert [line.curve.count for line in deck.drawing.lines] == [0, 30, 30]
        await deck.key("down", "space", "down", "space")
        await deck.until_shown("All curves are hidden")
        await deck.key("up", "space")
        assert [line.curve.count for line in deck.drawing.lines] == [0, 30, 0]


async def test_a_click_chooses_a_run_or_sets_the_crosshair(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.pilot.click("#curve-legend", offset=(8, 2))
        await deck.until(lambda: deck.pane.legend.cursor_row == 1, "the second run")
        await deck.pilot.click("#curve-plot", offset=(30, 10))
        await deck.until(lambda: deck.drawing.column_of(deck.pane.crosshair) == 30, "the crosshair")


async def test_groups_have_a_mean_and_a_band(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg", *FORESTS]) as deck:
        await deck.press("g")
        await deck.until_shown("Group runs by")
        await deck.until_shown("param n_estimators")
        lines = [line.split("param ")[1].split()[0] for line in deck.frame.splitlines() if "param " in line]
        await deck.press("down", *["down"] * lines.index("n_estimators"), "enter")
        await deck.until_shown("by n_estimators, mean and min–max")
        await deck.until_drawn()
        assert [line.name for line in deck.drawing.lines] == ["– (1)", "100 (3)"]
        await deck.until_shown("mean 0.")
        await deck.press("o")
        await deck.until_shown("Runs are grouped")
        await deck.press("g")
        await deck.until_shown("Group runs by")
        await deck.press("enter")
        await deck.until_drawn()
        assert deck.pane.view.group_by is not None, "one begins at what is chosen"
        await deck.press("g")
        await deck.until_shown("Group runs by")
        await deck.press("home", "enter")
        await deck.until(lambda: deck.pane.view.group_by is None, "no groups")
        await deck.until_drawn()
        assert len(deck.drawing.lines) == 4


async def test_one_run_cannot_be_grouped(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        await deck.press("g")
        await deck.until_shown("Only several runs can be grouped")


# -- metrics


async def test_next_and_previous_metric_go_round(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        await deck.key("n")
        await deck.until(lambda: deck.pane.metric == "tiny", "the next one")
        await deck.press("p", "p")
        await deck.until(lambda: deck.pane.metric == "big_int", "the one before")
        await deck.press("p", "p")
        await deck.until(lambda: deck.pane.metric == "val/loss dev", "round to the last one")


async def test_without_another_metric_it_says_so(store: FixtureStore) -> None:
    async with chart_of(store, ["running"], "auc") as deck:
        with writing(store.db) as connection:
            connection.execute("DELETE FROM latest_metrics WHERE key = 'loss'")
        await deck.press("ctrl+r")
        await deck.until_shown("Read again")
        await deck.press("n")
        await deck.until_shown("no other metric")
        assert deck.pane.metrics == ("auc",)


async def test_several_metrics_of_one_run(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        await deck.press("m")
        await deck.until_shown("type to narrow the list")
        await deck.press(*"accur")
        await deck.press("tab", "enter")
        await deck.until(lambda: deck.pane.metrics == ("loss", "val/accuracy"), "two metrics")
        await deck.until_drawn()
        assert [line.name for line in deck.drawing.lines] == ["loss", "val/accuracy"]
        assert len({line.colour for line in deck.drawing.lines}) == 2
        await deck.until_shown("loss, val/accuracy")
        await deck.press("m", *"auc", "enter")
        await deck.until(lambda: deck.pane.metrics == ("auc",), "only that one")
        await deck.press("m", "escape")
        assert deck.pane.metrics == ("auc",)


async def test_a_known_history_is_not_read_again(store: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async with chart_of(store, FORESTS) as deck:
        monkeypatch.setattr(Store, "read_history", None)
        await deck.press("escape", "m")
        await deck.until(lambda: isinstance(deck.app.screen, ChartScreen), "the chart")
        await deck.until_drawn()
        assert [line.curve.count for line in deck.drawing.lines] == [30, 30, 30]


# -- odd numbers


async def test_odd_histories_are_drawn(store: FixtureStore) -> None:
    path, run = store.db, store.run("steps")
    log(path, run, "odd", [(-5, 1.0), (0, math.nan), (0, 2.0), (3, math.inf), (3, 4.0), (2**62, -1e308), (7, 1e308)])
    log(path, run, "one", [(4, 2.5)])
    log(path, run, "no", [(1, math.nan), (2, math.nan)])
    async with chart_of(store, ["logreg"]) as deck:
        for metric in ("odd", "one", "no", "neg", "sparse", "same_step", "nan_then_neg"):
            deck.pane.show([run], metric)
            await deck.until(lambda metric=metric: deck.pane.metrics == (metric,), metric)  # type: ignore[misc]
            await deck.until_drawn()
            await deck.key("a", "l", "right_square_bracket", "left", "plus", "plus", "greater_than_sign", "minus", "r")
            await deck.key("r", "escape", "0", "a", "a", "l", "left_square_bracket")
            assert deck.drawing.picture.rows


async def test_hostile_names_are_only_text(store: FixtureStore) -> None:
    name = "[/x]\x1b[31m\n[@click=app.quit]日本語😀" + "y" * 200
    run = store.run("rf5")
    with writing(store.db) as connection:
        connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", (name, run))
        connection.execute(
            "UPDATE params SET key = '[/p]\x1b', value = '[/v]' WHERE run_uuid = ? AND key = 'max_depth'", (run,)
        )
    log(store.db, run, name, [(1, 1.0), (2, 2.0)])
    async with chart_of(store, FORESTS) as deck:
        assert "[/x]␛[31m↵" in deck.frame
        deck.pane.show([store.run(each) for each in FORESTS], name)
        await deck.until_shown("[/x]␛[31m↵[@click")
        await deck.until_drawn()
        await deck.press("g")
        await deck.until_shown("[/p]␛")
        await deck.press("down", "enter")
        await deck.until_drawn()
        await deck.press("m")
        await deck.until_shown("type to narrow")
        assert "\x1b" not in deck.frame


# -- live


async def test_a_curve_grows_while_it_is_shown(store: FixtureStore) -> None:
    run = store.run("running")
    async with chart_of(store, ["running"]) as deck:
        assert deck.drawing.lines[0].curve.count == 3
        log(store.db, run, "loss", [(10, 0.5), (40, 0.25)])
        await deck.until(lambda: deck.drawing.lines[0].curve.count == 5, "the new points")
        plot = deck.drawing.picture.plot
        assert plot is not None
        assert plot.x.high == 40, "a view that was not moved follows the end"
        await deck.until_shown("step 40")


async def test_new_points_do_not_move_a_zoomed_view(store: FixtureStore) -> None:
    run = store.run("rf5")
    async with chart_of(store, FORESTS) as deck:
        await deck.key("home", "plus", "plus")
        before, x = deck.drawing.picture.plot, deck.pane.crosshair
        log(store.db, run, "loss", [(500, 0.5)])
        await deck.until(lambda: deck.drawing.lines[0].curve.count == 31, "the new point")
        after = deck.drawing.picture.plot
        assert before is not None
        assert after is not None
        assert (after.x.low, after.x.high) == (before.x.low, before.x.high)
        assert deck.pane.crosshair == x


async def test_nothing_is_drawn_while_nothing_changes(store: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    polls = []
    real_poll = Store.poll

    def poll(self: Store) -> Any:
        polls.append(1)
        return real_poll(self)

    monkeypatch.setattr(Store, "poll", poll)
    async with chart_of(store, FORESTS) as deck:
        settled = len(polls) + 3
        await deck.until(lambda: len(polls) >= settled, "looks at the database")
        picture, wanted = deck.drawing.picture, deck.pane._wanted
        settled = len(polls) + 4
        await deck.until(lambda: len(polls) >= settled, "more looks")
        assert deck.drawing.picture is picture
        assert deck.pane._wanted == wanted


async def test_a_run_deleted_from_the_database_disappears(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        with writing(store.db) as connection:
            connection.execute("DELETE FROM runs WHERE run_uuid = ?", (store.run("rf10"),))
        await deck.until(
            lambda: [line.name for line in deck.drawing.lines] == ["rf-depth-5", "rf-depth-20"], "two runs"
        )


def is_whole(detail: History | None) -> bool:
    """Return whether a detail has all points. That of a wider window, read while keys come slowly, is thinned."""
    return detail is not None and not detail.is_thinned


async def test_the_window_of_a_history_too_long_to_hold_is_read_in_full(
    store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "PointCollector", partial(PointCollector, 1_000))
    run = store.run("rf5")
    log(store.db, run, "long", [(step, float(step % 7)) for step in range(20_000)])
    async with chart_of(store, ["rf5"]) as deck:
        deck.pane.show([run], "long")
        await deck.until(lambda: deck.pane.metrics == ("long",) and not deck.pane.is_reading, "read")
        await deck.until_drawn()
        assert 0 < deck.drawing.lines[0].curve.count <= 1_000
        for _ in range(6):
            await deck.key("plus")
        await deck.until(lambda: is_whole(deck.pane.loader.series()[0].detail), "all points of the window")
        await deck.until_drawn()
        window = deck.pane.view.window
        assert window is not None
        assert deck.drawing.lines[0].curve.count >= window[1] - window[0]
        x = deck.drawing.edge(-1) or 0.0
        reading = deck.drawing.readings(x)[0]
        assert reading is not None
        assert abs(reading.step - x) <= 1
        log(store.db, run, "long", [(30_000, 1.0)])
        await deck.until(lambda: deck.drawing.full is not None and deck.drawing.full[1] == 30_000, "it grows")
        await deck.until(lambda: is_whole(deck.pane.loader.series()[0].detail), "and the window is read again")
        await deck.key("0")
        assert deck.pane.loader.series()[0].detail is None


# -- reading that takes its time, and fails


class Gate:
    """Holds back every history after the first until it is opened or the read is interrupted."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.waiting = 0


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    real = Store.read_history

    def read_history(
        self: Store, run_id: str, key: str, window: Any = None, interrupt: Any = None, on_part: Any = None
    ) -> Any:
        gate.waiting += 1
        if gate.waiting > 1:
            on_part(12_345)
            while not gate.is_open.wait(0.005):
                if interrupt.fired:
                    interrupt.check()
        return real(self, run_id, key, window, interrupt, on_part)

    monkeypatch.setattr(Store, "read_history", read_history)
    yield gate
    gate.is_open.set()


async def opened(store: FixtureStore, deck: Any) -> None:
    deck.pane.show([store.run(each) for each in FORESTS], "loss")


async def test_histories_are_shown_as_they_are_read_and_escape_stops_the_rest(store: FixtureStore, gate: Gate) -> None:
    async with chart_of(store, ["rf5"]) as deck:
        await opened(store, deck)
        await deck.until_shown("1 of 3 · 12,375 points… Esc stops")
        assert deck.drawing.lines[0].curve.count == 30
        await deck.press("plus")
        await deck.until(
            lambda: deck.pane.is_drawn and deck.pane.view.window is not None, "half-loaded, it can be used"
        )
        await deck.press("escape")
        await deck.until(lambda: not deck.pane.is_reading, "stopped")
        assert isinstance(deck.app.screen, ChartScreen)
        await deck.until_shown("stopped at 30 points")
        gate.is_open.set()
        await deck.press("m")
        await deck.until_shown("Enter only this one")
        await deck.press("enter")
        await deck.until(lambda: [line.curve.count for line in deck.drawing.lines] == [30, 30, 30], "read after all")
        await deck.press("escape")
        assert isinstance(deck.app.screen, RunsScreen)


async def test_escape_before_the_first_history_leaves_nothing_that_reads(store: FixtureStore, gate: Gate) -> None:
    async with chart_of(store, ["rf5"]) as deck:
        read_runs = Store.run_records
        with pytest.MonkeyPatch.context() as patch:

            def slowly(self: Store, ids: Any, fields: Any, interrupt: Any = None) -> Any:
                while not gate.is_open.wait(0.005):
                    interrupt.check()
                return read_runs(self, ids, fields, interrupt)

            patch.setattr(Store, "run_records", slowly)
            deck.pane.show([store.run("rf10"), store.run("rf20")], "loss")
            await deck.until_shown("reading… Esc stops")
            await deck.press("escape")
            await deck.until_shown("stopped at 0 points: ctrl+r reads on")
            await deck.until_shown("Stopped before anything was read: ctrl+r reads on.")
            assert "reading…" not in deck.frame


async def test_a_change_does_not_resume_a_stopped_read(store: FixtureStore, gate: Gate) -> None:
    async with chart_of(store, ["rf5"]) as deck:
        await opened(store, deck)
        await deck.until(lambda: gate.waiting == 2, "the second history")
        await deck.press("escape")
        await deck.until(lambda: not deck.pane.is_reading, "stopped")
        log(store.db, store.run("rf5"), "loss", [(100, 1.0)])
        await deck.until(lambda: deck.drawing.lines[0].curve.count == 31, "what is complete grows")
        assert gate.waiting == 2


async def test_refreshing_resumes_a_stopped_read(store: FixtureStore, gate: Gate) -> None:
    async with chart_of(store, ["rf5"]) as deck:
        await opened(store, deck)
        await deck.until(lambda: gate.waiting == 2, "the second history")
        await deck.press("escape")
        await deck.until_shown("ctrl+r reads on")
        assert [line.is_read for line in deck.pane.legend.lines] == [True, False, False]
        gate.is_open.set()
        await deck.press("ctrl+r")
        await deck.until(lambda: [line.curve.count for line in deck.drawing.lines] == [30, 30, 30], "all of it")


async def test_escape_leaves_at_once_while_newer_points_are_read(
    store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, is_open = threading.Event(), threading.Event()
    async with chart_of(store, ["rf5"]) as deck:
        real = Store.read_newer

        def read_newer(self: Store, *args: Any) -> Any:
            waits.set()
            is_open.wait(10)
            return real(self, *args)

        monkeypatch.setattr(Store, "read_newer", read_newer)
        log(store.db, store.run("rf5"), "loss", [(100, 1.0)])
        await deck.until(waits.is_set, "it looks")
        await deck.press("escape")
        await deck.until(lambda: isinstance(deck.app.screen, RunsScreen), "back at once")
        is_open.set()


async def test_leaving_stops_reading(store: FixtureStore, gate: Gate) -> None:
    async with chart_of(store, ["rf5"]) as deck:
        await opened(store, deck)
        await deck.until(lambda: gate.waiting == 2, "the second history")
        await deck.press("q")
        await asyncio.sleep(0)


async def test_the_title_says_that_the_database_cannot_be_read(
    store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        real = Store.read_history

        def fail(self: Store, *args: Any, **kwargs: Any) -> Any:
            raise MldeckError("the page is [/torn]")

        monkeypatch.setattr(Store, "read_history", fail)
        await deck.press("n")
        await deck.until_shown("the page is [/torn]")
        monkeypatch.setattr(Store, "read_history", real)
        await deck.press("ctrl+r")
        await deck.until(lambda: "torn" not in deck.frame, "recovered")


# -- taking it away


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".svg"])
async def test_exporting(store: FixtureStore, isolated: Path, suffix: str) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.press("E")
        await deck.until(lambda: deck.app.screen.query("#export-path"), "the dialog")
        deck.app.screen.query_one(Input).value = f"chart{suffix}"
        await deck.press("enter")
        await deck.until_shown("Exported to chart")
        text = deck.drawing.picture.text
    file = isolated / f"chart{suffix}"
    if suffix == ".csv":
        with file.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        assert len(rows) == 90
        assert rows[0].keys() == {"run_id", "run_name", "metric", "step", "timestamp", "value"}
        assert {row["run_name"] for row in rows} == {"rf-depth-5", "rf-depth-10", "rf-depth-20"}
    elif suffix == ".txt":
        assert file.read_text(encoding="utf-8") == text + "\n"
    else:
        assert file.read_text(encoding="utf-8").startswith("<svg")


async def test_every_point_of_a_history_too_long_to_hold_is_exported(
    store: FixtureStore, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "PointCollector", partial(PointCollector, 1_000))
    run = store.run("rf5")
    log(store.db, run, "long", [(step, float(step % 7)) for step in range(20_000)])
    async with chart_of(store, ["rf5"]) as deck:
        deck.pane.show([run], "long")
        await deck.until(lambda: deck.pane.metrics == ("long",) and not deck.pane.is_reading, "read")
        await deck.until_drawn()
        await deck.press("E")
        await deck.until(lambda: deck.app.screen.query("#export-path"), "the dialog")
        deck.app.screen.query_one(Input).value = "long.csv"
        await deck.press("enter")
        await deck.until_shown("Exported to long.csv")
    with (isolated / "long.csv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert [(int(row["step"]), float(row["value"])) for row in rows] == [(step, step % 7) for step in range(20_000)]


async def test_a_chart_that_is_being_read_cannot_be_exported_yet(store: FixtureStore, gate: Gate) -> None:
    async with chart_of(store, ["rf5"]) as deck:
        deck.pane.show([store.run("rf10")], "loss")
        await deck.until(lambda: gate.waiting == 2, "the history is being read")
        await deck.until(lambda: "reading…" in deck.drawing.picture.text, "an empty chart")
        await deck.press("E")
        await deck.until_shown("The points are still being read")
        gate.is_open.set()
        await deck.until_drawn()
        await deck.press("E")
        await deck.until(lambda: deck.app.screen.query("#export-path"), "the dialog")


async def test_copying_the_exact_value(store: FixtureStore) -> None:
    async with chart_of(store, FORESTS) as deck:
        await deck.press("home", "down", "y")
        reading = deck.drawing.readings(deck.pane.crosshair or 0)[1]
        assert reading is not None
        assert deck.app.clipboard == exact_float_text(reading.value)
