"""The errors of a server told apart, and said in words. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto

from mldeck.errors import ConnectionLost, Interrupted, MldeckError, StoreLocked, StoreUnavailable, UsageError
from mldeck.store.server_database import ServerDatabase


class NoServer(StoreUnavailable):
    """The server cannot be reached, at least for the moment."""


class Fault(Enum):
    """A kind of error, whichever server it comes from."""

    STOPPED = auto()
    """The statement was stopped, because it was asked to be or took too long."""
    OTHER_TABLES = auto()
    """A table or column does not exist."""
    LOCKED = auto()
    """Another transaction is in the way, for the moment."""
    READ_ONLY = auto()
    LOST = auto()
    """The connection has ended."""
    FORBIDDEN = auto()
    """The login may not do it."""
    LOGIN = auto()
    """The server refuses the login."""
    NO_DATABASE = auto()
    UNKNOWN_HOST = auto()
    NO_SERVER = auto()
    """Nothing answers at that host and port."""
    TEXT = auto()
    """A value that the server cannot have as text."""
    OTHER = auto()


_ADVICE = {
    "postgresql": "give a password in the URL, in ~/.pgpass or in PGPASSWORD",
    "mysql": "give a password in the URL or in MYSQL_PWD",
}


def explained(fault: Fault, text: str, database: ServerDatabase) -> MldeckError:
    """Return an error of a statement as one that the user understands. `text` is the server's message."""
    said, name = one_line(text, database), database.name
    if fault is Fault.STOPPED:
        return Interrupted("stopped")
    if fault is Fault.LOST:
        return ConnectionLost(f"connection to {database.place} lost: {said}")
    if fault is Fault.LOCKED:
        return StoreLocked(f"{name} is locked by another program: {said}")
    if fault is Fault.OTHER_TABLES:
        return StoreUnavailable(f"{name} was changed by another MLflow, or by hand: {said}")
    if fault is Fault.FORBIDDEN:
        return MldeckError(f"{name} may not be read by this login: {said}")
    if fault is Fault.TEXT:
        return UsageError("not found: the text contains a NUL or half a character that is not text")
    return unreachable(fault, text, database) or MldeckError(f"{name} cannot be read: {said}")


def unreachable(fault: Fault, text: str, database: ServerDatabase) -> StoreUnavailable | None:
    """Return an error of connecting in words; None for one that is about a statement."""
    said = one_line(text, database)
    messages = {
        Fault.UNKNOWN_HOST: f"there is no host {database.host}, or its name cannot be found now",
        Fault.NO_SERVER: f"no server answers at {database.place}: {said}",
        Fault.LOGIN: f"{database.place} refuses the login: {said}; {_ADVICE[database.system]}",
        Fault.NO_DATABASE: f"there is no database {database.database} at {database.place}",
    }
    if fault not in messages:
        return None
    kind = NoServer if fault in (Fault.UNKNOWN_HOST, Fault.NO_SERVER) else StoreUnavailable
    return kind(messages[fault])


def fault_of_words(text: str, words: Mapping[str, Fault]) -> Fault:
    """Return what a message is about, by patterns that are tried in this order."""
    return next((fault for pattern, fault in words.items() if re.search(pattern, text, re.IGNORECASE)), Fault.OTHER)


def one_line(text: str, database: ServerDatabase) -> str:
    """Return a message of a server or its driver on one line, without a password."""
    lines = [line.strip() for line in database.hidden(text).splitlines()]
    return "; ".join(line for line in lines if line) or "no reason is given"
