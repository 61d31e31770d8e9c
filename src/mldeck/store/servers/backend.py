"""A database on a server, as the database of a store. It is only read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import import_module

from sqlalchemy import Connection

from mldeck.errors import StoreUnavailable, StoreUnmade, UsageError
from mldeck.store.backend import Change, NoWriter
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.server_database import ServerDatabase
from mldeck.store.servers.driver import DatabaseFacts, Driver
from mldeck.store.servers.errors import explained, one_line, unreachable
from mldeck.store.servers.links import Link, LinkPool
from mldeck.store.servers.reader import ServerReader
from mldeck.store.servers.watch import ServerWatcher
from mldeck.store.sqlite.files import MLFLOW_TABLES

READ_ONLY_REASON = "mldeck only reads databases on servers"


class ServerBackend:
    """An open database. See `Backend`, which this is.

    Making one connects. Raises `StoreUnavailable` while that is impossible, and `UsageError` for what never can be read: no
    driver, a server that is too old, options that do not exist.
    """

    def __init__(self, database: ServerDatabase) -> None:
        self._database = database
        self._driver = _driver(database)
        self._links = LinkPool(self._connect)
        facts = self._open()
        self._tables = frozenset(facts.columns)
        self._schema = Schema(facts.columns, facts.indexes, facts.revision, traits=self._driver.traits)
        self._watcher = ServerWatcher(database, self._driver, self._links, facts)
        self._reader = ServerReader(database, self._driver, self._links, self._watcher.doubt_tables)

    @property
    def read_only_reason(self) -> str | None:
        return READ_ONLY_REASON

    @property
    def is_copy(self) -> bool:
        return False

    @property
    def is_distant(self) -> bool:
        return True

    @property
    def notice(self) -> str | None:
        return None

    @property
    def is_replaced(self) -> bool:
        return False

    def check_is_mlflow(self) -> None:
        """Raise `UsageError` unless the tables are those of MLflow; `StoreUnmade` if there are none yet."""
        tables = self._tables
        missing = [name for name in MLFLOW_TABLES if name not in tables]
        if missing:
            kind = UsageError if tables and tables.isdisjoint(MLFLOW_TABLES) else StoreUnmade
            raise kind(
                f"{self._database.name} is not an MLflow tracking database: it has no table {', '.join(missing)}"
            )

    def read_schema(self) -> Schema:
        return self._schema

    def reading(self, interrupt: Interrupt | None = None) -> AbstractContextManager[Connection]:
        return self._reader.reading(interrupt)

    def poll(self) -> Change:
        return self._watcher.poll()

    def writer(self) -> NoWriter:
        return NoWriter(self._database.name, READ_ONLY_REASON)

    def close(self) -> None:
        self._watcher.close()
        self._reader.close()
        self._links.close()

    def tidy(self) -> None:
        """Do nothing: nothing is left on the server."""

    def _connect(self) -> Link:
        try:
            return self._driver.connect()
        except self._driver.error as error:
            said, database = self._driver.words_of(error), self._database
            found = unreachable(self._driver.fault_of(error), said, database)
            raise found or StoreUnavailable(
                f"cannot connect to {database.place}: {one_line(said, database)}"
            ) from error
        except (OSError, ValueError) as error:  # a file of a certificate, for example
            said = one_line(str(error), self._database)
            raise StoreUnavailable(f"cannot connect to {self._database.place}: {said}") from error

    def _open(self) -> DatabaseFacts:
        link = self._links.take()
        try:
            facts = self._driver.opening(link)
        except self._driver.error as error:
            link.close()
            raise explained(self._driver.fault_of(error), self._driver.words_of(error), self._database) from error
        except BaseException:
            link.close()
            raise
        self._links.give(link)
        return facts


_DRIVERS = {"postgresql": ("PostgreSQL", "psycopg", "postgresql"), "mysql": ("MySQL", "pymysql", "mysql")}
"""By kind of server: the class, the package that it needs, and the module here, which is the name of the extra, too."""


def _driver(database: ServerDatabase) -> Driver:
    """Load the driver for a database. Raises `UsageError` if it is not installed, with what to install."""
    name, package, module = _DRIVERS[database.system]
    try:
        driver: Driver = getattr(import_module(f"mldeck.store.servers.{module}"), name)(database)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] != package:
            raise
        raise UsageError(
            f"{database.name} needs the Python package {package}: pip install 'mldeck[{module}]'"
        ) from error
    return driver
