"""Sources for tests: bytes in memory, and files whose reads are counted."""

from __future__ import annotations

from pathlib import Path

from mldeck.artifacts.source import LocalFile


class Bytes:
    """A source without a file."""

    def __init__(self, data: bytes, name: str = "file") -> None:
        self.data = data
        self.name = name

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


class CountedFile(LocalFile):
    """Knows how much of it has been read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.bytes_read = 0

    def read(self, offset: int, length: int) -> bytes:
        data = super().read(offset, length)
        self.bytes_read += len(data)
        return data
