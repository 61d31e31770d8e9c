"""Detects whether bytes are text, and in which encoding."""

from __future__ import annotations

import codecs

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LONGEST_CHARACTER = 4
# Control characters that texts contain: training logs are full of bells, backspaces, carriage returns and escape
# sequences.
_TEXT_CONTROLS = frozenset(b"\a\b\t\n\f\r\x1b")
_CONTROLS = frozenset(range(0x20)) - _TEXT_CONTROLS | {0x7F}
_LATIN_CONTROLS = _CONTROLS | frozenset(range(0x80, 0xA0))
_MAX_CONTROLS = 0.02


def text_encoding(head: bytes) -> str | None:
    """Return the encoding of a text that starts with `head`, or None if it is not text. Latin-1 is the last resort."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        return None
    if _is_utf8(head):
        return "utf-8" if _control_share(head, _CONTROLS) <= _MAX_CONTROLS else None
    return "latin-1" if _control_share(head, _LATIN_CONTROLS) <= _MAX_CONTROLS else None


def decode(data: bytes, encoding: str) -> str:
    """Decode bytes, dropping the byte order mark; invalid bytes become U+FFFD."""
    return data.decode(encoding, errors="replace").removeprefix("\ufeff")


def _is_utf8(head: bytes) -> bool:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The head may end inside a character.
        return error.reason == "unexpected end of data" and len(head) - error.start < _LONGEST_CHARACTER
    return True


def _control_share(head: bytes, controls: frozenset[int]) -> float:
    return sum(map(head.count, map(_byte, controls))) / max(1, len(head))


def _byte(code: int) -> bytes:
    return bytes((code,))
