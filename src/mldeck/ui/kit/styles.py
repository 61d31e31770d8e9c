"""The styles of what widgets paint line by line, made from the colours of the theme.

Not component classes of Textual's stylesheets: each of them is a node that is styled again and again for each widget, which
took as long as painting the first frame.
"""

from __future__ import annotations

from typing import NamedTuple

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.widget import Widget


class _Look(NamedTuple):
    colour: str = ""
    """A variable of the theme; empty: the widget's own."""
    share: float = 1.0
    """How much of it; the rest is the background."""
    background: str = ""
    background_share: float = 1.0
    bold: bool = False
    italic: bool = False


_OWN = -1
"""Among the terminal's colours, the one that it has by itself."""

_LOOKS = {
    "header": _Look("foreground", 0.6),
    "header-cursor": _Look("foreground", bold=True),
    "group": _Look("foreground", 0.4, italic=True),
    "sorted": _Look("accent", bold=True),
    "cursor": _Look(background="accent", background_share=0.25, bold=True),
    "cursor-blurred": _Look(background="foreground", background_share=0.08),
    "card-cursor": _Look(background="accent", background_share=0.15),
    "cursor-cell": _Look(background="accent", background_share=0.5, bold=True),
    "dim": _Look("foreground", 0.55),
    "faint": _Look("foreground", 0.3),
    "accent": _Look("accent"),
    "name": _Look("accent", bold=True),
    "good": _Look("success"),
    "bad": _Look("error"),
    "warn": _Look("warning"),
    "trouble": _Look("warning", bold=True),
    "match": _Look("background", background="warning"),
}


def style_named(widget: Widget, name: str) -> Style:
    """The style of a name, with translucent colours laid over the background of the widget.

    `series-0` … and `scale-0` … are the colours of charts.
    """
    look = _LOOKS.get(name)
    if look is None:
        from mldeck.ui.kit.chart_styles import ink_style, named_ink  # not needed to show the first runs

        return ink_style(widget, named_ink(name))
    base = widget.rich_style
    _, behind = widget.background_colors
    colour = _mixed(widget, look.colour, look.share, behind)
    background = _mixed(widget, look.background, look.background_share, behind)
    return Style(
        color=colour.rich_color if colour else base.color if background else None,
        bgcolor=background.rich_color if background else None,
        bold=look.bold or None,
        italic=look.italic or None,
        # A tint of the terminal's own colour cannot be had.
        underline=True if background is not None and background.ansi == _OWN else None,
    )


def _mixed(widget: Widget, variable: str, share: float, behind: Color) -> Color | None:
    """None for no colour of its own, and where the theme leaves its colours to the terminal."""
    if not variable:
        return None
    try:
        colour = Color.parse(widget.app.theme_variables[variable])
    except (KeyError, ColorParseError):
        return None
    return colour if share >= 1 or colour.ansi is not None else behind.blend(colour, share)
