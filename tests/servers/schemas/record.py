"""Let the installed MLflow make its tables on PostgreSQL and MariaDB, and write them down as SQL.

    python -m tests.servers.schemas.record [REVISION …]

There is a file for each kind of server and each revision, which is how a migration of MLflow leaves a database. Without words,
those that are there are written anew, and that of the installed release. The servers are those of the tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

from sqlalchemy import create_engine

from tests.servers.database_server import PASSWORD, SCHEMAS, USER, DatabaseServer
from tests.servers.mariadb import Mariadb, running_mariadb
from tests.servers.postgresql import running_postgresql
from tests.servers.service import find_program

_DATABASE = "recorded"


def record(server: DatabaseServer, revision: str) -> None:
    """Write the tables of a revision; `heads` is the newest that the installed MLflow knows."""
    server.drop(_DATABASE)
    server.create(_DATABASE)
    _make_tables(server, revision)
    ((found,),) = server.query(_DATABASE, "SELECT version_num FROM alembic_version")
    lines = [f"INSERT INTO alembic_version VALUES ('{found}');"]
    dump = _dump_mariadb(server) if isinstance(server, Mariadb) else _dump_postgresql(server)
    file = SCHEMAS / server.kind / f"{found}.sql"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join([*dump, *lines, ""]), encoding="utf-8")
    print(file.relative_to(SCHEMAS), len(server.columns(_DATABASE)), "tables", flush=True)


def _make_tables(server: DatabaseServer, revision: str) -> None:
    """Do as MLflow does with an empty database, up to the revision."""
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    uri = server.url(_DATABASE)
    uri = server.driver_scheme + uri[uri.index("://") :]
    engine = create_engine(uri)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        config = _get_alembic_config(uri)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def _dump_postgresql(server: DatabaseServer) -> Iterator[str]:
    words = [find_program("pg_dump", "postgresql-client"), "--schema-only", "--no-owner", "--no-privileges"]
    words += ["-h", "127.0.0.1", "-p", str(server.service.port), "-U", USER, _DATABASE]
    dump = subprocess.run(
        words, env={**os.environ, "PGPASSWORD": PASSWORD}, check=True, capture_output=True, text=True
    ).stdout
    for statement in re.sub(r"^(--|\\).*\n", "", dump, flags=re.MULTILINE).split(";\n"):
        if not re.match(r"\s*(SET|SELECT) ", statement) and statement.strip():
            yield f"{statement.strip()};"


def _dump_mariadb(server: Mariadb) -> Iterator[str]:
    yield "SET foreign_key_checks = 0;"
    for table in sorted(server.columns(_DATABASE)):
        ((_, statement),) = server.query(_DATABASE, f"SHOW CREATE TABLE `{table}`")
        # The database says how text is compared, as it does when MLflow makes the tables.
        statement = re.sub(r" (DEFAULT CHARSET|COLLATE|AUTO_INCREMENT)=\w+", "", statement)
        yield f"{re.sub(r' (CHARACTER SET|COLLATE) utf8mb4_general_ci| CHARACTER SET utf8mb4', '', statement)};"


def main(revisions: list[str]) -> None:
    """Record the revisions, or all that there are."""
    with ExitStack() as servers:
        for server in (servers.enter_context(running_postgresql()), servers.enter_context(running_mariadb())):
            there = [file.stem for file in sorted((SCHEMAS / server.kind).glob("*.sql"))]
            for revision in revisions or [*there, "heads"]:
                record(server, revision)


if __name__ == "__main__":
    main(sys.argv[1:])
