"""Artifacts in a folder of another machine, whose far end lists and reads files for mldeck.

The rules are those of a local folder, and the far end keeps them: it resolves each path with each request, and lists and reads
nothing outside of the folder unless links are followed.
"""

from __future__ import annotations

import errno
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mldeck.artifacts.errors import ArtifactError, LeadsOutside, NotAFile, NotFound
from mldeck.artifacts.source import CHUNK, Check, UnreadableFile, no_check
from mldeck.artifacts.tree import Entry, EntryKind, in_order

REQUESTS_AHEAD = 4
"""Pieces of a file that are on their way while it is copied, because each takes a while to arrive."""

_KINDS = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
}
_STATES = {"escape": EntryKind.ESCAPE, "broken": EntryKind.BROKEN, "denied": EntryKind.UNREADABLE}
_LINK = "link"


class FarFiles(Protocol):
    """Access to the files of another machine. `mldeck.store.ssh.files.LineFiles` implements it, and documents each method."""

    @property
    def place(self) -> str: ...
    def exists(
        self, paths: Sequence[str], folders: Sequence[str]
    ) -> tuple[str, int | None, list[str], int | None, str]: ...
    def entries(self, root: str, path: str, *, follow: bool) -> list[tuple[Any, ...]]: ...
    def entry(self, root: str, path: str, *, follow: bool) -> tuple[Any, ...]: ...
    def read(self, root: str, path: str, offset: int, length: int, *, follow: bool) -> tuple[object, bytes]: ...


@dataclass(frozen=True)
class FarFolder:
    """A folder of another machine."""

    files: FarFiles
    path: str
    real: str
    """The path with all links resolved at the time."""

    @property
    def name(self) -> str:
        return f"{self.files.place}:{self.path}"


class FarTree:
    """An `ArtifactTree` over a folder of another machine. Raises `StoreUnavailable` when the line to it is lost."""

    def __init__(self, folder: FarFolder, follow: bool = False) -> None:
        """`follow` also allows paths outside the folder, by `..` or a link."""
        self._folder = folder
        self._follow = follow

    @property
    def name(self) -> str:
        return self._folder.name

    def entries(self, folder: str = "", check: Check = no_check) -> list[Entry]:
        check()
        with self._translated_errors(folder):
            rows = self._folder.files.entries(self._folder.real, folder, follow=self._follow)
        check()
        return in_order([_entry(f"{folder}/{row[0]}".lstrip("/"), row) for row in rows])

    def entry(self, path: str) -> Entry:
        return _entry(path, self._row(path))

    def file(self, path: str) -> FarSource:
        row = self._row(path)
        kind = _entry(path, row).kind
        if kind is EntryKind.ESCAPE:
            raise LeadsOutside(f"{self._shown(path)} leads out of the artifacts, to {row[6]}: it was not followed")
        if kind is EntryKind.BROKEN:
            raise NotFound(f"there is no {self._shown(path)}")
        is_regular = stat.S_ISREG(row[2])
        if kind is EntryKind.UNREADABLE or (is_regular and not row[5]):
            raise ArtifactError(f"{self._shown(path)} cannot be read: Permission denied")
        if not is_regular:
            kind = _KINDS.get(stat.S_IFMT(row[2]), EntryKind.DEVICE)
            raise NotAFile(f"{self._shown(path)} is a {kind.words}, not a file: it was not opened")
        return FarSource(self, path, row[3])

    def local_path(self, path: str) -> Path | None:
        return None

    def read(self, path: str, offset: int, length: int) -> tuple[object, bytes]:
        """Return a value that tells files apart, and some of at most `length` bytes from `offset`."""
        with self._translated_errors(path):
            return self._folder.files.read(self._folder.real, path, offset, length, follow=self._follow)

    def _row(self, path: str) -> tuple[Any, ...]:
        with self._translated_errors(path):
            return self._folder.files.entry(self._folder.real, path, follow=self._follow)

    def _shown(self, path: str) -> str:
        return f"{self.name}/{path}" if path else self.name

    @contextmanager
    def _translated_errors(self, path: str) -> Iterator[None]:
        if "\0" in path:
            raise NotFound(f"there is no {self._shown(path)}")
        try:
            yield
        except FileNotFoundError:
            raise NotFound(f"there is no {self._shown(path)}") from None
        except NotADirectoryError:
            raise NotFound(f"{self._shown(path)} is not a folder") from None
        except OSError as error:
            if error.errno == errno.EXDEV:
                text = f"leads out of the artifacts, to {error.filename}: it was not followed"
                raise LeadsOutside(f"{self._shown(path)} {text}") from None
            raise ArtifactError(f"{self._shown(path)} cannot be read: {error.strerror}") from error


class FarSource:
    """A file of another machine as a `Source` for previews and copying. Each read checks that it is still the same file."""

    def __init__(self, tree: FarTree, path: str, size: int) -> None:
        self._tree = tree
        self._path = path
        self._identity: object = None
        self.size = size

    @property
    def name(self) -> str:
        return self._path.rpartition("/")[2]

    def read(self, offset: int, length: int) -> bytes:
        pieces: list[bytes] = []
        end = min(offset + length, self.size)
        while offset < end:
            identity, piece = self._tree.read(self._path, offset, min(end - offset, CHUNK))
            self._identity = self._identity or identity
            if identity != self._identity:
                raise UnreadableFile(f"{self._path} was replaced while it was being read. Open it again.")
            if not piece:
                break
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)

    def pieces(self, check: Check = no_check) -> Iterator[bytes]:
        """Yield the whole file, and have some requests on their way meanwhile."""
        waiting: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(REQUESTS_AHEAD, thread_name_prefix="far file") as pool:
            try:
                for offset in range(0, self.size, CHUNK):
                    waiting.append(pool.submit(self.read, offset, CHUNK))
                    if len(waiting) == REQUESTS_AHEAD:
                        check()
                        yield waiting.popleft().result()
                while waiting:
                    check()
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def _entry(path: str, row: tuple[Any, ...]) -> Entry:
    _, state, mode, size, mtime_ns, is_open, target = row
    kind = _KINDS.get(stat.S_IFMT(mode), EntryKind.DEVICE)
    is_dir = kind is EntryKind.FOLDER
    if state in _STATES:
        return Entry(path, _STATES[state], is_dir, target=target)
    size = size if kind is EntryKind.FILE else None
    if is_dir and not is_open:
        kind = EntryKind.UNREADABLE
    elif state == _LINK and kind in (EntryKind.FILE, EntryKind.FOLDER):
        kind = EntryKind.LINK
    return Entry(path, kind, is_dir, size, mtime_ns // 1_000_000, target)
