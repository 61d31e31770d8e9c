"""Changing the registry as MLflow does: models, descriptions, tags, aliases. New versions and stages are in `moves`.

Each function expects a connection in a transaction, reads the present state, and writes the rows that MLflow itself
would write (DATABASE.md#registry; 3.17's `SqlAlchemyStore` where that is silent). What MLflow refuses raises
`MldeckError` naming the object. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, FromClause, select, update

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.registry.nouns import DELETED_STAGE
from mldeck.store.edits.changes import DbValue, DbValues, Edit, EditKind, RowChange, RowSet
from mldeck.store.edits.db_rows import read_rows, written_rows
from mldeck.store.edits.rows import check_as_recorded, row_set, tag_set, write_edit
from mldeck.store.registry.rows import (
    changed_model,
    changed_rows,
    changed_versions,
    check_model,
    check_name_is_free,
    found_version,
    greatest_version,
    model_edit,
    removed_rows,
)
from mldeck.store.registry.rules import (
    MAX_OLD_TAG_LENGTH,
    MAX_TAG_LENGTH,
    check_alias,
    check_model_name,
    check_registry_tag,
)
from mldeck.store.registry.tables import ALIASES, MODEL_TAGS, MODELS, VERSION_TAGS, VERSIONS, RegistryTables

_REDACTED: Mapping[str, DbValue] = {
    "description": None,
    "user_id": None,
    "source": "REDACTED-SOURCE-PATH",
    "run_id": "REDACTED-RUN-ID",
    "run_link": "REDACTED-RUN-LINK",
    "status_message": None,
}
"""The values that MLflow puts into a deleted version, by column; some columns do not exist in all versions."""


def create_model(
    connection: Connection,
    tables: RegistryTables,
    name: str,
    description: str,
    tags: Mapping[str, str],
    now_ms: int,
) -> Edit:
    check_model_name(name)
    check_name_is_free(connection, tables, name)
    _check_workspace(connection, tables)
    new: dict[str, DbValue] = {
        "creation_time": now_ms,
        "last_updated_time": now_ms,
        "description": description or None,
    }
    sets = [changed_rows(connection, MODELS, tables.key_columns("name"), {tables.key(name): new})]
    sets += [model_tag(connection, tables, name, key, value) for key, value in tags.items()]
    refusal = "MLflow cannot undo the creation of a model; delete it instead"
    return write_edit(connection, model_edit(EditKind.CREATE, name, f"created model {safe(name)}", sets, refusal))


def set_model_description(connection: Connection, tables: RegistryTables, name: str, text: str, now_ms: int) -> Edit:
    check_model(connection, tables, name)
    sets = [changed_model(connection, tables, name, description=text, last_updated_time=now_ms)]
    summary = f"{'changed' if text else 'cleared'} the description of model {safe(name)}"
    return write_edit(connection, model_edit(EditKind.NOTE, name, summary, sets))


def set_version_description(
    connection: Connection, tables: RegistryTables, name: str, version: int, text: str, now_ms: int
) -> Edit:
    """Set the description of a version. MLflow does not update the model's time of change."""
    found_version(connection, tables, name, version)
    new: dict[str, DbValue] = {"description": text, "last_updated_time": now_ms}
    sets = [changed_versions(connection, tables, name, {version: new})]
    summary = f"{'changed' if text else 'cleared'} the description of {_in_words(name, version)}"
    return write_edit(connection, model_edit(EditKind.NOTE, name, summary, sets))


def set_model_tag(connection: Connection, tables: RegistryTables, name: str, key: str, value: str) -> Edit:
    check_model(connection, tables, name)
    sets = [model_tag(connection, tables, name, key, value)]
    return write_edit(
        connection, model_edit(EditKind.SET_TAG, name, f"set tag {safe(key)} of model {safe(name)}", sets)
    )


