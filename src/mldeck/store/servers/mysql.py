"""MySQL and MariaDB, by PyMySQL."""

from __future__ import annotations

import math
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.constants import CLIENT
from pymysql.converters import conversions, escape_float
from sqlalchemy import Dialect
from sqlalchemy.dialects.mysql import pymysql as sqlalchemy_pymysql

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

OLDEST_MYSQL, OLDEST_MARIADB = (8, 0, 1), (10, 3, 0)
"""The oldest releases that are read: the first with recursive statements and windows."""

_PORT = 3306

_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = database()"
_INDEXES = "SELECT DISTINCT table_name, index_name FROM information_schema.statistics WHERE table_schema = database()"
_REVISION = "SELECT version_num FROM alembic_version"
_MYSQL_STATE = (
    "SHOW GLOBAL STATUS WHERE variable_name IN ('Innodb_rows_inserted', 'Innodb_rows_updated', 'Innodb_rows_deleted')"
)
_MARIADB_STATE = """
    SELECT table_name, CAST(update_time AS CHAR), IF(update_time >= NOW(), CAST(NOW(6) AS CHAR), '')
    FROM information_schema.tables WHERE table_schema = database() AND update_time IS NOT NULL
"""
"""MariaDB counts no rows, but knows the second in which a table was changed; within it, the table counts as changed again."""

_FAULTS = {
    **dict.fromkeys((1317, 1969, 3024), Fault.STOPPED),
    **dict.fromkeys((1054, 1146), Fault.OTHER_TABLES),
    **dict.fromkeys((1205, 1213, 3572), Fault.LOCKED),
    **dict.fromkeys((1290, 1792), Fault.READ_ONLY),
    **dict.fromkeys(
        (0, 1053, 1077, 1079, 1080, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2014, 2055), Fault.LOST
    ),
    **dict.fromkeys((1142, 1143, 1227, 1370), Fault.FORBIDDEN),
    **dict.fromkeys((1044, 1045, 1130, 1698, 1820, 1862, 2049, 2059, 2061), Fault.LOGIN),
    1049: Fault.NO_DATABASE,
    **dict.fromkeys((1300, 1366), Fault.TEXT),
}
"""By the number of the error."""
_WORDS = {
    r"Name or service not known|nodename nor servname|No address associated|name resolution|getaddrinfo": Fault.UNKNOWN_HOST,
    r".": Fault.NO_SERVER,
}
"""What error 2003 says: no connection."""

_SSL_MODES: Mapping[str, Mapping[str, Any]] = {
    "DISABLED": {"ssl_disabled": True},
    "PREFERRED": {},
    "REQUIRED": {"ssl": {"verify_mode": "none"}},
    "VERIFY_CA": {"ssl_verify_cert": True},
    "VERIFY_IDENTITY": {"ssl_verify_cert": True, "ssl_verify_identity": True},
}
"""PyMySQL's words for those of MySQL's own programs."""


def _number(text: str) -> int:
    return int(float(text))


def _truth(text: str) -> bool:
    return text.strip().lower() in ("1", "true", "yes", "on", "required")


_OPTIONS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(
        ("ssl_ca", "ssl_cert", "ssl_key", "ssl_key_password", "collation", "init_command", "bind_address"), str
    ),
    **dict.fromkeys(
        ("read_default_file", "read_default_group", "sql_mode", "host", "user", "password", "unix_socket"), str
    ),
    **dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout", "port"), _number),
    **dict.fromkeys(("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"), _truth),
}
"""The options of a URL that PyMySQL takes, by name."""
_SYNONYMS = {"passwd": "password", "ssl_check_hostname": "ssl_verify_identity", "db": "database"}
"""Names that SQLAlchemy or other drivers have for options."""
_LEFT_OUT = frozenset(
    {"charset", "use_unicode", "local_infile", "client_flag", "binary_prefix", "autocommit", "compress"}
)
"""Options that have no sense here: text is always Unicode, and nothing is sent but statements."""


