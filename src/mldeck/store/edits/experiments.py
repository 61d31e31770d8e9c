"""Changing experiments as MLflow does; see `edits.runs` for what each function expects and raises."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

from sqlalchemy import ColumnElement, Connection, insert, select

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.model import DEFAULT_WORKSPACE, NOTE_TAG
from mldeck.store.edits.changes import DbValues, Edit, EditKind, EditSubject, NewExperiment, RowChange, RowSet
from mldeck.store.edits.db_rows import written_rows
from mldeck.store.edits.rows import (
    ACTIVE,
    DELETED,
    ExperimentRow,
    changed_since,
    check_as_recorded,
    experiments_by_id,
    removed_assessments,
    run_lifecycle,
    run_rows,
    tag_set,
    without_new_rows,
    write_edit,
)
from mldeck.store.edits.rules import check_experiment_name, check_experiment_note, check_experiment_tag, in_words
from mldeck.store.schema import Schema

_DEFAULT_ROOT = "./mlruns"
_EXPERIMENT_ID = re.compile(r"[0-9]{1,18}")
"""At most as many digits as fit into a column of 64 bits."""


def create_experiment(
    connection: Connection, schema: Schema, name: str, now_ms: int, database_folder: Path | None
) -> NewExperiment:
    """Create an experiment. Refused when another one has the name, even a deleted one.

    `database_folder` is the folder of the database file (see `artifact_root`).
    """
    check_experiment_name(name)
    experiments = schema.experiments
    values: dict[str, str | int] = {"name": name, "lifecycle_stage": ACTIVE}
    workspace = DEFAULT_WORKSPACE if "workspace" in experiments.c else None
    _check_name_is_free(connection, schema, name, workspace)
    if workspace is not None:
        values["workspace"] = workspace
    if "creation_time" in experiments.c:
        values |= {"creation_time": now_ms, "last_update_time": now_ms}
    # The database chooses the id, and the location contains it, so this takes two statements, as in MLflow.
    connection.execute(insert(experiments).values(values))
    number = connection.execute(
        select(experiments.c.experiment_id).where(*_named(schema, name, workspace))
    ).scalar_one()
    location = _under(artifact_root(connection, schema, database_folder), number)
    keys = {"name": name} if workspace is None else {"workspace": workspace, "name": name}
    is_new = RowChange(tuple(keys.values()), None, (location,))
    written_rows(connection).append(RowSet("experiments", tuple(keys), ("artifact_location",), (is_new,)))
    change = RowChange((number,), (None,), (location,))
    edit = Edit(
        EditKind.CREATE,
        EditSubject.EXPERIMENT,
        (str(number),),
        f"created experiment {safe(name)}",
        (RowSet("experiments", ("experiment_id",), ("artifact_location",), (change,)),),
        undo_refusal="MLflow cannot undo the creation of an experiment; delete it instead",
    )
    return NewExperiment(str(number), location, write_edit(connection, edit))


def artifact_root(connection: Connection, schema: Schema, database_folder: Path | None) -> str:
    """Return the URI or path below which MLflow would put the artifacts of a new experiment: a guess, as no database stores it.

    MLflow appends the experiment's id to a root: the one its server was started with, or `./mlruns` in the directory where it
    runs, which is made absolute since 2.3. So every location that ends in the id of its experiment reveals a root, and the
    newest experiment reveals the one in use. A location that a user chose does not end that way. When no experiment reveals
    one, or only a relative one in a database that was migrated since, the folder of the database is taken for the directory
    where MLflow runs. Raises `MldeckError` when there is no such folder on this machine.
    """
    experiments = schema.experiments
    statement = select(experiments.c.experiment_id, experiments.c.artifact_location)
    if "workspace" in experiments.c:  # others have roots of their own below it
        statement = statement.where(experiments.c.workspace == DEFAULT_WORKSPACE)
    root = _DEFAULT_ROOT
    for number, location in connection.execute(statement.order_by(experiments.c.experiment_id.desc())).all():
        found = _root_of(location or "", number)
        if found is not None:
            root = found
            break
    makes_absolute = schema.has("registered_model_aliases")  # the table came with 2.3
    if makes_absolute and not urlparse(root).scheme and not posixpath.isabs(root):
        if database_folder is None:
            raise MldeckError(
                "where the artifacts of a new experiment belong cannot be told from the others: create it with MLflow"
            )
        return str(database_folder.absolute() / root)
    return root


def rename_experiment(connection: Connection, schema: Schema, experiment_id: str, name: str, now_ms: int) -> Edit:
    check_experiment_name(name)
    (row,) = _editable(connection, schema, [experiment_id])
    if name != row.name:
        _check_name_is_free(connection, schema, name, row.workspace)
    summary = f"renamed experiment {safe(row.name)} to {safe(name)}"
    changes = _change(schema, row, "name", row.name, name, now_ms)
    return write_edit(connection, Edit(EditKind.RENAME, EditSubject.EXPERIMENT, _ids([row]), summary, (changes,)))


def set_experiment_note(connection: Connection, schema: Schema, experiment_id: str, text: str) -> Edit:
    """Set the description, a Markdown text. Clearing it leaves an empty tag, as MLflow's page does, and creates no new one."""
    check_experiment_note(text)
    rows = _editable(connection, schema, [experiment_id])
    notes = _tags(connection, schema, rows, NOTE_TAG, text)
    summary = f"{'changed' if text else 'cleared'} the note of {_in_words(rows)}"
    sets = (notes if text else without_new_rows(notes),)
    return write_edit(connection, Edit(EditKind.NOTE, EditSubject.EXPERIMENT, _ids(rows), summary, sets))


