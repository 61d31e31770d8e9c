"""The report about a bug that ended mldeck: one line for the terminal, and a traceback in a file.

Textual would print a traceback with every local variable: hundreds of kilobytes, with other people's data among them.
"""

from __future__ import annotations

import platform
import traceback
from importlib.metadata import version

from mldeck import __version__
from mldeck.format import safe
from mldeck.settings import state_folder

_MAX_ERROR = 200
"""The most characters of the error in the line for the terminal."""


def report(error: BaseException) -> str:
    """Write the traceback to a file in the state folder, and return one line for the terminal."""
    what = f"{type(error).__name__}: {error}"
    what = safe(what if len(what) <= _MAX_ERROR else what[:_MAX_ERROR] + "…")
    file = state_folder() / "crash.log"
    versions = (
        f"mldeck {__version__}, Textual {version('textual')}, Python {platform.python_version()}, {platform.platform()}"
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{versions}\n{''.join(traceback.format_exception(error))}", "utf-8", "backslashreplace")
    except OSError:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        where = "".join(f" at {frame.filename}:{frame.lineno}" for frame in last)
    else:
        where = f"; the details are in {file}"
    return f"mldeck: a bug in mldeck ended it ({what}){where}. The store was not changed. Please report it."
