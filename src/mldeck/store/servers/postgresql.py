"""PostgreSQL, by psycopg 3."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import psycopg
from psycopg import Connection
from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import psycopg as sqlalchemy_psycopg

from mldeck.errors import UsageError
from mldeck.store.schema import Traits, names_by_table
from mldeck.store.server_database import ServerDatabase
from mldeck.store.servers.driver import (
    APPLICATION,
    CONNECT_S,
    KEEPALIVE_INTERVAL_S,
    KEEPALIVE_S,
    KEEPALIVES,
    DatabaseFacts,
    only_text,
    rows_of,
)
from mldeck.store.servers.errors import Fault, fault_of_words
from mldeck.store.servers.filling import Statement, StatementAnswer

OLDEST = 12
"""The oldest release that is read."""

_CANCEL_S = 5.0
"""Seconds that asking the server to stop a statement may take."""

_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(t.oid)"
"""What a statement that names no schema finds: `search_path` decides it."""
_COLUMNS = f"""
    SELECT t.relname::text, a.attname::text
    FROM pg_catalog.pg_class t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE t.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS}
"""
_INDEXES = f"""
    SELECT t.relname::text, i.relname::text
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE {_OURS}
"""
_REVISION = "SELECT version_num FROM alembic_version"
_STATE, _STATE_OF_12 = "SELECT pg_current_snapshot()::text", "SELECT txid_current_snapshot()::text"
"""The snapshot moves when a transaction that wrote begins or ends, in any database of the server, and not by reads."""

_FAULTS = {
    "57014": Fault.STOPPED,
    **dict.fromkeys(("42P01", "42703", "3F000"), Fault.OTHER_TABLES),
    **dict.fromkeys(("55P03", "40P01", "40001"), Fault.LOCKED),
    "25006": Fault.READ_ONLY,
    **dict.fromkeys(("57P01", "57P02", "57P03", "57P05", "25P03"), Fault.LOST),
    "42501": Fault.FORBIDDEN,
    "3D000": Fault.NO_DATABASE,
    **dict.fromkeys(("22021", "22P05"), Fault.TEXT),
}
"""By SQLSTATE."""
_CLASSES = {"08": Fault.LOST, "28": Fault.LOGIN}
"""By the first two characters of SQLSTATE."""
_WORDS = {
    r"failed to resolve host|could not translate host name": Fault.UNKNOWN_HOST,
    r"cannot contain NUL": Fault.TEXT,
    r"password|authentication|pg_hba\.conf|role .* does not exist|no such user|login": Fault.LOGIN,
    r"database .* does not exist|no such database": Fault.NO_DATABASE,
    r"refused|timeout|timed out|No such file|No route|unreachable|could not connect": Fault.NO_SERVER,
}
"""What a failed connection says: it has no SQLSTATE."""


_PREFIX = re.compile(
    r"^(?:connection (?:failed|is bad): )?(?:connection to server (?:at|on socket) [^\n]*? failed: )?(?:FATAL|ERROR): +|"
    r"^connection (?:failed|is bad): (?:connection to server (?:at|on socket) [^\n]*? failed: )?",
    re.MULTILINE,
)
"""What libpq and psycopg put before the message of the server."""


# It warns when a pipeline is left because of an error, which is raised anyway; without a handler, over the deck.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class PostgreSQL:
    """See `Driver`, which this is."""

    traits = Traits(has_rowids=False, takes_any_text=False)
    error: type[Exception] = psycopg.Error

    def __init__(self, database: ServerDatabase) -> None:
        self._database = database
        self.dialect: Dialect = cast(Any, sqlalchemy_psycopg).dialect(dbapi=psycopg)

    def connect(self) -> PostgreSQLLink:
        connection = psycopg.connect(
            **_parameters(self._database),
            autocommit=True,  # `ask` begins and ends the transactions
            prepare_threshold=None,  # behind PgBouncer the next statement may run on another session
        )
        version = connection.info.server_version
        if version < OLDEST * 10_000:
            connection.close()
            raise UsageError(f"{self._database.place} is PostgreSQL {version // 10_000}; {OLDEST} or later is needed")
        return PostgreSQLLink(connection)

    def fault_of(self, error: BaseException) -> Fault:
        state = getattr(error, "sqlstate", None)
        if state is not None:
            return _FAULTS.get(state) or _CLASSES.get(state[:2], Fault.OTHER)
        if not isinstance(error, psycopg.Error):
            return Fault.OTHER
        words = fault_of_words(str(error), _WORDS)
        return Fault.LOST if words is Fault.OTHER and isinstance(error, psycopg.OperationalError) else words

    def words_of(self, error: BaseException) -> str:
        text, _, _ = str(error).partition("\nMultiple connection attempts failed")  # which repeats all of them
        lines = [line for line in text.splitlines() if not line.strip().startswith("Is the server running")]
        return re.sub(_PREFIX, "", "\n".join(lines))

    def opening(self, link: PostgreSQLLink) -> DatabaseFacts:
        statements = [(text, ()) for text in (_COLUMNS, _INDEXES, link.state_query, _REVISION)]
        columns, indexes, state, *revision = rows_of(link.ask(statements, None), required=3)
        return DatabaseFacts(
            names_by_table(columns),
            names_by_table(indexes),
            only_text(revision),
            state[0][0],
        )

    def columns(self, link: PostgreSQLLink) -> Mapping[str, frozenset[str]]:
        return names_by_table(rows_of(link.ask([(_COLUMNS, ())], None), required=1)[0])

    def state(self, link: PostgreSQLLink) -> tuple[Hashable, str | None]:
        state, *revision = rows_of(link.ask([(link.state_query, ()), (_REVISION, ())], None), required=1)
        return state[0][0], only_text(revision)


class PostgreSQLLink:
    """See `Link`, which this is."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self.state_query = _STATE if connection.info.server_version >= 130_000 else _STATE_OF_12

    @property
    def is_lost(self) -> bool:
        return self._connection.closed or self._connection.broken

    def ask(self, statements: Sequence[Statement], timeout_s: float | None) -> list[StatementAnswer | Exception]:
        # In the transaction, not the session, which others use next behind PgBouncer.
        begin = ["BEGIN TRANSACTION READ ONLY"]
        if timeout_s is not None:
            begin.append(f"SET LOCAL statement_timeout = {int(timeout_s * 1000)}")
        cursors = [self._connection.cursor() for _ in statements]
        failure: Exception | None = None
        try:
            with self._connection.pipeline():
                for text in begin:
                    self._connection.execute(cast(Any, text))
                for cursor, (text, values) in zip(cursors, statements, strict=True):
                    cursor.execute(cast(Any, text), values)
                self._connection.execute("COMMIT")
        except (psycopg.Error, UnicodeEncodeError) as error:
            failure = error
            self._roll_back()
        except BaseException:
            self.close()  # in the middle of a transaction it is of no use to others
            raise
        answers: list[StatementAnswer | Exception] = []
        for cursor in cursors:
            if cursor.description is None:
                break
            answers.append(StatementAnswer(cursor.description, cursor.fetchall()))
        if failure is not None:
            answers.append(failure)
        return answers

    def cancel(self) -> None:
        self._connection.cancel_safe(timeout=_CANCEL_S)

    def close(self) -> None:
        self._connection.close()

    def _roll_back(self) -> None:
        """End the transaction in which a statement failed. Closes the connection if that fails too."""
        try:
            self._connection.rollback()
        except psycopg.Error:
            self._connection.close()