class MySQL:
    """See `Driver`, which this is."""

    traits = Traits(has_rowids=False, takes_any_text=False, lists_keys_by_distinct=True)
    error: type[Exception] = pymysql.Error

    def __init__(self, database: ServerDatabase) -> None:
        self._database = database
        self._options = _parameters(database)
        self.dialect: Dialect = sqlalchemy_pymysql.dialect(dbapi=pymysql)

    def connect(self) -> MySQLLink:
        return self._connect()

    def _connect(self) -> MySQLLink:
        options = dict(self._options)
        connect_s = options.pop("connect_timeout", CONNECT_S)
        connection = pymysql.Connection(
            **options,
            charset="utf8mb4",
            autocommit=None,  # `ask` begins and ends the transactions
            client_flag=CLIENT.MULTI_STATEMENTS,
            conv=_CONVERSIONS,
            program_name=APPLICATION,
            connect_timeout=connect_s,
            defer_connect=True,
        )
        if connection.unix_socket:
            connection.connect()
        else:
            _log_in(connection, _connected(connection, connect_s), connect_s)
        is_mariadb, version = _version(connection.get_server_info())
        oldest = OLDEST_MARIADB if is_mariadb else OLDEST_MYSQL
        if version < oldest:
            connection.close()
            name = "MariaDB" if is_mariadb else "MySQL"
            raise UsageError(
                f"{self._database.place} is {name} {_dotted(version)}; {_dotted(oldest)} or later is needed"
            )
        return MySQLLink(connection, is_mariadb, self._connect)

    def fault_of(self, error: BaseException) -> Fault:
        if isinstance(error, pymysql.InterfaceError):
            return Fault.LOST  # the connection was closed
        if not isinstance(error, pymysql.Error) or not error.args:
            return Fault.LOST if isinstance(error, OSError) else Fault.OTHER
        number = error.args[0]
        if number in (2002, 2003, 2005):
            return fault_of_words(str(error), _WORDS)
        return _FAULTS.get(number, Fault.OTHER)

    def words_of(self, error: BaseException) -> str:
        return str(error.args[1] if len(error.args) > 1 else error)

    def opening(self, link: MySQLLink) -> DatabaseFacts:
        statements = [(text, ()) for text in (_COLUMNS, _INDEXES, link.state_query, _REVISION)]
        columns, indexes, state, *revision = rows_of(link.ask(statements, None), required=3)
        return DatabaseFacts(
            names_by_table(columns),
            names_by_table(indexes),
            only_text(revision),
            frozenset(state),
        )

    def columns(self, link: MySQLLink) -> Mapping[str, frozenset[str]]:
        return names_by_table(rows_of(link.ask([(_COLUMNS, ())], None), required=1)[0])

    def state(self, link: MySQLLink) -> tuple[Hashable, str | None]:
        state, *revision = rows_of(link.ask([(link.state_query, ()), (_REVISION, ())], None), required=1)
        return frozenset(state), only_text(revision)


