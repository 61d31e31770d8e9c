"""The files of a run as one tree: its own folder, with each model that it logged as a folder at the top.

Since MLflow 3 a logged model is stored outside the run's folder. To users it is still one of the run's artifacts, as
before.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from mldeck.artifacts.errors import ArtifactError, NotFound
from mldeck.artifacts.location import Located, LocationStatus, Places, locate
from mldeck.artifacts.opening import open_tree
from mldeck.artifacts.plain_name import is_plain, plain_name
from mldeck.artifacts.source import Check, Source, no_check
from mldeck.artifacts.tree import ArtifactTree, Entry, EntryKind, in_order
from mldeck.artifacts.uris import joined


class OutputModel(Protocol):
    """The part of a logged model that is used here; `mldeck.registry.nouns.LoggedModel` has it."""

    @property
    def model_id(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def artifact_location(self) -> str | None: ...


@dataclass(frozen=True)
class Branch:
    """A model's folder as it appears at the top of the run's tree."""

    label: str
    """The first part of its paths: the model's name, or its id if the name is taken."""
    model_id: str
    name: str
    located: Located


class RunTree:
    """The run's folder and its models' folders as one `ArtifactTree`. Each is opened on first use."""

    def __init__(self, own: Located, models: Iterable[tuple[OutputModel, Located]] = (), follow: bool = False) -> None:
        self.own = own
        self._follow = follow
        self._opened: dict[Located, ArtifactTree] = {}
        self.branches = tuple(self._branches(list(models)))
        self._by_label = {branch.label: branch for branch in self.branches}

    def _branches(self, models: Sequence[tuple[OutputModel, Located]]) -> Iterator[Branch]:
        names = Counter(model.name for model, _ in models)
        taken = {name for name, count in names.items() if count > 1}
        for model, located in models:
            model_id = model.model_id or ""
            is_clear = is_plain(model.name) and model.name not in taken and not self._has_own(model.name)
            label = model.name if is_clear else plain_name(model_id, "model")
            while label in taken:
                label += "-"
            taken.add(label)
            yield Branch(label, model_id, model.name, located)

    def _has_own(self, name: str) -> bool:
        try:
            return self.own.found and self._open(self.own).entry(name) is not None
        except ArtifactError:
            return False

    @property
    def name(self) -> str:
        return self.own.where or self.own.uri or ""

    def entries(self, folder: str = "", check: Check = no_check) -> list[Entry]:
        if not folder:
            # Show the models even if the run's own folder cannot be found.
            own = self._top(self.own, check) if self.own.found or not self.branches else []
            return in_order([*own, *map(_entry, self.branches)])
        if folder in self._by_label:
            return [_moved_below(entry, folder) for entry in self._top(self._by_label[folder].located, check)]
        tree, prefix, inner = self._part(folder)
        return [_moved_below(entry, prefix) for entry in tree.entries(inner, check)]

    def _top(self, located: Located, check: Check) -> list[Entry]:
        """List a folder that may not exist yet, because it is created with its first file."""
        if located.how is LocationStatus.NOTHING_LOGGED:
            return []
        try:
            return self._open(located).entries("", check)
        except NotFound:
            if located.url is None:
                raise
            return []  # object stores have no empty folders

    def entry(self, path: str) -> Entry:
        if not path:
            return Entry("", EntryKind.FOLDER, is_dir=True)
        if path in self._by_label:
            return _entry(self._by_label[path])
        tree, prefix, inner = self._part(path)
        return _moved_below(tree.entry(inner), prefix)

    def file(self, path: str) -> Source:
        tree, _, inner = self._part(path)
        return tree.file(inner)

    def local_path(self, path: str) -> Path | None:
        if not path:
            return self.own.path and Path(os.path.realpath(self.own.path))
        tree, _, inner = self._part(path)
        return tree.local_path(inner)

    def places_below(self, path: str) -> tuple[Located, ...]:
        """Return the location of every folder that a walk from `path` visits."""
        return (self.own, *(branch.located for branch in self.branches)) if not path else (self.place_of(path),)

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The places that only the database names, each once."""
        return tuple(dict.fromkeys(located.unconfirmed for located in self.places_below("") if located.unconfirmed))

    def place_of(self, path: str) -> Located:
        """Return the location of the folder that contains the path: the run's own, or a model's."""
        branch = self._by_label.get(path.partition("/")[0])
        return self.own if branch is None else branch.located

    def location(self, path: str) -> str | None:
        """Return the real path or URL of a path; None if it is unknown."""
        where = self.place_of(path).where
        inner = path.partition("/")[2] if path.partition("/")[0] in self._by_label else path
        if self.place_of(path).far is not None and inner:
            return f"{where}/{inner}"  # a question mark is part of the path: it begins no query here
        return where and joined(where, inner)

    def _part(self, path: str) -> tuple[ArtifactTree, str, str]:
        """Return (tree, prefix, inner path): the tree that contains the path, and how its paths are prefixed here."""
        label, _, inner = path.partition("/")
        if label in self._by_label:
            return self._open(self._by_label[label].located), label, inner
        return self._open(self.own), "", path

    def _open(self, located: Located) -> ArtifactTree:
        if located not in self._opened:
            self._opened[located] = open_tree(located, self._follow)
        return self._opened[located]


def run_tree(artifact_uri: str | None, run_id: str, models: Iterable[OutputModel], places: Places) -> RunTree:
    """Return the tree of a run's files. `models` are the models that the run logged.

    Models of MLflow 1.x and 2.x are inside the run's folder, so they need no branch.
    """
    outside = [model for model in models if model.model_id is not None]
    located = [(model, locate(model.artifact_location, places, model.model_id)) for model in outside]
    return RunTree(locate(artifact_uri, places, run_id), located, places.follow)


def _entry(branch: Branch) -> Entry:
    return Entry(branch.label, EntryKind.MODEL, is_dir=True, target=branch.model_id)


def _moved_below(entry: Entry, folder: str) -> Entry:
    return replace(entry, path=f"{folder}/{entry.path}".strip("/")) if folder else entry
