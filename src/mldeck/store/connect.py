"""Reach the database at an address, whatever kind it is. Importing this loads no database library."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from mldeck.errors import MldeckError, UsageError
from mldeck.store.address import MIGRATE_HINT, Address
from mldeck.store.far_file import FarFile
from mldeck.store.interrupt import Interrupt
from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.store.server_database import ServerDatabase
from mldeck.store.sqlite import files

if TYPE_CHECKING:
    from concurrent.futures import Future

    from mldeck.store.backend import Backend
    from mldeck.store.mirror.mirror import Mirror
    from mldeck.store.servers.backend import ServerBackend
    from mldeck.store.ssh.files import LineFiles
    from mldeck.store.ssh.line import FarLine

_connecting: dict[ServerDatabase, Future[ServerBackend]] = {}
"""The connections to servers that were started and not checked yet."""
_checked: dict[ServerDatabase, ServerBackend] = {}
"""Databases on servers that were checked and not opened yet."""
_lines: dict[FarFile, FarLine] = {}
_files: dict[FarFile, LineFiles] = {}
_lines_lock = Lock()
_mirrors: dict[MlrunsFolder, Mirror] = {}
_mirrors_lock = Lock()
_keeps_mirrors = True
_FOLDER_READ_ONLY = f"mldeck only reads a file store; {MIGRATE_HINT}"


def start_line(address: Address, *, write: bool = False) -> None:
    """Begin to connect, if the database is on another machine or a server; ssh may ask for a password. Returns at once.

    `write`: whether it may be changed there. Raises `UsageError` if ssh cannot be started.
    """
    if isinstance(address, FarFile):
        _line_to(address, write=write)
    elif isinstance(address, ServerDatabase):
        _connecting[address] = _connected_soon(address)


def check_database(address: Address, *, write: bool = False) -> None:
    """Raise `UsageError` unless a readable MLflow database is there; `StoreUnmade` while it may still become one.

    Waits for the connection to another machine, where it may be changed with `write`.
    """
    if isinstance(address, FarFile):
        _line_to(address, write=write).hello()
    elif isinstance(address, ServerDatabase):
        _check_server(address)
    elif isinstance(address, MlrunsFolder):
        _check_folder(address.path)
    else:
        files.check_database(address)


def wait_for_database(address: Address, tell: Callable[[str], None]) -> None:
    """Wait until MLflow has made the database, and `tell` what is still missing. Not for one on another machine.

    Raises `UsageError` for what is no MLflow database.
    """
    if isinstance(address, Path):
        files.wait_for_database(address, tell)
    else:
        check_database(address)


def open_backend(address: Address, *, read_only: bool, write: bool = False) -> Backend:
    """Open the database, to be changed only with `write` if it is on another machine. Raises what making a `Backend` raises."""
    if isinstance(address, FarFile):
        from mldeck.store.ssh.backend import SshBackend

        return SshBackend(_line_to(address, write=write), read_only=read_only)
    if isinstance(address, ServerDatabase):
        from mldeck.store.servers.backend import ServerBackend

        return _checked.pop(address, None) or ServerBackend(address)
    if isinstance(address, MlrunsFolder):
        from mldeck.store.mirror.backend import MirrorBackend

        return MirrorBackend(_mirror_of(address), str(address), _FOLDER_READ_ONLY)
    from mldeck.store.sqlite.backend import SqliteBackend

    return SqliteBackend(address, read_only=read_only)


def keep_mirrors(kept: bool) -> None:
    """Set whether mirrors that are made from now on outlive this process."""
    global _keeps_mirrors
    _keeps_mirrors = kept


def start_mirror(address: Address, experiment: str | None = None) -> None:
    """Begin to read a store that is mirrored, for a deck that is being loaded. Returns at once.

    `experiment` is the name or id of the one whose runs are wanted first.
    """
    if isinstance(address, MlrunsFolder):
        mirror = _mirror_of(address, experiment)
        mirror.prepare()
        atexit.register(mirror.leave)


def mirror_file(address: MlrunsFolder) -> Path:
    """Wait until the first runs are in the mirror of a store that was started, and return its file."""
    return _mirror_of(address).wait_for_first()


def _mirror_of(address: MlrunsFolder, experiment: str | None = None) -> Mirror:
    """Return the mirror of a store; there is one for the whole process."""
    from mldeck.store.mirror.folder import FolderSource
    from mldeck.store.mirror.mirror import Mirror

    with _mirrors_lock:
        mirror = _mirrors.get(address)
        if mirror is None:
            mirror = Mirror(FolderSource(address.path), is_kept=_keeps_mirrors, experiment=experiment)
            _mirrors[address] = mirror
        return mirror


def _check_folder(folder: Path) -> None:
    """Raise `UsageError` unless the folder can be read."""
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}") from None


def far_files(address: Address) -> LineFiles | None:
    """Return the files of the machine that the paths in the database are of; None for this machine. Never waits."""
    if not isinstance(address, FarFile):
        return None
    from mldeck.store.ssh.files import LineFiles

    line = _line_to(address)
    with _lines_lock:
        return _files.setdefault(address, LineFiles(line))


def log_in(address: Address, interrupt: Interrupt) -> None:
    """Connect again to another machine, if that connection is lost; ssh may ask on the terminal, which must be free. Waits.

    Raises `UsageError` when that fails.
    """
    if isinstance(address, FarFile):
        _line_to(address).log_in(interrupt)


def database_folder(address: Address) -> Path | None:
    """Return the folder of the database's file, on whatever machine that is; None while it is not known."""
    if isinstance(address, Path):
        return address.absolute().parent
    if isinstance(address, MlrunsFolder):
        return address.path
    if isinstance(address, ServerDatabase):
        return None
    hello = _line_to(address).last_hello
    return None if hello is None else Path(hello.path).parent


def _check_server(database: ServerDatabase) -> None:
    """Connect to a server, and keep the connection for `open_backend`."""
    try:
        backend = (_connecting.pop(database, None) or _connected_soon(database)).result()
    except UsageError:
        raise
    except MldeckError as error:
        raise UsageError(str(error)) from error
    try:
        backend.check_is_mlflow()
    except UsageError:
        backend.close()
        raise
    if not _checked:
        atexit.register(_close_checked)
    _checked[database] = backend


def _connected_soon(database: ServerDatabase) -> Future[ServerBackend]:
    """Connect to a server in a thread, which also loads the libraries for it."""
    from concurrent.futures import Future

    connected: Future[ServerBackend] = Future()

    def connect() -> None:
        try:
            from mldeck.store.servers.backend import ServerBackend

            connected.set_result(ServerBackend(database))
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            connected.set_exception(error)

    Thread(target=connect, name="connect to server", daemon=True).start()
    return connected


def _close_checked() -> None:
    for backend in _checked.values():
        backend.close()


def _line_to(file: FarFile, *, write: bool = False) -> FarLine:
    """Return the line to a file, started. There is one for the whole process, because ssh should ask only once."""
    from mldeck.store.ssh.line import FarLine

    with _lines_lock:
        line = _lines.get(file)
        if line is None:
            line = FarLine(file, may_write=write)
            line.start()
            line.join()  # stays open when its last store is closed: a command may open another one
            _lines[file] = line
            atexit.register(line.close)
        elif write:
            line.allow_writing()
        return line
