"""What the far end tells about the database that it opened. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mldeck.store.ssh.frames import BrokenFrame


@dataclass(frozen=True)
class FarState:
    """What tells, compared with an earlier one, whether the database was changed."""

    identity: object
    """Device and inode; None while there is no such file."""
    data: object
    """Another value after rows were committed."""
    schema: object
    """Another value when the database must be opened again."""
    is_locked: bool
    error: str | None
    """Why the others are not known."""

    @classmethod
    def parsed(cls, state: Any) -> FarState:
        if not isinstance(state, dict):
            raise BrokenFrame("a state that is no object")
        error = state.get("error")
        return cls(
            _frozen(state.get("identity")),
            _frozen(state.get("data")),
            _frozen(state.get("schema")),
            state.get("locked") is True,
            None if error is None else str(error),
        )


@dataclass(frozen=True)
class Hello:
    """The database as it was when the far end opened it."""

    opening: int
    """A number that grows with each opening by one far end."""
    path: str
    """The absolute path over there."""
    sqlite: tuple[int, ...]
    """The version over there."""
    read_only_reason: str | None
    """Why the user over there could not write the file; None if that user could."""
    columns: Sequence[tuple[str, str]]
    """(table, column) of all tables."""
    views: Mapping[str, Sequence[str] | None]
    """Columns by view; None for a view of something that does not exist."""
    indexes: Sequence[tuple[str, str]]
    """(table, index)."""
    revision: str | None
    """That of the last migration."""
    state: FarState

    @classmethod
    def parsed(cls, head: Mapping[str, Any]) -> Hello:
        """Raises `BrokenFrame` for what is no answer to an opening."""
        try:
            return cls(
                opening=int(head["opening"]),
                path=str(head["path"]),
                sqlite=tuple(int(number) for number in head["sqlite"]),
                read_only_reason=_text(head["read_only_reason"]),
                columns=_pairs(head["columns"]),
                views={
                    str(view): None if names is None else [str(name) for name in names]
                    for view, names in head["views"].items()
                },
                indexes=_pairs(head["indexes"]),
                revision=_text(head["revision"]),
                state=FarState.parsed(head["state"]),
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise BrokenFrame(f"an opening that cannot be understood: {error!r}") from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _pairs(rows: Any) -> list[tuple[str, str]]:
    return [(str(first), str(second)) for first, second in rows]


def _frozen(value: Any) -> object:
    """Return JSON as a value that can be compared and is never changed."""
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
