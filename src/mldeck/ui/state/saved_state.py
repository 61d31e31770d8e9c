"""What mldeck remembers of a store between sittings: filters, and the columns chosen for each experiment.

One JSON file per store, in the user's own state folder. It is a convenience: when it cannot be read or written, the deck goes
on without it.
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
"""Somebody may have chosen among thousands of columns in many experiments."""


@dataclass
class SavedState:
    """Changed in place; `save` writes it whole."""

    file: Path
    history: list[str] = field(default_factory=list)
    """Filters that were used, the newest last."""
    starred: dict[str, str] = field(default_factory=dict)
    """Filters that were given a name."""
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By experiment id: whatever the places want to know again."""
    places: list[str] = field(default_factory=list)
    """Hosts and folders that only the database names, and that the user agreed to for good."""
    trouble: str = ""
    """What the user should know when what was remembered cannot be read."""
    _is_damaged: bool = False
    """What the file holds makes no sense: somebody may be able to mend it, so it is put aside before another is written."""
    _is_barred: bool = False
    """What is there cannot be read at all, and is not written over."""

    @classmethod
    def of(cls, store: Path) -> SavedState:
        """What is remembered of the store at this path; nothing, if nothing (readable) is there."""
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
            state._complain(error.strerror, "nothing of this sitting is kept")
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
        """Puts a filter at the end of the history, once."""
        if text.strip():
            self.history = [*(each for each in self.history if each != text), text][-_MAX_HISTORY:]
            self.save()

    def star(self, name: str, text: str) -> None:
        self.starred[name] = text
        self.save()

    def unstar(self, text: str) -> None:
        self.starred = {name: each for name, each in self.starred.items() if each != text}
        self.save()

    def agree_to(self, place: str) -> None:
        if place not in self.places:
            self.places.append(place)
            self.save()

    def experiment(self, experiment_id: str) -> dict[str, Any]:
        return self.experiments.setdefault(experiment_id, {})

    def save(self) -> None:
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
            # A new file: what has this name already might be a pipe.
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
        self.trouble = f"{self.file} cannot be read ({why}): mldeck goes on without what it remembered, and {what_then}"


def _texts(values: object) -> list[str]:
    return [each for each in values if isinstance(each, str)] if isinstance(values, list) else []


def _mapping(values: object, kind: type) -> dict[str, Any]:
    if not isinstance(values, dict):
        return {}
    return {key: value for key, value in values.items() if isinstance(value, kind)}
