"""The state that mldeck saves between sessions.

For each store: filters, the choices made for each experiment, and how the last session was left. For the user: the theme. The
files are in the user's own state folder, because a database is shared.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mldeck.settings import state_folder
from mldeck.store.address import Address, state_key
from mldeck.ui.state.state_file import StateFile

_MAX_HISTORY = 200
_USER_FILE = "user.json"


@dataclass
class SavedState:
    """The saved state of one store. It is changed in place; `save` writes all of it, soon and in a thread."""

    file: Path
    history: list[str] = field(default_factory=list)
    """Filters that were applied, the newest last."""
    starred: dict[str, str] = field(default_factory=dict)
    """Filters that the user kept, by the name given to them."""
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By experiment id: the choices of each place, as JSON values that are replaced and never changed in place."""
    places: list[str] = field(default_factory=list)
    """Hosts and folders that only the database names, and that the user accepted for good."""
    last: dict[str, Any] = field(default_factory=dict)
    """How the last session was left (see `ui.state.restored`), as JSON values that are replaced and never changed in place."""

    @classmethod
    def of(cls, store: Address) -> SavedState:
        """Read the state of the store at this address. Without a readable file it is empty; an error goes to `trouble`."""
        digest = hashlib.sha256(state_key(store).encode(errors="surrogateescape")).hexdigest()[:16]
        state = cls(state_folder() / "stores" / f"{digest}.json")
        written = state._file.read()
        state.history = _texts(written.get("history"))[-_MAX_HISTORY:]
        state.starred = _mapping(written.get("starred"), str)
        # Copied, because they are changed in place.
        state.experiments = {key: dict(choices) for key, choices in _mapping(written.get("experiments"), dict).items()}
        state.places = _texts(written.get("places"))
        state.last = _mapping(written.get("last"), object)
        return state

    @cached_property
    def _file(self) -> StateFile:
        return StateFile(self.file)

    @property
    def trouble(self) -> str:
        """A message for the user if the file cannot be read; else empty."""
        return self._file.trouble

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
        self._file.write(
            {
                "history": list(self.history),
                "starred": dict(self.starred),
                "experiments": {key: dict(choices) for key, choices in self.experiments.items()},
                "places": list(self.places),
                "last": dict(self.last),
            }
        )

    def flush(self) -> None:
        """Block until everything is written."""
        self._file.flush()


class SavedTheme:
    """The theme that the user chose in the palette. It holds for all stores."""

    def __init__(self) -> None:
        self._file = StateFile(state_folder() / _USER_FILE)

    def read(self) -> str | None:
        """Return the name of the theme; None if none was chosen. It may be the name of a theme that no longer exists."""
        theme = self._file.read().get("theme")
        return theme if isinstance(theme, str) else None

    def save(self, theme: str) -> None:
        self._file.write({"theme": theme})

    def flush(self) -> None:
        """Block until it is written."""
        self._file.flush()


def _texts(values: object) -> list[str]:
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def _mapping(values: object, kind: type) -> dict[str, Any]:
    if not isinstance(values, dict):
        return {}
    return {key: value for key, value in values.items() if isinstance(value, kind)}
