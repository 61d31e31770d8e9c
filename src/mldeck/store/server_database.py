"""A database on a server, as it is named on the command line or by MLflow. Standard library only."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote

from mldeck.errors import UsageError

# Not compiled, because this module is imported at each start and few stores are on servers.
_URL = (
    r"(?P<system>[a-z]+)(?:\+\w+)?://"
    r"(?:(?P<user>[^:/?@]*)(?::(?P<password>[^@]*|[^/?]*))?@)?"
    r"(?P<host>\[[^\]@/?]+\]|[^:@/?\[\]]*)(?::(?P<port>\d*))?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?"
)
"""As SQLAlchemy reads it. A password may contain `/`, or `@` as long as it has no `/`."""

_SYSTEMS = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
"""The kinds of servers, by the name before the colon of a URL."""

_SECRET = r"pass|pwd|secret|token|key$"
"""The words in the names of options whose values are not shown."""
_LEAST_SECRET = 4
"""The fewest characters of a password that is looked for: a letter or two are in any message."""
_CHOOSING = frozenset({"dbname", "host", "hostaddr", "options", "port", "service", "unix_socket"})
"""The options that choose which database, or which tables of it, are read."""


@dataclass(frozen=True)
class ServerDatabase:
    """A database on a server. Its name, its key and its `repr` have no password."""

    system: str
    """`postgresql` or `mysql`, which also stands for MariaDB. The driver that a URL names is ignored."""
    host: str = ""
    """Empty for the one that the driver takes by itself: this machine, or what the environment says."""
    database: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    port: int | None = None
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Those after `?`, for the driver."""

    @property
    def place(self) -> str:
        """The server, as the user named it, for messages."""
        if not self.host:
            return dict(self.options).get("host") or "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def name(self) -> str:
        """The URL for messages and titles, without password and options."""
        user = f"{quote(self.user)}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        return f"{self.system}://{user}{host}{port}/{quote(self.database)}"

    @property
    def key(self) -> str:
        """The text by which saved state recognizes it: the name, and the options that choose what is read."""
        chosen = sorted(f"{name}={value}" for name, value in self.options if name in _CHOOSING)
        return "?".join([self.name, *(["&".join(chosen)] if chosen else [])])

    def hidden(self, message: str) -> str:
        """Return a message of the server or its driver with `***` in place of passwords."""
        secrets = [value for name, value in self.options if re.search(_SECRET, name, re.IGNORECASE)]
        for secret in sorted((self.password or "", *secrets), key=len, reverse=True):
            if len(secret) >= _LEAST_SECRET:
                message = message.replace(secret, "***")
        return message

    def __str__(self) -> str:
        return self.name


def server_database(text: str) -> ServerDatabase | None:
    """Parse a URL like `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require`; None for any other text.

    Raises `UsageError`, without repeating the text, for a URL that names no database.
    """
    system = _SYSTEMS.get(text.partition(":")[0].partition("+")[0].lower())
    if system is None or "://" not in text:
        return None
    found = re.fullmatch(_URL, text[: text.index("://")].lower() + text[text.index("://") :], re.DOTALL)
    options = tuple(parse_qsl(found["query"] or "", keep_blank_values=True)) if found else ()
    database = (found["database"] or "") if found else ""
    if found is None or not (database or {"dbname", "service"} & dict(options).keys()):
        raise UsageError(f"write {system}://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE, with `@` in a password as %40")
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 1 << 16:
        raise UsageError(f"{port} is not a port")
    user, password = found["user"], found["password"]
    return ServerDatabase(
        system,
        found["host"].strip("[]"),
        unquote(database),
        unquote(user) if user else None,
        unquote(password) if password else None,
        port,
        options,
    )
