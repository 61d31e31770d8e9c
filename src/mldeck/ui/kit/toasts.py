"""The length of messages in toasts."""

from __future__ import annotations

import re

_MAX_WORD, _MAX_MESSAGE = 160, 400
"""In characters; a toast has about sixty to a line. The paths of most files are shorter, so that they are named whole."""
_LONG_WORD = re.compile(rf"\S{{{_MAX_WORD + 1},}}")


def toast_text(message: str) -> str:
    """Shorten a message to a few lines. Long names lose their middle first, then the whole message does: what a
    message begins and ends with says what happened, and which key undoes it.
    """
    shortened = _LONG_WORD.sub(lambda found: _without_middle(found.group(), _MAX_WORD), message)
    return _without_middle(shortened, _MAX_MESSAGE)


def _without_middle(text: str, length: int) -> str:
    if len(text) <= length:
        return text
    end = (length - 1) // 2
    return f"{text[: length - 1 - end]}…{text[-end:]}"
