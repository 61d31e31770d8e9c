"""A store whose runs have many different metrics: 12,000 keys over 2,000 runs, each run with 50 of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from mldeck.store.seed.seed import new_store

EXPERIMENT, EXPERIMENT_ID = "wide", "7"
RUNS, KEYS, KEYS_PER_RUN = 2_000, 12_000, 50
_START = 1_760_000_000_000


def run_id_of(number: int) -> str:
    return f"{number:032x}"


def metric_of(number: int) -> str:
    return f"metric-{number:05}"


def make_wide_store(db: Path, *, runs: int = RUNS, keys: int = KEYS, keys_per_run: int = KEYS_PER_RUN) -> Path:
    """Every seventh metric is the same in all runs; the param `seed` is the number of the run."""
    with new_store(db, artifact_root=db.parent / "artifacts", time=_START):
        pass
    connection = sqlite3.connect(db)
    with connection:
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
            f" last_update_time) VALUES ({EXPERIMENT_ID}, '{EXPERIMENT}', '/nowhere', 'active', {_START}, {_START})"
        )
        connection.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, status, start_time, end_time, lifecycle_stage,"
            f" experiment_id) VALUES (?, ?, 'UNKNOWN', 'FINISHED', ?, ?, 'active', {EXPERIMENT_ID})",
            ((run_id_of(run), f"wide-{run:04}", _START + run, _START + run + 1000) for run in range(runs)),
        )
        connection.executemany(
            "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, 1, 0, 0, ?)",
            _metrics(runs, keys, keys_per_run),
        )
        connection.executemany(
            "INSERT INTO params (key, value, run_uuid) VALUES ('seed', ?, ?)",
            ((str(run), run_id_of(run)) for run in range(runs)),
        )
    connection.close()
    return db


def _metrics(runs: int, keys: int, keys_per_run: int) -> Iterator[tuple[str, float, str]]:
    for run in range(runs):
        for index in range(keys_per_run):
            key = (run * 37 + index * (keys // keys_per_run)) % keys
            yield metric_of(key), 1.0 if key % 7 == 0 else run / 1000, run_id_of(run)
