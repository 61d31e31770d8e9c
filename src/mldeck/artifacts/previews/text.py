"""Reads texts of any length page by page. Counting lines and searching can be cancelled at every step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from mldeck.artifacts.previews.encoding import decode
from mldeck.artifacts.previews.values import TextPage
from mldeck.artifacts.source import CHUNK, Check, Progress, Source, chunks, no_check, no_progress

PAGE = 1 << 16
"""In bytes."""


class TextFile:
    """The pages and line numbers of a text. Offsets are in bytes, and always between characters."""

    def __init__(self, source: Source, encoding: str) -> None:
        self._source = source
        self._encoding = encoding
        self._newline = "\n".encode(encoding)
        self._lines_before = [0]
        """The number of newlines before each chunk that was counted, and before the first that was not."""

    def page(self, offset: int = 0) -> TextPage:
        """Return the page that starts at `offset`: whole lines, or a piece of a line longer than a page."""
        data = self._source.read(offset, PAGE)
        following = offset + len(data)
        if len(data) == PAGE and following < self._source.size:
            data = data[: self._last_line_end(data) or self._last_character_end(data)]
            return self._as_page(offset, data, offset + len(data))
        return self._as_page(offset, data, None)

    def page_before(self, offset: int) -> TextPage:
        """Return the page that ends at `offset`."""
        start = max(0, offset - PAGE)
        data = self._source.read(start, offset - start)
        if start > 0:
            # The page itself may end with a newline: do not start after that one.
            skipped = next(self._line_ends(data[: -len(self._newline)]), None) or self._first_character(data)
            start, data = start + skipped, data[skipped:]
        return self._as_page(start, data, offset)

    def page_around(self, offset: int) -> TextPage:
        """Return a page that contains `offset`, with the start of its line if that is near."""
        start = max(0, offset - PAGE // 2)
        before = self._source.read(start, offset - start)
        line_start = self._last_line_end(before) or (self._first_character(before) if start else 0)
        return self.page(start + line_start)

    def line_number(self, offset: int, check: Check = no_check) -> int:
        """Return the number, from 1, of the line that contains `offset`."""
        chunk = offset // CHUNK
        self._count_until(chunk, check)
        if chunk >= len(self._lines_before):
            return self._lines_before[-1] + 1
        part = self._source.read(chunk * CHUNK, offset - chunk * CHUNK)
        return self._lines_before[chunk] + self._count(part) + 1

    def _as_page(self, offset: int, data: bytes, following: int | None) -> TextPage:
        return TextPage(offset, decode(data, self._encoding), following)

    def _count_until(self, chunk: int, check: Check) -> bool:
        """Count the lines before a chunk; return False if the file ends earlier."""
        counted = len(self._lines_before) - 1
        if counted < chunk:
            for data in islice(chunks(self._source, counted * CHUNK, check), chunk - counted):
                self._lines_before.append(self._lines_before[-1] + self._count(data))
        return len(self._lines_before) > chunk

    def _count(self, data: bytes) -> int:
        if len(self._newline) == 1:
            return data.count(self._newline)
        return sum(1 for _ in self._line_ends(data))

    def _line_ends(self, data: bytes) -> Iterator[int]:
        """Yield the offset after each newline in `data`."""
        width = len(self._newline)
        return (found.end() for found in re.finditer(re.escape(self._newline), data) if found.start() % width == 0)

    def _last_line_end(self, data: bytes) -> int:
        """Return the offset after the last newline in `data`, or 0."""
        end = len(data)
        while (end := data.rfind(self._newline, 0, end)) > 0 and end % len(self._newline):
            end += len(self._newline) - 1
        return end + len(self._newline) if end >= 0 else 0

    def _first_character(self, data: bytes) -> int:
        if self._encoding != "utf-8":
            return 0
        return next((start for start, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)

    def _last_character_end(self, data: bytes) -> int:
        if self._encoding != "utf-8":
            return len(data) - len(data) % len(self._newline)
        for back in range(1, 4):
            byte = data[-back]
            if byte & 0xC0 != 0x80:
                # The leading byte gives the length of its character: 110xxxxx two, 1110xxxx three, 11110xxx four.
                length = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                return len(data) - back if length > back else len(data)
        return len(data)


@dataclass(frozen=True)
class Match:
    """The position of a found text, in bytes from the start of the file."""

    offset: int
    end: int


def find_in_text(
    source: Source,
    needle: str,
    from_offset: int = 0,
    check: Check = no_check,
    *,
    encoding: str = "utf-8",
    progress: Progress = no_progress,
) -> Match | None:
    """Return the first match of `needle` at or after `from_offset`, ignoring case; None if there is none."""
    if not needle:
        return None
    pattern, longest = _pattern(needle, encoding)
    width = len("\n".encode(encoding))
    kept, kept_from = b"", from_offset
    for chunk in chunks(source, from_offset, check, progress):
        data = kept + chunk
        for found in pattern.finditer(data):
            if (kept_from + found.start()) % width == 0:
                return Match(kept_from + found.start(), kept_from + found.end())
        # A match across two chunks is found with the second.
        kept = data[len(data) - min(longest - 1, len(data)) :]
        kept_from += len(data) - len(kept)
    return None


def _pattern(needle: str, encoding: str) -> tuple[re.Pattern[bytes], int]:
    """Return the pattern to search in the bytes, and its longest match in bytes."""
    parts: list[bytes] = []
    longest = 0
    for character in needle:
        forms = {character, character.lower(), character.upper()}
        encoded = sorted(form.encode(encoding, errors="replace") for form in forms)
        longest += max(map(len, encoded))
        parts.append(b"(?:" + b"|".join(map(re.escape, encoded)) + b")")
    return re.compile(b"".join(parts)), longest
