"""Reading registered models: MLflow's `search_registered_models`, and what a list shows of each model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
    union,
)

from mldeck.registry.nouns import NO_STAGE, ModelOrder, ModelQuery, RegisteredModel
from mldeck.search.tree import PRESENCE, And, Comparison, Entity, NameMatch, Node, Not, Operator, Or
from mldeck.store.registry.tables import ALIASES, MODEL_TAGS, RegistryTables
from mldeck.store.runs.filter import check_characters, compare_text
from mldeck.store.statements import asked_together
from mldeck.store.text_match import exact

IS_PROMPT_TAG = "mlflow.prompt.is_prompt"
"""Marks prompts, which MLflow 2.21 and later store in the tables of the registry."""


def list_models(connection: Connection, tables: RegistryTables, query: ModelQuery) -> list[RegisteredModel]:
    """Return the models in the order of the query, without prompts, but with orphans: names of versions without a model.

    Raises `SearchError` if the filter cannot be parsed.
    """
    names = _names(tables)
    found = _models(connection, tables, names, _search(query.filter, tables, names.c.name))
    if query.order is ModelOrder.NAME:
        return sorted(found, key=lambda model: model.name, reverse=query.descending)
    by_name = sorted(found, key=lambda model: model.name)
    return sorted(by_name, key=lambda model: model.last_updated_time or 0, reverse=query.descending)


def read_model(connection: Connection, tables: RegistryTables, name: str) -> RegisteredModel | None:
    """Return a model; None when it does not exist or is a prompt."""
    names = _names(tables)
    found = _models(connection, tables, names, names.c.name == name, name)
    return found[0] if found else None


def is_prompt(tables: RegistryTables, name: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Return the condition that the model of this name is a prompt."""
    if not tables.has(MODEL_TAGS):
        return false()
    tags = tables.model_tags
    return exists().where(
        tables.in_workspace(tags), tags.c.name == name, tags.c.key == IS_PROMPT_TAG, tags.c.value == "true"
    )


def _names(tables: RegistryTables) -> FromClause:
    """Return a subquery of the names of all models, and of versions without one.

    MLflow 1.8 and earlier left versions under the old name of a renamed model.
    """
    models, versions = tables.models, tables.versions
    of_models = select(models.c.name).where(tables.in_workspace(models))
    of_versions = select(versions.c.name).where(tables.in_workspace(versions), tables.not_deleted())
    return union(of_models, of_versions).subquery("names")


def _models(
    connection: Connection,
    tables: RegistryTables,
    names: FromClause,
    condition: ColumnElement[bool],
    name: str | None = None,
) -> list[RegisteredModel]:
    """Return the models that meet the condition, in no particular order.

    `name` is given when the condition is about one model, so that only its rows are read.
    """
    models = tables.models
    statement = (
        select(
            names.c.name,
            *(tables.schema.optional(models, key) for key in ("creation_time", "last_updated_time", "description")),
            models.c.name.is_(None),
        )
        .select_from(names.outerjoin(models, and_(tables.in_workspace(models), models.c.name == names.c.name)))
        .where(condition, not_(is_prompt(tables, names.c.name)))
    )
    stages_read, tags_read, aliases_read = (
        _select_stages(tables, name),
        _select_tags(tables, name),
        _select_aliases(tables, name),
    )
    with asked_together(connection, (statement, stages_read, *tags_read, *aliases_read)):
        rows = connection.execute(statement).all()
        stages = _by_name(connection.execute(stages_read).all())
        pairs = _by_name(row for read in tags_read for row in connection.execute(read))
        aliases = _by_name(row for read in aliases_read for row in connection.execute(read))
    tags = {model: {key: value or "" for key, value in some} for model, some in pairs.items()}
    return [_model(row, stages.get(row[0], []), tags.get(row[0], {}), aliases.get(row[0], [])) for row in rows]


# Below, rows are unpacked by position, because access by name takes longer than reading them.


def _model(
    row: Any, stages: Sequence[Sequence[Any]], tags: dict[str, str], aliases: Sequence[Sequence[Any]]
) -> RegisteredModel:
    name, created, changed, description, is_orphan = row
    latest: dict[str, int] = {}
    count = 0
    for stage, newest, count_in_stage, changed_in_stage in stages:
        if newest is not None:
            latest[stage or NO_STAGE] = newest
        count += count_in_stage
        if is_orphan and changed_in_stage is not None:
            changed = max(changed or changed_in_stage, changed_in_stage)
    return RegisteredModel(
        name=name,
        creation_time=created,
        last_updated_time=changed,
        description=description or None,
        tags=tags,
        aliases={alias: version for alias, version, present in aliases if present is not None},
        dangling_aliases={alias: version for alias, version, present in aliases if present is None and version},
        latest=latest,
        version_count=count,
        is_orphan=bool(is_orphan),
    )


