"""Writing to a mirror: what its source reads, as rows of MLflow's tables. One thread writes. Standard library only."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = Path(__file__).with_name("schema.sql")
_MOST_POINTS = 5_000_000
"""Points of histories that a kept mirror begins with; with more, all are forgotten, and read again when they are looked at."""
_LARGEST_FLOAT = 1.7976931348623157e308

FORMAT = 1
"""Raised when the tables, or what is written into them, change: mirrors of another format are made anew."""

KeyValues = Sequence[tuple[str, str]]
"""(key, value)."""
PlainPoint = tuple[int, int, float]
"""(step, timestamp, value)."""


@dataclass(frozen=True, slots=True)
class ExperimentRows:
    """An experiment, and the datasets that its runs use."""

    experiment_id: int
    name: str
    artifact_location: str | None
    lifecycle_stage: str
    creation_time: int | None
    last_update_time: int | None
    tags: KeyValues
    datasets: Sequence[Sequence[str | None]]
    """(id, name, digest, source type, source, schema, profile)."""


@dataclass(frozen=True, slots=True)
class RunAttributes:
    """The attributes of a run."""

    run_id: str
    name: str | None
    user_id: str | None
    status: str | None
    start_time: int | None
    end_time: int | None
    lifecycle_stage: str
    artifact_uri: str | None
    experiment_id: int
    deleted_time: int | None


@dataclass(frozen=True, slots=True)
class RunRows:
    """A run and what it logged."""

    info: RunAttributes
    latest: Sequence[tuple[str, PlainPoint]]
    """(key, latest point)."""
    params: KeyValues
    tags: KeyValues
    inputs: Sequence[tuple[str, str, str, str, str, int]] = ()
    """Rows of `inputs`."""
    input_tags: Sequence[tuple[str, str, str]] = ()
    """(id of the input, name, value)."""
    others: Sequence[tuple[str, PlainPoint]] = ()
    """(key, point): of each metric that has several steps, a point at another one than the latest, which tells that there is a
    history; of a running run, also the points that tell its pace."""


@dataclass(frozen=True, slots=True)
class LoggedModelRows:
    """A model of MLflow 3: `row` is that of `logged_models`."""

    row: Sequence[Any]
    params: KeyValues
    tags: KeyValues
    metrics: Sequence[tuple[str, int, int, float, str, str | None, str | None]] = ()
    """(name, timestamp, step, value, run id, name and digest of the dataset)."""


@dataclass(frozen=True, slots=True)
class VersionRows:
    """A version of a registered model: `row` is that of `model_versions` without name and workspace."""

    row: Sequence[Any]
    tags: KeyValues


@dataclass(frozen=True, slots=True)
class RegisteredModelRows:
    name: str
    creation_time: int | None
    last_updated_time: int | None
    description: str | None
    tags: KeyValues
    aliases: Sequence[tuple[str, int]]
    versions: Sequence[VersionRows]


@dataclass(slots=True)
class Seen:
    """What was seen of a thing when it was read, to notice changes."""

    place: str
    """Where it is: a path, for example."""
    kind: str
    id: str
    experiment_id: int | None
    quick: int
    """A number that moves with most changes, and takes little to find out."""
    whole: int | None
    """A number that moves with every change; None if something may still have changed at that moment."""


@dataclass
class HistoryRows:
    """The points of a metric that were added since a bookmark."""

    points: Sequence[PlainPoint]
    bookmark: str
    """Where reading goes on the next time, in the source's own words."""
    is_whole: bool
    """Whether they replace those that were read before."""


