"""Changing runs as MLflow does.

Each function expects a connection in a transaction (see `written` in store/backend.py), reads the present state, and writes the
rows that MLflow itself would write (DATABASE.md#params-and-tags, DATABASE.md#run-names and DATABASE.md#lifecycle; where those
are silent, `SqlAlchemyStore` of 3.17).
Differences between releases are recognised by tables and columns. What MLflow refuses raises `MldeckError` naming the object;
so does editing a run in a deleted experiment, which MLflow's own pages do not show. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.model import NOTE_TAG, RUN_NAME_TAG
from mldeck.store.edits.changes import DbValues, Edit, EditKind, EditSubject, RowChange, RowSet
from mldeck.store.edits.rows import (
    ACTIVE,
    DELETED,
    RunRow,
    check_as_recorded,
    experiments_by_id,
    removed_assessments,
    row_set,
    run_labels,
    run_lifecycle,
    runs_by_id,
    tag_set,
    without_new_rows,
    write_edit,
)
from mldeck.store.edits.rules import check_run_name, check_run_note, check_run_tag, in_words
from mldeck.store.schema import Schema


def rename_run(connection: Connection, schema: Schema, run_id: str, name: str) -> Edit:
    """Rename a run (DATABASE.md#run-names).

    Since 1.30 the name is in the column and in the tag `mlflow.runName`, before only in the tag.
    1.29 has the same tables as 1.30 and ignores the column, so the column is written from 1.29 on.
    """
    check_run_name(name)
    rows = _editable(connection, schema, [run_id])
    sets = [_tags(connection, rows, RUN_NAME_TAG, name)]
    # Before that, a name in the column would hide the new one: 1.0 kept such names of its predecessors.
    if "creation_time" in schema.experiments.c or rows[0].name:
        sets.append(row_set("runs", ("run_uuid",), ("name",), [RowChange((run_id,), (rows[0].name,), (name,))]))
    summary = f"renamed {_in_words(connection, rows)} to {safe(name)}"
    return write_edit(connection, Edit(EditKind.RENAME, EditSubject.RUN, (run_id,), summary, tuple(sets)))


def set_run_note(connection: Connection, schema: Schema, run_ids: Sequence[str], text: str) -> Edit:
    """Set the description, a Markdown text. Clearing it leaves an empty tag, as MLflow's page does, and creates no new one."""
    check_run_note(text)
    rows = _editable(connection, schema, run_ids)
    notes = _tags(connection, rows, NOTE_TAG, text)
    summary = f"{'changed' if text else 'cleared'} the note of {_in_words(connection, rows)}"
    sets = (notes if text else without_new_rows(notes),)
    return write_edit(connection, Edit(EditKind.NOTE, EditSubject.RUN, _ids(rows), summary, sets))


def set_run_tag(connection: Connection, schema: Schema, run_ids: Sequence[str], key: str, value: str) -> Edit:
    """Set a tag. Setting `mlflow.runName` renames the run, as in MLflow, and is refused for several runs at once."""
    check_run_tag(key, value)
    if key == RUN_NAME_TAG:
        if len(set(run_ids)) != 1:
            raise MldeckError(f"tag {key} is the name of a run: rename one at a time")
        return rename_run(connection, schema, run_ids[0], value)
    rows = _editable(connection, schema, run_ids)
    summary = f"set tag {key} of {_in_words(connection, rows)}"
    sets = (_tags(connection, rows, key, value),)
    return write_edit(connection, Edit(EditKind.SET_TAG, EditSubject.RUN, _ids(rows), summary, sets))


def delete_run_tag(connection: Connection, schema: Schema, run_ids: Sequence[str], key: str) -> Edit:
    """Delete a tag from the runs that have it; refused when none has.

    When `mlflow.runName` is deleted, a run keeps its name in the column.
    """
    rows = _editable(connection, schema, run_ids)
    what = _in_words(connection, rows)
    tags = _tags(connection, rows, key, None)
    if not tags.rows:
        raise MldeckError(
            f"{what} has no tag {safe(key)}" if len(rows) == 1 else f"none of {what} has a tag {safe(key)}"
        )
    summary = f"deleted tag {safe(key)} of {what}"
    return write_edit(connection, Edit(EditKind.DELETE_TAG, EditSubject.RUN, _ids(rows), summary, (tags,)))


def delete_runs(connection: Connection, schema: Schema, run_ids: Sequence[str], now_ms: int) -> Edit:
    """Mark the runs as deleted. Since 3.11 their evaluation results are removed for good."""
    rows = _editable(connection, schema, run_ids)
    summary = f"deleted {_in_words(connection, rows)}"
    lifecycle = run_lifecycle(schema, rows, DELETED, now_ms)
    sets = (*removed_assessments(connection, schema, _ids(rows)), lifecycle)
    return write_edit(connection, Edit(EditKind.DELETE, EditSubject.RUN, _ids(rows), summary, sets))


def restore_runs(connection: Connection, schema: Schema, run_ids: Sequence[str]) -> Edit:
    rows = runs_by_id(connection, schema, run_ids)
    _check_experiments(connection, schema, rows)
    for row in rows:
        if row.lifecycle_stage != DELETED:
            raise MldeckError(f"{_in_words(connection, [row])} is not deleted")
    summary = f"restored {_in_words(connection, rows)}"
    sets = (run_lifecycle(schema, rows, ACTIVE, None),)
    return write_edit(connection, Edit(EditKind.RESTORE, EditSubject.RUN, _ids(rows), summary, sets))


def assessments_of_runs(connection: Connection, schema: Schema, run_ids: Sequence[str]) -> int:
    """Return how many evaluation results would be removed with these runs, to warn the user; only reads."""
    return sum(len(removed.rows) for removed in removed_assessments(connection, schema, run_ids))


def undo_run_edit(connection: Connection, schema: Schema, edit: Edit) -> Edit:
    """Restore every row as it was before the edit, and return this as an edit, which can be undone in turn.

    Refused when a row is not as the edit left it, and when MLflow would refuse to change it.
    """
    check_as_recorded(connection, edit)
    if edit.kind in (EditKind.DELETE, EditKind.RESTORE):
        _check_experiments(connection, schema, runs_by_id(connection, schema, edit.ids))
    else:
        _editable(connection, schema, edit.ids)
    return write_edit(connection, edit.inverse())


def _editable(connection: Connection, schema: Schema, run_ids: Sequence[str]) -> list[RunRow]:
    """Return the runs. Raises `MldeckError` unless all of them exist and are active, in active experiments."""
    rows = runs_by_id(connection, schema, run_ids)
    _check_experiments(connection, schema, rows)
    for row in rows:
        if row.lifecycle_stage != ACTIVE:
            raise MldeckError(f"{_in_words(connection, [row])} is deleted; restore it first")
    return rows


def _check_experiments(connection: Connection, schema: Schema, rows: Sequence[RunRow]) -> None:
    ids = {row.experiment_id for row in rows if row.experiment_id is not None}
    for experiment in experiments_by_id(connection, schema, ids).values():
        if experiment.lifecycle_stage != ACTIVE:
            raise MldeckError(f"experiment {safe(experiment.name)} is deleted; restore it first")


def _tags(connection: Connection, rows: Sequence[RunRow], key: str, value: str | None) -> RowSet:
    keys: list[DbValues] = [(key, row.run_id) for row in rows]
    return tag_set(connection, "tags", ("key", "run_uuid"), keys, value)


def _in_words(connection: Connection, rows: Sequence[RunRow]) -> str:
    return in_words("run", run_labels(connection, rows) if len(rows) == 1 else _ids(rows))


def _ids(rows: Sequence[RunRow]) -> tuple[str, ...]:
    return tuple(row.run_id for row in rows)
