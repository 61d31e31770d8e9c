"""Quick find: the listed runs that contain a text."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, FromClause, and_, or_, select

from mldeck.model import RUN_NAME_TAG, Column, Kind, RunQuery
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.statements import MAX_BOUND_VALUES
from mldeck.store.text_match import among_texts, contains_text


def find_runs(
    connection: Connection, schema: Schema, query: RunQuery, text: str, columns: Sequence[Column]
) -> frozenset[str]:
    """Return the ids of the runs whose name, id, user or status contains the text, or a param or tag among `columns`.

    The case of letters is ignored as `contains_text` does. Raises `SearchError` for a bad filter in the query.
    """
    runs = schema.runs
    attributes = (schema.optional(runs, name) for name in ("run_uuid", "name", "user_id", "status"))
    params = tuple(column.key for column in columns if column.kind is Kind.PARAM)
    tags = tuple(column.key for column in columns if column.kind is Kind.TAG)
    found = or_(
        *(contains_text(attribute, text) for attribute in attributes),
        runs.c.run_uuid.in_(_having(schema.params, params, text)),
        runs.c.run_uuid.in_(_having(schema.tags, (*tags, RUN_NAME_TAG), text)),
    )
    return frozenset(connection.execute(select(runs.c.run_uuid).where(matches(schema, query), found)).scalars().all())


def _having(table: FromClause, keys: Sequence[str], text: str) -> ColumnElement[str]:
    contains = contains_text(table.c.value, text)
    # Keys that are too many to list in a statement are nearly all that exist.
    condition = and_(among_texts(table.c.key, keys), contains) if len(keys) < MAX_BOUND_VALUES // 2 else contains
    return select(table.c.run_uuid).where(condition).scalar_subquery()
