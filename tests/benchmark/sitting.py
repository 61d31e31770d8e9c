"""A deck on a terminal, timed.

What arrives is stamped at once and drawn only in a pause: drawing takes processor time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.processes import descendants
from tests.terminal.terminal import MLDECK, Terminal

COLS, ROWS = 120, 40
A_RUN = re.compile(r"[✓✗■►○!] +[a-z]+-[a-z]+-\d+ ")
QUIET_S = 0.08
"""Shorter than the pause after which the deck reads the details of the run that the cursor stopped at."""
PAUSE_S = 0.5
"""After which what has arrived is drawn."""
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Burst:
    """What came of a key, up to the first pause."""

    first_s: float
    last_s: float
    data: bytes


def opened(store: Path, ready: str | re.Pattern[str] = A_RUN, *, cwd: Path | None = None) -> Terminal:
    """Everything that the first screen says has been read."""
    terminal = Terminal([MLDECK, store], cols=COLS, rows=ROWS, emulate=False, cwd=cwd)
    try:
        moment(terminal, lambda: shows(terminal, ready))
        terminal.settle(1.0)
        draw(terminal)
    except BaseException:
        terminal.close()
        raise
    return terminal


def shows(terminal: Terminal, wanted: str | re.Pattern[str]) -> bool:
    text = terminal.text
    return wanted in text if isinstance(wanted, str) else wanted.search(text) is not None


def time_to(terminal: Terminal, keys: str, holds: Callable[[], object]) -> float:
    """Seconds from the keys to what they should bring; then everything that comes of them has come."""
    terminal.chunks.clear()
    sent = terminal.send(keys)
    return moment(terminal, holds) - sent


def press(terminal: Terminal, keys: str, wanted: str | re.Pattern[str]) -> float:
    """Keys, and what is to be on the screen then."""
    return time_to(terminal, keys, lambda: shows(terminal, wanted))


def burst(terminal: Terminal, key: str) -> Burst:
    terminal.chunks.clear()
    sent = terminal.send(key)
    terminal.read(5.0)
    while terminal.read(QUIET_S):
        pass
    chunks = tuple(terminal.chunks)
    terminal.settle(0.3)
    draw(terminal)
    return Burst(chunks[0].time - sent, chunks[-1].time - sent, b"".join(chunk.data for chunk in chunks))


def moment(terminal: Terminal, holds: Callable[[], object]) -> float:
    """When that arrived with which the condition came true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        while terminal.read(PAUSE_S):
            pass
        at = draw(terminal, holds)
        if at is not None:
            return at
    raise AssertionError(terminal.frame())


def draw(terminal: Terminal, holds: Callable[[], object] = lambda: False) -> float | None:
    """Draws what has arrived; the time of the chunk with which the condition came true."""
    found = None
    for chunk in terminal.chunks:
        terminal.feed(chunk.data)
        if found is None and holds():
            found = chunk.time
    terminal.chunks.clear()
    return found


def memory_mb(terminal: Terminal) -> float:
    """Resident memory of the program and the processes below it."""
    return memory_of(terminal.process.pid, *descendants(terminal.process.pid))


def memory_of(*processes: int) -> float:
    """Their resident memory in MB."""
    total = 0
    for each in processes:
        status = Path(f"/proc/{each}/status").read_text()
        total += int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
    return total / 1024
