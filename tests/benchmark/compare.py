"""Three hundred runs side by side: views of the place Compare, each as it comes up for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.benchmark.results import Result, Setting, times
from tests.benchmark.sitting import draw, opened, press, shows, time_to
from tests.benchmark.stores import make_compared_store
from tests.terminal.terminal import Terminal

CTRL_A = "\x01"
DOTS = re.compile("[\u2801-\u28ff]")


def results(setting: Setting) -> Iterator[Result]:
    db = setting.new_folder("compared") / "mlflow.db"
    count = make_compared_store(db)
    tables, parallels = zip(*(_sitting(db, count) for _ in range(setting.repeats)), strict=True)
    yield times(f"compare {count} runs x 30 params: = → table", tables, 0.5)
    yield times("the same: key → parallel coordinates", parallels, 1.0)
    yield times("the same: key → the curves of all runs", [_curves(db, count)], None)


def _sitting(db: Path, count: int) -> tuple[float, float]:
    """Until the table is there, and until the parallel coordinates are."""
    with opened(db, f"{count} runs ") as terminal:
        press(terminal, CTRL_A, f"{count} marked")
        table = time_to(terminal, "=", lambda: _is_table(terminal, count))
        press(terminal, "{" * 3, f"Scatter of {count} runs")
        parallel = time_to(terminal, "{", lambda: _is_parallel(terminal, count))
    return table, parallel


def _curves(db: Path, count: int) -> float:
    """Until nothing more comes: each curve is drawn as soon as it has been read."""
    with opened(db, f"{count} runs ") as terminal:
        press(terminal, CTRL_A, f"{count} marked")
        press(terminal, "=", f"Table of {count} runs")
        terminal.chunks.clear()
        sent = terminal.send("}")
        terminal.settle(2.0, timeout=120)
        taken = terminal.chunks[-1].time - sent
        draw(terminal)
        assert not shows(terminal, "Esc stops"), terminal.frame()
    return taken


def _is_table(terminal: Terminal, count: int) -> bool:
    """Down to its last line."""
    return shows(terminal, f"Table of {count} runs") and terminal.text.count("\n│cfg.") >= 10


def _is_parallel(terminal: Terminal, count: int) -> bool:
    return shows(terminal, f"Parallel of {count} runs") and sum(map(bool, map(DOTS.search, terminal.lines))) >= 30
