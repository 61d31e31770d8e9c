"""PostgreSQL for tests, and PgBouncer in front of it."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

from tests.servers.database_server import PASSWORD, READER, USER, Row, address
from tests.servers.service import Service, find_program, folder_of_ordinary_user, free_port, run_program

ADMINISTRATOR = "postgres"

C = "LC_COLLATE 'C' LC_CTYPE 'C'"
"""Text is ordered by its bytes, as in SQLite."""
ICU = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
"""Text is ordered as people do."""

NO_TLS = "no-tls"
"""A user who is refused without TLS; the server has none."""

_QUICK = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "jit": "off",
}
_LOGINS = f"""\
host all {NO_TLS} 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Postgresql:
    """A running server. See `DatabaseServer`, which this is."""

    service: Service
    locale: str = C
    """Of the databases that are created."""

    kind = "postgresql"
    administrator = ADMINISTRATOR
    driver_scheme = "postgresql+psycopg"

    def with_locale(self, locale: str) -> Postgresql:
        return replace(self, locale=locale)

    def url(
        self,
        database: str,
        *,
        user: str = USER,
        password: str | None = PASSWORD,
        port: int | None = None,
        **options: str,
    ) -> str:
        return address("postgresql", port or self.service.port, database, user, password, options)

    def create(self, database: str) -> None:
        with self.connection() as connection:
            connection.execute(
                f"CREATE DATABASE {database} OWNER {USER} TEMPLATE template0 ENCODING 'UTF8' {self.locale}"
            )

    def drop(self, database: str) -> None:
        with self.connection() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def run_script(self, database: str, script: str) -> None:
        with self.connection(database, user=USER) as connection:
            connection.execute(script)
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")

    def query(self, database: str, *statements: str) -> list[Row]:
        with self.connection(database) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def tables(self, database: str) -> dict[str, list[Row]]:
        with self.connection(database) as connection:
            connection.adapters.register_loader("json", TextLoader)
            found = {}
            for name in self.columns(database):
                found[name] = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name))).fetchall()
            return found

    def columns(self, database: str) -> dict[str, dict[str, str]]:
        rows = self.query(
            database,
            "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute AS a"
            " JOIN pg_class AS c ON c.oid = a.attrelid AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            " WHERE a.attnum > 0 AND NOT a.attisdropped",
        )
        return _by_table(rows)

    @contextmanager
    def filling(self, database: str) -> Iterator[_Filler]:
        with self.connection(database) as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            yield _Filler(connection)

    def sessions(self, database: str) -> list[int]:
        return [
            pid
            for (pid,) in self.query(
                "postgres",
                f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND usename <> '{ADMINISTRATOR}'",
            )
        ]

    def end_sessions(self, database: str) -> None:
        for pid in self.sessions(database):
            self.query("postgres", f"SELECT pg_terminate_backend({pid}, 5000)")

    def connection(self, database: str = "postgres", *, user: str = ADMINISTRATOR) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(database, user=user), autocommit=True, connect_timeout=10)


def _by_table(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


class _Filler:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def empty(self, tables: Iterable[str]) -> None:
        for table in tables:
            self._connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with self._connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
            for column in columns:
                self._set_sequence(cursor, table, column)

    def _set_sequence(self, cursor: psycopg.Cursor[Any], table: str, column: str) -> None:
        """Let the numbers that the server gives out go on after those that were copied."""
        (sequence,) = cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (table, column)).fetchone() or (None,)
        if sequence is not None:
            largest = sql.SQL("SELECT setval(%s, greatest(max({}), 1)) FROM {}")
            cursor.execute(largest.format(sql.Identifier(column), sql.Identifier(table)), (sequence,))


@contextmanager
def running_postgresql() -> Iterator[Postgresql]:
    """Start a server with the users, and end it after the block; skip the test where there is none, except in CI."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name), reverse=True)
    initdb, postgres = (find_program(name, "postgresql", *versions) for name in ("initdb", "postgres"))
    with folder_of_ordinary_user() as folder:
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        data = folder / "data"
        login = ["-U", ADMINISTRATOR, "-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]
        run_program([initdb, "-D", data, *login, "--no-sync", "-E", "UTF8", "--locale=C"], folder)
        (data / "pg_hba.conf").write_text(_LOGINS)
        settings = [f"--{name}={value}" for name, value in _QUICK.items()]
        port = free_port()

        def is_ready() -> bool:
            try:
                server.connection().close()
            except psycopg.OperationalError:
                return False
            return True

        words = [postgres, f"-D{data}", f"--port={port}", *settings]
        service = Service(words, port, folder, is_ready, signal.SIGINT, signal.SIGQUIT)
        server = Postgresql(service)
        service.start()
        try:
            with server.connection() as connection:
                for user in (USER, READER, NO_TLS):
                    connection.execute(f"CREATE ROLE \"{user}\" LOGIN PASSWORD '{PASSWORD}'")
            yield server
        finally:
            service.kill()


_BOUNCER = """\
[databases]
* = host=127.0.0.1 port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 4
max_client_conn = 100
"""


@contextmanager
def running_pgbouncer(server: Postgresql) -> Iterator[Service]:
    """Start PgBouncer in transaction mode before the server; skip the test where there is none, except in CI."""
    pgbouncer = find_program("pgbouncer", "pgbouncer")
    with folder_of_ordinary_user() as folder:
        port = free_port()
        (folder / "users").write_text("".join(f'"{user}" "{PASSWORD}"\n' for user in (USER, READER)))
        config = folder / "pgbouncer.ini"
        config.write_text(_BOUNCER.format(server_port=server.service.port, port=port, folder=folder))

        def is_ready() -> bool:
            try:
                psycopg.connect(server.url("postgres", port=port), connect_timeout=10).close()
            except psycopg.OperationalError:
                return False
            return True

        service = Service([pgbouncer, config], port, folder, is_ready, signal.SIGINT)
        service.start()
        try:
            yield service
        finally:
            service.stop()
