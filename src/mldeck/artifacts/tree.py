"""Files in folders, wherever they lie: what the screen, the previews and copying know of them.

Names are somebody else's text and any bytes at all (those that are no UTF-8 as Python's surrogate escapes): they are kept as
they are, and made safe only where they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from mldeck.artifacts.errors import ArtifactError
from mldeck.artifacts.source import Check, Progress, Source, never, untold

ENTRIES_BETWEEN_CHECKS = 256


class EntryKind(str, Enum):
    FILE = "file"
    FOLDER = "folder"
    MODEL = "model"
    """A folder that is elsewhere: a logged model that belongs to the run."""
    LINK = "link"
    """To a file or folder within the artifacts."""
    ESCAPE = "escape"
    BROKEN = "broken"
    FIFO = "fifo"
    SOCKET = "socket"
    DEVICE = "device"
    UNREADABLE = "unreadable"

    @property
    def words(self) -> str:
        return _WORDS.get(self, self.value)


_WORDS = {
    EntryKind.ESCAPE: "leads out of the artifacts",
    EntryKind.BROKEN: "broken link",
    EntryKind.FIFO: "named pipe",
    EntryKind.UNREADABLE: "no permission",
}


@dataclass(frozen=True)
class Entry:
    """One file or folder."""

    path: str
    """Below the root, with `/` between its parts; empty for the root itself."""
    kind: EntryKind
    is_dir: bool = False
    """Whether it can be listed; of a link, whether what it leads to can."""
    size: int | None = None
    """Of a file, in bytes."""
    modified: int | None = None
    """Milliseconds since the epoch."""
    target: str | None = None
    """Where a link leads, as it is written; of a model, its id."""

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_file(self) -> bool:
        """Whether it can be opened."""
        return self.kind is EntryKind.FILE or (self.kind is EntryKind.LINK and not self.is_dir)


class ArtifactTree(Protocol):
    """A folder of artifacts. Paths are relative to it. What fails raises `ArtifactError`."""

    @property
    def name(self) -> str:
        """Where it is, for people."""
        ...

    def entries(self, folder: str = "", check: Check = never) -> list[Entry]:
        """What lies in one folder: folders first, each by name."""
        ...

    def entry(self, path: str) -> Entry: ...

    def file(self, path: str) -> Source:
        """A file's bytes, to be read in ranges. Never opens what is no ordinary file."""
        ...

    def local_path(self, path: str) -> Path | None:
        """The same on this machine, for other programs; None when it is not on this machine."""
        ...


def in_order(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (not entry.is_dir, entry.path))


def walk(
    tree: ArtifactTree,
    folder: str = "",
    check: Check = never,
    unreadable: Callable[[str, ArtifactError], None] = lambda folder, error: None,
) -> Iterator[Entry]:
    """Everything below a folder, each folder before what is in it. Links are named but not gone into.

    A folder below that cannot be listed is told to `unreadable`, and the walk goes on.
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
    """What a folder holds, all the way down."""

    files: int = 0
    folders: int = 0
    size: int = 0
    unreadable: tuple[str, ...] = ()
    """Folders that could not be looked into: there may be more."""


def count(tree: ArtifactTree, folder: str = "", check: Check = never) -> Total:
    files = folders = size = 0
    unreadable: list[str] = []
    for entry in _watched(walk(tree, folder, check, lambda path, _: unreadable.append(path)), untold, check):
        folders += entry.kind in (EntryKind.FOLDER, EntryKind.MODEL)
        files += not entry.is_dir
        size += entry.size or 0
        if entry.kind is EntryKind.UNREADABLE and entry.is_dir:
            unreadable.append(entry.path)
    return Total(files, folders, size, tuple(unreadable))


@dataclass(frozen=True)
class Found:
    """The answer to a quick find."""

    entries: tuple[Entry, ...] = ()
    looked_at: int = 0
    more: bool = False
    """Whether the search ended at its limit."""


def find(
    tree: ArtifactTree,
    text: str,
    folder: str = "",
    limit: int = 1000,
    progress: Progress = untold,
    check: Check = never,
) -> Found:
    """Files and folders whose name contains the text, upper and lower case alike, through the whole tree."""
    wanted = text.casefold()
    found: list[Entry] = []
    looked_at = 0
    for entry in _watched(walk(tree, folder, check), progress, check):
        if wanted in entry.name.casefold():
            if len(found) == limit:
                return Found(tuple(found), looked_at, more=True)
            found.append(entry)
        looked_at += 1
    return Found(tuple(found), looked_at)


def _watched(entries: Iterator[Entry], progress: Progress, check: Check) -> Iterator[Entry]:
    for index, entry in enumerate(entries):
        if index % ENTRIES_BETWEEN_CHECKS == 0:
            progress(index)
            check()
        yield entry
