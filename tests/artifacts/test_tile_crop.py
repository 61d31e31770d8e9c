"""Parts of an image, cut out of its tiles: as PNG files, and as sixels."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from mldeck.artifacts.previews.preview import PreviewRequest, preview
from mldeck.artifacts.previews.tile_crop import crop_png, crop_sixels
from mldeck.artifacts.previews.values import ImagePreview, Tiles
from tests.artifacts.sources import Bytes
from tests.terminal.graphics_terminal import difference, sixel_image

IMAGE = Image.merge("RGB", [Image.linear_gradient("L").resize((1_400, 1_100)).rotate(angle) for angle in (0, 90, 200)])
CELL = (10, 21)


@pytest.fixture(scope="module")
def tiles() -> Tiles:
    """Three beside each other, and two below."""
    stream = io.BytesIO()
    IMAGE.save(stream, "PNG")
    found = preview(Bytes(stream.getvalue(), "a.png"), PreviewRequest(cells=(140, 52), cell_pixels=CELL))
    assert isinstance(found, ImagePreview)
    assert found.tiles is not None
    assert len(found.tiles.files) == 6
    return found.tiles


PARTS = ((0, 0, 139, 52), (0, 0, 1, 1), (60, 30, 10, 5), (63, 31, 2, 2), (64, 32, 64, 20), (10, 40, 120, 1))


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_an_image(tiles: Tiles, part: tuple[int, int, int, int]) -> None:
    left, top, columns, lines = part
    scale = IMAGE.height / (tiles.lines * CELL[1])
    area = tuple(value * scale for value in (left * CELL[0], top * CELL[1], columns * CELL[0], lines * CELL[1]))
    box = area[0], area[1], min(IMAGE.width, area[0] + area[2]), min(IMAGE.height, area[1] + area[3])
    size = columns * CELL[0], lines * CELL[1]
    wanted = IMAGE.resize(size, Image.Resampling.BILINEAR, box)
    with Image.open(io.BytesIO(crop_png(tiles, *part))) as found:
        assert difference(found.resize(size), wanted) < 4
    sixels = sixel_image(crop_sixels(tiles, *part, CELL))
    assert sixels.size == size
    assert difference(sixels, wanted) < 12
