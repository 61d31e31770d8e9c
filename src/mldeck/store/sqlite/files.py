"""Opening a SQLite file without disturbing whoever else uses it. Standard library only.

Browsing connections are `mode=ro`. SQLite itself sometimes cannot read that way: a journal that a crashed writer left must
be rolled back first. And it reads a database in WAL mode only with a `-wal` and a `-shm` file, which it makes and cannot
remove again. So while no writer has anything in its log, such a file is read as immutable, and each read makes sure that it
was (`DatabaseFile.check_unchanged`). `open_database` finds the gentlest way that works, and says so when what is shown is
not the live file.
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
"""Present in every release since 1.0; together they tell an MLflow database from any other."""

BROWSE_WAIT_S = 0.2
"""How long SQLite waits for somebody's lock at a time: nothing can interrupt it meanwhile. Who is patient asks again."""

_LOOK_S = 0.2
"""How often a database is looked for that is not made yet."""

_MAGIC = b"SQLite format 3\x00"

_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")

_CLOCK_TICK_S = 0.05
"""Within which a file may be changed twice without a change of its time."""

FileState = tuple[tuple[int, ...] | None, ...]
"""What tells whether a database and its write-ahead log were changed: device, inode, time in ns, and size of each."""


@dataclass(frozen=True)
class DatabaseFile:
    """A database file and the way it can be read."""

    path: Path
    """What the user named."""
    read_path: Path
    """What is opened: the same, but for a private copy."""
    quiet_state: FileState | None = None
    """How a database in WAL mode was found, with nothing in its log. SQLite is told that nobody writes, and makes no file."""
    read_only_reason: str | None = None
    """Why nothing can be written; None when it can."""
    notice: str | None = None
    """What the user should know about the way it was opened."""

    @property
    def is_copy(self) -> bool:
        """Whether a private copy is read, because the file itself cannot be."""
        return self.read_path != self.path

    @property
    def is_snapshot(self) -> bool:
        """Whether changes made by others do not show by themselves."""
        return self.quiet_state is not None or self.is_copy

    def connect(self, wait_s: float = BROWSE_WAIT_S) -> sqlite3.Connection:
        """A connection for reading, usable from any thread (one at a time), in autocommit mode."""
        options = "mode=ro" if self.quiet_state is None else "mode=ro&immutable=1"
        return _connect(self.read_path, options, wait_s)

    def check_unchanged(self) -> None:
        """Raise `StoreChanged` if somebody wrote although SQLite was told that nobody would.

        Called before and after each read. Whoever writes in WAL mode writes to the log first, and the file itself after that.
        """
        if self.quiet_state is not None and file_state(self.path) != self.quiet_state:
            raise StoreChanged(f"{self.path} was changed while it was read")

    def discard(self) -> None:
        """Remove the private copy, if there is one."""
        if self.is_copy:
            shutil.rmtree(self.read_path.parent, ignore_errors=True)

    def tidy(self) -> None:
        """Let SQLite remove the log that a writer left because we were still reading, as that writer would have.

        SQLite does it when the last connection is closed, if that one may write.
        """
        is_theirs = self.is_snapshot or self.read_only_reason is not None
        if not is_theirs and _beside(self.path, "-shm").exists() and _is_wal(self.path):
            _let_sqlite_recover(self.path)


def check_database(path: Path) -> None:
    """Raises `UsageError` unless `path` is an MLflow database that can be read, `StoreUnmade` while it may still become one."""
    _could_be_checked(path)


def wait_for_database(path: Path, tell: Callable[[str], None]) -> None:
    """Wait until MLflow has made the database, and say what is missing. Raises `UsageError` for what is no such database."""
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
    """The same; whether it could be looked into: what somebody holds now shows whether it is MLflow's when they let go."""
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
    """Finds the gentlest way to read `path`.

    Raises `StoreUnavailable` while it is locked or gone. Only when it may be written (and `read_only` is not asked for) is
    SQLite let to finish what a crashed writer left, as MLflow's next start would; else a private copy is read.
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
    """A way to read a database in WAL mode without its files; None for other modes, and while there is something in the log."""
    log, journal = _beside(path, "-wal"), _beside(path, "-journal")
    try:
        if not _is_wal(path):
            return None
        if _has_content(log) and reason is None and not _beside(path, "-shm").exists():
            _let_sqlite_recover(path)  # a writer crashed: nobody who still runs is without the second file
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
    """Raise `MldeckError` for anything but a file in the place of a log or journal.

    SQLite would wait for a pipe for good, and would take what a link leads to for the database's own. Raise it, too, for a
    journal that names a super-journal: SQLite deletes the file of that name, wherever it is, when it rolls the journal back.
    Only a transaction over several databases has one, and MLflow makes none.
    """
    real = Path(os.path.realpath(path))
    for suffix in ("-journal", "-wal", "-shm"):
        place = real.with_name(real.name + suffix)
        with suppress(OSError):  # mostly there is none
            if not stat.S_ISREG(place.lstat().st_mode):
                raise MldeckError(f"{path} cannot be read: {place.name} is no ordinary file")
            if suffix == "-journal" and _names_super_journal(place):
                raise MldeckError(f"{path} cannot be read: {place.name} names another file, which SQLite would delete")


def _names_super_journal(journal: Path) -> bool:
    """The name stands at the end, before its length, its checksum and this (https://www.sqlite.org/fileformat2.html)."""
    with journal.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_JOURNAL_MAGIC)))
        return file.read() == _JOURNAL_MAGIC


def _beside(path: Path, suffix: str) -> Path:
    """A file that SQLite keeps beside the database: where that really lies, if `path` is a link to it."""
    return Path(os.path.realpath(path) + suffix)


def _wait_for_tick(path: Path) -> None:
    """Wait until another change of the file would change its time, too."""
    age_s = time.time() - path.stat().st_mtime
    if 0 <= age_s < _CLOCK_TICK_S:
        time.sleep(_CLOCK_TICK_S - age_s)


def file_state(path: Path) -> FileState:
    """What changes with the database or its write-ahead log."""

    def look(each: Path) -> tuple[int, ...] | None:
        try:
            status = each.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    log = look(_beside(path, "-wal"))
    # An empty log says as much as none, and comes and goes with connections that only read.
    return look(path), log if log and log[-1] else None


def read_only_reason(path: Path) -> str | None:
    """Why the database cannot be written by this user; None when it can."""
    if not _writable(path):
        return "the file cannot be written to"
    if not _writable(_beside(path, "-journal").parent):
        return "its folder cannot be written to"
    return None


def _writable(path: Path) -> bool:
    """Asked for the effective user, as opening does; `os.access` alone asks for the real one."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def is_locked(error: sqlite3.Error) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _connect(path: Path, options: str, wait_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}", uri=True, timeout=wait_s, check_same_thread=False, isolation_level=None
    )
    # Somebody else's bytes: a value that is not UTF-8 must not end the listing it stands in.
    connection.text_factory = _decode
    return connection


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _readable(database: DatabaseFile) -> bool:
    """Whether SQLite can read it this way; raises `StoreUnavailable` if it is merely locked."""
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
    """Opening for writing and reading once rolls back a hot journal or makes the WAL's index."""
    try:
        with closing(_connect(path, "mode=rw", BROWSE_WAIT_S)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        return  # the caller looks again whether it is readable now


def _is_wal(path: Path) -> bool:
    """Bytes 18 and 19 of the header are 2 in WAL mode (https://www.sqlite.org/fileformat2.html)."""
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
