"""What a preview is: plain values, for a screen or anything else to draw.

Text in them is somebody else's and may hold anything, control characters included: whoever draws makes it safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

RGB = tuple[int, int, int]
HalfBlock = tuple[RGB, RGB]
"""The colours of the upper and of the lower half of a cell."""


@dataclass(frozen=True)
class HalfBlocks:
    """The cells of a picture, line by line. They are made when they are asked for: as values they take forty times the room."""

    columns: int = 0
    pixels: bytes = b""
    """Three bytes each, of an even number of lines."""

    def __len__(self) -> int:
        return len(self.pixels) // (6 * self.columns) if self.columns else 0

    def __iter__(self) -> Iterator[tuple[HalfBlock, ...]]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, line: int) -> tuple[HalfBlock, ...]:
        width = 3 * self.columns
        start = 2 * width * range(len(self))[line]
        upper, lower = (self.pixels[at : at + width] for at in (start, start + width))
        return tuple(zip(_colours(upper), _colours(lower), strict=True))


def _colours(line: bytes) -> Iterator[RGB]:
    return zip(line[::3], line[1::3], line[2::3], strict=True)


@dataclass(frozen=True)
class _About:
    kind: str
    """What the file is, to be read by a person: `PNG image`."""
    notes: tuple[str, ...]
    """Sentences that belong beside it: that it is cut short, is named like something else, was too large to fold."""


@dataclass(frozen=True)
class TextPage:
    """A part of a text, in whole lines where lines are not longer than a page."""

    offset: int
    """Where it starts in the file, in bytes."""
    text: str
    next_offset: int | None
    """Where the page after it starts; None at the end of the file."""


@dataclass(frozen=True)
class TextPreview(_About):
    encoding: str
    """As Python calls it; further pages are read with it."""
    lexer: str | None
    """The name by which Pygments knows the language."""
    is_markdown: bool
    page: TextPage


class Literal(str):
    """What JSON and YAML write without quotes (numbers, true, null, a date, an alias), exactly as it was written."""

    __slots__ = ()


class Members:
    """A mapping as written: in its order, with keys that occur twice."""

    __slots__ = ("items",)

    def __init__(self, items: list[tuple[str, Tree]]) -> None:
        self.items = items

    def get(self, key: str) -> Tree | None:
        """What the last member called `key` holds; None where there is none, or where it is null."""
        found = next((value for name, value in reversed(self.items) if name == key), None)
        return None if isinstance(found, Literal) and found in NULLS else found


NULLS = frozenset({"null", "Null", "NULL", "~", ""})
"""How nothing is written without quotes."""

Tree = Union[Members, "list[Tree]", str, Literal]


@dataclass(frozen=True, repr=False, eq=False)
class TreePreview(_About):
    """Not to be compared or printed whole: it may be nested deeper than Python's stack."""

    root: Tree
    is_yaml: bool


@dataclass(frozen=True)
class TableColumn:
    name: str
    type: str


Row = tuple[str | None, ...]
"""One cell for each column; None where there is nothing."""


@dataclass(frozen=True)
class TablePreview(_About):
    columns: tuple[TableColumn, ...]
    rows: tuple[Row, ...]
    row_count: int | None
    """Of the whole file; None when nobody counted."""
    is_all: bool
    """There are no rows but these."""
    has_header: bool
    """The column names come from the file."""


@dataclass(frozen=True)
class ImagePreview(_About):
    format: str
    width: int
    height: int
    mode: str
    """Pillow's name for its channels: RGB, RGBA, L (grey), P (palette)."""
    frames: int | None
    """More than one in an animation, of which the first is shown; None when nobody counted."""
    rows: HalfBlocks
    """Empty when the picture cannot be drawn."""
    scale: float = 1.0
    """Cells for each of its columns."""
    zoom: int = 0
    """How many steps larger or smaller than it comes up."""
    zooms: tuple[int, int] = (0, 0)
    """How many steps it can be made smaller, as a negative number, and how many larger."""


@dataclass(frozen=True)
class ArrayInfo:
    name: str
    dtype: str
    shape: tuple[int, ...] | None
    """None when the header makes no sense; `dtype` then says so."""
    fortran_order: bool


@dataclass(frozen=True)
class ArrayPreview(_About):
    arrays: tuple[ArrayInfo, ...]
    is_all: bool


@dataclass(frozen=True)
class Member:
    name: str
    size: int
    packed_size: int | None
    """How many bytes it takes in the archive, where members are compressed one by one."""


@dataclass(frozen=True)
class ArchivePreview(_About):
    members: tuple[Member, ...]
    is_all: bool


@dataclass(frozen=True)
class BinaryPreview(_About):
    head: bytes
    """The first bytes of it."""


@dataclass(frozen=True)
class NoPreview(_About):
    """The notes say why."""


Preview = (
    TextPreview | TreePreview | TablePreview | ImagePreview | ArrayPreview | ArchivePreview | BinaryPreview | NoPreview
)


class NotThis(Exception):
    """A file is not what it seemed to be, or too much of it: it is shown as plain text or bytes, with this as the reason."""
