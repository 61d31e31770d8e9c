"""Opening a SQLite file without disturbing the programs that use it. Standard library only.

Browsing connections are `mode=ro`. SQLite sometimes cannot read that way, because a journal left by a crashed writer must be
rolled back first. And it reads a database in WAL mode only with a `-wal` and a `-shm` file, which a read-only connection
creates but cannot remove. So while the log is empty, such a file is read as immutable, and each read verifies that it was
(`DatabaseFile.check_unchanged`). `open_database` finds the least intrusive way that works, and leaves a notice when what is
shown is not the live file.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from mldeck.errors import MldeckError, StoreChanged, StoreLocked, StoreUnavailable, StoreUnmade, UsageError
from mldeck.store.address import folder_message, others_in

MLFLOW_TABLES = ("alembic_version", "experiments", "metrics", "params", "runs", "tags")
"""Tables of every release since 1.0; together they identify an MLflow database."""

BROWSE_WAIT_S = 0.2
"""Seconds that SQLite waits for a lock at a time. Nothing can interrupt this wait, so longer ones are made of several."""

_LOOK_S = 0.2
"""Seconds between two checks whether a database that does not exist yet was made."""

_MAGIC = b"SQLite format 3\x00"

_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")

_CLOCK_TICK_S = 0.05
"""Seconds within which a file may be changed twice without a change of its modification time."""

FileState = tuple[tuple[int, ...] | None, ...]
"""(device, inode, modification time in ns, size) of a database and of its write-ahead log; None for a missing file."""


@dataclass(frozen=True)
class DatabaseFile:
    """A database file and the way it can be read."""

    path: Path
    """The file that the user named."""
    read_path: Path
    """The file that is opened: the same, or a private copy."""
    quiet_state: FileState | None = None
    """The state in which a database in WAL mode was found with an empty log; None for other databases. It is opened as
    immutable, so that SQLite creates no files beside it."""
    read_only_reason: str | None = None
    """Why the database cannot be written; None when it can."""
    notice: str | None = None
    """Sentences for the user about the way it was opened."""

    @property
    def name(self) -> str:
        """How messages name it."""
        return str(self.path)

    @property
    def is_gone(self) -> bool:
        return not self.path.exists()

    @property
    def is_copy(self) -> bool:
        """Whether a private copy is read, because the file itself cannot be."""
        return self.read_path != self.path

    @property
    def is_snapshot(self) -> bool:
        """Whether changes made by others do not show by themselves."""
        return self.quiet_state is not None or self.is_copy

    def connect(self, wait_s: float = BROWSE_WAIT_S) -> sqlite3.Connection:
        """Open a connection for reading, in autocommit mode, usable from any thread but from one at a time.

        `wait_s` is how long SQLite waits for a lock, in seconds.
        """
        options = "mode=ro" if self.quiet_state is None else "mode=ro&immutable=1"
        return connect_file(self.read_path, options, wait_s)

    def check_before_reading(self) -> None:
        """Raise `MldeckError` if the file, or one beside it, must not be read now."""
        check_side_files(self.path)
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise `StoreChanged` if the file was written although it is opened as immutable.

        Called before and after each read. In WAL mode every write goes to the log first, and into the file after that.
        """
        if self.quiet_state is not None and file_state(self.path) != self.quiet_state:
            raise StoreChanged(f"{self.path} was changed while it was read")

    def discard(self) -> None:
        """Remove the private copy, if there is one."""
        if self.is_copy:
            shutil.rmtree(self.read_path.parent, ignore_errors=True)

    def tidy(self) -> None:
        """Let SQLite remove the log that a writer left behind because mldeck was still reading.

        SQLite does it when the last connection is closed, if that connection may write.
        """
        is_ours = not self.is_snapshot and self.read_only_reason is None
        if is_ours and _beside(self.path, "-shm").exists() and _is_wal(self.path):
            _let_sqlite_recover(self.path)


def check_database(path: Path) -> None:
    """Raise `UsageError` unless `path` is a readable MLflow database; `StoreUnmade` while it may still become one."""
    _could_be_checked(path)


