"""One item of MLflow's `order_by` list: text to `OrderKey`.

Accepts what MLflow 3.17 accepts (`SearchUtils.parse_order_by_for_search_runs`, then `_get_orderby_clauses` of its SQL
store) and rejects what it rejects. MLflow also reads a few texts that cannot name anything that exists, such as
`metrics.`, `metrics.*` or `metrics.x()`; here they are errors. Standard library only: the printing command line
imports this.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from mldeck.model import Column, Kind, OrderKey
from mldeck.search.errors import SearchError, reject_too_long
from mldeck.search.names import (
    ATTRIBUTE_WORDS,
    DATASET_WORDS,
    KEY,
    METRIC_WORDS,
    PARAM_WORDS,
    PLAIN,
    QUOTED,
    STRING_ATTRIBUTES,
    TAG_WORDS,
    TIME_ALIASES,
    TIME_ATTRIBUTES,
    strip_ends,
    translate_alias,
    unquote_key,
)

_ENTITIES = {
    **dict.fromkeys(METRIC_WORDS, Kind.METRIC),
    **dict.fromkeys(PARAM_WORDS, Kind.PARAM),
    **dict.fromkeys(TAG_WORDS, Kind.TAG),
    **dict.fromkeys(ATTRIBUTE_WORDS, Kind.ATTRIBUTE),
}
_ATTRIBUTES = {**{name: name for name in (*TIME_ATTRIBUTES, *STRING_ATTRIBUTES)}, **TIME_ALIASES}

# A name cannot begin with a single quote: sqlparse takes that for a value.
_FIRST = rf"(?:{QUOTED}|{PLAIN})"
NAME = re.compile(rf"{_FIRST}(?:\.(?:\d[eE]-?\d+|\d+)(?=[ \t\r\n]+(?i:asc|desc)$)|\.{KEY})?")
"""The number is a quirk: MLflow reads `params.0 DESC` but not `params.0`."""
_SPACE = re.compile(r"[ \t\r\n]*")
_DIRECTION = re.compile(r"(?i:asc|desc)(?!\w)|(`|\")(?i:asc|desc)\1")


def parse_order(text: str) -> OrderKey:
    """The sort key that `text` asks for: a name, then ASC or DESC or nothing. Raises SearchError."""
    reject_too_long(text)
    name = NAME.match(text)
    if name is None:
        raise _expected("a column to sort by, like metrics.rmse, params.alpha, tags.team or start_time", text, 0)
    descending = _read_direction(text, name.end())
    column = _read_column(text, name.group(), explicit_direction=descending is not None)
    return OrderKey(column, bool(descending))


def parse_orders(items: Sequence[str]) -> tuple[OrderKey, ...]:
    """The sort keys of a whole `order_by` list. As in MLflow, a column may be there only once, either way up."""
    keys: list[OrderKey] = []
    for index, text in enumerate(items):
        try:
            key = parse_order(text)
        except SearchError as error:
            raise SearchError(str(error), error.position, error.end, index) from None
        if any(key.column == other.column for other in keys):
            raise SearchError(f"{key.column} is in the sort order twice: keep one of them.", 0, len(text), index)
        keys.append(key)
    return tuple(keys)


def _read_direction(text: str, end_of_name: int) -> bool | None:
    """True for DESC, False for ASC, None when nothing follows the name."""
    if end_of_name == len(text):
        return None
    space = _SPACE.match(text, end_of_name)
    start = space.end() if space else end_of_name
    direction = _DIRECTION.match(text, start)
    if start == end_of_name:
        raise _expected("the end of the name, or a name in backticks (metrics.`a b/c`)", text, start)
    if direction is None:
        raise _expected("ASC or DESC, or nothing more", text, start)
    if direction.end() < len(text):
        raise _expected(_what_ends_an_item(text, direction.end()), text, direction.end())
    return strip_ends(direction.group(), '`"').lower() == "desc"


def _what_ends_an_item(text: str, position: int) -> str:
    rest = text[position:].strip().upper()
    if rest.startswith("NULLS"):
        return "nothing behind ASC or DESC: runs without a value always come last"
    if rest.startswith(","):
        return "one column only: give each its own item"
    return "nothing behind ASC or DESC"


def _read_column(text: str, name: str, *, explicit_direction: bool) -> Column:
    words = _split_as_shell(name, text)
    # Only when a direction follows does MLflow go on with the words that the shell rules made (quotes already removed).
    entity, dot, raw_key = (words if explicit_direction else name).partition(".")
    if not dot:
        return Column(Kind.ATTRIBUTE, _attribute(unquote_key(entity), 0, len(name)))
    kind = _kind(strip_ends(entity, "`"), text)
    key = translate_alias(unquote_key(raw_key)) if kind is not Kind.ATTRIBUTE else unquote_key(raw_key)
    start = name.find(".") + 1
    if kind is Kind.ATTRIBUTE:
        key = _attribute(key, start, len(name))
    if not raw_key:
        raise SearchError(f"Expected a name behind {name!r}, like {entity}.rmse.", start, len(name))
    return Column(kind, key)


def _split_as_shell(name: str, text: str) -> str:
    """`name` after the shell rules that MLflow sends an item through, with backticks taken for double quotes."""
    try:
        words = shlex.split(name.replace("`", '"'))
    except ValueError:
        raise SearchError(f"MLflow cannot sort by a name with that quote in it: {text!r}", 0, len(name)) from None
    if len(words) != 1:
        raise SearchError(f"Expected one name, found {len(words)}: {text!r}", 0, len(name))
    return words[0]


def _kind(entity: str, text: str) -> Kind:
    if entity in _ENTITIES:
        return _ENTITIES[entity]
    end = text.find(".")
    if entity in DATASET_WORDS:
        raise SearchError("Runs cannot be sorted by dataset: use metrics, params, tags or attributes.", 0, end)
    raise SearchError(f"Expected metrics, params, tags or attributes before the dot, found {entity!r}.", 0, end)


def _attribute(name: str, start: int, end: int) -> str:
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name]
    known = ", ".join((*TIME_ATTRIBUTES, *STRING_ATTRIBUTES))
    hint = f" For a metric write metrics.{name}." if start == 0 and name.isidentifier() else ""
    raise SearchError(
        f"{name!r} is no attribute of a run that can be sorted by. Expected one of {known}.{hint}", start, end
    )


def _expected(what: str, text: str, position: int) -> SearchError:
    found = f", found {text[position:].strip()[:40]!r}" if text[position:].strip() else ""
    return SearchError(f"Expected {what}{found}.", position, len(text))
