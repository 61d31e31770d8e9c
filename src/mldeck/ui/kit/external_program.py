"""Leaves the terminal to the user's pager or editor, or to ssh, while the application is suspended."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from textual.app import App

from mldeck.store.interrupt import Interrupt

_DEFAULTS = {"PAGER": "less", "EDITOR": "vi"}
"""Programs for variables that are not set."""


def run_outside(app: App[str], variable: str, file: Path) -> str:
    """Run the program that `$PAGER` or `$EDITOR` names. Return why that failed, or an empty text.

    No shell is involved, because file names come from others. A variable of blanks names no program: without that check the
    file itself would be run.
    """
    program = os.environ.get(variable) or _DEFAULTS[variable]
    try:
        words = shlex.split(program)
    except ValueError as error:
        return f"${variable} cannot be read: {error}"
    if not any(words[:1]):
        return f"${variable} is set, but names no program"
    with out_of_the_way(app):
        try:
            status = subprocess.run([*words, str(file)], check=False).returncode
        except (OSError, ValueError) as error:
            return f"{program}: {error}"
    return f"{program} failed (exit status {status})" if status else ""


@contextmanager
def out_of_the_way(app: App[str], interrupt: Interrupt | None = None) -> Iterator[None]:
    """Leave the terminal to a program that the block runs and waits for. Ctrl+C also fires the interrupt."""
    suspended = app.suspend()
    with _stopped_later():
        suspended.__enter__()
    try:
        with _terminal_of_the_program():
            if interrupt is not None:
                # In a thread, because the handler may run while this thread is inside of the interrupt.
                signal.signal(signal.SIGINT, lambda *_: Thread(target=interrupt.fire, daemon=True).start())
            yield
    finally:
        with _stopped_later():
            suspended.__exit__(None, None, None)


@contextmanager
def _stopped_later() -> Iterator[None]:
    """Hold back Ctrl+Z. Textual suspends the application for it, and would deadlock while it is suspending already."""
    if sys.platform == "win32":
        yield
        return
    stops: list[int] = []
    handler = signal.signal(signal.SIGTSTP, lambda number, _: stops.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTSTP, handler)
        if stops:
            os.kill(os.getpid(), signal.SIGTSTP)


def _leave_to_the_program(number: int, frame: object) -> None:
    pass


@contextmanager
def _terminal_of_the_program() -> Iterator[None]:
    """Leave Ctrl+C and Ctrl+\\ to the program, as a shell does, and restore the terminal's modes afterwards.

    The signals get a handler, because ignored signals would also be ignored by the program.
    """
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
    handlers = {number: signal.signal(number, _leave_to_the_program) for number in numbers}
    try:
        with _terminal_modes_kept():
            yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _terminal_modes_kept() -> Iterator[None]:
    """Restore the terminal's modes: a program that was killed may leave it without echo."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios

    modes = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        with suppress(termios.error):  # The terminal is gone.
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)
