"""Titles in borders."""

from __future__ import annotations

from textual.content import Content

from mldeck.format import safe
from mldeck.ui.textual_patches.widgets import Title


def title_of(text: str) -> Content:
    """Return a text, made safe, as the title of a border. If it does not fit, its middle is left out."""
    return Title(safe(text))
