"""The bytes of one artifact, read in ranges: all that a preview needs to know about where a file is."""

from __future__ import annotations

import io
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from mldeck.errors import MldeckError

Check = Callable[[], None]
"""Called between pieces of long work. Raises `mldeck.errors.Interrupted` once the result is no longer wanted."""

Progress = Callable[[int], None]
"""Called with the amount of work done so far, usually in bytes."""


def no_check() -> None:
    """Do nothing: the check of work that is never interrupted."""


def no_progress(done: int) -> None:
    """Do nothing: the progress of work that is not watched."""


class Source(Protocol):
    """A file of known size that can be read in ranges. Failures raise OSError or MldeckError."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        ...

    @property
    def size(self) -> int:
        """The size in bytes when it was first asked for."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer only at the end of the file."""
        ...


class UnreadableFile(MldeckError):
    """The path is not a regular file, or no longer the same one."""


class ReadTooMuch(MldeckError):
    """A library tried to read more of a file than a preview may read."""


class TookTooLong(MldeckError):
    """A file took more time than a preview may take."""


CHUNK = 1 << 20
"""Bytes per read when a whole file is read."""

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class LocalFile:
    """A regular file on this machine.

    Its type is checked before it is opened and again afterwards, because opening a pipe or a device can have side
    effects. Each read opens the file anew, so that nothing has to be closed, and checks that it is still the same file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: os.stat_result | None = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def size(self) -> int:
        return self._look().st_size

    def read(self, offset: int, length: int) -> bytes:
        seen = self._look()
        # Since the check, the file may have been replaced by a link (hence O_NOFOLLOW) or a pipe (hence O_NONBLOCK).
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            opened = os.fstat(descriptor)
            is_same = (opened.st_dev, opened.st_ino) == (seen.st_dev, seen.st_ino)
            # A pipe may have reused the inode number of a removed file.
            if not is_same or not stat.S_ISREG(opened.st_mode):
                raise UnreadableFile(f"{self.path} was replaced while it was being read. Open it again.")
            return _read_fully(descriptor, offset, length)
        finally:
            os.close(descriptor)

    def _look(self) -> os.stat_result:
        if self._seen is None:
            seen = self.path.lstat()
            if not stat.S_ISREG(seen.st_mode):
                kind = _KINDS.get(stat.S_IFMT(seen.st_mode), "something else")
                raise UnreadableFile(f"{self.path} is {kind}, not a file: it was not opened.")
            self._seen = seen
        return self._seen


def _read_fully(descriptor: int, offset: int, length: int) -> bytes:
    """Read until `length` bytes or the end of the file: a single system call may return less."""
    pieces: list[bytes] = []
    while length > 0 and (piece := os.pread(descriptor, length, offset)):
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return b"".join(pieces)


class LimitedSource:
    """A source that stops the work of one thread at its next read, once it is not wanted or took too long.

    The limit counts processor seconds: waiting for a slow network or for another preview is not the file's fault.
    """

    def __init__(self, source: Source, check: Check, seconds: float) -> None:
        self._source = source
        self._check = check
        self._seconds = seconds
        self._end = time.thread_time() + seconds

    @property
    def name(self) -> str:
        return self._source.name

    @property
    def size(self) -> int:
        return self._source.size

    def read(self, offset: int, length: int) -> bytes:
        self.check()
        return self._source.read(offset, length)

    def check(self) -> None:
        """Raise `TookTooLong` after the time limit, or what the given check raises. Long work calls it between reads."""
        self._check()
        if time.thread_time() > self._end:
            raise TookTooLong(f"The preview was stopped after {self._seconds:g} s.")


class SourceStream(io.RawIOBase):
    """A source as a file object for libraries. Refuses to read more than `budget` bytes in total."""

    def __init__(self, source: Source, budget: int | None = None) -> None:
        self._source = source
        self._budget = budget
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}[whence]
        if start + offset < 0:
            raise ValueError("seek before the start of the file")
        self._position = start + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._source.size - self._position)
        length = left if size is None or size < 0 else min(size, left)
        if self._budget is not None:
            if length > self._budget:
                raise ReadTooMuch("A preview would have to read too much of this file.")
            self._budget -= length
        data = self._source.read(self._position, length)
        self._position += len(data)
        return data

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def chunks(
    source: Source, start: int = 0, check: Check = no_check, progress: Progress = no_progress
) -> Iterator[bytes]:
    """Yield the file from offset `start` on, in pieces of `CHUNK` bytes."""
    offset = start
    while offset < source.size:
        check()
        data = source.read(offset, CHUNK)
        if not data:  # the file was shortened
            return
        yield data
        offset += len(data)
        progress(offset)
