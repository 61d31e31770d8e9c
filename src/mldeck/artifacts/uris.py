"""Parses artifact URIs, in every form that MLflow has written since 1.0. The file system is not accessed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

SERVER_SCHEME = "mlflow-artifacts"
"""Files behind a tracking server, whose own folder is not in the database."""

Parts = tuple[str, ...]
"""The parts of a path."""

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):")
"""At least two characters, so that a Windows drive is not mistaken for a scheme."""

_WINDOWS = re.compile(r"/?([a-zA-Z]:)(?=[\\/])|\\\\([^\\/]+)[\\/]")
"""A drive, in a path or after `file://`, or the host of a network folder."""

_SERVER_PATH = "/mlflow-artifacts/artifacts/"
"""Separates a tracking server's own address (http…) from a path among its artifacts."""

_ID = re.compile(r"(?:m-)?[0-9a-f]{32}")
"""The id of a run or a logged model."""


@dataclass(frozen=True)
class ArtifactUri:
    """A parsed URI."""

    text: str
    scheme: str
    """Empty for a path on any machine, also if it was written as a `file:` URI."""
    authority: str
    """The bucket, host or container, or the drive of a Windows path."""
    is_absolute: bool
    readings: tuple[Parts, ...]
    """The possible readings of its path, the likeliest first, each as parts.

    They are the path as written, percent-decoded, and with backslashes as separators.
    """

    @property
    def is_windows(self) -> bool:
        """Whether it is a Windows path."""
        return not self.scheme and bool(self.authority)

    def below(self, root: ArtifactUri) -> Parts | None:
        """Return the path relative to `root`, or None if it is not below it. A root without authority matches any."""
        same_place = (
            self.scheme == root.scheme
            and self.is_absolute == root.is_absolute
            and root.authority.lower() in ("", self.authority.lower())
            and self.is_windows == root.is_windows
        )
        if not same_place:
            return None
        found = (
            mine[len(theirs) :]
            for theirs in root.readings
            for mine in self.readings
            if mine[: len(theirs)] == theirs and ".." not in mine[len(theirs) :]
        )
        return next(found, None)


def parse_uri(text: str) -> ArtifactUri:
    """Return the parsed form of any URI or path."""
    found = _SCHEME.match(text)
    if found is None:
        return _path(text, text, (text, unquote(text)))
    scheme, rest = found.group(1).lower(), text[found.end() :]
    authority, path = _authority(rest)
    if scheme == "file":
        # MLflow drops the host, and anything that looks like a query or a fragment.
        path = re.split(r"[?#]", path, maxsplit=1)[0]
        return _path(text, unquote(path), (unquote(path), path))
    path = path.partition("?")[0]
    if scheme in ("http", "https") and _SERVER_PATH in path:
        scheme, path = SERVER_SCHEME, path.partition(_SERVER_PATH)[2]
    return ArtifactUri(text, scheme, authority, True, _readings((path, unquote(path))))


def _authority(rest: str) -> tuple[str, str]:
    if not rest.startswith("//"):
        return "", rest
    authority, slash, path = rest[2:].partition("/")
    return authority, slash + path


def _path(text: str, path: str, readings: tuple[str, str]) -> ArtifactUri:
    windows = _WINDOWS.match(path)
    if windows is None:
        # A relative Windows path looks like a single name, but a name may also contain a backslash: keep both readings.
        with_folders = tuple(reading.replace("\\", "/") for reading in readings if not path.startswith("/"))
        return ArtifactUri(text, "", "", path.startswith("/"), _readings((*readings, *with_folders)))
    authority = windows.group(1) or windows.group(2)
    parts = tuple(reading[windows.end() :].replace("\\", "/") for reading in readings)
    return ArtifactUri(text, "", authority, True, _readings(parts))


def _readings(paths: tuple[str, ...]) -> tuple[Parts, ...]:
    split = (tuple(part for part in path.split("/") if part not in ("", ".")) for path in paths)
    return tuple(dict.fromkeys(split))


def owner_of(parts: Parts) -> str | None:
    """Return the id of the run or logged model that owns the folder, or None: MLflow's layout is `…/ID/artifacts/…`."""
    return next((part for part, inner in pairwise(parts) if inner == "artifacts" and _ID.fullmatch(part)), None)


def tails(parts: Parts, owner: str) -> Iterator[Parts]:
    """Yield the ends of a path that contain the folder of `owner`, the longest first."""
    if owner in parts and ".." not in parts:
        for start in range(parts.index(owner) + 1):
            yield parts[start:]


def joined(uri: str, path: str) -> str:
    """Return the URI of `path` below `uri`; a query stays at the end."""
    if not path:
        return uri
    base, mark, query = uri.partition("?") if _SCHEME.match(uri) else (uri, "", "")
    return f"{base.rstrip('/')}/{path}{mark}{query}"
