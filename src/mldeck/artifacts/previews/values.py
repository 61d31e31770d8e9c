"""Previews as plain values, for a screen or anything else to draw.

Texts in them are foreign and may contain anything, control characters included: make them safe before drawing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

RGB = tuple[int, int, int]
HalfBlock = tuple[RGB, RGB]
"""The colours of the upper and lower half of a cell."""


@dataclass(frozen=True)
class HalfBlocks:
    """The cells of an image, by line, made on access: as stored values they would take forty times the memory."""

    columns: int = 0
    pixels: bytes = b""
    """RGB, three bytes per pixel; the number of lines is even."""

    def __len__(self) -> int:
        return len(self.pixels) // (6 * self.columns) if self.columns else 0

    def __iter__(self) -> Iterator[tuple[HalfBlock, ...]]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, line: int) -> tuple[HalfBlock, ...]:
        width = 3 * self.columns
        start = 2 * width * range(len(self))[line]
        upper, lower = (self.pixels[at : at + width] for at in (start, start + width))
        return tuple(zip(_colours(upper), _colours(lower), strict=True))


@dataclass(frozen=True)
class Tiles:
    """An image cut into PNG files, for terminals that draw pictures. A tile may have fewer pixels than it covers."""

    columns: int
    """The size of the whole image in cells."""
    lines: int
    side: tuple[int, int]
    """The columns and lines of a tile; those at the right and at the bottom may be smaller."""
    pixels: tuple[int, int]
    """The width and height of a whole tile in pixels."""
    files: tuple[bytes, ...]
    """From left to right, and from top to bottom."""

    @property
    def across(self) -> int:
        """The number of tiles beside each other."""
        return -(-self.columns // self.side[0])

    def region(self, index: int) -> tuple[int, int, int, int]:
        """Return the cells of a tile: the first column and line, and the number of columns and lines."""
        down, across = divmod(index, self.across)
        left, top = across * self.side[0], down * self.side[1]
        return left, top, min(self.side[0], self.columns - left), min(self.side[1], self.lines - top)


def _colours(line: bytes) -> Iterator[RGB]:
    return zip(line[::3], line[1::3], line[2::3], strict=True)


@dataclass(frozen=True)
class _PreviewBase:
    """The part that all previews have."""

    kind: str
    """The format of the file, for users: `PNG image`."""
    notes: tuple[str, ...]
    """Sentences to show beside the preview: that the file is truncated, is misnamed, or was too large for a tree."""


@dataclass(frozen=True)
class TextPage:
    """A part of a text, in whole lines unless a line is longer than a page."""

    offset: int
    """The offset of its start in the file, in bytes."""
    text: str
    next_offset: int | None
    """The offset of the next page; None at the end of the file."""


@dataclass(frozen=True)
class TextPreview(_PreviewBase):
    """The first page of a text."""

    encoding: str
    """Python's name of the encoding, to read further pages with."""
    lexer: str | None
    """Pygments' name of the language."""
    is_markdown: bool
    page: TextPage


class UnquotedScalar(str):
    """A scalar that JSON or YAML write without quotes (numbers, true, null, dates, aliases), exactly as written."""

    __slots__ = ()


class TreeMapping:
    """A mapping as written: in order, with repeated keys."""

    __slots__ = ("items",)

    def __init__(self, items: list[tuple[str, Tree]]) -> None:
        self.items = items

    def get(self, key: str) -> Tree | None:
        """Return the value of the last item with this key; None if there is none, or if it is null."""
        found = next((value for name, value in reversed(self.items) if name == key), None)
        return None if isinstance(found, UnquotedScalar) and found in NULLS else found


NULLS = frozenset({"null", "Null", "NULL", "~", ""})
"""The unquoted spellings of null."""

Tree = Union[TreeMapping, "list[Tree]", str, UnquotedScalar]
"""A parsed JSON or YAML value."""


@dataclass(frozen=True, repr=False, eq=False)
class TreePreview(_PreviewBase):
    """A JSON or YAML tree. It cannot be compared or printed, because it may be nested deeper than Python's stack."""

    root: Tree
    is_yaml: bool


@dataclass(frozen=True)
class TableColumn:
    """The name of a column, and the type that its cells suggest or the file declares."""

    name: str
    type: str


PreviewRow = tuple[str | None, ...]
"""One cell per column; None for an empty cell."""


@dataclass(frozen=True)
class TablePreview(_PreviewBase):
    """The first rows of a table."""

    columns: tuple[TableColumn, ...]
    rows: tuple[PreviewRow, ...]
    row_count: int | None
    """The number of rows in the whole file; None if they were not counted."""
    is_all: bool
    """Whether `rows` are all rows of the file."""
    has_header: bool
    """Whether the column names come from the file."""


@dataclass(frozen=True)
class ImagePreview(_PreviewBase):
    """An image scaled to cells, and its size in the file in pixels."""

    format: str
    width: int
    height: int
    mode: str
    """Pillow's mode: RGB, RGBA, L (grey), P (palette)."""
    frames: int | None
    """The number of frames; of an animation the first is shown. None if they were not counted."""
    rows: HalfBlocks
    """Empty if the image cannot be drawn, or if there are tiles."""
    scale: float = 1.0
    """Pixels on the screen per pixel of the image, in one direction; half blocks have one in each column."""
    zoom: int = 0
    """Zoom steps relative to the initial size."""
    zooms: tuple[int, int] = (0, 0)
    """The number of steps it can be made smaller, as a negative number, and larger."""
    tiles: Tiles | None = None
    """The image for a terminal that draws pictures, if that was requested and it can be drawn."""

    @property
    def size(self) -> tuple[int, int]:
        """The columns and lines that it takes; no lines if it cannot be drawn."""
        if self.tiles is not None:
            return self.tiles.columns, self.tiles.lines
        return self.rows.columns, len(self.rows)


@dataclass(frozen=True)
class ArrayInfo:
    """The header of a NumPy array."""

    name: str
    dtype: str
    shape: tuple[int, ...] | None
    """None if the header is invalid; `dtype` then says why."""
    fortran_order: bool


@dataclass(frozen=True)
class ArrayPreview(_PreviewBase):
    """The headers of one or more arrays."""

    arrays: tuple[ArrayInfo, ...]
    is_all: bool
    """Whether `arrays` are all arrays of the file."""


@dataclass(frozen=True)
class Member:
    """A file in an archive; sizes are in bytes."""

    name: str
    size: int
    packed_size: int | None
    """Its compressed size; None if members are not compressed one by one."""


@dataclass(frozen=True)
class ArchivePreview(_PreviewBase):
    """The members of an archive."""

    members: tuple[Member, ...]
    is_all: bool
    """Whether `members` are all members of the archive."""


@dataclass(frozen=True)
class BinaryPreview(_PreviewBase):
    """A file in a format that is not shown."""

    head: bytes
    """The first bytes of the file."""


@dataclass(frozen=True)
class NoPreview(_PreviewBase):
    """The preview of a file that cannot be shown; the notes say why."""


Preview = (
    TextPreview | TreePreview | TablePreview | ImagePreview | ArrayPreview | ArchivePreview | BinaryPreview | NoPreview
)


class NotPreviewable(Exception):
    """The file is not what it seemed to be, or too large; it is shown as plain text or bytes, with this message."""
