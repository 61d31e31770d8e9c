"""The command that reaches a file on another machine. Standard library only."""

from __future__ import annotations

import os
import shlex

from mldeck.store.far_file import FarFile

SSH_VARIABLE = "MLDECK_SSH"
"""An environment variable with the words that stand for `ssh`, such as `ssh -F other_config`."""

CONNECT_WAIT_S = 10
ALIVE_INTERVAL_S = 15
LOST_INTERVALS = 2
"""Intervals without an answer after which ssh gives up a connection."""

_START = "import sys;del sys.path[0];import zlib;b=sys.stdin.buffer;exec(zlib.decompress(b.read(int(b.readline()))))"
"""Reads the far end from standard input and runs it: `python3 -` would wait for the end of its input.

Modules in the home folder over there, which is first on the path, must not get into it. It needs no packages, so `-S` spares
the search for them. (`-I` would do both, but a Python 2 would not say that it is one.)
"""


def command_words(file: FarFile, *, may_ask: bool) -> list[str]:
    """Return the command that starts the far end. Unless it `may_ask`, ssh fails where it would ask for anything."""
    options: dict[str, object] = {
        "ClearAllForwardings": "yes",
        "ConnectTimeout": CONNECT_WAIT_S,
        "PermitLocalCommand": "no",
        "RemoteCommand": "none",
        "ServerAliveCountMax": LOST_INTERVALS,
        "ServerAliveInterval": ALIVE_INTERVAL_S,
    }
    if not may_ask:
        options["BatchMode"] = "yes"
    words = [*ssh_words(), "-T", "-x", "-a"]
    for name, value in options.items():
        words += ["-o", f"{name}={value}"]
    if file.port is not None:
        words += ["-p", str(file.port)]
    if file.user is not None:
        words += ["-l", file.user]
    return [*words, "--", file.host, f"exec {file.python} -ESuc '{_START}'"]


def ssh_words() -> list[str]:
    """Return the words that stand for ssh."""
    return shlex.split(os.environ.get(SSH_VARIABLE, "")) or ["ssh"]
