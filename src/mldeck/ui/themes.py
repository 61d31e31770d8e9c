"""mldeck's own colours: one accent, calm greys, and states that are told apart by their sign as well."""

from __future__ import annotations

from textual.theme import BUILTIN_THEMES, Theme

from mldeck.errors import UsageError, did_you_mean

_DARK = Theme(
    name="mldeck-dark",
    primary="#6cb6ff",
    secondary="#768390",
    accent="#6cb6ff",
    success="#6bc46d",
    warning="#daaa3f",
    error="#f47067",
    foreground="#cdd9e5",
    background="#16191d",
    surface="#16191d",
    panel="#1f2429",
    dark=True,
)

_LIGHT = Theme(
    name="mldeck-light",
    primary="#0a5cad",
    secondary="#6e7781",
    accent="#0a5cad",
    success="#116329",
    warning="#7d4e00",
    error="#b3161d",
    foreground="#24292f",
    background="#ffffff",
    surface="#ffffff",
    panel="#f0f3f6",
    dark=False,
)

_COLOUR_BLIND = Theme(
    name="mldeck-colour-blind",
    primary="#56b4e9",
    secondary="#8a8f98",
    accent="#56b4e9",
    success="#56b4e9",
    warning="#f0e442",
    error="#e69f00",
    foreground="#dfe3e8",
    background="#14161a",
    surface="#14161a",
    panel="#1e2126",
    dark=True,
)
"""Blue, yellow and orange of Okabe and Ito, which stay apart for all common kinds of colour blindness."""

THEMES = (_DARK, _LIGHT, _COLOUR_BLIND)


def check_theme(name: str) -> None:
    """Raise `UsageError` for a theme that neither mldeck nor Textual has."""
    known = sorted({*BUILTIN_THEMES, *(theme.name for theme in THEMES)})
    if name not in known:
        raise UsageError(f"no theme {name}{did_you_mean(name, known)}; there are {', '.join(known)}")
