"""File names from foreign text: one plain part each, so that no name in a database can lead to another folder."""

from __future__ import annotations

import re

_MAX_BYTES = 200
"""Longest name. File systems allow 255 bytes, and temporary names are longer than the final ones."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")


def plain_name(text: str, fallback: str) -> str:
    """The text as the name of one file or folder: no separator, no control character, neither hidden nor an option.

    `fallback` stands for a text of which nothing is left.
    """
    name = _UNFIT.sub("_", text).lstrip(".-").strip()
    name = name.encode(errors="replace")[:_MAX_BYTES].decode(errors="ignore")
    return name if name.strip("_ ") else fallback


def is_plain(part: str) -> bool:
    """Whether a part of a path names something in its folder, and nowhere else."""
    return part not in ("", ".", "..") and "/" not in part and "\0" not in part
