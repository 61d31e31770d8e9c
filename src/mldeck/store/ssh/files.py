"""Files and folders on the other machine, read over the line of its database. Standard library only.

All raise `OSError` as the same on this machine would, `StoreUnavailable` when the line is lost, and `MldeckError` for what the
far end refuses to read: what is no ordinary file, and the database itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mldeck.errors import StoreUnavailable
from mldeck.store.ssh.frames import BrokenFrame, unpack_rows
from mldeck.store.ssh.line import FarLine

MOST_AT_ONCE = 16 << 20
"""Bytes of a file that one request reads at most."""


@dataclass(frozen=True)
class FarEntry:
    """An entry of a folder over there, itself and not what it links to."""

    name: str
    mode: int
    """With the kind of the entry, as in `os.stat_result.st_mode`."""
    size: int
    """In bytes."""
    mtime_ns: int


@dataclass(frozen=True)
class FarPart:
    """A part of a file over there, and the file as it was when that was read."""

    data: bytes
    """Shorter than was asked for where the file ends."""
    size: int
    """Of the whole file, in bytes."""
    mtime_ns: int


class FarFiles:
    """Reads files over there, one request after another; several of these read at the same time."""

    def __init__(self, line: FarLine) -> None:
        self._line = line
        self._stream = line.new_stream()

    def entries(self, path: str) -> list[FarEntry]:
        """Return what is in a folder, in no order."""
        answer = self._line.ask(self._stream, {"do": "entries", "path": path})
        try:
            (head,) = answer.head["results"]
            rows, _ = unpack_rows(head, answer.body, 0)
            return [FarEntry(str(name), int(mode), int(size), int(mtime_ns)) for name, mode, size, mtime_ns in rows]
        except (BrokenFrame, KeyError, TypeError, ValueError) as error:
            raise self._broken(error) from error

    def read(self, path: str, at: int, count: int) -> FarPart:
        """Read at most `count` bytes of an ordinary file from `at` on."""
        answer = self._line.ask(self._stream, {"do": "read", "path": path, "at": at, "count": min(count, MOST_AT_ONCE)})
        try:
            if len(answer.body) > count:
                raise BrokenFrame("more of a file than was asked for")
            return FarPart(answer.body, int(answer.head["size"]), int(answer.head["mtime_ns"]))
        except (BrokenFrame, KeyError, TypeError, ValueError) as error:
            raise self._broken(error) from error

    def first_existing(self, paths: Sequence[str]) -> tuple[int, bool] | None:
        """Return the index of the first of these that exists, and whether it is a folder; None if none does."""
        answer = self._line.ask(self._stream, {"do": "exists", "paths": list(paths)})
        index, is_folder = answer.head.get("index"), answer.head.get("is_folder")
        if index is None:
            return None
        if type(index) is not int or not 0 <= index < len(paths):
            raise self._broken(BrokenFrame("the number of a path that was not asked for"))
        return index, is_folder is True

    def stop(self) -> None:
        """Stop the request that is running, which raises `Interrupted`. Never waits."""
        self._line.stop(self._stream)

    def close(self) -> None:
        self._line.end_stream(self._stream)

    def _broken(self, error: Exception) -> StoreUnavailable:
        known = error if isinstance(error, BrokenFrame) else BrokenFrame("an answer that cannot be understood")
        return self._line.broken(known)
