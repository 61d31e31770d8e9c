"""Named styles for widgets that paint themselves line by line, made from the colours of the theme.

They are not component classes of Textual's stylesheets, because each of those is a node that is styled again for every widget:
that took as long as painting the first frame.
"""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.widget import Widget


class _NamedStyle(NamedTuple):
    colour: str = ""
    """Name of a variable of the theme; empty for the widget's own colour."""
    share: float = 1.0
    """Share of the colour, from 0 to 1; the rest is the background."""
    background: str = ""
    background_share: float = 1.0
    bold: bool = False
    italic: bool = False


_OWN = -1
"""The ANSI index that means the terminal's default colour."""

_STYLES = {
    "header": _NamedStyle("foreground", 0.6),
    "header-cursor": _NamedStyle("foreground", bold=True),
    "group": _NamedStyle("foreground", 0.4, italic=True),
    "sorted": _NamedStyle("accent", bold=True),
    "cursor": _NamedStyle(background="accent", background_share=0.25, bold=True),
    "cursor-blurred": _NamedStyle(background="foreground", background_share=0.08),
    "card-cursor": _NamedStyle(background="accent", background_share=0.15),
    "cursor-cell": _NamedStyle(background="accent", background_share=0.45, bold=True),
    "dim": _NamedStyle("foreground", 0.55),
    "faint": _NamedStyle("foreground", 0.3),
    "accent": _NamedStyle("accent"),
    "name": _NamedStyle("accent", bold=True),
    "good": _NamedStyle("success"),
    "bad": _NamedStyle("error"),
    "warn": _NamedStyle("warning"),
    "trouble": _NamedStyle("warning", bold=True),
    "match": _NamedStyle("background", background="warning"),
}


def style_named(widget: Widget, name: str) -> Style:
    """Return the style of a name for a widget. Translucent colours are blended with the widget's background.

    Names that are not in the table are colours of charts: `series-0` …, `scale-0` ….
    """
    named = _STYLES.get(name)
    if named is None:
        from mldeck.ui.kit.chart_styles import ink_style, named_ink  # Not needed for the first frame.

        return ink_style(widget, named_ink(name))
    base = widget.rich_style
    _, behind = widget.background_colors
    colour = _mixed(widget, named.colour, named.share, behind)
    background = _mixed(widget, named.background, named.background_share, behind)
    return Style(
        color=colour.rich_color if colour else base.color if background else None,
        bgcolor=background.rich_color if background else None,
        bold=named.bold or None,
        italic=named.italic or None,
        # The terminal's default colour cannot be tinted, so the text is underlined.
        underline=True if background is not None and background.ansi == _OWN else None,
    )


def _mixed(widget: Widget, variable: str, share: float, behind: Color) -> Color | None:
    """Return the colour of a theme variable; None if there is no variable, or the theme leaves it to the terminal."""
    if not variable:
        return None
    try:
        colour = Color.parse(widget.app.theme_variables[variable])
    except (KeyError, ColorParseError):
        return None
    return colour if share >= 1 or colour.ansi is not None else behind.blend(colour, share)
