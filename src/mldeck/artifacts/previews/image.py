"""Pictures, scaled to the cells of a screen: each cell shows two pixels, one above the other."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from mldeck.artifacts.previews.values import RGB, HalfBlocks, ImagePreview, NotThis
from mldeck.artifacts.source import PIECE, Check, Source, buffered, never
from mldeck.errors import MldeckError

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_MAX_PIXELS = 50_000_000
_MAX_TAKEN = 1 << 27
"""Bytes that Pillow may take for a picture, and so for all of them: they are decoded one after the other."""
_BUDGET = 1 << 27
"""What is larger than it may be when decoded is not worth reading."""
_MAX_COUNTED = 1 << 22
"""To count the frames of a GIF means to go through all of it."""
_MOST_SHOWN = 1 << 22
"""Pixels of a picture as it is scaled, however large it is to be."""
_STEP = 1.5
"""How much larger it gets from one zoom to the next."""
_LEAST_SHARE = 1 / 4
"""Of the columns that a picture could have: with fewer it is not shown whole when it comes up, but scrolled."""
_BLOCK = 1 << 26
_TILE = 1 << 10
"""Pixels, in each direction, that are converted at once."""
_NARROW = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
"""Bytes that Pillow takes for a pixel, by its mode. All others take four."""
_decoding = Lock()


def image_preview(
    source: Source, cells: tuple[int, int], background: RGB, check: Check = never, zoom: int = 0
) -> ImagePreview:
    """For a box of `cells` (columns, rows). Raises NotThis when even its size cannot be read."""
    from PIL import Image  # 60 ms, and only pictures need it

    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    # Pillow warns of a picture that is too large, and refuses one of twice the size: it should refuse at once.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Blocks of more than 32 MB are given back to the system at once. Others are kept, by each thread that had one.
    Image.core.set_block_size(_BLOCK)  # type: ignore[attr-defined]
    with _alone(check):
        # In a function of its own, which has let go of the picture before the next one is decoded.
        return _decoded(source, cells, background, check, zoom)


@contextmanager
def _alone(check: Check) -> Iterator[None]:
    """Wait until no other picture is being decoded."""
    while not _decoding.acquire(timeout=0.05):
        check()
    try:
        yield
    finally:
        _decoding.release()


def _decoded(source: Source, cells: tuple[int, int], background: RGB, check: Check, zoom: int) -> ImagePreview:
    from PIL import Image

    try:
        image = Image.open(buffered(source, _BUDGET, check), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotThis(f"Not drawn: it has more than {_MAX_PIXELS // 1_000_000} million pixels.") from error
    except Exception as error:
        _raise_unless_broken(error)
        raise NotThis("The picture is broken: even its size cannot be read.") from error
    width, height, mode, kind = image.width, image.height, image.mode, image.format or ""
    notes: tuple[str, ...] = ()
    rows = HalfBlocks()
    scales = _scales(width, height, cells)
    zoom, scale = scales.at(zoom)
    frames: int | None = None
    with image:
        try:
            frames = _frames(image, source.size)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            image.decodermaxblock = PIECE  # as few as 40 bytes make a decoder go through a whole JPEG once more
            # A JPEG can be decoded at a fraction of its size.
            image.draft("RGB", size)
            taken = _taken(image, width * height)
            if taken > _MAX_TAKEN:
                limit = f"more than {_MAX_TAKEN >> 20} MB is not decoded"
                notes = (f"Not drawn: it takes {taken >> 20:,} MB of memory, and {limit}.",)
            else:
                rows = _half_blocks(_scaled(image, size), background)
        except Exception as error:  # noqa: BLE001 - a broken file leads Pillow's readers to any exception
            _raise_unless_broken(error)
            notes = ("The picture is cut short or broken, and cannot be drawn.",)
    return ImagePreview(
        kind=f"{kind} image",
        notes=notes,
        format=kind,
        width=width,
        height=height,
        mode=mode,
        frames=frames,
        rows=rows,
        scale=scale,
        zoom=zoom,
        zooms=scales.steps,
    )


def _raise_unless_broken(error: Exception) -> None:
    """That the file cannot be read says nothing about the picture. Pillow's own errors have no number."""
    if isinstance(error, MldeckError) or (isinstance(error, OSError) and error.errno is not None):
        raise error


