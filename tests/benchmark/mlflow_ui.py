"""mldeck beside MLflow's own web UI, on the same store of 10,000 runs. No group of the benchmark: it needs the full MLflow.

    python -m tests.benchmark.mlflow_ui /path/to/environment/bin/mlflow

The server is watched until it answers what its page of runs asks first: the newest 100 runs of the experiment; what the browser
takes is not counted. mldeck is watched until the runs are on the screen. Processor time says the same on a busy machine, which
the time of day does not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.benchmark.sitting import A_RUN, COLS, ROWS, memory_of, moment, shows
from tests.benchmark.stores import MEDIUM, large_store
from tests.processes import descendants
from tests.terminal.terminal import MLDECK, Terminal

_PATIENCE_S = 900.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """What a program and the processes below it have used."""

    processor_s: float
    memory_mb: float
    processes: int

    @classmethod
    def of(cls, process: int) -> Usage:
        processes = [process, *descendants(process)]
        ticks = 0
        for each in processes:
            fields = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # in user and system mode, by itself and by children that have ended
        return cls(ticks / _TICKS, memory_of(*processes), len(processes))


@contextmanager
def serving(mlflow: str, store: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`mlflow ui`, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [mlflow, "ui", "--backend-store-uri", f"sqlite:///{store}", "--port", str(port)]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    process = subprocess.Popen(
        command,
        cwd=store.parent,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def first_answer(address: str) -> None:
    """Wait for the first page of runs."""
    request = urllib.request.Request(
        f"{address}/ajax-api/2.0/mlflow/runs/search",
        json.dumps({"experiment_ids": ["1"], "max_results": 100}).encode(),
        {"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
                assert len(json.load(answer)["runs"]) == 100
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server never answered")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark.mlflow_ui")
    parser.add_argument("mlflow", help="the command of an environment with the full MLflow")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    theirs: list[Usage] = []
    ours: list[Usage] = []
    with tempfile.TemporaryDirectory(prefix="mldeck-benchmark-") as scratch:
        store = Path(scratch) / "mlflow.db"
        shutil.copyfile(large_store(MEDIUM), store)
        for _ in range(options.rounds):
            with Terminal([MLDECK, store], cols=COLS, rows=ROWS, emulate=False) as terminal:
                moment(terminal, partial(shows, terminal, A_RUN))
                ours.append(Usage.of(terminal.process.pid))
            with serving(options.mlflow, store) as (process, address):
                first_answer(address)
                theirs.append(Usage.of(process.pid))
    print(f"10,000 runs, medians of {options.rounds} rounds: from the command to the first runs")
    for name, measured in (("mldeck", ours), ("mlflow ui", theirs)):
        processor, memory, processes = (statistics.median(each) for each in zip(*measured, strict=True))
        print(f"{name:10} {processor:6.1f} s of processor time {memory:7.0f} MB {processes:5.0f} processes")


if __name__ == "__main__":
    main()
