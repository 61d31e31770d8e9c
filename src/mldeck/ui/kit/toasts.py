"""The length of messages in toasts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual.content import Content

from mldeck.format import cut_middle

_MOST_LINES = 3
_SHARE = 0.9
"""The largest share of the terminal's width, as in the style sheet."""
_FRAME = 3
"""Cells of its border and padding."""
_LONG_WORDS = (120, 80, 60, 40, 30, 20, 12)
"""Lengths that words are cut to, the first that is short enough."""


def toast_text(message: str, terminal_width: int) -> str:
    """Shorten a message to three lines. Long names lose their middle first, then the whole message does: what a message
    begins and ends with says what happened, and which key undoes it.
    """
    width = max(1, int(terminal_width * _SHARE) - _FRAME)
    return next((text for text in _ever_shorter(message, _MOST_LINES * width) if _fits(text, width)), "")


def _ever_shorter(message: str, length: int) -> Iterator[str]:
    yield message
    for longest in _LONG_WORDS:
        message = re.sub(rf"\S{{{longest + 1},}}", lambda found, most=longest: cut_middle(found.group(), most), message)  # type: ignore[misc]
        yield message
    for shorter in range(length, 0, -1):
        yield cut_middle(message, shorter)


def _fits(text: str, width: int) -> bool:
    return len(text) <= _MOST_LINES * width and len(Content(text).wrap(width)) <= _MOST_LINES
