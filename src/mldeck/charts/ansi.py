"""A picture as text for a terminal, with as many colours as the terminal has."""

from __future__ import annotations

from enum import Enum

from mldeck.charts.palette import DARK, Palette, parts
from mldeck.charts.picture import Ink, Picture, Role, spans

_RESET = "\x1b[0m"
_BOLD, _FAINT = "1", "2"
# The sixteen colours by role; the terminal decides what they look like.
_SIXTEEN_SERIES = (94, 33, 92, 95, 91, 96, 93, 35)
_SIXTEEN_SCALE = (35, 35, 34, 34, 94, 36, 36, 96, 32, 92, 93, 93)
_SIXTEEN_ROLES = {Role.AXIS: 90, Role.WARNING: 93, Role.ACCENT: 94}
_CUBE = (0, 95, 135, 175, 215, 255)
"""The six levels of red, green and blue in the 256-colour cube."""


class Depth(Enum):
    """The number of colours of a terminal."""

    NONE = "none"
    SIXTEEN = "16"
    EIGHT_BIT = "256"
    TRUE = "true"


def to_ansi(picture: Picture, palette: Palette = DARK, depth: Depth = Depth.TRUE) -> str:
    """Return rows separated by newlines. Each row ends by resetting the colours; the background is not set."""
    if depth is Depth.NONE:
        return picture.text
    rows = []
    for row in picture.rows:
        text = ""
        for part, ink in spans(row):
            codes = "" if part.isspace() else _codes(ink, palette, depth)
            text += f"\x1b[{codes}m{part}{_RESET}" if codes else part
        rows.append(text.rstrip(" "))
    return "\n".join(rows)


def _codes(ink: Ink, palette: Palette, depth: Depth) -> str:
    codes = [_BOLD] if ink.is_strong else []
    if depth is Depth.SIXTEEN:
        codes += [_FAINT] if ink.is_faint else []
        codes += [str(code) for code in [_sixteen_colour_code(ink)] if code]
    elif ink.role is not Role.TEXT or ink.is_faint:  # plain text keeps the terminal's own colour
        red, green, blue = parts(palette.colour(ink))
        codes += [f"38;2;{red};{green};{blue}" if depth is Depth.TRUE else f"38;5;{_nearest_of_256(red, green, blue)}"]
    return ";".join(codes)


def _sixteen_colour_code(ink: Ink) -> int | None:
    """Return the SGR code of an ink; None for the terminal's own colour."""
    if ink.role is Role.SERIES:
        return _SIXTEEN_SERIES[ink.index % len(_SIXTEEN_SERIES)]
    if ink.role is Role.SCALE:
        return _SIXTEEN_SCALE[min(max(ink.index, 0), len(_SIXTEEN_SCALE) - 1)]
    return _SIXTEEN_ROLES.get(ink.role)


def _nearest_of_256(*wanted: int) -> int:
    """Return the nearest of the 256 colours, from the colour cube or the greys."""
    red, green, blue = (min(range(6), key=lambda level: abs(_CUBE[level] - part)) for part in wanted)
    grey = min(range(24), key=lambda step: abs(8 + 10 * step - sum(wanted) / 3))
    of_cube = (_CUBE[red], _CUBE[green], _CUBE[blue])

    def distance(colour: tuple[int, ...]) -> int:
        return sum((one - two) ** 2 for one, two in zip(colour, wanted, strict=True))

    return 232 + grey if distance((8 + 10 * grey,) * 3) < distance(of_cube) else 16 + 36 * red + 6 * green + blue
