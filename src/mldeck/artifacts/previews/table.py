"""Delimited text (comma, tab, semicolon, bar) as a table: its first rows, the types of its columns, and the row count."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from mldeck.artifacts.previews.encoding import decode, text_encoding
from mldeck.artifacts.previews.values import NotPreviewable, TableColumn, TablePreview
from mldeck.artifacts.source import Check, Progress, Source, chunks, no_check, no_progress

WINDOW = 1 << 18
"""The bytes of a large file from which the first rows are taken."""
MAX_ROWS = 1_000
MAX_COLUMNS = 1_000
"""A limit, because one long row among short ones would make a table of hundreds of millions of cells."""
_COUNTED = 1 << 22
"""The rows of files up to this many bytes are counted at once."""
_LONGEST_LINE = 1 << 20
_DELIMITERS = (",", "\t", ";", "|")
_SNIFFED_ROWS = 20
_UNEVEN = "Not all rows have the same length."

_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?((\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|inf(inity)?|nan)", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?")
_BOOLEAN = re.compile(r"true|false", re.IGNORECASE)
_TYPES = (("boolean", _BOOLEAN), ("integer", _INTEGER), ("number", _NUMBER), ("date", _DATE))
_NOTHING = frozenset({"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
"""Spellings of a missing value; they say nothing about the type of a column."""


def table_preview(source: Source, kind: str) -> TablePreview:
    """Return the preview of a table. Raises NotPreviewable if the file is not a table."""
    size = source.size
    head = source.read(0, WINDOW)
    encoding = text_encoding(head)
    if encoding is None:
        raise NotPreviewable("It is not text.")
    text = decode(head, encoding)
    delimiter = _delimiter(source, text)
    records, is_whole = _records(text, delimiter, is_whole=len(head) >= size)
    if not records:
        raise NotPreviewable("It has no rows.")
    has_header = _is_header(records[0])
    rows = records[1:] if has_header else records
    widths = set(map(len, records))
    shown = min(max(widths), MAX_COLUMNS)
    names = records[0][:shown] if has_header else []
    names = [*names, *(str(number) for number in range(len(names) + 1, shown + 1))]
    count = len(rows) if is_whole else count_rows(source) if size <= _COUNTED else None
    return TablePreview(
        kind=kind,
        notes=((_UNEVEN,) if len(widths) > 1 else ()) + cut_notes(max(widths)),
        columns=columns(names, rows),
        rows=tuple((*row[:shown], *[None] * (shown - len(row))) for row in rows),
        row_count=count,
        is_all=is_whole,
        has_header=has_header,
    )


def cut_notes(width: int) -> tuple[str, ...]:
    """Return the notes for a table with this many columns."""
    return (f"The first {MAX_COLUMNS:,} of {width:,} columns.",) if width > MAX_COLUMNS else ()


def count_rows(source: Source, check: Check = no_check, progress: Progress = no_progress) -> int | None:
    """Return the number of rows after the header; None if the file is not a table throughout."""
    head = source.read(0, WINDOW)
    encoding = text_encoding(head)
    if encoding is None:
        return None
    text = decode(head, encoding)
    try:
        delimiter = _delimiter(source, text)
        records, _ = _records(text, delimiter, is_whole=len(head) >= source.size)
        blocks = _blocks(codecs.iterdecode(chunks(source, 0, check, progress), encoding, errors="replace"))
        count = _count(blocks, delimiter)
    except (csv.Error, NotPreviewable):
        return None
    return count - (1 if records and _is_header(records[0]) else 0)


def columns(names: Iterable[str], rows: Sequence[Sequence[str | None]]) -> tuple[TableColumn, ...]:
    """Return the columns with the types that their cells suggest."""
    return tuple(
        TableColumn(name, _type([row[index] for row in rows if index < len(row)])) for index, name in enumerate(names)
    )


def _type(cells: Iterable[str | None]) -> str:
    known = {cell for cell in cells if cell is not None and cell not in _NOTHING}
    if not known:
        return "empty"
    return next((name for name, pattern in _TYPES if all(map(pattern.fullmatch, known))), "text")


def _records(text: str, delimiter: str, *, is_whole: bool) -> tuple[list[list[str]], bool]:
    """Return the first records, and whether they are all. The last one is dropped if the text may end inside it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        records = list(islice(reader, MAX_ROWS + 2))
    except csv.Error as error:
        raise NotPreviewable(f"Not a table: {error}.") from error
    if len(records) == MAX_ROWS + 2:
        return [record for record in records[:-1] if record], False
    return [record for record in (records if is_whole else records[:-1]) if record], is_whole


def _delimiter(source: Source, text: str) -> str:
    """Return the delimiter that splits most of the first rows into equally many columns, and into the most columns."""
    if source.name.lower().endswith((".tsv", ".tab")):
        return "\t"

    def fitness(delimiter: str) -> tuple[int, int]:
        reader = csv.reader(io.StringIO(text[: WINDOW // 4], newline=""), delimiter=delimiter)
        try:
            widths = Counter(len(record) for record in islice(reader, _SNIFFED_ROWS) if len(record) > 1)
        except csv.Error:
            return 0, 0
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    return max(_DELIMITERS, key=fitness)


def _is_header(first: list[str]) -> bool:
    """Return whether a row is a header: names are distinct, not empty except the first (of an index), and not numbers.

    A header may be the only row.
    """
    if len(set(first)) < len(first) or any(not cell.strip() for cell in first[1:]):
        return False
    return not any(_NUMBER.fullmatch(cell.strip()) or _DATE.fullmatch(cell.strip()) for cell in first)


def _blocks(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the same text, split at line ends."""
    kept = ""
    for piece in pieces:
        lines, newline, rest = piece.rpartition("\n")
        if newline:
            yield kept + lines + newline
            kept = ""
        kept += rest
        if len(kept) > _LONGEST_LINE:
            raise NotPreviewable("A line is too long.")
    if kept:
        yield kept


def _count(blocks: Iterator[str], delimiter: str) -> int:
    """Return the number of records.

    Most blocks have no quotes; in these lines are counted, which is a hundred times faster.
    """
    count = 0
    waiting: deque[str] = deque()

    def lines() -> Iterator[str]:
        """Yield the waiting lines, and the lines of further blocks if a quoted cell continues there."""
        while True:
            while waiting:
                yield waiting.popleft()
            following = next(blocks, None)
            if following is None:
                return
            waiting.extend(io.StringIO(following, newline=""))

    reader = csv.reader(lines(), delimiter=delimiter)
    for block in blocks:
        if _has_record_per_line(block):
            count += block.count("\n")
            continue
        waiting.extend(io.StringIO(block, newline=""))
        while waiting:
            count += bool(next(reader))
    return count


def _has_record_per_line(block: str) -> bool:
    """Return whether each line of a block is one record."""
    return (
        block.endswith("\n")
        and '"' not in block
        and not block.startswith(("\n", "\r"))
        and "\n\n" not in block
        and "\n\r" not in block
        and block.count("\r") == block.count("\r\n")
    )
