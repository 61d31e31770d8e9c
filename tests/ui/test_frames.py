"""Whole frames as text: what a person sees at several sizes, kept beside this file.

`MLDECK_UPDATE_FRAMES=1 pytest tests/ui/test_frames.py` writes them anew; look at the difference before committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.filter.test_filter_line import type_text
from tests.ui.runs.test_live import writing

FRAMES = Path(__file__).parent / "frames"
_UPDATE = os.environ.get("MLDECK_UPDATE_FRAMES") == "1"  # asked here: tests do not see such variables
NOW_S = 1_795_228_000.0
"""Three hours after the newest run of the store."""


@pytest.fixture(autouse=True)
def _same_time_everywhere(utc: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("kit.clock", "details.run_cells"):
        monkeypatch.setattr(f"mldeck.ui.{module}.now_ms", lambda: int(NOW_S * 1000))


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The taxi store as the current folder's mlflow.db, with artifacts at a path that is the same everywhere."""
    store = store_copy("nyc-taxi")
    with writing(store.db) as connection:
        connection.execute("UPDATE runs SET artifact_uri = replace(artifact_uri, ?, '/data')", (str(store.path),))
    monkeypatch.chdir(store.path)
    return Path("mlflow.db")


async def check(name: str, deck: Deck, shown: Callable[[Deck], str] = lambda deck: deck.frame) -> None:
    """That, or the part of it that is meant, is what the file says, as soon as all has been painted."""
    file = FRAMES / f"{name}.txt"
    if _UPDATE:
        file.write_text(shown(deck) + "\n", encoding="utf-8")
    expected = file.read_text(encoding="utf-8")
    with suppress(AssertionError):
        await deck.until(lambda: shown(deck) + "\n" == expected)
    assert expected == shown(deck) + "\n"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("no_colour", [False, True], ids=["colour", "no-colour"])
async def test_runs(taxi: Path, size: tuple[int, int], no_colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    async with running_deck(taxi, experiment="nyc-taxi-experiment", size=size) as deck:
        await deck.until_counted(45)
        await deck.press("down", "down", "space")
        await deck.until_shown("1 marked")
        await deck.until(lambda: deck.screen.inspector.border_title == "candidate-2", "the inspector")
        await check(f"runs-{size[0]}x{size[1]}", deck)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_long_names(taxi: Path, size: tuple[int, int]) -> None:
    with writing(taxi) as connection:
        for before, after in (
            ("rmse", "training_root_mean_squared_error"),
            ("validation-rmse", "validation_root_mean_squared_error"),
        ):
            connection.execute("UPDATE latest_metrics SET key = ? WHERE key = ?", (after, before))
        connection.execute("UPDATE runs SET name = 'gifted-shrew-471-a-long-name-of-' || name WHERE rowid % 2")
    async with running_deck(taxi, experiment="nyc-taxi-experiment", size=size) as deck:
        await deck.until_counted(45)
        await deck.until(lambda: deck.screen.inspector.details, "the inspector")
        await check(f"long-names-{size[0]}x{size[1]}", deck)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_wrong_filter(taxi: Path, size: tuple[int, int]) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment", size=size) as deck:
        await deck.until_counted(45)
        await deck.until(lambda: deck.screen.inspector.details, "the inspector")
        await deck.press("f")
        await type_text(deck, "statsu = 'x'")
        await deck.until_shown("metrics.statsu.")
        await check(f"filter-error-{size[0]}x{size[1]}", deck)
        await deck.press("ctrl+u")
        await type_text(deck, "params.max_deptt > 3")
        await deck.press("enter")
        await deck.until_shown("0 of 45 runs")
        await deck.until(lambda: deck.screen.inspector.details is None, "no run")
        await check(f"filter-unknown-{size[0]}x{size[1]}", deck)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_groups(taxi: Path, size: tuple[int, int]) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment", size=size) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("B")
        await deck.until(lambda: deck.app.screen.query("#picker"), "the picker")
        await deck.press(*"max_de")
        await check(f"group-by-{size[0]}x{size[1]}", deck)
        await deck.press("enter")
        await deck.until(lambda: table.arrangement.headings, "groups")
        await deck.press("right", "right", "s")
        await deck.until_shown("sorted by rmse ▲")
        await deck.press("down", "down", "enter")
        await deck.until(lambda: table.arrangement.depths, "opened")
        await check(f"groups-{size[0]}x{size[1]}", deck)


async def test_metrics_tab(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        await deck.press("right_square_bracket", "tab", "v", "shift+tab", *["down"] * 6)
        grid = deck.screen.inspector.metric_grid
        await deck.until(lambda: deck.screen.inspector.border_title == "able-crow-307", "the inspector")
        await deck.until(lambda: grid.metrics and not grid.missing_outlines(), "histories")
        await check("metrics-120x40", deck)


async def test_help(taxi: Path) -> None:
    async with running_deck(taxi, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        await deck.until(lambda: deck.screen.inspector.border_title == "still-running", "the inspector")
        await deck.press("question_mark")
        await deck.until_shown("Esc close")
        await check("help-120x40", deck)


async def test_too_small(taxi: Path) -> None:
    async with running_deck(taxi, size=(40, 12)) as deck:
        await deck.until_shown("mldeck needs at least 60x16")
        await check("too-small-40x12", deck)
