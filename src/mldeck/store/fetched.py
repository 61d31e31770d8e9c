"""The cursor of a driver (PEP 249) whose statements are answered completely by one request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

FetchedRow = tuple[Any, ...]


class FetchedCursor:
    """The result of a statement, all rows of which have arrived."""

    arraysize = 1
    rowcount = -1
    lastrowid = None

    def __init__(self) -> None:
        self.description: Sequence[Sequence[Any]] | None = None
        self._rows: Sequence[FetchedRow] = ()
        self._at = 0

    def take(self, description: Sequence[Sequence[Any]], rows: Sequence[FetchedRow]) -> None:
        """Take the result of a statement. The description is empty if it gives no rows."""
        self.description = description or None
        self._rows, self._at = rows, 0

    def fetchone(self) -> FetchedRow | None:
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[FetchedRow]:
        start = self._at
        self._at = min(len(self._rows), start + (self.arraysize if size is None else size))
        return list(self._rows[start : self._at])

    def fetchall(self) -> list[FetchedRow]:
        return self.fetchmany(len(self._rows))

    def __iter__(self) -> Iterator[FetchedRow]:
        return iter(self.fetchall())

    def close(self) -> None:
        self._rows = ()

    def setinputsizes(self, sizes: object) -> None:
        """Do nothing."""

    def setoutputsize(self, size: object, column: object = None) -> None:
        """Do nothing."""
