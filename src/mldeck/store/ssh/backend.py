"""A SQLite file on another machine, as the database of a store."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from mldeck.errors import LoginNeeded, StoreLocked, StoreUnavailable
from mldeck.store.backend import Change
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import TABLES_READ, Schema, names_by_table
from mldeck.store.sqlite.reader import SqliteReader
from mldeck.store.ssh.driver import FarConnection, FarDriver
from mldeck.store.ssh.hello import Hello
from mldeck.store.ssh.line import FarLine

if TYPE_CHECKING:
    from mldeck.store.ssh.writer import SshWriter

READ_ONLY_REASON = "it is on another machine; --write allows changes"


class SshBackend:
    """The database at the far end of a line, which may have been started already. See `Backend`, which this is.

    The line ends with the last backend that uses it.
    """

    def __init__(self, line: FarLine, *, read_only: bool = False) -> None:
        """`read_only`: whether it must not be changed even if the line allows it."""
        self._line = line
        self._asked_read_only = read_only
        self._hello = line.open()
        line.join()
        self._seen = self._hello.state
        self._driver = FarDriver(line, self._hello.sqlite)
        self._database = _FarDatabase(line)
        self._reader = SqliteReader(self._database, self._driver)

    @property
    def read_only_reason(self) -> str | None:
        if self._asked_read_only:
            return "opened with --read-only"
        return self._hello.read_only_reason if self._line.may_write else READ_ONLY_REASON

    @property
    def is_distant(self) -> bool:
        return True

    @property
    def is_copy(self) -> bool:
        return False

    @property
    def notice(self) -> str | None:
        return None

    @property
    def is_replaced(self) -> bool:
        state = self._line.state
        return state is not None and state.identity != self._hello.state.identity

    def read_schema(self) -> Schema:
        return schema_of(self._hello)

    def reading(self, interrupt: Interrupt | None = None) -> AbstractContextManager[Connection]:
        return self._reader.reading(interrupt)

    def poll(self) -> Change:
        line = self._line
        if line.is_lost:
            line.try_again()
            if line.needs_login:
                raise LoginNeeded(f"connection to {line.file.place} lost")
            raise StoreUnavailable(f"connection to {line.file.place} lost · trying again")
        hello = line.last_hello
        assert hello is not None  # this backend has opened the database
        if hello is not self._hello:
            # Connected again. What was committed meanwhile is not known, so it counts as changed.
            if not is_same_database(hello, self._hello):
                return Change.FILE
            self._hello, self._seen = hello, hello.state
            return Change.DATA
        state = line.state or hello.state
        if state.identity is None:
            return Change.GONE
        if state.identity != hello.state.identity:
            return Change.FILE
        if state.is_locked:
            raise StoreLocked(f"{line.file.name} is locked by another program")
        if state.error is not None or state.schema != hello.state.schema:
            return Change.FILE  # reported by every poll until the database was opened again
        before, self._seen = self._seen, state
        return Change.NOTHING if state.data == before.data else Change.DATA

    def writer(self) -> SshWriter:
        from mldeck.store.ssh.writer import SshWriter  # most sessions only read

        return SshWriter(self._line, self._database, self._driver, self.read_only_reason)

    def close(self) -> None:
        self._reader.close()
        self._line.leave()

    def tidy(self) -> None:
        """Do nothing: the far end leaves nothing behind."""


class _FarDatabase:
    """The database at the far end, for the reader. The far end makes the checks, with each request."""

    def __init__(self, line: FarLine) -> None:
        self._line = line

    @property
    def name(self) -> str:
        return self._line.file.name

    @property
    def is_gone(self) -> bool:
        state = self._line.state
        return state is not None and state.identity is None

    def connect(self) -> FarConnection:
        return FarConnection(self._line)

    def check_before_reading(self) -> None: ...

    def check_unchanged(self) -> None: ...


def is_same_database(hello: Hello, before: Hello) -> bool:
    """Return whether what is known of one can be used for the other: the file, its tables, columns and indexes."""

    def of(hello: Hello) -> tuple[object, ...]:
        return hello.state.identity, hello.state.schema, schema_parts(hello)

    return of(hello) == of(before)


def schema_of(hello: Hello) -> Schema:
    return Schema(*schema_parts(hello))


def schema_parts(hello: Hello) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]], str | None]:
    """Return columns by table, indexes by table, and the revision, as `read_schema` of a file would."""
    columns = names_by_table(hello.columns)
    views = {view: names for view, names in hello.views.items() if view in TABLES_READ}
    if all(names is not None for names in views.values()):  # see `_columns_by_table`
        columns |= {view: frozenset(names or ()) for view, names in views.items()}
    return columns, names_by_table(hello.indexes), hello.revision
