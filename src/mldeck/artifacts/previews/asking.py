"""Questions about a file to a helper process, which reads it through the process that asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mldeck.artifacts.source import Check, Source, SourceStream
from mldeck.helper import Helper, Read


class HelperSource:
    """A file as the helper sees it: the process that asks does the reading."""

    def __init__(self, question: Mapping[str, Any], read: Read) -> None:
        self.name: str = question["name"]
        self.size: int = question["size"]
        self.read = read


def ask_about(source: Source, helper: Helper, budget: int, check: Check, **wishes: object) -> Any:
    """Return the helper's answer about a file, of which it may read `budget` bytes in all.

    Raises `Unanswered`, and what `check` and reading raise.
    """
    stream = SourceStream(source, budget)

    def read(offset: int, length: int) -> bytes:
        stream.seek(offset)
        return stream.read(length)

    return helper.ask({"name": source.name, "size": source.size, **wishes}, check, read)
