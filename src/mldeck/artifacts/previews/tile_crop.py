"""Cuts a part out of the tiles of an image, for terminals that draw a picture where the cursor is.

The tiles come from mldeck's own helper, so Pillow reads them in this process. Call it off the event loop.
"""

from __future__ import annotations

import io

from mldeck.artifacts.previews.values import Tiles


def crop_png(tiles: Tiles, left: int, top: int, columns: int, lines: int) -> bytes:
    """Return a part of the image, given in cells, as a PNG file with the pixels that the tiles have."""
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
    part = canvas.resize(size, Image.Resampling.BILINEAR, (first, last, first + columns * x, last + lines * y))
    file = io.BytesIO()
    part.save(file, "PNG")
    return file.getvalue()
