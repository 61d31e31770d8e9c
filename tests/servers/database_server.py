"""What the tests need of a server, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from tests.servers.service import Service

USER = "mldeck"
"""Owns the databases, and has no power beyond."""
PASSWORD = "never-to-be-shown"
"""Of all users."""
READER = "reader"
"""May read, but not write."""

SCHEMAS = Path(__file__).parent / "schemas"
"""MLflow's tables, as SQL for each kind of server and each revision; `record.py` writes them."""

Row = Sequence[Any]


def address(scheme: str, port: int, database: str, user: str, password: str | None, options: dict[str, str]) -> str:
    secret = "" if password is None else f":{quote(password, safe='')}"
    query = f"?{urlencode(options)}" if options else ""
    return f"{scheme}://{quote(user, safe='')}{secret}@127.0.0.1:{port}/{database}{query}"


class DatabaseServer(Protocol):
    """A running server. Its own connections are those of its administrator."""

    @property
    def kind(self) -> str:
        """The name of its folder of schemas."""

    @property
    def driver_scheme(self) -> str:
        """What MLflow's URI of it begins with, so that SQLAlchemy takes a driver that is installed."""

    @property
    def administrator(self) -> str:
        """The name of a user who may do everything, with the same password."""

    @property
    def service(self) -> Service:
        """The process."""

    def url(
        self,
        database: str,
        *,
        user: str = USER,
        password: str | None = PASSWORD,
        port: int | None = None,
        **options: str,
    ) -> str:
        """Return the address of a database, as a user would type it. `port` is that of a link in between."""

    def create(self, database: str) -> None:
        """Make an empty database that belongs to `USER`."""

    def drop(self, database: str) -> None:
        """Remove a database, and end all that is done with it."""

    def run_script(self, database: str, script: str) -> None:
        """Run statements as `USER`."""

    def query(self, database: str, *statements: str) -> list[Row]:
        """Return the rows of the last statement of the administrator's."""

    def tables(self, database: str) -> dict[str, list[Row]]:
        """Return all rows of all tables; JSON as its text."""

    def columns(self, database: str) -> dict[str, dict[str, str]]:
        """Return the types of all columns, by table and name."""

    def filling(self, database: str) -> AbstractContextManager[Filler]:
        """Yield what writes rows without regard to foreign keys; commit after the block."""

    def sessions(self, database: str) -> list[int]:
        """Return the ids of the connections to a database that are not the administrator's."""

    def end_sessions(self, database: str) -> None:
        """End them."""


class Filler(Protocol):
    """Rows for the tables of one database."""

    def empty(self, tables: Iterable[str]) -> None:
        """Remove all rows of the tables."""

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows."""