def _parameters(database: ServerDatabase) -> dict[str, Any]:
    """Return the parameters of libpq: those of the URL first, then ours. The environment and `~/.pgpass` are libpq's own."""
    named: dict[str, list[str]] = {}
    for name, value in database.options:
        named.setdefault(name, []).append(value)
    hosts = named.pop("host", [])
    parameters: dict[str, Any] = {
        "keepalives_idle": KEEPALIVE_S,
        "keepalives_interval": KEEPALIVE_INTERVAL_S,
        "keepalives_count": KEEPALIVES,
        "tcp_user_timeout": 1000 * (KEEPALIVE_S + KEEPALIVES * KEEPALIVE_INTERVAL_S),
        "connect_timeout": os.environ.get("PGCONNECT_TIMEOUT", CONNECT_S),
        "fallback_application_name": APPLICATION,
        **{name: values[-1] for name, values in named.items()},
    }
    if hosts:
        # Several, each with its port, as SQLAlchemy writes them: ?host=one:5432&host=two:5433
        split = [re.fullmatch(r"([^/]+?):(\d*)", host) for host in hosts]
        parameters["host"] = ",".join(found[1] if found else host for found, host in zip(split, hosts, strict=True))
        if any(split):
            parameters["port"] = ",".join(found[2] if found else "" for found in split)
    given = {
        "host": database.host,
        "port": database.port,
        "dbname": database.database,
        "user": database.user,
        "password": database.password,
    }
    return parameters | {name: value for name, value in given.items() if value}
