"""A driver for the terminal that no input and no lost terminal can end, and that can ask the terminal something.

Textual decodes standard input strictly and parses it with exceptions of its own, and it draws on the standard error, which
people redirect.
"""

from __future__ import annotations

import sys
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from threading import Event
from typing import IO, Any, cast

from textual.driver import Driver
from textual.events import Resize
from textual.message import Message
from textual.messages import InBandWindowResize

from mldeck.ui.textual_patches.answers import AnswerParser


def forgiving(driver_class: type[Driver]) -> type[Driver]:
    """Return a subclass of Textual's driver that no input ends; on Windows, the driver itself.

    Relies on `run_input_thread`, on the decoder and the parser that it makes, on `_file`, and on
    `_query_in_band_window_resize`.
    """
    if sys.platform == "win32":
        return driver_class
    from textual.drivers import linux_driver
    from textual.drivers.linux_driver import LinuxDriver

    if driver_class is not LinuxDriver:
        return driver_class

    class ForgivingDriver(LinuxDriver):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            is_drawn_on_errors = sys.__stderr__ is not None and sys.__stderr__.isatty()
            self._file = cast("TextIOWrapper", _Output(sys.__stderr__ if is_drawn_on_errors else sys.__stdout__))
            self.is_expecting = Event()
            """Set as long as the terminal may answer: its answers are posted, and not taken for keys."""

        def _query_in_band_window_resize(self) -> None:
            """Do not ask the terminal to report its size among the keys: the system knows it."""

        def process_message(self, message: Message) -> None:
            """Ignore sizes that are typed or pasted: drawing a screen of a million columns would never end."""
            if not isinstance(message, (Resize, InBandWindowResize)):
                super().process_message(message)

        def run_input_thread(self) -> None:
            """Read keys until the application ends. An invalid sequence is dropped, with the keys that arrived with it."""
            linux_driver.getincrementaldecoder = _forgiving_decoder  # type: ignore[attr-defined, assignment]
            linux_driver.XTermParser = partial(AnswerParser, self.is_expecting)  # type: ignore[attr-defined, assignment]
            while True:
                try:
                    super().run_input_thread()
                except (ValueError, OverflowError):  # of numbers in a sequence
                    continue
                return

    return ForgivingDriver


class _Output:
    """The terminal; nothing is written once it is gone.

    The thread that writes would end with an error then, and the deck wait for it for good, deaf to signals.
    """

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            if self._file is not None:
                self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            if self._file is not None:
                self._file.flush()

    def fileno(self) -> int:
        return -1 if self._file is None else self._file.fileno()


def _forgiving_decoder(encoding: str) -> Callable[[], IncrementalDecoder]:
    """Return a decoder that replaces invalid bytes with U+FFFD."""
    return partial(getincrementaldecoder(encoding), errors="replace")