def delete_model_tag(connection: Connection, tables: RegistryTables, name: str, key: str) -> Edit:
    """Delete a tag. A missing tag is no error, as in MLflow."""
    tables.require(MODEL_TAGS)
    check_model(connection, tables, name)
    sets = [tag_set(connection, MODEL_TAGS, tables.key_columns("key", "name"), [tables.key(key, name)], None)]
    summary = f"deleted tag {safe(key)} of model {safe(name)}"
    return write_edit(connection, model_edit(EditKind.DELETE_TAG, name, summary, sets))


def set_version_tag(
    connection: Connection, tables: RegistryTables, name: str, version: int, key: str, value: str
) -> Edit:
    found_version(connection, tables, name, version)
    sets = [version_tag(connection, tables, name, version, key, value)]
    summary = f"set tag {safe(key)} of {_in_words(name, version)}"
    return write_edit(connection, model_edit(EditKind.SET_TAG, name, summary, sets))


def delete_version_tag(connection: Connection, tables: RegistryTables, name: str, version: int, key: str) -> Edit:
    """Delete a tag. A missing tag is no error, as in MLflow."""
    tables.require(VERSION_TAGS)
    found_version(connection, tables, name, version)
    columns = tables.key_columns("key", "name", "version")
    sets = [tag_set(connection, VERSION_TAGS, columns, [tables.key(key, name, version)], None)]
    summary = f"deleted tag {safe(key)} of {_in_words(name, version)}"
    return write_edit(connection, model_edit(EditKind.DELETE_TAG, name, summary, sets))


def model_tag(connection: Connection, tables: RegistryTables, name: str, key: str, value: str) -> RowSet:
    tables.require(MODEL_TAGS)
    check_registry_tag(key, value, _tag_limit(tables))
    return tag_set(connection, MODEL_TAGS, tables.key_columns("key", "name"), [tables.key(key, name)], value)


def version_tag(
    connection: Connection, tables: RegistryTables, name: str, version: int, key: str, value: str
) -> RowSet:
    tables.require(VERSION_TAGS)
    check_registry_tag(key, value, _tag_limit(tables))
    columns = tables.key_columns("key", "name", "version")
    return tag_set(connection, VERSION_TAGS, columns, [tables.key(key, name, version)], value)


def set_alias(connection: Connection, tables: RegistryTables, name: str, alias: str, version: int) -> Edit:
    """Let the alias refer to a version; it is moved when it refers to another one."""
    tables.require(ALIASES)
    check_alias(alias)
    found_version(connection, tables, name, version)
    columns, key = tables.key_columns("name", "alias"), tables.key(name, alias)
    sets = [changed_rows(connection, ALIASES, columns, {key: {"version": version}})]
    return write_edit(
        connection, model_edit(EditKind.ALIAS, name, f"set alias {alias} to {_in_words(name, version)}", sets)
    )


def delete_alias(connection: Connection, tables: RegistryTables, name: str, alias: str) -> Edit:
    """Delete an alias. A missing one is no error, as in MLflow, and it may refer to a deleted version."""
    tables.require(ALIASES)
    check_model(connection, tables, name)
    columns, key = tables.key_columns("name", "alias"), tables.key(name, alias)
    before = read_rows(connection, ALIASES, columns, ("version",), [key]).get(key)
    sets = [row_set(ALIASES, columns, ("version",), [RowChange(key, before, None)])]
    summary = f"deleted alias {safe(alias)} of model {safe(name)}"
    return write_edit(connection, model_edit(EditKind.ALIAS, name, summary, sets))


def rename_model(connection: Connection, tables: RegistryTables, name: str, new_name: str, now_ms: int) -> Edit:
    """Rename a model. The database's foreign keys rename it in versions, tags and aliases."""
    check_model_name(new_name)
    check_model(connection, tables, name)
    if new_name != name:
        check_name_is_free(connection, tables, new_name)
        if greatest_version(connection, tables, new_name):
            raise MldeckError(f"there are versions called {safe(new_name)} already, without a registered model")
    models, versions = tables.models, tables.versions
    connection.execute(
        update(models).where(tables.of_model(models, name)).values(name=new_name, last_updated_time=now_ms)
    )
    connection.execute(update(versions).where(tables.of_model(versions, new_name)).values(last_updated_time=now_ms))
    renamed = RowChange(tables.key(new_name), None, (now_ms,))
    written_rows(connection).append(RowSet(MODELS, tables.key_columns("name"), ("last_updated_time",), (renamed,)))
    summary = f"renamed model {safe(name)} to {safe(new_name)}"
    refusal = f"to undo it, rename model {safe(new_name)} to {safe(name)}"
    return model_edit(EditKind.RENAME, new_name, summary, (), refusal)


