"""Databases with MLflow's tables on a server, filled with the rows of SQLite stores."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.servers.database_server import SCHEMAS, DatabaseServer, Row

NEWEST = "dc11669786a5"
"""The revision of MLflow 3.17."""

_numbers = itertools.count()


class Database:
    """A database with the tables of one revision of MLflow."""

    def __init__(self, server: DatabaseServer, revision: str) -> None:
        self.server = server
        self.name = f"mlflow_{revision}_{next(_numbers)}"
        self.revision = revision
        server.create(self.name)
        server.run_script(self.name, (SCHEMAS / server.kind / f"{revision}.sql").read_text(encoding="utf-8"))
        self._columns = server.columns(self.name)
        self._filled = {"alembic_version"}

    @property
    def url(self) -> str:
        """Its address, as a user would type it."""
        return self.server.url(self.name)

    @property
    def mlflow_uri(self) -> str:
        """Its address, as MLflow needs it to find the driver that is installed here."""
        return f"{self.server.driver_scheme}{self.url[self.url.index(':') :]}"

    def fill(self, db: Path) -> None:
        """Make its rows those of a SQLite store."""
        with closing(sqlite3.connect(db)) as source, self.server.filling(self.name) as filler:
            filler.empty(self._filled)
            filled = set()
            for table, columns, rows in _tables_of(source):
                filled.add(table)
                types = self._types(table, columns)
                filler.insert(table, columns, [_converted(row, types) for row in rows])
        self._filled = filled  # all of it was committed, or nothing

    def _types(self, table: str, columns: Sequence[str]) -> list[str]:
        there: Mapping[str, str] = self._columns.get(table, {})
        missing = [column for column in columns if column not in there]
        assert not missing, f"MLflow's table {table} of revision {self.revision} has no {', '.join(missing)}"
        return [there[column] for column in columns]

    def drop(self) -> None:
        self.server.drop(self.name)


def _tables_of(source: sqlite3.Connection) -> Iterator[tuple[str, list[str], list[Row]]]:
    """Yield the tables that are not empty: name, columns, rows."""
    for (table,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        # Without what is worked out from other columns.
        columns = [name for _, name, *_ in source.execute(f'PRAGMA table_info("{table}")')]
        names = ", ".join(f'"{column}"' for column in columns)
        if rows := source.execute(f'SELECT {names} FROM "{table}"').fetchall():
            yield table, columns, rows


def _converted(row: Row, types: Sequence[str]) -> list[Any]:
    """Return the values of SQLite, which has no type for true and false, as the server takes them."""
    return [
        bool(value) if kind == "boolean" and value is not None else value
        for value, kind in zip(row, types, strict=True)
    ]


class Databases:
    """Databases of one server, which are emptied and used again: making one takes longer than most tests."""

    def __init__(self, server: DatabaseServer, *, orders_bytes: bool) -> None:
        """`orders_bytes`: whether text is ordered by its bytes, as in SQLite."""
        self.server = server
        self.orders_bytes = orders_bytes
        self._free: dict[str, list[Database]] = {}

    def take(self, db: Path) -> Database:
        """Return a database with the rows of a SQLite store."""
        free = self._free.setdefault(_revision(db), [])
        database = free.pop() if free else Database(self.server, _revision(db))
        database.fill(db)
        return database

    def give_back(self, database: Database) -> None:
        """Keep a database for others. One that is not given back, because a test failed, is not used again."""
        self._free[database.revision].append(database)

    @contextmanager
    def holding(self, db: Path) -> Iterator[Database]:
        """Yield a database with the rows of a SQLite store."""
        database = self.take(db)
        yield database
        self.give_back(database)

    @contextmanager
    def empty(self) -> Iterator[Database]:
        """Yield a database with MLflow's tables of the newest revision, which the test may do to as it likes."""
        database = Database(self.server, NEWEST)
        try:
            yield database
        finally:
            database.drop()


def _revision(db: Path) -> str:
    """Return the revision of a store; the newest, where it is one that MLflow has never heard of."""
    with closing(sqlite3.connect(db)) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    known = found is not None and (SCHEMAS / "postgresql" / f"{found[0]}.sql").exists()
    return str(found[0]) if known else NEWEST
