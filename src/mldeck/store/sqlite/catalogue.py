"""The catalogue of a SQLite database: its tables, columns and indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from functools import cache

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from mldeck.store.schema import TABLES_READ, Schema, names_by_table, read_revision

_COLUMNS = "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_xinfo(m.name) AS c WHERE c.hidden != 1 AND"
"""`pragma_table_info`, without the x, leaves out generated columns."""
_OF_TABLES = "m.type = 'table'"
_OF_VIEWS = f"m.type = 'view' AND m.name IN ({', '.join(map(repr, TABLES_READ))})"
CATALOGUE = (
    f"{_COLUMNS} ({_OF_TABLES} OR {_OF_VIEWS})",
    "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index'",
)
"""The statements that read the columns, and the indexes, of all tables."""


def read_schema(connection: Connection, *, as_stored: bool = False) -> Schema:
    """Read what the database offers, in three statements. `as_stored` is explained at `Schema`."""
    columns = _columns_by_table(connection)
    revision = read_revision(connection)
    indexes = names_by_table((row[0], row[1]) for row in connection.exec_driver_sql(CATALOGUE[1]).all())
    return Schema(columns, indexes, revision, as_stored=as_stored)


@cache
def newest_columns() -> Mapping[str, frozenset[str]]:
    """Return the columns of every table that the newest MLflow known to this mldeck makes."""
    from mldeck.store.seed.seed import SCHEMA_FILE

    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA_FILE.read_text(encoding="utf-8"))
        return names_by_table(connection.execute(f"{_COLUMNS} {_OF_TABLES}"))


def _columns_by_table(connection: Connection) -> dict[str, frozenset[str]]:
    """Read the columns of all tables and of some views in one query: reflection would read 65 tables one by one.

    When a single one of these views names something that does not exist, the query fails and all views are left out.
    """
    try:
        rows = connection.exec_driver_sql(CATALOGUE[0]).all()
    except DBAPIError:
        rows = connection.exec_driver_sql(f"{_COLUMNS} {_OF_TABLES}").all()
    return names_by_table((row[0], row[1]) for row in rows)
