"""Reading the files of a file store: texts, mappings, metrics, and what tells that they have changed. Standard library only.

The folder is foreign. Nothing but regular files is read, and no link that leads out of the store is followed, except that the
folder of an experiment may be a link.
"""

from __future__ import annotations

import os
import stat
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mldeck.store.mirror.flat_yaml import BrokenYaml, read_mapping
from mldeck.store.mirror.tables import PlainPoint

META = "meta.yaml"
_MOST_TEXT = 1 << 20
_MOST_META = 1 << 25
"""Bytes; the profile of a dataset may be long."""
_MOST_LEVELS = 50
_JUST_NOW_NS = 100_000_000
"""Age below which a file may change again without a change of its time: clocks of file systems tick slowly."""
_WRITING_S = 60.0
"""Age up to which a `meta.yaml` without an end of line counts as half-written."""
_MOST_INTEGER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class ValueFile:
    """A file that holds a value."""

    key: str
    """Its path in the folder of values, with slashes: the key of the metric, param or tag."""
    path: str
    size: int
    inode: int


class Unreadable(Exception):
    """A file that cannot be read. The message says why, in a few words."""


class FilesBelow:
    """The files below the folder of a run or a model: found in one walk, with a number that moves when any of them changes."""

    def __init__(self, root: str, folder: str, names: Sequence[str]) -> None:
        """Walk through these folders in `folder`. `root` is the real path of the store: links must stay in it."""
        self.values: dict[str, list[ValueFile]] = {name: [] for name in names}
        self.left_out: list[str] = []
        """The links and other things that are not read."""
        self._root = root
        self._sum = 0
        self._names: list[str] = []
        self._newest_ns = 0
        self._count(META, os.stat(f"{folder}/{META}"))
        for name in names:
            self._walk(name, f"{folder}/{name}", "", 0)

    @property
    def number(self) -> int:
        names = "\0".join(sorted(self._names))
        # Not Python's hash of a text, which differs between processes.
        return (self._sum + zlib.crc32(os.fsencode(names))) & _MOST_INTEGER

    def is_settled(self, now_ns: int) -> bool:
        """Return whether every later change will move the number."""
        return not 0 <= now_ns - self._newest_ns < _JUST_NOW_NS

    def _walk(self, name: str, path: str, prefix: str, level: int) -> None:
        try:
            entries = os.scandir(path)
        except (FileNotFoundError, NotADirectoryError):
            return
        with entries:
            for entry in entries:
                key = prefix + entry.name
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                elif entry.is_dir(follow_symlinks=False) and level < _MOST_LEVELS:
                    self._walk(name, entry.path, f"{key}/", level + 1)
                    continue
                else:
                    linked = self._linked_file(entry)
                    if linked is None:
                        self.left_out.append(entry.path)
                        continue
                    status = linked
                self._count(f"{name}/{key}", status)
                self.values[name].append(ValueFile(clean(key), entry.path, status.st_size, status.st_ino))

    def _linked_file(self, entry: os.DirEntry[str]) -> os.stat_result | None:
        """Return the status of the regular file that a link within the store leads to."""
        try:
            if not entry.is_symlink() or not within(self._root, os.path.realpath(entry.path)):
                return None
            status = entry.stat()
        except OSError:
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def _count(self, name: str, status: os.stat_result) -> None:
        time_ns = status.st_mtime_ns
        if time_ns > self._newest_ns:
            self._newest_ns = time_ns
        self._names.append(name)
        self._sum += hash((time_ns, status.st_size, status.st_ino))


def quick_number(folder: str, names: Sequence[str]) -> int:
    """Return a number that moves when one of these files or folders is replaced, or gets or loses an entry.

    Raises `FileNotFoundError` if the folder has no `meta.yaml`.
    """
    status = os.stat(f"{folder}/{META}")
    times = [status.st_mtime_ns, status.st_size, status.st_ino]
    for name in names:
        try:
            times.append(os.stat(f"{folder}/{name}").st_mtime_ns)
        except OSError:
            times.append(0)
    return hash(tuple(times))


def reason_of(error: OSError) -> str:
    return error.strerror or "it cannot be read"


def within(root: str, path: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def read_bytes(path: str, most: int, start: int = 0) -> bytes:
    """Return at most `most` bytes of a regular file from `start` on. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for a writer
    try:
        content = os.pread(descriptor, most, start)
        while 0 < len(content) < most and (more := os.pread(descriptor, most - len(content), start + len(content))):
            content += more
        return content
    finally:
        os.close(descriptor)


def read_meta(folder: str) -> dict[str, Any]:
    """Return the content of `meta.yaml`. Raises `FileNotFoundError`, or `Unreadable` for what is there but makes no sense."""
    path = f"{folder}/{META}"
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("it is no file")
        content = read_bytes(path, min(status.st_size, _MOST_META))
        if not content.endswith(b"\n") and 0 <= time.time() - status.st_mtime < _WRITING_S:
            raise Unreadable("it is being written")
        return read_mapping(content.decode())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8") from None
    except BrokenYaml as error:
        raise Unreadable(str(error)) from None


def read_pairs(values: Sequence[ValueFile], left_out: Callable[[str, str], None]) -> list[tuple[str, str]]:
    """Return (key, text) of each file. One that cannot be read is reported: (path, reason)."""
    found = []
    for value in values:
        try:
            content = read_bytes(value.path, min(value.size, _MOST_TEXT)) if value.size else b""
        except FileNotFoundError:
            continue  # deleted a moment ago
        except OSError as error:
            left_out(value.path, reason_of(error))
            continue
        found.append((value.key, content.decode("utf-8", "replace")))
    return found


def parse_points(content: bytes) -> list[PlainPoint]:
    """Return the points that the lines `TIMESTAMP VALUE [STEP [DATASET DIGEST]]` say; lines of another form are left out."""
    fields = content.split()
    if len(fields) == 3 * content.count(b"\n") and fields:
        try:
            return list(zip(map(int, fields[2::3]), map(int, fields[::3]), map(float, fields[1::3]), strict=True))
        except ValueError:
            pass
    return list(_points_of_lines(content))


def _points_of_lines(content: bytes) -> Iterator[PlainPoint]:
    for line in content.splitlines():
        fields = line.split()
        try:
            step = int(fields[2]) if len(fields) > 2 else 0
            point = (step, int(fields[0]), float(fields[1]))
        except (ValueError, IndexError):
            continue
        if max(map(abs, point[:2])) <= _MOST_INTEGER:
            yield point


def latest_point(points: Sequence[PlainPoint]) -> PlainPoint:
    """Return the latest by MLflow's rule: the greatest (step, timestamp, value), the first one of equals, or beside NaN."""
    return max(points)


def clean(text: str) -> str:
    """Return a name or text without what a database cannot hold: bytes and halves of characters that are no text."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if _is_of_bytes(text) else _whole(text)


def _is_of_bytes(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def text_of(value: object) -> str | None:
    """Return a value of a mapping as text; None for nothing."""
    if value is None or isinstance(value, dict | list):
        return None
    return clean(value if isinstance(value, str) else str(value))


def integer_of(value: object) -> int | None:
    """Return a value of a mapping as an integer that a database can hold; None if it is none."""
    if isinstance(value, bool):
        return None
    try:
        number = int(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None
    return None if number is None or abs(number) > _MOST_INTEGER else number