class MirrorTables:
    """The file of a mirror, open for writing. All methods belong to one thread."""

    def __init__(self, path: Path) -> None:
        """Open the file, and make it anew unless it is a mirror of this format. Raises `sqlite3.Error`."""
        self._db = self._opened(path)
        self.histories: dict[str, set[str]] = {}
        """The metrics whose history is in the mirror, by run id."""
        for run_id, key in self._db.execute("SELECT run_uuid, key FROM mldeck_histories"):
            self.histories.setdefault(run_id, set()).add(key)

    def _opened(self, path: Path) -> sqlite3.Connection:
        path.touch(mode=0o600)
        with suppress(sqlite3.DatabaseError):
            return _connected(path)
        remove_files(path)
        path.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as db:
            db.executescript(f"BEGIN; {_SCHEMA.read_text(encoding='utf-8')} PRAGMA application_id = {FORMAT}; COMMIT")
        return _connected(path)

    def close(self) -> None:
        """Close the file; nothing remains beside it."""
        with suppress(sqlite3.Error):  # while another connection reads, the log remains
            self._db.execute("PRAGMA busy_timeout = 0")
            self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that the block writes, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @property
    def stage(self) -> int:
        """How far it has been filled: 0 not at all, 1 so that the first runs can be shown, 2 completely, at least once."""
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def set_stage(self, stage: int) -> None:
        if stage > self.stage:
            self._db.execute(f"PRAGMA user_version = {stage}")

    # What has been seen

    def seen(self) -> Iterator[Seen]:
        rows = self._db.execute("SELECT place, kind, id, experiment_id, quick, whole FROM mldeck_seen")
        return (Seen(*row) for row in rows.fetchall())

    def note(self, seen: Iterable[Seen]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO mldeck_seen VALUES (?, ?, ?, ?, ?, ?)",
            [(it.place, it.kind, it.id, it.experiment_id, it.quick, it.whole) for it in seen],
        )

    def forget(self, places: Iterable[str]) -> None:
        self._db.executemany("DELETE FROM mldeck_seen WHERE place = ?", [(place,) for place in places])

    def running(self) -> list[str]:
        """Return the runs that are running, the newest first."""
        rows = self._db.execute("SELECT run_uuid FROM runs WHERE status = 'RUNNING' ORDER BY start_time DESC")
        return [run_id for (run_id,) in rows]

    def experiment_named(self, text: str) -> int | None:
        """Return the id of the experiment with this name or, if there is none, with this id."""
        row = self._db.execute(
            "SELECT experiment_id FROM experiments WHERE name = ?1 OR CAST(experiment_id AS TEXT) = ?1"
            " ORDER BY name = ?1 DESC, lifecycle_stage LIMIT 1",
            (text,),
        ).fetchone()
        return None if row is None else int(row[0])

    # Experiments and runs

    def put_experiment(self, experiment: ExperimentRows) -> None:
        key = experiment.experiment_id
        self._db.execute(
            "INSERT OR REPLACE INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time,"
            " last_update_time) VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(key, experiment.name, experiment.artifact_location),
                *(experiment.lifecycle_stage, experiment.creation_time, experiment.last_update_time),
            ),
        )
        self._db.execute("DELETE FROM experiment_tags WHERE experiment_id = ?", (key,))
        self._db.executemany("INSERT OR REPLACE INTO experiment_tags VALUES (?, ?, ?)", _of(experiment.tags, key))
        self._db.execute("DELETE FROM datasets WHERE experiment_id = ?", (key,))
        self._db.executemany(
            "INSERT OR REPLACE INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(uuid, key, *others) for uuid, *others in experiment.datasets],
        )

    def put_infos(self, infos: Iterable[RunAttributes]) -> None:
        """Write the attributes of runs, and leave what they logged as it is."""
        self._db.executemany(
            "INSERT OR REPLACE INTO runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage,"
            " artifact_uri, experiment_id, deleted_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    *(info.run_id, info.name, info.user_id, info.status, info.start_time, info.end_time),
                    *(info.lifecycle_stage, info.artifact_uri, info.experiment_id, info.deleted_time),
                )
                for info in infos
            ],
        )

    def put_runs(self, runs: Sequence[RunRows]) -> None:
        """Write runs in the place of what was known of them. Histories that have been read remain."""
        self.put_infos(run.info for run in runs)
        self._forget_values([run.info.run_id for run in runs])
        db = self._db
        db.executemany(
            "INSERT OR REPLACE INTO latest_metrics (key, step, timestamp, value, is_nan, run_uuid)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(key, *encoded(point), run.info.run_id) for run in runs for key, point in run.latest],
        )
        for table, pairs in (("params", "params"), ("tags", "tags")):
            rows = [(*pair, run.info.run_id) for run in runs for pair in getattr(run, pairs)]
            db.executemany(f"INSERT OR REPLACE INTO {table} (key, value, run_uuid) VALUES (?, ?, ?)", rows)
        db.executemany(
            "INSERT OR REPLACE INTO inputs VALUES (?, ?, ?, ?, ?, ?)", [row for run in runs for row in run.inputs]
        )
        db.executemany(
            "INSERT OR REPLACE INTO input_tags VALUES (?, ?, ?)", [row for run in runs for row in run.input_tags]
        )
        nothing: set[str] = set()
        for run in runs:
            known = self.histories.get(run.info.run_id, nothing)
            self._add_points(run.info.run_id, [(key, point) for key, point in run.others if key not in known])

    def _forget_values(self, run_ids: Sequence[str]) -> None:
        ids = [(run_id,) for run_id in run_ids]
        for table in ("latest_metrics", "params", "tags"):
            self._db.executemany(f"DELETE FROM {table} WHERE run_uuid = ?", ids)
        self._db.executemany(
            "DELETE FROM input_tags WHERE input_uuid IN (SELECT input_uuid FROM inputs"
            " WHERE destination_type = 'RUN' AND destination_id = ?)",
            ids,
        )
        self._db.executemany("DELETE FROM inputs WHERE destination_type = 'RUN' AND destination_id = ?", ids)
        for source_type in ("RUN_INPUT", "RUN_OUTPUT"):
            self._db.executemany(f"DELETE FROM inputs WHERE source_type = '{source_type}' AND source_id = ?", ids)
        self._db.executemany(
            "DELETE FROM metrics WHERE run_uuid = ?1"
            " AND key NOT IN (SELECT key FROM mldeck_histories WHERE run_uuid = ?1)",
            ids,
        )

    def remove_runs(self, run_ids: Sequence[str]) -> None:
        self._forget_values(run_ids)
        ids = [(run_id,) for run_id in run_ids]
        for table in ("metrics", "mldeck_histories", "runs"):
            self._db.executemany(f"DELETE FROM {table} WHERE run_uuid = ?", ids)
        for run_id in run_ids:
            self.histories.pop(run_id, None)

    def remove_experiment(self, experiment_id: int) -> None:
        """Remove an experiment without its runs and models."""
        for table in ("experiments", "experiment_tags", "datasets"):
            self._db.execute(f"DELETE FROM {table} WHERE experiment_id = ?", (experiment_id,))

    # Histories

    def bookmark(self, run_id: str, key: str) -> str | None:
        """Return where reading a history goes on; None if it has not been read."""
        row = self._db.execute(
            "SELECT bookmark FROM mldeck_histories WHERE run_uuid = ? AND key = ?", (run_id, key)
        ).fetchone()
        return None if row is None else str(row[0])

    def put_history(self, run_id: str, key: str, history: HistoryRows) -> None:
        """Add points to a history, or put them in its place."""
        if history.is_whole:
            self._db.execute("DELETE FROM metrics WHERE run_uuid = ? AND key = ?", (run_id, key))
        self._add_points(run_id, ((key, point) for point in history.points))
        self._db.execute("INSERT OR REPLACE INTO mldeck_histories VALUES (?, ?, ?)", (run_id, key, history.bookmark))
        self.histories.setdefault(run_id, set()).add(key)

    def _add_points(self, run_id: str, points: Iterable[tuple[str, PlainPoint]]) -> None:
        self._db.executemany(
            "INSERT INTO metrics (key, step, timestamp, value, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)",
            ((key, *encoded(point), run_id) for key, point in points),
        )

    # Models

    def put_logged_model(self, model: LoggedModelRows) -> None:
        model_id, experiment_id = model.row[:2]
        self.remove_logged_model(model_id)
        db = self._db
        db.execute("INSERT OR REPLACE INTO logged_models VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", model.row)
        for table, pairs in (("logged_model_params", model.params), ("logged_model_tags", model.tags)):
            rows = [(model_id, experiment_id, *pair) for pair in pairs]
            db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", rows)
        db.executemany(
            "INSERT INTO logged_model_metrics VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
            [
                (model_id, name, timestamp, step, encoded((step, timestamp, value))[2], experiment_id, *others)
                for name, timestamp, step, value, *others in model.metrics
            ],
        )

    def remove_logged_model(self, model_id: str) -> None:
        for table in ("logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics"):
            self._db.execute(f"DELETE FROM {table} WHERE model_id = ?", (model_id,))

    def put_registered_model(self, model: RegisteredModelRows) -> None:
        self.remove_registered_model(model.name)
        db, name = self._db, model.name
        db.execute(
            "INSERT INTO registered_models (name, creation_time, last_updated_time, description) VALUES (?, ?, ?, ?)",
            (name, model.creation_time, model.last_updated_time, model.description),
        )
        db.executemany(
            "INSERT OR REPLACE INTO registered_model_tags (key, value, name) VALUES (?, ?, ?)", _of(model.tags, name)
        )
        db.executemany(
            "INSERT OR REPLACE INTO registered_model_aliases (alias, version, name) VALUES (?, ?, ?)",
            [(alias, version, name) for alias, version in model.aliases],
        )
        for version in model.versions:
            db.execute(
                "INSERT OR REPLACE INTO model_versions (name, version, creation_time, last_updated_time, description,"
                " user_id, current_stage, source, run_id, status, status_message, run_link, storage_location)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (name, *version.row),
            )
            db.executemany(
                "INSERT OR REPLACE INTO model_version_tags (key, value, name, version) VALUES (?, ?, ?, ?)",
                [(*pair, name, version.row[0]) for pair in version.tags],
            )

    def remove_registered_model(self, name: str) -> None:
        tables = ("registered_models", "registered_model_tags", "registered_model_aliases")
        for table in (*tables, "model_versions", "model_version_tags"):
            self._db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))


