"""A file store of 2,000 runs: the first ones on screen, all of them in the mirror, and a look for changes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from mldeck.store.mirror.folder import FolderSource
from mldeck.store.mirror.tables import MirrorTables
from tests.benchmark.results import Result, Setting, ms, times
from tests.file_stores import FolderWriter

RUNS, PARAMS, METRICS, STEPS = 2000, 20, 12, 10
WHAT = f"folder of {RUNS:,} runs"
_ASK_MLFLOW = """\
import sys, time
from mlflow.tracking import MlflowClient
client = MlflowClient(sys.argv[1])
started = time.perf_counter()
assert len(client.search_runs(["0"], max_results=100)) == 100
print(time.perf_counter() - started)
"""


def results(setting: Setting) -> Iterator[Result]:
    root = setting.new_folder("folders") / "mlruns"
    make_folder(root)
    numbers = count()
    first, everything, looks, sweeps = [], [], [], []
    for _ in range(setting.repeats):
        tables = MirrorTables(setting.folder / f"mirror-{next(numbers)}.db")
        source = FolderSource(root)
        started = time.perf_counter()
        source.begin(tables, None, lambda: None)
        looking = source.look(list, thorough=True)
        next(looking)
        first.append(time.perf_counter() - started)
        for _ in looking:
            pass
        everything.append(time.perf_counter() - started)
        tables.set_stage(2)
        looks.append(_time_of_look(source, thorough=False))
        sweeps.append(_time_of_look(source, thorough=True))
        tables.close()
    yield times(f"{WHAT}: the newest 100 in the mirror", first, 0.3)
    yield from _beside_mlflow(root, min(first))
    yield times(f"{WHAT}: all in the mirror", everything, 3.0)
    yield times(f"{WHAT}: a look for changes", looks, 0.05)
    yield times(f"{WHAT}: a look at every file", sweeps, None)


def _time_of_look(source: FolderSource, *, thorough: bool) -> float:
    started = time.perf_counter()
    assert list(source.look(list, thorough=thorough)) == []
    return time.perf_counter() - started


def _beside_mlflow(root: Path, first_s: float) -> Iterator[Result]:
    """MLflow's own file store reads all runs before it answers."""
    environment = os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-W", "ignore", "-c", _ASK_MLFLOW, root.as_uri()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode == 0:
        theirs_s = float(done.stdout)
        part = first_s / theirs_s
        yield Result(f"{WHAT}: that, beside MLflow's own {ms(theirs_s)}", "≤ 1/7", f"1/{1 / part:.0f}", part <= 1 / 7)


def make_folder(root: Path) -> None:
    """Write the files that MLflow would write: 86,000."""
    writer = FolderWriter(root)
    for number in range(RUNS):
        writer.run(number, **{"mlflow.runName": f"run-{number}", "mlflow.user": "ada", "stage": "dev"})
        for param in range(PARAMS):
            writer.param(number, f"param_{param}", str(number * param % 97))
        for metric in range(METRICS):
            writer.metric(number, f"metric_{metric}", *((1 / (1 + step + metric), step) for step in range(STEPS)))
