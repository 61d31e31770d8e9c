"""Images, scaled to terminal cells: each cell shows two pixels, one above the other, or as many as the terminal can.

Pillow runs in a helper process, because what it does with a hostile header is unpredictable and may take any amount of
memory.
"""

from __future__ import annotations

import base64
import io
import math
import warnings
from collections.abc import Mapping, Sequence
from io import BufferedReader
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from mldeck.artifacts.previews.asking import HelperSource, ask_about
from mldeck.artifacts.previews.values import RGB, HalfBlocks, ImagePreview, NotPreviewable, Tiles
from mldeck.artifacts.source import Check, Source, SourceStream, no_check
from mldeck.helper import Helper, Read, Unanswered, serve

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_MAX_PIXELS = 50_000_000
_MAX_MEMORY = 1 << 27
"""The most memory for the pixels of an image, in bytes."""
_MEMORY = 5 << 26
"""The address space of the helper, in bytes: Python, the pixels, the answer, and whatever else Pillow keeps."""
_BUDGET = 1 << 27
"""The most bytes read of a file; a larger one would need more memory than allowed."""
_MAX_COUNTED = 1 << 22
"""The largest GIF, in bytes, whose frames are counted, because counting reads the whole file."""
_MAX_SHOWN = 1 << 22
"""The most pixels of a scaled image, whatever the zoom."""
_STEP = 1.5
"""The factor between two zoom steps."""
_HALF_BLOCK = (1, 2)
"""The width and height in pixels of a cell that shows two pixels."""
_SIDE = (64, 32)
"""The columns and lines of a tile: about half a screen, so that little is sent that is out of view."""
_MOST_BYTES = 100
"""Bytes for each cell of an image at most, as PNG; half blocks take about 40."""
_SMALL = 1 << 14
"""Bytes that an image may always take."""
_LEAST_SHARE = 1 / 4
"""The least share of the available columns; an image that would be narrower is scrolled instead of shown whole."""
_BLOCK = 1 << 26
"""Pillow's block size in bytes, larger than any image, so that memory is returned at once."""
_READ_AT_ONCE = 1 << 18
_TILE = 1 << 10
"""The side of the tiles that are converted at once, in pixels."""
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
"""Pillow's bytes per pixel by mode; all other modes take four."""


_helper = Helper(__name__, seconds=10, memory=_MEMORY)


def image_preview(
    source: Source,
    cells: tuple[int, int],
    background: RGB,
    check: Check = no_check,
    zoom: int = 0,
    cell_pixels: tuple[int, int] | None = None,
) -> ImagePreview:
    """Return the preview of an image for a box of `cells` (columns, lines).

    With the size of a cell in pixels, it has tiles instead of half blocks, and otherwise the same size in cells.

    Raises NotPreviewable if even its size cannot be read, or if it takes too much time or memory.
    """
    try:
        found = ask_about(
            source, _helper, _BUDGET, check, cells=cells, background=background, zoom=zoom, cell_pixels=cell_pixels
        )
    except Unanswered as error:
        raise NotPreviewable(f"Not drawn: {error}.") from error
    if "not_this" in found:
        raise NotPreviewable(found["not_this"])
    kind, columns, files = found["format"], found["columns"], tuple(map(base64.b64decode, found["files"]))
    has_tiles = bool(files) and cell_pixels is not None
    tiles = Tiles(columns, found["lines"], _SIDE, tuple(found["tile"]), files) if has_tiles else None
    return ImagePreview(
        kind=f"{kind} image",
        notes=tuple(found["notes"]),
        format=kind,
        width=found["width"],
        height=found["height"],
        mode=found["mode"],
        frames=found["frames"],
        rows=HalfBlocks(columns, files[0]) if files and cell_pixels is None else HalfBlocks(),
        scale=found["scale"],
        zoom=found["zoom"],
        zooms=tuple(found["zooms"]),
        tiles=tiles,
    )


# -- in the helper


def main(words: list[str]) -> int:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    # Pillow only warns about an image that is too large, and refuses one of twice that size: refuse both.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Pillow returns blocks of more than 32 MB to the system at once, and keeps smaller ones.
    Image.core.set_block_size(_BLOCK)  # type: ignore[attr-defined]
    return serve(words, _answer)


def _answer(question: Mapping[str, Any], read: Read) -> dict[str, object]:
    wanted = _Wanted(
        question["cells"], question["background"], question["zoom"], question["cell_pixels"] or _HALF_BLOCK
    )
    try:
        return _decoded(HelperSource(question, read), wanted, has_tiles=question["cell_pixels"] is not None)
    except NotPreviewable as error:
        return {"not_this": str(error)}


class _Wanted(NamedTuple):
    """A box of cells, and the way to draw an image in it. All values come from JSON."""

    cells: Sequence[int]
    background: Sequence[int]
    zoom: int
    cell: Sequence[int]
    """The width and height of a cell in pixels."""


