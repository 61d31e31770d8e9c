"""Write a file or a folder where the user wants it: complete, or not at all.

Until it is complete it has a temporary name in the same folder. What goes wrong leaves nothing behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mldeck.errors import MldeckError

_SIDE_FILES = ("", "-wal", "-shm", "-journal")
"""The files of a SQLite database, by what their names end in. SQLite reads a foreign journal of that name into the database."""


class NotWritten(MldeckError):
    """Nothing was written. The message names the destination and says why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} was not written: {reason}")
        self.path = path
        self.reason = reason


class AlreadyThere(NotWritten):
    """Something has that name, and nobody said that it may be replaced."""


@dataclass(frozen=True)
class Destination:
    """Where a new file or folder goes, and what must not come to harm by it."""

    path: Path
    """The name it gets. Where a link has that name, what the link leads to is replaced, not the link."""
    databases: Collection[Path]
    """The store, and that of the registry: neither they nor their journals are ever written, whatever was agreed to."""
    replace: bool = False
    """Whether what has that name may be replaced, also through a link."""

    @contextmanager
    def new(self, *, is_dir: bool = False, source: Path | None = None) -> Iterator[Path]:
        """A temporary name beside the path, which becomes the path at the end of the block.

        `source`: where on this machine the contents come from. Raises `AlreadyThere` and `NotWritten`, before and after the
        block: somebody else may have made something of that name meanwhile.
        """
        temporary: Path | None = None
        try:
            target = Path(os.path.realpath(self.path))
            self._refuse(target, is_dir, source)
            temporary = target.with_name(f".mldeck-{secrets.token_hex(6)}.part")
            yield temporary
            self._refuse(target, is_dir, source)
            _put(temporary, target)
        except OSError as error:
            raise NotWritten(self.path, error.strerror or str(error)) from error
        except ValueError as error:  # a zero byte
            raise NotWritten(self.path, f"such a name cannot be written ({error})") from error
        finally:
            if temporary is not None:
                _discard(temporary)

    def _refuse(self, target: Path, is_dir: bool, source: Path | None) -> None:
        for database in self.databases:
            if _is_part_of(target, database):
                raise NotWritten(self.path, "it is the tracking database itself")
            if target.is_dir() and Path(os.path.realpath(database)).is_relative_to(target):
                raise NotWritten(self.path, "it is a folder, and the tracking database lies there")
        if self.path.is_symlink() and not self.replace:  # the folder is foreign, and so may be where a link in it leads
            raise AlreadyThere(self.path, f"it is a link to {target}")
        if not target.exists():
            return
        if not is_dir and not target.is_file():
            raise NotWritten(self.path, "it is not a file")
        if not self.replace:
            raise AlreadyThere(self.path, "it is there already")
        if source is not None and source.is_relative_to(target):
            raise NotWritten(self.path, "the artifacts themselves lie there")
        if is_dir and not target.is_dir():
            raise NotWritten(self.path, "it is not a folder")


def _is_part_of(target: Path, database: Path) -> bool:
    """Whether it is a file of the database, by whatever name: some disks mix up upper and lower case."""
    real = os.path.realpath(database)
    if any(str(target).casefold() == (real + ending).casefold() for ending in _SIDE_FILES):
        return True
    return target.exists() and database.exists() and target.samefile(database)


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
    """Remove a file or folder that may not be there. A failure here would hide the one before it."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
