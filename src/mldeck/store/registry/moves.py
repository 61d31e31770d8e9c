"""New versions and changes of stage, as MLflow writes them; see `edits` for what each function expects and raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from mldeck.foreign import load_json
from mldeck.registry.history import Transition, recorded_transitions, transition_key, transition_record
from mldeck.registry.nouns import DELETED_STAGE, NO_STAGE, ModelSource
from mldeck.registry.plan import TransitionPlan, check_as_planned
from mldeck.store.edits.changes import DbValue, RowChange, RowSet
from mldeck.store.edits.db_rows import read_rows, write_rows
from mldeck.store.registry.edits import create_model, version_tag
from mldeck.store.registry.rows import (
    changed_model,
    changed_rows,
    changed_versions,
    check_model,
    greatest_version,
    model_exists,
)
from mldeck.store.registry.rules import check_reason
from mldeck.store.registry.tables import VERSION_TAGS, VERSIONS, RegistryTables
from mldeck.store.registry.versions import versions_of_model
from mldeck.store.schema import Schema

_VERSIONS_TAG = "mlflow.modelVersions"
"""The tag of a logged model that lists the versions registered from it, as JSON."""


@dataclass(frozen=True)
class Registered:
    """A version that was registered."""

    model: str
    version: int
    is_new_model: bool
    """Whether the model was created together with it."""
    notice: str | None = None
    """The failure after the version was registered; None if there was none."""


def register(
    connection: Connection,
    tables: RegistryTables,
    name: str,
    source: ModelSource,
    description: str,
    tags: Mapping[str, str],
    now_ms: int,
) -> Registered:
    """Register the next version of a model; the model is created when it does not exist."""
    is_new = not model_exists(connection, tables, name)
    if is_new:
        create_model(connection, tables, name, "", {}, now_ms)
    check_model(connection, tables, name)
    version = greatest_version(connection, tables, name) + 1
    values: dict[str, DbValue] = {
        "creation_time": now_ms,
        "last_updated_time": now_ms,
        "description": description or None,
        "current_stage": NO_STAGE,
        "source": source.source,
        "run_id": source.run_id,
        "status": "READY",
        "storage_location": source.storage_location,
    }
    present = {key: value for key, value in values.items() if key in tables.versions.c}
    sets = [changed_model(connection, tables, name, last_updated_time=now_ms)]
    columns, key = tables.key_columns("name", "version"), tables.key(name, version)
    sets.append(changed_rows(connection, VERSIONS, columns, {key: present}))
    write_rows(connection, sets)
    write_rows(connection, [version_tag(connection, tables, name, version, key, value) for key, value in tags.items()])
    return Registered(name, version, is_new)


def note_at_logged_model(connection: Connection, schema: Schema, model_id: str, registered: Registered) -> None:
    """Add the version to the logged model's tag, as MLflow's client does (DATABASE.md#version-sources).

    A tag that cannot be parsed is left unchanged; nothing depends on it.
    """
    if not schema.has("logged_models"):
        return
    models = schema.table("logged_models")
    experiment = connection.execute(select(models.c.experiment_id).where(models.c.model_id == model_id)).scalar()
    if experiment is None:
        return
    key = (model_id, _VERSIONS_TAG)
    columns = ("experiment_id", "tag_value")
    before = read_rows(connection, "logged_model_tags", ("model_id", "tag_key"), columns, [key]).get(key)
    try:
        noted = load_json(str(before[1])) if before and before[1] else []
    except ValueError:
        return
    if isinstance(noted, list):
        after = (experiment, json.dumps([*noted, {"name": registered.model, "version": registered.version}]))
        change = RowChange(key, before, after)
        write_rows(connection, [RowSet("logged_model_tags", ("model_id", "tag_key"), columns, (change,))])


def transition(
    connection: Connection,
    tables: RegistryTables,
    plan: TransitionPlan,
    now_ms: int,
    *,
    who: str,
    host: str,
    via: str,
    reason: str,
    record: bool,
) -> Transition:
    """Carry out the plan. Raises `StaleReview` when the model was changed since the plan was made.

    With `record` the transition is also recorded in a tag of the version, when versions have tags (MLflow 1.10 and later).
    """
    check_reason(reason)
    check_model(connection, tables, plan.model)
    versions = versions_of_model(connection, tables, plan.model, deleted=True)
    check_as_planned(plan, [version for version in versions if version.stage != DELETED_STAGE])
    done = Transition(
        version=plan.version,
        before=plan.before,
        after=plan.after,
        when=now_ms,
        who=who,
        host=host,
        via=via,
        reason=reason,
        archived=plan.archived,
        put_back=plan.put_back,
        undo_of=plan.undo_of,
    )
    moved: dict[int, Mapping[str, DbValue]] = {
        move.version: {"current_stage": move.after, "last_updated_time": now_ms} for move in plan.moves
    }
    sets = [changed_versions(connection, tables, plan.model, moved)]
    sets.append(changed_model(connection, tables, plan.model, last_updated_time=now_ms))
    if record and tables.has(VERSION_TAGS):
        key = transition_key(now_ms, recorded_transitions(versions))
        sets.append(version_tag(connection, tables, plan.model, plan.version, key, transition_record(done)))
        done = replace(done, key=key)
    write_rows(connection, sets)
    return done
