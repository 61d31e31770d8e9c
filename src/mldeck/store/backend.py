"""The seam between a store and the kind of database it is in. All that such a kind has of its own stands behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from mldeck.errors import MldeckError, Overtaken

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mldeck.store.interrupt import Interrupt
    from mldeck.store.schema import Schema


_Result = TypeVar("_Result")

OVERTAKEN_WAIT_S = 20.0
"""Seconds after which an edit that others overtake again and again is given up: as long as one waits for a lock."""


class Change(Enum):
    """A kind of change of the database since the last poll."""

    NOTHING = "nothing"
    DATA = "data"
    """Another connection committed rows."""
    FILE = "file"
    """The database was migrated or replaced, or its snapshot is out of date. It must be reopened."""
    GONE = "gone"
    """The database does not exist, at least for the moment."""


class Writer(Protocol):
    """Transactions that change a database, from any thread."""

    def writing(self, interrupt: Interrupt | None = None) -> AbstractContextManager[tuple[Connection, Schema]]:
        """Yield a connection in a transaction, and the schema. Use it by `written`.

        Commits when the block ends without an error, if all that was read through the connection is then as it was read;
        otherwise nothing is changed. Raises `Overtaken` when it is not; `Interrupted` when `interrupt` is fired before the
        commit; `StoreUnavailable` when the database is gone, or locked for too long; `PerhapsWritten` when the answer to a
        commit was lost and could not be looked up; `MldeckError` when it must not or cannot be written.
        """

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` or `MldeckError` when the database cannot be written."""


def written(
    writer: Writer, edit: Callable[[Connection, Schema], _Result], interrupt: Interrupt | None = None
) -> _Result:
    """Run `edit(connection, schema)` in a transaction and return its result. Try again while others change the rows it reads.

    Raises what `Writer.writing` raises, and what `edit` raises.
    """
    deadline = time.monotonic() + OVERTAKEN_WAIT_S
    while True:
        try:
            with writer.writing(interrupt) as (connection, schema):
                return edit(connection, schema)
        except Overtaken:
            if time.monotonic() >= deadline:
                raise


class NoWriter:
    """The writer of a database that mldeck only reads. See `Writer`, which this is."""

    def __init__(self, name: str, reason: str) -> None:
        self._name = name
        self._reason = reason

    @contextmanager
    def writing(self, interrupt: Interrupt | None = None) -> Iterator[tuple[Connection, Schema]]:
        raise self._refusal()
        yield

    def check_writable(self) -> None:
        raise self._refusal()

    def _refusal(self) -> MldeckError:
        return MldeckError(f"{self._name} cannot be changed: {self._reason}")


class Backend(Protocol):
    """An open database, which any number of threads may read.

    Making one raises `StoreUnavailable` while the database is locked or gone, and `MldeckError` when it is damaged.
    """

    @property
    def read_only_reason(self) -> str | None:
        """Why the database cannot be written; None when it can."""

    @property
    def is_distant(self) -> bool:
        """Whether each request takes a trip to another machine."""

    @property
    def is_copy(self) -> bool:
        """Whether a private copy is read, because the database itself cannot be read in place."""

    @property
    def notice(self) -> str | None:
        """Sentences for the user about the way it was opened."""

    @property
    def is_replaced(self) -> bool:
        """Whether the name of the database now stands for another one than the one that was opened."""

    def read_schema(self) -> Schema:
        """Read the tables, columns and indexes that there are."""

    def reading(self, interrupt: Interrupt | None = None) -> AbstractContextManager[Connection]:
        """Yield a connection for a few statements, each to be fetched completely because an open cursor may hold a lock.

        Raises `Interrupted` when the interrupt is fired, `StoreLocked` while another program holds the lock,
        `StoreUnavailable` when the database is gone or has other tables now, `StoreChanged` when it was changed in a way
        that makes what was read doubtful, and `MldeckError` when it cannot be read.
        """

    def poll(self) -> Change:
        """Return the kind of change that others made since the last poll. Never waits; only one thread may poll at a time.

        Raises `StoreLocked` while another program holds the lock, and `MldeckError` while the database cannot be watched.
        """

    def writer(self) -> Writer:
        """Return a writer for the database."""

    def close(self) -> None:
        """Close all connections. Reads that are running in other threads continue to their end."""

    def tidy(self) -> None:
        """Remove files that remained only because mldeck was reading. Called after `close`."""


@runtime_checkable
class Mirrored(Protocol):
    """A backend that reads a private copy of a store, which is brought up to date meanwhile. Its `poll` tells of changes."""

    @property
    def state(self) -> str:
        """The progress of the first reading; afterwards the greatest possible age of the data."""

    def show(self, run_ids: Sequence[str]) -> None:
        """Note which runs are looked at: they are read first, and watched closely."""

    def fetch_history(self, run_id: str, key: str, interrupt: Interrupt | None) -> None:
        """Wait until the whole history of a metric can be read. Raises `Interrupted`."""

    def wait_until_complete(self, tell: Callable[[str], None]) -> None:
        """Wait until all of the store has been read, and `tell` how far it is when that takes long."""

    def refresh(self) -> None:
        """Read all that has changed now, and wait for it, though not for long."""
