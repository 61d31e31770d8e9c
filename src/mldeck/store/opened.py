"""An open database: following changes, waiting for locks, and opening again what was replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Event, RLock, local
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Executable

from mldeck.errors import ConnectionLost, StoreChanged, StoreLocked, StoreUnavailable
from mldeck.store.address import Address
from mldeck.store.backend import Change, Mirrored, Writer
from mldeck.store.connect import open_backend
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import newest_columns
from mldeck.store.statements import foreseen

_P = ParamSpec("_P")
_Result = TypeVar("_Result")

PATIENCE_S = 1.0
"""Seconds that an interactive read waits for a lock before the user is told."""


class OpenedStore:
    """An open database file, usable from any thread.

    Opening raises `StoreUnavailable` while the file is locked or gone, and `MldeckError` when it is damaged.
    """

    address: Address
    """Where it is, as the user named it."""
    schema: Schema
    """The tables and columns of the database; replaced when the file is opened again."""

    def __init__(
        self, address: Address, *, read_only: bool = False, write: bool = False, patience_s: float = PATIENCE_S
    ) -> None:
        """`read_only`: whether it must not be changed. `write`: whether it may be even if it is on another machine.

        `patience_s`: seconds that a read waits for another program's lock before it raises `StoreLocked`.
        """
        self.address = address
        self._asked_read_only = read_only
        self._may_write = write and not read_only
        self._patience_s = patience_s
        self._gave_up = Event()
        self._locked_since: float | None = None
        # Held while polling and reopening, because a connection must not be closed while another thread uses it.
        self._watching = RLock()
        self._is_closed = False
        self._shared = local()
        """Its `connection` is the one that the reads of a thread share in `read_together`."""
        self._patiently(self._open, None)

    def _open(self, before: Schema | None = None) -> None:
        """Open the file. Nothing is replaced unless all of it succeeds and no table of `before` is missing now."""
        backend = open_backend(self.address, read_only=self._asked_read_only, write=self._may_write)
        try:
            schema = backend.read_schema()
            if before is not None and (lost := schema.lost_since(before)):
                raise StoreUnavailable(f"{self.address} has no table {lost} any more")
        except BaseException:
            backend.close()
            raise
        self._backend, self.schema = backend, schema

    @property
    def read_only_reason(self) -> str | None:
        """Why the database cannot be written; None when it can."""
        return self._backend.read_only_reason

    @property
    def is_distant(self) -> bool:
        """Whether each request to the database takes a trip to another machine."""
        return self._backend.is_distant

    @property
    def is_copy(self) -> bool:
        """Whether a private copy is read, because the file itself cannot be read in place."""
        return self._backend.is_copy

    @property
    def state(self) -> str:
        """How current what is read is: `live`, `copy`, or how old a mirror may be."""
        if isinstance(self._backend, Mirrored):
            return self._backend.state
        return "copy" if self.is_copy else "live"

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about this database that the user should see."""
        if self.read_only_reason and not self._asked_read_only:
            return (*self.reading_notices, f"read-only: {self.read_only_reason}")
        return self.reading_notices

    @property
    def reading_notices(self) -> tuple[str, ...]:
        """Those of `notices` that give reasons why the content may be incomplete."""
        notices = [self._backend.notice] if self._backend.notice else []
        if self.schema.is_unknown and self.schema.differs_from(newest_columns()):
            notices.append(
                f"written by a newer MLflow than this mldeck knows (revision {self.schema.revision}); "
                "what is shown may be incomplete"
            )
        return (*notices, *self.schema.notices)

    def poll(self) -> Change:
        """Return what others changed since the last call, and reopen the file when it was migrated or replaced.

        Raises `StoreUnavailable` while it is locked or gone, and `MldeckError` while it is damaged; the store stays usable
        and recovers with a later call.
        """
        with self._watching:
            if self._is_closed:
                return Change.NOTHING
            try:
                change = self._backend.poll()
                self._locked_since = None
            except StoreLocked:
                if self._is_locked_too_long():
                    raise
                return Change.NOTHING
            if change is Change.GONE:
                raise StoreUnavailable(f"{self.address} is gone")
            if change is Change.FILE:
                self._reopen_after_change()
            return change

    def _is_locked_too_long(self) -> bool:
        now = time.monotonic()
        self._locked_since = self._locked_since or now
        return now - self._locked_since >= self._patience_s

    def writer(self) -> Writer:
        """Return a writer of the database that is open now."""
        return self._backend.writer()

    def give_up(self) -> None:
        """Stop waiting for locks in all threads, because the app is closing."""
        self._gave_up.set()

    def reopen(self) -> None:
        """Open the file that is there now; when that fails, the store keeps what it had."""
        self._reopen(None)
        if isinstance(self._backend, Mirrored):
            self._backend.refresh()

    def wait_until_complete(self, tell: Callable[[str], None]) -> None:
        """Wait until all of a mirrored store has been read, and `tell` how far it is when that takes long."""
        if isinstance(self._backend, Mirrored):
            self._backend.wait_until_complete(tell)

    def show(self, run_ids: Sequence[str]) -> None:
        """Note which runs are looked at, for a store that is mirrored."""
        if isinstance(self._backend, Mirrored):
            self._backend.show(run_ids)

    def fetch_history(self, run_id: str, key: str, interrupt: Interrupt | None) -> None:
        """Make sure that the whole history of a metric can be read: a mirror has only those that were looked at."""
        if isinstance(self._backend, Mirrored):
            self._backend.fetch_history(run_id, key, interrupt)

    def _reopen_after_change(self) -> None:
        """Reopen the file that others changed.

        Refused while a table is missing, because a migration may be rebuilding it, unless another file took its place.
        """
        self._reopen(None if self._backend.is_replaced else self.schema)

    def _reopen(self, before: Schema | None) -> None:
        with self._watching:
            if self._is_closed:
                return
            backend = self._backend
            self._open(before)
            backend.close()

    def close(self) -> None:
        """Close all connections; reads that are running in other threads continue to their end."""
        with self._watching:
            self._is_closed = True
            self._backend.close()
            self._backend.tidy()

    def read(
        self,
        function: Callable[Concatenate[Connection, Schema, _P], _Result],
        interrupt: Interrupt | None,
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> _Result:
        """Return `function(connection, schema, ...)`, waiting up to the patience while the database is locked.

        Raises what `Backend.reading` raises.
        """

        shared: Connection | None = getattr(self._shared, "connection", None)
        if shared is not None:
            return function(shared, self.schema, *args, **kwargs)

        def read() -> _Result:
            try:
                with self._backend.reading(interrupt) as connection:
                    return function(connection, self.schema, *args, **kwargs)
            except StoreChanged:
                self._reopen_after_change()
                raise

        try:
            return self._patiently(read, interrupt)
        except ConnectionLost:  # an idle one may have been cut long ago
            return self._patiently(read, interrupt)

    def read_together(
        self, read: Callable[[], _Result], statements: Callable[[Schema], Iterable[Executable]], interrupt: Interrupt
    ) -> _Result:
        """Return `read()`, in which all reads of this store by this thread share a connection.

        A distant database answers the `statements` in one request before (see `foreseen`). `interrupt` stops all of it;
        another one that is given to a single read has no effect. Raises what `read` with a function raises.
        """

        def share(connection: Connection, schema: Schema) -> _Result:
            self._shared.connection = connection
            try:
                with foreseen(connection, statements(schema)):
                    return read()
            finally:
                self._shared.connection = None

        return self.read(share, interrupt)

    def _patiently(self, read: Callable[[], _Result], interrupt: Interrupt | None) -> _Result:
        """Retry while it is locked or was changed meanwhile, until the patience ends or the interrupt is fired."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return read()
            except (StoreLocked, StoreChanged):
                if time.monotonic() >= deadline or self._gave_up.is_set():
                    raise
                if interrupt is not None:
                    interrupt.check()
