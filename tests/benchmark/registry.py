"""The place Models: how soon it is there, a promotion by keyboard, and many promotions at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from tests.benchmark.results import Result, Setting, times
from tests.benchmark.sitting import opened, press, shows, time_to
from tests.benchmark.stores import MODELS, VERSIONS, make_registry_store, model_name
from tests.terminal.terminal import DOWN, ENTER, LEFT, Terminal

LOOKED_S = 2
"""As long as somebody looks at the runs at least."""
TOGETHER = Path(__file__).parents[1] / "interop" / "test_registry_together.py"


def results(setting: Setting) -> Iterator[Result]:
    db = setting.new_folder("registry") / "mlflow.db"
    make_registry_store(db)
    yield from _places(setting, db)
    yield _promotions(setting, db)
    yield from _together(setting)


def _places(setting: Setting, db: Path) -> Iterator[Result]:
    """The first visit makes the place; later ones, and the next board, are what one waits for all day."""
    first, again, boards = [], [], []
    for _ in range(setting.repeats):
        with opened(db) as terminal:
            time.sleep(LOOKED_S)
            first.append(time_to(terminal, "2", lambda: _is_listed(terminal)))
            press(terminal, "1", "Runs of ")
            again.append(time_to(terminal, "2", lambda: _is_listed(terminal)))
            for number in range(1, 4):
                boards.append(time_to(terminal, DOWN, partial(_is_board, terminal, number)))
    models = f"{MODELS} models x {VERSIONS} versions"
    yield times(f"{models}: 2 → list and board, first visit, {LOOKED_S} s after opening", first, 0.2)
    yield times(f"{models}: 2 → list and board, again", again, 0.2)
    yield times(f"{models}: down → board of the next model", boards, 0.2)


def _is_listed(terminal: Terminal) -> bool:
    return shows(terminal, f"{MODELS} models") and shows(terminal, model_name(18)) and _is_board(terminal, 0)


def _is_board(terminal: Terminal, number: int) -> bool:
    """Its title at the top, and its last line."""
    return shows(terminal, f"╭─ {model_name(number)} · ") and shows(terminal, f"{VERSIONS} versions")


def _promotions(setting: Setting, db: Path) -> Result:
    """To Production and back to Staging: Enter in the review → committed, and the card in its new column."""
    seconds = []
    with opened(db) as terminal:
        time_to(terminal, "2", lambda: _is_listed(terminal))
        press(terminal, ENTER, f"{model_name(0)} {VERSIONS - 1} · Production")
        press(terminal, LEFT, f"{model_name(0)} {VERSIONS} · Staging")
        for number in range(setting.keys):
            key, stage = (("p", "Production"), ("s", "Staging"))[number % 2]
            press(terminal, key, f"{model_name(0)} {VERSIONS} → {stage}")
            seconds.append(time_to(terminal, ENTER, partial(_stands_in, terminal, stage)))
            assert _stage_of(db) == stage
    return times("promotion: Enter → committed and repainted", seconds, 0.1)


def _stands_in(terminal: Terminal, stage: str) -> bool:
    """Whether the card under the cursor is the first of that column, and no review hides it."""
    heads = next((row for row, line in enumerate(terminal.lines) if " Archived " in line and " None " in line), None)
    if heads is None or shows(terminal, f"→ {stage} ─"):
        return False
    column = terminal.lines[heads].find(f" {stage} ") + 1
    return terminal.lines[heads + 1][column:].startswith(f"┏━ {VERSIONS} ")


def _stage_of(db: Path) -> str:
    with closing(sqlite3.connect(db)) as connection:
        found = connection.execute(
            "SELECT current_stage FROM model_versions WHERE name = ? AND version = ?", (model_name(0), VERSIONS)
        )
        return str(found.fetchone()[0])


def _together(setting: Setting) -> Iterator[Result]:
    """The tests of several who write, with as many of them as was promised."""
    processes, each, kills = (4, 10, 20) if setting.is_quick else (4, 50, 200)
    counts = {"TEST_PROMOTERS": str(processes), "TEST_PROMOTIONS": str(each), "TEST_KILLS": str(kills)}
    promotions = f"{processes * each} promotions by {processes} processes, MLflow promotes and logs meanwhile"
    for what, test in ((promotions, "promotions"), (f"killed {kills} times while promoting", "killed")):
        started = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "-n0", "-k", test, str(TOGETHER)]
        answer = subprocess.run(
            command, env=os.environ | counts, cwd=TOGETHER.parents[2], capture_output=True, text=True, check=False
        )
        summary = answer.stdout.strip().rpartition("\n")[2]
        is_met = answer.returncode == 0 and "skipped" not in summary
        yield Result(what, "all whole", f"{summary} ({time.monotonic() - started:.0f} s)", is_met)
