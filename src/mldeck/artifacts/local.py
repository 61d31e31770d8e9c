"""Artifacts in a local folder.

Nothing that leads out of the folder is followed unless that was requested, and only regular files are ever opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mldeck.artifacts.errors import ArtifactError, LeadsOutside, NotAFile, NotFound
from mldeck.artifacts.source import Check, LocalFile, no_check
from mldeck.artifacts.tree import ENTRIES_BETWEEN_CHECKS, Entry, EntryKind, in_order

_KINDS = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
}
_AS_OPENING = {"effective_ids": os.access in os.supports_effective_ids}
"""By default `os.access` checks the real user, but opening a file checks the effective one."""


class LocalTree:
    """An `ArtifactTree` over a local folder."""

    def __init__(self, root: Path, follow: bool = False) -> None:
        """`follow` also allows paths outside the folder, by `..` or a link."""
        self.root = root
        self._follow = follow
        self.real_root = Path(os.path.realpath(root))
        """The real path when the tree was opened. Anything that leads elsewhere later is outside."""

    @property
    def name(self) -> str:
        return str(self.root)

    def entries(self, folder: str = "", check: Check = no_check) -> list[Entry]:
        with self._translated_errors(folder):
            return in_order(list(self._scan(folder, check)))

    def _scan(self, folder: str, check: Check) -> Iterator[Entry]:
        prefix = f"{folder}/" if folder else ""
        with os.scandir(self._real(folder)) as found:
            for index, item in enumerate(found):
                if index % ENTRIES_BETWEEN_CHECKS == 0:
                    check()
                try:
                    yield self._entry(prefix + item.name, item, item.stat(follow_symlinks=False))
                except FileNotFoundError:
                    continue  # removed since the folder was listed
                except PermissionError:
                    yield Entry(prefix + item.name, EntryKind.UNREADABLE, item.is_dir(follow_symlinks=False))

    def entry(self, path: str) -> Entry:
        parent, _, name = path.rpartition("/")
        with self._translated_errors(path):
            place = self._real(path) if name in ("", ".", "..") else self._real(parent) / name
            return self._entry(path, place, place.lstat())

    def _entry(self, path: str, place: os.PathLike[str], status: os.stat_result) -> Entry:
        if stat.S_ISLNK(status.st_mode):
            return self._link(path, place)
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), EntryKind.DEVICE)
        is_dir = kind is EntryKind.FOLDER
        size = status.st_size if kind is EntryKind.FILE else None
        # Check a folder's permissions before it is opened; a file reports its own when it is read.
        if is_dir and not os.access(place, os.R_OK | os.X_OK, **_AS_OPENING):
            kind = EntryKind.UNREADABLE
        return Entry(path, kind, is_dir, size, status.st_mtime_ns // 1_000_000)

    def _link(self, path: str, place: os.PathLike[str]) -> Entry:
        link = Path(place)
        target = str(link.readlink())
        real = Path(os.path.realpath(link))
        if not self._is_inside(real):
            return Entry(path, EntryKind.ESCAPE, target=target)
        try:
            status = real.stat()
        except PermissionError:
            return Entry(path, EntryKind.UNREADABLE, target=target)
        except OSError:  # also for a link to itself
            return Entry(path, EntryKind.BROKEN, target=target)
        reached = self._entry(path, real, status)
        is_usual = reached.kind in (EntryKind.FILE, EntryKind.FOLDER)
        return replace(reached, kind=EntryKind.LINK if is_usual else reached.kind, target=target)

    def file(self, path: str) -> LocalFile:
        with self._translated_errors(path):
            real = self._real(path)
            mode = real.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), EntryKind.DEVICE)
            raise NotAFile(f"{self.shown(path)} is a {kind.words}, not a file: it was not opened")
        return LocalFile(real)

    def local_path(self, path: str) -> Path | None:
        with self._translated_errors(path):
            return self._real(path)

    def shown(self, path: str) -> str:
        """Return the path as it is shown in messages."""
        return str(self.root / path)

    def _real(self, path: str) -> Path:
        """Return the path with all links resolved. Raises `LeadsOutside` if it is outside, whether or not it exists."""
        real = Path(os.path.realpath(self.real_root.joinpath(*path.split("/"))))
        if not self._is_inside(real):
            raise LeadsOutside(f"{self.shown(path)} leads out of the artifacts, to {real}: it was not followed")
        return real

    def _is_inside(self, real: Path) -> bool:
        return self._follow or real.is_relative_to(self.real_root)

    @contextmanager
    def _translated_errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, ValueError):  # ValueError: a null byte in the name
            raise NotFound(f"there is no {self.shown(path)}") from None
        except NotADirectoryError:
            raise NotFound(f"{self.shown(path)} is not a folder") from None
        except OSError as error:
            raise ArtifactError(f"{self.shown(path)} cannot be read: {error.strerror}") from error
