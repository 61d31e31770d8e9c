"""Measures, and prints the table: what, the bar, the median, whether it is met."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmark.stores import LARGE, MEDIUM, large_store
from tests.terminal.terminal import DOWN, MLDECK, PAGE_DOWN, RIGHT, Chunk, Terminal, descendants, painted_rows

COLS, ROWS = 120, 40
A_RUN = re.compile(r"[✓✗■⟳◷] +[a-z]+-[a-z]+-\d+ ")
NOT_READ = re.compile(r"│ · +")
"""A row whose run is still being read."""
QUIET_S = 0.08
"""Shorter than the pause after which the deck reads the details of the run that the cursor stopped at."""

EMPTY_APP = """
from textual.app import App
from textual.widgets import Static

class EmptyApp(App):
    def compose(self):
        yield Static("ready")

EmptyApp().run()
"""

SAME_PIVOT = """
import sys
from sqlalchemy import column, create_engine, select, table

runs = table("runs", *map(column, ("run_uuid", "name", "status", "start_time", "end_time", "user_id", "artifact_uri",
                                   "experiment_id", "lifecycle_stage")))
with create_engine(f"sqlite:///{sys.argv[1]}").connect() as connection:
    newest = select(runs).where(runs.c.lifecycle_stage == "active").order_by(runs.c.start_time.desc(), runs.c.run_uuid)
    found = connection.execute(newest.limit(50)).all()
    values = {}
    for name in ("latest_metrics", "params", "tags"):
        each = table(name, column("key"), column("value"), column("run_uuid"))
        wanted = select(each).where(each.c.run_uuid.in_([run.run_uuid for run in found]))
        for row in connection.execute(wanted):
            values.setdefault(row.run_uuid, {})[name, row.key] = row.value
for run in found:
    print(*run, values[run.run_uuid])
