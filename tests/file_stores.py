"""Writing file stores by hand, as MLflow lays them out, for tests that change one while it is read."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import yaml

STATUS = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}
START = 1_700_000_000_000


class FolderWriter:
    """A folder such as `mlruns`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.experiment("0", "Default")

    def experiment(self, experiment_id: str, name: str) -> Path:
        folder = self.root / experiment_id
        folder.mkdir(parents=True, exist_ok=True)
        lines = (
            f"artifact_location: {folder.as_uri()}",
            f"creation_time: {START}",
            f"experiment_id: '{experiment_id}'",
            f"last_update_time: {START}",
            "lifecycle_stage: active",
            f"name: {name}",
        )
        (folder / "meta.yaml").write_text("\n".join(lines) + "\n")
        return folder

    def run(self, number: int, *, experiment_id: str = "0", status: str = "FINISHED", **tags: str) -> str:
        """Make a run. Its number gives its id and its start: greater ones are newer."""
        run_id = f"{number:032x}"
        folder = self.root / experiment_id / run_id
        for name in ("metrics", "params", "tags", "artifacts"):
            (folder / name).mkdir(parents=True)
        self.meta(number, experiment_id=experiment_id, status=status)
        for key, value in tags.items():
            self.tag(number, key, value, experiment_id)
        return run_id

    def meta(
        self, number: int, *, experiment_id: str = "0", status: str = "FINISHED", stage: str = "active", name: str = ""
    ) -> None:
        """Write the attributes of a run, as MLflow does: the new file takes the place of the old one."""
        folder = self.folder(number, experiment_id)
        lines = (
            f"artifact_uri: {(folder / 'artifacts').as_uri()}",
            f"end_time: {'null' if status == 'RUNNING' else START + number * 1000 + 500}",
            "entry_point_name: ''",
            f"experiment_id: '{experiment_id}'",
            f"lifecycle_stage: {stage}",
            f"run_id: '{number:032x}'",
            f"run_name: {name or f'run-{number}'}",
            f"start_time: {START + number * 1000}",
            f"status: {STATUS[status]}",
            "tags: []",
            "user_id: ada",
        )
        (folder / "meta.new").write_text("\n".join(lines) + "\n")
        (folder / "meta.new").replace(folder / "meta.yaml")

    def folder(self, number: int, experiment_id: str = "0") -> Path:
        return self.root / experiment_id / f"{number:032x}"

    def metric(self, number: int, key: str, *points: tuple[float, int], experiment_id: str = "0") -> None:
        """Append points: (value, step)."""
        path = self.folder(number, experiment_id) / "metrics" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.writelines(f"{START + number * 1000 + step} {value} {step}\n" for value, step in points)

    def param(self, number: int, key: str, value: str, experiment_id: str = "0") -> None:
        path = self.folder(number, experiment_id) / "params" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)

    def tag(self, number: int, key: str, value: str, experiment_id: str = "0") -> None:
        path = self.folder(number, experiment_id) / "tags" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)


def write_as_folder(database: Path, root: Path) -> None:
    """Write the experiments, runs and datasets of a database as a file store."""
    with closing(sqlite3.connect(database)) as db:
        db.row_factory = sqlite3.Row
        folders: dict[int, Path] = {}
        for row in db.execute("SELECT * FROM experiments"):
            folder = root if row["lifecycle_stage"] == "active" else root / ".trash"
            folders[row["experiment_id"]] = folder / str(row["experiment_id"])
            names = ("artifact_location", "creation_time", "last_update_time", "lifecycle_stage", "name")
            meta = {name: row[name] for name in names} | {"experiment_id": str(row["experiment_id"])}
            _write_meta(folders[row["experiment_id"]], meta)
        runs = {
            row["run_uuid"]: folders[row["experiment_id"]] / row["run_uuid"] for row in db.execute("SELECT * FROM runs")
        }
        for row in db.execute("SELECT * FROM runs").fetchall():
            _write_run(db, row, runs[row["run_uuid"]])
        for row in db.execute("SELECT * FROM inputs JOIN datasets ON dataset_uuid = source_id").fetchall():
            _write_input(db, row, runs[row["destination_id"]])


def _write_run(db: sqlite3.Connection, row: sqlite3.Row, folder: Path) -> None:
    for name in ("metrics", "params", "tags", "artifacts"):
        (folder / name).mkdir(parents=True)
    names = ("artifact_uri", "end_time", "lifecycle_stage", "start_time", "user_id", "deleted_time")
    fixed = {"run_id": row["run_uuid"], "run_name": row["name"], "status": STATUS[row["status"]], "tags": []}
    _write_meta(folder, {name: row[name] for name in names} | fixed | {"experiment_id": str(row["experiment_id"])})
    for table in ("params", "tags"):
        for key, value in db.execute(f"SELECT key, value FROM {table} WHERE run_uuid = ?", (row["run_uuid"],)):
            (folder / table / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / table / key).write_bytes((value or "").encode())
    points = "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ?"
    for key, value, timestamp, step, is_nan in db.execute(points, (row["run_uuid"],)):
        number = "nan" if is_nan else "inf" if value > 1.7e308 else "-inf" if value < -1.7e308 else repr(value)
        path = folder / "metrics" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write(f"{timestamp} {number} {step}\n")


def _write_input(db: sqlite3.Connection, row: sqlite3.Row, run: Path) -> None:
    dataset = hashlib.md5((row["name"] + row["digest"]).encode()).hexdigest()
    kind = {"source_type": row["dataset_source_type"], "source": row["dataset_source"]}
    texts = {"schema": row["dataset_schema"], "profile": row["dataset_profile"]}
    _write_meta(run.parent / "datasets" / dataset, {"name": row["name"], "digest": row["digest"], **kind, **texts})
    tags = dict(db.execute("SELECT name, value FROM input_tags WHERE input_uuid = ?", (row["input_uuid"],)).fetchall())
    link = {"source_type": "DATASET", "source_id": dataset, "destination_type": "RUN", "destination_id": dataset}
    _write_meta(run / "inputs" / hashlib.md5((dataset + run.name).encode()).hexdigest(), {**link, "tags": tags})


def _write_meta(folder: Path, meta: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.yaml").write_text(yaml.safe_dump(meta, allow_unicode=True), encoding="utf-8")
