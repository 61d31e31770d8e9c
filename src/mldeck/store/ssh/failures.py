"""What went wrong on the way to another machine, or over there, in words for the user. Standard library only."""

from __future__ import annotations

import re
from typing import Any

from mldeck.errors import (
    LoginRefused,
    MldeckError,
    Overtaken,
    StoreChanged,
    StoreLocked,
    StoreUnavailable,
    StoreUnmade,
    UsageError,
)
from mldeck.store.far_file import FarFile

_REFUSALS: dict[str, type[MldeckError]] = {
    "usage": UsageError,
    "unmade": StoreUnmade,
    "locked": StoreLocked,
    "changed": StoreChanged,
    "overtaken": Overtaken,
    "unavailable": StoreUnavailable,
}

_LAST_WORDS = re.compile(
    rb"could not resolve|permission denied|host key verification failed|identification has changed|^ssh: |^kex_|connection "
    rb"(closed|refused|reset|timed out)|too many authentication|not found|no such file|not executable|traceback|error:|^  ",
    re.IGNORECASE,
)
_NOT_FOUND, _NOT_EXECUTABLE, _SSH_FAILED = 127, 126, 255
_LONGEST_LINE = 300


def is_last_word(line: bytes) -> bool:
    """Return whether ssh, a shell or Python prints this line when it gives up, so that it becomes part of the message."""
    return _LAST_WORDS.search(line) is not None


def refusal(file: FarFile, head: dict[str, Any]) -> MldeckError:
    """Return the error for what the far end refused."""
    kind = _REFUSALS.get(str(head.get("refusal")), MldeckError)
    return kind(f"{file.place}: {_line(str(head.get('text')))}")


def lost(file: FarFile, reason: str = "") -> StoreUnavailable:
    return StoreUnavailable(f"connection to {file.place} lost{f' ({_line(reason)})' if reason else ''}")


def no_ssh(program: str) -> UsageError:
    return UsageError(f"{program} is not installed here: mldeck reaches other machines through it")


def no_answer(file: FarFile, status: int | None, errors: str, noise: str) -> UsageError:
    """Return why the far end never began. `status` is that of ssh; `errors` and `noise` what came from there."""
    said = [line.strip() for line in errors.splitlines() if line.strip()]
    last = _line(said[-1]) if said else ""
    text = errors.lower()
    place, ssh = file.place, f"ssh {file.host}"
    if status == _SSH_FAILED:
        if "could not resolve" in text:
            return UsageError(f"ssh knows no host {file.host}")
        if "identification has changed" in text:
            return UsageError(f"the key of {place} has changed: see what `{ssh}` says")
        if "host key verification failed" in text:
            return LoginRefused(f"the key of {place} is not known yet: connect once with `{ssh}`")
        if "permission denied" in text or "too many authentication" in text:
            return LoginRefused(f"{place} refused the login: {last}")
        return UsageError(f"no connection to {place}{f': {last}' if last else ''}")
    if status in (_NOT_FOUND, _NOT_EXECUTABLE):
        return UsageError(
            f"there is no {file.python} on {place}; name the Python there: ssh://{place}/…?python=/path/to/python3"
        )
    if "has no attribute 'buffer'" in text or "syntaxerror" in text:
        return UsageError(f"{file.python} on {place} is too old: Python 3.6 or later is needed")
    last = last or _line(noise.strip().splitlines()[-1] if noise.strip() else "")
    return UsageError(f"{file.python} on {place} did not answer{f': {last}' if last else ''}")


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…"
