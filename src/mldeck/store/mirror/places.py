"""Where mirrors are kept: in the user's cache folder, readable by nobody else, or for one process in a temporary folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

_KEPT_S = 60 * 24 * 3600
"""Age of a mirror that nobody has used, in seconds, above which it is removed."""


@dataclass
class MirrorPlace:
    """The file of a mirror, which belongs to this process until it is released."""

    path: Path
    is_kept: bool
    _lock: int | None = None

    def release(self) -> None:
        """Let other processes have it; remove it if it is not kept."""
        if not self.is_kept:
            shutil.rmtree(self.path.parent, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def mirrors_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of kept mirrors, which need not exist."""
    cache = environment.get("XDG_CACHE_HOME", "")
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "mldeck" / "mirrors"


def claim_place(key: str, *, is_kept: bool) -> MirrorPlace:
    """Return a file for the mirror of a source, which may hold what an earlier process left.

    While another process has the kept one, it is a private copy of that. Raises `OSError` if nothing can be written.
    """
    if not is_kept:
        return _private()
    try:
        folder = mirrors_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # a home that cannot be written to, or none
        return _private()
    name = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()[:16]
    path = folder / f"{name}.db"
    try:
        lock = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return _private()
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it, or the file system knows no locks
        os.close(lock)
        return _private(path)
    os.utime(lock)
    _tidy(folder)
    return MirrorPlace(path, True, lock)


def _private(copied: Path | None = None) -> MirrorPlace:
    path = Path(tempfile.mkdtemp(prefix="mldeck-")) / "mirror.db"
    if copied is not None:
        try:
            path.touch(mode=0o600)
            uri = f"{copied.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(path)) as target:
                source.backup(target)
        except sqlite3.Error:
            path.unlink(missing_ok=True)
    return MirrorPlace(path, False)


def _tidy(folder: Path) -> None:
    """Remove mirrors that nobody has used for long."""
    oldest = time.time() - _KEPT_S
    with suppress(OSError):
        for lock in folder.glob("*.lock"):
            if lock.stat().st_mtime < oldest:
                for suffix in (".db", ".db-wal", ".db-shm", ".lock"):
                    lock.with_suffix(suffix).unlink(missing_ok=True)
