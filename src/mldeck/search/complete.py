"""Completion: the kind of thing that can be typed at the cursor, not the names that are in the database."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mldeck.search import check
from mldeck.search.errors import MOST_CHARACTERS, SearchError
from mldeck.search.expect import Expectation, Slot, expectation
from mldeck.search.names import ATTRIBUTE_NAMES
from mldeck.search.parse import read_tokens
from mldeck.search.tree import MEMBERSHIP, Entity, NameMatch, Node, Operator, Span, walk


@dataclass(frozen=True, slots=True)
class EntityWanted:
    """The start of a clause: `metrics.`, an attribute, NOT, a parenthesis, or a word of the run's name."""

    prefix: str
    span: Span


@dataclass(frozen=True, slots=True)
class KeyWanted:
    """The key after `metrics.`; `span` covers only the key with its quotes. Insert a key with `quote_key`."""

    kind: Entity
    prefix: str
    span: Span


@dataclass(frozen=True, slots=True)
class OperatorWanted:
    """An operator after a key."""

    kind: Entity
    key: str
    operators: tuple[Operator, ...]
    """All operators that the key allows, regardless of `prefix`."""
    prefix: str
    span: Span


@dataclass(frozen=True, slots=True)
class ValueWanted:
    """A value; `span` covers it with its quotes. Insert a string with `quote_text`."""

    kind: Entity
    key: str
    operator: Operator
    prefix: str
    span: Span
    in_list: bool = False
    """Whether an item of a list is wanted, or the list itself."""


@dataclass(frozen=True, slots=True)
class ConnectiveWanted:
    """A connective: AND, OR, or a closing parenthesis if any is open. Another clause may also start here."""

    prefix: str
    span: Span
    open_parentheses: int = 0


Wanted = EntityWanted | KeyWanted | OperatorWanted | ValueWanted | ConnectiveWanted

_PARTIAL_FIELD = re.compile(r"(?P<entity>`?\w+`?)\.(?P<key>[`\"']?)(?P<prefix>[^`\"']*)$")

# Matched against reversed text, from its end: searching forwards would start again at every character.
_PARTIAL_WORD = re.compile(r"[\w\-+./:]*")
_PARTIAL_OPERATOR = re.compile(r"[<>=!~]*")
_FIELD = re.compile(r"(?:[`\"'][^`\"']*[`\"'])?\.`?\w+`?")
_UNQUOTED_FIELD = re.compile(r"[^\s`\"'<>=!()]*\.\w+(?=[\s(]|\Z)")
"""`metrics.val/l`: the completion adds the quotes that the key needs."""

_REST_OF_WORD = re.compile(r"[\w\-./:]*")


def complete(text: str, cursor: int) -> Wanted | None:
    """Return what can be typed at the cursor; None if nothing can, as in a search with an error further left."""
    if len(text) > MOST_CHARACTERS:
        return None
    head = text[:cursor]
    start = _start_of_word(head)
    tokens, stopped = read_tokens(head[:start])
    if head[stopped:start].strip():
        return None
    try:
        return _wanted(expectation(tokens, ATTRIBUTE_NAMES), text, start, cursor)
    except SearchError:
        return None


def word_at(tree: Node, cursor: int) -> str | None:
    """Return the bare word that the cursor is inside or right after, because the user may still be typing it.

    A word in quotes is always complete.
    """
    words = (node for node in walk(tree) if isinstance(node, NameMatch) and node.span[0] < cursor <= node.span[1])
    return next((node.word for node in words if len(node.word) == node.span[1] - node.span[0]), None)


def _wanted(expected: Expectation, text: str, start: int, cursor: int) -> Wanted | None:
    span = (start, _end_of_word(text, start, cursor))
    typed = text[start:cursor]
    if expected.slot is Slot.CLAUSE:
        return _clause(text, start, cursor)
    if expected.slot is Slot.CONNECTIVE:
        if "." in typed:  # a clause may follow without AND
            return _clause(text, start, cursor)
        return ConnectiveWanted(typed, span, expected.depth)
    if expected.field is None or expected.slot in (Slot.NULL, Slot.ITEM_END):
        return None
    kind, key = check.resolve_field(expected.field.value, 0)
    if expected.operator is None:
        return OperatorWanted(kind, key, check.operators_for(kind, key), typed, span)
    operator = check.resolve_operator(expected.operator.value, kind, key, (0, 0))
    return ValueWanted(kind, key, operator, typed.lstrip("'\""), span, operator in MEMBERSHIP)


def _clause(text: str, start: int, cursor: int) -> EntityWanted | KeyWanted | None:
    typed = text[start:cursor]
    partial = _PARTIAL_FIELD.match(typed)
    if partial is None:
        return EntityWanted(typed, (start, _end_of_word(text, start, cursor)))
    kind, _ = check.resolve_field(f"{partial['entity']}.{_any_key(partial['entity'])}", 0)
    key_start = start + partial.start("key")
    return KeyWanted(kind, partial["prefix"], (key_start, _end_of_word(text, key_start, cursor)))


def _any_key(entity: str) -> str:
    """Return a key that is valid for the entity, in order to resolve the entity alone."""
    return "name" if entity.strip("`").startswith("dataset") else "status"


def _start_of_word(head: str) -> int:
    """Return the offset where the piece at the cursor starts: a word, an operator, or an open quote."""
    quote = _open_quote(head)
    if quote is not None:
        # A quoted key belongs to the field before its quote.
        return quote - _length_at_end(_PARTIAL_WORD, head[:quote]) if head[:quote].endswith(".") else quote
    ends = (_FIELD, _UNQUOTED_FIELD, _PARTIAL_OPERATOR, _PARTIAL_WORD)
    lengths = (_length_at_end(end, head) for end in ends)
    return len(head) - next(filter(None, lengths), 0)


def _length_at_end(end: re.Pattern[str], text: str) -> int:
    """Return the length of the match at the end of the text; `end` is a pattern for reversed text."""
    found = end.match(text[::-1])
    return found.end() if found else 0


def _open_quote(head: str) -> int | None:
    """Return the offset of the quote that is still open at the end of `head`, or None."""
    quote: int | None = None
    for index, char in enumerate(head):
        if quote is None and char in "`'\"":
            quote = index
        elif quote is not None and char == head[quote]:
            quote = None
    return quote


def _end_of_word(text: str, start: int, cursor: int) -> int:
    """Return the offset where the piece that starts at `start` ends: after its closing quote if it has one."""
    rest = text[cursor:]
    quote = text[start : start + 1]
    if quote in ("'", '"', "`") and cursor > start:
        # An even number of quotes on the right means that they pair up, and this piece is not closed yet.
        return cursor + rest.index(quote) + 1 if rest.count(quote) % 2 else cursor
    if _length_at_end(_PARTIAL_OPERATOR, text[start:cursor]):
        return cursor
    found = _REST_OF_WORD.match(rest)
    return cursor + (found.end() if found else 0)
