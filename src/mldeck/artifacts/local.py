"""Artifacts in a folder of this machine.

Nothing that leads out of the folder is followed unless that was asked for, and nothing but ordinary files is ever opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mldeck.artifacts.errors import ArtifactError, Escapes, NotAFile, NotThere
from mldeck.artifacts.source import Check, LocalFile, never
from mldeck.artifacts.tree import ENTRIES_BETWEEN_CHECKS, Entry, EntryKind, in_order

_KINDS = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.FOLDER,
    stat.S_IFIFO: EntryKind.FIFO,
    stat.S_IFSOCK: EntryKind.SOCKET,
}
_AS_OPENING = {"effective_ids": os.access in os.supports_effective_ids}
"""`os.access` alone asks for the real user, opening a file for the effective one."""


class LocalTree:
    def __init__(self, root: Path, follow: bool = False) -> None:
        """`follow`: also what lies outside, by `..` or a link."""
        self.root = root
        self._follow = follow
        self.real_root = Path(os.path.realpath(root))
        """The real path when the tree was opened. Whatever leads elsewhere later is outside."""

    @property
    def name(self) -> str:
        return str(self.root)

    def entries(self, folder: str = "", check: Check = never) -> list[Entry]:
        with self._explained(folder):
            return in_order(list(self._scan(folder, check)))

    def _scan(self, folder: str, check: Check) -> Iterator[Entry]:
        prefix = f"{folder}/" if folder else ""
        with os.scandir(self._real(folder)) as found:
            for index, each in enumerate(found):
                if index % ENTRIES_BETWEEN_CHECKS == 0:
                    check()
                try:
                    yield self._entry(prefix + each.name, each, each.stat(follow_symlinks=False))
                except FileNotFoundError:
                    continue  # gone since the folder was read
                except PermissionError:
                    yield Entry(prefix + each.name, EntryKind.UNREADABLE, each.is_dir(follow_symlinks=False))

    def entry(self, path: str) -> Entry:
        parent, _, name = path.rpartition("/")
        with self._explained(path):
            place = self._real(path) if name in ("", ".", "..") else self._real(parent) / name
            return self._entry(path, place, place.lstat())

    def _entry(self, path: str, place: os.PathLike[str], status: os.stat_result) -> Entry:
        if stat.S_ISLNK(status.st_mode):
            return self._link(path, place)
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), EntryKind.DEVICE)
        is_dir = kind is EntryKind.FOLDER
        size = status.st_size if kind is EntryKind.FILE else None
        # Of a folder it is worth knowing before it is opened; a file says so itself.
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
        except OSError:  # also a link that leads to itself
            return Entry(path, EntryKind.BROKEN, target=target)
        reached = self._entry(path, real, status)
        is_usual = reached.kind in (EntryKind.FILE, EntryKind.FOLDER)
        return replace(reached, kind=EntryKind.LINK if is_usual else reached.kind, target=target)

    def file(self, path: str) -> LocalFile:
        with self._explained(path):
            real = self._real(path)
            mode = real.stat().st_mode
        if not stat.S_ISREG(mode):
            kind = _KINDS.get(stat.S_IFMT(mode), EntryKind.DEVICE)
            raise NotAFile(f"{self.shown(path)} is a {kind.words}, not a file: it was not opened")
        return LocalFile(real)

    def local_path(self, path: str) -> Path | None:
        with self._explained(path):
            return self._real(path)

    def shown(self, path: str) -> str:
        """What to call it in a message."""
        return str(self.root / path)

    def _real(self, path: str) -> Path:
        """Without links. Raises `Escapes` if that is outside, whether or not something is there."""
        real = Path(os.path.realpath(self.real_root.joinpath(*path.split("/"))))
        if not self._is_inside(real):
            raise Escapes(f"{self.shown(path)} leads out of the artifacts, to {real}: it was not followed")
        return real

    def _is_inside(self, real: Path) -> bool:
        return self._follow or real.is_relative_to(self.real_root)

    @contextmanager
    def _explained(self, path: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, ValueError):  # the latter: a zero byte in the name
            raise NotThere(f"there is no {self.shown(path)}") from None
        except NotADirectoryError:
            raise NotThere(f"{self.shown(path)} is not a folder") from None
        except OSError as error:
            raise ArtifactError(f"{self.shown(path)} cannot be read: {error.strerror}") from error
