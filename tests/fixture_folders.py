"""File stores that real MLflow releases wrote, packed in `tests/fixtures/folders`, with what MLflow's client says of them.

Inside, the folder that a store was made in is written `@ROOT@`; unpacking moves the store to where it lies now.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

ARCHIVES = Path(__file__).parent / "fixtures" / "folders"
_SUFFIX = ".tar.xz"
_ROOT = "@ROOT@"

FOLDERS: list[str] = sorted(archive.name.removesuffix(_SUFFIX) for archive in ARCHIVES.glob(f"*{_SUFFIX}"))
"""Every packed file store."""


def unpack(name: str, dest: Path) -> dict[str, Any]:
    """Unpack a store into a folder, where `mlruns` is then, and return MLflow's answers about it."""
    dest.mkdir(parents=True, exist_ok=True)
    with tarfile.open(ARCHIVES / f"{name}{_SUFFIX}", "r:xz") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(dest, filter="data")
        else:  # before Python 3.10.12; the archives are our own
            archive.extractall(dest)
    _replace(dest, _ROOT, str(dest.resolve()))
    answers: dict[str, Any] = json.loads((dest / "answers.json").read_text(encoding="utf-8"))
    return answers


def pack(folder: Path, archive: Path) -> None:
    """Write the store in `folder` to `archive`. In `folder` it says `@ROOT@` afterwards."""
    _replace(folder, str(folder), _ROOT)
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        for path in sorted(folder.iterdir()):
            packed.add(path, path.name, filter=_without_owner)


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _replace(folder: Path, old: str, new: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and old.encode() in (content := path.read_bytes()):
            path.write_bytes(content.replace(old.encode(), new.encode()))
