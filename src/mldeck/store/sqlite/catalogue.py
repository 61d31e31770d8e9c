"""The catalogue of a SQLite database: its tables, columns and indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from contextlib import closing
from functools import cache

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from mldeck.store.schema import TABLES_READ, Schema, names_by_table, read_revision

_COLUMNS = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c WHERE c.hidden != 1 AND"
"""`pragma_table_info`, without the x, leaves out generated columns."""
_OF_TABLES = "m.type = 'table'"


def read_schema(connection: Connection, *, as_stored: bool = False) -> Schema:
    """Read what the database offers, in three statements. `as_stored` is explained at `Schema`."""
    columns = _columns_by_table(connection, TABLES_READ)
    revision = read_revision(connection)
    return Schema(columns, _indexes_by_table(connection), revision, as_stored=as_stored)


@cache
def newest_columns() -> Mapping[str, frozenset[str]]:
    """Return the columns of every table that the newest MLflow known to this mldeck makes."""
    from mldeck.store.seed.seed import SCHEMA_FILE

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
        return names_by_table(connection.execute(f"{_COLUMNS} {_OF_TABLES}"))


def _columns_by_table(connection: Connection, views: Collection[str]) -> dict[str, frozenset[str]]:
    """Read the columns of all tables, and of these views, in one query: reflection would read 65 tables one by one.

    When a single one of these views names something that does not exist, the query fails and all views are left out.
    """
    listed = ", ".join(f"'{name}'" for name in views)
    try:
        rows = connection.exec_driver_sql(
            f"{_COLUMNS} ({_OF_TABLES} OR m.type = 'view' AND m.name IN ({listed}))"
        ).all()
    except DBAPIError:
        rows = connection.exec_driver_sql(f"{_COLUMNS} {_OF_TABLES}").all()
    return names_by_table((row[0], row[1]) for row in rows)


def _indexes_by_table(connection: Connection) -> dict[str, frozenset[str]]:
    rows = connection.exec_driver_sql("SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'").all()
    return names_by_table((row[0], row[1]) for row in rows)
