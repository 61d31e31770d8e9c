"""Large stores in MLflow 3.17.2's schema, the same on every machine.

Those of many runs take a minute: they are made once, then kept in the temporary folder. The others are made for each run
of the benchmark, where it says.
"""

from __future__ import annotations

import json
import math
import os
import random
import sqlite3
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldeck.store.seed.seed import SCHEMA_FILE, encode_metric, new_store

_VERSION = 1
"""Raise it when what is made changes."""

_START = 1_735_689_600_000
_BATCH = 2_000
_METRICS = ("train/loss", "val/loss", "train/acc", "val/acc", "lr", "grad_norm", "val/f1", "val/auc", "throughput",
            "epoch_time_s", "gpu/0/util", "gpu/0/mem_gb")  # fmt: skip
_PARAMS: dict[str, Callable[[random.Random], str]] = {
    "lr": lambda rng: f"{10 ** rng.uniform(-5, -1):.6g}",
    "batch_size": lambda rng: str(rng.choice((16, 32, 64, 128, 256))),
    "optimizer": lambda rng: rng.choice(("adam", "adamw", "sgd", "lion", "adafactor")),
    "model": lambda rng: rng.choice(("resnet18", "resnet50", "vit_b16", "convnext_t", "xgboost")),
    "seed": lambda rng: str(rng.randrange(100)),
    "weight_decay": lambda rng: rng.choice(("0", "1e-4", "0.01", "0.05", "0.1")),
    "dropout": lambda rng: rng.choice(("0.0", "0.1", "0.2", "0.3", "0.5")),
    "epochs": lambda rng: str(rng.choice((10, 20, 50, 100))),
    "hidden_dim": lambda rng: str(rng.choice((128, 256, 512, 768, 1024, 4096))),
    "scheduler": lambda rng: rng.choice(("cosine", "linear", "constant", "step")),
    "dataset": lambda rng: rng.choice(("imagenet-1k", "cifar10", f"s3://bucket/train-v{rng.randrange(9)}.parquet")),
    "loss_fn": lambda rng: json.dumps({"name": rng.choice(("ce", "focal")), "gamma": rng.choice((1, 2, 3))}),
}
_ADJECTIVES = "bold calm dapper eager fancy gentle happy icy jolly kind lucky merry nimble orderly polite quick".split()
_ANIMALS = "ant bear crow deer eel fox goat hawk ibex jay koi lynx moth newt owl pug".split()


@dataclass(frozen=True)
class Size:
    runs: int
    params: int
    metrics: int
    steps: int


MEDIUM = Size(runs=10_000, params=20, metrics=12, steps=10)
LARGE = Size(runs=100_000, params=12, metrics=8, steps=2)


def large_store(size: Size) -> Path:
    """Takes a minute the first time for the largest."""
    folder = Path(tempfile.gettempdir()) / f"mldeck-benchmark-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    path = folder / f"{size.runs}-{size.params}-{size.metrics}-{size.steps}-v{_VERSION}.db"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        make_store(unfinished, size)
        unfinished.replace(path)
    return path


@dataclass
class _Rows:
    """Waiting to be inserted."""

    runs: list[tuple[Any, ...]] = field(default_factory=list)
    params: list[tuple[Any, ...]] = field(default_factory=list)
    tags: list[tuple[Any, ...]] = field(default_factory=list)
    metrics: list[tuple[Any, ...]] = field(default_factory=list)
    latest: list[tuple[Any, ...]] = field(default_factory=list)

    def insert(self, connection: sqlite3.Connection) -> None:
        connection.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
            " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time)"
            " VALUES (?, ?, 'UNKNOWN', '', '', ?, ?, ?, ?, '', ?, ?, 1, ?)",
            self.runs,
        )
        connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", self.params)
        connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", self.tags)
        for table, rows in (("metrics", self.metrics), ("latest_metrics", self.latest)):
            connection.executemany(
                f"INSERT INTO {table} (key, value, is_nan, timestamp, step, run_uuid) VALUES (?, ?, ?, ?, ?, ?)", rows
            )
        for rows in (self.runs, self.params, self.tags, self.metrics, self.latest):
            rows.clear()


