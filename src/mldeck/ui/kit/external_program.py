"""Run the user's own pager or editor on a file, with the deck out of the way."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from textual.app import App

_STAND_INS = {"PAGER": "less", "EDITOR": "vi"}
"""The programs used where a variable is not set."""


def run_outside(app: App[str], variable: str, file: Path) -> str:
    """Run the program that `$PAGER` or `$EDITOR` names; why that failed, or an empty text.

    Never through a shell, because file names are foreign text. A variable that holds nothing but blanks names no program:
    without this check the file itself would be run.
    """
    program = os.environ.get(variable) or _STAND_INS[variable]
    try:
        words = shlex.split(program)
    except ValueError as error:
        return f"${variable} cannot be read: {error}"
    if not any(words[:1]):
        return f"${variable} is set, but names no program"
    with _out_of_the_way(app), _terminal_of_the_program():
        try:
            status = subprocess.run([*words, str(file)], check=False).returncode
        except (OSError, ValueError) as error:
            return f"{program}: {error}"
    return f"{program} failed (exit status {status})" if status else ""


@contextmanager
def _out_of_the_way(app: App[str]) -> Iterator[None]:
    suspended = app.suspend()
    with _stopped_later():
        suspended.__enter__()
    try:
        yield
    finally:
        with _stopped_later():
            suspended.__exit__(None, None, None)


@contextmanager
def _stopped_later() -> Iterator[None]:
    """Hold a ctrl+z back: Textual hands the terminal over for it, and waits for itself if it does so at the moment."""
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
    """Leave ctrl+c and ctrl+\\ to the program, as a shell does, and take the terminal back with the modes that it had.

    A handler, unlike ignoring them, is not passed on to the program.
    """
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)]
    handlers = {each: signal.signal(each, _leave_to_the_program) for each in numbers}
    try:
        with _terminal_modes_kept():
            yield
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)


@contextmanager
def _terminal_modes_kept() -> Iterator[None]:
    """A program that was killed may leave the terminal without echo."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios

    modes = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)
