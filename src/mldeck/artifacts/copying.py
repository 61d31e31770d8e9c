"""Copies a file or folder of artifacts to a place of the user's choice."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mldeck.artifacts.errors import ArtifactError, NotAFile
from mldeck.artifacts.far import FarSource
from mldeck.artifacts.plain_name import is_plain
from mldeck.artifacts.source import Check, Source, no_check
from mldeck.artifacts.tree import ArtifactTree, Entry, EntryKind, walk
from mldeck.destination import Destination

CopyProgress = Callable[[int, int], None]
"""Called with the bytes copied so far and the total."""

_Place = str | Path

_AT_ONCE = 8 << 20
"""Bytes between two calls of `check`; a disk copies them within some hundredths of a second."""

_READ_AT_ONCE = 1 << 20
"""Bytes per read if the system cannot copy between files itself."""

_NOT_IN_KERNEL = (errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
"""The errors of a system that cannot copy between two files itself."""

_COPIED = (EntryKind.FILE, EntryKind.FOLDER, EntryKind.LINK, EntryKind.MODEL)


@dataclass(frozen=True)
class CopyResult:
    """The result of a copy."""

    destination: Path
    files: int
    size: int
    """In bytes."""
    skipped: tuple[tuple[str, str], ...] = ()
    """The files left out, as (path, reason)."""


def path_for(name: str, chosen: Path | None) -> Path:
    """Return where a file or folder of this name goes, by the rules of `cp`.

    It goes into `chosen` if that is a folder, else `chosen` is its new name; by default it goes into the current
    folder. A folder behind a link is resolved. Raises `ArtifactError` if the name, which is foreign text, is not a
    valid file name.
    """
    if chosen is not None and not chosen.is_dir():
        return chosen
    if not is_plain(name):
        raise ArtifactError(f"{name} is not a valid file name: give the name of the file or folder to write")
    if chosen is None:
        return Path(name)
    return (chosen.resolve() if chosen.is_symlink() else chosen) / name


def copy_out(
    tree: ArtifactTree,
    path: str,
    destination: Destination,
    *,
    progress: CopyProgress = lambda done, total: None,
    check: Check = no_check,
) -> CopyResult:
    """Copy a file or folder; `destination` is its new path.

    Files in a folder that cannot be read or are not regular files are skipped and reported, and so are links that lead
    out of it. Raises `AlreadyThere`, `NotWritten`, `ArtifactError`, or what `check` raises.
    """
    entry = tree.entry(path)
    if not (entry.is_dir or entry.is_file):
        raise NotAFile(f"{tree.name}: {path} was not copied: {entry.kind.words}")
    source = tree.local_path(path)
    with destination.new(is_dir=entry.is_dir, source=source) as temporary:
        copier = _Copier(tree, entry, source, temporary, progress, check)
        copier.copy()
    return CopyResult(destination.path, copier.files, copier.done, tuple(copier.skipped))


class _Unreadable(Exception):
    """A file that was listed cannot be read, or no longer exists."""


class _Copier:
    """A copier of one file or folder; it keeps count of what it copied."""

    def __init__(
        self, tree: ArtifactTree, entry: Entry, source: Path | None, target: Path, progress: CopyProgress, check: Check
    ) -> None:
        """`source` is the real path of `entry` if it is on this machine."""
        self._tree = tree
        self._entry = entry
        self._source = source
        self._target = target
        self._progress = progress
        self._check = check
        self._total = entry.size or 0
        self._models: dict[str, Path | None] = {}
        """The real paths of the model folders at the top of a run, which are outside the run's folder."""
        self._folders_below: set[str] = set()
        """Folders of the copy known to be below its top."""
        self._in_kernel = hasattr(os, "copy_file_range")
        self.done = 0
        self.files = 0
        self.skipped: list[tuple[str, str]] = []

    def copy(self) -> None:
        if not self._entry.is_dir:
            try:
                self._file(self._entry, self._source, self._target)
            except _Unreadable as error:
                raise ArtifactError(f"{self._tree.name}: {self._entry.path} was not copied: {error}") from None
            return
        entries = list(
            walk(self._tree, self._entry.path, self._check, lambda path, error: self._skip(path, str(error)))
        )
        self._total = sum(entry.size or 0 for entry in entries)
        self._target.mkdir()
        for entry in entries:
            self._check()
            try:
                self._below(entry)
            except _Unreadable as error:
                self._skip(entry.path, str(error))
            except FileExistsError:
                # An object store may hold a file and a folder with the same name, and some disks ignore case.
                self._skip(entry.path, "a file or folder of this name has already been copied")

    def _below(self, entry: Entry) -> None:
        source, target, inner = self._part(entry.path)
        if entry.kind in _COPIED and not self._lies_below(f"{target}/{inner}"):
            self._skip(entry.path, "its path leads out of the copy")
        elif entry.kind in (EntryKind.FOLDER, EntryKind.MODEL):
            (target / inner).mkdir()
        elif entry.kind is EntryKind.FILE:
            # It is not a link, or it would have been listed as one, so links need not be checked again. The path is
            # joined as text because joining `Path`s would take longer than copying a small file.
            self._file(entry, source and f"{source}/{inner}", f"{target}/{inner}")
        elif entry.kind is EntryKind.LINK:
            self._link(entry, source, target, inner)
        else:
            self._skip(entry.path, entry.kind.words)
        if entry.kind is EntryKind.MODEL:
            self._models[entry.path] = self._real(entry.path)

    def _lies_below(self, place: str) -> bool:
        """Return whether a path is inside the copy, both by its parts and by the real path of its folder."""
        start = f"{self._target}/"
        if not place.startswith(start) or not all(map(is_plain, place[len(start) :].split("/"))):
            return False
        folder = place.rpartition("/")[0]
        if folder not in self._folders_below:
            real, top = Path(os.path.realpath(folder)), Path(os.path.realpath(self._target))
            if not real.is_relative_to(top):
                return False
            self._folders_below.add(folder)
        return True

    def _part(self, path: str) -> tuple[Path | None, Path, str]:
        """Return (real folder or None, its copy, path below both) for a path in the tree."""
        label, _, inner = path.partition("/")
        if not self._entry.path and label in self._models:
            return self._models[label], self._target / label, inner
        return self._source, self._target, path[len(self._entry.path) :].lstrip("/")

    def _real(self, path: str) -> Path | None:
        try:
            return self._tree.local_path(path)
        except ArtifactError:
            return None  # it was removed since it was listed; reading it will report that

    def _link(self, entry: Entry, source: Path | None, target: Path, inner: str) -> None:
        """Copy a link: as a link if its target is copied too, else as the file it leads to."""
        real = self._real(entry.path)
        place = target / inner
        if real and source and real.is_relative_to(source):
            place.symlink_to(os.path.relpath(target / real.relative_to(source), place.parent))
        elif entry.is_dir:
            self._skip(entry.path, f"a link to a folder that is not copied: {entry.target}")
        else:
            self._file(entry, real, place)

    def _skip(self, path: str, why: str) -> None:
        self.skipped.append((path, why))

    def _file(self, entry: Entry, place: _Place | None, target: _Place) -> None:
        if place is None:
            self._remote(entry, target)
        else:
            self._local(place, target)
        self.files += 1

    def _remote(self, entry: Entry, target: _Place) -> None:
        try:
            source = self._tree.file(entry.path)
        except ArtifactError as error:
            raise _Unreadable(str(error)) from error
        with Path(target).open("xb") as file:
            for piece in self._pieces(source):
                self._tell(file.write(piece))

    def _pieces(self, source: Source) -> Iterator[bytes]:
        if isinstance(source, FarSource):
            yield from source.pieces(self._check)
            return
        for offset in range(0, source.size, _AT_ONCE):
            self._check()
            yield source.read(offset, _AT_ONCE)

    def _local(self, place: _Place, target: _Place) -> None:
        try:
            # Since it was listed, the file may have been replaced by a link (hence O_NOFOLLOW) or a pipe (hence
            # O_NONBLOCK).
            source = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise _Unreadable(error.strerror) from error
        try:
            status = os.fstat(source)
            if not stat.S_ISREG(status.st_mode):
                raise _Unreadable("no longer a file")
            copy = os.open(
                target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, stat.S_IMODE(status.st_mode) & 0o777
            )
            try:
                left = status.st_size
                while left > 0 and (count := self._transfer(source, copy, min(left, _AT_ONCE))):
                    left -= count
                    self._tell(count)
                    self._check()
            finally:
                os.close(copy)
        finally:
            os.close(source)

    def _transfer(self, source: int, target: int, length: int) -> int:
        """Copy up to `length` bytes and return their number, 0 at the end. Let the system copy if it can, as `cp` does."""
        if self._in_kernel:
            try:
                return os.copy_file_range(source, target, length)
            except OSError as error:
                if error.errno not in _NOT_IN_KERNEL:
                    raise
                self._in_kernel = False
        data = os.read(source, min(length, _READ_AT_ONCE))
        written = 0
        while written < len(data):
            written += os.write(target, data[written:])
        return written

    def _tell(self, count: int) -> None:
        self.done += count
        self._progress(self.done, self._total)
