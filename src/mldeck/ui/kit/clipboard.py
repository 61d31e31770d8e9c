"""Copies text to the terminal's clipboard or to tmux's buffer, and says which of the two.

Applications reach the clipboard of the user's own terminal with OSC 52, also over SSH; no terminal confirms it. tmux ignores
OSC 52 by default, but has a buffer of its own, and passes that on to the terminal if it is told to.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from mldeck.ui.kit.threads import in_thread

_PATIENCE_S = 2.0
"""Seconds that tmux may take."""

_LOAD = (("load-buffer", "-w", "-"), ("load-buffer", "-"))
"""Commands to try in turn: with the terminal's clipboard, which tmux can set since 3.2, then without."""


@dataclass
class CopyAsked(Message):
    """Asks the application to copy a text."""

    text: str
    what: str
    """The object of "Copied …" in the notification."""


class Clipboard:
    """Copies texts one after the other, so that the last one stays."""

    def __init__(self, send: Callable[[str], None]) -> None:
        """`send` passes a text to the terminal."""
        self._send = send
        self._in_tmux = bool(os.environ.get("TMUX"))
        self._behind_tmux = os.environ.get("TERM", "").startswith(("tmux", "screen"))
        """Whether the terminal is a tmux, possibly on another machine: only the terminal's name is known here."""
        self._loading = asyncio.Lock()

    async def put(self, text: str, what: str) -> str:
        """Copy a text, and return the message about it."""
        if self._in_tmux and text:  # tmux has no empty buffers.
            async with self._loading:
                if await in_thread(_load_buffer, text):
                    return f"Copied {what} to tmux's buffer"
        self._send(text)
        if self._behind_tmux:
            return f"Sent {what} to the terminal; tmux lets it through only with: set -g set-clipboard on"
        return f"Sent {what} to the terminal's clipboard"


def _load_buffer(text: str) -> bool:
    """Return whether tmux took the text. The text is passed on stdin, not in the command."""
    for words in _LOAD:
        try:
            ended = subprocess.run(
                ["tmux", *words],
                input=text.encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        if ended.returncode == 0:
            return True
    return False
