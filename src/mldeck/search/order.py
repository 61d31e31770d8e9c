"""Parses one item of MLflow's `order_by` list into an `OrderKey`.

Accepts what MLflow 3.17 accepts (`SearchUtils.parse_order_by_for_search_runs`, then `_get_orderby_clauses` of its SQL
store) and rejects what it rejects. MLflow also accepts a few texts that cannot name anything that exists, such as
`metrics.`, `metrics.*` or `metrics.x()`; here they are errors. Only the standard library is imported, because the
command line imports this.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from mldeck.errors import close_name
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
    attribute_hint,
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

# A name cannot start with a single quote: sqlparse takes that for a value.
_FIRST = rf"(?:{QUOTED}|{PLAIN})"
NAME = re.compile(rf"{_FIRST}(?:\.(?:\d[eE]-?\d+|\d+)(?=[ \t\r\n]+(?i:asc|desc)$)|\.{KEY})?")
"""The number is a quirk: MLflow reads `params.0 DESC` but not `params.0`."""
_SPACE = re.compile(r"[ \t\r\n]*")
_DIRECTION = re.compile(r"(?i:asc|desc)(?!\w)|(`|\")(?i:asc|desc)\1")


def parse_order(text: str) -> OrderKey:
    """Return the sort key for a name followed by ASC, DESC or nothing. Raises SearchError."""
    reject_too_long(text)
    name = NAME.match(text)
    if name is None:
        raise _expected("a column to sort by, like metrics.rmse, params.alpha, tags.team or start_time", text, 0)
    descending = _read_direction(text, name.end())
    column = _read_column(text, name.group(), explicit_direction=descending is not None)
    return OrderKey(column, bool(descending))


def parse_orders(items: Sequence[str]) -> tuple[OrderKey, ...]:
    """Return the sort keys of an `order_by` list. As in MLflow, a column may occur only once, in either direction.

    Raises SearchError with the index of the wrong item.
    """
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
    """Return True for DESC, False for ASC, None if nothing follows the name."""
    if end_of_name == len(text):
        return None
    space = _SPACE.match(text, end_of_name)
    start = space.end() if space else end_of_name
    direction = _DIRECTION.match(text, start)
    if start == end_of_name:
        raise _expected("the end of the name, or a name in backticks (metrics.`a b/c`)", text, start)
    if direction is None:
        raise _expected("ASC, DESC or the end", text, start)
    if direction.end() < len(text):
        raise _expected(_expected_end(text, direction.end()), text, direction.end())
    return strip_ends(direction.group(), '`"').lower() == "desc"


def _expected_end(text: str, position: int) -> str:
    rest = text[position:].strip().upper()
    if rest.startswith("NULLS"):
        return "nothing after ASC or DESC: runs without a value always come last"
    if rest.startswith(","):
        return "only one column: put each column in an item of its own"
    return "nothing after ASC or DESC"


def _read_column(text: str, name: str, *, explicit_direction: bool) -> Column:
    words = _split_as_shell(name, text)
    # Only if a direction follows does MLflow use the result of the shell rules (with quotes already removed).
    entity, dot, raw_key = (words if explicit_direction else name).partition(".")
    if not dot:
        return Column(Kind.ATTRIBUTE, _attribute(unquote_key(entity), 0, len(name)))
    kind = _kind(strip_ends(entity, "`"), text)
    key = translate_alias(unquote_key(raw_key)) if kind is not Kind.ATTRIBUTE else unquote_key(raw_key)
    start = name.find(".") + 1
    if kind is Kind.ATTRIBUTE:
        key = _attribute(key, start, len(name))
    if not raw_key:
        raise SearchError(f"Expected a name after {name!r}, like {entity}.rmse.", start, len(name))
    return Column(kind, key)


def _split_as_shell(name: str, text: str) -> str:
    """Return `name` after shell splitting, which MLflow applies to each item with backticks read as double quotes."""
    try:
        words = shlex.split(name.replace("`", '"'))
    except ValueError:
        raise SearchError(f"MLflow cannot sort by a name with this quote in it: {text!r}", 0, len(name)) from None
    if len(words) != 1:
        raise SearchError(f"Expected one name, found {len(words)}: {text!r}", 0, len(name))
    return words[0]


def _kind(entity: str, text: str) -> Kind:
    if entity in _ENTITIES:
        return _ENTITIES[entity]
    end = text.find(".")
    if entity in DATASET_WORDS:
        raise SearchError("Runs cannot be sorted by dataset: use metrics, params, tags or attributes.", 0, end)
    close = close_name(entity, _ENTITIES)
    hint = f" Did you mean {close}?" if close is not None else ""
    raise SearchError(f"Expected metrics, params, tags or attributes before the dot, found {entity!r}.{hint}", 0, end)


def _attribute(name: str, start: int, end: int) -> str:
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name]
    known = (*TIME_ATTRIBUTES, *STRING_ATTRIBUTES)
    hint = attribute_hint(name, known, may_be_metric=start == 0)
    raise SearchError(
        f"Runs cannot be sorted by attribute {name!r}. Expected one of {', '.join(known)}.{hint}", start, end
    )


def _expected(what: str, text: str, position: int) -> SearchError:
    found = f", found {text[position:].strip()[:40]!r}" if text[position:].strip() else ""
    return SearchError(f"Expected {what}{found}.", position, len(text))