def _select_stages(tables: RegistryTables, name: str | None) -> Select[Any]:
    """Select (model, stage, newest version, number of versions, last change in ms) of each stage that has versions."""
    versions = tables.versions
    return (
        select(
            versions.c.name,
            versions.c.current_stage,
            func.max(versions.c.version),
            func.count(),
            func.max(tables.schema.optional(versions, "last_updated_time")),
        )
        .where(_where(tables, versions, name), tables.not_deleted())
        .group_by(versions.c.name, versions.c.current_stage)
    )


def _select_tags(tables: RegistryTables, name: str | None) -> tuple[Select[Any], ...]:
    """Select (model, key, value); nothing where models have no tags."""
    if not tables.has(MODEL_TAGS):
        return ()
    tags = tables.model_tags
    return (select(tags.c.name, tags.c.key, tags.c.value).where(_where(tables, tags, name)).order_by(tags.c.key),)


def _select_aliases(tables: RegistryTables, name: str | None) -> tuple[Select[Any], ...]:
    """Select (model, alias, version number, the same number or NULL when that version was deleted)."""
    if not tables.has(ALIASES):
        return ()
    aliases, versions = tables.aliases, tables.versions
    meant = and_(
        tables.in_workspace(versions),
        versions.c.name == aliases.c.name,
        versions.c.version == aliases.c.version,
        tables.not_deleted(),
    )
    return (
        select(aliases.c.name, aliases.c.alias, aliases.c.version, versions.c.version)
        .select_from(aliases.outerjoin(versions, meant))
        .where(_where(tables, aliases, name))
        .order_by(aliases.c.alias),
    )


def _where(tables: RegistryTables, table: FromClause, name: str | None) -> ColumnElement[bool]:
    return tables.in_workspace(table) if name is None else tables.of_model(table, name)


def _by_name(rows: Iterable[Any]) -> dict[str, list[Sequence[Any]]]:
    """Return, by the first column, the other columns of each row, in the order of the rows."""
    found: dict[str, list[Sequence[Any]]] = {}
    for name, *values in rows:
        found.setdefault(name, []).append(values)
    return found


def _search(text: str, tables: RegistryTables, name: ColumnElement[str]) -> ColumnElement[bool]:
    if not text.strip():
        return true()
    # Imported here because most reads of a registry need no parser.
    from mldeck.search.language import MODELS as SEARCH_FOR_MODELS
    from mldeck.search.parse import parse

    check_characters(text, tables.schema)
    return _condition(parse(text, SEARCH_FOR_MODELS), tables, name)


def _condition(tree: Node, tables: RegistryTables, name: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the search finds the model of this name, by the same rules as a search for runs."""
    if isinstance(tree, And):
        return and_(true(), *(_condition(item, tables, name) for item in tree.items))
    if isinstance(tree, Or):
        return or_(false(), *(_condition(item, tables, name) for item in tree.items))
    if isinstance(tree, Not):
        return not_(_condition(tree.item, tables, name))
    if isinstance(tree, NameMatch):
        return name.icontains(tree.word, autoescape=True)
    if tree.kind is Entity.TAG:
        return _tag_condition(tree, tables, name)
    if tree.operator in PRESENCE:
        return true() if tree.operator is Operator.IS_NOT_NULL else false()
    return compare_text(name, tree.operator, tree.value)


def _tag_condition(clause: Comparison, tables: RegistryTables, name: ColumnElement[str]) -> ColumnElement[bool]:
    if clause.key == IS_PROMPT_TAG:
        return false() if _wants_prompts(clause) else true()
    if not tables.has(MODEL_TAGS):
        return true() if clause.operator is Operator.IS_NULL else false()
    tags = tables.model_tags
    found = and_(tables.in_workspace(tags), tags.c.name == name, exact(tags.c.key) == clause.key)
    if clause.operator is Operator.IS_NULL:
        return not_(exists().where(found))
    if clause.operator is not Operator.IS_NOT_NULL:
        found = and_(found, compare_text(tags.c.value, clause.operator, clause.value))
    return exists().where(found)


def _wants_prompts(clause: Comparison) -> bool:
    """Return whether MLflow lists prompts for this clause about their tag; otherwise it lists models, which lack the tag."""
    if clause.operator in PRESENCE:
        return clause.operator is Operator.IS_NOT_NULL
    values = {str(value).lower() for value in (clause.value if isinstance(clause.value, tuple) else (clause.value,))}
    if clause.operator in (Operator.EQ, Operator.IN):
        return "true" in values
    return clause.operator in (Operator.NE, Operator.NOT_IN) and "false" in values
