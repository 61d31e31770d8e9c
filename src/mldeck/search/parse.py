"""Text to tree. Pure, and quick enough for every keystroke; lark is imported at the first search that is not empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from mldeck.search import check
from mldeck.search.errors import SearchError, reject_too_long
from mldeck.search.expect import Place, expectation
from mldeck.search.language import RUNS, Language
from mldeck.search.tree import EVERYTHING, Comparison, NameMatch, Node, children

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.parsers.lalr_interactive_parser import InteractiveParser

_MOST_CLAUSES = 500
_CLAUSE_SIGNS = frozenset("<>=~!'\"`")
_OPERATOR_WORDS = frozenset({"in", "is", "like", "ilike", "not"})
_DEEPEST = 25
"""SQLite takes no expression that is nested a thousand levels deep, and a chain of AND or OR is so to it; of NOT, and of AND
in OR in AND, it took 30 levels."""


def parse(text: str, language: Language = RUNS) -> Node:
    """The search that `text` asks for. The empty text asks for everything. Raises SearchError."""
    if not text:
        return EVERYTHING
    reject_too_long(text)
    if text.isspace():
        hint = f"leave it empty to see all {language.things}"
        raise SearchError(f"Expected a search, found only spaces: {hint}.", 0, len(text))
    tree, tokens = _read(text, language)
    _reject_stray_and(text, tokens, language)
    return tree


def read_tokens(text: str) -> tuple[list[Token], int]:
    """The tokens of `text` up to its end or the first error, and where reading stopped."""
    from lark.exceptions import UnexpectedInput

    interactive = _parser(RUNS).parse_interactive(text)
    tokens: list[Token] = []
    try:
        for token in _fed(interactive):
            tokens.append(token)
    except (UnexpectedInput, SearchError):
        return tokens, (tokens[-1].end_pos or 0) if tokens else 0
    return tokens, len(text)


@lru_cache
def _parser(language: Language) -> Lark:
    """Building it takes some milliseconds. One of each is enough: it keeps no state between searches."""
    from lark import Lark

    from mldeck.search.build import Builder
    from mldeck.search.grammar import GRAMMAR

    return Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=Builder(language), maybe_placeholders=True)


def _read(text: str, language: Language) -> tuple[Node, list[Token]]:
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    interactive = _parser(language).parse_interactive(text)
    tokens: list[Token] = []
    try:
        for token in _fed(interactive):
            tokens.append(token)
        tree: Node = interactive.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedCharacters as error:
        raise _explained(text, tokens, cast(int, error.pos_in_stream), language) from None
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(text) if at_end else error.token.start_pos or 0
        raise _explained(text, tokens, position, language) from None
    _reject_too_much(tree, tokens)
    return tree, tokens


def _fed(interactive: InteractiveParser) -> Iterator[Token]:
    """The tokens, each when the parser has taken it."""
    for token in interactive.lexer_thread.lex(interactive.parser_state):  # type: ignore[no-untyped-call]
        interactive.feed_token(token)
        yield token


def _explained(text: str, tokens: Sequence[Token], position: int, language: Language) -> SearchError:
    """What was expected at `position`, behind `tokens`."""
    end = _end_of_word(text, position)
    found = f", found {text[position:end]!r}" if end > position else ""
    quote = text[position : position + 1]
    if quote in ("'", '"', "`") and quote not in text[position + 1 :]:
        return SearchError(f"Expected a closing {quote}.", position, len(text))
    try:
        wanted = _wanted(tokens, language)
    except SearchError as earlier:  # the name or the operator before is wrong already
        is_name = tokens[-1].value.partition(".")[0] not in language.entity_words
        hint = _hint_for_name(text, tokens, earlier.position, language) if is_name else ""
        return SearchError(f"{earlier}{hint}", *earlier.span)
    hint = (_hint_for_key(tokens, position) or _hint_for_name(text, tokens, position, language)) if found else ""
    return SearchError(f"Expected {wanted}{found}.{hint}", position, end)


def _end_of_word(text: str, position: int) -> int:
    """Where the piece of text ends that is wrong: at the next space."""
    end = position
    while end < len(text) and not text[end].isspace():
        end += 1
    return end


def _hint_for_key(tokens: Sequence[Token], position: int) -> str:
    """For a sign that sticks to a name."""
    if not tokens or tokens[-1].type != "FIELD" or tokens[-1].end_pos != position:
        return ""
    entity, _, key = tokens[-1].value.partition(".")
    return f" A name with such a sign in it goes in backticks: {entity}.`{key}…`."


def _hint_for_name(text: str, tokens: Sequence[Token], position: int, language: Language) -> str:
    """For what could be a word of a name, were it in quotes: `v1.2`, `a+b`."""
    start = max(text.rfind(sign, 0, position) for sign in " \t\n\r(") + 1
    end = _end_of_word(text, position)
    word, (following, *_) = text[start:end].rstrip(")"), (*text[end:].split(maxsplit=1), "")
    before = [token for token in tokens if (token.end_pos or 0) <= start]
    may_be_name = word and expectation(before, language.attributes).place in (Place.CLAUSE, Place.CONNECTIVE)
    is_clause = _CLAUSE_SIGNS & {*word, following[:1]} or following.lower() in _OPERATOR_WORDS
    return f" To find {word} in names write '{word}'." if may_be_name and not is_clause else ""


def _wanted(tokens: Sequence[Token], language: Language) -> str:
    """What may follow the tokens, in words. Raises SearchError if the last clause is wrong already."""
    next_up = expectation(tokens, language.attributes)
    if next_up.place is Place.CLAUSE:
        return f"a clause, like {language.example} or {language.other_example}"
    if next_up.place is Place.CONNECTIVE:
        return "AND, OR or the end" if next_up.depth == 0 else "AND, OR or a closing parenthesis"
    if next_up.place is Place.NULL:
        return "NULL or NOT NULL, with one space"
    if next_up.place is Place.ITEM_END or next_up.field is None:
        return "a comma or a closing parenthesis"
    kind, key = language.resolve_field(next_up.field.value, next_up.field.start_pos or 0)
    if next_up.operator is None:
        return f"an operator ({', '.join(each.value for each in check.operators_for(kind, key))})"
    span = (next_up.operator.start_pos or 0, next_up.operator.end_pos or 0)
    operator = check.resolve_operator(next_up.operator.value, kind, key, span)
    if next_up.place is Place.ITEM:
        return check.item_wanted(kind, key)
    return check.value_wanted(kind, key, operator)


def _reject_too_much(tree: Node, tokens: Sequence[Token]) -> None:
    """Level by level: what is nested too deeply is so for Python as well."""
    clauses, levels, nodes = 0, 0, [tree]
    while nodes:
        levels += 1
        clauses += sum(isinstance(node, Comparison | NameMatch) for node in nodes)
        nodes = [child for node in nodes for child in children(node)]
    groups = sum(token.type == "LPAR" for token in tokens)
    if max(clauses, groups) > _MOST_CLAUSES or levels > _DEEPEST:
        raise SearchError("Expected a shorter search: a database cannot answer one as long or as nested as this.", 0)


def _reject_stray_and(text: str, tokens: Sequence[Token], language: Language) -> None:
    """MLflow skips a doubled AND and one at either end. Beside OR, NOT or parentheses that would hide a mistake."""
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
    """Not a list. A list never has AND beside it inside."""
    return tokens[index].type == "LPAR" and (index == 0 or tokens[index - 1].type not in ("IN", "NOT_IN"))
