"""What may come next, told from the tokens before: for messages about errors and for completion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class Token(Protocol):
    """As much of a token as is needed here; lark's own tokens are such."""

    @property
    def type(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def start_pos(self) -> int | None: ...
    @property
    def end_pos(self) -> int | None: ...


class Place(Enum):
    """A place in a search, by what is expected there."""

    CLAUSE = auto()
    """An entity, an attribute or a word of the run's name; also NOT and an opening parenthesis."""
    OPERATOR = auto()
    VALUE = auto()
    PATTERN = auto()
    LIST = auto()
    ITEM = auto()
    ITEM_END = auto()
    NULL = auto()
    CONNECTIVE = auto()


@dataclass(frozen=True, slots=True)
class Expectation:
    place: Place
    field: Token | None = None
    """What the clause is about, once it is there."""
    operator: Token | None = None
    depth: int = 0
    """How many parentheses are open around the place, a list's own not counted."""


_BY_LAST = {
    "AND": Place.CLAUSE,
    "OR": Place.CLAUSE,
    "NOT": Place.CLAUSE,
    "FIELD": Place.OPERATOR,
    "BACKTICKED": Place.OPERATOR,
    "OPERATOR": Place.VALUE,
    "PATTERN": Place.PATTERN,
    "IN": Place.LIST,
    "NOT_IN": Place.LIST,
    "IS": Place.NULL,
}


def expectation(tokens: Sequence[Token], attribute_words: frozenset[str]) -> Expectation:
    """What may follow `tokens`. `attribute_words` are the words that begin a clause rather than being a run's name."""
    groups, list_start = _open_parentheses(tokens)
    if not tokens:
        return Expectation(Place.CLAUSE)
    if list_start is not None:
        place = Place.ITEM if tokens[-1].type in ("LPAR", "COMMA") else Place.ITEM_END
        return Expectation(place, tokens[list_start - 2], tokens[list_start - 1], groups)
    last = tokens[-1]
    if last.type == "LPAR":
        return Expectation(Place.CLAUSE, depth=groups)
    if last.type == "WORD" and last.value in attribute_words:
        return Expectation(Place.OPERATOR, last, depth=groups)
    place = _BY_LAST.get(last.type, Place.CONNECTIVE)
    if place is Place.OPERATOR:
        return Expectation(place, last, depth=groups)
    if place in (Place.VALUE, Place.PATTERN, Place.LIST, Place.NULL):
        return Expectation(place, tokens[-2], last, groups)
    return Expectation(place, depth=groups)


def _open_parentheses(tokens: Sequence[Token]) -> tuple[int, int | None]:
    """How many groups are open, and where the list begins that is open."""
    groups, list_start = 0, None
    for index, token in enumerate(tokens):
        if token.type == "LPAR":
            if index and tokens[index - 1].type in ("IN", "NOT_IN"):
                list_start = index
            else:
                groups += 1
        elif token.type == "RPAR":
            if list_start is not None:
                list_start = None
            else:
                groups -= 1
    return groups, list_start
