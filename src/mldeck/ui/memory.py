"""What mldeck remembers of a store between sittings: filters, and the columns chosen for each experiment.

One small JSON file per store, in the user's own state folder. It is a convenience: when it cannot be read or written, the
deck goes on without it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mldeck.settings import state_folder

_MAX_HISTORY = 200


@dataclass
class StoreMemory:
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

    @classmethod
    def of(cls, store: Path) -> StoreMemory:
        """What is remembered of the store at this path; nothing, if nothing (readable) is there."""
        digest = hashlib.sha256(str(store.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
        memory = cls(state_folder() / "stores" / f"{digest}.json")
        try:
            written = json.loads(memory.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return memory
        if isinstance(written, dict):
            memory.history = _texts(written.get("history", []))
            memory.starred = _mapping(written.get("starred"), str)
            memory.experiments = _mapping(written.get("experiments"), dict)
            memory.places = _texts(written.get("places", []))
        return memory

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
        temporary = self.file.with_name(f"{self.file.name}.{os.getpid()}")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(written, indent=1), encoding="utf-8")
            temporary.replace(self.file)
        except OSError:
            temporary.unlink(missing_ok=True)


def _texts(values: object) -> list[str]:
    return [each for each in values if isinstance(each, str)] if isinstance(values, Iterable) else []


def _mapping(values: object, kind: type) -> dict[str, Any]:
    if not isinstance(values, dict):
        return {}
    return {key: value for key, value in values.items() if isinstance(key, str) and isinstance(value, kind)}
