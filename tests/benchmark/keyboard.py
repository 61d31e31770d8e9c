"""Moving and sorting in a table of very many runs, and what the deck takes while nobody touches it."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator
from pathlib import Path

from tests.benchmark.results import Result, Setting, times
from tests.benchmark.sitting import A_RUN, COLS, ROWS, burst, draw, memory_mb, opened, time_to
from tests.benchmark.stores import LARGE, MEDIUM, large_store
from tests.terminal.terminal import DOWN, PAGE_DOWN, RIGHT, Terminal, painted_rows

NOT_READ = re.compile(r"│ · +")
"""A row whose run is still being read."""


def results(setting: Setting) -> Iterator[Result]:
    large = large_store(LARGE)
    yield from _moving(setting, large)
    yield _sort(setting, large, "100,000", 1.0)
    yield _sort(setting, large_store(MEDIUM), "10,000", 0.15)


def _moving(setting: Setting, store: Path) -> Iterator[Result]:
    """In one sitting."""
    with opened(store) as terminal:
        memory = memory_mb(terminal)
        down = [burst(terminal, DOWN) for _ in range(setting.keys)]
        for first in (True, False):
            seconds = [each.first_s if first else each.last_s for each in down]
            yield times(f"cursor down → {'first' if first else 'last'} byte, 100,000 runs", seconds, 0.030)
        left = next(line.index("││") for line in terminal.lines if "││" in line)
        painted = [set(painted_rows(each.data, range(left + 1, COLS - 20), range(2, ROWS))) for each in down]
        rows = round(statistics.median(map(len, painted)))  # the last ones scroll the page
        yield Result("rows painted by it, without scrolling", "≤ 2", str(rows), rows <= 2)
        pages = [burst(terminal, PAGE_DOWN) for _ in range(setting.keys)]
        assert not NOT_READ.search(terminal.text), terminal.frame()
        for first in (True, False):
            seconds = [each.first_s if first else each.last_s for each in pages]
            yield times(f"page down → {'first' if first else 'last'} byte, 100,000 runs", seconds, 0.050)
        terminal.settle(1.0)
        idle_s = 3.0 if setting.is_quick else 10.0
        sent = len(terminal.bytes_sent_within(idle_s))
        yield Result(f"output while idle for {idle_s:.0f} s", "0 bytes", f"{sent} bytes", sent == 0)
        yield Result("memory, 100,000 runs open", "≤ 120 MB", f"{memory:.0f} MB", memory <= 120)


def _sort(setting: Setting, store: Path, name: str, bar_s: float) -> Result:
    """By a metric, upwards and downwards; until the mark and the new first row are there."""
    seconds = []
    with opened(store) as terminal:
        terminal.send(RIGHT * 2)  # the first metric
        terminal.settle(0.5)
        draw(terminal)
        for _ in range(max(2, setting.repeats // 2)):
            for mark in ("▲", "▼", ""):
                taken = _sorted(terminal, mark)
                if mark:
                    seconds.append(taken)
    return times(f"sort {name} runs by a metric", seconds, bar_s)


def _sorted(terminal: Terminal, mark: str) -> float:
    before = _first_row(terminal)

    def done() -> bool:
        header = next((line for line in terminal.lines if re.search(r" name .* age ", line)), "")
        marked = mark in header if mark else not re.search("[▲▼]", header)
        return marked and _first_row(terminal) != before and not NOT_READ.search(terminal.text)

    return time_to(terminal, "s", done)


def _first_row(terminal: Terminal) -> str:
    return next((line.partition("││")[2][:40] for line in terminal.lines if A_RUN.search(line)), "")