class _Drawn(NamedTuple):
    """An image as it is sent: its size in cells, and RGB pixels or PNG files."""

    columns: int = 0
    lines: int = 0
    files: tuple[bytes, ...] = ()
    tile: tuple[int, int] = (0, 0)
    """The width and height of a whole tile in pixels."""


def _decoded(source: Source, wanted: _Wanted, *, has_tiles: bool) -> dict[str, object]:
    from PIL import Image

    try:
        image = Image.open(BufferedReader(SourceStream(source), _READ_AT_ONCE), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotPreviewable(f"Not drawn: it has more than {_MAX_PIXELS // 1_000_000} million pixels.") from error
    except MemoryError:
        raise
    except Exception as error:
        raise NotPreviewable("The image is damaged or takes too much memory: not even its size can be read.") from error
    width, height, mode, kind = image.width, image.height, image.mode, image.format or ""
    notes: list[str] = []
    drawn = _Drawn()
    scales = _scales(width, height, wanted)
    zoom, scale = scales.at(wanted.zoom)
    frames: int | None = None
    with image:
        try:
            frames = _frames(image, source.size)
            extent = _Extent.of(width, height, scale, wanted.cell)
            # A JPEG can be decoded at a fraction of its size.
            image.draft("RGB", extent.pixels(extent.density(scale)))
            needed = _memory_needed(image, width * height)
            if needed > _MAX_MEMORY:
                limit = f"the limit is {_MAX_MEMORY >> 20} MB"
                notes.append(f"Not drawn: it takes {needed >> 20:,} MB of memory, and {limit}.")
            else:
                background = (wanted.background[0], wanted.background[1], wanted.background[2])
                drawn = (_tiles if has_tiles else _half_blocks)(image, extent, scale, background)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a damaged file may make Pillow raise anything
            notes.append("The image is truncated or damaged and cannot be drawn.")
    return {
        "format": kind,
        "notes": notes,
        "width": width,
        "height": height,
        "mode": mode,
        "frames": frames,
        "columns": drawn.columns,
        "lines": drawn.lines,
        "tile": drawn.tile,
        "files": [base64.b64encode(file).decode() for file in drawn.files],
        "scale": scale * wanted.cell[0],
        "zoom": zoom,
        "zooms": scales.steps,
    }


def _frames(image: Image.Image, size: int) -> int | None:
    if image.format == "GIF" and size > _MAX_COUNTED:
        return None
    frames = int(getattr(image, "n_frames", 1))
    image.seek(0)
    return frames


class _Scales(NamedTuple):
    """The scales of an image, in columns of cells per column of pixels."""

    whole: float
    """At this scale the whole image fits."""
    usual: float
    """The initial scale."""
    largest: float
    """The largest scale."""

    @property
    def steps(self) -> tuple[int, int]:
        """The number of steps it can be made smaller, as a negative number, and larger."""
        return -_steps(self.usual / self.whole), _steps(self.largest / self.usual)

    def at(self, zoom: int) -> tuple[int, float]:
        """Return the zoom, clamped to what is possible, and its scale."""
        least, most = self.steps
        zoom = max(least, min(zoom, most))
        return zoom, max(self.whole, min(self.usual * _STEP**zoom, self.largest))


def _steps(factor: float) -> int:
    return math.ceil(round(math.log(factor, _STEP), 6))


def _scales(width: int, height: int, wanted: _Wanted) -> _Scales:
    """Return the scales of an image in a box of cells, at most one column per pixel.

    An image that would be a thin strip starts as wide as the box, less one column for a scroll bar.
    """
    columns, lines = wanted.cells
    whole = min(columns / width, wanted.cell[1] / wanted.cell[0] * lines / height, 1)
    largest = max(whole, min(1, math.sqrt(_MAX_SHOWN / (width * height))))
    fits = max(1, round(width * whole)) >= _LEAST_SHARE * min(columns, width)
    usual = whole if fits else max(whole, min((columns - 1) / width, largest))
    return _Scales(whole, usual, largest)


def _memory_needed(image: Image.Image, pixels: int) -> int:
    """Return the bytes of memory needed to decode. `pixels` is the full number of pixels, before a JPEG is drafted."""
    # Each line is padded to four bytes, and has a pointer to it.
    size = image.height * (image.width * _BYTES_PER_PIXEL.get(image.mode, 4) + 3 + 8)
    if image.format == "WEBP":
        # libwebp keeps two copies of the whole image, and its result is copied again.
        return 4 * size
    if image.info.get("progressive"):
        # The coefficients of the whole image are kept, two bytes each.
        return size + 2 * len(image.getbands()) * pixels
    return size


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    from PIL.Image import Resampling

    factor = max(1, image.width // (2 * size[0])), max(1, image.height // (2 * size[1]))
    reduced = _reduced(image, factor)
    resampling = Resampling.BOX if reduced.mode == "I" else Resampling.LANCZOS
    scaled = reduced.resize(size, resampling, (0, 0, image.width / factor[0], image.height / factor[1]))
    return _to_eight_bits(scaled) if scaled.mode == "I" else scaled.convert("RGBA")


def _reduced(image: Image.Image, factor: tuple[int, int]) -> Image.Image:
    """Reduce `factor` pixels to one, in a mode that can be resampled. Work tile by tile, to avoid a full copy."""
    from PIL import Image

    (across, down), (width, height) = factor, image.size
    step_x, step_y = (side * max(1, _TILE // side) for side in factor)
    canvas: Image.Image | None = None
    for left, top in product(range(0, width, step_x), range(0, height, step_y)):
        tile = image.crop((left, top, min(left + step_x, width), min(top + step_y, height)))
        if tile.mode.startswith("I"):
            tile = tile.convert("I")
        elif tile.mode in {"1", "P", "LA", "RGBA"} or "transparency" in image.info:
            # Transparent pixels have a colour too, which must not bleed into the result.
            tile = tile.convert("RGBA").convert("RGBa")
        tile = tile.reduce(factor)
        canvas = canvas or Image.new(tile.mode, (-(-width // across), -(-height // down)))
        canvas.paste(tile, (left // across, top // down))
    assert canvas is not None
    return canvas


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Convert a 16-bit greyscale image to 8 bits; Pillow's own conversion would clip it."""
    return image.point(lambda value: value * (1 / 256) + 0).convert("L")


class _Extent(NamedTuple):
    """The size of a scaled image in cells, with fractions, and that of a cell in pixels."""

    columns: float
    lines: float
    cell: Sequence[int]

    @classmethod
    def of(cls, width: int, height: int, scale: float, cell: Sequence[int]) -> _Extent:
        """`scale`: columns of cells per column of pixels."""
        return cls(width * scale, height * scale * cell[0] / cell[1], cell)

    @property
    def whole(self) -> tuple[int, int]:
        """The columns and lines that the image takes, the last of which it may fill in part."""
        return max(1, math.ceil(round(self.columns, 6))), max(1, math.ceil(round(self.lines, 6)))

    def density(self, scale: float) -> float:
        """Return the share of the screen's pixels that is worth drawing: never more than the image has."""
        area = self.columns * self.cell[0] * self.lines * self.cell[1]
        return min(1, 1 / (scale * self.cell[0]), math.sqrt(_MAX_SHOWN / area))

    def pixels(self, density: float) -> tuple[int, int]:
        across, down = self.columns * self.cell[0] * density, self.lines * self.cell[1] * density
        return max(1, round(across)), max(1, round(down))


def _half_blocks(image: Image.Image, extent: _Extent, scale: float, background: RGB) -> _Drawn:
    scaled = _scaled(image, extent.pixels(1))
    canvas = _on_background(scaled, (scaled.width, scaled.height + scaled.height % 2), background)
    return _Drawn(canvas.width, canvas.height // 2, (canvas.tobytes(),))


def _tiles(image: Image.Image, extent: _Extent, scale: float, background: RGB) -> _Drawn:
    columns, lines = extent.whole
    density, most = extent.density(scale), max(_SMALL, _MOST_BYTES * columns * lines)
    while True:
        drawn = _cut(image, extent, density, background)
        size = sum(map(len, drawn.files))
        if size <= most or extent.pixels(density) == (1, 1):
            return drawn
        # The fewer the pixels, the more bytes each of them takes.
        density *= 0.95 * math.sqrt(most / size)


def _cut(image: Image.Image, extent: _Extent, density: float, background: RGB) -> _Drawn:
    """Return the tiles as PNG files. A whole one has a whole number of pixels, so that no seams are seen."""
    columns, lines = extent.whole
    side = tuple(max(1, round(cells * pixels * density)) for cells, pixels in zip(_SIDE, extent.cell, strict=True))
    across, down = side[0] / _SIDE[0], side[1] / _SIDE[1]  # pixels of a cell
    scaled = _scaled(image, (max(1, round(extent.columns * across)), max(1, round(extent.lines * down))))
    size = math.ceil(columns * across), math.ceil(lines * down)
    canvas = _on_background(scaled, size, background)
    boxes = (
        (left, top, min(left + side[0], size[0]), min(top + side[1], size[1]))
        for top, left in product(range(0, size[1], side[1]), range(0, size[0], side[0]))
    )
    return _Drawn(columns, lines, tuple(map(_png, map(canvas.crop, boxes))), (side[0], side[1]))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _on_background(image: Image.Image, size: tuple[int, int], background: RGB) -> Image.Image:
    """Return the image at the top left of a canvas of that size, without transparency."""
    from PIL import Image

    canvas = Image.new("RGB", size, background)
    image = image.convert("RGBA")
    canvas.paste(image, mask=image)
    return canvas
