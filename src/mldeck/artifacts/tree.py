"""Trees of files, wherever they are: the interface that the screen, the previews and copying use.

Names are foreign text and may be any bytes (those that are not UTF-8 become Python's surrogate escapes). They are kept
unchanged, and made safe only where they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from mldeck.artifacts.errors import ArtifactError
from mldeck.artifacts.source import Check, Progress, Source, no_check, no_progress

ENTRIES_BETWEEN_CHECKS = 256


class EntryKind(str, Enum):
    """The kind of an entry."""

    FILE = "file"
    FOLDER = "folder"
    MODEL = "model"
    """A logged model of the run, stored in a folder elsewhere."""
    LINK = "link"
    """A link to a file or folder within the artifacts."""
    ESCAPE = "escape"
    """A link or name that leads out of the artifacts."""
    BROKEN = "broken"
    FIFO = "fifo"
    SOCKET = "socket"
    DEVICE = "device"
    UNREADABLE = "unreadable"

    @property
    def words(self) -> str:
        """The kind in words, for users."""
        return _WORDS.get(self, self.value)


_WORDS = {
    EntryKind.ESCAPE: "leads out of the artifacts",
    EntryKind.BROKEN: "broken link",
    EntryKind.FIFO: "named pipe",
    EntryKind.UNREADABLE: "no permission",
}


@dataclass(frozen=True)
class Entry:
    """A file or folder in a tree."""

    path: str
    """The path below the root, with `/` between its parts; empty for the root itself."""
    kind: EntryKind
    is_dir: bool = False
    """Whether it can be listed; for a link, whether its target can."""
    size: int | None = None
    """The size of a file in bytes."""
    modified: int | None = None
    """The time of the last change, in milliseconds since the epoch."""
    target: str | None = None
    """The target of a link as written, or the id of a model."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_file(self) -> bool:
        """Whether it can be opened as a file."""
        return self.kind is EntryKind.FILE or (self.kind is EntryKind.LINK and not self.is_dir)


class ArtifactTree(Protocol):
    """A folder of artifacts. Paths are relative to it. Failures raise `ArtifactError`."""

    @property
    def name(self) -> str:
        """Its location, for users."""
        ...

    def entries(self, folder: str = "", check: Check = no_check) -> list[Entry]:
        """Return the entries of one folder: folders first, each group by name."""
        ...

    def entry(self, path: str) -> Entry:
        """Return the entry of one path."""
        ...

    def file(self, path: str) -> Source:
        """Return a file to read in ranges. Raises `NotAFile` for anything but a regular file."""
        ...

    def local_path(self, path: str) -> Path | None:
        """Return the real path for other programs; None if it is not on this machine."""
        ...


def in_order(entries: list[Entry]) -> list[Entry]:
    """Return the entries with folders first, each group by path."""
    return sorted(entries, key=lambda entry: (not entry.is_dir, entry.path))


def walk(
    tree: ArtifactTree,
    folder: str = "",
    check: Check = no_check,
    unreadable: Callable[[str, ArtifactError], None] = lambda folder, error: None,
) -> Iterator[Entry]:
    """Yield everything below a folder, each folder before its contents. Links are yielded but not entered.

    `unreadable` is called with the path and error of each folder below that cannot be listed, and the walk goes on.
    """
    waiting = [iter(tree.entries(folder, check))]
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            continue
        yield entry
        if entry.kind in (EntryKind.FOLDER, EntryKind.MODEL):
            try:
                waiting.append(iter(tree.entries(entry.path, check)))
            except ArtifactError as error:
                unreadable(entry.path, error)


@dataclass(frozen=True)
class Total:
    """The number and size of all files below a folder."""

    files: int = 0
    folders: int = 0
    size: int = 0
    """In bytes."""
    unreadable: tuple[str, ...] = ()
    """Folders that could not be listed: the totals may be too low."""
    more: bool = False
    """Whether counting stopped at its limit."""


def count(tree: ArtifactTree, folder: str = "", check: Check = no_check, limit: int | None = None) -> Total:
    """Return the totals of everything below a folder, or of its first `limit` entries."""
    files = folders = size = 0
    unreadable: list[str] = []
    entries = walk(tree, folder, check, lambda path, _: unreadable.append(path))
    for index, entry in enumerate(_checked(entries, no_progress, check)):
        if index == limit:
            return Total(files, folders, size, tuple(unreadable), more=True)
        folders += entry.kind in (EntryKind.FOLDER, EntryKind.MODEL)
        files += not entry.is_dir
        size += entry.size or 0
        if entry.kind is EntryKind.UNREADABLE and entry.is_dir:
            unreadable.append(entry.path)
    return Total(files, folders, size, tuple(unreadable))


@dataclass(frozen=True)
class FindResult:
    """The result of a search for names."""

    entries: tuple[Entry, ...] = ()
    looked_at: int = 0
    """The number of entries examined."""
    more: bool = False
    """Whether the search stopped at its limit."""


def find(
    tree: ArtifactTree,
    text: str,
    folder: str = "",
    limit: int = 1000,
    progress: Progress = no_progress,
    check: Check = no_check,
) -> FindResult:
    """Return the files and folders below `folder` whose name contains the text, ignoring case."""
    wanted = text.casefold()
    found: list[Entry] = []
    looked_at = 0
    for entry in _checked(walk(tree, folder, check), progress, check):
        if wanted in entry.name.casefold():
            if len(found) == limit:
                return FindResult(tuple(found), looked_at, more=True)
            found.append(entry)
        looked_at += 1
    return FindResult(tuple(found), looked_at)


def _checked(entries: Iterator[Entry], progress: Progress, check: Check) -> Iterator[Entry]:
    """Yield the entries, reporting progress and checking for cancellation every few hundred."""
    for index, entry in enumerate(entries):
        if index % ENTRIES_BETWEEN_CHECKS == 0:
            progress(index)
            check()
        yield entry
