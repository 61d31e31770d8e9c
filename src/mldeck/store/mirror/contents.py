"""What the folders of a file store say: experiments, runs, logged and registered models. Layouts of MLflow 1.0 to 3.18."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mldeck.model import RUN_NAME_TAG
from mldeck.store.mirror.files import (
    META,
    FilesBelow,
    Unreadable,
    ValueFile,
    clean,
    integer_of,
    latest_point,
    parse_points,
    read_bytes,
    read_meta,
    read_pairs,
    reason_of,
    text_of,
)
from mldeck.store.mirror.tables import (
    ExperimentRows,
    HistoryRows,
    LoggedModelRows,
    PlainPoint,
    RegisteredModelRows,
    RunAttributes,
    RunRows,
    VersionRows,
)

RUN_FOLDERS = ("metrics", "params", "tags")
RUN_TREE = (*RUN_FOLDERS, "inputs", "outputs")
MODEL_FOLDERS = ("metrics", "params", "tags")
REGISTERED_FOLDERS = ("", "tags", "aliases")
_STATUS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_MODEL_STATUS = {"PENDING": 1, "READY": 2, "FAILED": 3}
_LONG = 1 << 16
"""Bytes from which on a history is not read again from its beginning."""
_RECENT = 50
"""Points by which the pace of a running run is told."""
_VERSION = "version-"
_NOWHERE = "0:0"
"""The bookmark of a history that is to be read from its beginning."""

LeftOut = Callable[[str, str], None]
"""Called with the path and the reason for what is there but cannot be read."""


def read_experiment(
    folder: str, tree: FilesBelow, experiment_id: int, is_deleted: bool, left_out: LeftOut
) -> ExperimentRows:
    """Read an experiment. With a broken `meta.yaml` its name is its id, so that its runs can be found."""
    try:
        meta = read_meta(folder)
    except Unreadable as error:
        left_out(f"{folder}/{META}", str(error))
        meta = {}
    stage = meta.get("lifecycle_stage")
    return ExperimentRows(
        experiment_id,
        text_of(meta.get("name")) or str(experiment_id),
        text_of(meta.get("artifact_location")),
        "deleted" if is_deleted or stage == "deleted" else "active",
        integer_of(meta.get("creation_time")),
        integer_of(meta.get("last_update_time")),
        read_pairs(tree.values["tags"], left_out),
        _read_datasets(f"{folder}/datasets", experiment_id, left_out),
    )


def _read_datasets(folder: str, experiment_id: int, left_out: LeftOut) -> list[Sequence[str | None]]:
    found: list[Sequence[str | None]] = []
    for name in subfolders(folder):
        try:
            meta = read_meta(f"{folder}/{name}")
        except FileNotFoundError:
            continue
        except Unreadable as error:
            left_out(f"{folder}/{name}/{META}", str(error))
            continue
        texts = (text_of(meta.get(key)) for key in ("name", "digest", "source_type", "source", "schema", "profile"))
        found.append((dataset_id(experiment_id, clean(name)), *texts))
    return found


def dataset_id(experiment_id: int, name: str) -> str:
    """Return an id for a dataset: its folder has the same name in each experiment that uses it."""
    return f"{experiment_id}/{name}"


def subfolders(path: str) -> list[str]:
    """Return the names of the folders in a folder, also of those that links lead to; none if it does not exist."""
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def run_info(meta: dict[str, Any], run_id: str, experiment_id: int) -> RunAttributes:
    """Return the attributes of a run. Raises `Unreadable` if they are those of another one."""
    for key, expected in (("run_id", run_id), ("run_uuid", run_id), ("experiment_id", str(experiment_id))):
        written = meta.get(key)
        if written is not None and str(written) != expected:
            raise Unreadable(f"its {key} is {str(written)[:80]}, not {expected}")
    status = meta.get("status", 1)
    stage = meta.get("lifecycle_stage")
    return RunAttributes(
        run_id,
        text_of(meta.get("run_name")) or text_of(meta.get("name")),
        text_of(meta.get("user_id")),
        _STATUS.get(status, "RUNNING") if isinstance(status, int) else text_of(status),
        integer_of(meta.get("start_time")),
        integer_of(meta.get("end_time")),
        "deleted" if stage == "deleted" else "active",
        text_of(meta.get("artifact_uri")),
        experiment_id,
        integer_of(meta.get("deleted_time")),
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """What is kept of a long history, so that only what is appended has to be read again."""

    inode: int
    end: int
    """Bytes that have been read."""
    latest: PlainPoint
    other: PlainPoint | None
    """A point at another step than the latest."""
    recent: tuple[PlainPoint, ...]
    """The points at the end of the file."""


def read_run(info: RunAttributes, tree: FilesBelow, summaries: dict[str, Summary], left_out: LeftOut) -> RunRows:
    """Read what a run logged. `summaries` are those of long histories, by path; they are brought up to date."""
    values = tree.values
    latest: list[tuple[str, PlainPoint]] = []
    others: list[tuple[str, PlainPoint]] = []
    recent: dict[str, tuple[PlainPoint, ...]] = {}
    for value in values["metrics"]:
        try:
            found = _summarized(value, summaries)
        except FileNotFoundError:
            continue  # removed a moment ago
        except OSError as error:
            left_out(value.path, reason_of(error))
            continue
        if found is not None:
            latest.append((value.key, found.latest))
            recent[value.key] = found.recent
            if found.other is not None:
                others.append((value.key, found.other))
    if info.status == "RUNNING" and latest:
        paced = _logged_last(latest)
        others.extend((paced, point) for point in recent[paced])
    tags = read_pairs(values["tags"], left_out)
    if not info.name and (name := dict(tags).get(RUN_NAME_TAG)):
        info = replace(info, name=name)
    inputs, input_tags = _read_links(info, values, left_out)
    return RunRows(info, latest, read_pairs(values["params"], left_out), tags, inputs, input_tags, others)


def _logged_last(latest: Sequence[tuple[str, PlainPoint]]) -> str:
    """Return the metric by which the pace of a running run is told: the one logged last, the first of several by name."""
    newest = max(point[1] for _, point in latest)
    return min(key for key, point in latest if point[1] == newest)


def _summarized(value: ValueFile, summaries: dict[str, Summary]) -> Summary | None:
    """Return the summary of a metric's file; None for one without a point."""
    known = summaries.get(value.path)
    if known is not None and (known.inode != value.inode or known.end > value.size):
        known = None
    start = 0 if known is None else known.end
    content = read_bytes(value.path, value.size - start, start) if value.size > start else b""
    points = parse_points(content)
    recent = (*(known.recent if known is not None else ()), *points[-_RECENT:])[-_RECENT:]
    if known is not None:
        points.insert(0, known.latest)
    if not points:
        return None
    latest = latest_point(points)
    other = next((point for point in points if point[0] != latest[0]), None)
    if other is None and known is not None and known.other is not None and known.other[0] != latest[0]:
        other = known.other
    summary = Summary(value.inode, start + len(content), latest, other, recent)
    # A line that is half-written is read again, from its beginning.
    if value.size >= _LONG and (content.endswith(b"\n") or not content):
        summaries[value.path] = summary
    elif known is None:
        summaries.pop(value.path, None)
    return summary


