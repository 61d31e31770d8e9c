"""Artifacts in an object store, listed and read in ranges through fsspec.

Importing this module does not import fsspec: it and the package for the store come with an extra of mldeck, which most
users do not need.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from mldeck.addresses import printable
from mldeck.artifacts.errors import ArtifactError, LeadsOutside, NeedsExtra, NotAFile, NotFound
from mldeck.artifacts.source import Check, no_check
from mldeck.artifacts.tree import Entry, EntryKind, in_order

_INSTALL = {
    "s3": "'mldeck[s3]'",
    "gs": "'mldeck[gcs]'",
    "gcs": "'mldeck[gcs]'",
    "sftp": "'mldeck[sftp]'",
    "ftp": "fsspec",
    "hdfs": "fsspec pyarrow",
    "viewfs": "fsspec pyarrow",
    **dict.fromkeys(("abfs", "abfss", "wasb", "wasbs"), "'mldeck[azure]'"),
}
_PROTOCOLS = {"abfss": "abfs", "wasb": "abfs", "wasbs": "abfs", "viewfs": "hdfs"}
"""fsspec's names for schemes, where they differ."""

_LONGEST_REASON = 300
"""In characters. A library that lacks another one may list every place it searched."""
_MODIFIED = ("LastModified", "last_modified", "updated", "mtime", "modify")
"""The keys for the time of the last change, which differ between stores."""


class RemoteTree:
    """An `ArtifactTree` over an object store."""

    def __init__(self, url: str) -> None:
        """Connect. Raises `NeedsExtra`, or `ArtifactError` if the store cannot be reached."""
        self.url = printable(url)
        scheme, _, rest = url.partition("://")
        scheme = scheme.lower()
        authority, _, path = rest.partition("/")
        self._seeks = scheme == "sftp"  # its `cat_file` always reads the whole file, whatever the range
        with _translated_errors(self.url):
            try:
                self._store, top = _connected(scheme, authority)
            except ImportError as error:
                raise NeedsExtra(f"{self.url}: to open {scheme}: stores, run pip install {_INSTALL[scheme]}") from error
        self._root = f"{top.rstrip('/')}/{path}".rstrip("/")

    @property
    def name(self) -> str:
        return self.url

    def entries(self, folder: str = "", check: Check = no_check) -> list[Entry]:
        check()
        place = self._place(folder)
        with _translated_errors(self._shown(folder)):
            found = self._store.ls(place, detail=True)
        check()
        return in_order([entry for info in found if (entry := self._entry(folder, place, info)) is not None])

    def _entry(self, folder: str, place: str, info: Mapping[str, Any]) -> Entry | None:
        """Return an entry for a listed object; None for the folder itself, which some programs mark by an empty object."""
        name = str(info["name"]).rstrip("/")
        if name == place:
            if info["type"] == "file" and not str(info["name"]).endswith("/") and info.get("size"):
                raise NotFound(f"{self._shown(folder)} is not a folder")
            return None
        path = f"{folder}/{name.rpartition('/')[2]}".lstrip("/")
        if path.rpartition("/")[2] in ("", ".", ".."):
            # An object may have any name; used as a local path, this one would lead elsewhere.
            return Entry(path, EntryKind.ESCAPE)
        return _entry_of(path, info)

    def entry(self, path: str) -> Entry:
        return _entry_of(path, self._info(path))

    def file(self, path: str) -> RemoteFile:
        info = self._info(path)
        if info["type"] != "file":
            raise NotAFile(f"{self._shown(path)} is a folder, not a file")
        return RemoteFile(self._read, self._place(path), self._shown(path), int(info["size"]))

    def local_path(self, path: str) -> Path | None:
        return None

    def _read(self, place: str, start: int, end: int) -> bytes:
        if self._seeks:
            with self._store.open(place, "rb") as file:
                file.seek(start)
                data: bytes = file.read(end - start)
        else:
            data = self._store.cat_file(place, start=start, end=end)
        return data

    def _info(self, path: str) -> Mapping[str, Any]:
        place = self._place(path)
        with _translated_errors(self._shown(path)):
            info: Mapping[str, Any] = self._store.info(place)
        return info

    def _place(self, path: str) -> str:
        if ".." in path.split("/"):
            raise LeadsOutside(f"{self._shown(path)} leads out of the artifacts: it was not followed")
        return "/".join([self._root, *filter(None, path.split("/"))])

    def _shown(self, path: str) -> str:
        return f"{self.url.rstrip('/')}/{path}" if path else self.url


class RemoteFile:
    """An object as a `Source` for previews and copying."""

    def __init__(self, read: Callable[[str, int, int], bytes], place: str, shown: str, size: int) -> None:
        self._read = read
        self._place = place
        self._shown = shown
        self.size = size

    @property
    def name(self) -> str:
        return self._place.rpartition("/")[2]

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        if end <= offset:
            return b""
        with _translated_errors(self._shown):
            return self._read(self._place, offset, end)


def _connected(scheme: str, authority: str) -> tuple[Any, str]:
    """Return fsspec's file system, and the prefix of paths in it.

    fsspec gets only the authority of the URL: after `::` it would look for further protocols to load.
    """
    if "::" in authority:
        raise ValueError(f"{authority} is not a valid host or bucket")
    # Do not cache listings: others add files meanwhile.
    options: dict[str, Any] = {"skip_instance_cache": True}
    if scheme == "sftp":
        import sshfs  # noqa: F401  (without it, fsspec would use an implementation that trusts any host)

        options["known_hosts"] = ()  # the user's known hosts; by default sshfs checks none
    else:
        options["use_listings_cache"] = False
    endpoint = os.environ.get("MLFLOW_S3_ENDPOINT_URL")
    if scheme == "s3" and endpoint:
        # MLflow's variable for S3-compatible stores other than Amazon's; each package finds the other settings itself.
        options["endpoint_url"] = endpoint
    from fsspec.core import url_to_fs

    store, top = url_to_fs(f"{_PROTOCOLS.get(scheme, scheme)}://{authority}/", **options)
    return store, top


def _entry_of(path: str, info: Mapping[str, Any]) -> Entry:
    is_dir = info["type"] == "directory"
    size = None if is_dir else info.get("size")
    return Entry(path, EntryKind.FOLDER if is_dir else EntryKind.FILE, is_dir, size, _modified(info))


def _modified(info: Mapping[str, Any]) -> int | None:
    value = next((info[key] for key in _MODIFIED if info.get(key) is not None), None)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return None
    if isinstance(value, datetime):
        value = value.timestamp()
    return int(value * 1000) if isinstance(value, int | float) else None


@contextmanager
def _translated_errors(shown: str) -> Iterator[None]:
    """Turn any exception into an `ArtifactError`: each store's package has its own, with no common base but Exception."""
    try:
        yield
    except ArtifactError:
        raise
    except FileNotFoundError as error:
        raise NotFound(f"there is nothing at {shown}") from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if len(reason) > _LONGEST_REASON:
            reason = reason[:_LONGEST_REASON] + "…"
        raise ArtifactError(f"{shown} cannot be read ({reason})") from error
