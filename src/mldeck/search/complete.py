"""What could be typed at the cursor: the kind of thing, not which ones there are in the database."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mldeck.search import check
from mldeck.search.errors import MOST_CHARACTERS, SearchError
from mldeck.search.expect import Expectation, Place, expectation
from mldeck.search.names import ATTRIBUTE_NAMES
from mldeck.search.parse import read_tokens
from mldeck.search.tree import MEMBERSHIP, Entity, NameMatch, Node, Operator, Span, walk


@dataclass(frozen=True, slots=True)
class EntityWanted:
    """The beginning of a clause: `metrics.`, an attribute, NOT, a parenthesis, or a word of the run's name."""

    prefix: str
    span: Span


@dataclass(frozen=True, slots=True)
class KeyWanted:
    """The key behind `metrics.`; `span` covers the key only, with its quotes. Write it with `quote_key`."""

    kind: Entity
    prefix: str
    span: Span


@dataclass(frozen=True, slots=True)
class OperatorWanted:
    kind: Entity
    key: str
    operators: tuple[Operator, ...]
    """All that suit, whatever the prefix."""
    prefix: str
    span: Span


@dataclass(frozen=True, slots=True)
class ValueWanted:
    """`span` covers the value with its quotes. Write a text with `quote_text`."""

    kind: Entity
    key: str
    operator: Operator
    prefix: str
    span: Span
    in_list: bool = False
    """A further item of a list is wanted, or the list is still to be opened."""


@dataclass(frozen=True, slots=True)
class ConnectiveWanted:
    """AND, OR, or a closing parenthesis if any is open. A further clause may also begin here."""

    prefix: str
    span: Span
    open_parentheses: int = 0


Wanted = EntityWanted | KeyWanted | OperatorWanted | ValueWanted | ConnectiveWanted

_FIELD_BEGUN = re.compile(r"(?P<entity>`?\w+`?)\.(?P<key>[`\"']?)(?P<prefix>[^`\"']*)$")

# What a text ends in, to be matched from its end backwards: a search for it would begin at each character anew.
_WORD_BEGUN = re.compile(r"[\w\-+./:]*")
_OPERATOR_BEGUN = re.compile(r"[<>=!~]*")
_FIELD = re.compile(r"(?:[`\"'][^`\"']*[`\"'])?\.`?\w+`?")
_FIELD_NOT_QUOTED_YET = re.compile(r"[^\s`\"'<>=!()]*\.\w+(?=[\s(]|\Z)")
"""`metrics.val/l`: the quotes that the key needs come with the completion."""

_REST_OF_WORD = re.compile(r"[\w\-./:]*")


def complete(text: str, cursor: int) -> Wanted | None:
    """What is wanted where the cursor is; None where nothing is, as in a search that is wrong further to the left."""
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
    """The bare word that the cursor is in or behind: whoever types may not be done with it. In quotes a word is whole."""
    words = (node for node in walk(tree) if isinstance(node, NameMatch) and node.span[0] < cursor <= node.span[1])
    return next((node.word for node in words if len(node.word) == node.span[1] - node.span[0]), None)


def _wanted(next_up: Expectation, text: str, start: int, cursor: int) -> Wanted | None:
    span = (start, _end_of_word(text, start, cursor))
    typed = text[start:cursor]
    if next_up.place is Place.CLAUSE:
        return _clause(text, start, cursor)
    if next_up.place is Place.CONNECTIVE:
        if "." in typed:  # a clause that follows without AND
            return _clause(text, start, cursor)
        return ConnectiveWanted(typed, span, next_up.depth)
    if next_up.field is None or next_up.place in (Place.NULL, Place.ITEM_END):
        return None
    kind, key = check.resolve_field(next_up.field.value, 0)
    if next_up.operator is None:
        return OperatorWanted(kind, key, check.operators_for(kind, key), typed, span)
    operator = check.resolve_operator(next_up.operator.value, kind, key, (0, 0))
    return ValueWanted(kind, key, operator, typed.lstrip("'\""), span, operator in MEMBERSHIP)


def _clause(text: str, start: int, cursor: int) -> EntityWanted | KeyWanted | None:
    typed = text[start:cursor]
    begun = _FIELD_BEGUN.match(typed)
    if begun is None:
        return EntityWanted(typed, (start, _end_of_word(text, start, cursor)))
    kind, _ = check.resolve_field(f"{begun['entity']}.{_any_key(begun['entity'])}", 0)
    key_start = start + begun.start("key")
    return KeyWanted(kind, begun["prefix"], (key_start, _end_of_word(text, key_start, cursor)))


def _any_key(entity: str) -> str:
    """A key that the entity is sure to have, to ask what the entity is."""
    return "name" if entity.strip("`").startswith("dataset") else "status"


def _start_of_word(head: str) -> int:
    """Where the piece begins that the cursor is in or at the end of: a word, an operator, or an open quote."""
    quote = _open_quote(head)
    if quote is not None:
        # The key of a field belongs to what is before its quote.
        return quote - _length_at_end(_WORD_BEGUN, head[:quote]) if head[:quote].endswith(".") else quote
    ends = (_FIELD, _FIELD_NOT_QUOTED_YET, _OPERATOR_BEGUN, _WORD_BEGUN)
    lengths = (_length_at_end(end, head) for end in ends)
    return len(head) - next(filter(None, lengths), 0)


def _length_at_end(end: re.Pattern[str], text: str) -> int:
    """How much of the text is such an end of it."""
    found = end.match(text[::-1])
    return found.end() if found else 0


def _open_quote(head: str) -> int | None:
    """Where the quote begins that is not closed at the end of `head`."""
    quote: int | None = None
    for index, char in enumerate(head):
        if quote is None and char in "`'\"":
            quote = index
        elif quote is not None and char == head[quote]:
            quote = None
    return quote


def _end_of_word(text: str, start: int, cursor: int) -> int:
    """Where the piece ends that begins at `start`: behind its closing quote if it has one."""
    rest = text[cursor:]
    quote = text[start : start + 1]
    if quote in ("'", '"', "`") and cursor > start:
        # An even number of quotes to the right means that they belong together, and this piece is not closed yet.
        return cursor + rest.index(quote) + 1 if rest.count(quote) % 2 else cursor
    if _length_at_end(_OPERATOR_BEGUN, text[start:cursor]):
        return cursor
    found = _REST_OF_WORD.match(rest)
    return cursor + (found.end() if found else 0)
