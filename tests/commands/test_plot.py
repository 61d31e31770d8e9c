"""`mldeck plot`: the picture of the deck, for a terminal or a pipe."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import pty
import re
import sqlite3
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore

Ask = Callable[..., tuple[int, str, str]]
METRIC = "validation-rmse"


@pytest.fixture
def ask(ask: Ask) -> Ask:
    """Runs `mldeck plot`."""
    return partial(ask, "plot")


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


def test_a_curve_is_drawn_with_its_name_and_fills_the_size(ask: Ask, taxi: Path) -> None:
    status, out, err = ask("-s", taxi, "able-crow-307", "-m", METRIC, "--width", "60", "--height", "14")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert len(lines) == 14
    assert max(map(len, lines)) <= 60
    assert METRIC in lines[0]
    assert "able-crow-307" in lines[-1]
    assert re.search("[\u2801-\u28ff]", out)
    assert "\x1b" not in out


def test_several_runs_have_a_legend_in_the_order_given(ask: Ask, taxi: Path) -> None:
    _, out, _ = ask("-s", taxi, "candidate-2", "able-crow-307", "-m", METRIC)
    legend = out.splitlines()[-2:]
    assert "candidate-2" in legend[0]
    assert "able-crow-307" in legend[1]


def plotted(ask: Ask, taxi: Path, *options: str) -> list[str]:
    """The lines of the picture of one curve: title, ten rows, axis, its labels, legend."""
    status, out, err = ask("-s", taxi, "able-crow-307", "-m", METRIC, "--width", "60", "--height", "14", *options)
    assert (status, err) == (0, "")
    return out.splitlines()


def inked(lines: list[str]) -> set[tuple[int, int]]:
    """Line and column of each character that a curve goes through."""
    return {(y, x) for y, line in enumerate(lines) for x, each in enumerate(line) if "\u2801" <= each <= "\u28ff"}


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ([], r"0 +10 +20 +30 +40 +50"),
        (["--x", "time"], r"0s +2s +4s +6s +8s +10s"),
        (["--x", "wall"], r"\d\d:\d\d:20 +\d\d:\d\d:25 +\d\d:\d\d:30"),
    ],
    ids=" ".join,
)
def test_the_axis_is_of_steps_or_times(ask: Ask, taxi: Path, options: list[str], labels: str) -> None:
    assert re.fullmatch(labels, plotted(ask, taxi, *options)[-2].strip())


def test_a_logarithmic_axis_spreads_small_values(ask: Ask, taxi: Path) -> None:
    plain, logarithmic = plotted(ask, taxi), plotted(ask, taxi, "--log")
    assert logarithmic[0].endswith(" log")
    ticks = [[y for y, line in enumerate(lines) if line[1] == "┤"] for lines in (plain, logarithmic)]
    assert ticks == [[1, 4, 8], [1, 4, 7]], "6, 5 and 4: the last one is higher up"


def test_smoothing_adds_a_line_that_lags_behind(ask: Ask, taxi: Path) -> None:
    plain, smoothed = plotted(ask, taxi), plotted(ask, taxi, "--smooth", "0.9")
    assert inked(plain) < inked(smoothed), "the line as it was logged stays"
    lowest = {x: y for y, x in sorted(inked(plain))}
    above = [lowest[x] - y for y, x in inked(smoothed) - inked(plain)]
    assert min(above) >= 0, "the curve falls, and the smoothed one more slowly"
    assert max(above) >= 2
    assert plain[-1] == smoothed[-1]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nobody", "-m", METRIC], "no run nobody"),
        (["able-crow-307", "-m", "nothing"], "no metric nothing; there are "),
        (["able-crow-307", "-m", METRIC, "--smooth", "1"], "a number from 0 to 0.999"),
        (["able-crow-307", "-m", METRIC, "--smooth", "nan"], "a number from 0 to 0.999"),
        (["able-crow-307", "-m", METRIC, "--width", "0"], "a number of characters"),
        (["able-crow-307"], "--metric"),
        (["-m", METRIC], "RUN"),
    ],
)
def test_what_is_wrong_is_said_with_the_way_out(ask: Ask, taxi: Path, words: list[str], complaint: str) -> None:
    status, out, err = ask("-s", taxi, *words)
    assert (status, out) == (2, "")
    assert complaint in err


def test_names_cannot_act_on_the_terminal(ask: Ask, store_copy: Callable[[str], FixtureStore]) -> None:
    fixture = store_copy("mlflow-3.17.2")
    run_id = fixture.run("diverged")
    with closing(sqlite3.connect(fixture.db)) as connection, connection:
        connection.execute("UPDATE runs SET name = ? WHERE run_uuid = ?", ("\x1b]0;owned\x07[/x]", run_id))
        key = connection.execute("SELECT key FROM metrics WHERE run_uuid = ?", (run_id,)).fetchone()[0]
    status, out, _ = ask("-s", fixture.db, run_id, "-m", key)
    assert status == 0
    assert "owned" in out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_a_terminal_gets_colours_and_its_own_size(taxi: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
    command = [sys.executable, "-m", "mldeck", "plot", "-s", str(taxi), "able-crow-307", "-m", METRIC]
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")}
    done = subprocess.Popen(command, stdout=theirs, env=environment | {"TERM": "xterm-256color", "COLORTERM": ""})
    os.close(theirs)
    answer = b""
    try:
        while part := os.read(ours, 65536):
            answer += part
    except OSError:
        pass  # the other end is closed: how Linux says that this was all
    os.close(ours)
    assert done.wait(60) == 0
    assert b"\x1b[38;5;" in answer
    assert len(answer.decode().splitlines()) == 19


def test_no_color_is_honoured(taxi: Path) -> None:
    command = [sys.executable, "-m", "mldeck", "plot", "-s", str(taxi), "able-crow-307", "-m", METRIC]
    done = subprocess.run(command, env=os.environ | {"NO_COLOR": "1"}, capture_output=True, check=True)
    assert b"\x1b" not in done.stdout


def test_every_point_as_csv(ask: Ask, taxi: Path) -> None:
    with closing(sqlite3.connect(taxi)) as connection:
        wanted = "SELECT run_uuid, step, timestamp, value FROM metrics WHERE key = ? ORDER BY run_uuid DESC, step"
        logged = connection.execute(wanted, (METRIC,)).fetchall()
    runs = list(dict.fromkeys(run_id for run_id, *_ in logged))
    assert len(runs) > 1
    status, out, err = ask("-s", taxi, *runs, "-m", METRIC, "--format", "csv")
    assert (status, err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(out)))
    found = [(row["run_id"], int(row["step"]), int(row["timestamp"]), float(row["value"])) for row in rows]
    assert found == logged
    assert ask("-s", taxi, runs[0], "-m", "no-such", "--format", "csv")[0] == 2
