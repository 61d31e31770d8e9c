"""File names made from foreign text: always one plain part, so that no name in a database can lead to another folder."""

from __future__ import annotations

import re

_MAX_BYTES = 200
"""In bytes. File systems allow 255, and temporary names are longer than the final ones."""

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]")


def plain_name(text: str, fallback: str) -> str:
    """Return the text as the name of one file or folder.

    It has no separators and no control characters, is not hidden, and does not look like an option. `fallback` is
    returned if nothing is left of the text.
    """
    name = _UNFIT.sub("_", text).lstrip(".-").strip()
    name = name.encode(errors="replace")[:_MAX_BYTES].decode(errors="ignore")
    return name if name.strip("_ ") else fallback


def is_plain(part: str) -> bool:
    """Return whether a part of a path names something directly in its folder."""
    return part not in ("", ".", "..") and "/" not in part and "\0" not in part
