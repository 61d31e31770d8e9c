"""What an artifact URI says, in every form that MLflow has written since 1.0. Nothing is looked at here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

SERVER_SCHEME = "mlflow-artifacts"
"""Files behind a tracking server, whose own folder the database does not know."""

Parts = tuple[str, ...]

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):")
"""At least two characters, so that a Windows drive is not taken for a scheme."""

_WINDOWS = re.compile(r"/?([a-zA-Z]:)(?=[\\/])|\\\\([^\\/]+)[\\/]")
"""A drive, as in a path or after `file://`, or the host of a network folder."""

_SERVER_PATH = "/mlflow-artifacts/artifacts/"
"""Where a tracking server's own address (http…) turns into a path among its artifacts."""

_ID = re.compile(r"(?:m-)?[0-9a-f]{32}")
"""A run's id, or a logged model's."""


@dataclass(frozen=True)
class ArtifactUri:
    """One URI, taken apart."""

    text: str
    scheme: str
    """Empty for a path on some machine, also when it was written as a `file:` URI."""
    authority: str
    """Bucket, host, container, or the drive of a Windows path."""
    is_absolute: bool
    readings: tuple[Parts, ...]
    """The parts of its path: as they are, with %20 and the like decoded, and with backslashes between folders; the likelier
    reading first."""

    @property
    def is_windows(self) -> bool:
        return not self.scheme and bool(self.authority)

    def below(self, root: ArtifactUri) -> Parts | None:
        """What is left of the path below `root`; None when it does not lie there. A root may leave the authority open."""
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
    found = _SCHEME.match(text)
    if found is None:
        return _path(text, text, (text, unquote(text)))
    scheme, rest = found.group(1).lower(), text[found.end() :]
    authority, path = _authority(rest)
    if scheme == "file":
        # MLflow drops the host, and what looks like a query or a fragment.
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
        # A relative path of Windows looks like one name; and a name may have a backslash in it.
        with_folders = tuple(reading.replace("\\", "/") for reading in readings if not path.startswith("/"))
        return ArtifactUri(text, "", "", path.startswith("/"), _readings((*readings, *with_folders)))
    authority = windows.group(1) or windows.group(2)
    parts = tuple(reading[windows.end() :].replace("\\", "/") for reading in readings)
    return ArtifactUri(text, "", authority, True, _readings(parts))


def _readings(paths: tuple[str, ...]) -> tuple[Parts, ...]:
    split = (tuple(part for part in path.split("/") if part not in ("", ".")) for path in paths)
    return tuple(dict.fromkeys(split))


def owner_of(parts: Parts) -> str | None:
    """The id of the run or logged model whose folder this is: MLflow lays them out as `…/ID/artifacts/…`."""
    return next((part for part, inner in pairwise(parts) if inner == "artifacts" and _ID.fullmatch(part)), None)


def tails(parts: Parts, owner: str) -> Iterator[Parts]:
    """The ends of a path that still hold the folder of `owner`, the longest first."""
    if owner in parts and ".." not in parts:
        for start in range(parts.index(owner) + 1):
            yield parts[start:]


def joined(uri: str, path: str) -> str:
    """The URI of what lies at `path` below; the query of a remote one stays behind it."""
    if not path:
        return uri
    base, mark, query = uri.partition("?") if _SCHEME.match(uri) else (uri, "", "")
    return f"{base.rstrip('/')}/{path}{mark}{query}"
