"""New versions and changes of stage, as MLflow writes them; see `registry_edits` for what each function expects and does."""

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
"""Of a logged model: JSON of the versions that were registered from it."""


@dataclass(frozen=True)
class Registered:
    """A version that was registered."""

    model: str
    version: int
    is_new_model: bool
    """Whether the model was created with it."""
    notice: str | None = None
    """What went wrong afterwards, in words; the version is registered all the same."""


def register(
    connection: Connection,
    tables: RegistryTables,
    name: str,
    source: ModelSource,
    description: str,
    tags: Mapping[str, str],
    now_ms: int,
) -> Registered:
    """The next version of the model, which is created when there is none of that name."""
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
    write_rows(connection, [version_tag(connection, tables, name, version, *each) for each in tags.items()])
    return Registered(name, version, is_new)


def note_at_logged_model(connection: Connection, schema: Schema, model_id: str, registered: Registered) -> None:
    """As MLflow's client does it (DATABASE.md#version-sources).

    A note that cannot be read is left as it is; without one nothing breaks.
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
    reason: str,
    record: bool,
) -> Transition:
    """Carries the plan out, or raises `StaleReview` when the model is no longer as it was when the plan was made."""
    check_reason(reason)
    check_model(connection, tables, plan.model)
    versions = versions_of_model(connection, tables, plan.model, deleted=True)
    check_as_planned(plan, [each for each in versions if each.stage != DELETED_STAGE])
    done = Transition(
        version=plan.version,
        before=plan.before,
        after=plan.after,
        when=now_ms,
        who=who,
        host=host,
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
