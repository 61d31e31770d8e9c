"""Draws a picture by iTerm2's protocol, or as sixels: it is painted over cells that are blank for Textual.

The terminal removes it from cells in which text is written, so it vanishes with the widget. Whatever Textual has repainted has
to be painted again, but not where something else lies on the widget.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from textual.geometry import Region

from mldeck.artifacts.previews.tile_crop import crop_png, crop_sixels
from mldeck.artifacts.previews.values import Tiles


def paint_commands(
    tiles: Tiles, parts: Iterable[tuple[Region, Region]], sixel_cell: tuple[int, int] | None = None
) -> str:
    """Return the commands that paint parts of a picture. Each is given by its cells in the picture, and on the screen.

    `sixel_cell`: the size of a cell in pixels, for sixels. The cursor stays where it is. Call it off the event loop.
    """
    painted = []
    for part, place in parts:
        command = _iterm(tiles, part) if sixel_cell is None else _sixels(tiles, part, sixel_cell)
        painted.append(f"\x1b7\x1b[{place.y + 1};{place.x + 1}H{command}\x1b8")
    return "".join(painted)


def _iterm(tiles: Tiles, part: Region) -> str:
    file = crop_png(tiles, *part)
    options = f"inline=1;size={len(file)};width={part.width};height={part.height};preserveAspectRatio=0"
    return f"\x1b]1337;File={options}:{base64.b64encode(file).decode()}\x07"


def _sixels(tiles: Tiles, part: Region, cell: tuple[int, int]) -> str:
    return f"\x1bP0;1;0q{crop_sixels(tiles, *part, cell).decode()}\x1b\\"


def uncovered(region: Region, covers: Iterable[Region]) -> list[Region]:
    """Return what is left of a region, as regions that do not overlap."""
    left = [region]
    for cover in covers:
        left = [part for each in left for part in _without(each, cover)]
    return left


def _without(region: Region, cover: Region) -> list[Region]:
    hidden = region.intersection(cover)
    if not hidden:
        return [region]
    parts = (
        Region.from_corners(region.x, region.y, region.right, hidden.y),
        Region.from_corners(region.x, hidden.y, hidden.x, hidden.bottom),
        Region.from_corners(hidden.right, hidden.y, region.right, hidden.bottom),
        Region.from_corners(region.x, hidden.bottom, region.right, region.bottom),
    )
    return [part for part in parts if part]