def _read_links(
    info: RunAttributes, values: dict[str, list[ValueFile]], left_out: LeftOut
) -> tuple[list[tuple[str, str, str, str, str, int]], list[tuple[str, str, str]]]:
    """Return rows of `inputs` and `input_tags`: the datasets and models that a run used, and the models that it made."""
    rows: list[tuple[str, str, str, str, str, int]] = []
    tags: list[tuple[str, str, str]] = []
    for name in ("inputs", "outputs"):
        for value in values[name]:
            link, _, file = value.key.rpartition("/")
            if file != META or not link:
                continue
            try:
                meta = read_meta(os.path.dirname(value.path))
            except FileNotFoundError:
                continue
            except Unreadable as error:
                left_out(value.path, str(error))
                continue
            target = text_of(meta.get("source_id")) or ""
            # MLflow writes the source into the file as the destination too. The run is the one of the folder.
            if name == "outputs":
                step = integer_of(meta.get("step")) or 0
                rows.append((link, "RUN_OUTPUT", info.run_id, "MODEL_OUTPUT", target, step))
            elif meta.get("source_type") == "DATASET":
                link = f"{info.run_id}/{link}"
                rows.append((link, "DATASET", dataset_id(info.experiment_id, target), "RUN", info.run_id, 0))
                written = meta.get("tags")
                pairs = written.items() if isinstance(written, dict) else ()
                tags.extend((link, clean(str(key)), text_of(value) or "") for key, value in pairs)
            else:
                rows.append((link, "RUN_INPUT", info.run_id, "MODEL_INPUT", target, 0))
    return rows, tags


def read_history(path: str, bookmark: str | None) -> HistoryRows:
    """Return the points of a metric's file after the bookmark (`inode:bytes`), or all if the file was replaced.

    Raises `OSError`.
    """
    status = os.stat(path)
    start = 0
    if bookmark is not None:
        inode, _, end = bookmark.partition(":")
        if inode == str(status.st_ino) and int(end) <= status.st_size:
            start = int(end)
    content = read_bytes(path, max(0, status.st_size - start), start)
    whole = content.rfind(b"\n") + 1
    if start == 0 and whole < len(content):
        return HistoryRows(parse_points(content), _NOWHERE, True)  # the last line may go on: then all is read again
    # A line that is half-written is read the next time, from its beginning.
    return HistoryRows(parse_points(content[:whole]), f"{status.st_ino}:{start + whole}", start == 0)


