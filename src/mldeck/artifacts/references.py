"""URIs that name no place but something in the database: `runs:/ID/PATH`, `models:/m-ID`, `models:/NAME/VERSION` and so
on. What they stand for is looked up; it may be such a URI again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol

from mldeck.artifacts.uris import joined

_MOST_HOPS = 5
"""A version may be registered from a version, and a damaged database may lead round in a circle."""

_RUN = re.compile(r"runs:/+([^/]+)/*(.*)", re.DOTALL)
_LOGGED_MODEL = re.compile(r"models:/+(m-[^/]+)/*(.*)", re.DOTALL)
_ALIAS = re.compile(r"models:/+([^/].*)@([^@/]+)", re.DOTALL)
_VERSION = re.compile(r"models:/+([^/].*)/([^/]+)/*", re.DOTALL)


class Lookup(Protocol):
    """What the database knows; None where it has no such thing, or no place for it."""

    def run_uri(self, run_id: str) -> str | None: ...

    def run_model_uri(self, run_id: str, name: str) -> str | None:
        """Of the newest logged model of this name that the run made."""
        ...

    def logged_model_uri(self, model_id: str) -> str | None: ...

    def version_uri(self, name: str, version: str) -> str | None:
        """`version`: a number, a stage, or `latest`. Its storage location, else its source."""
        ...

    def alias_uri(self, name: str, alias: str) -> str | None:
        """The same for the version that the alias stands for."""
        ...


def is_reference(uri: str) -> bool:
    return uri.startswith(("runs:/", "models:/"))


def meanings(uri: str, look_up: Lookup | None, hops: int = _MOST_HOPS) -> Iterator[str]:
    """The places that `uri` may stand for, the likeliest first."""
    if not is_reference(uri):
        yield uri
    elif look_up is not None and hops > 0:
        for meaning in filter(None, _next(uri, look_up)):
            yield from meanings(meaning, look_up, hops - 1)


def _next(uri: str, look_up: Lookup) -> Iterator[str | None]:
    if run := _RUN.fullmatch(uri):
        run_id, path = run.groups()
        yield _below(look_up.run_uri(run_id), path)
        # Since 3.0 a run's models are not in its folder, but are still called by these URIs.
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
