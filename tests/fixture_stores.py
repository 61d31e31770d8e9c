"""Tracking stores that real MLflow releases wrote, packed beside this file.

They are kept as archives because a tracking database compresses to a small part of its size. Inside, the folder that a
store was made in is written `@ROOT@`; unpacking moves the store to where it lies now, so that the artifact paths in its
database lead to the files beside it.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ARCHIVES = Path(__file__).parent / "fixtures"
SUFFIX = ".tar.xz"

FIXTURES: list[str] = sorted(archive.name.removesuffix(SUFFIX) for archive in ARCHIVES.glob(f"*{SUFFIX}"))
"""Every packed store."""

WITHOUT_MANIFEST = frozenset({"nyc-taxi", "rest-3.17.2", "search"})
"""Stores made for one purpose each, without labels for what is in them."""

DESCRIBED_FIXTURES: list[str] = [name for name in FIXTURES if name not in WITHOUT_MANIFEST]
"""One for each of several MLflow releases, all with the same contents as far as the release could hold them."""

_ROOT = "@ROOT@"
_LARGEST_TEXT_ARTIFACT = 1 << 20


@dataclass(frozen=True)
class FixtureStore:
    """One store on disk. Ids were random when it was made, so tests name things by the labels of its manifest."""

    path: Path
    """The folder; artifacts and further files of the store lie in it."""
    db: Path
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """Empty for a store without one."""

    @classmethod
    def at(cls, path: Path) -> FixtureStore:
        manifest = path / "manifest.json"
        found = json.loads(manifest.read_text(encoding="utf-8")) if manifest.exists() else {}
        return cls(path, path / "mlflow.db", found)

    def run(self, label: str) -> str:
        """The id of the run that the manifest calls `label`."""
        return self._id("runs", label)

    def experiment(self, label: str) -> str:
        """The id of the experiment that the manifest calls `label`."""
        return self._id("experiments", label)

    def _id(self, section: str, label: str) -> str:
        labels: Mapping[str, str] = self.manifest.get(section, {})
        if label not in labels:
            raise KeyError(
                f"{self.path.name} has no {label!r} among its {section}: {', '.join(sorted(labels)) or 'none'}"
            )
        return labels[label]


def unpack(name: str, dest: Path) -> Path:
    """Unpack the store called `name` into the folder `dest`, made if need be, ready to be used there."""
    extract(name, dest)
    relocate(dest)
    return dest


def extract(name: str, dest: Path) -> None:
    """Unpack without moving: what lies in `dest` afterwards still says `@ROOT@`."""
    dest.mkdir(parents=True, exist_ok=True)
    with tarfile.open(ARCHIVES / f"{name}{SUFFIX}", "r:xz") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(dest, filter="data")
        else:  # before Python 3.10.12; the archives are our own
            archive.extractall(dest)


def copy(extracted: Path, dest: Path) -> FixtureStore:
    """A private copy of a store that `extract` unpacked, ready to be used in `dest`."""
    shutil.copytree(extracted, dest)
    _relocate(dest, *_rooted(extracted))
    return FixtureStore.at(dest)


def relocate(folder: Path) -> None:
    """Make the store in `folder` believe that it was written there."""
    _relocate(folder, *_places_of_root(folder))


def pack(folder: Path, archive: Path) -> None:
    """Write the store in `folder` to `archive`. In `folder` it says `@ROOT@` afterwards."""
    root = str(folder)
    _relocate(folder, *_places_of_root(folder, root), root, _ROOT)
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        for path in sorted(folder.iterdir()):
            packed.add(path, path.name, filter=_without_owner)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _places_of_root(folder: Path, root: str = _ROOT) -> tuple[list[tuple[str, str]], list[str]]:
    """Where the root is spoken of: table and column of the database, and other files of text."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = [
            (table, column)
            for table in tables
            for _, column, *_ in connection.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()
            if connection.execute(f"SELECT 1 FROM {_quoted(table)} WHERE {_speaks_of_root(column)}", (root,)).fetchone()
        ]
    files = [path for path in folder.rglob("*") if path.name != "mlflow.db" and path.is_file()]
    return columns, [str(path.relative_to(folder)) for path in files if _is_rooted(path, root)]


_rooted = cache(_places_of_root)
"""The same of a store that stays as it was unpacked: it is copied for hundreds of tests."""


def _is_rooted(path: Path, root: str) -> bool:
    content = path.read_bytes() if path.stat().st_size < _LARGEST_TEXT_ARTIFACT else b""
    return root.encode() in content and b"\0" not in content


def _relocate(
    folder: Path, columns: list[tuple[str, str]], files: list[str], old: str = _ROOT, new: str | None = None
) -> None:
    new = new or str(folder.resolve())
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection, connection:
        for table, column in columns:
            name = _quoted(column)
            connection.execute(
                f"UPDATE {_quoted(table)} SET {name} = replace({name}, ?, ?) WHERE {_speaks_of_root(column)}",
                (old, new, old),
            )
    for file in files:
        path = folder / file
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))


def _speaks_of_root(column: str) -> str:
    return f"typeof({_quoted(column)}) = 'text' AND instr({_quoted(column)}, ?)"


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
