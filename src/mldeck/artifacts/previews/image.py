"""Pictures, scaled to the cells of a screen: each cell shows two pixels, one above the other."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from mldeck.artifacts.previews.values import RGB, ImagePreview, NotThis
from mldeck.artifacts.source import Source, buffered
from mldeck.errors import MldeckError

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_MAX_PIXELS = 50_000_000
"""Pillow needs four bytes for each."""
_BUDGET = 1 << 28
_MAX_COUNTED = 1 << 22
"""To count the frames of a GIF means to go through all of it."""


def image_preview(source: Source, cells: tuple[int, int], background: RGB) -> ImagePreview:
    """For a box of `cells` (columns, rows). Raises NotThis when even its size cannot be read."""
    from PIL import Image  # 60 ms, and only pictures need it

    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    # Pillow warns of a picture that is too large, and refuses one of twice the size: it should refuse at once.
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image = Image.open(buffered(source, _BUDGET), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NotThis(f"Not drawn: it has more than {_MAX_PIXELS // 1_000_000} million pixels.") from error
    except Exception as error:
        _raise_unless_broken(error)
        raise NotThis("The picture is broken: even its size cannot be read.") from error
    with image:
        width, height, mode, kind = image.width, image.height, image.mode, image.format or ""
        notes: tuple[str, ...] = ()
        rows: tuple[tuple[tuple[RGB, RGB], ...], ...] = ()
        frames: int | None = None
        try:
            frames = _frames(image, source.size)
            rows = _half_blocks(_scaled(image, cells), background)
        except Exception as error:  # noqa: BLE001 - a broken file leads Pillow's readers to any exception
            _raise_unless_broken(error)
            notes = ("The picture is cut short or broken, and cannot be drawn.",)
    return ImagePreview(
        kind=f"{kind} image", notes=notes, format=kind, width=width, height=height, mode=mode, frames=frames, rows=rows
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


def _scaled(image: Image.Image, cells: tuple[int, int]) -> Image.Image:
    """As large as the cells allow, but not larger than it is."""
    from PIL.Image import Resampling

    columns, lines = cells
    scale = min(columns / image.width, 2 * lines / image.height, 1)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # A JPEG can be decoded at a fraction of its size.
    image.draft("RGB", size)
    if image.mode.startswith("I"):
        return _eight_bits(image.convert("I").resize(size, Resampling.BOX))
    if image.mode in {"1", "P"} or "transparency" in image.info:
        image = image.convert("RGBA")
    return image.resize(size, Resampling.LANCZOS, reducing_gap=2.0)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Of a grey picture with sixteen bits for each pixel, which Pillow would clip."""
    return image.point(lambda value: value * (1 / 256) + 0).convert("L")


def _half_blocks(image: Image.Image, background: RGB) -> tuple[tuple[tuple[RGB, RGB], ...], ...]:
    from PIL import Image

    canvas = Image.new("RGB", (image.width, image.height + image.height % 2), background)
    image = image.convert("RGBA")
    canvas.paste(image, mask=image)
    data = canvas.tobytes()
    lines = [_pixels(data[start : start + 3 * canvas.width]) for start in range(0, len(data), 3 * canvas.width)]
    return tuple(tuple(zip(upper, lower, strict=True)) for upper, lower in zip(lines[::2], lines[1::2], strict=True))


def _pixels(line: bytes) -> list[RGB]:
    return list(zip(line[::3], line[1::3], line[2::3], strict=True))
