"""Run the user's own pager or editor on a file, with the deck out of the way."""

from __future__ import annotations

import os
import shlex
import subprocess
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
    with app.suspend():
        try:
            status = subprocess.run([*words, str(file)], check=False).returncode
        except (OSError, ValueError) as error:
            return f"{program}: {error}"
    return f"{program} failed (exit status {status})" if status else ""
