"""A store on another machine over ssh, at several distances: a real sshd behind a link that delays."""

from __future__ import annotations

import os
import shlex
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial

from mldeck.store.ssh.command import SSH_VARIABLE
from tests.benchmark.results import Result, Setting, ms, ratio, times
from tests.benchmark.sitting import A_RUN, COLS, ROWS, burst, draw, moment, shows
from tests.benchmark.stores import MEDIUM, large_store
from tests.link import Link, running
from tests.sshd import running_sshd
from tests.terminal.terminal import MLDECK, Terminal

_ROUND_TRIPS_S = (0.0, 0.05, 0.15)
_HELLO_BAR_S = 0.15
_HELLO = (
    "import sys; from mldeck.store.address import read_address; from mldeck.store.connect import start_line, check_database\n"
    "address = read_address(sys.argv[1]); start_line(address); check_database(address); print('hello', flush=True)"
)
_IDLE_S = 30.0
_KEEPALIVE_BYTES = 2 * 2 * 52
"""Two questions of ssh whether the other side is there, and their answers."""
_CHANGE_BAR_S = 0.6
_EXPERIMENT = "vision-baselines"
"""The experiment of the store."""


def results(setting: Setting) -> Iterator[Result]:
    db = large_store(MEDIUM)
    with running_sshd(setting.new_folder("sshd")) as sshd, running(Link(sshd.port)) as link:
        client = sshd.client(setting.new_folder("client"), link.port)
        os.environ[SSH_VARIABLE] = client
        near = [MLDECK, f"ssh://far{db}?python={sys.executable}"]
        far = [*shlex.split(client), "-t", "far", "env", "TERM=xterm-256color", "COLORTERM=truecolor", MLDECK, str(db)]
        for round_trip_s in _ROUND_TRIPS_S:
            link.round_trip_s = round_trip_s
            at = f"at {1000 * round_trip_s:.0f} ms"
            runs: dict[str, list[float]] = {"true": [], "hello": [], "near": [], "far": []}
            for turn in range(setting.repeats + 1):
                seconds = {
                    "true": _seconds([*shlex.split(client), "far", "true"]),
                    "hello": _seconds_to_line([sys.executable, "-c", _HELLO, near[1]]),
                    "near": _first_runs(near),
                    "far": _first_runs(far),
                }
                if turn:  # the first one reads everything from the disk
                    for name, measured in seconds.items():
                        runs[name].append(measured)
            true = statistics.median(runs["true"])
            hello = statistics.median(runs["hello"]) - statistics.median(
                [_seconds([sys.executable, "-c", "from mldeck.store import address, connect"]) for _ in range(3)]
            )
            yield Result(f"ssh HOST true, {at}", "–", ms(true))
            yield Result(
                f"ssh: hello, {at}", f"≤ + {ms(_HELLO_BAR_S)}", f"+ {ms(hello - true)}", hello - true <= _HELLO_BAR_S
            )
            yield Result(f"ssh -t HOST mldeck: first runs on screen, {at}", "–", ms(statistics.median(runs["far"])))
            yield ratio(f"ssh: first runs on screen, {at}", runs["near"], statistics.median(runs["far"]), 1.1)
        with Terminal(near, cols=COLS, rows=ROWS, emulate=False) as terminal:
            moment(terminal, partial(shows, terminal, A_RUN))
            terminal.settle(2.0)
            draw(terminal)
            keys = [burst(terminal, "j").first_s for _ in range(setting.keys)]
            yield times(f"ssh: a key, at {1000 * link.round_trip_s:.0f} ms", keys, 0.010)
            with closing(sqlite3.connect(db, isolation_level=None)) as connection:
                changes = [_change(connection, terminal, name) for name in ("renamed", _EXPERIMENT)]
            yield times("ssh: a change over there → on screen", changes, _CHANGE_BAR_S + link.round_trip_s / 2)
            terminal.settle(5.0)
            terminal.chunks.clear()
            before, until = link.carried_bytes, time.monotonic() + _IDLE_S
            while time.monotonic() < until:
                terminal.read(1.0)
            sent = link.carried_bytes - before, len(terminal.raw)
            yield Result(
                f"ssh: idle for {_IDLE_S:.0f} s",
                "0 bytes but the keepalives of ssh",
                f"{sent[0]} over the line, {sent[1]} painted",
                sent[0] <= _KEEPALIVE_BYTES and sent[1] == 0,
            )


def _change(connection: sqlite3.Connection, terminal: Terminal, name: str) -> float:
    """Rename the experiment that is shown, and return the seconds until that is on the screen."""
    terminal.settle(2.0)
    draw(terminal)
    connection.execute("UPDATE experiments SET name = ? WHERE name IN (?, 'renamed')", (name, _EXPERIMENT))
    changed = time.monotonic()
    return moment(terminal, partial(shows, terminal, f"Runs of {name}")) - changed


def _seconds(argv: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def _seconds_to_line(argv: list[str]) -> float:
    """Return the seconds until the command has printed a line. It takes a while to end after that."""
    began = time.monotonic()
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        return time.monotonic() - began


def _first_runs(argv: list[str]) -> float:
    with Terminal(argv, cols=COLS, rows=ROWS, emulate=False) as terminal:
        terminal.read(10.0)
        return moment(terminal, partial(shows, terminal, A_RUN)) - terminal.started
