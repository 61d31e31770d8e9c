"""Reading experiments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select

from mldeck.model import NOTE_TAG, Experiment, View
from mldeck.store.schema import Schema
from mldeck.store.statements import asked_together


def list_experiments(connection: Connection, schema: Schema, view: View) -> list[Experiment]:
    """Return the experiments in MLflow's default order (DATABASE.md#order).

    The newest come first, those without a creation time last, then the id decides.
    """
    experiments_read, notes_read = select_experiments(schema, view), select_notes(schema)
    with asked_together(connection, (experiments_read, *notes_read)):
        rows = connection.execute(experiments_read).all()
        notes = {row.experiment_id: row.value for statement in notes_read for row in connection.execute(statement)}
    experiments = [
        Experiment(
            experiment_id=str(row.experiment_id),
            name=row.name,
            lifecycle_stage=row.lifecycle_stage,
            artifact_location=row.artifact_location or None,
            creation_time=row.creation_time,
            last_update_time=row.last_update_time,
            note=notes.get(row.experiment_id) or None,
            workspace=row.workspace or None,
        )
        for row in rows
        if row.experiment_id is not None
    ]
    return sorted(experiments, key=lambda found: (-(found.creation_time or 0), int(found.experiment_id)))


def select_experiments(schema: Schema, view: View) -> Select[Any]:
    """Select the experiments by id, which is the first column."""
    table = schema.experiments
    statement = select(
        table.c.experiment_id,
        table.c.name,
        table.c.lifecycle_stage,
        schema.optional(table, "artifact_location"),
        schema.optional(table, "creation_time"),
        schema.optional(table, "last_update_time"),
        schema.optional(table, "workspace"),
    )
    if view is not View.ALL:
        statement = statement.where(table.c.lifecycle_stage == view.value)
    return statement.order_by(table.c.experiment_id)


def select_notes(schema: Schema) -> tuple[Select[Any], ...]:
    """Select (experiment id, note); nothing where experiments have no tags."""
    if not schema.has("experiment_tags"):
        return ()
    tags = schema.experiment_tags
    return (select(tags.c.experiment_id, tags.c.value).where(tags.c.key == NOTE_TAG),)
