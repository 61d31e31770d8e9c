"""Writing new MLflow stores: the schema of MLflow 3.17.2, and rows as MLflow 3.17 itself writes them.

For sample data and tests, not for editing a user's store. It uses the standard library's `sqlite3` only, so that a process that
only writes starts fast. Times are milliseconds since the epoch.
"""

from __future__ import annotations

import math
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from mldeck.errors import MldeckError, UsageError
from mldeck.model import NOTE_TAG, RUN_NAME_TAG, DatasetInput, Metric
from mldeck.store.seed.registry import LoggedModelRef, RegistryWriter

SCHEMA_FILE = Path(__file__).with_name("schema-3.17.2.sql")
BUSY_TIMEOUT_SECONDS = 20.0
"""Seconds to wait for another writer's lock: as long as MLflow does."""

_LARGEST_FLOAT = 1.7976931348623157e308
_MODEL_READY = 2


class RunNotActive(MldeckError):
    """The run was deleted or is not in this store, so nothing can be logged to it."""


@contextmanager
def new_store(
    path: Path, *, artifact_root: Path, time: int, new_id: Callable[[], str] | None = None
) -> Iterator[StoreWriter]:
    """Build a store in one transaction. The file gets the name `path` only when the block ends without an error.

    `artifact_root` is the directory below which each experiment has its own; `time` is when the store was created, and
    `new_id` makes ids as in `StoreWriter`.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        db = sqlite3.connect(unfinished, isolation_level=None)
        try:
            _write_schema(db, artifact_root, time)
            writer = StoreWriter(db, new_id=new_id)
            with writer.transaction():
                yield writer
        finally:
            db.close()
        _flush_to_disk(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_schema(db: sqlite3.Connection, artifact_root: Path, time: int) -> None:
    # The file gets its final name only when it is complete, so it needs no protection against a crash.
    db.execute("PRAGMA journal_mode = MEMORY")
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
    db.execute(
        "UPDATE experiments SET artifact_location = ?, creation_time = ?, last_update_time = ? WHERE experiment_id = 0",
        (str(artifact_root / "0"), time, time),
    )


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def has_run(path: Path, run_id: str) -> bool:
    """Return whether the database has a run with this id; False also for a file that cannot be read as an MLflow database."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS)) as db:
            return db.execute("SELECT 1 FROM runs WHERE run_uuid = ?", (run_id,)).fetchone() is not None
    except sqlite3.Error:
        return False


def encode_metric(value: float) -> tuple[float, int]:
    """Return (`value`, `is_nan`) as MLflow stores them: NaN as (0, 1), infinities as the largest finite floats."""
    if math.isnan(value):
        return 0.0, 1
    if math.isinf(value):
        return math.copysign(_LARGEST_FLOAT, value), 0
    return value, 0


