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
from dataclasses import dataclass, field
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
    relocate(dest)
    return FixtureStore.at(dest)


def relocate(folder: Path) -> None:
    """Make the store in `folder` believe that it was written there."""
    root = str(folder.resolve())
    _relocate_database(folder / "mlflow.db", root)
    for path in folder.rglob("*"):
        if path.name != "mlflow.db" and path.is_file() and path.stat().st_size < _LARGEST_TEXT_ARTIFACT:
            _relocate_text(path, root)


def _relocate_database(db: Path, root: str) -> None:
    connection = sqlite3.connect(db)
    try:
        with connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (table,) in tables:
                for _, column, *_ in connection.execute(f"PRAGMA table_info({_quoted(table)})").fetchall():
                    name = _quoted(column)
                    connection.execute(
                        f"UPDATE {_quoted(table)} SET {name} = replace({name}, :old, :new)"
                        f" WHERE typeof({name}) = 'text' AND instr({name}, :old)",
                        {"old": _ROOT, "new": root},
                    )
    finally:
        connection.close()


def _relocate_text(path: Path, root: str) -> None:
    content = path.read_bytes()
    if _ROOT.encode() in content and b"\0" not in content:
        path.write_bytes(content.replace(_ROOT.encode(), root.encode()))


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'
