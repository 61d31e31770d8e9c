"""Reading a database on a server, in any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mldeck.errors import ConnectionLost, Interrupted, MldeckError, StoreUnavailable, UsageError
from mldeck.store.interrupt import Interrupt
from mldeck.store.server_database import ServerDatabase
from mldeck.store.servers.driver import Driver
from mldeck.store.servers.errors import Fault, explained, one_line
from mldeck.store.servers.links import LinkPool, PooledConnection

STATEMENT_S = 120.0
"""Seconds that a statement may take whose answer somebody waits for: one that nobody can stop any more ends by itself."""


class ServerReader:
    """Short reads on the connections of a pool."""

    def __init__(
        self, database: ServerDatabase, driver: Driver, links: LinkPool, on_other_tables: Callable[[], None]
    ) -> None:
        """`on_other_tables` is called when a table or column is missing."""
        self._database = database
        self._driver = driver
        self._links = links
        self._on_other_tables = on_other_tables
        # Not by `create_engine`, which would ask each new connection for what is known or not needed.
        pool = NullPool(cast(Any, lambda: PooledConnection(links)), reset_on_return=None, dialect=driver.dialect)
        self._engine = Engine(pool, driver.dialect, make_url(f"{database.system}://"))
        event.listen(self._engine, "before_cursor_execute", _stop_if_fired)

    @contextmanager
    def reading(self, interrupt: Interrupt | None = None) -> Iterator[Connection]:
        """Yield a connection for a few statements. See `Backend.reading`; also raises `ConnectionLost`."""
        timeout_s = None if interrupt is None else STATEMENT_S
        interrupt = interrupt or Interrupt()
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                assert isinstance(raw, PooledConnection)  # the pool makes these
                raw.timeout_s = timeout_s
                connection.execution_options(interrupt=interrupt)
                with interrupt.watching(raw.stop):
                    yield connection
        except (DBAPIError, self._driver.error) as error:
            cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
            raise self._explained(cause, interrupt) from error
        except UnicodeEncodeError as error:
            raise UsageError("not found: the text contains a byte or half a character that is not text") from error
        except MldeckError:
            raise
        except Exception as error:
            raise MldeckError(f"{self._database.name} cannot be read: {type(error).__name__}: {error}") from error

    def close(self) -> None:
        self._engine.dispose()

    def _explained(self, cause: BaseException, interrupt: Interrupt) -> MldeckError:
        fault, said = self._driver.fault_of(cause), self._driver.words_of(cause)
        if interrupt.fired:
            return Interrupted("stopped")
        if fault is Fault.STOPPED:
            return StoreUnavailable(
                f"{self._database.name}: the server has stopped a read: {one_line(said, self._database)}"
            )
        if fault is Fault.OTHER_TABLES:
            self._on_other_tables()
        error = explained(fault, said, self._database)
        if isinstance(error, ConnectionLost):
            self._links.drop_idle()
        return error


def _stop_if_fired(connection: Connection, *_: object) -> None:
    """Raise `Interrupted` before a statement: an interrupt fired between two statements found nothing to stop."""
    connection.get_execution_options()["interrupt"].check()
