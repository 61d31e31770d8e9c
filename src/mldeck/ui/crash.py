"""What is said and kept when the deck ends by a fault of its own.

Textual prints a traceback with every local variable: hundreds of kilobytes, among them other people's data.
"""

from __future__ import annotations

import platform
import traceback
from importlib.metadata import version

from mldeck import __version__
from mldeck.format import safe
from mldeck.settings import state_folder

_LONGEST = 200
"""Characters of the error that are said."""


def report(error: BaseException) -> str:
    """Write the traceback into a file of the state folder, and return one line for the terminal."""
    what = f"{type(error).__name__}: {error}"
    what = safe(what if len(what) <= _LONGEST else what[:_LONGEST] + "…")
    file = state_folder() / "crash.log"
    versions = (
        f"mldeck {__version__}, Textual {version('textual')}, Python {platform.python_version()}, {platform.platform()}"
    )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{versions}\n{''.join(traceback.format_exception(error))}", "utf-8", "backslashreplace")
    except OSError:
        place = traceback.extract_tb(error.__traceback__)[-1:]
        where = "".join(f" at {each.filename}:{each.lineno}" for each in place)
    else:
        where = f"; the details are in {file}"
    return f"mldeck: a fault of mldeck itself ended it ({what}){where}. The store is as it was. Please report it."
