"""The completions of the filter line: names and values that exist in the store. Runs in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from mldeck.model import Kind
from mldeck.search.columns import compared_columns
from mldeck.search.complete import (
    ConnectiveWanted,
    EntityWanted,
    KeyWanted,
    OperatorWanted,
    ValueWanted,
    complete,
)
from mldeck.search.errors import SearchError
from mldeck.search.names import ATTRIBUTE_NAMES, DATASET_KEYS
from mldeck.search.parse import parse
from mldeck.search.print import field_text, quote_key, quote_text
from mldeck.search.tree import Entity, Span
from mldeck.store.interrupt import Interrupt

if TYPE_CHECKING:
    from mldeck.store.store import Store

MOST = 50
"""The most candidates. With more, typing another letter is easier than choosing."""

_ENTITIES = ("metrics.", "params.", "tags.", "dataset.")
_STATUSES = ("FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED")
_KINDS = {Entity.METRIC: Kind.METRIC, Entity.PARAM: Kind.PARAM, Entity.TAG: Kind.TAG}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A completion: `text` replaces the characters in `span`."""

    text: str
    note: str
    """Shown beside the text."""
    span: Span


@dataclass
class Completer:
    """Finds what can be inserted at the cursor. Keys are read once for each kind."""

    store: Store
    sample_ids: Sequence[str]
    """Ids of runs of the present experiment. Their keys come first."""
    starred: Mapping[str, str]
    """Saved filters, by name."""

    def __post_init__(self) -> None:
        self._keys: dict[Kind, list[str]] = {}

    def candidates(self, text: str, cursor: int, interrupt: Interrupt) -> list[Candidate]:
        """Return at most `MOST` completions at the cursor, a character index into the text."""
        wanted = complete(text, cursor)
        found: Iterable[Candidate] = ()
        if isinstance(wanted, EntityWanted):
            found = self._clauses(text, wanted, interrupt)
        elif isinstance(wanted, KeyWanted):
            found = self._key_candidates(wanted, interrupt)
        elif isinstance(wanted, OperatorWanted):
            names = _matching((operator.value for operator in wanted.operators), wanted.prefix)
            found = (Candidate(f"{name} ", "", wanted.span) for name in names)
        elif isinstance(wanted, ValueWanted):
            found = self._value_candidates(wanted, interrupt)
        elif isinstance(wanted, ConnectiveWanted):
            words = ("AND", "OR", *([")"] if wanted.open_parentheses else []))
            found = (Candidate(f"{word} ", "", wanted.span) for word in _matching(words, wanted.prefix))
        return list(islice(found, MOST))

    def _clauses(self, text: str, wanted: EntityWanted, interrupt: Interrupt) -> Iterator[Candidate]:
        """Find completions for the beginning of a clause. A key may be typed without its entity."""
        if not text.strip():
            for name, search in self.starred.items():
                yield Candidate(search, f"★ {name}", (0, len(text)))
        for word in _matching((*_ENTITIES, *ATTRIBUTE_NAMES), wanted.prefix):
            yield Candidate(word if word.endswith(".") else f"{word} ", "", wanted.span)
        if not wanted.prefix:
            return
        for entity, kind in _KINDS.items():
            for key in _matching(self._keys_of(kind, interrupt), wanted.prefix):
                yield Candidate(f"{field_text(entity, key)} ", "", wanted.span)

    def _key_candidates(self, wanted: KeyWanted, interrupt: Interrupt) -> Iterator[Candidate]:
        if wanted.kind is Entity.DATASET:
            keys: Iterable[str] = DATASET_KEYS
        elif wanted.kind is Entity.ATTRIBUTE:
            keys = ATTRIBUTE_NAMES
        else:
            keys = self._keys_of(_KINDS[wanted.kind], interrupt)
        for key in _matching(keys, wanted.prefix):
            yield Candidate(f"{quote_key(key)} ", "", wanted.span)

    def _value_candidates(self, wanted: ValueWanted, interrupt: Interrupt) -> Iterator[Candidate]:
        values: Sequence[str] = ()
        if wanted.kind in (Entity.PARAM, Entity.TAG):
            values = self.store.list_values(_KINDS[wanted.kind], wanted.key, interrupt=interrupt)
        elif wanted.key == "status" and wanted.kind is Entity.ATTRIBUTE:
            values = _STATUSES
        for value in _matching(values, wanted.prefix):
            if "'" not in value or '"' not in value:
                yield Candidate(f"{quote_text(value)} ", "", wanted.span)

    def _keys_of(self, kind: Kind, interrupt: Interrupt) -> list[str]:
        if kind not in self._keys:
            self._keys[kind] = self.store.list_keys(kind, self.sample_ids, interrupt)
        return self._keys[kind]


def unknown_names(store: Store, text: str, interrupt: Interrupt) -> str:
    """Return which names of a filter no run has, and what may have been meant; empty if there are none."""
    try:
        columns = compared_columns(parse(text.rstrip()))
    except SearchError:
        return ""
    return "; ".join(f"no run {unknown}" for unknown in store.unknown_columns(columns, (), interrupt))


def _matching(names: Iterable[str], prefix: str) -> Iterator[str]:
    """Return names that begin with the prefix, then names that contain it; case is ignored."""
    wanted = prefix.lower()
    within = []
    for name in names:
        if name.lower().startswith(wanted):
            yield name
        elif wanted in name.lower():
            within.append(name)
    yield from within
