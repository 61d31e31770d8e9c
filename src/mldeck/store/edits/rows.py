"""The common parts of editing runs and experiments: reading the present state, and turning a change into rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, column, literal_column, select, table

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.model import RUN_NAME_TAG
from mldeck.store.edits.changes import DbValues, Edit, RowChange, RowSet
from mldeck.store.edits.db_rows import read_rows, rows_as_recorded, write_rows
from mldeck.store.schema import Schema
from mldeck.store.statements import MAX_BOUND_VALUES, chunks

ACTIVE = "active"
DELETED = "deleted"

_SOURCE_RUN_KEY = "mlflow.assessment.sourceRunId"
_SOURCE_RUN = re.compile(rf'"{re.escape(_SOURCE_RUN_KEY)}": "([^"]*)"')
"""Finds the run in the text of the JSON, as MLflow does, not in the column run_id."""


class RunRow(NamedTuple):
    """The columns of a run that an edit needs."""

    run_id: str
    name: str | None
    experiment_id: int | None
    lifecycle_stage: str
    deleted_time: int | None
    """In ms; None before 1.28, which does not store it."""


class ExperimentRow(NamedTuple):
    """The columns of an experiment that an edit needs."""

    experiment_id: int
    name: str
    lifecycle_stage: str
    last_update_time: int | None
    """In ms; None before 1.29, which does not store it."""
    workspace: str | None
    """None before 3.10, which has no workspaces."""


def runs_by_id(connection: Connection, schema: Schema, run_ids: Sequence[str]) -> list[RunRow]:
    """Return each run once, in the order given. Raises `MldeckError` when one does not exist, or when none is given."""
    wanted = list(dict.fromkeys(run_ids))
    found: dict[str, RunRow] = {}
    for some in chunks(wanted, MAX_BOUND_VALUES):
        found |= {row.run_id: row for row in run_rows(connection, schema, schema.runs.c.run_uuid.in_(some))}
    missing = [run_id for run_id in wanted if run_id not in found]
    if missing or not wanted:
        raise MldeckError(f"there is no run {safe(missing[0])} (any more)" if missing else "no run to change")
    return [found[run_id] for run_id in wanted]


def run_rows(connection: Connection, schema: Schema, condition: ColumnElement[bool]) -> list[RunRow]:
    runs = schema.runs
    statement = select(
        runs.c.run_uuid,
        runs.c.name,
        runs.c.experiment_id,
        runs.c.lifecycle_stage,
        schema.optional(runs, "deleted_time"),
    )
    return [RunRow(*row) for row in connection.execute(statement.where(condition)).all()]


def run_labels(connection: Connection, rows: Sequence[RunRow]) -> list[str]:
    """Return the names of the runs: from the column, else the tag, else the id (DATABASE.md#run-names)."""
    unnamed = [(RUN_NAME_TAG, row.run_id) for row in rows if not row.name]
    tags = read_rows(connection, "tags", ("key", "run_uuid"), ("value",), unnamed)
    return [str(row.name or tags.get((RUN_NAME_TAG, row.run_id), (None,))[0] or row.run_id) for row in rows]


def experiments_by_id(connection: Connection, schema: Schema, ids: Iterable[int]) -> dict[int, ExperimentRow]:
    """Return the existing ones among these experiments, by id."""
    wanted, experiments = sorted(set(ids)), schema.experiments
    statement = select(
        experiments.c.experiment_id,
        experiments.c.name,
        experiments.c.lifecycle_stage,
        schema.optional(experiments, "last_update_time"),
        schema.optional(experiments, "workspace"),
    )
    found: dict[int, ExperimentRow] = {}
    for some in chunks(wanted, MAX_BOUND_VALUES):
        rows = connection.execute(statement.where(experiments.c.experiment_id.in_(some))).all()
        found |= {row[0]: ExperimentRow(*row) for row in rows}
    return found


def row_set(
    table_name: str, key_columns: tuple[str, ...], columns: tuple[str, ...], rows: Iterable[RowChange]
) -> RowSet:
    """Return a row set without the rows that the edit does not change."""
    return RowSet(table_name, key_columns, columns, tuple(row for row in rows if row.before != row.after))


def tag_set(
    connection: Connection, table_name: str, key_columns: tuple[str, ...], keys: list[DbValues], value: str | None
) -> RowSet:
    """Return the changes that set the tags with these keys to `value`, or delete the existing ones when it is None."""
    after = None if value is None else (value,)
    before = read_rows(connection, table_name, key_columns, ("value",), keys)
    return row_set(table_name, key_columns, ("value",), (RowChange(key, before.get(key), after) for key in keys))


def without_new_rows(rows: RowSet) -> RowSet:
    """Return the changes of rows that exist, without the rows to be inserted."""
    return replace(rows, rows=tuple(row for row in rows.rows if row.before is not None))


def run_lifecycle(schema: Schema, rows: Iterable[RunRow], stage: str, deleted_time: int | None) -> RowSet:
    """Return the changes that mark these runs, recording every one, even one that has this stage already."""
    if "deleted_time" not in schema.runs.c:
        changes = (RowChange((row.run_id,), (row.lifecycle_stage,), (stage,)) for row in rows)
        return RowSet("runs", ("run_uuid",), ("lifecycle_stage",), tuple(changes))
    after = (stage, deleted_time)
    changes = (RowChange((row.run_id,), (row.lifecycle_stage, row.deleted_time), after) for row in rows)
    return RowSet("runs", ("run_uuid",), ("lifecycle_stage", "deleted_time"), tuple(changes))


def removed_assessments(connection: Connection, schema: Schema, run_ids: Iterable[str]) -> tuple[RowSet, ...]:
    """Return the changes that delete the evaluation results whose source is one of these runs; none before 3.11.

    3.11 deletes them for good together with the run, also when the run is deleted with its experiment, and restoring does not
    bring them back (MLflow pull request #20624). It is recognised by the table `issues`, which came with it. What it does
    beyond that for its opt-in trace rollups is left out, as MLflow itself does where they are not enabled.
    """
    if not (schema.has("assessments") and schema.has("issues")):
        return ()
    source = table("assessments", column("assessment_id"), column("assessment_metadata"))
    # One query for all runs, where MLflow makes one for each.
    marked = source.c.assessment_metadata.contains(_SOURCE_RUN_KEY, autoescape=True)
    wanted, found = set(run_ids), connection.execute(select(source).where(marked)).all()
    keys: list[DbValues] = [(found_id,) for found_id, text in found if not wanted.isdisjoint(_SOURCE_RUN.findall(text))]
    if not keys:
        return ()
    # Releases add columns to this table: the whole row is recorded, so that an undo restores all of it.
    names = connection.execute(select(literal_column("*")).select_from(source).limit(0)).keys()
    others = tuple(name for name in names if name != "assessment_id")
    rows = read_rows(connection, "assessments", ("assessment_id",), others, keys)
    return (row_set("assessments", ("assessment_id",), others, [RowChange(key, rows[key], None) for key in keys]),)


def write_edit(connection: Connection, edit: Edit) -> Edit:
    """Write the rows of an edit, and return the edit."""
    write_rows(connection, edit.row_sets)
    return edit


def check_as_recorded(connection: Connection, edit: Edit) -> None:
    """Raise `MldeckError` when a row is not as the edit left it."""
    if not all(rows_as_recorded(connection, rows) for rows in edit.row_sets):
        raise changed_since(edit)


def changed_since(edit: Edit) -> MldeckError:
    return MldeckError(f"cannot undo, because it was changed since: {edit.summary}")
