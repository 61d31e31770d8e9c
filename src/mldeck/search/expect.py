"""The expected continuation of a search, given the tokens so far: for error messages and completion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class Token(Protocol):
    """The part of a token that is used here; lark's tokens have it."""

    @property
    def type(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def start_pos(self) -> int | None: ...
    @property
    def end_pos(self) -> int | None: ...


class Slot(Enum):
    """A position in a search, named after what is expected there."""

    CLAUSE = auto()
    """An entity, an attribute, a word of the run's name, NOT, or an opening parenthesis."""
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
    """The slot that is expected next, and the clause that it belongs to."""

    slot: Slot
    field: Token | None = None
    """The field of the clause, if it has been written."""
    operator: Token | None = None
    depth: int = 0
    """The number of open parentheses, not counting that of a list."""


_BY_LAST = {
    "AND": Slot.CLAUSE,
    "OR": Slot.CLAUSE,
    "NOT": Slot.CLAUSE,
    "FIELD": Slot.OPERATOR,
    "BACKTICKED": Slot.OPERATOR,
    "OPERATOR": Slot.VALUE,
    "PATTERN": Slot.PATTERN,
    "IN": Slot.LIST,
    "NOT_IN": Slot.LIST,
    "IS": Slot.NULL,
}


def expectation(tokens: Sequence[Token], attribute_words: frozenset[str]) -> Expectation:
    """Return what may follow `tokens`. `attribute_words` start a clause instead of being part of a run's name."""
    groups, list_start = _open_parentheses(tokens)
    if not tokens:
        return Expectation(Slot.CLAUSE)
    if list_start is not None:
        slot = Slot.ITEM if tokens[-1].type in ("LPAR", "COMMA") else Slot.ITEM_END
        return Expectation(slot, tokens[list_start - 2], tokens[list_start - 1], groups)
    last = tokens[-1]
    if last.type == "LPAR":
        return Expectation(Slot.CLAUSE, depth=groups)
    if last.type == "WORD" and last.value in attribute_words:
        return Expectation(Slot.OPERATOR, last, depth=groups)
    slot = _BY_LAST.get(last.type, Slot.CONNECTIVE)
    if slot is Slot.OPERATOR:
        return Expectation(slot, last, depth=groups)
    if slot in (Slot.VALUE, Slot.PATTERN, Slot.LIST, Slot.NULL):
        return Expectation(slot, tokens[-2], last, groups)
    return Expectation(slot, depth=groups)


def _open_parentheses(tokens: Sequence[Token]) -> tuple[int, int | None]:
    """Return the number of open groups, and the index of the parenthesis of an open list or None."""
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