def read_logged_model(
    folder: str, model_id: str, experiment_id: int, tree: FilesBelow, left_out: LeftOut
) -> LoggedModelRows:
    """Read a model of MLflow 3. Raises `FileNotFoundError` or `Unreadable`."""
    meta = read_meta(folder)
    if str(meta.get("model_id")) != model_id:
        raise Unreadable(f"its model_id is {str(meta.get('model_id'))[:80]}, not {model_id}")
    status = meta.get("status")
    row = (
        model_id,
        experiment_id,
        text_of(meta.get("name")) or "",
        text_of(meta.get("artifact_location")) or "",
        integer_of(meta.get("creation_timestamp")) or 0,
        integer_of(meta.get("last_updated_timestamp")) or 0,
        _MODEL_STATUS.get(status, 0) if isinstance(status, str) else integer_of(status) or 0,
        "deleted" if meta.get("lifecycle_stage") == "deleted" else "active",
        text_of(meta.get("model_type")),
        text_of(meta.get("source_run_id")),
        text_of(meta.get("status_message")),
    )
    metrics = [row for value in tree.values["metrics"] for row in _model_metrics(value, left_out)]
    params, tags = (read_pairs(tree.values[name], left_out) for name in ("params", "tags"))
    return LoggedModelRows(row, params, tags, metrics)


def _model_metrics(
    value: ValueFile, left_out: LeftOut
) -> list[tuple[str, int, int, float, str, str | None, str | None]]:
    """Return the points that the lines `TIMESTAMP VALUE STEP RUN [DATASET DIGEST]` say."""
    try:
        content = read_bytes(value.path, value.size).decode("utf-8", "replace") if value.size else ""
    except OSError as error:
        left_out(value.path, reason_of(error))
        return []
    found = []
    for line in content.splitlines():
        fields = line.split(" ")
        try:
            timestamp, number, step, run_id = int(fields[0]), float(fields[1]), int(fields[2]), fields[3]
        except (ValueError, IndexError):
            continue
        dataset, digest = (" ".join(fields[4:-1]), fields[-1]) if len(fields) > 5 else (None, None)
        found.append((value.key, timestamp, step, number, run_id, dataset, digest))
    return found


def read_registered_model(root: str, folder: str, name: str, left_out: LeftOut) -> RegisteredModelRows:
    """Read a registered model and its versions. Raises `FileNotFoundError` or `Unreadable`."""
    meta = read_meta(folder)
    tree = FilesBelow(root, folder, ("tags", "aliases"))
    aliases = [(alias, integer_of(version.strip())) for alias, version in read_pairs(tree.values["aliases"], left_out)]
    versions = []
    for subfolder in subfolders(folder):
        number = integer_of(subfolder.removeprefix(_VERSION)) if subfolder.startswith(_VERSION) else None
        if number is None:
            continue
        try:
            versions.append(_read_version(root, f"{folder}/{subfolder}", number, left_out))
        except FileNotFoundError:
            continue
        except Unreadable as error:
            left_out(f"{folder}/{subfolder}/{META}", str(error))
    return RegisteredModelRows(
        name,
        integer_of(meta.get("creation_timestamp")),
        integer_of(meta.get("last_updated_timestamp")),
        text_of(meta.get("description")),
        read_pairs(tree.values["tags"], left_out),
        [(alias, version) for alias, version in aliases if version is not None],
        versions,
    )


def _read_version(root: str, folder: str, number: int, left_out: LeftOut) -> VersionRows:
    meta = read_meta(folder)
    tree = FilesBelow(root, folder, ("tags",))
    row = (
        number,
        integer_of(meta.get("creation_timestamp")),
        integer_of(meta.get("last_updated_timestamp")),
        text_of(meta.get("description")),
        text_of(meta.get("user_id")),
        text_of(meta.get("current_stage")) or "None",
        text_of(meta.get("source")),
        text_of(meta.get("run_id")),
        text_of(meta.get("status")) or "READY",
        text_of(meta.get("status_message")),
        text_of(meta.get("run_link")),
        text_of(meta.get("storage_location")),
    )
    return VersionRows(row, read_pairs(tree.values["tags"], left_out))


def registered_number(folder: str) -> int:
    """Return a number that moves with every change of a registered model, its versions included."""
    numbers = [FilesBelow(folder, folder, ("tags", "aliases")).number]
    for name in sorted(subfolders(folder)):
        if name.startswith(_VERSION):
            try:
                numbers.append(FilesBelow(folder, f"{folder}/{name}", ("tags",)).number)
            except OSError:
                numbers.append(0)
    return hash(tuple(numbers))
