"""Writes a tree as text: `parse(to_text(tree)) == tree`. MLflow reads the text too unless the tree uses an extension."""

from __future__ import annotations

import re

from mldeck.search.errors import SearchError
from mldeck.search.moments import write_duration, write_time
from mldeck.search.names import (
    ATTRIBUTE_NAMES,
    ENTITY_WORDS,
    KEY,
    PLAIN,
    QUOTED,
    RESERVED_WORDS,
    SINGLE_QUOTED,
    translate_alias,
    unquote_key,
)
from mldeck.search.parse import parse
from mldeck.search.tree import (
    MEMBERSHIP,
    PRESENCE,
    Ago,
    And,
    Comparison,
    Duration,
    Entity,
    NameMatch,
    Node,
    Not,
    Or,
    SearchValue,
    Timestamp,
)

_PLAIN_KEY = re.compile(rf"{PLAIN}(?:\.{PLAIN})*")
_KEY = re.compile(KEY)
_TEXT = re.compile(rf"{SINGLE_QUOTED}|{QUOTED}")
_WORD = re.compile(r"\w[\w\-]*")


def to_text(tree: Node) -> str:
    """Return the search as text.

    Raises SearchError if no text gives this tree: nothing is escaped in this language, so a string that contains both
    kinds of quotes cannot always be written.
    """
    quotes = ("'", '"') if _has_trailing_backslash(tree) else ("'",)
    for quote in quotes:
        text = _Writer(quote).write(tree)
        if len(quotes) == 1 or _reads_as(text, tree):
            return text
    raise SearchError("This search cannot be written as text: two of its strings end in a backslash.", 0)


def quote_key(key: str) -> str:
    """Return the key as it is written after `metrics.`: in backticks if necessary.

    Raises SearchError if it cannot be written.
    """
    if _PLAIN_KEY.fullmatch(key):
        return key
    for quote in ("`", '"', "'"):
        quoted = f"{quote}{key}{quote}"
        if key and _reads_as_key(quoted, key):
            return quoted
    if key and _reads_as_key(key, key):
        return key
    raise SearchError(f"No search can name {key!r}: it contains too many kinds of quotes.", 0)


def quote_text(text: str, prefer: str = "'") -> str:
    """Return the string as it is written after an operator. Raises SearchError if it cannot be written."""
    other = '"' if prefer == "'" else "'"
    for quote in (prefer, other):
        quoted = f"{quote}{text}{quote}"
        # A quote inside is allowed only if the reader would not stop there.
        found = _TEXT.match(quoted + " ")
        if found and found.end() == len(quoted):
            return quoted
    raise SearchError(f"No search can contain {text!r}: it has both kinds of quotes in it.", 0)


def field_text(kind: Entity, key: str) -> str:
    """Return the name of a field: `metrics.rmse`, ``params.`a b` ``, `start_time`."""
    return key if kind is Entity.ATTRIBUTE else f"{kind.value}.{quote_key(key)}"


class _Writer:
    """A writer of one tree. Strings get `quote`; only strings that end in a backslash get the other kind.

    After a backslash the reader does not stop at the quote but looks for a later one of the same kind: there must be
    none.
    """

    def __init__(self, quote: str) -> None:
        self._quote = quote
        self._other = '"' if quote == "'" else "'"

    def write(self, tree: Node) -> str:
        if isinstance(tree, And):
            return " AND ".join(self._parenthesized(item, Or) for item in tree.items)
        if isinstance(tree, Or):
            return " OR ".join(self._parenthesized(item, Or) for item in tree.items)
        if isinstance(tree, Not):
            return f"NOT {self._parenthesized(tree.item, And, Or)}"
        if isinstance(tree, NameMatch):
            return self._word(tree.word)
        return self._comparison(tree)

    def _parenthesized(self, item: Node, *looser: type) -> str:
        text = self.write(item)
        return f"({text})" if isinstance(item, looser) else text

    def _word(self, word: str) -> str:
        reserved = word.lower() in RESERVED_WORDS or word in ATTRIBUTE_NAMES or word in ENTITY_WORDS
        return word if _WORD.fullmatch(word) and not reserved and not word.isdigit() else self._text(word)

    def _comparison(self, clause: Comparison) -> str:
        start = f"{field_text(clause.kind, clause.key)} {clause.operator.value}"
        if clause.operator in PRESENCE or clause.value is None:
            return start
        if clause.operator in MEMBERSHIP and isinstance(clause.value, tuple):
            return f"{start} ({', '.join(self._item(item) for item in clause.value)})"
        return f"{start} {self._value(clause.value)}"

    def _value(self, value: SearchValue) -> str:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Duration):
            return write_duration(value.milliseconds)
        if isinstance(value, Ago | Timestamp):
            return self._text(write_time(value))
        return _number(value) if isinstance(value, float | int) else str(value)

    def _text(self, text: str) -> str:
        return quote_text(text, self._other if text.endswith("\\") else self._quote)

    def _item(self, item: str | float) -> str:
        return _python_text(item) if isinstance(item, str) else _number(item)


def _python_text(text: str) -> str:
    """Return a string for a list, where Python's escapes count. Quotes and backslashes are written as hex escapes.

    The text is first split by rules that know no escape except a backslash before a quote, and only then read by
    Python.
    """
    quote = '"' if "'" in text and '"' not in text else "'"
    return quote + "".join(_escaped(char, quote) for char in text) + quote


def _escaped(char: str, quote: str) -> str:
    if char.isprintable() and char not in (quote, "\\"):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _number(number: float | int) -> str:
    """Return the shortest text that reads back exactly. Exponents have no plus sign; 1e999 reads as infinity."""
    if isinstance(number, int):
        return str(number)
    if number in (float("inf"), float("-inf")):
        return "1e999" if number > 0 else "-1e999"
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return repr(number).replace("e+", "e")


def _reads_as_key(text: str, key: str) -> bool:
    found = _KEY.match(text + " ")
    return found is not None and found.end() == len(text) and translate_alias(unquote_key(text)) == key


def _has_trailing_backslash(tree: Node) -> bool:
    if isinstance(tree, And | Or):
        return any(_has_trailing_backslash(item) for item in tree.items)
    if isinstance(tree, Not):
        return _has_trailing_backslash(tree.item)
    text = tree.word if isinstance(tree, NameMatch) else tree.value
    return isinstance(text, str) and text.endswith("\\")


def _reads_as(text: str, tree: Node) -> bool:
    try:
        return parse(text) == tree
    except SearchError:
        return False
