"""The part of a database that editors need: transactions that hold its write lock."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection

from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema


class Writer(Protocol):
    """Transactions that change one database, from any thread; no connection is kept between them."""

    def writing(self, interrupt: Interrupt | None = None) -> AbstractContextManager[tuple[Connection, Schema]]:
        """Yield a connection that holds the write lock, and the schema at this moment.

        Commits when the block ends without an error; otherwise nothing is changed. Raises `Interrupted` when `interrupt`
        is fired before the commit; `StoreUnavailable` when the database is gone, or stays locked; `MldeckError` when it
        must not or cannot be written.
        """

    def check_writable(self) -> None:
        """Raise `StoreUnavailable` or `MldeckError` when the database cannot be written."""
