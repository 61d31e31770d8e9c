"""Tells the answers of the terminal from keys. Textual takes an answer that it does not know for typed keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from threading import Event

from textual import constants
from textual._xterm_parser import XTermParser
from textual.events import Key
from textual.message import Message

_ANSWER = re.compile(
    r"(?P<whole>\x1bP>\|[^\x1b\x07]*\x1b\\"  # the name and version of the terminal
    r"|\x1b\[\?[0-9;]*c"  # its attributes
    r"|\x1b\[6;\d{1,5};\d{1,5}t)"  # the height and width of a cell in pixels
    # The beginning of an answer, and then a key. Textual knows the mode reports, which have a `$`.
    r"|\x1bP>\|[^\x1b\x07]*(?:\x1b(?=\x1b)|(?=\x1b[^\\]))|\x1b\[\?[0-9;]*(?=[^0-9;c$])"
)
_BEGINNING = re.compile(r"\x1b(?:P(?:>(?:\|[^\x1b\x07]*\x1b?)?)?|\[(?:\?[0-9;]*|6(?:;[0-9;]*)?)?)?\Z")
"""The beginning of an answer at the end of what has arrived."""
_MAY_BE_KEY = re.compile(r"\x1b(?:P>?|\[6?)?")
_WORD_JUMPS = ("\x1bf", "\x1bb")
_PATIENCE_S = 3.0
"""Seconds between two parts of an answer."""


class TerminalAnswer(Message):
    """Posted to the application when the terminal has answered a question."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class AnswerParser(XTermParser):
    """Textual's parser of keys, which also knows some answers. It runs in the thread that reads keys.

    Relies on the two methods that this thread calls: `feed` for what has arrived, and `tick` every 0.1 s; and on
    `_sequence_to_key_events`.
    """

    def __init__(self, is_expecting: Event, debug: bool = False) -> None:
        """`is_expecting` is set from a question until its answers have arrived. Else nothing is kept from Textual."""
        super().__init__(debug)
        self._is_expecting = is_expecting
        self._held = ""
        self._held_at = 0.0

    def feed(self, data: str) -> Iterable[Message]:
        if data and (self._held or self._is_expecting.is_set()):
            yield from self._split(self._held + data)
        else:
            yield from super().feed(data)

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[Key]:
        """Take Esc and `f` or `b` that arrive together for Alt and the letter, as Textual does with all other letters.

        Textual takes them for ctrl+right and ctrl+left. `KeyQueue` makes them that in a text field alone.
        """
        if sequence in _WORD_JUMPS:
            sequence, alt = sequence[1], True
        return super()._sequence_to_key_events(sequence, alt)

    def _split(self, data: str) -> Iterator[Message]:
        at, self._held = 0, ""
        for found in _ANSWER.finditer(data):
            yield from self._keys(data[at : found.start()])
            if found["whole"]:
                yield TerminalAnswer(found["whole"])
            at = found.end()
        data = data[at:]
        beginning = _BEGINNING.search(data)
        if beginning is not None:
            self._held, self._held_at = beginning.group(), time.monotonic()
            data = data[: beginning.start()]
        yield from self._keys(data)

    def _keys(self, data: str) -> Iterable[Message]:
        return super().feed(data) if data else ()

    def tick(self) -> Iterable[Message]:
        """Give up waiting for the rest of an answer. A beginning that may be a key is one; another is dropped."""
        held = self._held
        may_be_key = _MAY_BE_KEY.fullmatch(held) is not None
        if held and time.monotonic() - self._held_at >= (constants.ESCAPE_DELAY if may_be_key else _PATIENCE_S):
            self._held = ""
            if may_be_key:
                yield from self._keys(held)
        yield from super().tick()
