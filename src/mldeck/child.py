"""Start a Python process that runs one of our own modules, and nothing that lies in the current folder.

`python -m` and `python -c` put the current folder first on the module search path. It is somebody else's: a file
`sqlalchemy.py` beside the database must not be imported in place of the library. Python 3.11 has `-P` for this; 3.10 does
not, and `-I` would also hide packages that were installed for one user. So the child removes the current folder by itself,
before it imports anything.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence

# `sys` is built in, and `site` has imported `os` before the current folder is on the path.
_BOOT = """\
import sys, os
sys.path[:] = [place for place in sys.path if os.path.isabs(place)]
import importlib, json
words = json.loads(sys.stdin.buffer.readline())
sys.exit(importlib.import_module(sys.argv[1]).main(words))
"""


def start_python(
    module: str, words: Sequence[str], *, stdout: int = subprocess.DEVNULL, keep_stdin: bool = False
) -> subprocess.Popen[bytes]:
    """Call `main(words)` of a module of ours in a new process. Raises OSError when none can be started.

    The words travel through the standard input: every user of the machine can read a command line, and the address of a
    store may hold a password. With `keep_stdin` the pipe stays open for what the two have to say to each other.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _BOOT, module], stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has ended already, and its exit status says so
        process.stdin.write(json.dumps(list(words)).encode() + b"\n")
        process.stdin.flush()
    if not keep_stdin:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.stdin = None  # else `communicate` would write to it
    return process
