"""Reads a text for the screen: its lines, their highlighting, and the positions of matches. No Textual.

Everything here may read a disk or take a while, and is called in a thread.
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
"""Bytes that are searched at once when searching backwards."""
_LONGEST_COLOURED = 2_000
"""Characters of a line that is highlighted at most: longer ones were not written by people, and take long."""

StyledSpan = tuple[int, int, Style]
"""Start and end in a line, in characters, and the style."""


@dataclass
class ReadPage:
    """A page of a text as lines that are safe to print."""

    page: TextPage
    lines: tuple[str, ...]
    first_line: int | None = None
    """Number of its first line, from 1; None while it is unknown."""
    spans: Sequence[Sequence[StyledSpan]] = field(default_factory=tuple)
    """Highlighted spans of each line; empty until they are known."""

    @property
    def line_count(self) -> int:
        """Number of lines that end in the page."""
        return len(self.lines) if self.page.next_offset is not None else max(0, len(self.lines) - 1)


def as_lines(page: TextPage) -> ReadPage:
    lines = page.text.split("\n")
    if lines[-1] == "" and len(lines) > 1:
        del lines[-1]
    shown = tuple(safe(line.removesuffix("\r").expandtabs(_TAB)) for line in lines)
    return ReadPage(page, shown, 1 if page.offset == 0 else None)


# -- highlighting


def highlighted(
    lines: Sequence[str], lexer: str, styles: Mapping[str, Style], check: Check = no_check
) -> list[list[StyledSpan]]:
    """Return the spans of each line that Pygments highlights, styles by name; none if that takes too long."""
    short = [line if len(line) <= _LONGEST_COLOURED else "" for line in lines]
    try:
        spans = spans_of(short, lexer, check)
    except Unanswered:
        return []
    return [[(start, end, styles[name]) for start, end, name in line] for line in spans]


# -- finding


class TextPosition(NamedTuple):
    """A position in a page."""

    line: int
    """Index of the line in the page."""
    column: int
    """Characters before it in the line."""


def position_of(source: Source, page: TextPage, encoding: str, offset: int) -> TextPosition:
    before = decode(source.read(page.offset, max(0, offset - page.offset)), encoding)
    return TextPosition(before.count("\n"), len(before) - before.rfind("\n") - 1)


@dataclass(frozen=True)
class _Beginning:
    """A file up to a byte, as a source of its own."""

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
    """Return the first match at or after byte `start`, or else the first of all; None if there is none."""
    found = find_in_text(source, text, start, check, encoding=encoding, progress=progress)
    if found is None and start:
        found = find_in_text(source, text, 0, check, encoding=encoding, progress=progress)
    return found


def find_previous(
    source: Source, text: str, end: int, encoding: str, check: Check = no_check, progress: Progress = no_progress
) -> Match | None:
    """Return the last match before byte `end`, or else the last of all; None if there is none."""
    return _last_before(source, text, end, encoding, check, progress) or _last_before(
        source, text, source.size, encoding, check, progress
    )


def _last_before(source: Source, text: str, end: int, encoding: str, check: Check, progress: Progress) -> Match | None:
    longest = 4 * len(text) + 8
    while end > 0:
        start = max(0, end - _BACK)
        start -= start % 4  # Characters of UTF-16 begin at even bytes.
        part = _Beginning(source, min(source.size, end + longest))
        last, at = None, start
        while (found := find_in_text(part, text, at, check, encoding=encoding)) is not None and found.offset < end:
            last, at = found, found.end
        if last is not None:
            return last
        progress(start)
        end = start
    return None