def wait_for_database(path: Path, tell: Callable[[str], None]) -> None:
    """Wait until MLflow has made the database, and `tell` what is still missing.

    Raises `UsageError` for a file that is no MLflow database.
    """
    told = ""
    while True:
        try:
            if _could_be_checked(path):
                return
        except StoreUnmade as error:
            if str(error) != told:
                told = str(error)
                tell(told)
        time.sleep(_LOOK_S)


def _could_be_checked(path: Path) -> bool:
    """Check as `check_database` does; False when the database is locked or being written, so that it cannot be judged yet."""
    _check_is_sqlite(path)
    try:
        database = open_database(path, read_only=True)
    except StoreUnavailable:
        return False
    except MldeckError as error:
        raise UsageError(str(error)) from None
    try:
        with closing(database.connect()) as connection:
            names = {
                row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            }
    except sqlite3.OperationalError as error:
        if is_locked(error):
            return False
        raise UsageError(f"{path} cannot be read: {error}") from None
    except sqlite3.DatabaseError as error:
        if database.quiet_state not in (None, file_state(path)):
            return False  # it was being written
        raise UsageError(f"{path} is damaged: {error}") from None
    finally:
        database.discard()
    missing = [name for name in MLFLOW_TABLES if name not in names]
    if missing:
        kind = UsageError if names.isdisjoint(MLFLOW_TABLES) and names else StoreUnmade
        raise kind(
            f"{path} is a SQLite database, but not an MLflow tracking database: it has no table {', '.join(missing)}"
        )
    return True


def _check_is_sqlite(path: Path) -> None:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise UsageError(folder_message(path))
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is not a file")
        with path.open("rb") as file:
            head = file.read(len(_MAGIC))
    except (FileNotFoundError, NotADirectoryError):
        beside = others_in(path.parent)
        raise StoreUnmade(f"no such file: {path}{beside} (try `mldeck demo` to see mldeck on a sample store)") from None
    except PermissionError:
        raise UsageError(f"no permission to read {path}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if not head:
        raise StoreUnmade(f"{path} is empty: MLflow has not written anything to it yet")
    if head != _MAGIC:
        raise UsageError(f"{path} is not a SQLite database")


def open_database(path: Path, *, read_only: bool) -> DatabaseFile:
    """Find the least intrusive way to read `path`.

    Raises `StoreUnavailable` while it is locked or gone. What a crashed writer left is recovered by SQLite, as MLflow's next
    start would do, but only when the file may be written and `read_only` is not set; otherwise a private copy is read.
    """
    if not path.exists():
        raise StoreUnavailable(f"{path} is gone")
    check_side_files(path)
    reason = "opened with --read-only" if read_only else read_only_reason(path)
    quiet = _quiet_wal(path, reason)
    if quiet is not None and _readable(quiet):
        return quiet
    plain = DatabaseFile(path, path, read_only_reason=reason)
    if _readable(plain):
        return plain
    if reason is None:
        _let_sqlite_recover(path)
        if _readable(plain):
            return plain
    return _private_copy(path, reason)


def _quiet_wal(path: Path, reason: str | None) -> DatabaseFile | None:
    """Return a way to read a database in WAL mode without side files; None in other modes and while the log has content."""
    log, journal = _beside(path, "-wal"), _beside(path, "-journal")
    try:
        if not _is_wal(path):
            return None
        if _has_content(log) and reason is None and not _beside(path, "-shm").exists():
            _let_sqlite_recover(path)  # a writer crashed: one that still runs keeps a -shm file
        _wait_for_tick(path)
    except OSError:
        return None
    state = file_state(path)
    if _has_content(log) or _has_content(journal):
        return None
    notice = None
    if not _writable(log.parent):
        notice = "write-ahead log in a folder without write permission: shown as it is in the file"
    return DatabaseFile(path, path, state, reason, notice)


def check_side_files(path: Path) -> None:
    """Raise `MldeckError` when a log or journal is not a regular file, or when a journal names a super-journal.

    SQLite would wait for a pipe forever, and would use the target of a link as its own. When it rolls back a journal that
    names a super-journal, it deletes the file of that name, wherever it is. Only a transaction over several databases has a
    super-journal, and MLflow makes none.
    """
    real = Path(os.path.realpath(path))
    for suffix in ("-journal", "-wal", "-shm"):
        place = real.with_name(real.name + suffix)
        with suppress(OSError):  # usually there is no such file
            if not stat.S_ISREG(place.lstat().st_mode):
                raise MldeckError(f"{path} cannot be read: {place.name} is no ordinary file")
            if suffix == "-journal" and _names_super_journal(place):
                raise MldeckError(f"{path} cannot be read: {place.name} names another file, which SQLite would delete")


def _names_super_journal(journal: Path) -> bool:
    """Return whether the journal ends as one with a super-journal: name, length, checksum and the magic bytes.

    Source: https://www.sqlite.org/fileformat2.html.
    """
    with journal.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_JOURNAL_MAGIC)))
        return file.read() == _JOURNAL_MAGIC


