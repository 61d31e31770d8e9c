"""A file of JSON in the user's state folder: read within limits, written off the event loop, and never left half-written.

It is a convenience: if it cannot be read or written, mldeck works without it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from mldeck.foreign import load_json, read_file

_MOST_BYTES = 1 << 24
"""Larger files are neither read nor written. Generous, because many experiments may have thousands of chosen columns."""

_PAUSE_S = 0.5
"""Seconds between two writes, so that a held key does not write the file at every repetition."""


class StateFile:
    """One JSON object. Several processes may use the same file: a write changes only what has changed in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        """Why the file cannot be read, and what follows from that; else empty."""
        self._before: dict[str, Any] = {}
        """The values when this process last read or wrote them."""
        self._is_damaged = False
        """Whether the file is malformed. It may be repairable, so it is put aside before a new one is written."""
        self._is_barred = False
        """Whether the file cannot be read at all. Then it is never overwritten."""
        self._lock = Lock()
        self._waiting: dict[str, Any] | None = None
        """The values to be written next; None if there are none."""
        self._writer: Thread | None = None
        self._hurry = Event()

    def read(self) -> dict[str, Any]:
        """Return the values, which may not be changed; none if there is no readable file. Does not raise: see `trouble`."""
        try:
            self._before = self._read()
        except FileNotFoundError:
            pass
        except OSError as error:
            self._is_barred = True
            self._complain(error.strerror, "nothing of this session is saved")
        except ValueError as error:
            self._is_damaged = True
            self._complain(error, f"the file will be kept as {self._put_aside.name}")
        return self._before

    def write(self, values: dict[str, Any]) -> None:
        """Write these values soon, in a thread. Neither they nor what is in them may be changed afterwards."""
        if self._is_barred:
            return
        with self._lock:
            self._waiting = values
            if self._writer is None:
                self._writer = Thread(target=self._write_waiting, daemon=True)
                self._writer.start()

    def flush(self) -> None:
        """Block until everything is written."""
        self._hurry.set()
        writer = self._writer
        if writer is not None:
            writer.join()
        self._hurry.clear()

    def _write_waiting(self) -> None:
        while True:
            with self._lock:
                values, self._waiting = self._waiting, None
                if values is None:
                    self._writer = None
                    return
            self._write(values)
            self._hurry.wait(_PAUSE_S)

    def _write(self, values: dict[str, Any]) -> None:
        """Write the file, unless that fails or is not allowed; neither is an error."""
        text = json.dumps(self._merged(values), indent=1)
        if len(text) > _MOST_BYTES:
            return
        temporary = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Mode "x": an existing file of this name could be a pipe.
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
            if self._is_damaged:
                self.path.replace(self._put_aside)
                self._is_damaged = False
            temporary.replace(self.path)
            self._before = values
        except OSError:
            with suppress(OSError):
                temporary.unlink()

    def _merged(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values together with what other processes have written since this one read or wrote the file.

        To a list at the top level, what they have added is added.
        """
        try:
            now = self._read()
        except (OSError, ValueError):
            return values
        merged = _merged(self._before, values, now)
        for key, ours in values.items():
            before, theirs = self._before.get(key), now.get(key)
            if isinstance(ours, list) and isinstance(theirs, list):
                known = [*ours, *before] if isinstance(before, list) else ours
                merged[key] = [*(value for value in theirs if value not in known), *ours]
        return merged

    def _read(self) -> dict[str, Any]:
        written = load_json(read_file(self.path, _MOST_BYTES).decode())
        if not isinstance(written, dict):
            raise ValueError("it holds no JSON object")
        return written

    def _complain(self, why: object, what_then: str) -> None:
        self.trouble = f"{self.path} cannot be read ({why}): mldeck starts without what it had saved, and {what_then}"

    @property
    def _put_aside(self) -> Path:
        return self.path.with_suffix(".damaged")


def _merged(before: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return `theirs` with what has changed from `before` to `ours`, at every level of nested objects."""
    merged = {key: value for key, value in theirs.items() if key in ours or key not in before}
    for key, value in ours.items():
        old, other = before.get(key), theirs.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            merged[key] = _merged(old if isinstance(old, dict) else {}, value, other)
        elif key not in before or value != old:
            merged[key] = value
    return merged
