"""The state of a store that is saved between sessions: filters, and the choices made for each experiment.

There is one JSON file per store, in the user's own state folder. It is a convenience: if it cannot be read or written, mldeck
works without it.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldeck.foreign import load_json, read_file
from mldeck.settings import state_folder

_MAX_HISTORY = 200
_MOST_BYTES = 1 << 24
"""Larger files are neither read nor written. Generous, because many experiments may have thousands of chosen columns."""


@dataclass
class SavedState:
    """The saved state of one store. It is changed in place, and `save` writes all of it."""

    file: Path
    history: list[str] = field(default_factory=list)
    """Filters that were applied, the newest last."""
    starred: dict[str, str] = field(default_factory=dict)
    """Filters that the user kept, by the name given to them."""
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By experiment id: the choices of each place, as JSON values."""
    places: list[str] = field(default_factory=list)
    """Hosts and folders that only the database names, and that the user accepted for good."""
    trouble: str = ""
    """A message for the user if the file cannot be read; else empty."""
    _is_damaged: bool = False
    """Whether the file is malformed. It may be repairable, so it is put aside before a new one is written."""
    _is_barred: bool = False
    """Whether the file cannot be read at all. Then it is never overwritten."""

    @classmethod
    def of(cls, store: Path) -> SavedState:
        """Read the state of the store at this path. Without a readable file it is empty; an error goes to `trouble`."""
        digest = hashlib.sha256(str(store.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
        state = cls(state_folder() / "stores" / f"{digest}.json")
        try:
            written = load_json(read_file(state.file, _MOST_BYTES).decode())
            if not isinstance(written, dict):
                raise ValueError("it holds no JSON object")
        except FileNotFoundError:
            return state
        except OSError as error:
            state._is_barred = True
            state._complain(error.strerror, "nothing of this session is saved")
        except ValueError as error:
            state._is_damaged = True
            state._complain(error, f"the file will be kept as {state._put_aside.name}")
        else:
            state.history = _texts(written.get("history"))
            state.starred = _mapping(written.get("starred"), str)
            state.experiments = _mapping(written.get("experiments"), dict)
            state.places = _texts(written.get("places"))
        return state

    def add_filter(self, text: str) -> None:
        """Move a filter to the end of the history."""
        if text.strip():
            self.history = [*(other for other in self.history if other != text), text][-_MAX_HISTORY:]
            self.save()

    def star(self, name: str, text: str) -> None:
        self.starred[name] = text
        self.save()

    def unstar(self, text: str) -> None:
        self.starred = {name: starred for name, starred in self.starred.items() if starred != text}
        self.save()

    def agree_to(self, place: str) -> None:
        if place not in self.places:
            self.places.append(place)
            self.save()

    def experiment(self, experiment_id: str) -> dict[str, Any]:
        """Return the choices for an experiment, to be changed in place."""
        return self.experiments.setdefault(experiment_id, {})

    def save(self) -> None:
        """Write the file, unless that fails or is not allowed; neither is an error."""
        written = {
            "history": self.history,
            "starred": self.starred,
            "experiments": self.experiments,
            "places": self.places,
        }
        text = json.dumps(written, indent=1)
        if self._is_barred or len(text) > _MOST_BYTES:
            return
        temporary = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            # Mode "x": an existing file of this name could be a pipe.
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
            if self._is_damaged:
                self.file.replace(self._put_aside)
                self._is_damaged = False
            temporary.replace(self.file)
        except OSError:
            with suppress(OSError):
                temporary.unlink()

    @property
    def _put_aside(self) -> Path:
        return self.file.with_suffix(".damaged")

    def _complain(self, why: object, what_then: str) -> None:
        self.trouble = (
            f"{self.file} cannot be read ({why}): mldeck works without saved filters and columns, and {what_then}"
        )


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _mapping(values: object, kind: type) -> dict[str, Any]:
    if not isinstance(values, dict):
        return {}
    return {key: value for key, value in values.items() if isinstance(value, kind)}
