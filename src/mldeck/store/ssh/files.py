"""The files of the machine that a line leads to, for the artifacts of its store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from queue import Empty, SimpleQueue
from typing import Any

from mldeck.store.ssh.frames import Answer, BrokenFrame, Row, unpack_rows
from mldeck.store.ssh.line import FarLine

_ENTRY_TYPES = ((str,), (str,), (int,), (int,), (int,), (bool,), (str, type(None)))
"""The types of the columns of an entry: see `ENTRY_COLUMNS` of the far end."""


class LineFiles:
    """Files at the far end of a line, asked for from any thread. This is `FarFiles` of the artifacts.

    Methods raise `StoreUnavailable` when the line is lost, and OSError about files; EXDEV for a path that leads out of `root`.
    """

    def __init__(self, line: FarLine) -> None:
        self._line = line
        self._streams: SimpleQueue[int] = SimpleQueue()
        """Those that nobody is waiting for: there are as many as there were requests at the same time."""

    @property
    def place(self) -> str:
        return self._line.file.place

    def exists(
        self, paths: Sequence[str], folders: Sequence[str]
    ) -> tuple[str, int | None, list[str], int | None, str]:
        """Return (folder of the database, index, real paths, index of a folder, problem).

        The first index is that of the first of `paths` that exists, and the real paths are those of all its beginnings, from
        `/` on. If there is none, the second one is that of the first of `folders`, and the problem says what could not be
        looked at. Relative paths start from the folder of the database.
        """
        head = self._ask({"do": "exists", "paths": list(paths), "folders": list(folders)}).head
        try:
            base, reals, unreadable = head["base"], [str(real) for real in head["reals"]], head["unreadable"]
            index, folder = _index(head["index"], paths), _index(head["folder"], folders)
            problem = "" if unreadable is None else f"{unreadable[0]} cannot be read: {unreadable[1]}"
            if not isinstance(base, str):
                raise BrokenFrame("a place without a folder")
            if index is not None and len(reals) != len(PurePosixPath(base, paths[index]).parts):
                raise BrokenFrame("a path with another number of parts")
        except BrokenFrame as error:
            raise self._line.broken(error) from error
        except (KeyError, TypeError, IndexError) as error:
            raise self._line.broken(BrokenFrame("a place that is described wrongly")) from error
        return base, index, reals, folder, problem

    def entries(self, root: str, path: str, *, follow: bool) -> list[Row]:
        """Return (name, state, mode, size, mtime in ns, whether it may be opened, target) of all entries of a folder."""
        return self._rows({"do": "entries", "root": root, "path": path, "follow": follow})

    def entry(self, root: str, path: str, *, follow: bool) -> Row:
        """Return the same of one path."""
        rows = self._rows({"do": "entry", "root": root, "path": path, "follow": follow})
        if len(rows) != 1:
            raise self._line.broken(BrokenFrame("another number of entries"))
        return rows[0]

    def read(self, root: str, path: str, offset: int, length: int, *, follow: bool) -> tuple[object, bytes]:
        """Return a value that tells files apart, and at most `length` bytes from `offset`: fewer also before the end."""
        answer = self._ask({"do": "read", "root": root, "path": path, "at": offset, "count": length, "follow": follow})
        if len(answer.body) > length:
            raise self._line.broken(BrokenFrame("more of a file than was asked for"))
        return answer.head.get("identity"), answer.body

    def _rows(self, request: dict[str, Any]) -> list[Row]:
        answer = self._ask(request)
        try:
            rows, _ = unpack_rows((answer.head.get("results") or [None])[0], answer.body, 0)
            for row in rows:
                if len(row) != len(_ENTRY_TYPES) or not all(map(isinstance, row, _ENTRY_TYPES)) or "/" in row[0]:
                    raise BrokenFrame("an entry that is described wrongly")
        except (BrokenFrame, KeyError, TypeError) as error:
            raise self._line.broken(BrokenFrame(str(error))) from error
        return rows

    def _ask(self, request: dict[str, Any]) -> Answer:
        try:
            stream = self._streams.get_nowait()
        except Empty:
            stream = self._line.new_stream()
        try:
            return self._line.ask(stream, request)
        finally:
            self._streams.put(stream)


def _index(value: Any, of: Sequence[str]) -> int | None:
    if value is None or (type(value) is int and 0 <= value < len(of)):
        return value
    raise BrokenFrame("a place that was not asked for")
