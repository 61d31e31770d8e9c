"""What drivers raise, told apart and said in one line without a password. No server is asked."""

from __future__ import annotations

import psycopg
import pymysql
import pytest

from mldeck.errors import ConnectionLost, Interrupted, MldeckError, StoreLocked, StoreUnavailable, UsageError
from mldeck.store.server_database import ServerDatabase
from mldeck.store.servers.errors import Fault, NoServer, explained, unreachable
from mldeck.store.servers.mysql import MySQL
from mldeck.store.servers.postgresql import PostgreSQL

POSTGRESQL = ServerDatabase("postgresql", "db.example", "ml", "ada", "hunter2")
MYSQL = ServerDatabase("mysql", "db.example", "ml", "ada", "hunter2")
AT = 'connection to server at "10.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (psycopg.errors.QueryCanceled, Fault.STOPPED),
        (psycopg.errors.UndefinedTable, Fault.OTHER_TABLES),
        (psycopg.errors.UndefinedColumn, Fault.OTHER_TABLES),
        (psycopg.errors.LockNotAvailable, Fault.LOCKED),
        (psycopg.errors.SerializationFailure, Fault.LOCKED),
        (psycopg.errors.ReadOnlySqlTransaction, Fault.READ_ONLY),
        (psycopg.errors.AdminShutdown, Fault.LOST),
        (psycopg.errors.ConnectionFailure, Fault.LOST),
        (psycopg.errors.InsufficientPrivilege, Fault.FORBIDDEN),
        (psycopg.errors.InvalidPassword, Fault.LOGIN),
        (psycopg.errors.InvalidCatalogName, Fault.NO_DATABASE),
        (psycopg.errors.DivisionByZero, Fault.OTHER),
    ],
)
def test_postgresql_tells_by_sqlstate(error: type[psycopg.Error], fault: Fault) -> None:
    assert PostgreSQL(POSTGRESQL).fault_of(error("whatever it says")) is fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("failed to resolve host 'db.example': [Errno -2] Name or service not known", Fault.UNKNOWN_HOST),
        (f"connection failed: {AT}Connection refused\n\tIs the server running on that host?", Fault.NO_SERVER),
        ("connection timeout expired", Fault.NO_SERVER),
        (f'connection failed: {AT}FATAL:  password authentication failed for user "ada"', Fault.LOGIN),
        (f"connection failed: {AT}fe_sendauth: no password supplied", Fault.LOGIN),
        (f'connection failed: {AT}FATAL:  no pg_hba.conf entry for host "10.0.0.2"', Fault.LOGIN),
        (f'connection failed: {AT}FATAL:  database "ml" does not exist', Fault.NO_DATABASE),
        ("server closed the connection unexpectedly", Fault.LOST),
    ],
)
def test_postgresql_tells_a_failed_connection_by_its_words(text: str, fault: Fault) -> None:
    assert PostgreSQL(POSTGRESQL).fault_of(psycopg.OperationalError(text)) is fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"connection failed: {AT}Connection refused\n\tIs the server running on that host?", "Connection refused"),
        (f'connection failed: {AT}FATAL:  role "x" does not exist', 'role "x" does not exist'),
        ('connection is bad: connection to server on socket "/x/.s" failed: No such file', "No such file"),
        ('connection is bad: invalid sslmode value: "x"', 'invalid sslmode value: "x"'),
        (f"connection failed: {AT}refused\nMultiple connection attempts failed. All failures were:\n- x", "refused"),
        ("cannot execute UPDATE in a read-only transaction", "cannot execute UPDATE in a read-only transaction"),
    ],
)
def test_what_libpq_adds_is_left_out(text: str, said: str) -> None:
    assert PostgreSQL(POSTGRESQL).words_of(psycopg.OperationalError(text)) == said


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (pymysql.OperationalError(1317, "Query execution was interrupted"), Fault.STOPPED),
        (pymysql.OperationalError(1969, "max_statement_time exceeded"), Fault.STOPPED),
        (pymysql.OperationalError(3024, "maximum statement execution time exceeded"), Fault.STOPPED),
        (pymysql.ProgrammingError(1146, "Table 'ml.runs' doesn't exist"), Fault.OTHER_TABLES),
        (pymysql.OperationalError(1054, "Unknown column"), Fault.OTHER_TABLES),
        (pymysql.OperationalError(1205, "Lock wait timeout exceeded"), Fault.LOCKED),
        (pymysql.OperationalError(3572, "NOWAIT"), Fault.LOCKED),
        (pymysql.OperationalError(1792, "READ ONLY transaction"), Fault.READ_ONLY),
        (pymysql.OperationalError(2013, "Lost connection"), Fault.LOST),
        (pymysql.InterfaceError(0, ""), Fault.LOST),
        (ConnectionResetError("reset"), Fault.LOST),
        (pymysql.OperationalError(1045, "Access denied"), Fault.LOGIN),
        (pymysql.OperationalError(1142, "SELECT command denied"), Fault.FORBIDDEN),
        (pymysql.OperationalError(1049, "Unknown database"), Fault.NO_DATABASE),
        (pymysql.OperationalError(2003, "Name or service not known"), Fault.UNKNOWN_HOST),
        (pymysql.OperationalError(2003, "Connection refused"), Fault.NO_SERVER),
        (pymysql.OperationalError(1690, "BIGINT value is out of range"), Fault.OTHER),
        (ValueError("no error of a driver"), Fault.OTHER),
    ],
)
def test_mysql_tells_by_number(error: Exception, fault: Fault) -> None:
    assert MySQL(MYSQL).fault_of(error) is fault


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.STOPPED, Interrupted, "stopped"),
        (Fault.LOST, ConnectionLost, "connection to db.example lost: it said"),
        (Fault.LOCKED, StoreLocked, "locked by another program"),
        (Fault.OTHER_TABLES, StoreUnavailable, "changed by another MLflow"),
        (Fault.FORBIDDEN, MldeckError, "may not be read by this login: it said"),
        (Fault.TEXT, UsageError, "half a character"),
        (Fault.UNKNOWN_HOST, NoServer, "there is no host db.example"),
        (Fault.NO_SERVER, NoServer, "no server answers at db.example: it said"),
        (Fault.LOGIN, StoreUnavailable, "refuses the login: it said; give a password"),
        (Fault.NO_DATABASE, StoreUnavailable, "there is no database ml at db.example"),
        (Fault.OTHER, MldeckError, "cannot be read: it said"),
    ],
)
@pytest.mark.parametrize("database", [POSTGRESQL, MYSQL])
def test_each_is_said_in_one_line(fault: Fault, kind: type[MldeckError], words: str, database: ServerDatabase) -> None:
    error = explained(fault, "it said", database)
    assert type(error) is kind
    assert words in str(error)


def test_no_message_repeats_the_password() -> None:
    for fault in Fault:
        for found in (explained(fault, "bad hunter2\nreally", POSTGRESQL), unreachable(fault, "bad hunter2", MYSQL)):
            assert "hunter2" not in str(found)
            assert "\n" not in str(found)
