"""The file on another machine that is meant, and the words of the command that reaches it. Standard library only."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass

from mldeck.errors import UsageError

SSH_VARIABLE = "MLDECK_SSH"
"""An environment variable with the words that stand for `ssh`, such as `ssh -F other_config`."""

CONNECT_WAIT_S = 10
ALIVE_INTERVAL_S = 15
LOST_INTERVALS = 2
"""Intervals without an answer after which ssh gives up a connection."""

_HOST = re.compile(r"[\w.%:][\w.%:-]*")
_USER = re.compile(r"[\w.@+\\][\w.@+\\-]*")
_PYTHON = re.compile(r"[\w./~+][\w./~+-]*")
"""Characters that no shell over there gives a meaning."""

_START = "import sys,zlib;b=sys.stdin.buffer;exec(zlib.decompress(b.read(int(b.readline()))))"
"""Reads the far end from standard input and runs it: `python3 -` would wait for the end of its input."""


@dataclass(frozen=True)
class FarFile:
    """A database file on another machine. Raises `UsageError` for words that ssh or a shell would take for something else."""

    host: str
    path: str
    """As the user wrote it: from the home folder on, unless it is absolute. A folder stands for the `mlflow.db` in it."""
    user: str | None = None
    port: int | None = None
    python: str = "python3"
    """The Python over there: a name, or a path."""

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise UsageError(f"{self.host or 'an empty text'} is not the name of a host")
        if self.user is not None and not _USER.fullmatch(self.user):
            raise UsageError(f"{self.user} is not the name of a user")
        if not _PYTHON.fullmatch(self.python):
            raise UsageError(f"{self.python} is not the name of a Python: write a name, or a path without blanks")
        if not self.path or "\0" in self.path:
            raise UsageError(f"no file is named on {self.place}")
        if self.port is not None and not 0 < self.port < 1 << 16:
            raise UsageError(f"{self.port} is not a port")

    @property
    def place(self) -> str:
        """The machine, as the user named it, for messages."""
        host = f"[{self.host}]" if ":" in self.host and self.port else self.host
        named = f"{self.user}@{host}" if self.user else host
        return f"{named}:{self.port}" if self.port else named

    @property
    def name(self) -> str:
        return f"{self.place}:{self.path}"

    def words(self, *, may_ask: bool) -> list[str]:
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
        if self.port is not None:
            words += ["-p", str(self.port)]
        if self.user is not None:
            words += ["-l", self.user]
        return [*words, "--", self.host, f"exec {self.python} -uc '{_START}'"]


def ssh_words() -> list[str]:
    """Return the words that stand for ssh."""
    return shlex.split(os.environ.get(SSH_VARIABLE, "")) or ["ssh"]
