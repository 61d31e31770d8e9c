"""A database file on another machine, as it is named on the command line. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mldeck.errors import UsageError

# Not compiled, because this module is imported at each start and few stores are on other machines.
_HOST = r"[\w.%:][\w.%:-]*"
_USER = r"[\w.@+\\][\w.@+\\-]*"
_PYTHON = r"[\w./~+][\w./~+-]*"
"""Characters that no shell over there gives a meaning."""


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
        if not re.fullmatch(_HOST, self.host):
            raise UsageError(f"{self.host or 'an empty text'} is not the name of a host")
        if self.user is not None and not re.fullmatch(_USER, self.user):
            raise UsageError(f"{self.user} is not the name of a user")
        if not re.fullmatch(_PYTHON, self.python):
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
        """The URI for messages and titles, which can be typed, too."""
        from_home = self.path if self.path.startswith("~") else f"~/{self.path}"
        return f"ssh://{self.place}{self.path if self.path.startswith('/') else f'/{from_home}'}"

    def __str__(self) -> str:
        return self.name
