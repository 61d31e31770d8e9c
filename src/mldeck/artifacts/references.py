"""Resolves URIs that refer to the database instead of a place.

They are `runs:/ID/PATH`, `models:/m-ID`, `models:/NAME/VERSION` and so on. What they refer to is looked up, and may
itself be such a URI.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from mldeck.artifacts.uris import joined

_MOST_HOPS = 5
"""A version may be registered from a version, and a damaged database may contain a cycle."""

_RUN = re.compile(r"runs:/+([^/]+)/*(.*)", re.DOTALL)
_LOGGED_MODEL = re.compile(r"models:/+(m-[^/]+)/*(.*)", re.DOTALL)
_ALIAS = re.compile(r"models:/+([^/].*)@([^@/]+)", re.DOTALL)
_VERSION = re.compile(r"models:/+([^/].*)/([^/]+)/*", re.DOTALL)


class Lookup(Protocol):
    """The lookups in a database. Each returns None if there is no such thing, or no place for it."""

    def run_uri(self, run_id: str) -> str | None: ...

    def run_model_uri(self, run_id: str, name: str) -> str | None:
        """Return the URI of the newest logged model of this name that the run made."""
        ...

    def logged_model_uri(self, model_id: str) -> str | None: ...

    def version_uri(self, name: str, version: str) -> str | None:
        """Return the storage location of a version, else its source. `version` is a number, a stage, or `latest`."""
        ...

    def alias_uri(self, name: str, alias: str) -> str | None:
        """Return the same for the version with this alias."""
        ...


def is_reference(uri: str) -> bool:
    """Return whether a URI refers to the database instead of a place."""
    return uri.startswith(("runs:/", "models:/"))


def meanings(uri: str, look_up: Lookup | None, hops: int = _MOST_HOPS) -> Iterator[str]:
    """Yield the places that `uri` may refer to, the likeliest first."""
    if not is_reference(uri):
        yield uri
    elif look_up is not None and hops > 0:
        for meaning in filter(None, _next(uri, look_up)):
            yield from meanings(meaning, look_up, hops - 1)


def _next(uri: str, look_up: Lookup) -> Iterator[str | None]:
    if run := _RUN.fullmatch(uri):
        run_id, path = run.groups()
        yield _below(look_up.run_uri(run_id), path)
        # Since MLflow 3.0 a run's models are not in its folder, but these URIs still refer to them.
        name, _, inside = path.partition("/")
        if name:
            yield _below(look_up.run_model_uri(run_id, name), inside)
    elif model := _LOGGED_MODEL.fullmatch(uri):
        yield _below(look_up.logged_model_uri(model.group(1)), model.group(2))
    elif alias := _ALIAS.fullmatch(uri):
        yield look_up.alias_uri(alias.group(1), alias.group(2))
    elif version := _VERSION.fullmatch(uri):
        yield look_up.version_uri(version.group(1), version.group(2))


def _below(uri: str | None, path: str) -> str | None:
    return None if uri is None else joined(uri, path)
