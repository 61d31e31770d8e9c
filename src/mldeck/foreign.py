"""Read files and JSON that other programs wrote, within limits of size and depth. Standard library only, quick to import."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_MAX_LEVELS = 100
"""Nesting levels of JSON. Python handles some hundreds of levels, and fewer in writing than in reading."""


def read_file(path: Path, most: int) -> bytes:
    """Return the contents of a regular file of at most `most` bytes.

    Raises `OSError` if it is missing, too large, or not a regular file: reading a pipe or a device might never end.
    """
    # Without O_NONBLOCK, opening a pipe would wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        # For a folder, the read below raises an error that says so.
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise OSError(0, "it is a pipe or a device")
        content = b""
        while len(content) <= most and (part := os.read(descriptor, most + 1 - len(content))):
            content += part
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise OSError(0, f"it is larger than {most >> 10:,} kB")
    return content


def load_json(text: str) -> Any:
    """Parse JSON.

    Raises `ValueError` if the text is not JSON, is nested too deeply, or contains lone surrogates, which can be stored in
    neither a file nor a database.
    """
    import json  # here, because most callers of this module read no JSON

    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    levels, values = 0, [value]
    while values:
        levels += 1
        if levels > _MAX_LEVELS:
            raise ValueError("it is nested too deeply")
        values = [member for container in values for member in _members(container)]
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _members(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
