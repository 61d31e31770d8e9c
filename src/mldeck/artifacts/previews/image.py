"""Images, scaled to terminal cells: each cell shows two pixels, one above the other.

Pillow runs in a helper process, because what it does with a hostile header is unpredictable and may take any amount of
memory.
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
from mldeck.artifacts.previews.values import RGB, HalfBlocks, ImagePreview, NotPreviewable
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
    source: Source, cells: tuple[int, int], background: RGB, check: Check = no_check, zoom: int = 0
) -> ImagePreview:
    """Return the preview of an image for a box of `cells` (columns, lines).

    Raises NotPreviewable if even its size cannot be read, or if it takes too much time or memory.
    """
    try:
        found = ask_about(source, _helper, _BUDGET, check, cells=cells, background=background, zoom=zoom)
    except Unanswered as error:
        raise NotPreviewable(f"Not drawn: {error}.") from error
    if "not_this" in found:
        raise NotPreviewable(found["not_this"])
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
    # Pillow only warns about an image that is too large, and refuses one of twice that size: refuse both.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Pillow returns blocks of more than 32 MB to the system at once, and keeps smaller ones.
    Image.core.set_block_size(_BLOCK)  # type: ignore[attr-defined]
    return serve(words, _answer)


def _answer(question: Mapping[str, Any], read: Read) -> dict[str, object]:
    try:
        return _decoded(HelperSource(question, read), question["cells"], question["background"], question["zoom"])
    except NotPreviewable as error:
        return {"not_this": str(error)}


def _decoded(source: Source, cells: tuple[int, int], background: Sequence[int], zoom: int) -> dict[str, object]:
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
            needed = _memory_needed(image, width * height)
            if needed > _MAX_MEMORY:
                limit = f"the limit is {_MAX_MEMORY >> 20} MB"
                notes.append(f"Not drawn: it takes {needed >> 20:,} MB of memory, and {limit}.")
            else:
                rows = _half_blocks(_scaled(image, size), (background[0], background[1], background[2]))
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


def _scales(width: int, height: int, cells: tuple[int, int]) -> _Scales:
    """Return the scales of an image in a box of cells, at most one cell per pixel.

    An image that would be a thin strip starts as wide as the box, less one column for a scroll bar.
    """
    columns, lines = cells
    whole = min(columns / width, 2 * lines / height, 1)
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


def _half_blocks(image: Image.Image, background: RGB) -> HalfBlocks:
    from PIL import Image

    canvas = Image.new("RGB", (image.width, image.height + image.height % 2), background)
    image = image.convert("RGBA")
    canvas.paste(image, mask=image)
    return HalfBlocks(canvas.width, canvas.tobytes())
