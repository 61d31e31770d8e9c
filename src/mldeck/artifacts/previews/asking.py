"""Asks a helper process about a file, which it reads through this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldeck.artifacts.source import Check, Source, SourceStream
from mldeck.helper import Helper, Read


class HelperSource:
    """A file as the helper sees it: the asking process does the reading."""

    def __init__(self, question: Mapping[str, Any], read: Read) -> None:
        self.name: str = question["name"]
        self.size: int = question["size"]
        self.read = read


def ask_about(source: Source, helper: Helper, budget: int, check: Check, **options: object) -> Any:
    """Return the helper's answer about a file, of which it may read at most `budget` bytes in total.

    Raises `Unanswered`, and what `check` and reading raise.
    """
    stream = SourceStream(source, budget)

    def read(offset: int, length: int) -> bytes:
        stream.seek(offset)
        return stream.read(length)

    return helper.ask({"name": source.name, "size": source.size, **options}, check, read)
