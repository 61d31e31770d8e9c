"""Paths and URIs: read them as a user types them, and show them without the passwords that they may contain.

Standard library only.
"""

from __future__ import annotations

import re
from pathlib import Path

from mldeck.errors import UsageError

_USER = re.compile(r"(?P<user>[^:]*):(?P<password>.*)", re.DOTALL)
_PORT = re.compile(r"[^:]*(:\d*)?")
_SECRET = re.compile(
    r"([?&;](?:[^?=&;#]{0,80}?(?:pass|pwd|secret|token|credential|signature|key)[^?=&;#]{0,80}|sig)=)[^&;#]+",
    re.IGNORECASE,
)
_HIDDEN = "***"


def printable(address: str) -> str:
    """Return the address with `***` in place of a password before the host and of secret values in the query.

    A path on this machine is returned unchanged. If the password contains a slash, everything up to the last `@` is hidden.
    """
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    authority, slash, path = rest.partition("/")
    # `user:pa/ss@host`: the first part is neither a host nor a host with its port.
    if "@" not in authority and "@" in path and _PORT.fullmatch(authority) is None:
        authority, _, path = rest.rpartition("@")
        host, slash, path = path.partition("/")
        authority = f"{authority}@{host}"
    user, at, host = authority.rpartition("@")
    found = _USER.fullmatch(user)
    if found is not None:
        authority = f"{found['user']}:{_HIDDEN}{at}{host}"
    return _SECRET.sub(rf"\1{_HIDDEN}", f"{scheme}{mark}{authority}{slash}{path}")


def typed_path(text: str) -> Path:
    """Return the path that a typed text means. A leading `~` is a home folder; `./~x` is a file of that name.

    Raises `UsageError` if no home folder is known for that user.
    """
    if not text.startswith("~"):
        return Path(text)
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UsageError(
            f"{text}: no home folder is known for {text.split('/')[0]}; a file of that name is ./{text}"
        ) from None


def absolute(path: Path) -> Path:
    """Return the absolute path, with links kept. Raises `UsageError` if it is relative to a folder that was deleted."""
    try:
        return path.absolute()
    except FileNotFoundError:
        raise UsageError(
            f"{path}: the current folder was deleted; go to another one, or give an absolute path"
        ) from None


def host_of(url: str) -> str:
    """Return the `scheme://authority` of a URL without its password: the host that the user agrees to connect to."""
    scheme, _, rest = url.partition("://")
    return printable(f"{scheme.lower()}://{rest.partition('/')[0]}")
