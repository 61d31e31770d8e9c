"""Parses a search into a tree.

Pure, and fast enough to run on every keystroke. lark is imported with the first search that is not empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from mldeck.search import check
from mldeck.search.errors import SearchError, reject_too_long
from mldeck.search.expect import Slot, expectation
from mldeck.search.language import RUNS, Language
from mldeck.search.tree import EVERYTHING, Comparison, NameMatch, Node, children

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.parsers.lalr_interactive_parser import InteractiveParser

_MOST_CLAUSES = 500
_CLAUSE_SIGNS = frozenset("<>=~!'\"`")
_OPERATOR_WORDS = frozenset({"in", "is", "like", "ilike", "not"})
_DEEPEST = 25
"""The deepest tree that is accepted.

SQLite rejects expressions nested a thousand levels deep, and it counts a chain of AND or OR as nested. Of NOT, and of
AND in OR in AND, it accepted 30 levels.
"""


def parse(text: str, language: Language = RUNS) -> Node:
    """Return the tree of a search; an empty text finds everything. Raises SearchError."""
    if not text:
        return EVERYTHING
    reject_too_long(text)
    if text.isspace():
        hint = f"leave it empty to see all {language.noun}"
        raise SearchError(f"Expected a search, found only spaces: {hint}.", 0, len(text))
    tree, tokens = _read(text, language)
    _reject_stray_and(text, tokens, language)
    return tree


def read_tokens(text: str) -> tuple[list[Token], int]:
    """Return the tokens of `text` up to its end or the first error, and the offset where reading stopped."""
    from lark.exceptions import UnexpectedInput

    interactive = _parser(RUNS).parse_interactive(text)
    tokens: list[Token] = []
    try:
        for token in _feed(interactive):
            tokens.append(token)
    except (UnexpectedInput, SearchError):
        return tokens, (tokens[-1].end_pos or 0) if tokens else 0
    return tokens, len(text)


@lru_cache
def _parser(language: Language) -> Lark:
    """Return the parser of a language, built once because that takes milliseconds. It keeps no state between searches."""
    from lark import Lark

    from mldeck.search.build import Builder
    from mldeck.search.grammar import GRAMMAR

    return Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=Builder(language), maybe_placeholders=True)


def _read(text: str, language: Language) -> tuple[Node, list[Token]]:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    interactive = _parser(language).parse_interactive(text)
    tokens: list[Token] = []
    try:
        for token in _feed(interactive):
            tokens.append(token)
        tree: Node = interactive.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedCharacters as error:
        raise _syntax_error(text, tokens, cast(int, error.pos_in_stream), language) from None
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text) if at_end else error.token.start_pos or 0
        raise _syntax_error(text, tokens, position, language) from None
    _reject_too_much(tree, tokens)
    return tree, tokens


def _feed(interactive: InteractiveParser) -> Iterator[Token]:
    """Feed the parser, and yield each token once the parser has accepted it."""
    for token in interactive.lexer_thread.lex(interactive.parser_state):  # type: ignore[no-untyped-call]
        interactive.feed_token(token)
        yield token


def _syntax_error(text: str, tokens: Sequence[Token], position: int, language: Language) -> SearchError:
    """Return the error for unexpected text at `position`, after `tokens`."""
    end = _end_of_word(text, position)
    found = f", found {text[position:end]!r}" if end > position else ""
    quote = text[position : position + 1]
    if quote in ("'", '"', "`") and quote not in text[position + 1 :]:
        return SearchError(f"Expected a closing {quote}.", position, len(text))
    try:
        expected = _expected_next(tokens, language)
    except SearchError as earlier:  # the name or operator before is already wrong
        is_name = tokens[-1].value.partition(".")[0] not in language.entity_words
        hint = _hint_for_name(text, tokens, earlier.position, language) if is_name else ""
        return SearchError(f"{earlier}{hint}", *earlier.span)
    hint = (_hint_for_key(tokens, position) or _hint_for_name(text, tokens, position, language)) if found else ""
    return SearchError(f"Expected {expected}{found}.{hint}", position, end)


def _end_of_word(text: str, position: int) -> int:
    """Return the offset where the wrong piece of text ends: at the next space."""
    end = position
    while end < len(text) and not text[end].isspace():
        end += 1
    return end


def _hint_for_key(tokens: Sequence[Token], position: int) -> str:
    """Return a hint for a name directly followed by a character that names may have only in backticks."""
    if not tokens or tokens[-1].type != "FIELD" or tokens[-1].end_pos != position:
        return ""
    entity, _, key = tokens[-1].value.partition(".")
    return f" Put a name with such a character in backticks: {entity}.`{key}…`."


def _hint_for_name(text: str, tokens: Sequence[Token], position: int, language: Language) -> str:
    """Return a hint for text that could be part of a run's name if it were quoted: `v1.2`, `a+b`."""
    start = max(text.rfind(sign, 0, position) for sign in " \t\n\r(") + 1
    end = _end_of_word(text, position)
    word, (following, *_) = text[start:end].rstrip(")"), (*text[end:].split(maxsplit=1), "")
    before = [token for token in tokens if (token.end_pos or 0) <= start]
    may_be_name = word and expectation(before, language.attributes).slot in (Slot.CLAUSE, Slot.CONNECTIVE)
    is_clause = _CLAUSE_SIGNS & {*word, following[:1]} or following.lower() in _OPERATOR_WORDS
    return f" To find {word} in names write '{word}'." if may_be_name and not is_clause else ""


