"""Quick find: the listed runs that contain a text."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from sqlalchemy import ColumnElement, Connection, FromClause, String, and_, func, or_, select

from mldeck.model import RUN_NAME_TAG, Column, Kind, RunQuery
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.statements import MAX_BOUND_VALUES

_ESCAPE = "\\"
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def find_runs(
    connection: Connection, schema: Schema, query: RunQuery, text: str, columns: Sequence[Column]
) -> frozenset[str]:
    """Return the ids of the runs whose name, id, user or status contains the text, or a param or tag among `columns`.

    The case of ASCII letters is ignored, as by SQLite's `lower`. Raises `SearchError` for a bad filter in the query.
    """
    runs = schema.runs
    attributes = (schema.optional(runs, name) for name in ("run_uuid", "name", "user_id", "status"))
    params = tuple(column.key for column in columns if column.kind is Kind.PARAM)
    tags = tuple(column.key for column in columns if column.kind is Kind.TAG)
    found = or_(
        *(_contains(attribute, text) for attribute in attributes),
        runs.c.run_uuid.in_(_having(schema.params, params, text)),
        runs.c.run_uuid.in_(_having(schema.tags, (*tags, RUN_NAME_TAG), text)),
    )
    return frozenset(connection.execute(select(runs.c.run_uuid).where(matches(schema, query), found)).scalars().all())


def _having(table: FromClause, keys: Sequence[str], text: str) -> ColumnElement[str]:
    contains = _contains(table.c.value, text)
    # Keys that are too many to list in a statement are nearly all that exist.
    condition = and_(table.c.key.in_(keys), contains) if len(keys) < MAX_BOUND_VALUES // 2 else contains
    return select(table.c.run_uuid).where(condition).scalar_subquery()


def _contains(value: ColumnElement[str], text: str) -> ColumnElement[bool]:
    # Lowercased as SQLite does it, because otherwise a text with an Ü would not be found.
    lowered = text.translate(_LOWER)
    escaped = "".join(f"{_ESCAPE}{letter}" if letter in ("%", "_", _ESCAPE) else letter for letter in lowered)
    return func.lower(value, type_=String()).like(f"%{escaped}%", escape=_ESCAPE)
