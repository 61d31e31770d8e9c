"""The colours of charts, the same on the screen, in printed output and in files.

Series colours differ in hue and brightness; those for colour blindness are Okabe and Ito's. Colour scales change evenly
in brightness (viridis, and cividis for colour blindness), and start near the background: low values are close to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mldeck.charts.picture import Ink, Role

_FAINT_SHARE = 0.5
"""The share of its own colour that a faint ink keeps; the rest is background."""


@dataclass(frozen=True)
class Palette:
    """A set of colours, as #rrggbb."""

    name: str
    foreground: str
    background: str
    axis: str
    warning: str
    accent: str
    series: tuple[str, ...]
    """The series colours by number."""
    scale: tuple[str, ...]
    """The colour scale from the lowest value to the highest."""

    def colour(self, ink: Ink) -> str:
        """Return the colour of an ink as #rrggbb."""
        colour = self._full_colour(ink)
        return mixed(colour, self.background, _FAINT_SHARE) if ink.is_faint else colour

    def is_bold(self, ink: Ink) -> bool:
        return ink.is_strong

    def _full_colour(self, ink: Ink) -> str:
        if ink.role is Role.SERIES:
            return self.series[ink.index % len(self.series)]
        if ink.role is Role.SCALE:
            return self.scale[min(max(ink.index, 0), len(self.scale) - 1)]
        return {
            Role.TEXT: self.foreground,
            Role.AXIS: self.axis,
            Role.WARNING: self.warning,
            Role.ACCENT: self.accent,
        }[ink.role]


def parts(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue (0–255) of #rrggbb."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(colour: str, other: str, share: float) -> str:
    """Mix `share` of one colour with the rest of the other."""
    both = zip(parts(colour), parts(other), strict=True)
    return "#" + "".join(f"{round(one * share + two * (1 - share)):02x}" for one, two in both)


DARK = Palette(
    "dark",
    foreground="#cdd9e5",
    background="#16191d",
    axis="#768390",
    warning="#daaa3f",
    accent="#6cb6ff",
    series=tuple("#6cb6ff #f69d50 #6bc46d #dcbdfb #f47067 #56d4dd #e0c53d #fc8dc7".split()),
    scale=tuple(
        "#7f62b8 #7076c4 #5b88c8 #4a97c4 #3fa4bd #3aafb0 #44ba9f #5cc68b #83d174 #abdb5c #d3e448 #fdeb4a".split()
    ),
)

LIGHT = Palette(
    "light",
    foreground="#24292f",
    background="#ffffff",
    axis="#6e7781",
    warning="#7d4e00",
    accent="#0a5cad",
    series=tuple("#0a5cad #bc4c00 #1a7f37 #8250df #cf222e #1b7c83 #7d6500 #bf3989".split()),
    scale=tuple(
        "#8f9a10 #7c9a2c #689840 #549452 #438f62 #378970 #2f817b #2c7782 #306b84 #375e80 #3d5077 #42336f".split()
    ),
)

COLOUR_BLIND = Palette(
    "colour-blind",
    foreground="#dfe3e8",
    background="#14161a",
    axis="#8a8f98",
    warning="#f0e442",
    accent="#56b4e9",
    # Okabe and Ito's colours, with black replaced by grey for a dark background, and blue lightened.
    series=tuple("#56b4e9 #e69f00 #009e73 #cc79a7 #d55e00 #f0e442 #4a8fd0 #b0b5bd".split()),
    scale=tuple(
        "#4a72b8 #5f7db0 #7087a8 #7f90a2 #8d999c #9ba394 #a9ad8b #b8b77f #c7c172 #d6cb64 #e8d955 #fdea45".split()
    ),
)

PALETTES = {palette.name: palette for palette in (DARK, LIGHT, COLOUR_BLIND)}
