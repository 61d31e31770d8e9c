"""Printed answers, against a script that reads the same, and against an empty interpreter."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.benchmark.results import Result, Setting, ms
from tests.benchmark.stores import MEDIUM, large_store
from tests.terminal.terminal import MLDECK

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


def results(setting: Setting) -> Iterator[Result]:
    script = setting.folder / "same_pivot.py"
    script.write_text(SAME_PIVOT)
    store = str(large_store(MEDIUM))
    runs = ["runs", "-s", store, "--limit", "50"]
    times = _interleaved(
        {
            "pass": [sys.executable, "-c", "pass"],
            "--help": [MLDECK, "--help"],
            "--version": [MLDECK, "--version"],
            "pivot": [sys.executable, str(script), store],
            "runs": [MLDECK, *runs],
            "json": [MLDECK, *runs, "--format", "json"],
        },
        setting.repeats,
    )
    yield Result("a script that reads the same pivot with SQLAlchemy Core", "–", ms(times["pivot"]))
    for name, what in (("runs", "mldeck runs --limit 50, 10,000 runs"), ("json", "the same as JSON")):
        ratio = times[name] / times["pivot"]
        yield Result(what, "≤ 1.5 x", f"{ms(times[name])} = {ratio:.2f} x", ratio <= 1.5)
    yield Result("python -c pass", "–", ms(times["pass"]))
    for name in ("--help", "--version"):
        ratio = times[name] / times["pass"]
        yield Result(f"mldeck {name}", "≤ 3 x", f"{ms(times[name])} = {ratio:.2f} x", ratio <= 3)


def _interleaved(commands: dict[str, list[str]], repeats: int) -> dict[str, float]:
    """Median wall time of each, in turns, so that a busy moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, argv in commands.items():
            started = time.monotonic()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
            if turn:
                times[name].append(time.monotonic() - started)
    return {name: statistics.median(each) for name, each in times.items()}
