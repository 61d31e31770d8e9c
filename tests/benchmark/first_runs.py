"""From the command to the first runs on the screen, against an empty Textual app."""

from __future__ import annotations

import re
import statistics
import sys
from collections.abc import Iterator
from functools import partial

from tests.benchmark.results import Result, Setting, ms
from tests.benchmark.sitting import A_RUN, COLS, ROWS, moment, shows
from tests.benchmark.stores import LARGE, MEDIUM, large_store
from tests.terminal.terminal import MLDECK, Terminal

EMPTY_APP = """
from textual.app import App
from textual.widgets import Static

class EmptyApp(App):
    def compose(self):
        yield Static("ready")

EmptyApp().run()
"""


def results(setting: Setting) -> Iterator[Result]:
    empty_app = setting.folder / "empty_app.py"
    empty_app.write_text(EMPTY_APP)
    commands: dict[str, tuple[list[str], str | re.Pattern[str]]] = {
        "empty": ([sys.executable, str(empty_app)], "ready"),
        "10,000": ([MLDECK, str(large_store(MEDIUM))], A_RUN),
        "100,000": ([MLDECK, str(large_store(LARGE))], A_RUN),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(setting.repeats + 1):
        for name, (argv, wanted) in commands.items():
            with Terminal(argv, cols=COLS, rows=ROWS, emulate=False) as terminal:
                terminal.read(10.0)
                seconds = moment(terminal, partial(shows, terminal, wanted)) - terminal.started
            if turn:  # the first one reads everything from the disk
                times[name].append(seconds)
    frame = statistics.median(times["empty"])
    yield Result("first frame of an empty Textual app", "–", ms(frame))
    for name, factor in (("10,000", 2.0), ("100,000", 2.5)):
        seconds = statistics.median(times[name])
        measured = f"{ms(seconds)} = {seconds / frame:.2f} x"
        yield Result(f"first runs on screen, {name} runs", f"≤ {factor} x", measured, seconds <= factor * frame)
