"""Whole frames of charts as text, kept beside this file; see `test_frames`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixture_stores import FixtureStore
from tests.ui.chart.chart_deck import chart_of
from tests.ui.deck import running_deck
from tests.ui.test_frames import check

pytestmark = pytest.mark.usefixtures("utc")
SIZES = [(80, 24), (120, 40), (200, 50)]
CHURN = ["logreg", "rf5", "rf10", "rf20", "diverged"]


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> FixtureStore:
    """A store with the same relative path on every machine."""
    found = store_copy("mlflow-3.17.2")
    monkeypatch.chdir(found.path)
    return FixtureStore(found.path, found.db.relative_to(found.path), found.manifest)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("no_colour", [False, True], ids=["colour", "no-colour"])
async def test_several_runs(
    store: FixtureStore, size: tuple[int, int], no_colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    async with chart_of(store, CHURN, size=size) as deck:
        await deck.key(*["left"] * 12, "down", "right_square_bracket", "right_square_bracket")
        await deck.until_shown("smoothing 0.6")
        await check(f"chart-{size[0]}x{size[1]}", deck)


async def test_one_run_by_time(store: FixtureStore) -> None:
    async with chart_of(store, ["logreg"]) as deck:
        await deck.key("a", "home", "plus")
        await deck.until_shown("zoomed")
        await check("chart-one-120x40", deck)


async def test_bars(store: FixtureStore) -> None:
    async with chart_of(store, CHURN, "auc", size=(80, 24)) as deck:
        await deck.key("down")
        await check("chart-bars-80x24", deck)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_small_charts(store: FixtureStore, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("kit.clock", "details.run_cells"):
        monkeypatch.setattr(f"mldeck.ui.{module}.now_ms", lambda: 1_795_228_000_000)
    async with running_deck(store.db, experiment="churn-baseline", size=size) as deck:
        await deck.until_counted(12)
        table = deck.screen.table
        table.move_to(list(table.run_ids).index(store.run("logreg")))
        await deck.press("right_square_bracket", "tab")
        charts = deck.screen.query_one("#charts")
        await deck.until(lambda: charts.metrics and not charts.missing_outlines(), "histories")  # type: ignore[attr-defined]
        await deck.press("right")
        await deck.until_shown("val/  2 metrics")
        await deck.until(lambda: table.vertical_scrollbar.position == table.scroll_y, "the scroll bar")
        await check(f"small-charts-{size[0]}x{size[1]}", deck)
