"""One value of each listed run, by which the table is arranged."""

from __future__ import annotations

from sqlalchemy import Connection, select

from mldeck.model import Column, RunQuery
from mldeck.store.expressions import unindexed
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.sqlite.reader import read_quickly
from mldeck.store.statements import plain_rows
from mldeck.store.text_match import same_text
from mldeck.store.values import text_of


def text_values(connection: Connection, schema: Schema, query: RunQuery, column: Column) -> dict[str, str]:
    """Return the param or tag of each run of the query, by run id; runs without it are left out."""
    source = schema.values_of(column.kind)
    runs = schema.runs
    statement = (
        select(source.c.run_uuid, source.c.value)
        .select_from(source.join(runs, runs.c.run_uuid == source.c.run_uuid))
        .where(same_text(source.c.key, column.key), matches(schema, query))
    )
    rows = read_quickly(connection, lambda: plain_rows(connection, statement, {}))
    values = {row[0]: row[1] for row in rows if row[1] is not None}
    # One test for all, because a test of each would take noticeable time.
    if set(map(type, values)) | set(map(type, values.values())) <= {str}:
        return values
    return {text_of(run_id): text_of(value) for run_id, value in values.items()}


def has_values(connection: Connection, schema: Schema, query: RunQuery, column: Column) -> bool:
    """Return whether any run of the query has this metric, param or tag."""
    source, runs = schema.values_of(column.kind), schema.runs
    listed = select(runs.c.run_uuid).where(matches(schema, query))
    # An expression, because otherwise SQLite tries every listed run instead of following the rows of the key.
    run_id = unindexed(source.c.run_uuid)
    statement = select(source.c.key).where(same_text(source.c.key, column.key), run_id.in_(listed)).limit(1)
    return connection.execute(statement).first() is not None
