"""What the screen reads of a text: lines ready to be shown, their colours, and where something stands. No Textual.

All of it may read a disk or take a while, and is called in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rich.style import Style

from mldeck.artifacts.previews.encoding import decode
from mldeck.artifacts.previews.text import Match, find_in_text
from mldeck.artifacts.previews.values import TextPage
from mldeck.artifacts.source import Check, Progress, Source, no_check, no_progress
from mldeck.format import safe
from mldeck.helper import Unanswered
from mldeck.ui.kit.text_styles import spans_of

_TAB = 4
_BACK = 4 << 20
"""Bytes that are searched at once on the way back to the start."""
_LONGEST_COLOURED = 2_000
"""Characters of a line: what is longer was not written by people, and takes long to colour."""

Span = tuple[int, int, Style]


@dataclass
class ReadPage:
    """A page of a text, as lines that are safe to print."""

    page: TextPage
    lines: tuple[str, ...]
    first_line: int | None = None
    """The number of its first line, from 1; None while nobody knows."""
    spans: Sequence[Sequence[Span]] = field(default_factory=tuple)
    """The colours of each line; none while they are being worked out."""

    @property
    def line_count(self) -> int:
        """How many lines end in it."""
        return len(self.lines) if self.page.next_offset is not None else max(0, len(self.lines) - 1)


def as_lines(page: TextPage) -> ReadPage:
    lines = page.text.split("\n")
    if lines[-1] == "" and len(lines) > 1:
        del lines[-1]
    shown = tuple(safe(line.removesuffix("\r").expandtabs(_TAB)) for line in lines)
    return ReadPage(page, shown, 1 if page.offset == 0 else None)


# -- colours


def colours(lines: Sequence[str], lexer: str, looks: Mapping[str, Style], check: Check = no_check) -> list[list[Span]]:
    """What Pygments makes of the lines; nothing when that takes too long."""
    short = [line if len(line) <= _LONGEST_COLOURED else "" for line in lines]
    try:
        spans = spans_of(short, lexer, check)
    except Unanswered:
        return []
    return [[(start, end, looks[look]) for start, end, look in line] for line in spans]


# -- finding


class Place(NamedTuple):
    """Where something stands in a page."""

    line: int
    column: int


def place_of(source: Source, page: TextPage, encoding: str, offset: int) -> Place:
    before = decode(source.read(page.offset, max(0, offset - page.offset)), encoding)
    return Place(before.count("\n"), len(before) - before.rfind("\n") - 1)


@dataclass(frozen=True)
class _Beginning:
    """A file up to some byte."""

    whole: Source
    size: int

    @property
    def name(self) -> str:
        return self.whole.name

    def read(self, offset: int, length: int) -> bytes:
        return self.whole.read(offset, max(0, min(length, self.size - offset)))


def find_next(
    source: Source, text: str, start: int, encoding: str, check: Check = no_check, progress: Progress = no_progress
) -> Match | None:
    """The first match at or after `start`; if there is none, the first one of all."""
    found = find_in_text(source, text, start, check, encoding=encoding, progress=progress)
    if found is None and start:
        found = find_in_text(source, text, 0, check, encoding=encoding, progress=progress)
    return found


def find_previous(
    source: Source, text: str, end: int, encoding: str, check: Check = no_check, progress: Progress = no_progress
) -> Match | None:
    """The last match before `end`; if there is none, the last one of all."""
    return _last_before(source, text, end, encoding, check, progress) or _last_before(
        source, text, source.size, encoding, check, progress
    )


def _last_before(source: Source, text: str, end: int, encoding: str, check: Check, progress: Progress) -> Match | None:
    longest = 4 * len(text) + 8
    while end > 0:
        start = max(0, end - _BACK)
        start -= start % 4  # characters of UTF-16 begin at even bytes
        part = _Beginning(source, min(source.size, end + longest))
        last, at = None, start
        while (found := find_in_text(part, text, at, check, encoding=encoding)) is not None and found.offset < end:
            last, at = found, found.end
        if last is not None:
            return last
        progress(start)
        end = start
    return None
