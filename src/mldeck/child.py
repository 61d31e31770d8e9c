"""Start a Python process that runs a module of mldeck and imports nothing from the current folder.

`python -m` and `python -c` put the current folder first on the module search path. Its contents are not trusted: a file
`sqlalchemy.py` beside the database must not be imported instead of the library. Python 3.11 has `-P` for this. Python 3.10
does not, and `-I` would also hide packages installed for one user only. Therefore the child process removes the current
folder from the path before it imports anything.

The child takes the search path of this process instead of searching for it again (`-S`), which is half of the time that Python
takes to start. Only where packages are found in another way, by what a `.pth` file has installed, does it search as usual.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence

# `sys` is built in; anything else could be found in the current folder, as long as that is on the path.
_BOOT = """\
import sys
sys.path[:] = [folder for folder in sys.path if folder[:1] == "/"]
import importlib, json
words, folders = json.loads(sys.stdin.buffer.readline())
sys.path[:] = folders
try:
    module = importlib.import_module(sys.argv[1])
except ImportError:
    import site
    site.main()
    module = importlib.import_module(sys.argv[1])
sys.exit(module.main(words))
"""


def start_python(
    module: str, words: Sequence[str], *, stdout: int = subprocess.DEVNULL, keep_stdin: bool = False
) -> subprocess.Popen[bytes]:
    """Call `main(words)` of one of mldeck's modules in a new process. Raises `OSError` if no process can be started.

    The words are sent through standard input, because every user of the machine can read a command line, and the address
    of a store may contain a password. With `keep_stdin` the pipe stays open for further messages.
    """
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", _BOOT, module], stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.DEVNULL
    )
    # The first folder is that of the script, or the current one.
    send(process, [list(words), [folder for folder in sys.path[1:] if folder[:1] == "/"]])
    if not keep_stdin:
        close_stdin(process)
    return process


def send(process: subprocess.Popen[bytes], message: object) -> None:
    """Send a JSON value as one line. A process that has ended already gets none; its exit status says why."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()


def close_stdin(process: subprocess.Popen[bytes]) -> None:
    """Tell the process that no more messages follow."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stdin = None  # else `communicate` would write to it