class StoreWriter(RegistryWriter):
    """Writes experiments, runs and models through one connection. Call every method inside `with writer.transaction():`."""

    def __init__(self, db: sqlite3.Connection, *, new_id: Callable[[], str] | None = None) -> None:
        """`db` must be in autocommit mode. `new_id` makes ids of 32 hexadecimal digits, by default random ones."""
        super().__init__(db)
        self._new_id = new_id or (lambda: uuid.uuid4().hex)
        db.execute("PRAGMA foreign_keys = ON")

    @classmethod
    def open(cls, path: Path) -> StoreWriter:
        """Open an existing store for writing; a missing file is not created."""
        try:
            db = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_SECONDS
            )
        except sqlite3.OperationalError as error:
            raise UsageError(f"{path} cannot be opened for writing ({error}): check the path and its rights") from error
        return cls(db)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all or nothing. The write lock is taken at the start, so that what is read inside remains true."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.rollback()
            raise
        self._db.commit()

    # Experiments

    def create_experiment(
        self, name: str, *, artifact_root: Path, time: int, tags: Mapping[str, str] | None = None
    ) -> str:
        cursor = self._db.execute(
            "INSERT INTO experiments (name, lifecycle_stage, creation_time, last_update_time)"
            " VALUES (?, 'active', ?, ?)",
            (name, time, time),
        )
        experiment_id = str(cursor.lastrowid)
        self._db.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
            (str(artifact_root / experiment_id), experiment_id),
        )
        self.set_experiment_tags(experiment_id, tags or {})
        return experiment_id

    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        self._db.executemany(
            "INSERT INTO experiment_tags (key, value, experiment_id) VALUES (?, ?, ?)"
            " ON CONFLICT (key, experiment_id) DO UPDATE SET value = excluded.value",
            [(key, value, experiment_id) for key, value in tags.items()],
        )

    def find_experiment(self, name: str) -> str | None:
        """Return the id of the active experiment of this name; None when there is none."""
        row = self._db.execute(
            "SELECT experiment_id FROM experiments"
            " WHERE workspace = 'default' AND name = ? AND lifecycle_stage = 'active'",
            (name,),
        ).fetchone()
        return None if row is None else str(row[0])

    def delete_experiment(self, experiment_id: str, time: int) -> None:
        """Mark the experiment and each of its runs as deleted, as MLflow does."""
        self._db.execute(
            "UPDATE experiments SET lifecycle_stage = 'deleted', last_update_time = ? WHERE experiment_id = ?",
            (time, experiment_id),
        )
        self._db.execute(
            "UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ? WHERE experiment_id = ?",
            (time, experiment_id),
        )

    # Runs

    def create_run(
        self, experiment_id: str, name: str, *, user: str, time: int, tags: Mapping[str, str] | None = None
    ) -> str:
        """Start a run, with status RUNNING, and return its id. Its name goes into both the column and the tag, as in MLflow."""
        run_id = self._new_id()
        (root,) = self._db.execute(
            "SELECT artifact_location FROM experiments WHERE experiment_id = ?", (experiment_id,)
        ).fetchone()
        self._db.execute(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
            " source_version, lifecycle_stage, artifact_uri, experiment_id)"
            " VALUES (?, ?, 'UNKNOWN', '', '', ?, 'RUNNING', ?, '', 'active', ?, ?)",
            (run_id, name, user, time, f"{root}/{run_id}/artifacts", experiment_id),
        )
        self.set_tags(run_id, {RUN_NAME_TAG: name, "mlflow.user": user, **(tags or {})})
        return run_id

    def artifact_uri(self, run_id: str) -> str:
        (uri,) = self._db.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
        return str(uri)

    def log_metrics(self, run_id: str, points: Iterable[Metric]) -> None:
        """Append points; the latest of each metric is the one with the greatest (step, timestamp, value)."""
        self._require_active(run_id)
        rows = []
        latest: dict[str, tuple[int, int, float, int]] = {}
        for point in points:
            value, is_nan = encode_metric(point.value)
            rows.append((point.key, value, point.timestamp, run_id, point.step, is_nan))
            candidate = (point.step, point.timestamp, value, is_nan)
            if point.key not in latest or candidate[:3] > latest[point.key][:3]:
                latest[point.key] = candidate
        self._db.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            rows,
        )
        self._update_latest(run_id, latest)

    def _update_latest(self, run_id: str, latest: Mapping[str, tuple[int, int, float, int]]) -> None:
        self._db.executemany(
            "INSERT INTO latest_metrics (key, run_uuid, step, timestamp, value, is_nan) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (key, run_uuid) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp,"
            " value = excluded.value, is_nan = excluded.is_nan"
            " WHERE (excluded.step, excluded.timestamp, excluded.value)"
            " > (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
            [(key, run_id, *point) for key, point in latest.items()],
        )

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        self._require_active(run_id)
        self._db.executemany(
            "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)",
            [(key, value, run_id) for key, value in params.items()],
        )

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        self._require_active(run_id)
        self._db.executemany(
            "INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)"
            " ON CONFLICT (key, run_uuid) DO UPDATE SET value = excluded.value",
            [(key, value, run_id) for key, value in tags.items()],
        )

    def set_note(self, run_id: str, markdown: str) -> None:
        self.set_tags(run_id, {NOTE_TAG: markdown})

    def log_dataset(self, run_id: str, dataset: DatasetInput, *, schema: str | None = None) -> None:
        """Record that the run used a dataset. `schema` is JSON. The runs of an experiment share the row of a dataset."""
        self._require_active(run_id)
        experiment_id = self._experiment_of(run_id)
        columns = (dataset.name, dataset.digest, dataset.source_type, dataset.source, dataset.profile)
        self._db.execute(
            "INSERT INTO datasets (experiment_id, dataset_uuid, dataset_schema, name, digest, dataset_source_type,"
            " dataset_source, dataset_profile) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (experiment_id, self._new_id(), schema, *columns),
        )
        (dataset_id,) = self._db.execute(
            "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
            (experiment_id, dataset.name, dataset.digest),
        ).fetchone()
        input_id = self._add_input("DATASET", dataset_id, "RUN", run_id)
        if dataset.context is not None:
            self._db.execute(
                "INSERT INTO input_tags (input_uuid, name, value) VALUES (?, 'mlflow.data.context', ?)",
                (input_id, dataset.context),
            )

    def end_run(self, run_id: str, status: str, time: int) -> None:
        self._db.execute("UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ?", (status, time, run_id))

    def delete_run(self, run_id: str, time: int) -> None:
        self._db.execute(
            "UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ? WHERE run_uuid = ?", (time, run_id)
        )

    def _require_active(self, run_id: str) -> None:
        row = self._db.execute("SELECT lifecycle_stage FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
        if row != ("active",):
            raise RunNotActive(f"run {run_id} is {'not in this store' if row is None else row[0]}: restore it first")

    def _experiment_of(self, run_id: str) -> str:
        (experiment_id,) = self._db.execute("SELECT experiment_id FROM runs WHERE run_uuid = ?", (run_id,)).fetchone()
        return str(experiment_id)

    def _add_input(self, *link: str, step: int = 0) -> str:
        """Add an input and return its id. `link` is (source type, source id, destination type, destination id)."""
        input_id = self._new_id()
        self._db.execute(
            "INSERT INTO inputs (input_uuid, source_type, source_id, destination_type, destination_id, step)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (input_id, *link, step),
        )
        return input_id

    # Logged models

    def log_model(
        self, run_id: str, name: str, *, step: int, time: int, tags: Mapping[str, str] | None = None
    ) -> LoggedModelRef:
        """Write a finished logged model as an output of the run, with the run's params and its metrics at `step`."""
        self._require_active(run_id)
        model_id = f"m-{self._new_id()}"
        experiment_id = self._experiment_of(run_id)
        (root,) = self._db.execute(
            "SELECT artifact_location FROM experiments WHERE experiment_id = ?", (experiment_id,)
        ).fetchone()
        location = f"{root}/models/{model_id}/artifacts"
        self._db.execute(
            "INSERT INTO logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,"
            " last_updated_timestamp_ms, status, lifecycle_stage, source_run_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'active', ?)",
            (model_id, experiment_id, name, location, time, time, _MODEL_READY, run_id),
        )
        self._add_input("RUN_OUTPUT", run_id, "MODEL_OUTPUT", model_id, step=step)
        self._copy_to_model(model_id, experiment_id, run_id, step)
        model = LoggedModelRef(model_id, experiment_id, run_id, location)
        self._set_model_tags(model, tags or {})
        return model

    def _copy_to_model(self, model_id: str, experiment_id: str, run_id: str, step: int) -> None:
        self._db.execute(
            "INSERT INTO logged_model_params (model_id, experiment_id, param_key, param_value)"
            " SELECT ?, ?, key, value FROM params WHERE run_uuid = ?",
            (model_id, experiment_id, run_id),
        )
        self._db.execute(
            "INSERT INTO logged_model_metrics (model_id, metric_name, metric_timestamp_ms, metric_step, metric_value,"
            " experiment_id, run_id) SELECT ?, key, timestamp, step, value, ?, run_uuid FROM metrics"
            " WHERE run_uuid = ? AND step = ? ON CONFLICT DO NOTHING",
            (model_id, experiment_id, run_id, step),
        )