def set_experiment_tag(connection: Connection, schema: Schema, ids: Sequence[str], key: str, value: str) -> Edit:
    check_experiment_tag(key, value)
    rows = _editable(connection, schema, ids)
    sets = (_tags(connection, schema, rows, key, value),)
    summary = f"set tag {key} of {_in_words(rows)}"
    return write_edit(connection, Edit(EditKind.SET_TAG, EditSubject.EXPERIMENT, _ids(rows), summary, sets))


def delete_experiment_tag(connection: Connection, schema: Schema, ids: Sequence[str], key: str) -> Edit:
    """Delete a tag from the experiments that have it; refused when none has."""
    rows = _editable(connection, schema, ids)
    tags = _tags(connection, schema, rows, key, None)
    if not tags.rows:
        what = f"{_in_words(rows)} has no" if len(rows) == 1 else f"none of {_in_words(rows)} has a"
        raise MldeckError(f"{what} tag {safe(key)}")
    summary = f"deleted tag {safe(key)} of {_in_words(rows)}"
    return write_edit(connection, Edit(EditKind.DELETE_TAG, EditSubject.EXPERIMENT, _ids(rows), summary, (tags,)))


def delete_experiments(connection: Connection, schema: Schema, ids: Sequence[str], now_ms: int) -> Edit:
    """Mark the experiments as deleted. Since 1.28 every run in them is marked too, even one that was deleted before.

    1.28 is recognised by `runs.deleted_time`.
    """
    rows = _editable(connection, schema, ids)
    sets = _lifecycle(connection, schema, rows, DELETED, now_ms)
    runs = [str(row.key[0]) for changes in sets if changes.table == "runs" for row in changes.rows]
    sets = (*removed_assessments(connection, schema, runs), *sets)
    return write_edit(
        connection, Edit(EditKind.DELETE, EditSubject.EXPERIMENT, _ids(rows), f"deleted {_in_words(rows)}", sets)
    )


def restore_experiments(connection: Connection, schema: Schema, ids: Sequence[str], now_ms: int) -> Edit:
    """Mark the experiments as active. Since 1.28 so is every run in them, even one that was deleted before its experiment."""
    rows = _found(connection, schema, ids)
    for row in rows:
        if row.lifecycle_stage != DELETED:
            raise MldeckError(f"{_in_words([row])} is not deleted")
    sets = _lifecycle(connection, schema, rows, ACTIVE, now_ms)
    summary = f"restored {_in_words(rows)}"
    return write_edit(connection, Edit(EditKind.RESTORE, EditSubject.EXPERIMENT, _ids(rows), summary, sets))


def assessments_of_experiments(connection: Connection, schema: Schema, ids: Sequence[str]) -> int:
    """Return how many evaluation results would be removed with these experiments, to warn the user; only reads."""
    inside = schema.runs.c.experiment_id.in_([row.experiment_id for row in _found(connection, schema, ids)])
    runs = [row.run_id for row in run_rows(connection, schema, inside)]
    return sum(len(removed.rows) for removed in removed_assessments(connection, schema, runs))


def undo_experiment_edit(connection: Connection, schema: Schema, edit: Edit) -> Edit:
    """Restore every row, including the time of the last change, and return this as an edit, which can be undone in turn.

    Refused when a row is not as the edit left it, when an undone deletion or restoration would miss runs that were added since,
    and when MLflow would refuse to change it.
    """
    if edit.undo_refusal:
        raise MldeckError(edit.undo_refusal)
    check_as_recorded(connection, edit)
    if edit.kind in (EditKind.DELETE, EditKind.RESTORE):
        _check_same_runs(connection, schema, edit)
        return write_edit(connection, edit.inverse())
    rows = _editable(connection, schema, edit.ids)
    if edit.kind is EditKind.RENAME:
        before = edit.row_sets[0].rows[0].before
        assert before is not None  # a renamed experiment existed
        _check_name_is_free(connection, schema, str(before[0]), rows[0].workspace, but=rows[0].experiment_id)
    return write_edit(connection, edit.inverse())


