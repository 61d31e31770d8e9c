"""The colours of charts: the palette of a theme, and the Rich style of an ink."""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.widget import Widget

from mldeck.charts.palette import COLOUR_BLIND, DARK, LIGHT, Palette
from mldeck.charts.picture import SERIES_COLOURS, Ink, Role


def palette_of(widget: Widget) -> Palette:
    """Return the palette of the present theme. Themes that are not mldeck's get the one for dark or light backgrounds."""
    theme = widget.app.current_theme
    if theme.name == "mldeck-colour-blind":
        return COLOUR_BLIND
    return DARK if theme.dark else LIGHT


def ink_style(widget: Widget, ink: Ink) -> Style:
    """Return the style of an ink, without a background: the widget's own shows through."""
    return _style(palette_of(widget), ink)


def named_ink(name: str) -> Ink:
    """Return the ink for a name such as `series-3` or `scale-11`."""
    role, _, index = name.rpartition("-")
    number = int(index)
    return Ink(Role(role), number % SERIES_COLOURS if role == Role.SERIES.value else number)


@lru_cache(maxsize=512)
def _style(palette: Palette, ink: Ink) -> Style:
    is_plain = ink == Ink()
    return Style(color=None if is_plain else palette.colour(ink), bold=palette.is_bold(ink) or None)
