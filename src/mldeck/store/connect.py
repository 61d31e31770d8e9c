"""Reach the database at an address, whatever kind it is. Importing this loads no database library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mldeck.errors import UsageError
from mldeck.store.address import Address
from mldeck.store.sqlite import files

if TYPE_CHECKING:
    from mldeck.store.backend import Backend


def check_database(address: Address) -> None:
    """Raise `UsageError` unless a readable MLflow database is there; `StoreUnmade` while it may still become one."""
    if not isinstance(address, Path):
        raise UsageError(f"{address}: stores on other machines are not supported yet")
    files.check_database(address)


def wait_for_database(address: Address, tell: Callable[[str], None]) -> None:
    """Wait until MLflow has made the database, and `tell` what is still missing.

    Raises `UsageError` for what is no MLflow database.
    """
    if isinstance(address, Path):
        files.wait_for_database(address, tell)
    else:
        check_database(address)


def open_backend(address: Address, *, read_only: bool) -> Backend:
    """Open the database. Raises what making a `Backend` raises."""
    if not isinstance(address, Path):
        raise UsageError(f"{address}: stores on other machines are not supported yet")
    from mldeck.store.sqlite.backend import SqliteBackend

    return SqliteBackend(address, read_only=read_only)
