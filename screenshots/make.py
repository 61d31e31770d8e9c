"""Makes the pictures in this folder from the application itself: `python screenshots/make.py`."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mldeck.demo.project import make_demo
from tests.ui.deck import Deck, running_deck

FOLDER = Path(__file__).parent


def save(deck: Deck, name: str) -> None:
    (FOLDER / f"{name}.svg").write_text(deck.app.export_screenshot(title="mldeck"), encoding="utf-8")


async def runs(path: Path) -> None:
    async with running_deck(path, experiment="churn-forecast", size=(120, 36)) as deck:
        await deck.until_counted(59)
        await deck.press(*["right"] * 4, "s", "s")
        await deck.until_shown("sorted by val/auc ▼")
        await deck.press("space", "space", "right_square_bracket")
        grid = deck.screen.inspector.metric_grid
        await deck.until_shown("2 marked")
        await deck.until(lambda: grid.metrics and not grid.missing_outlines(), "histories")
        save(deck, "runs")


async def note(path: Path) -> None:
    async with running_deck(path, experiment="churn-forecast", size=(160, 44), theme="mldeck-light") as deck:
        await deck.until_counted(59)
        await deck.press("slash", *"sweep-boosted", "enter")
        await deck.until_shown("Random search over")
        save(deck, "wide-light")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(make_demo(Path(folder) / "demo").parent)
        asyncio.run(runs(Path("mlflow.db")))
        asyncio.run(note(Path("mlflow.db")))


if __name__ == "__main__":
    main()
