"""What differs between the kinds of servers, as the rest of this folder sees it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mldeck.store.schema import Traits
from mldeck.store.servers.errors import Fault
from mldeck.store.servers.filling import StatementAnswer
from mldeck.store.servers.links import Link

if TYPE_CHECKING:
    from sqlalchemy import Dialect

CONNECT_S = 10
"""Seconds that connecting may take, unless the URL says otherwise."""
KEEPALIVE_S, KEEPALIVE_INTERVAL_S, KEEPALIVES = 15, 5, 3
"""Seconds without traffic until a connection is probed, seconds between two probes, and probes without an answer until it is
lost."""
APPLICATION = "mldeck"
"""The name by which the server knows the connections."""


@dataclass(frozen=True)
class DatabaseFacts:
    """What is known of a database when it is opened, by one request after connecting."""

    columns: Mapping[str, frozenset[str]]
    """The names by table."""
    indexes: Mapping[str, frozenset[str]]
    revision: str | None
    state: Hashable
    """See `Driver.state`."""


class Driver(Protocol):
    """A kind of server, with the driver for it loaded."""

    traits: Traits
    dialect: Dialect
    error: type[Exception]
    """The base class of the driver's errors."""

    def connect(self) -> Link:
        """Connect to the database. Raises the driver's errors, and `UsageError` for a server that is too old."""

    def fault_of(self, error: BaseException) -> Fault: ...

    def words_of(self, error: BaseException) -> str:
        """Return what the server says, without what the driver adds to it."""

    def opening(self, link: Link) -> DatabaseFacts:
        """Ask what is known of the database when it is opened. Raises the driver's errors."""

    def columns(self, link: Link) -> Mapping[str, frozenset[str]]:
        """Ask for the names of the columns, by table."""

    def state(self, link: Link) -> tuple[Hashable, str | None]:
        """Ask for a value that is another one after rows were committed, and for the revision of the last migration.

        It may also change without a reason.
        """


def rows_of(answers: Sequence[StatementAnswer | Exception], required: int) -> list[Sequence[tuple[Any, ...]]]:
    """Return the rows of each answer. Raises the error of one of the first `required`; a later one has no rows then."""
    rows: list[Sequence[tuple[Any, ...]]] = []
    for answer in answers:
        if isinstance(answer, Exception):
            if len(rows) < required:
                raise answer
            break
        rows.append(answer.rows)
    return rows


def only_text(rows: Sequence[Sequence[tuple[Any, ...]]]) -> str | None:
    """Return the text that the first of these statements gave, None without one."""
    return str(rows[0][0][0]) if rows and rows[0] else None
