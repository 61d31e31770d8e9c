"""Draws a picture by iTerm2's protocol: it is painted over cells that are blank for Textual.

The terminal removes it from cells in which text is written, so it vanishes with the widget. Whatever Textual has repainted has
to be painted again, but not where something else lies on the widget.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from textual.geometry import Region

from mldeck.artifacts.previews.tile_crop import crop_png
from mldeck.artifacts.previews.values import Tiles


def paint_commands(tiles: Tiles, parts: Iterable[tuple[Region, Region]]) -> str:
    """Return the commands that paint parts of a picture. Each is given by its cells in the picture, and on the screen.

    The cursor stays where it is. Call it off the event loop.
    """
    return "".join(_painted(tiles, part, place) for part, place in parts)


def _painted(tiles: Tiles, part: Region, place: Region) -> str:
    file = crop_png(tiles, part.x, part.y, part.width, part.height)
    options = f"inline=1;size={len(file)};width={part.width};height={part.height};preserveAspectRatio=0"
    picture = base64.b64encode(file).decode()
    return f"\x1b7\x1b[{place.y + 1};{place.x + 1}H\x1b]1337;File={options}:{picture}\x07\x1b8"


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
