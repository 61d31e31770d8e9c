"""Reading the versions of registered models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, and_, bindparam, not_, or_, select

from mldeck.registry.history import Event, history_of_model
from mldeck.registry.nouns import DELETED_STAGE, NO_STAGE, ModelVersion
from mldeck.store.registry.models import is_prompt
from mldeck.store.registry.tables import ALIASES, VERSION_TAGS, RegistryTables
from mldeck.store.statements import asked_together, chunks

_OPTIONAL = (
    *("creation_time", "last_updated_time", "run_id", "user_id", "source", "status", "status_message", "run_link"),
    *("storage_location", "description"),
)

VersionKey = tuple[str, int]
"""Name of the model, and number of the version."""


def versions_of_model(
    connection: Connection, tables: RegistryTables, name: str, *, deleted: bool = False
) -> tuple[ModelVersion, ...]:
    """Return the versions of a model, the newest first; with `deleted`, also deleted ones, which keep their tags."""
    condition = tables.of_model(tables.versions, name)
    return _versions(connection, tables, condition if deleted else and_(condition, tables.not_deleted()), name)


def history_of_versions(connection: Connection, tables: RegistryTables, name: str) -> tuple[Event, ...]:
    """Return what happened to the versions of a model, including deleted ones, the oldest event first."""
    versions = versions_of_model(connection, tables, name, deleted=True)
    changed = select(tables.models.c.last_updated_time).where(tables.of_model(tables.models, name))
    return history_of_model(versions, connection.execute(changed).scalar())


def read_version(connection: Connection, tables: RegistryTables, name: str, version: int) -> ModelVersion | None:
    """Return a version; None when it does not exist or was deleted."""
    found = _versions(
        connection, tables, and_(tables.of_model(tables.versions, name, version), tables.not_deleted()), name
    )
    return found[0] if found else None


def versions_of_run(
    connection: Connection, tables: RegistryTables, run_id: str, model_ids: tuple[str, ...] = ()
) -> tuple[ModelVersion, ...]:
    """Return the versions whose source is the run or one of these logged models, the newest first, without prompts."""
    versions = tables.versions
    # Rendered into the statement, because a run may have logged more models than a statement may have bound values.
    sources: BindParameter[Any] = bindparam(
        "sources", [f"models:/{model_id}" for model_id in model_ids], expanding=True, literal_execute=True
    )
    optional = tables.schema.optional
    has_source = or_(optional(versions, "run_id") == run_id, optional(versions, "source").in_(sources))
    condition = and_(
        tables.in_workspace(versions), tables.not_deleted(), has_source, not_(is_prompt(tables, versions.c.name))
    )
    return _versions(connection, tables, condition)


def _versions(
    connection: Connection, tables: RegistryTables, condition: ColumnElement[bool], name: str | None = None
) -> tuple[ModelVersion, ...]:
    """Return the versions that meet the condition, the newest first. `name` is their model, when they are all of one."""
    versions = tables.versions
    statement = select(
        versions.c.name,
        versions.c.version,
        versions.c.current_stage,
        *(tables.schema.optional(versions, key) for key in _OPTIONAL),
    ).where(condition)
    statement = statement.order_by(versions.c.version.desc(), versions.c.name)
    if name is not None:
        names = [name]
        with asked_together(connection, [statement, *_select_tags(tables, names), *_select_aliases(tables, names)]):
            rows = connection.execute(statement).all()
            tags, aliases = _tags(connection, tables, names), _aliases(connection, tables, names)
    else:
        rows = connection.execute(statement).all()
        names = sorted({row.name for row in rows})
        tags, aliases = _tags(connection, tables, names), _aliases(connection, tables, names)
    return tuple(_version(row, tags, aliases) for row in rows if row.version is not None)


def _version(
    row: Row[Any], tags: dict[VersionKey, dict[str, str]], aliases: dict[VersionKey, list[str]]
) -> ModelVersion:
    key = (row.name, row.version)
    gone = row.current_stage == DELETED_STAGE
    return ModelVersion(
        name=row.name,
        version=row.version,
        stage=row.current_stage or NO_STAGE,
        status=row.status or "READY",
        creation_time=row.creation_time,
        last_updated_time=row.last_updated_time,
        description=row.description or None,
        # In a deleted version MLflow has redacted them.
        source=None if gone else row.source or None,
        storage_location=row.storage_location or None,
        run_id=None if gone else row.run_id or None,
        run_link=None if gone else row.run_link or None,
        user_id=row.user_id or None,
        status_message=row.status_message or None,
        tags=tags.get(key, {}),
        aliases=() if gone else tuple(aliases.get(key, ())),
    )


def _tags(connection: Connection, tables: RegistryTables, names: Sequence[str]) -> dict[VersionKey, dict[str, str]]:
    """Return the tags of all versions of these models."""
    found: dict[VersionKey, dict[str, str]] = {}
    for statement in _select_tags(tables, names):
        for name, version, key, value in connection.execute(statement).all():
            found.setdefault((name, version), {})[key] = value or ""
    return found


def _select_tags(tables: RegistryTables, names: Sequence[str]) -> Iterator[Select[Any]]:
    if tables.has(VERSION_TAGS):
        tags = tables.version_tags
        statement = select(tags.c.name, tags.c.version, tags.c.key, tags.c.value).order_by(tags.c.key)
        for some in chunks(names):
            yield statement.where(tables.in_workspace(tags), tags.c.name.in_(some))


def _aliases(connection: Connection, tables: RegistryTables, names: Sequence[str]) -> dict[VersionKey, list[str]]:
    """Return the aliases of all versions of these models, sorted."""
    found: dict[VersionKey, list[str]] = {}
    for statement in _select_aliases(tables, names):
        for name, version, alias in connection.execute(statement).all():
            found.setdefault((name, version), []).append(alias)
    return found


def _select_aliases(tables: RegistryTables, names: Sequence[str]) -> Iterator[Select[Any]]:
    if tables.has(ALIASES):
        aliases = tables.aliases
        statement = select(aliases.c.name, aliases.c.version, aliases.c.alias).order_by(aliases.c.alias)
        for some in chunks(names):
            yield statement.where(tables.in_workspace(aliases), aliases.c.name.in_(some))
