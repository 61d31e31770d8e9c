"""What the other tests stand on: the rows of a SQLite store arrive on a server as they are."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.servers.databases import Database, Databases
from tests.servers.service import ORDINARY_USER

CopyOf = Callable[[str], FixtureStore]


@pytest.mark.parametrize("name", ["mlflow-1.2.0", "mlflow-1.30.1", "mlflow-2.9.2", "mlflow-3.17.2"])
def test_every_row_arrives(databases: Databases, store_copy: CopyOf, name: str) -> None:
    db = store_copy(name).db
    with databases.holding(db) as database:
        assert rows_on_server(database) == rows_here(db)


def test_a_database_that_is_used_again_has_no_rows_of_before(databases: Databases, store_copy: CopyOf) -> None:
    first, second = store_copy("nyc-taxi").db, store_copy("rest-3.17.2").db
    with databases.holding(first) as database:
        name = database.name
    with databases.holding(second) as database:
        assert database.name == name
        assert rows_on_server(database) == rows_here(second)


def test_numbers_go_on_after_those_that_were_copied(databases: Databases, store_copy: CopyOf) -> None:
    with databases.holding(store_copy("mlflow-3.17.2").db) as database:
        ((last,),) = database.server.query(database.name, "SELECT max(experiment_id) FROM experiments")
        values = "('one more', 'active', '')"
        database.server.run_script(
            database.name, f"INSERT INTO experiments (name, lifecycle_stage, artifact_location) VALUES {values}"
        )
        ((new,),) = database.server.query(
            database.name, "SELECT experiment_id FROM experiments WHERE name = 'one more'"
        )
    assert new == last + 1


def test_the_servers_are_processes_of_an_ordinary_user(databases: Databases) -> None:
    status = Path(f"/proc/{databases.server.service.pid}/status")
    if os.geteuid() != 0 or not status.exists():
        pytest.skip("the tests are an ordinary user themselves")
    import pwd

    user = pwd.getpwnam(ORDINARY_USER).pw_uid
    assert f"Uid:\t{user}\t{user}\t{user}\t{user}\n" in status.read_text()


def rows_here(db: Path) -> dict[str, Counter[str]]:
    with closing(sqlite3.connect(db)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: as_text(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables}


def rows_on_server(database: Database) -> dict[str, Counter[str]]:
    return {table: as_text(rows) for table, rows in database.server.tables(database.name).items()}


def as_text(rows: Sequence[Sequence[object]]) -> Counter[str]:
    """Return the rows without regard to the order of columns; true is 1."""
    return Counter(
        repr(sorted(repr(int(value) if isinstance(value, bool) else value) for value in row)) for row in rows
    )