def _lifecycle(
    connection: Connection, schema: Schema, rows: Sequence[ExperimentRow], stage: str, now_ms: int
) -> tuple[RowSet, ...]:
    changes = [_change(schema, row, "lifecycle_stage", row.lifecycle_stage, stage, now_ms) for row in rows]
    marked = replace(changes[0], rows=tuple(row for change in changes for row in change.rows))
    if "deleted_time" not in schema.runs.c:
        return (marked,)
    inside = schema.runs.c.experiment_id.in_([row.experiment_id for row in rows])
    runs = run_rows(connection, schema, inside)
    return (marked, run_lifecycle(schema, runs, stage, now_ms if stage == DELETED else None))


def _check_same_runs(connection: Connection, schema: Schema, edit: Edit) -> None:
    """Raise `MldeckError` unless the experiments have the same runs as when they were deleted or restored."""
    recorded = {row.key[0] for changes in edit.row_sets if changes.table == "runs" for row in changes.rows}
    inside = schema.runs.c.experiment_id.in_([int(experiment_id) for experiment_id in edit.ids])
    now = {row.run_id for row in run_rows(connection, schema, inside)}
    if "deleted_time" in schema.runs.c and now != recorded:
        raise changed_since(edit)


def _change(schema: Schema, row: ExperimentRow, name: str, before: str, after: str, now_ms: int) -> RowSet:
    """Return the change of one column of an experiment, and of `last_update_time`, which exists since 1.29."""
    key: DbValues = (row.experiment_id,)
    if "last_update_time" not in schema.experiments.c:
        return RowSet("experiments", ("experiment_id",), (name,), (RowChange(key, (before,), (after,)),))
    change = RowChange(key, (before, row.last_update_time), (after, now_ms))
    return RowSet("experiments", ("experiment_id",), (name, "last_update_time"), (change,))


def _editable(connection: Connection, schema: Schema, ids: Sequence[str]) -> list[ExperimentRow]:
    """Return the experiments. Raises `MldeckError` unless all of them exist and are active."""
    rows = _found(connection, schema, ids)
    for row in rows:
        if row.lifecycle_stage != ACTIVE:
            raise MldeckError(f"{_in_words([row])} is deleted; restore it first")
    return rows


def _found(connection: Connection, schema: Schema, ids: Sequence[str]) -> list[ExperimentRow]:
    """Return each experiment once, in the order given. Raises `MldeckError` when one does not exist, or when none is given."""
    wanted = list(dict.fromkeys(ids))
    numbers = {text: int(text) for text in wanted if _EXPERIMENT_ID.fullmatch(text)}
    found = experiments_by_id(connection, schema, numbers.values())
    missing = [text for text in wanted if numbers.get(text) not in found]
    if missing or not wanted:
        raise MldeckError(
            f"there is no experiment {safe(missing[0])} (any more)" if missing else "no experiment to change"
        )
    return [found[numbers[text]] for text in wanted]


def _check_name_is_free(
    connection: Connection, schema: Schema, name: str, workspace: str | None, but: int | None = None
) -> None:
    experiments = schema.experiments
    statement = select(experiments.c.experiment_id, experiments.c.lifecycle_stage)
    for number, stage in connection.execute(statement.where(*_named(schema, name, workspace))).all():
        if number != but:
            kept = "; a deleted experiment keeps its name" if stage == DELETED else ""
            raise MldeckError(f"there is an experiment {safe(name)} already{kept}")


def _named(schema: Schema, name: str, workspace: str | None) -> list[ColumnElement[bool]]:
    experiments = schema.experiments
    conditions = [experiments.c.name == name]
    return conditions if workspace is None else [*conditions, experiments.c.workspace == workspace]


def _tags(connection: Connection, schema: Schema, rows: Sequence[ExperimentRow], key: str, value: str | None) -> RowSet:
    if not schema.has("experiment_tags"):
        raise MldeckError("this database is from before MLflow 1.2, which has no tags and notes for experiments")
    keys: list[DbValues] = [(key, row.experiment_id) for row in rows]
    return tag_set(connection, "experiment_tags", ("key", "experiment_id"), keys, value)


def _under(root: str, number: int) -> str:
    """Append the id to the path of the root, before a query, as MLflow's `append_to_uri_path` does."""
    path, mark, query = root.partition("?") if urlparse(root).scheme else (root, "", "")
    return f"{path}/{number}{mark}{query}"


def _root_of(location: str, number: int) -> str | None:
    """Return the root of which `_under` makes this location; None when the location does not end in the id."""
    path, mark, query = location.partition("?") if urlparse(location).scheme else (location, "", "")
    root, slash, last = path.rpartition("/")
    return f"{root}{mark}{query}" if slash and root and last == str(number) else None


def _in_words(rows: Sequence[ExperimentRow]) -> str:
    return in_words("experiment", [row.name for row in rows])


def _ids(rows: Sequence[ExperimentRow]) -> tuple[str, ...]:
    return tuple(str(row.experiment_id) for row in rows)