"""


@dataclass(frozen=True)
class Result:
    what: str
    bar: str
    measured: str
    ok: bool


class Benchmark:
    def __init__(self, folder: Path, *, quick: bool) -> None:
        self._repeats = 3 if quick else 9
        self._keys = 5 if quick else 20
        self._idle_s = 3.0 if quick else 10.0
        self._folder = folder
        self._medium = large_store(MEDIUM)
        self._large = large_store(LARGE)

    def results(self) -> Iterator[Result]:
        yield from self._first_runs()
        yield from self._keyboard()
        yield self._sort(self._medium, "10,000", 0.15)
        yield from self._printing()

    # -- on a terminal

    def _first_runs(self) -> Iterator[Result]:
        empty_app = self._folder / "empty_app.py"
        empty_app.write_text(EMPTY_APP)
        commands = {
            "empty": ([sys.executable, str(empty_app)], lambda t: "ready" in t.text),
            "10,000": ([MLDECK, str(self._medium)], lambda t: A_RUN.search(t.text)),
            "100,000": ([MLDECK, str(self._large)], lambda t: A_RUN.search(t.text)),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(self._repeats + 1):
            for name, (argv, condition) in commands.items():
                with Terminal(argv, cols=COLS, rows=ROWS, emulate=False) as terminal:
                    seconds = _first_time(terminal, condition)
                if turn:  # the first one reads everything from the disk
                    times[name].append(seconds)
        frame = statistics.median(times["empty"])
        yield Result("first frame of an empty Textual app", "–", _ms(frame), True)
        for name, factor in (("10,000", 2.0), ("100,000", 2.5)):
            seconds = statistics.median(times[name])
            measured = f"{_ms(seconds)} = {seconds / frame:.2f} x"
            yield Result(f"first runs on screen, {name} runs", f"≤ {factor} x", measured, seconds <= factor * frame)

    def _keyboard(self) -> Iterator[Result]:
        """On the large store, in one sitting."""
        with self._opened(self._large) as terminal:
            memory = _memory_mb(terminal.process.pid)
            down = [self._burst(terminal, DOWN) for _ in range(self._keys)]
            for first in (True, False):
                seconds = [burst.first_s if first else burst.last_s for burst in down]
                yield _times(f"cursor down → {'first' if first else 'last'} byte, 100,000 runs", seconds, 0.030)
            rows = round(statistics.median(len(burst.rows) for burst in down))  # the last ones scroll the page
            yield Result("rows painted by it, without scrolling", "≤ 2", str(rows), rows <= 2)
            pages = [self._burst(terminal, PAGE_DOWN) for _ in range(self._keys)]
            assert not NOT_READ.search(terminal.text), terminal.frame()
            for first in (True, False):
                seconds = [burst.first_s if first else burst.last_s for burst in pages]
                yield _times(f"page down → {'first' if first else 'last'} byte, 100,000 runs", seconds, 0.050)
            terminal.settle(1.0)
            sent = len(terminal.bytes_sent_within(self._idle_s))
            yield Result(f"output while idle for {self._idle_s:.0f} s", "0 bytes", f"{sent} bytes", sent == 0)
            yield Result("memory, 100,000 runs open", "≤ 120 MB", f"{memory:.0f} MB", memory <= 120)
        yield self._sort(self._large, "100,000", 1.0)

    def _sort(self, store: Path, name: str, bar_s: float) -> Result:
        """By a metric, upwards and downwards; until the mark and the new first row are there."""
        seconds = []
        with self._opened(store) as terminal:
            terminal.send(RIGHT * 4)
            terminal.settle(0.5)
            _replay(terminal)
            for _ in range(max(2, self._repeats // 2)):
                for mark in ("▲", "▼", ""):
                    taken = self._sorted(terminal, mark)
                    if mark:
                        seconds.append(taken)
        return _times(f"sort {name} runs by a metric", seconds, bar_s)

    def _sorted(self, terminal: Terminal, mark: str) -> float:
        before = _first_row(terminal)
        terminal.chunks.clear()
        sent = terminal.send("s")

        def done() -> bool:
            header = next((line for line in terminal.lines if re.search(r" name +age", line)), "")
            marked = mark in header if mark else not re.search("[▲▼]", header)
            return marked and _first_row(terminal) != before and not NOT_READ.search(terminal.text)

        at: float | None = None
        deadline = time.monotonic() + 30
        while at is None and time.monotonic() < deadline:
            if terminal.read(0.2):
                # What comes together is drawn together: drawing takes a while, and must not delay reading.
                while terminal.read(QUIET_S):
                    pass
                at = _replay(terminal, done)
        assert at is not None, terminal.frame()
        terminal.settle(0.4)
        _replay(terminal)
        return at - sent

    def _opened(self, store: Path) -> Terminal:
        terminal = Terminal([MLDECK, str(store)], cols=COLS, rows=ROWS, emulate=False)
        try:
            terminal.settle(1.5)
            _replay(terminal)
            assert A_RUN.search(terminal.text), terminal.frame()
        except BaseException:
            terminal.close()
            raise
        return terminal

    def _burst(self, terminal: Terminal, key: str) -> Burst:
        terminal.chunks.clear()
        sent = terminal.send(key)
        terminal.read(5.0)
        while terminal.read(QUIET_S):
            pass
        burst = Burst.of(sent, terminal.chunks, terminal.lines)
        terminal.settle(0.3)
        _replay(terminal)
        return burst

    # -- printing

    def _printing(self) -> Iterator[Result]:
        script = self._folder / "same_pivot.py"
        script.write_text(SAME_PIVOT)
        runs = ["runs", "-s", str(self._medium), "--limit", "50"]
        times = self._interleaved(
            {
                "pass": [sys.executable, "-c", "pass"],
                "--help": [MLDECK, "--help"],
                "--version": [MLDECK, "--version"],
                "pivot": [sys.executable, str(script), str(self._medium)],
                "runs": [MLDECK, *runs],
                "json": [MLDECK, *runs, "--format", "json"],
            }
        )
        yield Result("a script that reads the same pivot with SQLAlchemy Core", "–", _ms(times["pivot"]), True)
        for name, what in (("runs", "mldeck runs --limit 50, 10,000 runs"), ("json", "the same as JSON")):
            ratio = times[name] / times["pivot"]
            yield Result(what, "≤ 1.5 x", f"{_ms(times[name])} = {ratio:.2f} x", ratio <= 1.5)
        yield Result("python -c pass", "–", _ms(times["pass"]), True)
        for name in ("--help", "--version"):
            ratio = times[name] / times["pass"]
            yield Result(f"mldeck {name}", "≤ 3 x", f"{_ms(times[name])} = {ratio:.2f} x", ratio <= 3)

    def _interleaved(self, commands: dict[str, list[str]]) -> dict[str, float]:
        """Median wall time of each, in turns, so that a busy moment hits all of them."""
        times: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(self._repeats + 1):
            for name, argv in commands.items():
                started = time.monotonic()
                subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
                if turn:
                    times[name].append(time.monotonic() - started)
        return {name: statistics.median(each) for name, each in times.items()}


@dataclass(frozen=True)
class Burst:
    """What came of one key."""

    first_s: float
    last_s: float
    rows: frozenset[int]
    """Of the run table, that were painted."""

    @staticmethod
    def of(sent: float, chunks: Sequence[Chunk], lines: Sequence[str]) -> Burst:
        left = next(line.index("││") for line in lines if "││" in line)
        sent_bytes = b"".join(chunk.data for chunk in chunks)
        painted = painted_rows(sent_bytes, range(left + 1, COLS - 20), range(2, ROWS))
        return Burst(chunks[0].time - sent, chunks[-1].time - sent, frozenset(painted))


def _first_time(terminal: Terminal, condition: Callable[[Terminal], object]) -> float:
    """Seconds from the start until the condition held. Everything is drawn only afterwards: drawing takes processor time."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        while terminal.read(0.7 if terminal.chunks else 10):
            pass
        at = _replay(terminal, lambda: condition(terminal))
        if at is not None:
            return at - terminal.started
    raise AssertionError(terminal.frame())


