"""Copies a file or a folder of artifacts to a place of the user's choice.

It appears under its name when it is complete, and not before: until then it has a temporary name in the same folder. What
goes wrong leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mldeck.artifacts.errors import AlreadyThere, ArtifactError, NotAFile
from mldeck.artifacts.plain_name import is_plain
from mldeck.artifacts.source import Check, never
from mldeck.artifacts.tree import ArtifactTree, Entry, EntryKind, walk

CopyProgress = Callable[[int, int], None]
"""Told how many bytes are copied, and of how many."""

_Place = str | Path

_AT_ONCE = 8 << 20
"""Bytes between two looks whether to go on: some hundredths of a second on a disk."""

_READ_AT_ONCE = 1 << 20

_NOT_IN_KERNEL = (errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
"""What a system says that cannot copy between two files by itself."""

_COPIED = (EntryKind.FILE, EntryKind.FOLDER, EntryKind.LINK, EntryKind.MODEL)


@dataclass(frozen=True)
class Copied:
    destination: Path
    files: int
    size: int
    skipped: tuple[tuple[str, str], ...] = ()
    """Paths that were left out, each with the reason."""


def destination_for(name: str, chosen: Path | None) -> Path:
    """Where a file or folder of this name goes, as `cp` has it: into a folder that exists, else to the name itself.

    The name is foreign, and so may be the folder: raises `ArtifactError` where a link of that name would lead elsewhere.
    """
    if chosen is not None and not chosen.is_dir():
        return chosen
    if not is_plain(name):
        raise ArtifactError(f"{name} is no name for a copy: name the file or folder to write")
    destination = Path(name) if chosen is None else chosen / name
    if destination.is_symlink():
        raise ArtifactError(
            f"{destination} was not written: it is a link to {destination.readlink()}; name the file or folder to write"
        )
    return destination


def copy_out(
    tree: ArtifactTree,
    path: str,
    destination: Path,
    *,
    replace: bool = False,
    progress: CopyProgress = lambda done, total: None,
    check: Check = never,
) -> Copied:
    """`destination` is the new name, of a file or a folder.

    What is in a folder but cannot be read, or is no ordinary file, is left out and reported; so are links that lead out.
    Raises `AlreadyThere` unless what has that name may be replaced, `ArtifactError`, or what `check` raises.
    """
    entry = tree.entry(path)
    if not (entry.is_dir or entry.is_file):
        raise NotAFile(f"{tree.name}: {path} was not copied: {entry.kind.words}")
    source = tree.local_path(path)
    with _complete(destination, source, is_dir=entry.is_dir, replace=replace) as temporary:
        copier = _Copier(tree, entry, source, temporary, progress, check)
        copier.copy()
    return Copied(destination, copier.files, copier.done, tuple(copier.skipped))


class _Unreadable(Exception):
    """A file that was listed cannot be read, or is gone by now."""


class _Copier:
    def __init__(
        self, tree: ArtifactTree, entry: Entry, source: Path | None, target: Path, progress: CopyProgress, check: Check
    ) -> None:
        """`source`: where `entry` really is, when it is on this machine."""
        self._tree = tree
        self._entry = entry
        self._source = source
        self._target = target
        self._progress = progress
        self._check = check
        self._total = entry.size or 0
        self._models: dict[str, Path | None] = {}
        """Where those folders at the top of a run really are that lie elsewhere than the others."""
        self._folders_below: set[str] = set()
        """Folders of the copy that were found to lie below its top."""
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
        self._total = sum(each.size or 0 for each in entries)
        self._target.mkdir()
        for each in entries:
            self._check()
            try:
                self._below(each)
            except _Unreadable as error:
                self._skip(each.path, str(error))
            except FileExistsError:
                # An object store has room for a file and a folder of one name; some disks mix up upper and lower case.
                self._skip(each.path, "something else has its name")

    def _below(self, entry: Entry) -> None:
        source, target, inner = self._part(entry.path)
        if entry.kind in _COPIED and not self._lies_below(f"{target}/{inner}"):
            self._skip(entry.path, "its name leads out of the copy")
        elif entry.kind in (EntryKind.FOLDER, EntryKind.MODEL):
            (target / inner).mkdir()
        elif entry.kind is EntryKind.FILE:
            # No link leads to it, or it would have been listed as one: no need to look for links again. Joined as text, since
            # joining paths would take longer than copying a small file.
            self._file(entry, source and f"{source}/{inner}", f"{target}/{inner}")
        elif entry.kind is EntryKind.LINK:
            self._link(entry, source, target, inner)
        else:
            self._skip(entry.path, entry.kind.words)
        if entry.kind is EntryKind.MODEL:
            self._models[entry.path] = self._real(entry.path)

    def _lies_below(self, place: str) -> bool:
        """Whether a place is one of the copy's own: by the parts of its name, and by where its folder really is."""
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
        """A folder, its copy, and the path below both."""
        label, _, inner = path.partition("/")
        if not self._entry.path and label in self._models:
            return self._models[label], self._target / label, inner
        return self._source, self._target, path[len(self._entry.path) :].lstrip("/")

    def _real(self, path: str) -> Path | None:
        try:
            return self._tree.local_path(path)
        except ArtifactError:
            return None  # gone since it was listed: what is read of it says so

    def _link(self, entry: Entry, source: Path | None, target: Path, inner: str) -> None:
        """Stays a link if what it leads to is copied too."""
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
            for offset in range(0, source.size, _AT_ONCE):
                self._check()
                self._tell(file.write(source.read(offset, _AT_ONCE)))

    def _local(self, place: _Place, target: _Place) -> None:
        try:
            # Without O_NOFOLLOW a link, without O_NONBLOCK a pipe could have taken the file's place since it was listed.
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
        """Some bytes from one file to the other; 0 at the end. By the system itself where it can, as `cp` does it."""
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


