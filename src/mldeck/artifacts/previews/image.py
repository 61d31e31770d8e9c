"""Pictures, scaled to the cells of a screen: each cell shows two pixels, one above the other.

Pillow works in a helper: what it makes of a file's headers cannot be foreseen, and takes any amount of memory.
"""

from __future__ import annotations

import base64
import math
import warnings
from collections.abc import Mapping, Sequence
from io import BufferedReader
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from mldeck.artifacts.previews.asking import HelperSource, ask_about
from mldeck.artifacts.previews.values import RGB, HalfBlocks, ImagePreview, NotThis
from mldeck.artifacts.source import Check, Source, SourceStream, never
from mldeck.helper import Helper, Read, Unanswered, serve

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_MAX_PIXELS = 50_000_000
_MAX_TAKEN = 1 << 27
"""Bytes that Pillow may take for the pixels of a picture."""
_MEMORY = 5 << 26
"""Address space of the process that decodes, in bytes: Python, the pixels, the answer, and whatever else Pillow keeps."""
_BUDGET = 1 << 27
"""Bytes that are read of a file; a larger one would decode to more than it may take."""
_MAX_COUNTED = 1 << 22
"""To count the frames of a GIF means to go through all of it."""
_MOST_SHOWN = 1 << 22
"""Pixels of a picture as it is scaled, however large it is to be."""
_STEP = 1.5
"""How much larger it gets from one zoom to the next."""
_LEAST_SHARE = 1 / 4
"""Of the columns that a picture could have: with fewer it is not shown whole when it comes up, but scrolled."""
_BLOCK = 1 << 26
_READ_AT_ONCE = 1 << 18
_TILE = 1 << 10
"""Pixels, in each direction, that are converted at once."""
_NARROW = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
"""Bytes that Pillow takes for a pixel, by its mode. All others take four."""


_helper = Helper(__name__, seconds=10, memory=_MEMORY)


def image_preview(
    source: Source, cells: tuple[int, int], background: RGB, check: Check = never, zoom: int = 0
) -> ImagePreview:
    """For a box of `cells` (columns, rows). Raises NotThis when even its size cannot be read, or when it takes too much."""
    try:
        found = ask_about(source, _helper, _BUDGET, check, cells=cells, background=background, zoom=zoom)
    except Unanswered as error:
        raise NotThis(f"Not drawn: {error}.") from error
    if "not_this" in found:
        raise NotThis(found["not_this"])
    kind, pixels = found["format"], base64.b64decode(found["pixels"])
    return ImagePreview(
        kind=f"{kind} image",
        notes=tuple(found["notes"]),
        format=kind,
        width=found["width"],
        height=found["height"],
        mode=found["mode"],
        frames=found["frames"],
        rows=HalfBlocks(found["columns"], pixels),
        scale=found["scale"],
        zoom=found["zoom"],
        zooms=tuple(found["zooms"]),
    )


# -- in the helper


def main(words: list[str]) -> int:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    # Pillow warns of a picture that is too large, and refuses one of twice the size: it should refuse at once.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Blocks of more than 32 MB are given back to the system at once. Others are kept.
    Image.core.set_block_size(_BLOCK)  # type: ignore[attr-defined]
    return serve(words, _answer)


def _answer(question: Mapping[str, Any], read: Read) -> dict[str, object]:
    try:
        return _decoded(HelperSource(question, read), question["cells"], question["background"], question["zoom"])
    except NotThis as error:
        return {"not_this": str(error)}


def _decoded(source: Source, cells: tuple[int, int], background: Sequence[int], zoom: int) -> dict[str, object]:
    from PIL import Image

    try:
        image = Image.open(BufferedReader(SourceStream(source), _READ_AT_ONCE), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotThis(f"Not drawn: it has more than {_MAX_PIXELS // 1_000_000} million pixels.") from error
    except MemoryError:
        raise
    except Exception as error:
        raise NotThis("The picture is broken, or takes too much memory: even its size cannot be read.") from error
    width, height, mode, kind = image.width, image.height, image.mode, image.format or ""
    notes: list[str] = []
    rows = HalfBlocks()
    scales = _scales(width, height, cells)
    zoom, scale = scales.at(zoom)
    frames: int | None = None
    with image:
        try:
            frames = _frames(image, source.size)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            # A JPEG can be decoded at a fraction of its size.
            image.draft("RGB", size)
            taken = _taken(image, width * height)
            if taken > _MAX_TAKEN:
                limit = f"more than {_MAX_TAKEN >> 20} MB is not decoded"
                notes.append(f"Not drawn: it takes {taken >> 20:,} MB of memory, and {limit}.")
            else:
                rows = _half_blocks(_scaled(image, size), (background[0], background[1], background[2]))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a broken file leads Pillow's readers to any exception
            notes.append("The picture is cut short or broken, and cannot be drawn.")
    return {
        "format": kind,
        "notes": notes,
        "width": width,
        "height": height,
        "mode": mode,
        "frames": frames,
        "columns": rows.columns,
        "pixels": base64.b64encode(rows.pixels).decode(),
        "scale": scale,
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
    """Columns of cells for one of the picture."""

    whole: float
    """The whole picture fits."""
    usual: float
    """As it is shown first."""
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
