"""Completions for a search that come from the database: keys, and values of a key."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import CTE, Connection, FromClause, func, not_, select

from mldeck.format import NUMBER_WORDS
from mldeck.model import Kind, RunQuery
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.text_match import as_number, exactly, same_text

_MAX_KEYS = 20_000
_VALUE_ROWS = 5_000
"""Most rows of a key that are read for its values: enough for the common ones, and quick in any store."""


def list_keys(connection: Connection, schema: Schema, kind: Kind, sample_ids: Sequence[str]) -> list[str]:
    """Return the keys of a kind in this database: those that most of the sample runs have come first, the others by name.

    The primary key begins with the key, so the search skips from key to key: one access per key, not per row
    (DATABASE.md#indexes-and-query-plans, rule 2).
    """
    source = schema.values_of(kind)
    counts: dict[str, int] = {}
    if sample_ids:
        key = exactly(source.c.key)
        counted = select(key, func.count()).where(source.c.run_uuid.in_(sample_ids)).group_by(key)
        counts = {row[0]: row[1] for row in connection.execute(counted).all()}
    return sorted({*_all_keys(connection, schema, source), *counts}, key=lambda key: (-counts.get(key, 0), key))


def _all_keys(connection: Connection, schema: Schema, source: FromClause) -> list[str]:
    found = found_keys(schema, source)
    rows = connection.execute(select(found.c.key).where(found.c.key.is_not(None)).limit(_MAX_KEYS))
    return list(rows.scalars().all())


def found_keys(schema: Schema, source: FromClause) -> CTE:
    """Return a CTE with a column `key`: each key of the table once, found key by key, and perhaps a NULL at the end.

    Keys that only differ in what a collation of MySQL does not tell apart, such as their case, are one of them.
    """
    if schema.traits.lists_keys_by_distinct:
        return select(source.c.key).distinct().cte("found")
    first = select(func.min(source.c.key).label("key"))
    found = first.cte("found", recursive=True)
    following = select(func.min(source.c.key)).where(source.c.key > found.c.key).scalar_subquery()
    return found.union_all(select(following).where(found.c.key.is_not(None)))


def list_values(connection: Connection, schema: Schema, kind: Kind, key: str, limit: int) -> list[str]:
    """Return the values of a param or tag, the most frequent first."""
    source = schema.values_of(kind)
    some = select(source.c.value).where(same_text(source.c.key, key)).limit(_VALUE_ROWS).subquery()
    value = some.c.value if kind is Kind.METRIC else exactly(some.c.value)
    statement = select(value.label("value")).group_by(value).order_by(func.count().desc(), value).limit(limit)
    return [value for value in connection.execute(statement).scalars().all() if value is not None]


def is_numeric(connection: Connection, schema: Schema, query: RunQuery, kind: Kind, key: str) -> bool:
    """Return whether the runs of the query have values of this param or tag, and all are numbers, as `numbers_of` defines."""
    source = schema.values_of(kind)
    runs = schema.runs
    values = (
        select(source.c.value)
        .select_from(source.join(runs, runs.c.run_uuid == source.c.run_uuid))
        .where(same_text(source.c.key, key), matches(schema, query))
    )
    number = as_number(source.c.value)
    word = func.lower(func.trim(source.c.value)).in_(tuple(NUMBER_WORDS))
    text = connection.execute(values.where(number.is_(None), not_(word)).limit(1)).first()
    return text is None and connection.execute(values.where(number.is_not(None)).limit(1)).first() is not None
