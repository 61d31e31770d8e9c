"""The terminal as Textual drives it, without what would end the deck or hide it.

Textual decodes standard input strictly and parses it with exceptions of its own, and it draws on the standard error, which
people redirect.
"""

from __future__ import annotations

import sys
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable
from functools import partial
from typing import Any

from textual.driver import Driver


def forgiving(driver_class: type[Driver]) -> type[Driver]:
    """The same driver, in a form that no input ends; on Windows, Textual's own."""
    if sys.platform == "win32":
        return driver_class
    from textual.drivers import linux_driver
    from textual.drivers.linux_driver import LinuxDriver

    if driver_class is not LinuxDriver:
        return driver_class

    class ForgivingDriver(LinuxDriver):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            if sys.__stderr__ is None or not sys.__stderr__.isatty():
                self._file = sys.__stdout__

        def run_input_thread(self) -> None:
            """Read keys until the deck is left. A sequence that makes no key is dropped, with what arrived with it."""
            linux_driver.getincrementaldecoder = _forgiving_decoder  # type: ignore[attr-defined, assignment]
            while True:
                try:
                    super().run_input_thread()
                except (ValueError, OverflowError):  # of numbers in a sequence
                    continue
                return

    return ForgivingDriver


def _forgiving_decoder(encoding: str) -> Callable[[], IncrementalDecoder]:
    """A decoder that puts U+FFFD in the place of bytes that mean nothing."""
    return partial(getincrementaldecoder(encoding), errors="replace")
