"""What is loaded while nobody waits, in an interpreter that has loaded nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fixture_stores import FixtureStore

_VISIT = """
import asyncio, sys
from pathlib import Path
from mldeck.ui.loading_ahead import load_ahead
from tests.ui.deck import running_deck

async def visit(db):
    async with running_deck(db) as deck:
        await deck.until(lambda: deck.app.session.is_open and deck.screen.table.row_count, "the runs")
        load_ahead()
        loaded = set(sys.modules)
        await deck.press("2")
        await deck.until(lambda: deck.app.screen.NAME == "models" and deck.app.screen.versions, "the versions")
        print(*(name for name in set(sys.modules) - loaded if name.startswith("mldeck.")))

asyncio.run(visit(Path(sys.argv[1])))
"""


def test_the_first_visit_to_the_models_loads_nothing(store_copy: Callable[[str], FixtureStore]) -> None:
    command = [sys.executable, "-c", _VISIT, str(store_copy("mlflow-3.17.2").db)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
