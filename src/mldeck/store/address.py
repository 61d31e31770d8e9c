"""The meaning of STORE on the command line: a path, a URI as MLflow writes it, a host and a path there, or a server's URL.

Standard library only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from mldeck.addresses import absolute, printable, typed_path
from mldeck.errors import UsageError
from mldeck.store.far_file import FarFile
from mldeck.store.mlruns_folder import MlrunsFolder
from mldeck.store.server_database import ServerDatabase, server_database

_SCHEME = re.compile(r"^([a-zA-Z](?:[a-zA-Z0-9+.-]+(?=:)|[\w+.-]+(?=://)))")
"""At least two characters, so that a Windows drive is not mistaken for a scheme. Names of drivers may have a `_`."""

_DATABASE = "mlflow.db"
"""The name that MLflow gives to a database by default."""

_AUTHORITY = r"(?:(?P<user>[^@:/]+)@)?(?P<host>[^@:/\[\]]+|\[[^\]]+\])(?::(?P<port>\d{1,5}))?"
_SCP = re.compile(r"(?:(?P<user>[^@:/\s]+)@)?(?P<host>[A-Za-z0-9_][\w.-]+):(?!//)(?P<path>.+)", re.ASCII | re.DOTALL)
"""A host of one letter would be a Windows drive."""

_SERVER_DATABASES = ("postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle")
_SCHEMES = frozenset({"sqlite", "file", "http", "https", "databricks", "databricks-uc", "uc", *_SERVER_DATABASES})
"""They stand before the colon of a URI, and are therefore no hosts."""

_MISTYPED = r"(?:postgres|postgresql|mysql|mariadb)(?:\+\w+)?(?!://)[:/]+[^/].*@"
"""The URL of a database on a server, with a user but without `://`."""

FILE_STORE = "mlruns"
"""The name that MLflow gives to a file store by default."""
_ARTIFACT_FOLDERS = (FILE_STORE, "mlartifacts")
_MOST_NAMED = 3
MIGRATE_HINT = "MLflow's own `mlflow migrate-filestore` makes a database of it"
"""Advice for a user who wants to change a file store."""


Address = Path | FarFile | ServerDatabase | MlrunsFolder
"""The location of a store; a `Path` is a SQLite file on this machine. `str` gives its name, without a password."""


def state_key(address: Address) -> str:
    """Return the text by which saved state recognizes a store. It has no password."""
    if isinstance(address, ServerDatabase):
        return address.key
    return str(address.absolute() if isinstance(address, Path) else address)


def file_folder(address: Address) -> Path | None:
    """Return the folder of the database's file, or that of a file store, links followed, if it is on this machine."""
    if isinstance(address, MlrunsFolder):
        return address.path.resolve()
    return address.resolve().parent if isinstance(address, Path) else None


def host_of(address: Address) -> str:
    """Return the machine that the database is on, as the user named it; an empty text for this one."""
    return address.host if isinstance(address, FarFile) else ""


def read_address(text: str, origin: str = "") -> Address:
    """Return where the database that `text` names is; whether it exists is not checked. A path becomes absolute.

    A folder of this machine stands for the `mlflow.db` in it, else for the file store that it is or has in it (`mlruns`).
    Raises `UsageError` for anything but a path, a `sqlite:` or `file:` URI, a host and a path there (`ssh://HOST/PATH`,
    `HOST:PATH`), or the URL of a PostgreSQL, MySQL or MariaDB database. `origin` is where the text came from
    ("MLFLOW_TRACKING_URI"), for its message.
    """
    if (far_file := _far_file(text, origin)) is not None:
        return far_file
    if re.match(_MISTYPED, text, re.IGNORECASE | re.DOTALL) and not os.path.lexists(text):
        # The text is not repeated, because any part of it may be the password.
        named = "the address of a server" + (f" (from {origin})" if origin else "")
        raise UsageError(f"{named} has no ://; write {text.partition('/')[0].partition(':')[0]}://…")
    try:
        if (database := server_database(text)) is not None:
            return database
    except UsageError as error:
        raise UsageError(f"{_named(text, origin)}: {error}") from None
    found = _SCHEME.match(text)
    if found is None:
        return _in_folder(absolute(_plain_path(text, origin)))
    scheme = found.group(1).lower()
    if scheme.split("+")[0] == "sqlite":
        return _sqlite_path(text, origin)
    if scheme == "file":
        return _in_folder(_file_uri_path(text, origin))
    raise UsageError(f"{_named(text, origin)}: {_unsupported(scheme)}")


def registry_address(text: str | None, origin: str, runs: Address) -> Address:
    """Return where the model registry's database is: that of the runs, unless `text` names another one."""
    return read_address(text, origin) if text else runs


def _far_file(text: str, origin: str) -> FarFile | None:
    """Parse `ssh://[USER@]HOST[:PORT]/PATH` and, like scp, `[USER@]HOST:PATH`; return None for anything else.

    Of a URI, `/~/` begins a path in the home folder. `?python=COMMAND` names the Python to run there.
    """
    try:
        if text.lower().startswith("ssh://"):
            return _far_file_of_uri(text)
        typed = _SCP.fullmatch(text)
        if typed is None or typed["host"].lower().split("+")[0] in _SCHEMES or os.path.lexists(text):
            return None
        return FarFile(typed["host"], typed["path"], typed["user"])
    except UsageError as error:
        raise UsageError(f"{_named(text, origin)}: {error}") from None