def _expected_next(tokens: Sequence[Token], language: Language) -> str:
    """Return in words what may follow the tokens. Raises SearchError if the last clause is already wrong."""
    following = expectation(tokens, language.attributes)
    if following.slot is Slot.CLAUSE:
        return f"a clause, like {language.example} or {language.other_example}"
    if following.slot is Slot.CONNECTIVE:
        return "AND, OR or the end" if following.depth == 0 else "AND, OR or a closing parenthesis"
    if following.slot is Slot.NULL:
        return "NULL or NOT NULL, with one space"
    if following.slot is Slot.ITEM_END or following.field is None:
        return "a comma or a closing parenthesis"
    kind, key = language.resolve_field(following.field.value, following.field.start_pos or 0)
    if following.operator is None:
        return f"an operator ({', '.join(operator.value for operator in check.operators_for(kind, key))})"
    span = (following.operator.start_pos or 0, following.operator.end_pos or 0)
    operator = check.resolve_operator(following.operator.value, kind, key, span)
    if following.slot is Slot.ITEM:
        return check.expected_item(kind, key)
    return check.expected_value(kind, key, operator)


def _reject_too_much(tree: Node, tokens: Sequence[Token]) -> None:
    """Reject a tree too large for a database.

    The tree is walked level by level, because recursion into a tree nested too deeply would fail in Python as well.
    """
    clauses, levels, nodes = 0, 0, [tree]
    while nodes:
        levels += 1
        clauses += sum(isinstance(node, Comparison | NameMatch) for node in nodes)
        nodes = [child for node in nodes for child in children(node)]
    groups = sum(token.type == "LPAR" for token in tokens)
    if max(clauses, groups) > _MOST_CLAUSES or levels > _DEEPEST:
        raise SearchError("Expected a shorter search: this one is too long or too deeply nested for a database.", 0)


def _reject_stray_and(text: str, tokens: Sequence[Token], language: Language) -> None:
    """Reject an AND without a clause beside it, if the search has OR, NOT or parentheses.

    MLflow skips a doubled AND, and an AND at either end. Beside OR, NOT or parentheses that would hide a mistake.
    """
    if not any(_is_grouping(tokens, index) for index in range(len(tokens))):
        return
    last = len(tokens) - 1
    for index, token in enumerate(tokens):
        if token.type != "AND":
            continue
        opens = index == 0 or tokens[index - 1].type in ("AND", "OR", "NOT") or _opens_group(tokens, index - 1)
        closes = index == last or tokens[index + 1].type in ("OR", "RPAR")
        if opens or closes:
            message = f"Expected a clause beside AND, like {language.example}."
            raise SearchError(message, token.start_pos or 0, token.end_pos or len(text))


def _is_grouping(tokens: Sequence[Token], index: int) -> bool:
    return tokens[index].type in ("OR", "NOT") or _opens_group(tokens, index)


def _opens_group(tokens: Sequence[Token], index: int) -> bool:
    """Return whether a parenthesis opens a group, not a list. A list never has AND inside."""
    return tokens[index].type == "LPAR" and (index == 0 or tokens[index - 1].type not in ("IN", "NOT_IN"))
