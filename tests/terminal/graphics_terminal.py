"""A terminal that draws pictures: it answers questions about itself, and what it would show can be compared with a picture."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from tests.terminal.terminal import Terminal, _Screen, _Stream

CELL = (8, 16)
"""The size of a cell in pixels, as `Terminal` tells it to the system."""

NAME, CELL_SIZE, ATTRIBUTES = b"\x1b[>q", b"\x1b[16t", b"\x1b[c"
"""The questions."""

CELL_ANSWER = b"\x1b[6;16;8t"
XTERM_ANSWER = b"\x1b[?64;1;2;6;9;15;18;21;22c"


def name_answer(name: str) -> bytes:
    return b"\x1bP>|" + name.encode() + b"\x1b\\"


KITTY: Mapping[bytes, bytes] = {NAME: name_answer("kitty(0.40.0)"), CELL_SIZE: CELL_ANSWER, ATTRIBUTES: b"\x1b[?62;c"}
ITERM: Mapping[bytes, bytes] = {NAME: name_answer("iTerm2 3.5.4"), CELL_SIZE: CELL_ANSWER, ATTRIBUTES: b"\x1b[?1;2;4c"}
SIXEL: Mapping[bytes, bytes] = {
    NAME: name_answer("XTerm(390)"),
    CELL_SIZE: CELL_ANSWER,
    ATTRIBUTES: b"\x1b[?63;1;2;4;6;9;15;22c",
}
SILENT: Mapping[bytes, bytes] = {}

PLACEHOLDER = "\U0010eeee"
_PAINTED = re.compile(rb"\x1b\]1337;File=([^:\x07]*):([^\x07]*)\x07|\x1bP0;1;0q([^\x1b]*)\x1b\\")
_BEGUN = re.compile(rb"\x1b\]1337;[^\x07]*\Z|\x1bP[^\x1b]*\x1b?\Z|\x1b(?:\](?:1(?:3(?:37?)?)?)?)?\Z")
_SIXEL = re.compile(rb"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])")
_KITTY = re.compile(rb"\x1b_G([^;\x1b]*)(?:;([^\x1b]*))?\x1b\\")


class _PaintedScreen(_Screen):
    """A screen on which text removes what is painted in its cell."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self.painted: dict[tuple[int, int], Image.Image] = {}

    def draw(self, data: str) -> None:
        for character in data:
            super().draw(character)
            self.painted.pop((self.cursor.x - 1, self.cursor.y), None)

    def paint_file(self, options: Mapping[bytes, bytes], file: bytes) -> None:
        assert int(options[b"size"]) == len(file)
        assert (options[b"inline"], options[b"preserveAspectRatio"]) == (b"1", b"0")
        image = Image.open(io.BytesIO(file)).convert("RGB")
        self._paint(image, int(options[b"width"]), int(options[b"height"]))

    def paint_sixels(self, data: bytes) -> None:
        image = sixel_image(data)
        assert (image.width % CELL[0], image.height % CELL[1]) == (0, 0)
        self._paint(image, image.width // CELL[0], image.height // CELL[1])

    def _paint(self, image: Image.Image, columns: int, lines: int) -> None:
        assert self.cursor.x + columns <= self.columns
        assert self.cursor.y + lines < self.lines, "the screen would scroll"
        across, down = image.width / columns, image.height / lines
        for column in range(columns):
            for line in range(lines):
                area = column * across, line * down, (column + 1) * across, (line + 1) * down
                piece = image.resize(CELL, Image.Resampling.BOX, area)
                self.painted[self.cursor.x + column, self.cursor.y + line] = piece
        self.cursor.x, self.cursor.y = self.cursor.x + columns - 1, self.cursor.y + lines - 1


def sixel_image(data: bytes) -> Image.Image:
    """Decode the data of a DECSIXEL command; it must set every pixel of the size that it states, and no other."""
    head = re.match(rb'"1;1;(\d+);(\d+)', data)
    assert head is not None
    image = Image.new("RGBA", (int(head[1]), int(head[2])))
    colours: dict[int, tuple[int, ...]] = {}
    x = y = 0
    colour: tuple[int, ...] = ()
    at = head.end()
    while at < len(data):
        found = _SIXEL.match(data, at)
        assert found is not None, data[at : at + 20]
        at = found.end()
        if found[1]:
            colours[int(found[1])] = (*(round(int(part) * 2.55) for part in found.group(2, 3, 4)), 255)
        elif found[5]:
            colour = colours[int(found[5])]
        elif found[9]:
            x, y = 0, y + (6 if found[9] == b"-" else 0)
        else:
            bits, count = ord(found[7] or found[8]) - 63, int(found[6] or 1)
            for row in (row for row in range(6) if bits >> row & 1):
                assert x + count <= image.width
                assert y + row < image.height
                image.paste(colour, (x, y + row, x + count, y + row + 1))
            x += count
    assert image.getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB")


@dataclass
class Placed:
    """A picture that the terminal was sent, and the cells it is stretched over."""

    image: Image.Image
    columns: int
    lines: int


class GraphicsTerminal(Terminal):
    def __init__(
        self,
        argv: Sequence[str | os.PathLike[str]],
        answers: Mapping[bytes, bytes],
        *,
        answer: Callable[[GraphicsTerminal, bytes], None] | None = None,
        **options: Any,
    ) -> None:
        """`answers` by question. `answer` sends all of them, which are joined; by default at once."""
        self._answers = dict(answers)
        self._answer = answer or GraphicsTerminal._answer_at_once
        self._looked_at = 0
        self.questions: list[bytes] = []
        self.painted_bytes = 0
        self._unfed = b""
        super().__init__(argv, **options)
        self._painted_screen = _PaintedScreen(self._screen.columns, self._screen.lines)
        self._screen = self._painted_screen
        self._stream = _Stream(self._screen)

    def __enter__(self) -> GraphicsTerminal:
        return self

    def _answer_at_once(self, text: bytes) -> None:
        self.send_bytes(text)

    def read(self, seconds: float = 0.0) -> bytes:
        data = super().read(seconds)
        if data:
            found = re.compile(b"|".join(map(re.escape, (NAME, CELL_SIZE, ATTRIBUTES)))).findall(
                self.raw, max(0, self._looked_at - 8)
            )
            new = [question for question in found if question not in self.questions]
            self._looked_at = len(self.raw)
            self.questions += new
            text = b"".join(self._answers.get(question, b"") for question in new)
            if text:
                self._answer(self, text)
        return data

    def feed(self, data: bytes) -> None:
        data = self._unfed + data
        at = 0
        for found in _PAINTED.finditer(data):
            super().feed(data[at : found.start()])
            self.painted_bytes += len(found[0])
            if found[3] is not None:
                self._painted_screen.paint_sixels(found[3])
            else:
                options = dict(pair.split(b"=", 1) for pair in found[1].split(b";"))
                self._painted_screen.paint_file(options, base64.b64decode(found[2], validate=True))
            at = found.end()
        begun = _BEGUN.search(data, at)
        self._unfed = data[begun.start() :] if begun else b""
        super().feed(data[at : begun.start()] if begun else data[at:])

    def resize(self, cols: int, rows: int) -> None:
        self._painted_screen.painted.clear()
        super().resize(cols, rows)

    # -- what is drawn

    @property
    def kitty_pictures(self) -> dict[int, Placed]:
        """The pictures that the terminal has now, by number, decoded from what it was sent."""
        pictures: dict[int, Placed] = {}
        begun: dict[str, str] = {}
        payload = b""
        for keys, data in _KITTY.findall(self.raw):
            options = dict(pair.split("=") for pair in keys.decode().split(","))
            assert options.get("q") == "2", "the terminal would answer"
            assert len(data) <= 4096
            if options.get("a") == "d":
                assert options["d"] == "I"
                del pictures[int(options["i"])]
                continue
            if options.get("a") == "T":
                assert not begun
                begun, payload = options, b""
            payload += data
            if options["m"] == "0":
                assert (begun["U"], begun["f"]) == ("1", "100")
                image = Image.open(io.BytesIO(base64.b64decode(payload, validate=True)))
                pictures[int(begun["i"])] = Placed(image.convert("RGB"), int(begun["c"]), int(begun["r"]))
                begun = {}
        return pictures

    def drawn(self) -> tuple[tuple[int, int, int, int], Image.Image] | None:
        """The cells that pictures are seen in (left, top, right, bottom), and what is seen there; None for no picture."""
        cells = self._kitty_cells() or self._painted_screen.painted
        if not cells:
            return None
        columns, lines = {x for x, _ in cells}, {y for _, y in cells}
        box = min(columns), min(lines), max(columns) + 1, max(lines) + 1
        seen = Image.new("RGB", ((box[2] - box[0]) * CELL[0], (box[3] - box[1]) * CELL[1]))
        for (x, y), piece in cells.items():
            seen.paste(piece, ((x - box[0]) * CELL[0], (y - box[1]) * CELL[1]))
        return box, seen

    @property
    def painted_cells(self) -> int:
        return len(self._painted_screen.painted)

    def _kitty_cells(self) -> dict[tuple[int, int], Image.Image]:
        from mldeck.ui.files.preview.kitty_picture import _NUMBERS

        pictures = self.kitty_pictures
        found: dict[tuple[int, int], Image.Image] = {}
        for y in range(self._screen.lines):
            for x in range(self._screen.columns):
                cell = self._screen.buffer[y][x]
                if not cell.data.startswith(PLACEHOLDER) or len(cell.data) < 3:
                    continue  # no placeholder, or one that has arrived in part
                placed = pictures.get(int(cell.fg, 16))
                if placed is None:
                    continue  # kitty shows nothing then
                row, column = map(_NUMBERS.index, cell.data[1:])
                assert row < placed.lines
                assert column < placed.columns
                across, down = placed.image.width / placed.columns, placed.image.height / placed.lines
                area = column * across, row * down, (column + 1) * across, (row + 1) * down
                found[x, y] = placed.image.resize(CELL, Image.Resampling.BOX, area)
        return found


def difference(seen: Image.Image, wanted: Image.Image) -> float:
    """The mean difference of two pictures of one size, in steps of 255."""
    from PIL import ImageChops, ImageStat

    assert seen.size == wanted.size
    return sum(ImageStat.Stat(ImageChops.difference(seen, wanted)).mean) / 3
