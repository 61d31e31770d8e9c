"""Finds out how the terminal draws pictures, and sends them to it.

The terminal is asked once, when the first picture is opened, and its answers arrive among the keys. The last question is one
that every terminal answers, so its answer says that there are no more to come.
"""

from __future__ import annotations

import asyncio
import os
import re
import struct
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, Protocol, runtime_checkable

from textual.app import App

from mldeck.ui.textual_patches.app import PatchedApp


class Way(Enum):
    """The ways in which terminals draw pictures; the values are those of the setting."""

    BLOCKS = "blocks"
    """Half blocks: characters in two colours."""
    KITTY = "kitty"
    """kitty's protocol, with placeholders in the cells."""
    ITERM = "iterm"
    """iTerm2's protocol: a picture is painted where the cursor is."""
    SIXEL = "sixel"
    """DEC's sixels, painted where the cursor is."""


_QUESTIONS = "\x1b[>q\x1b[16t\x1b[c"
"""The name and version of the terminal, the size of a cell in pixels, and its attributes."""
_NAMED = re.compile(r"\x1bP>\|(?P<name>[A-Za-z]+2?)[ (]?(?P<version>[0-9.]{0,20})")
_CELL = re.compile(r"\x1b\[6;(\d+);(\d+)t")
_PLACEHOLDERS_SINCE = {"kitty": (0, 28), "ghostty": (0,)}
"""The versions from which on terminals know kitty's placeholders. Others know the protocol, but not these."""
_PAINTING = ("iterm2", "wezterm")
"""Terminals that know iTerm2's protocol, and remove a picture from cells in which text is written."""
_KEEPING = ("konsole",)
"""Terminals that have sixels, but are not known to remove them from cells in which text is written."""
_SIXELS = "4"
"""The attribute of terminals with sixels."""
_PATIENCE_S = 0.5
"""Seconds that a picture waits for the answers. Later ones count for the next picture."""
_SILENT = ("linux", "dumb", "screen", "tmux")
"""How the names of terminals begin that are not asked. In tmux and screen the answers would be about these."""
_USUAL_CELL = (10, 20)
_CELL_SIDES = range(2, 200)
"""Believable widths and heights of a cell in pixels."""


class Graphics:
    """How the terminal draws pictures. All of it runs in the event loop."""

    def __init__(self, app: PatchedApp[Any], wanted: str, environment: Mapping[str, str] = os.environ) -> None:
        """`wanted`: the value of a `Way`; anything else leaves the choice to the terminal."""
        self._app = app
        self._wanted = next((way for way in Way if way.value == wanted), None)
        name = environment.get("TERM", "")
        is_between = any(environment.get(variable) for variable in ("TMUX", "STY"))
        self._is_silent = is_between or name.startswith(_SILENT) or environment.get("TERM_PROGRAM") == "Apple_Terminal"
        self._asked_at: float | None = None
        self._answered = asyncio.Event()
        self._name = ""
        self._named = Way.BLOCKS
        """By the name and the attributes of the terminal."""
        self._told_cell: tuple[int, int] | None = None

    @property
    def _can_draw(self) -> bool:
        return not (self._app.is_headless or self._app.no_color)

    @property
    def way(self) -> Way:
        """The way that is known by now; half blocks before the terminal was asked."""
        if self._asked_at is None or not self._can_draw:
            return Way.BLOCKS
        way = self._wanted or self._named
        # Placeholders name their picture by a 24-bit colour.
        return Way.BLOCKS if way is Way.KITTY and self._app.console.color_system != "truecolor" else way

    @property
    def cell_pixels(self) -> tuple[int, int] | None:
        """The width and height of a cell in pixels; None if pictures are half blocks."""
        if self.way is Way.BLOCKS:
            return None
        return _system_cell() or self._told_cell or _USUAL_CELL

    async def learn(self) -> Way:
        """Ask the terminal if that has not been done, and return the way once it is known, or after half a second."""
        if self._asked_at is None:
            self._ask()
        left = self._asked_at + _PATIENCE_S - time.monotonic() if self._asked_at is not None else 0
        if left > 0:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._answered.wait(), left)
        return self.way

    def _ask(self) -> None:
        if self._wanted is Way.BLOCKS or not self._can_draw:
            return
        self._asked_at = time.monotonic()
        if self._is_silent or not self._app.expect_answers(True):
            self._answered.set()
        else:
            self._app.write_to_terminal(_QUESTIONS)

    def note(self, answer: str) -> None:
        """Take an answer of the terminal. Those that nobody asked for any more are ignored."""
        if self._asked_at is None or self._answered.is_set():
            return
        named, cell = _NAMED.match(answer), _CELL.match(answer)
        if named is not None:
            self._name = named["name"].lower()
            self._named = _way_of(self._name, named["version"])
        elif cell is not None:
            self._told_cell = _believable(int(cell[2]), int(cell[1]))
        elif answer.endswith("c"):
            has_sixels = _SIXELS in answer[3:-1].split(";")[1:] and self._name not in _KEEPING
            if has_sixels and self._named is Way.BLOCKS:
                self._named = Way.SIXEL
            self._app.expect_answers(False)
            self._answered.set()

    def write(self, commands: str) -> None:
        """Send commands to the terminal, before what is painted next."""
        self._app.write_to_terminal(commands)


@runtime_checkable
class _HasGraphics(Protocol):
    graphics: Graphics


def graphics_of(app: App[Any]) -> Graphics | None:
    return app.graphics if isinstance(app, _HasGraphics) else None


def _way_of(name: str, version: str) -> Way:
    """Return how a terminal draws pictures, by the name that it gives itself."""
    since = _PLACEHOLDERS_SINCE.get(name)
    if since is not None and _version(version) >= since:
        return Way.KITTY
    return Way.ITERM if name in _PAINTING else Way.BLOCKS


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part)


def _system_cell() -> tuple[int, int] | None:
    """Return the size of a cell by what the system knows of the window, which follows changes of the font."""
    if sys.platform == "win32" or sys.__stdin__ is None:
        return None
    import fcntl
    import termios

    try:
        found = fcntl.ioctl(sys.__stdin__.fileno(), termios.TIOCGWINSZ, bytes(8))
    except (OSError, ValueError):
        return None
    lines, columns, width, height = struct.unpack("HHHH", found)
    return _believable(width // columns, height // lines) if lines and columns else None


def _believable(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width in _CELL_SIDES and height in _CELL_SIDES else None