def make_store(path: Path, size: Size) -> None:
    """One experiment; runs in the order in which training jobs would have written them, some failed, deleted or nested."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA temp_store = MEMORY;"
    )
    connection.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
    connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)"
        " VALUES (1, 'vision-baselines', '/nowhere/1', 'active', ?, ?)",
        (_START, _START),
    )
    rows = _Rows()
    for number in _runs(rows, size):
        if number % _BATCH == 0:
            rows.insert(connection)
    rows.insert(connection)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def _runs(rows: _Rows, size: Size) -> Iterator[int]:
    rng = random.Random(20250101)
    params = [*_PARAMS, *(f"cfg.section_{i % 9}.param_{i:03}" for i in range(len(_PARAMS), size.params))][: size.params]
    metrics = _METRICS[: size.metrics]
    parents: list[str] = []
    start = _START
    for number in range(1, size.runs + 1):
        start += rng.randrange(1_000, 120_000)
        run_id = f"{rng.getrandbits(128):032x}"
        kind = rng.random()
        status = "FINISHED" if kind > 0.12 else "FAILED" if kind < 0.07 else "KILLED" if kind < 0.1 else "RUNNING"
        steps = size.steps if status == "FINISHED" else max(1, int(size.steps * rng.random()))
        end = None if status == "RUNNING" else start + steps * 1_000 + rng.randrange(5_000)
        stage = "deleted" if rng.random() < 0.02 else "active"
        name = f"{rng.choice(_ADJECTIVES)}-{rng.choice(_ANIMALS)}-{rng.randrange(1000)}"
        user = rng.choice(("alice", "bob", "carol", "dave"))
        deleted = start + 10_000_000 if stage == "deleted" else None
        rows.runs.append((run_id, name, user, status, start, end, stage, f"/nowhere/1/{run_id}/artifacts", deleted))
        tags = {
            "mlflow.runName": name,
            "mlflow.user": user,
            "mlflow.source.type": "LOCAL",
            "mlflow.source.name": f"train_{rng.randrange(5)}.py",
            "mlflow.source.git.commit": f"{rng.getrandbits(160):040x}",
        }
        if parents and rng.random() < 0.3:
            tags["mlflow.parentRunId"] = rng.choice(parents[-5:])
        elif rng.random() < 0.2:
            parents.append(run_id)
        if rng.random() < 0.5:
            tags["stage"] = rng.choice(("dev", "ablation", "final"))
        rows.tags.extend((key, value, run_id) for key, value in tags.items())
        for key in params:
            if rng.random() > 0.02:
                value = _PARAMS[key](rng) if key in _PARAMS else str(rng.choice((0.25, 0.5, 1, 2, 4, 8, 16)))
                rows.params.append((key, value, run_id))
        for key in metrics:
            if rng.random() > 0.05:
                _log(rows, key, run_id, start, steps, rng)
        yield number


def _log(rows: _Rows, key: str, run_id: str, start: int, steps: int, rng: random.Random) -> None:
    """A history that falls towards a floor, now and then not a number at its end."""
    height, floor, rate = rng.uniform(0.2, 3), rng.uniform(0.01, 0.5), rng.uniform(0.5, 5) / steps
    diverges = rng.random() < 0.02
    value, is_nan, time = 0.0, 0, start
    for step in range(steps):
        wanted = math.nan if diverges and step == steps - 1 else floor + height * math.exp(-rate * step)
        value, is_nan = encode_metric(wanted + rng.gauss(0, 0.02))
        time = start + step * 1_000
        rows.metrics.append((key, value, is_nan, time, step, run_id))
    rows.latest.append((key, value, is_nan, time, steps - 1, run_id))


def make_compared_store(db: Path) -> int:
    """How many runs there are, each with thirty params."""
    size = Size(runs=300, params=30, metrics=12, steps=10)
    make_store(db, size)
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'active', deleted_time = NULL")
    return size.runs


DEEP_RUNS, DEEP_STEPS, SHORT_STEPS = 10, 200_000, 10_000


def make_deep_store(db: Path) -> list[str]:
    """The ids of ten runs that logged at the same time: `deep` in 200,000 steps each, and `short` in 10,000."""
    with new_store(db, artifact_root=db.parent / "artifacts", time=_START) as writer:
        experiment_id = writer.create_experiment("deep", artifact_root=db.parent / "artifacts", time=_START)
        run_ids = [
            writer.create_run(experiment_id, f"deep-run-{number}", user="alice", time=_START + number)
            for number in range(DEEP_RUNS)
        ]
        for run_id in run_ids:
            writer.end_run(run_id, "FINISHED", _START + DEEP_STEPS)
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        for key, steps in (("short", SHORT_STEPS), ("deep", DEEP_STEPS)):
            connection.executemany(
                "INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, 0, ?)",
                _histories(run_ids, key, steps),
            )
            connection.execute(
                "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)"
                " SELECT key, value, timestamp, step, is_nan, run_uuid FROM metrics WHERE key = ? AND step = ?",
                (key, steps - 1),
            )
    return run_ids


def _histories(run_ids: list[str], key: str, steps: int) -> Iterator[tuple[Any, ...]]:
    rng = random.Random(key)
    for step in range(steps):
        floor = math.exp(-5 * step / steps)
        for number, run_id in enumerate(run_ids):
            yield key, floor * (1 + number / 10) + rng.random() / 5, _START + step, step, run_id


MODELS, VERSIONS = 500, 20
"""Of each model, the last but one is in Production and the last in Staging."""


def model_name(number: int) -> str:
    return f"model-{number:03}"


def make_registry_store(db: Path) -> None:
    """Each version came from one of 200 runs."""
    make_store(db, Size(runs=200, params=8, metrics=5, steps=5))
    rng = random.Random(20250101)
    with closing(sqlite3.connect(db)) as connection, connection:
        sources = connection.execute("SELECT run_uuid, artifact_uri FROM runs").fetchall()
        connection.executemany(
            "INSERT INTO registered_models (name, creation_time, last_updated_time, description) VALUES (?, ?, ?, ?)",
            ((model_name(each), _START + each, _START + each, f"What **{each}** is for.") for each in range(MODELS)),
        )
        connection.executemany(
            "INSERT INTO registered_model_tags (key, value, name) VALUES ('owner', 'alice', ?)",
            ((model_name(each),) for each in range(MODELS)),
        )
        for each in range(MODELS):
            connection.executemany(
                "INSERT INTO model_versions (name, version, creation_time, last_updated_time, description, current_stage,"
                " source, run_id, status, run_link) VALUES (?, ?, ?, ?, '', ?, ?, ?, 'READY', '')",
                _versions(model_name(each), sources, rng),
            )
        connection.executemany(
            "INSERT INTO model_version_tags (key, value, name, version) VALUES ('validation_status', 'approved', ?, ?)",
            ((model_name(each), version) for each in range(MODELS) for version in range(1, VERSIONS + 1)),
        )
        connection.executemany(
            "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('champion', ?, ?)",
            ((VERSIONS - 1, model_name(each)) for each in range(MODELS)),
        )


def _versions(name: str, sources: list[tuple[str, str]], rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for version in range(1, VERSIONS + 1):
        stage = {VERSIONS: "Staging", VERSIONS - 1: "Production"}.get(version, "Archived" if version < 15 else "None")
        run_id, artifacts = rng.choice(sources)
        yield name, version, _START + version, _START + version, stage, f"{artifacts}/model", run_id


FOLDER_FILES = 10_000
HUGE_BYTES = 5 << 30
_HEADS = {
    "huge.txt": b"a line of a log that nobody will ever read to its end\n" * 20_000,
    "huge.csv": b"id,name,score\n" + b"17,calm-fox,0.25\n" * 60_000,
    "huge.json": b"[" + b'{"id": 17, "name": "calm-fox", "scores": [0.25, 0.5]},\n' * 20_000,
}
HUGE_FILES = tuple(_HEADS)
PICTURE, PICTURE_SIZE = "picture.png", (4000, 3000)


def make_artifact_store(db: Path, copied_bytes: int) -> Path:
    """The artifacts of the only run: the folders `copied` and `many`, and large files. Only the copied ones take room."""
    with new_store(db, artifact_root=db.parent / "artifacts", time=_START) as writer:
        experiment_id = writer.create_experiment("files", artifact_root=db.parent / "artifacts", time=_START)
        run_id = writer.create_run(experiment_id, "files-run-1", user="alice", time=_START)
        artifacts = Path(writer.artifact_uri(run_id))
        writer.end_run(run_id, "FINISHED", _START + 1)
    many, copied = artifacts / "many", artifacts / "copied"
    for folder in (many, copied):
        folder.mkdir(parents=True)
    for number in range(FOLDER_FILES):
        (many / f"file-{number:05}.txt").write_text("a")
    part = random.Random(1).randbytes(copied_bytes // _COPIED_FILES)
    for number in range(_COPIED_FILES):
        (copied / f"part-{number:03}.bin").write_bytes(part)
    for name, head in _HEADS.items():
        with (artifacts / name).open("wb") as file:
            file.write(head)
            file.truncate(HUGE_BYTES)  # a hole
    (artifacts / PICTURE).write_bytes(_noise(*PICTURE_SIZE))
    return artifacts


_COPIED_FILES = 100


def _noise(width: int, height: int) -> bytes:
    """A PNG that is as hard to unpack as any of its size."""
    rng = random.Random(2)
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b"\0" + rng.randbytes(3 * width)) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