def delete_version(connection: Connection, tables: RegistryTables, name: str, version: int, now_ms: int) -> Edit:
    """Delete a version and its aliases. Its row stays, redacted, so that its number is not used again.

    MLflow before 3.17 intends to remove the aliases too, but leaves them behind.
    """
    found = found_version(connection, tables, name, version)
    present = {key: value for key, value in _REDACTED.items() if key in tables.versions.c}
    gone = {"current_stage": DELETED_STAGE, "last_updated_time": now_ms, **present}
    sets = [changed_versions(connection, tables, name, {version: gone})]
    sets.append(changed_model(connection, tables, name, last_updated_time=now_ms))
    if found.aliases:
        keys = [tables.key(name, alias) for alias in found.aliases]
        sets.append(removed_rows(connection, ALIASES, tables.aliases, tables.key_columns("name", "alias"), keys))
    return write_edit(connection, model_edit(EditKind.DELETE, name, f"deleted {_in_words(name, version)}", sets))


def delete_model(connection: Connection, tables: RegistryTables, name: str) -> Edit:
    """Delete a model and all that belongs to it. When its name is used again, MLflow starts with version 1."""
    check_model(connection, tables, name)
    owned: tuple[tuple[str, FromClause, tuple[str, ...]], ...] = (
        (VERSION_TAGS, tables.version_tags, ("key", "name", "version")),
        (VERSIONS, tables.versions, ("name", "version")),
        (MODEL_TAGS, tables.model_tags, ("key", "name")),
        (ALIASES, tables.aliases, ("name", "alias")),
        (MODELS, tables.models, ("name",)),
    )
    sets = [
        removed_rows(connection, table_name, table, columns, _keys(connection, tables, table, name, columns))
        for table_name, table, names in owned
        if tables.has(table_name)
        for columns in (tables.key_columns(*names),)
    ]
    return write_edit(connection, model_edit(EditKind.DELETE, name, f"deleted model {safe(name)}", sets))


def undo_model_edit(connection: Connection, edit: Edit) -> Edit:
    """Restore every row. Raises `MldeckError` when one was changed since, or when the edit cannot be undone."""
    if edit.undo_refusal:
        raise MldeckError(edit.undo_refusal)
    check_as_recorded(connection, edit)
    return write_edit(connection, edit.inverse())


def _keys(
    connection: Connection, tables: RegistryTables, table: FromClause, name: str, columns: tuple[str, ...]
) -> list[DbValues]:
    statement = select(*(table.c[column] for column in columns)).where(tables.of_model(table, name))
    return [
        tuple(row) for row in connection.execute(statement.order_by(*(table.c[column] for column in columns))).all()
    ]


def _check_workspace(connection: Connection, tables: RegistryTables) -> None:
    """Raise `MldeckError` when MLflow does not know the workspace."""
    if not tables.has_workspaces:
        return
    workspaces = tables.schema.table("workspaces")
    if connection.execute(select(workspaces.c.name).where(workspaces.c.name == tables.workspace)).first() is None:
        raise MldeckError(f"there is no workspace {safe(tables.workspace)}")


def _tag_limit(tables: RegistryTables) -> int:
    """Return the longest tag value of this release; 3.0 is recognised by a table that came with it."""
    return MAX_TAG_LENGTH if tables.has("logged_models") else MAX_OLD_TAG_LENGTH


def _in_words(name: str, version: int) -> str:
    return f"version {version} of {safe(name)}"
