"""The tables of the model registry in one database, restricted to one workspace.

Since 3.10 each of them has a column `workspace`, the first of its primary key: a query without it would read the whole table,
and find models of other workspaces.
"""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import ColumnElement, Connection, FromClause, TableClause, and_, or_, select, true

from mldeck.errors import MldeckError
from mldeck.model import DEFAULT_WORKSPACE
from mldeck.registry.nouns import DELETED_STAGE
from mldeck.store.edits.changes import DbValues
from mldeck.store.schema import Schema

MODELS = "registered_models"
VERSIONS = "model_versions"
MODEL_TAGS = "registered_model_tags"
VERSION_TAGS = "model_version_tags"
ALIASES = "registered_model_aliases"

FIRST_RELEASES = {MODELS: "1.4", VERSIONS: "1.4", MODEL_TAGS: "1.10", VERSION_TAGS: "1.10", ALIASES: "2.3"}
"""The first release of MLflow with each table."""

_THINGS = {
    MODELS: "a model registry",
    VERSIONS: "a model registry",
    MODEL_TAGS: "tags of registered models",
    VERSION_TAGS: "tags of model versions",
    ALIASES: "aliases of model versions",
}


class RegistryTables:
    """The tables as one workspace sees them. Raises `MldeckError` for a workspace in a database that has none."""

    def __init__(self, schema: Schema, workspace: str) -> None:
        self.schema = schema
        self.workspace = workspace
        self.has_workspaces = "workspace" in self.models.c
        if workspace != DEFAULT_WORKSPACE and not self.has_workspaces:
            raise MldeckError("this database is from before MLflow 3.10, which has no workspaces")

    def has(self, table_name: str) -> bool:
        return self.schema.has(table_name)

    def require(self, table_name: str) -> None:
        """Raise `MldeckError` when this version of MLflow had no such table."""
        if not self.has(table_name):
            release = FIRST_RELEASES[table_name]
            raise MldeckError(f"this database is from before MLflow {release}, which has no {_bare(table_name)}")

    @cached_property
    def models(self) -> TableClause:
        return self.schema.table(MODELS)

    @cached_property
    def versions(self) -> TableClause:
        return self.schema.table(VERSIONS)

    @cached_property
    def model_tags(self) -> TableClause:
        return self.schema.table(MODEL_TAGS)

    @cached_property
    def version_tags(self) -> TableClause:
        return self.schema.table(VERSION_TAGS)

    @cached_property
    def aliases(self) -> TableClause:
        return self.schema.table(ALIASES)

    def in_workspace(self, table: FromClause) -> ColumnElement[bool]:
        """Return the condition that a row belongs to the workspace."""
        return table.c.workspace == self.workspace if self.has_workspaces else true()

    def of_model(self, table: FromClause, name: str, version: int | None = None) -> ColumnElement[bool]:
        """Return the condition that a row belongs to this model, and to this version when it is given."""
        found = and_(self.in_workspace(table), table.c.name == name)
        return found if version is None else and_(found, table.c.version == version)

    def not_deleted(self) -> ColumnElement[bool]:
        """Return the condition that a version was not deleted."""
        stage = self.versions.c.current_stage
        return or_(stage.is_(None), stage != DELETED_STAGE)

    def key_columns(self, *names: str) -> tuple[str, ...]:
        """Return the columns of a primary key: these, after the workspace where there is one."""
        return ("workspace", *names) if self.has_workspaces else names

    def key(self, *values: str | int) -> DbValues:
        """Return the values of `key_columns`: these, after the workspace where there is one."""
        return (self.workspace, *values) if self.has_workspaces else values


def _bare(table_name: str) -> str:
    return _THINGS[table_name].removeprefix("a ")


def list_workspaces(connection: Connection, schema: Schema, shown: str) -> tuple[str, ...]:
    """Return the names, sorted, of the workspace `shown` and of all that have registered models."""
    models = schema.table(MODELS)
    if "workspace" not in models.c:
        return (shown,)
    found = connection.execute(select(models.c.workspace).distinct()).scalars().all()
    return tuple(sorted({shown, *found}))
