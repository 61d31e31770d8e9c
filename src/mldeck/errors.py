"""The errors that are shown to the user as one line, which names the object and a way out."""

from __future__ import annotations

from collections.abc import Iterable


class MldeckError(Exception):
    """The base class. The message is complete: it says what is wrong and what to do about it."""


class UsageError(MldeckError):
    """The command line or the settings ask for something impossible; the exit status is 2."""


class StoreUnmade(UsageError):
    """The database does not exist or is incomplete; MLflow may be about to create it."""


class StoreUnavailable(MldeckError):
    """The database cannot be read now, but perhaps later: it is locked, replaced or missing."""


class LoginRefused(UsageError):
    """Another machine refused the login, or its key is not known."""


class LoginNeeded(StoreUnavailable):
    """The connection to another machine was lost, and cannot be made again before ssh has asked the user for something."""


class StoreLocked(StoreUnavailable):
    """Another program holds a lock on the database and will release it sooner or later."""


class ConnectionLost(StoreUnavailable):
    """The connection to the database's server has ended. The next read makes a new one."""


class StoreChanged(StoreUnavailable):
    """The file was opened as immutable, but another program has changed it; it must be opened again."""


class Overtaken(MldeckError):
    """The rows that an edit was based on changed before the commit. Nothing was written; the edit can be made again."""


class PerhapsWritten(MldeckError):
    """The connection was lost during a commit, and whether that was written could not be looked up."""


class Interrupted(MldeckError):
    """A read was stopped because its result is no longer needed."""


_PART_LIKENESS = 0.75
"""How similar a mistyped word has to be to a part of a name, of 1."""


def close_name(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that a mistyped word most likely stands for, in upper or lower case; None if none is close.

    A part of a name counts as close: `auc` may stand for `val/auc`, and `chrun` for `churn-forecast`.
    """
    import re
    from difflib import get_close_matches  # imported late, because it is needed after a mistake only

    names = {name.lower(): name for name in known}
    typed = word.lower()
    close = get_close_matches(typed, names, n=1) or [name for name in names if len(typed) > 1 and typed in name][:1]
    if close:
        return names[close[0]]
    parts = {part: name for name in reversed(names.values()) for part in re.split(r"[\W_]+", name.lower()) if part}
    close = get_close_matches(typed, parts, n=1, cutoff=_PART_LIKENESS)
    return parts[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " (did you mean NAME?)" to follow an unknown name in a message; empty if no known name is close."""
    name = close_name(word, known)
    return f" (did you mean {name}?)" if name is not None else ""