def _beside(path: Path, suffix: str) -> Path:
    """Return the path of a side file of SQLite's: beside the database itself when `path` is a link."""
    return Path(os.path.realpath(path) + suffix)


def _wait_for_tick(path: Path) -> None:
    """Wait until another change of the file would also change its modification time."""
    age_s = time.time() - path.stat().st_mtime
    if 0 <= age_s < _CLOCK_TICK_S:
        time.sleep(_CLOCK_TICK_S - age_s)


def file_state(path: Path) -> FileState:
    """Return a value that changes with the database or its write-ahead log."""

    def state_of(file: Path) -> tuple[int, ...] | None:
        try:
            status = file.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    log = state_of(_beside(path, "-wal"))
    # An empty log counts as none, because connections that only read create and remove it.
    return state_of(path), log if log and log[-1] else None


def read_only_reason(path: Path) -> str | None:
    """Return why this user cannot write the database; None when it can be written."""
    if not _writable(path):
        return "the file cannot be written to"
    if not _writable(_beside(path, "-journal").parent):
        return "its folder cannot be written to"
    return None


def _writable(path: Path) -> bool:
    """Return whether the effective user may write, as opening requires; `os.access` alone asks for the real user."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def is_locked(error: sqlite3.Error) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def connect_file(path: Path, options: str, wait_s: float) -> sqlite3.Connection:
    """Open a connection in autocommit mode, usable from any thread but from one at a time.

    `options` are those of a SQLite URI (`mode=ro`); `wait_s` is how long SQLite waits for a lock, in seconds.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, timeout=wait_s, check_same_thread=False, isolation_level=None
    )
    # A value that is not UTF-8 must not end the listing that contains it.
    connection.text_factory = _decode
    return connection


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _readable(database: DatabaseFile) -> bool:
    """Return whether SQLite can read it this way. Raises `StoreLocked` when it is only locked, `MldeckError` when damaged."""
    try:
        with closing(database.connect()) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if is_locked(error):
            raise StoreLocked(f"{database.path} is locked by another program") from error
        return False
    except sqlite3.DatabaseError as error:
        raise MldeckError(f"{database.path} is damaged: {error}") from error
    return True


def _let_sqlite_recover(path: Path) -> None:
    """Open the file for writing and read once, so that SQLite rolls back a hot journal or makes the index of the WAL."""
    try:
        with closing(connect_file(path, "mode=rw", BROWSE_WAIT_S)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return  # the caller checks whether it is readable now


def _is_wal(path: Path) -> bool:
    """Return whether bytes 18 and 19 of the header are 2 (https://www.sqlite.org/fileformat2.html)."""
    with path.open("rb") as file:
        return file.read(20)[18:20] == b"\x02\x02"


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _private_copy(path: Path, reason: str | None) -> DatabaseFile:
    what = (
        "has a write-ahead log that cannot be read in place" if _is_wal(path) else "left unfinished by a crashed writer"
    )
    folder = Path(tempfile.mkdtemp(prefix="mldeck-"))
    copy = folder / path.name
    try:
        for suffix in ("", "-journal", "-wal"):
            if (part := _beside(path, suffix)).exists():
                shutil.copyfile(part, f"{copy}{suffix}")
        _let_sqlite_recover(copy)
        database = DatabaseFile(
            path,
            copy,
            read_only_reason=reason or "it cannot be recovered in place",
            notice=f"{what}: shown from a copy made at {time.strftime('%H:%M:%S')}",
        )
        if not _readable(database):
            raise MldeckError(f"{path} cannot be read")
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise MldeckError(f"{path} {what}, and cannot be copied to {folder}: {error.strerror}") from error
        raise
    return database
