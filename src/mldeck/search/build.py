"""Builds the tree from lark's rules. Imported only when something is parsed, because it imports lark."""

from __future__ import annotations

from ast import literal_eval
from dataclasses import replace
from itertools import pairwise
from typing import Any

from lark import Token, Transformer

from mldeck.search import check
from mldeck.search.errors import SearchError
from mldeck.search.language import Language
from mldeck.search.moments import read_duration
from mldeck.search.names import RESERVED_WORDS, strip_ends
from mldeck.search.tree import (
    EVERYTHING,
    MEMBERSHIP,
    PRESENCE,
    And,
    Comparison,
    Duration,
    Entity,
    NameMatch,
    Node,
    Not,
    Operator,
    Span,
    conjunction,
    disjunction,
)

_LONGEST_INTEGER = 400
"""In digits. Python refuses to parse integers of some thousand digits, and a database stops at 19."""

Raw = str | float | int | Duration


def _span(first: Token, last: Token) -> Span:
    return first.start_pos or 0, last.end_pos or 0


class Builder(Transformer[Token, Any]):
    """A builder of nodes from the parts of lark's rules; each method is named after its rule.

    It keeps no state, so one parser serves all threads.
    """

    def __init__(self, language: Language) -> None:
        super().__init__()
        self._language = language

    def start(self, parts: list[Node | None]) -> Node:
        return parts[0] or EVERYTHING

    def disjunction(self, parts: list[Node | Token]) -> Node:
        nodes = tuple(part for part in parts if not isinstance(part, Token))
        return disjunction(nodes, (nodes[0].span[0], nodes[-1].span[1]))

    def conjunction(self, parts: list[Node | Token]) -> Node:
        nodes = tuple(part for part in parts if not isinstance(part, Token))
        if not nodes:
            return EVERYTHING
        for before, after in pairwise(parts):
            _reject_missing_and(before, after)
        return conjunction(nodes, (nodes[0].span[0], nodes[-1].span[1]))

    def negation(self, parts: list[Any]) -> Node:
        return Not(parts[1], (parts[0].start_pos, parts[1].span[1]))

    def group(self, parts: list[Any]) -> Node:
        node: Node = parts[1]
        return replace(node, in_parentheses=True) if isinstance(node, Comparison | And) else node

    def name_match(self, parts: list[Token]) -> Node:
        token = parts[0]
        if token.type == "WORD":
            _reject_unfinished_clause(token, self._language)
        return NameMatch(strip_ends(token.value, "'\""), _span(token, token))

    def comparison(self, parts: list[Any]) -> Node:
        (kind, key, where), token, (raw, value_span) = parts
        operator = check.resolve_operator(token.value, kind, key, _span(token, token))
        value = check.resolve_value(raw, kind, key, operator, value_span)
        return Comparison(kind, key, operator, value, (where[0], value_span[1]), where, value_span)

    def membership(self, parts: list[Any]) -> Node:
        (kind, key, where), token, (raw, value_span) = parts
        operator = check.resolve_operator(token.value, kind, key, _span(token, token))
        value = check.resolve_list(raw, kind, key, operator, value_span)
        return Comparison(kind, key, operator, value, (where[0], value_span[1]), where, value_span)

    def presence(self, parts: list[Any]) -> Node:
        (kind, key, where), _, token = parts
        operator = Operator.IS_NULL if token.type == "NULL" else Operator.IS_NOT_NULL
        end = token.end_pos
        return Comparison(kind, key, operator, None, (where[0], end), where, (end, end))

    def field(self, parts: list[Token]) -> tuple[Entity, str, Span]:
        token = parts[0]
        return *self._language.resolve_field(token.value, token.start_pos or 0), _span(token, token)

    def string(self, parts: list[Token]) -> tuple[str, Span]:
        # MLflow strips the quotes and unescapes nothing.
        return parts[0].value[1:-1], _span(parts[0], parts[0])

    def number(self, parts: list[Token]) -> tuple[float | int, Span]:
        return _number(parts[0]), _span(parts[0], parts[0])

    def duration(self, parts: list[Token]) -> tuple[Duration, Span]:
        duration = read_duration(parts[0].value)
        if duration is None:
            raise SearchError("The duration is too long.", *_span(parts[0], parts[0]))
        return duration, _span(parts[0], parts[0])

    def listing(self, parts: list[Any]) -> tuple[list[str | float | int], Span]:
        return [part for part in parts if not isinstance(part, Token)], _span(parts[0], parts[-1])

    def item(self, parts: list[Token]) -> str | float | int:
        if parts[0].type == "NUMBER":
            return _number(parts[0])
        return "".join(_python_string(part) for part in parts)


def _number(token: Token) -> float | int:
    if token.value.lstrip("-").isdigit() and len(token.value) < _LONGEST_INTEGER:
        return int(token.value)
    return float(token.value)


def _python_string(token: Token) -> str:
    """Return the value of a string in a list. MLflow reads lists as Python literals, so only here escapes count."""
    try:
        value = literal_eval(token.value)
    except (SyntaxError, ValueError):
        raise SearchError(
            "Expected a string in Python syntax: in a list a backslash starts an escape.", *_span(token, token)
        ) from None
    return str(value)


def _reject_unfinished_clause(token: Token, language: Language) -> None:
    """Reject a bare word that is the start or the middle of a clause, not part of a name."""
    word = token.value
    if word in language.attributes:
        raise SearchError(f"Expected an operator after {word}; to find it in names write '{word}'.", token.end_pos or 0)
    if word in language.entity_words:
        raise SearchError(
            f"Expected a dot and a name after {word}; to find it in names write '{word}'.", token.end_pos or 0
        )
    if word.lower() in RESERVED_WORDS or word.isdigit():
        raise SearchError(
            f"Expected a clause, like {language.example}; to find {word} in names write '{word}'.", *_span(token, token)
        )


def _reject_missing_and(before: Node | Token, after: Node | Token) -> None:
    """Reject a missing AND before IN or IS NULL.

    MLflow lets clauses follow each other without AND, but not IN or IS NULL after a clause with a value: sqlparse takes
    the name in the second clause for an alias of the value in the first.
    """
    if not isinstance(before, Comparison) or not isinstance(after, Comparison):
        return
    if after.operator in MEMBERSHIP | PRESENCE and before.operator not in PRESENCE:
        raise SearchError(f"Expected AND before {after.kind.value}.{after.key}.", after.span[0], after.span[1])