def _frames(image: Image.Image, size: int) -> int | None:
    if image.format == "GIF" and size > _MAX_COUNTED:
        return None
    frames = int(getattr(image, "n_frames", 1))
    image.seek(0)
    return frames


class _Scales(NamedTuple):
    """Columns of cells for one of the picture."""

    whole: float
    """All of it is in sight."""
    usual: float
    """As it comes up."""
    largest: float

    @property
    def steps(self) -> tuple[int, int]:
        """How often it can be made smaller, as a negative number, and how often larger."""
        return -_steps(self.usual / self.whole), _steps(self.largest / self.usual)

    def at(self, zoom: int) -> tuple[int, float]:
        """The zoom that it can have, and the scale then."""
        least, most = self.steps
        zoom = max(least, min(zoom, most))
        return zoom, max(self.whole, min(self.usual * _STEP**zoom, self.largest))


def _steps(factor: float) -> int:
    return math.ceil(round(math.log(factor, _STEP), 6))


def _scales(width: int, height: int, cells: tuple[int, int]) -> _Scales:
    """Never larger than the picture is. One that would be a thin strip comes up as wide as the box, but for a scroll bar."""
    columns, lines = cells
    whole = min(columns / width, 2 * lines / height, 1)
    largest = max(whole, min(1, math.sqrt(_MOST_SHOWN / (width * height))))
    fits = max(1, round(width * whole)) >= _LEAST_SHARE * min(columns, width)
    usual = whole if fits else max(whole, min((columns - 1) / width, largest))
    return _Scales(whole, usual, largest)


def _taken(image: Image.Image, pixels: int) -> int:
    """The bytes of memory that decoding takes. `pixels` are those of the file, of which a JPEG is drafted."""
    # Each line is a multiple of four bytes, and a pointer leads to it.
    size = image.height * (image.width * _NARROW.get(image.mode, 4) + 3 + 8)
    if image.format == "WEBP":
        # libwebp has two of the whole picture, and what it hands over is copied.
        return 4 * size
    if image.info.get("progressive"):
        # The coefficients of the whole picture are kept, of two bytes each.
        return size + 2 * len(image.getbands()) * pixels
    return size


def _scaled(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    from PIL.Image import Resampling

    factor = max(1, image.width // (2 * size[0])), max(1, image.height // (2 * size[1]))
    reduced = _reduced(image, factor)
    resampling = Resampling.BOX if reduced.mode == "I" else Resampling.LANCZOS
    scaled = reduced.resize(size, resampling, (0, 0, image.width / factor[0], image.height / factor[1]))
    return _eight_bits(scaled) if scaled.mode == "I" else scaled.convert("RGBA")


def _reduced(image: Image.Image, factor: tuple[int, int]) -> Image.Image:
    """One pixel for `factor` of them, in a mode that can be resampled: tile by tile, for there is no room for a copy."""
    from PIL import Image

    (across, down), (width, height) = factor, image.size
    step_x, step_y = (each * max(1, _TILE // each) for each in factor)
    canvas: Image.Image | None = None
    for left, top in product(range(0, width, step_x), range(0, height, step_y)):
        tile = image.crop((left, top, min(left + step_x, width), min(top + step_y, height)))
        if tile.mode.startswith("I"):
            tile = tile.convert("I")
        elif tile.mode in {"1", "P", "LA", "RGBA"} or "transparency" in image.info:
            # Transparent pixels have a colour too, which must not shine through.
            tile = tile.convert("RGBA").convert("RGBa")
        tile = tile.reduce(factor)
        canvas = canvas or Image.new(tile.mode, (-(-width // across), -(-height // down)))
        canvas.paste(tile, (left // across, top // down))
    assert canvas is not None
    return canvas


def _eight_bits(image: Image.Image) -> Image.Image:
    """Of a grey picture with sixteen bits for each pixel, which Pillow would clip."""
    return image.point(lambda value: value * (1 / 256) + 0).convert("L")


def _half_blocks(image: Image.Image, background: RGB) -> HalfBlocks:
    from PIL import Image

    canvas = Image.new("RGB", (image.width, image.height + image.height % 2), background)
    image = image.convert("RGBA")
    canvas.paste(image, mask=image)
    return HalfBlocks(canvas.width, canvas.tobytes())
