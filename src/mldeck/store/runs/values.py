"""One value of each listed run, by which the table is arranged."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, select

from mldeck.model import Column, RunQuery, RunTimes
from mldeck.store.expressions import unindexed
from mldeck.store.runs.records import matches
from mldeck.store.schema import Schema
from mldeck.store.sqlite.reader import read_quickly
from mldeck.store.statements import plain_rows
from mldeck.store.text_match import same_text
from mldeck.store.values import integer_of, text_of


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


def run_times(connection: Connection, schema: Schema, query: RunQuery) -> dict[str, RunTimes]:
    """Return when each run of the query began and how long it took, by run id."""
    statement = select(schema.runs.c.run_uuid, schema.runs.c.start_time, schema.duration).where(matches(schema, query))
    rows = read_quickly(connection, lambda: plain_rows(connection, statement, {}))
    return {text_of(run_id): RunTimes(integer_of(start), integer_of(duration)) for run_id, start, duration in rows}


def has_values(connection: Connection, schema: Schema, query: RunQuery, column: Column) -> bool:
    """Return whether any run of the query has this metric, param or tag."""
    return connection.execute(select_any(schema, query, column)).first() is not None


def select_any(schema: Schema, query: RunQuery, column: Column) -> Select[Any]:
    """Select one value of this metric, param or tag of a run of the query."""
    source, runs = schema.values_of(column.kind), schema.runs
    listed = select(runs.c.run_uuid).where(matches(schema, query))
    # An expression, because otherwise SQLite tries every listed run instead of following the rows of the key.
    run_id = unindexed(source.c.run_uuid)
    return select(source.c.key).where(same_text(source.c.key, column.key), run_id.in_(listed)).limit(1)
