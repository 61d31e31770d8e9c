"""Cuts a part out of the tiles of an image, for terminals that draw a picture where the cursor is.

The tiles come from mldeck's own helper, so Pillow reads them in this process. Call it off the event loop.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

from mldeck.artifacts.previews.values import Tiles

if TYPE_CHECKING:
    from PIL import Image

_COLOURS = 256
_BAND = 6
"""Rows of pixels that sixels hold: a character for each column, with a bit for each row."""
_LONG_RUN = re.compile(rb"(.)\1{3,}", re.DOTALL)


def crop_png(tiles: Tiles, left: int, top: int, columns: int, lines: int) -> bytes:
    """Return a part of the image, given in cells, as a PNG file with the pixels that the tiles have."""
    file = io.BytesIO()
    _crop(tiles, left, top, columns, lines).save(file, "PNG")
    return file.getvalue()


def crop_sixels(tiles: Tiles, left: int, top: int, columns: int, lines: int, cell: tuple[int, int]) -> bytes:
    """Return a part of the image, given in cells of so many pixels, as the data of a DECSIXEL command."""
    from PIL.Image import Resampling

    width, height = columns * cell[0], lines * cell[1]
    image = _crop(tiles, left, top, columns, lines).resize((width, height), Resampling.BILINEAR).quantize(_COLOURS)
    pixels, palette = image.tobytes(), image.getpalette() or []
    colours = (
        b"#%d;2;%d;%d;%d" % (index, *(round(value * 100 / 255) for value in palette[3 * index : 3 * index + 3]))
        for index in sorted(set(pixels))
    )
    bands = (_sixels(pixels[at : at + _BAND * width], width) for at in range(0, len(pixels), _BAND * width))
    return b'"1;1;%d;%d' % (width, height) + b"".join(colours) + b"-".join(bands)


def _sixels(band: bytes, width: int) -> bytes:
    """Return a band of at most six rows of pixels: each colour is drawn over the same place."""
    rows = [band[at : at + width] for at in range(0, len(band), width)]
    lines = []
    for colour in sorted(set(band)):
        bit_of = bytes(value == colour for value in range(256))
        bits = sum(int.from_bytes(row.translate(bit_of), "big") << shift for shift, row in enumerate(rows))
        # Characters begin with the one for no bit.
        line = (bits + int.from_bytes(b"?" * width, "big")).to_bytes(width, "big").rstrip(b"?")
        lines.append(b"#%d" % colour + _LONG_RUN.sub(lambda run: b"!%d" % len(run[0]) + run[1], line))
    return b"$".join(lines)


def _crop(tiles: Tiles, left: int, top: int, columns: int, lines: int) -> Image.Image:
    from PIL import Image

    (across, down), (width, height) = tiles.side, tiles.pixels
    beside = range(left // across, (left + columns - 1) // across + 1)
    below = range(top // down, (top + lines - 1) // down + 1)
    canvas = Image.new("RGB", (len(beside) * width, len(below) * height))
    for row in below:
        for column in beside:
            with Image.open(io.BytesIO(tiles.files[row * tiles.across + column]), formats=("PNG",)) as tile:
                canvas.paste(tile, ((column - beside.start) * width, (row - below.start) * height))
    x, y = width / across, height / down  # pixels of a cell
    first, last = (left - beside.start * across) * x, (top - below.start * down) * y
    size = max(1, round(columns * x)), max(1, round(lines * y))
    return canvas.resize(size, Image.Resampling.BILINEAR, (first, last, first + columns * x, last + lines * y))
