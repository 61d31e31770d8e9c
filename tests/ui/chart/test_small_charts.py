"""The metrics of a run as small charts: layout, cursor, reading and opening."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.store.store import Store
from mldeck.ui.chart.screen import ChartScreen
from mldeck.ui.chart.small_chart_pages import VALUES, Pages, arranged, prefix_of
from mldeck.ui.chart.small_charts import SmallCharts
from mldeck.ui.details.metric_grid import MetricGrid
from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import CHURN, CHURN_RUNS, log
from tests.ui.deck import Deck, running_deck
from tests.ui.runs.test_live import writing

KEYS = ["acc", "loss", "train/acc", "train/loss", "val/acc", "system/cpu", "system/gpu"]


# -- arranging


def pages_of(keys: list[str], folded: frozenset[str], width: int, height: int) -> Pages:
    return arranged([prefix_of(key) for key in keys], folded, width, height)


def test_groups_follow_each_other_and_system_metrics_are_folded_away() -> None:
    pages = pages_of(KEYS, frozenset({"system/"}), 120, 40)
    assert [(page, group) for page, _, group in pages.headings] == [(0, "train/"), (0, "val/"), (0, "system/")]
    assert [slot.metric for slot in pages.slots] == [0, 1, 2, 3, 4, None]
    assert pages.slots[-1].group == "system/"
    assert pages.count == 1


def test_as_many_columns_as_fit() -> None:
    keys = [f"m{index}" for index in range(40)]
    assert {slot.column for slot in pages_of(keys, frozenset(), 30, 20).slots} == {0}
    assert len({slot.column for slot in pages_of(keys, frozenset(), 120, 20).slots}) == 4
    assert len({slot.column for slot in pages_of(keys[:2], frozenset(), 120, 20).slots}) == 2


def test_charts_that_do_not_fit_are_on_the_next_page() -> None:
    pages = pages_of([f"m{index}" for index in range(10)], frozenset(), 60, 12)
    assert pages.count == 3
    assert [slot.page for slot in pages.slots] == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


def test_a_single_group_is_not_folded() -> None:
    pages = pages_of(["system/cpu", "system/gpu"], frozenset({"system/"}), 80, 10)
    assert [slot.metric for slot in pages.slots] == [0, 1]


def test_the_charts_of_a_small_group_share_the_whole_width() -> None:
    pages = pages_of(["loss", *(f"train/m{index}" for index in range(5)), "val/a", "val/b"], frozenset(), 106, 40)
    widths = {pages.slots[index].metric: pages.slots[index].width for index in range(8)}
    assert widths == {0: 106, **dict.fromkeys(range(1, 6), 25), 6: 52, 7: 52}
    assert pages.width == 106


def test_single_values_are_as_wide_as_their_texts() -> None:
    pages = arranged([VALUES] * 5, frozenset(), 80, 20, value_width=38)
    assert {slot.width for slot in pages.slots} == {38}
    assert [(slot.column, slot.row) for slot in pages.slots] == [(0, 1), (40, 1), (0, 2), (40, 2), (0, 3)]


def test_single_values_take_a_line_each_at_the_end() -> None:
    pages = arranged(["", VALUES, "val/", VALUES, VALUES, "system/", "val/"], frozenset({"system/"}), 60, 30)
    assert [group for _, _, group in pages.headings] == ["val/", VALUES, "system/"]
    values = [slot for slot in pages.slots if slot.group == VALUES]
    assert [slot.metric for slot in values] == [1, 3, 4]
    assert [slot.row - values[0].row for slot in values] == [0, 0, 1]
    assert pages.count == 1


@given(
    st.lists(st.sampled_from([*KEYS, "a/b/c", "/", "x/"]), max_size=30),
    st.frozensets(st.sampled_from(["", "train/", "system/", "val/"])),
    st.integers(0, 200),
    st.integers(0, 60),
)
def test_charts_never_overlap_or_leave_the_page(
    keys: list[str], folded: frozenset[str], width: int, height: int
) -> None:
    pages = pages_of(keys, folded, width, height)
    groups = {prefix_of(key) for key in keys}
    shown = [key for key in keys if prefix_of(key) not in folded or len(groups) == 1]
    assert sum(slot.metric is not None for slot in pages.slots) == len(shown)
    cells: set[tuple[int, int, int]] = set()
    for slot in pages.slots:
        assert slot.page < pages.count
        if slot.metric is not None and width >= 26 and height >= 6:
            assert slot.column + slot.width <= width
            assert slot.row + pages.height <= height
            taken = {(slot.page, slot.row + y, slot.column + x) for x in range(slot.width) for y in range(pages.height)}
            assert not taken & cells
            cells |= taken
    for page, row, _ in pages.headings:
        assert (page, row, 0) not in cells


# -- on screen


def charts(deck: Deck) -> SmallCharts:
    return deck.screen.query_one(SmallCharts)


async def open_metrics(deck: Deck, run_id: str) -> SmallCharts:
    await deck.until_counted(CHURN_RUNS)
    table = deck.screen.table
    table.move_to(list(table.run_ids).index(run_id))
    await deck.press("right_square_bracket", "tab")
    await deck.until(lambda: charts(deck).run_id == run_id and charts(deck).metrics, "its metrics")
    await deck.until(lambda: not charts(deck).missing_outlines(), "histories")
    return charts(deck)


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    return store_copy("mlflow-3.17.2")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_each_metric_has_its_name_value_and_curve(store: FixtureStore, size: tuple[int, int]) -> None:
    async with running_deck(store.db, experiment=CHURN, size=size) as deck:
        await open_metrics(deck, store.run("logreg"))
        await deck.until_shown("loss")
        await deck.until(lambda: not charts(deck).missing_outlines(), "histories")
        assert any("\u2800" < character <= "\u28ff" for character in deck.frame)


async def test_arrows_move_and_enter_opens_full_screen(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        small = await open_metrics(deck, store.run("logreg"))
        assert small.cursor_metric == "loss"
        await deck.press("right")
        assert small.cursor_metric == "val/accuracy"
        await deck.press("l", "left", "right", "h")
        assert small.cursor_metric == "val/accuracy"
        await deck.press("G", "g", "down", "down")
        assert small.cursor_metric == "auc"
        await deck.press("up", "up")
        assert small.cursor_metric == "loss"
        await deck.press("right", "right", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, ChartScreen), "full screen")
        screen = deck.app.screen
        assert isinstance(screen, ChartScreen)
        await deck.until(lambda: screen.pane.metric == "val/loss dev", "that metric")
        await deck.press("escape")
        await deck.until(lambda: small.has_focus, "back where one was")
        assert small.cursor_metric == "val/loss dev"


async def test_a_history_is_said_to_be_read_as_long_as_it_is(
    store: FixtureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go, real = threading.Event(), Store.history_outlines

    def history_outlines(*args: Any) -> Any:
        may_go.wait(20)
        return real(*args)

    monkeypatch.setattr(Store, "history_outlines", history_outlines)
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(CHURN_RUNS)
        deck.screen.table.move_to(list(deck.screen.table.run_ids).index(store.run("logreg")))
        await deck.press("right_square_bracket")
        await deck.until(lambda: charts(deck).run_id == store.run("logreg") and charts(deck).metrics, "its metrics")
        await deck.until_shown("reading…")
        assert "only at step" not in deck.frame
        may_go.set()
        await deck.until(lambda: not charts(deck).missing_outlines(), "histories")
        await deck.until(lambda: "reading…" not in deck.frame, "curves")


async def test_only_the_charts_of_the_shown_page_are_read(store: FixtureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.run("logreg")
    for index in range(30):
        log(store.db, run, f"train/m{index:02}", [(0, 1.0), (1, float(index))])
        _add_latest(store, run, f"train/m{index:02}", float(index))
    read: list[str] = []
    real = Store.history_outlines

    def history_outlines(self: Store, run_id: str, keys: Sequence[str], slices: int, interrupt: Any = None) -> Any:
        read.extend(keys)
        return real(self, run_id, keys, slices, interrupt)

    monkeypatch.setattr(Store, "history_outlines", history_outlines)
    async with running_deck(store.db, experiment=CHURN) as deck:
        small = await open_metrics(deck, run)
        await deck.until_shown(f"page 1 of {small.pages.count}")
        assert small.pages.count > 1
        assert "train/m29" not in read
        await deck.press("pagedown")
        await deck.until_shown(f"page 2 of {small.pages.count}")
        await deck.press("pageup", "G")
        await deck.until(lambda: not small.missing_outlines(), "histories of the last page")
        assert small.page == small.pages.count - 1


async def test_system_metrics_are_unfolded_by_enter(store: FixtureStore) -> None:
    run = store.run("logreg")
    log(store.db, run, "system/cpu", [(0, 1.0), (1, 2.0)])
    _add_latest(store, run, "system/cpu", 2.0)
    async with running_deck(store.db, experiment=CHURN, size=(200, 50)) as deck:
        small = await open_metrics(deck, run)
        await deck.press("G")
        assert small.cursor_metric is None
        await deck.until_shown("▸ system/  1 metric")
        await deck.press("enter")
        assert small.cursor_metric == "system/cpu"
        await deck.until_shown("▾ system/  1 metric")
        await deck.press("z")
        assert small.cursor_metric is None
        await deck.until_shown("▸ system/")


async def test_the_choice_between_list_and_charts_is_kept(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        small = await open_metrics(deck, store.run("logreg"))
        await deck.press("v")
        grid = deck.screen.query_one(MetricGrid)
        await deck.until(lambda: grid.has_focus and grid.metrics, "the list")
        assert not small.display
        await deck.press("right_square_bracket", "left_square_bracket")
        assert grid.display
        assert not small.display
        await deck.press("enter")
        await deck.until(
            lambda: isinstance(deck.app.screen, ChartScreen), "Enter opens the chart from the list as well"
        )
        await deck.press("escape", "v")
        await deck.until(lambda: small.has_focus, "charts again")


async def test_the_latest_value_is_copied(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        small = await open_metrics(deck, store.run("logreg"))
        await deck.press(*["right"] * 4, "y")
        assert small.cursor_metric == "big_int"
        assert deck.app.clipboard == "123456789012345"


async def test_a_click_chooses_and_a_double_click_opens(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        small = await open_metrics(deck, store.run("logreg"))
        second = small.pages.slots[1]
        await deck.pilot.click("#charts", offset=(second.column + 3, second.row + 2))
        await deck.until(lambda: small.cursor_metric == "val/accuracy", "the second one")
        await deck.pilot.click("#charts", offset=(second.column + 3, second.row + 2), times=2)
        await deck.until(lambda: isinstance(deck.app.screen, ChartScreen), "full screen")


async def test_a_run_without_metrics_says_so(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(CHURN_RUNS)
        table = deck.screen.table
        table.move_to(list(table.run_ids).index(store.run("unnamed")))
        await deck.press("right_square_bracket")
        await deck.until_shown("This run has logged no metrics.")
        await deck.press("tab", "right", "down", "pagedown", "G", "enter", "z", "y")
        await deck.until_shown("This run has logged no metrics.")


async def test_a_chart_grows_with_its_history(store: FixtureStore) -> None:
    run = store.run("running")
    async with running_deck(store.db, experiment=CHURN) as deck:
        small = await open_metrics(deck, run)
        await deck.until_shown("loss")
        log(store.db, run, "loss", [(77, 0.123)])
        _add_latest(store, run, "loss", 0.123, 77)
        await deck.until_shown("0.123")
        await deck.until(lambda: not small.missing_outlines(), "read again")
        await deck.until_shown("77")


async def test_a_metric_logged_once_is_a_value_at_whatever_step(store: FixtureStore) -> None:
    run = store.run("logreg")
    log(store.db, run, "test/accuracy", [(100, 0.93)])
    _add_latest(store, run, "test/accuracy", 0.93, 100)
    async with running_deck(store.db, experiment=CHURN, size=(200, 50)) as deck:
        small = await open_metrics(deck, run)
        await deck.until_shown("▾ single values")
        slots = {small.metrics[slot.metric].key: slot for slot in small.pages.slots if slot.metric is not None}
        assert slots["test/accuracy"].group == VALUES
        assert slots["loss"].group == "", "it has several steps"
        log(store.db, run, "test/accuracy", [(101, 0.94)])
        _add_latest(store, run, "test/accuracy", 0.94, 101)
        await deck.until(lambda: "test/" in (slot.group for slot in small.pages.slots), "a chart of it")


async def test_the_metric_looked_at_last_is_found_again(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        small = await open_metrics(deck, store.run("logreg"))
        await deck.press("right", "right")
        assert small.cursor_metric == "val/loss dev"
        table = deck.screen.table
        for label, cursor in (("running", 0), ("logreg", 2)):
            table.move_to(list(table.run_ids).index(store.run(label)))
            await deck.until(lambda label=label: small.run_id == store.run(label), label)  # type: ignore[misc]
            assert small.cursor == cursor
        assert small.cursor_metric == "val/loss dev"


async def test_odd_numbers_and_names(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN, size=(200, 50)) as deck:
        for label in ("diverged", "steps"):
            await deck.until_counted(CHURN_RUNS)
            table = deck.screen.table
            table.move_to(list(table.run_ids).index(store.run(label)))
            if label == "diverged":
                await deck.press("right_square_bracket")
            await deck.until(lambda label=label: charts(deck).run_id == store.run(label), label)  # type: ignore[misc]
            await deck.until(lambda: not charts(deck).missing_outlines(), "histories")
        await deck.until_shown("sparse")


def _add_latest(store: FixtureStore, run: str, key: str, value: float, step: int = 1) -> None:
    with writing(store.db) as connection:
        connection.execute(
            "INSERT OR REPLACE INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, 5, ?, 0, ?)",
            (key, value, step, run),
        )


async def test_a_marked_run_has_its_own_colour(store: FixtureStore) -> None:
    async with running_deck(store.db, experiment=CHURN) as deck:
        await deck.until_counted(CHURN_RUNS)
        others = [store.run(each) for each in ("rf5", "rf10")]
        deck.app.session.toggle_marks(others)
        shown = await open_metrics(deck, store.run("logreg"))
        assert shown.colour == 2, "the one it would get"
        await deck.until(lambda: not shown.missing_outlines(), "histories")
        deck.screen.table.focus()
        await deck.press("space")
        table = deck.screen.table
        table.move_to(list(table.run_ids).index(others[1]))
        await deck.until(lambda: shown.run_id == others[1], "the other run")
        assert shown.colour == deck.app.session.marked[others[1]] == 1