def encoded(point: PlainPoint) -> tuple[int, int, float, int]:
    """Return (step, timestamp, value, is_nan) as MLflow's database stores them."""
    step, timestamp, value = point
    if value - value == 0.0:  # finite
        return step, timestamp, value, 0
    if math.isnan(value):
        return step, timestamp, 0.0, 1
    return step, timestamp, math.copysign(_LARGEST_FLOAT, value), 0


def _of(pairs: KeyValues, owner: object) -> list[tuple[Any, ...]]:
    return [(key, value, owner) for key, value in pairs]


def remove_files(path: Path) -> None:
    """Remove a mirror."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    """Open a mirror of this format. Raises `sqlite3.DatabaseError` if it is none."""
    db = sqlite3.connect(path, isolation_level=None, timeout=20)
    try:
        # Readers do not wait for a commit then. What a crash of the machine could spoil is only a copy.
        db.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; PRAGMA temp_store = MEMORY")
        if db.execute("PRAGMA application_id").fetchone()[0] != FORMAT:
            raise sqlite3.DatabaseError("it is no mirror of this format")
        (points,) = db.execute("SELECT coalesce(max(rowid), 0) FROM metrics").fetchone()
        if points > _MOST_POINTS:
            db.executescript("BEGIN; DELETE FROM metrics; DELETE FROM mldeck_histories; COMMIT")
    except BaseException:
        db.close()
        raise
    return db
