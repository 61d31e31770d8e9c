"""Draws a picture by kitty's graphics protocol, with Unicode placeholders.

The terminal is sent the tiles that come into view, each once. What is in the cells is text: a placeholder that says which row
and column of a tile it stands for, and whose colour says which tile. So pictures scroll, and are covered and removed, as text
is. See https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders
"""

from __future__ import annotations

import base64
import itertools
import random
from collections.abc import Callable, Iterator

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from mldeck.artifacts.previews.values import Tiles

_PLACEHOLDER = "\U0010eeee"
_NUMBERS = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357"
    "\u035b\u0363\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036c\u036d\u036e\u036f\u0483\u0484"
    "\u0485\u0486\u0487\u0592\u0593\u0594\u0595\u0597\u0598\u0599\u059c\u059d\u059e\u059f\u05a0\u05a1"
    "\u05a8\u05a9\u05ab\u05ac\u05af\u05c4\u0610\u0611\u0612\u0613\u0614\u0615\u0616\u0617\u0657\u0658"
)
"""The marks for the numbers from 0, the first of kitty's rowcolumn-diacritics.txt: as many as a tile has columns."""
_CHUNK = 4096
"""Characters of a picture in one command at most."""
_IDS = 1 << 24

_fresh = itertools.count(random.randrange(_IDS))
"""Numbers for tiles. They begin anywhere, because other programs have pictures in the same window."""


class KittyPicture:
    """A picture in the terminal, until it is removed."""

    def __init__(self, tiles: Tiles, send: Callable[[str], None]) -> None:
        """`send` passes commands to the terminal, before what is painted next."""
        self._tiles = tiles
        self._send = send
        self._ids: dict[int, int] = {}
        """By the index of the tiles that have been sent: their number in the terminal."""

    def strip(self, line: int, left: int, width: int, base: Style) -> Strip:
        """Return a line of the picture from the column `left` on, at most `width` columns."""
        right = min(left + width, self._tiles.columns)
        segments = list(self._segments(line, left, right, base)) if 0 <= line < self._tiles.lines else []
        return Strip(segments, max(0, right - left) if segments else 0).adjust_cell_length(width, base)

    def _segments(self, line: int, left: int, right: int, base: Style) -> Iterator[Segment]:
        across, down = self._tiles.side
        row = _NUMBERS[line % down]
        for column in range(left // across, -(-right // across)):
            start = column * across
            first, last = max(left, start) - start, min(right - start, across)
            number = self._sent(line // down * self._tiles.across + column)
            colour = Color.from_rgb(number >> 16, number >> 8 & 255, number & 255)
            cells = (_PLACEHOLDER + row + _NUMBERS[each] for each in range(first, last))
            yield Segment("".join(cells), Style(color=colour, bgcolor=base.bgcolor))

    def _sent(self, index: int) -> int:
        """Return the number of a tile, which is sent the first time."""
        number = self._ids.get(index)
        if number is None:
            number = self._ids[index] = next(_fresh) % (_IDS - 1) + 1
            _, _, columns, lines = self._tiles.region(index)
            self._send(_commands(self._tiles.files[index], f"a=T,U=1,f=100,i={number},c={columns},r={lines}"))
        return number

    def remove(self) -> None:
        """Have the terminal forget the tiles. Those that come into view afterwards are sent again."""
        if self._ids:
            self._send("".join(_command(f"a=d,d=I,i={number}") for number in self._ids.values()))
            self._ids.clear()


def _commands(file: bytes, what: str) -> str:
    text = base64.b64encode(file).decode()
    chunks = [text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK)]
    return "".join(
        _command(f"{what if at == 0 else ''},m={int(at < len(chunks) - 1)}".lstrip(","), chunk)
        for at, chunk in enumerate(chunks)
    )


def _command(what: str, payload: str = "") -> str:
    """Return a command that the terminal does not answer."""
    return f"\x1b_G{what},q=2;{payload}\x1b\\"
