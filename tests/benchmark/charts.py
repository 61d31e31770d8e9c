"""Long histories: read and drawn, overlaid, moved through, and what they take."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tests.benchmark.results import Result, Setting, ratio, times
from tests.benchmark.sitting import Burst, burst, draw, memory_mb, opened, press
from tests.benchmark.stores import DEEP_RUNS, DEEP_STEPS, SHORT_STEPS, make_deep_store
from tests.terminal.terminal import DOWN, ESC, LEFT, RIGHT, Terminal

CTRL_A = "\x01"
TABLE = f"{DEEP_RUNS} runs "
TO_SHORT, TO_DEEP = RIGHT * 10, RIGHT * 10 + LEFT
"""From the first column of the run table to the last one, or to the one before."""


def results(setting: Setting) -> Iterator[Result]:
    db = setting.new_folder("deep") / "mlflow.db"
    run_ids = make_deep_store(db)
    yield from _reading(setting, db, run_ids)
    yield from _overlaid(setting, db)
    yield _memory(db)


def _reading(setting: Setting, db: Path, run_ids: Sequence[str]) -> Iterator[Result]:
    """Each run once, from the newest on, in turns with the bare reading of the same rows."""
    index = min(_indexes(db), key=lambda each: _bare_read(db, each, run_ids[0]))
    bare, seconds = [], []
    with opened(db, TABLE) as terminal:
        _go(terminal, TO_DEEP)
        for run_id in list(reversed(run_ids))[: setting.repeats]:
            bare.append(_bare_read(db, index, run_id))
            seconds.append(press(terminal, "m", f"step {DEEP_STEPS - 1:,} "))
            press(terminal, ESC, TABLE)
            _go(terminal, DOWN)
    yield times(f"bare sqlite3 reads one metric of {DEEP_STEPS:,} steps, quickest index", bare, None)
    yield ratio("the same: m → chart complete", seconds, statistics.median(bare), 2)


def _indexes(db: Path) -> list[str]:
    """Those that one run's metric can be found by."""
    with closing(sqlite3.connect(db)) as connection:
        return [row[1] for row in connection.execute("PRAGMA index_list(metrics)")]


def _bare_read(db: Path, index: str, run_id: str) -> float:
    with closing(sqlite3.connect(db)) as connection:
        started = time.monotonic()
        rows = connection.execute(
            f"SELECT step, timestamp, value, is_nan FROM metrics INDEXED BY {index} WHERE run_uuid = ? AND key = 'deep'",
            (run_id,),
        ).fetchall()
        taken = time.monotonic() - started
    assert len(rows) == DEEP_STEPS
    return taken


def _overlaid(setting: Setting, db: Path) -> Iterator[Result]:
    with opened(db, TABLE) as terminal:
        _go(terminal, TO_SHORT)
        _open_all(terminal, SHORT_STEPS)
        overlaid = f"{DEEP_RUNS} runs x {SHORT_STEPS:,} steps"
        zooms = _bursts(terminal, ("+", "-"), setting.keys)
        yield times(f"{overlaid}: zoom → painted", [each.last_s for each in zooms], 0.150)
        toggles = _bursts(terminal, (" ", " "), setting.keys)
        yield times(f"{overlaid}: hide or show a run → painted", [each.last_s for each in toggles], 0.150)
        burst(terminal, RIGHT)
        moves = _bursts(terminal, (RIGHT, LEFT), setting.keys)
        yield times(f"{overlaid}: crosshair → painted", [each.last_s for each in moves], 0.030)
        sent, whole = (round(statistics.median(len(each.data) for each in some)) for some in (moves, zooms))
        yield Result(
            "bytes for it, without drawing the plot again", "< ½ zoom", f"{sent:,} of {whole:,}", 2 * sent < whole
        )


def _bursts(terminal: Terminal, keys: Sequence[str], count: int) -> list[Burst]:
    """By turns, so that the picture stays the same."""
    return [burst(terminal, key) for _ in range((count + 1) // 2) for key in keys]


def _memory(db: Path) -> Result:
    with opened(db, TABLE) as terminal:
        _go(terminal, TO_DEEP)
        _open_all(terminal, DEEP_STEPS)
        memory = memory_mb(terminal)
    return Result(f"memory, {DEEP_RUNS} x {DEEP_STEPS:,} points open", "≤ 200 MB", f"{memory:.0f} MB", memory <= 200)


def _open_all(terminal: Terminal, steps: int) -> None:
    """The chart of all runs. While it reads, there is a count where the axis is named then."""
    press(terminal, CTRL_A, f"{DEEP_RUNS} marked")
    press(terminal, "m", f"step {steps - 1:,} ")
    terminal.settle(2.0, timeout=60)
    draw(terminal)
    assert "Esc stops" not in terminal.text, terminal.frame()


def _go(terminal: Terminal, keys: str) -> None:
    terminal.send(keys)
    terminal.settle(0.5)
    draw(terminal)
