"""Write a file or a folder where the user wants it, completely or not at all.

Until it is complete it has a temporary name in the same folder. After a failure the temporary file is removed.
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
"""Suffixes of the files of a SQLite database. SQLite would apply a foreign journal of such a name to the database."""


class NotWritten(MldeckError):
    """Nothing was written. The message names the destination and gives the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} was not written: {reason}")
        self.path = path
        self.reason = reason


class AlreadyThere(NotWritten):
    """A file, folder or link of that name exists, and `Destination.replace` is False."""


@dataclass(frozen=True)
class Destination:
    """The path of a new file or folder, and the databases that it must not damage."""

    path: Path
    """The path to write to. If it is a link, the link's target is replaced, not the link."""
    databases: Collection[Path]
    """The databases of the runs and of the registry. They and their journals are never overwritten, not even by `replace`."""
    replace: bool = False
    """Whether an existing file or folder may be replaced, also through a link."""

    @contextmanager
    def new(self, *, is_dir: bool = False, source: Path | None = None) -> Iterator[Path]:
        """Yield a temporary path in the same folder, which is renamed to `path` at the end of the block.

        `source` is the local path that the contents are copied from, if any. Raises `AlreadyThere` or `NotWritten`. Both
        are checked before and after the block, because another program may create that path in between.
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
        except ValueError as error:  # the name contains a zero byte
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
        # Another user may have put the link into the folder, so it may lead anywhere.
        if self.path.is_symlink() and not self.replace:
            raise AlreadyThere(self.path, f"it is a link to {target}")
        if not target.exists():
            return
        if not is_dir and not target.is_file():
            raise NotWritten(self.path, "it is not a file")
        if not self.replace:
            raise AlreadyThere(self.path, "it already exists")
        if source is not None and source.is_relative_to(target):
            raise NotWritten(self.path, "the artifacts themselves lie there")
        if is_dir and not target.is_dir():
            raise NotWritten(self.path, "it is not a folder")


def _is_part_of(target: Path, database: Path) -> bool:
    """Return whether the target is a file of the database under any name; some file systems ignore case."""
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
    """Remove a file or folder if it exists. Errors are ignored because they would hide the one that led here."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