def _far_file_of_uri(text: str) -> FarFile:
    place, _, query = text[len("ssh://") :].partition("?")
    authority, _, path = place.partition("/")
    found = re.fullmatch(_AUTHORITY, authority)
    if found is None or not path:
        raise UsageError("write ssh://[USER@]HOST[:PORT]/PATH; ssh asks for a password itself")
    options = dict(parse_qsl(query))
    if unknown := options.keys() - {"python"}:
        raise UsageError(f"there is no option {sorted(unknown)[0]}, only ?python=COMMAND")
    path = unquote(path)
    path = path.removeprefix("~/") if path.startswith("~") else f"/{path}"
    port = int(found["port"]) if found["port"] else None
    return FarFile(found["host"].strip("[]"), path, found["user"], port, options.get("python", "python3"))


def _in_folder(path: Path) -> Address:
    database = path / _DATABASE
    if database.is_file():
        return database
    return next((MlrunsFolder(folder) for folder in (path, path / FILE_STORE) if is_file_store(folder)), path)


def _plain_path(text: str, origin: str) -> Path:
    if "\0" in text:
        raise UsageError(f"{_named(text, origin)}: names no file")
    try:
        return typed_path(text)
    except UsageError as error:
        raise UsageError(f"{error} (from {origin})" if origin else str(error)) from None


def _sqlite_path(text: str, origin: str) -> Path:
    """Parse `sqlite:///relative.db` and `sqlite:////absolute.db` as SQLAlchemy does; options after `?` are ignored."""
    rest = text.split(":", 1)[1].split("?", 1)[0]
    path = unquote(rest[3:])
    if not rest.startswith("///") or path in ("", ":memory:") or "\0" in path:
        raise UsageError(f"{_named(text, origin)}: names no file; write sqlite:///PATH, or just the path")
    return absolute(Path(path))


def _file_uri_path(text: str, origin: str) -> Path:
    """Parse `file:///absolute` and, as MLflow does, `file:relative`."""
    rest = text.split(":", 1)[1]
    host, slash, path = rest[2:].partition("/") if rest.startswith("//") else ("", "", rest)
    path = unquote(slash + path)
    if host not in ("", "localhost") or not path or "\0" in path:
        raise UsageError(
            f"{_named(text, origin)}: names no folder of this machine; write file:///PATH, or just the path"
        )
    return absolute(Path(path))


def _unsupported(scheme: str) -> str:
    if scheme in ("http", "https"):
        return (
            "mldeck reads the database itself, not a tracking server; "
            "give the one behind it (the server's --backend-store-uri)"
        )
    if scheme.split("+")[0] in _SERVER_DATABASES:
        return "of databases on servers, mldeck reads PostgreSQL, MySQL and MariaDB"
    return f"the scheme {scheme}: is not supported; give the path of an MLflow SQLite database"


def folder_message(folder: Path) -> str:
    """Return why a folder cannot be opened, and what was probably meant."""
    if (folder / _DATABASE).is_file():
        return f"{folder} is a folder; did you mean {folder / _DATABASE}?"
    beside = folder.parent / _DATABASE
    meant = f"; did you mean {beside}, the database beside it?" if beside.is_file() else ""
    if meant and folder.name in _ARTIFACT_FOLDERS:
        return f"{folder} holds files of runs, not their database{meant}"
    if is_file_store(folder.parent):
        return f"{folder} is a folder in a file store; did you mean {folder.parent}?"
    return f"{folder} is a folder without an {_DATABASE}{others_in(folder)}; give the path of an MLflow SQLite database"


def others_in(folder: Path) -> str:
    """Return, in parentheses, what else of MLflow is in the folder where a database was looked for; or an empty text."""
    for name in _ARTIFACT_FOLDERS:
        if is_file_store(folder / name):
            return f" (the folder {name} is a file store; `mldeck {name}` opens it)"
        if (folder / name).is_dir():
            return f" (the folder {name} holds files of runs, not their database)"
    databases = sorted(path.name for path in folder.glob("*.db"))[:_MOST_NAMED]
    return f" (there is {', '.join(databases)})" if databases else ""


def is_file_store(folder: Path) -> bool:
    """Return whether a folder is a file store of MLflow: it has an experiment, at least a deleted one."""
    return any(
        os.path.isfile(os.path.join(parent, name, "meta.yaml"))  # noqa: PTH113, PTH118 - a folder may have many entries
        for parent in (folder, folder / ".trash")
        for name in _numbered(parent)
    )


def _numbered(folder: Path) -> Iterator[str]:
    """Yield the names in a folder that are ids of experiments."""
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if entry.name.isascii() and entry.name.isdecimal())
    except OSError:
        return


def _named(text: str, origin: str) -> str:
    """Return the text and its origin for a message, without the password of a URI."""
    return f"{printable(text)} (from {origin})" if origin else printable(text)
