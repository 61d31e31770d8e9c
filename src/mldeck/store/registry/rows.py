"""The common parts of changing the registry: reading the present state under the lock, and turning a change into rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, FromClause, Select, func, select

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.registry.nouns import ModelVersion
from mldeck.store.edits.changes import DbValue, DbValues, Edit, EditKind, EditSubject, RowChange, RowSet
from mldeck.store.edits.db_rows import read_rows
from mldeck.store.registry.models import is_prompt
from mldeck.store.registry.tables import MODELS, VERSIONS, RegistryTables
from mldeck.store.registry.versions import read_version
from mldeck.store.statements import asked_together


def model_exists(connection: Connection, tables: RegistryTables, name: str) -> bool:
    return connection.execute(_model(tables, name)).first() is not None


def _model(tables: RegistryTables, name: str) -> Select[tuple[Any]]:
    return select(tables.models.c.name).where(tables.of_model(tables.models, name))


def check_no_prompt(connection: Connection, tables: RegistryTables, name: str) -> None:
    """Raise `MldeckError` if the name is that of a prompt."""
    if connection.execute(select(is_prompt(tables, name))).scalar():
        raise MldeckError(f"{safe(name)} is a prompt, not a model")


def check_model(connection: Connection, tables: RegistryTables, name: str) -> None:
    """Raises `MldeckError` unless there is a registered model of that name that can be changed."""
    with asked_together(connection, (select(is_prompt(tables, name)), _model(tables, name))):
        check_no_prompt(connection, tables, name)
        if model_exists(connection, tables, name):
            return
    if greatest_version(connection, tables, name):
        raise MldeckError(
            f"the versions called {safe(name)} have no registered model, so MLflow cannot change them; "
            "create a model of that name to adopt them"
        )
    raise MldeckError(f"there is no registered model {safe(name)} (any more)")


def check_name_is_free(connection: Connection, tables: RegistryTables, name: str) -> None:
    """Raise `MldeckError` when a model or a prompt has the name."""
    if model_exists(connection, tables, name):
        kind = "prompt" if connection.execute(select(is_prompt(tables, name))).scalar() else "registered model"
        raise MldeckError(f"there is a {kind} {safe(name)} already")


def found_version(connection: Connection, tables: RegistryTables, name: str, version: int) -> ModelVersion:
    """Return the version. Raises `MldeckError` unless it exists, is not deleted, and can be changed."""
    check_model(connection, tables, name)
    found = read_version(connection, tables, name, version)
    if found is None:
        raise MldeckError(f"there is no version {version} of {safe(name)} (any more)")
    return found


def greatest_version(connection: Connection, tables: RegistryTables, name: str) -> int:
    """Return the greatest version number, counting deleted versions; 0 when there is none."""
    versions = tables.versions
    found = connection.execute(select(func.max(versions.c.version)).where(tables.of_model(versions, name))).scalar()
    return found or 0


def changed_model(connection: Connection, tables: RegistryTables, name: str, **new: DbValue) -> RowSet:
    return changed_rows(connection, MODELS, tables.key_columns("name"), {tables.key(name): new})


def changed_versions(
    connection: Connection, tables: RegistryTables, name: str, new: Mapping[int, Mapping[str, DbValue]]
) -> RowSet:
    """Return the changes of versions to the `new` values, by version number and column. All have the same columns."""
    rows = {tables.key(name, version): values for version, values in new.items()}
    return changed_rows(connection, VERSIONS, tables.key_columns("name", "version"), rows)


def changed_rows(
    connection: Connection,
    table_name: str,
    key_columns: tuple[str, ...],
    new: Mapping[DbValues, Mapping[str, DbValue]],
) -> RowSet:
    """Return the changes of rows to `new` values, by key and column; missing rows are inserted. All have the same columns."""
    columns = tuple(next(iter(new.values())))
    before = read_rows(connection, table_name, key_columns, columns, new)
    rows = (RowChange(key, before.get(key), tuple(values.values())) for key, values in new.items())
    return RowSet(table_name, key_columns, columns, tuple(rows))


def removed_rows(
    connection: Connection, table_name: str, table: FromClause, key_columns: tuple[str, ...], keys: Sequence[DbValues]
) -> RowSet:
    """Return the deletions of rows, each recorded as a whole so that an undo can restore it."""
    columns = tuple(sorted(set(table.c.keys()) - set(key_columns)))
    before = read_rows(connection, table_name, key_columns, columns, keys)
    return RowSet(table_name, key_columns, columns, tuple(RowChange(key, before[key], None) for key in keys))


def model_edit(
    kind: EditKind, name: str, summary: str, row_sets: Iterable[RowSet], undo_refusal: str | None = None
) -> Edit:
    return Edit(kind, EditSubject.MODEL, (name,), summary, tuple(row_sets), undo_refusal)