@contextmanager
def _complete(destination: Path, source: Path | None, *, is_dir: bool, replace: bool) -> Iterator[Path]:
    """A temporary name that becomes `destination` when everything is there, and is gone if something goes wrong."""
    temporary: Path | None = None
    try:
        target = Path(os.path.realpath(destination))  # what a link leads to is replaced, not the link
        _refuse(destination, target, source, is_dir=is_dir, replace=replace)
        temporary = target.with_name(f".mldeck-{secrets.token_hex(6)}.part")
        yield temporary
        _refuse(
            destination, target, source, is_dir=is_dir, replace=replace
        )  # somebody else may have made one meanwhile
        _put(temporary, target)
    except OSError as error:
        raise ArtifactError(f"{destination} was not written: {error.strerror or error}") from error
    except ValueError as error:  # a name with a zero byte in it
        raise ArtifactError(f"{destination} cannot be written: {error}") from error
    finally:
        if temporary is not None:
            _discard(temporary)


def _refuse(destination: Path, target: Path, source: Path | None, *, is_dir: bool, replace: bool) -> None:
    """Raises `ArtifactError` if nothing may be written there."""
    if not target.exists():
        return
    if not replace:
        raise AlreadyThere(f"{destination} was not written: it is there already")
    if source is not None and source.is_relative_to(target):
        raise ArtifactError(f"{destination} was not written: the artifacts themselves lie there")
    if is_dir and not target.is_dir():
        raise ArtifactError(f"{destination} was not written: it is not a folder")
    if not is_dir and not target.is_file():
        raise ArtifactError(f"{destination} was not written: it is not a file")


def _put(temporary: Path, target: Path) -> None:
    if not target.is_dir():
        temporary.replace(target)
        return
    aside = temporary.with_suffix(".old")
    target.rename(aside)
    try:
        temporary.rename(target)
    except OSError:
        aside.rename(target)
        raise
    _discard(aside)


def _discard(path: Path) -> None:
    """Remove what may or may not be there; what went wrong before is said, not this."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
