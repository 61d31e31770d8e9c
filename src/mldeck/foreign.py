"""What others wrote, read within bounds: regular files, and JSON. Standard library only, and quick to import."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_DEEPEST = 100
"""Levels of JSON: Python goes some hundred levels deep, and less deep in writing than in reading."""


def read_file(path: Path, most: int) -> bytes:
    """Raise `OSError` when it is not there, is no regular file, which might never end, or has more than `most` bytes."""
    # Opening a pipe would wait for somebody who writes to it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        # Of a folder, reading says that it is one.
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
    """Raise `ValueError` for what is no JSON, is nested too deeply, or holds halves of characters, which no file or database
    takes."""
    import json  # not for those who have no JSON to read

    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    levels, values = 0, [value]
    while values:
        levels += 1
        if levels > _DEEPEST:
            raise ValueError("it is nested too deeply")
        values = [member for each in values for member in _members(each)]
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _members(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