class MySQLLink:
    """See `Link`, which this is."""

    def __init__(self, connection: pymysql.Connection[Any], is_mariadb: bool, connect: Callable[[], MySQLLink]) -> None:
        self._connection = connection
        self._is_mariadb = is_mariadb
        self._connect = connect
        self.state_query = _MARIADB_STATE if is_mariadb else _MYSQL_STATE

    @property
    def is_lost(self) -> bool:
        return not self._connection.open

    def ask(self, statements: Sequence[Statement], timeout_s: float | None) -> list[StatementAnswer | Exception]:
        answers: list[StatementAnswer | Exception] = []
        try:
            with self._connection.cursor() as cursor:
                texts = [self._limited(cursor.mogrify(text, values), timeout_s) for text, values in statements]
                # All in one request, by the client flag MULTI_STATEMENTS.
                cursor.execute(";".join(["START TRANSACTION READ ONLY", *texts, "COMMIT"]))
                for _ in statements:
                    cursor.nextset()
                    answers.append(StatementAnswer(cursor.description or (), _rows(cursor.fetchall())))
                cursor.nextset()
        except (pymysql.Error, UnicodeEncodeError, OSError) as error:
            answers.append(error)
            self._roll_back()
        except BaseException:
            self.close()
            raise
        return answers

    def cancel(self) -> None:
        other = self._connect()
        try:
            other.kill(self._connection.thread_id())
        finally:
            other.close()

    def kill(self, thread_id: int) -> None:
        """Stop the statement of another connection of the same login."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(thread_id)}")

    def close(self) -> None:
        if self._connection.open:
            with suppress(pymysql.Error, OSError):  # it was lost already
                self._connection.close()

    def _limited(self, text: str, timeout_s: float | None) -> str:
        """Return a statement that may take so many seconds at most. Nothing is set on the session."""
        if timeout_s is None:
            return text
        if self._is_mariadb:
            return f"SET STATEMENT max_statement_time={timeout_s:g} FOR {text}"
        return re.sub(r"\A\s*SELECT\b", f"SELECT /*+ MAX_EXECUTION_TIME({int(timeout_s * 1000)}) */", text)

    def _roll_back(self) -> None:
        """End the transaction in which a statement failed. Closes the connection if that fails too."""
        try:
            self._connection.rollback()
        except (pymysql.Error, OSError):
            self.close()


def _rows(rows: Any) -> Sequence[tuple[Any, ...]]:
    return rows if isinstance(rows, list) else list(rows)


def _finite_float(value: float, mapping: Any = None) -> str:
    """Return a float as text of SQL. The server has no infinity, so the largest number stands for it, as in MLflow's tables."""
    return str(escape_float(math.copysign(sys.float_info.max, value) if math.isinf(value) else value, mapping))


_CONVERSIONS = {**conversions, float: _finite_float}


def _version(text: str) -> tuple[bool, tuple[int, ...]]:
    """Return whether a server that calls itself so is MariaDB, and its version."""
    is_mariadb = "mariadb" in text.lower()
    # MariaDB says `5.5.5-10.11.6-MariaDB` for the sake of old programs.
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", text.removeprefix("5.5.5-") if is_mariadb else text)
    return is_mariadb, tuple(map(int, found.groups())) if found else ()


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def _parameters(database: ServerDatabase) -> dict[str, Any]:
    """Return PyMySQL's parameters: those of the URL first, then the environment's. Raises `UsageError` for unknown options."""
    parameters: dict[str, Any] = {}
    for name, text in database.options:
        name = _SYNONYMS.get(name, name)
        if name == "ssl_mode":
            parameters |= _SSL_MODES.get(text.upper(), {})
        elif name in _OPTIONS:
            try:
                parameters[name] = _OPTIONS[name](text)
            except ValueError:
                raise UsageError(f"{database.name}: {text} is no value for the option {name}") from None
        elif name not in _LEFT_OUT:
            raise UsageError(f"{database.name}: there is no option {name}")
    given = {
        "host": database.host,
        "port": database.port,
        "database": database.database,
        "user": database.user,
        # Not as text: PyMySQL would encode it as Latin 1.
        "password": (database.password or parameters.pop("password", None) or os.environ.get("MYSQL_PWD", "")).encode(),
    }
    return parameters | {name: value for name, value in given.items() if value}


def _connected(connection: pymysql.Connection[Any], connect_s: float) -> socket.socket:
    """Return a socket that notices when the other end is gone. Raises what PyMySQL raises."""
    try:
        found = socket.create_connection((connection.host, connection.port), connect_s)
    except OSError as error:
        raise pymysql.OperationalError(2003, error.strerror or str(error)) from error
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_S),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_S),
        ("TCP_KEEPCNT", KEEPALIVES),
    ):
        if hasattr(socket, name):  # not on every system
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return found


def _log_in(connection: pymysql.Connection[Any], found: socket.socket, connect_s: float) -> None:
    """Log in over a socket, within so many seconds: what listens there may wait for ever, because it is no MySQL."""
    with found.dup() as same:
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            same.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(connect_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            connection.connect(found)
        except (pymysql.Error, OSError) as error:
            if is_late.is_set():
                raise pymysql.OperationalError(2003, f"no greeting within {connect_s:g} s") from error
            raise
        finally:
            timer.cancel()
            timer.join()
