"""The review, registering and the history as a person sees them: the dialog alone, without what is behind it.

`MLDECK_UPDATE_FRAMES=1` writes them anew, as with the other frames.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from mldeck.ui.models.history_dialog import HistoryGrid
from mldeck.ui.models.review_dialog import ReviewGrid
from mldeck.ui.register.dialog import RegisterDialog
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.models.models_deck import models_deck, rows
from tests.ui.test_frames import NOW_S, _same_time_everywhere, check, taxi

__all__ = ["_same_time_everywhere", "taxi"]  # fixtures

MODEL = "nyc-taxi-regressor"
NOW_MS = int(NOW_S * 1000)
HOUR_MS = 3_600_000
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")


def dialog(deck: Deck) -> str:
    region = deck.app.screen.query_one(".dialog").region
    lines = deck.frame.splitlines()[region.y : region.bottom]
    return "\n".join(line[region.x : region.right] for line in lines)


@pytest.fixture
def past(taxi: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry that some people have worked with: 1 was in Production before 2, and 3 went to Staging."""
    made = (
        (1, 30, "None", "Production", "ada", "the first one", ()),
        (2, 5, "None", "Production", "grace", "half the error in the afternoon, agreed with operations", (1,)),
        (3, 1, "None", "Staging", "ada", "", ()),
    )
    rows(taxi, "DELETE FROM model_version_tags WHERE key LIKE 'mldeck.%'")
    for version, hours, before, after, who, reason, archived in made:
        when = NOW_MS - hours * HOUR_MS
        moment = datetime.fromtimestamp(when / 1000, timezone.utc).isoformat()
        record = {"from": before, "to": after, "who": who, "host": "lab", "when": moment, "reason": reason}
        rows(
            taxi,
            "INSERT INTO model_version_tags (name, version, key, value) VALUES (?, ?, ?, ?)",
            *(MODEL, version, f"mldeck.transition.{when}", json.dumps(record | {"archived": archived})),
        )
        rows(
            taxi,
            "UPDATE model_versions SET creation_time = ?, last_updated_time = ? WHERE name = ? AND version = ?",
            *(when - HOUR_MS, when, MODEL, version),
        )
    return taxi


@SIZES
async def test_review(past: Path, size: tuple[int, int]) -> None:
    async with models_deck(past, 3, model=MODEL, size=size) as deck:
        await deck.press("p")
        await deck.until_shown("In Production: version 2 for 5h, moved by grace")
        grid = deck.app.screen.query_one(ReviewGrid)
        await deck.until(lambda: any(row.name == "files" and row.then == "✓" for row in grid.rows), "the files")
        await deck.until(lambda: all(row.then != "…" for row in grid.rows), "what is in the files")
        await deck.press("ctrl+b", "l")
        await deck.until_shown("better  ")
        await deck.until(lambda: grid.size.height > 5, "it has found its place")
        await check(f"review-{size[0]}x{size[1]}", deck, dialog)


@SIZES
async def test_history(past: Path, size: tuple[int, int]) -> None:
    async with models_deck(past, 3, model=MODEL, size=size) as deck:
        await deck.press("H")
        await deck.until_shown("History of")
        await deck.press("down", "down")
        await deck.until(lambda: deck.app.screen.query_one(HistoryGrid).size.height > 5, "it has found its place")
        await deck.until_shown("by grace on lab")
        await check(f"history-{size[0]}x{size[1]}", deck, dialog)


@SIZES
async def test_register(store_copy: Callable[[str], FixtureStore], size: tuple[int, int]) -> None:
    store = store_copy("mlflow-3.17.2")
    run_id = rows(store.db, "SELECT source_run_id FROM logged_models WHERE name = 'classifier-b'")[0][0]
    async with running_deck(store.db, experiment="churn-baseline", size=size) as deck:
        await deck.until_counted(12)
        deck.screen.register_models(run_id, None)
        await deck.until(lambda: isinstance(deck.app.screen, RegisterDialog), "the dialog")
        await deck.press("shift+tab", "down", "tab", "c", "h", "down", "tab", "g", "o", "o", "d")
        await deck.until_shown("the next version of churn-model")
        await check(f"register-{size[0]}x{size[1]}", deck, dialog)