def _replay(terminal: Terminal, condition: Callable[[], object] = lambda: False) -> float | None:
    """Draws what has arrived; the time of the chunk with which the condition came true."""
    found = None
    for chunk in terminal.chunks:
        terminal.feed(chunk.data)
        if found is None and condition():
            found = chunk.time
    terminal.chunks.clear()
    return found


def _first_row(terminal: Terminal) -> str:
    return next((line.partition("││")[2][:40] for line in terminal.lines if A_RUN.search(line)), "")


def _memory_mb(pid: int) -> float:
    """Resident memory of a process and those below it."""
    total = 0
    for each in (pid, *descendants(pid)):
        status = Path(f"/proc/{each}/status").read_text()
        total += int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
    return total / 1024


def _times(what: str, seconds: Sequence[float], bar_s: float) -> Result:
    median = statistics.median(seconds)
    worst = f" (worst {_ms(max(seconds))})" if len(seconds) > 1 else ""
    return Result(what, f"≤ {_ms(bar_s)}", f"{_ms(median)}{worst}", median <= bar_s)


def _ms(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


def _print_table(results: Sequence[Result]) -> None:
    rows = [("what", "bar", "measured (median)", "")]
    rows += [
        (each.what, each.bar, each.measured, "" if each.bar == "–" else "ok" if each.ok else "short")
        for each in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for number, row in enumerate(rows):
        print("| " + " | ".join(f"{text:<{width}}" for text, width in zip(row, (*widths, 5), strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in (*widths, 5)) + "|")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, for a first look")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mldeck-benchmark-"))
    for kind in ("CONFIG", "STATE", "CACHE", "DATA"):
        os.environ[f"XDG_{kind}_HOME"] = str(folder)
    for name in [each for each in os.environ if each.startswith(("MLFLOW_", "MLDECK_", "TEXTUAL", "NO_COLOR"))]:
        del os.environ[name]
    try:
        _print_table(list(Benchmark(folder, quick=options.quick).results()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
