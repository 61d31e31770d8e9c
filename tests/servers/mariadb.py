"""MariaDB for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CLIENT

from tests.servers.database_server import PASSWORD, READER, USER, Row, address
from tests.servers.service import Service, find_program, folder_of_ordinary_user, free_port, run_program

ADMINISTRATOR = "root"

NO_TLS = "no-tls"
"""A user who is refused without TLS."""

_QUICK = (
    *("--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0"),
    *("--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M"),
    *("--skip-log-bin", "--performance-schema=OFF", "--skip-name-resolve"),
)


@dataclass(frozen=True)
class Mariadb:
    """A running server. See `DatabaseServer`, which this is."""

    service: Service

    kind = "mariadb"
    administrator = ADMINISTRATOR
    driver_scheme = "mysql+pymysql"

    def url(
        self,
        database: str,
        *,
        user: str = USER,
        password: str | None = PASSWORD,
        port: int | None = None,
        **options: str,
    ) -> str:
        return address("mysql", port or self.service.port, database, user, password, options)

    def create(self, database: str) -> None:
        self.query(
            "mysql",
            f"CREATE DATABASE {database} CHARACTER SET utf8mb4",
            f"GRANT ALL ON {database}.* TO {USER}",
            f"GRANT SELECT ON {database}.* TO {READER}",
        )

    def drop(self, database: str) -> None:
        self.end_sessions(database)
        self.query("mysql", f"DROP DATABASE IF EXISTS {database}")

    def run_script(self, database: str, script: str) -> None:
        with closing(self.connection(database, user=USER)) as connection, connection.cursor() as cursor:
            cursor.execute(script)
            while cursor.nextset():
                pass

    def query(self, database: str, *statements: str) -> list[Row]:
        with closing(self.connection(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def tables(self, database: str) -> dict[str, list[Row]]:
        with closing(self.connection(database)) as connection, connection.cursor() as cursor:
            found = {}
            for name in self.columns(database):
                cursor.execute(f"SELECT * FROM `{name}`")
                found[name] = list(cursor.fetchall())
            return found

    def columns(self, database: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for table, column, kind in self.query(
            database,
            f"SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = '{database}'",
        ):
            found.setdefault(table, {})[column] = kind
        return found

    @contextmanager
    def filling(self, database: str) -> Iterator[_Filler]:
        with closing(self.connection(database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
                # The default experiment has the number 0, which would ask for the next number.
                cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
                cursor.execute("BEGIN")
                yield _Filler(cursor)
            connection.commit()

    def sessions(self, database: str) -> list[int]:
        return [
            pid
            for (pid,) in self.query(
                "mysql",
                f"SELECT id FROM information_schema.processlist WHERE db = '{database}' AND user <> '{ADMINISTRATOR}'",
            )
        ]

    def end_sessions(self, database: str) -> None:
        for session in self.sessions(database):
            with suppress(pymysql.err.OperationalError):  # it has ended by itself
                self.query("mysql", f"KILL CONNECTION {session}")

    def connection(self, database: str = "mysql", *, user: str = ADMINISTRATOR) -> Connection[Any]:
        return pymysql.connect(
            host="127.0.0.1",
            port=self.service.port,
            user=user,
            password=PASSWORD,
            database=database,
            charset="utf8mb4",
            client_flag=CLIENT.MULTI_STATEMENTS,
            autocommit=True,
            connect_timeout=10,
        )


class _Filler:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def empty(self, tables: Iterable[str]) -> None:
        for table in tables:
            self._cursor.execute(f"DELETE FROM `{table}`")

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        names = ", ".join(f"`{column}`" for column in columns)
        values = ", ".join(["%s"] * len(columns))
        self._cursor.executemany(f"INSERT INTO `{table}` ({names}) VALUES ({values})", rows)


@contextmanager
def running_mariadb() -> Iterator[Mariadb]:
    """Start a server with the users, and end it after the block; skip the test where there is none, except in CI."""
    install, mariadbd = (find_program(name, "mariadb-server") for name in ("mariadb-install-db", "mariadbd"))
    with folder_of_ordinary_user() as folder:
        data = f"--datadir={folder / 'data'}"
        run_program([install, "--no-defaults", data, "--skip-test-db", *_QUICK], folder)
        users = folder / "users.sql"
        users.write_text(
            f"CREATE USER IF NOT EXISTS {ADMINISTRATOR}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON *.* TO {ADMINISTRATOR}@'127.0.0.1' WITH GRANT OPTION;\n"
            f"CREATE USER IF NOT EXISTS {USER} IDENTIFIED BY '{PASSWORD}';\n"
            f"CREATE USER IF NOT EXISTS {READER} IDENTIFIED BY '{PASSWORD}';\n"
            f"CREATE USER IF NOT EXISTS '{NO_TLS}' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL;\n"
        )
        port = free_port()

        def is_ready() -> bool:
            try:
                server.connection().close()
            except pymysql.err.OperationalError:
                return False
            return True

        words = [mariadbd, "--no-defaults", data, *_QUICK, f"--port={port}", "--bind-address=127.0.0.1"]
        words += [f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}", f"--init-file={users}"]
        service = Service(words, port, folder, is_ready)
        server = Mariadb(service)
        service.start()
        try:
            yield server
        finally:
            service.kill()  # stopping takes seconds
