"""The colours of charts: which palette belongs to a theme, and an ink as a style of Rich."""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.widget import Widget

from mldeck.charts.palette import COLOUR_BLIND, DARK, LIGHT, Palette
from mldeck.charts.picture import SERIES_COLOURS, Ink, Role


def palette_of(widget: Widget) -> Palette:
    """mldeck's own themes have theirs; any other theme gets that for dark or for light backgrounds."""
    theme = widget.app.current_theme
    if theme.name == "mldeck-colour-blind":
        return COLOUR_BLIND
    return DARK if theme.dark else LIGHT


def ink_style(widget: Widget, ink: Ink) -> Style:
    """Without a background: that of whatever the picture stands on."""
    return _style(palette_of(widget), ink)


def named_ink(name: str) -> Ink:
    """The ink that `series-3` or `scale-11` stands for."""
    role, _, index = name.rpartition("-")
    number = int(index)
    return Ink(Role(role), number % SERIES_COLOURS if role == Role.SERIES.value else number)


@lru_cache(maxsize=512)
def _style(palette: Palette, ink: Ink) -> Style:
    is_plain = ink == Ink()
    return Style(color=None if is_plain else palette.colour(ink), bold=palette.is_bold(ink) or None)
