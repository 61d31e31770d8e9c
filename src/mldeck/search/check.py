"""The operators and values that a clause may have, with plain error messages for those it may not."""

from __future__ import annotations

import math

from mldeck.search.errors import SearchError
from mldeck.search.moments import read_time
from mldeck.search.names import (
    ATTRIBUTE_WORDS,
    DATASET_KEYS,
    DATASET_WORDS,
    DURATION_ATTRIBUTE,
    ENTITY_WORDS,
    FILTER_ATTRIBUTES,
    METRIC_WORDS,
    PARAM_WORDS,
    STRING_ATTRIBUTES,
    TAG_WORDS,
    TIME_ATTRIBUTES,
    strip_ends,
    translate_alias,
    unquote_key,
)
from mldeck.search.tree import (
    MEMBERSHIP,
    NUMERIC,
    ORDERING,
    PATTERN,
    PRESENCE,
    Ago,
    Duration,
    Entity,
    Operator,
    SearchValue,
    Span,
    Timestamp,
)

_ENTITIES = {
    **dict.fromkeys(METRIC_WORDS, Entity.METRIC),
    **dict.fromkeys(PARAM_WORDS, Entity.PARAM),
    **dict.fromkeys(TAG_WORDS, Entity.TAG),
    **dict.fromkeys(ATTRIBUTE_WORDS, Entity.ATTRIBUTE),
    **dict.fromkeys(DATASET_WORDS, Entity.DATASET),
}
_EQUALITY = frozenset({Operator.EQ, Operator.NE})
_OPERATORS_AS_SHOWN = tuple(Operator)
_TIME_LIMIT = 2**63

_CORRECTIONS = {"==": "=", "===": "=", "<>": "!=", "=>": ">=", "=<": "<=", "!": "!=", "~": "LIKE"}


def resolve_field(text: str, start: int) -> tuple[Entity, str]:
    """Return the entity and key that `text` names, by the rules of `SearchUtils._get_identifier`.

    `start` is the offset of `text` in the search. Raises SearchError.
    """
    head, dot, raw_key = text.partition(".")
    if not dot:
        return Entity.ATTRIBUTE, _attribute(unquote_key(text), (start, start + len(text)))
    entity = _entity(strip_ends(head, "`"), (start, start + len(head)))
    key_span = (start + len(head) + 1, start + len(text))
    if not raw_key:
        raise SearchError(
            f"Expected a name after {text}. Put it in backticks ({text}`a b`) if it has spaces, /, - or : in it, starts with "
            "a digit, or is one of CASE, IN, VALUES, USING, FROM, AS.",
            key_span[0],
        )
    key = unquote_key(raw_key)
    if entity is Entity.ATTRIBUTE:
        return entity, _attribute(key, key_span)
    if entity is Entity.DATASET and key not in DATASET_KEYS:
        raise SearchError(f"Expected the name, digest or context of a dataset, found {key!r}.", *key_span)
    return entity, translate_alias(key)


def _entity(word: str, span: Span) -> Entity:
    if word in _ENTITIES:
        return _ENTITIES[word]
    raise SearchError(f"Expected metrics, params, tags, attributes or dataset{_suggestion(word, ENTITY_WORDS)}", *span)


def _attribute(name: str, span: Span) -> str:
    if name in FILTER_ATTRIBUTES:
        return FILTER_ATTRIBUTES[name]
    if name in ENTITY_WORDS:
        raise SearchError(f"Expected a dot and a name after {name}, like {name}.example.", *span)
    known = (*STRING_ATTRIBUTES, *TIME_ATTRIBUTES, DURATION_ATTRIBUTE)
    wanted = f"Expected an attribute of a run ({', '.join(known)}){_suggestion(name, known)}"
    hint = f" For a metric write metrics.{name}." if name.isidentifier() else ""
    raise SearchError(wanted + hint, *span)


def _suggestion(word: str, known: tuple[str, ...]) -> str:
    """Return the end of a sentence about a word: which word was found, and which of the known ones may be meant."""
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), known, n=1)
    return f", found {word!r}" + (f": {close[0]}?" if close and close[0] != word else ".")


def operators_for(kind: Entity, key: str) -> tuple[Operator, ...]:
    """Return the operators that a clause about this key may have, in the order to offer them."""
    if kind is Entity.METRIC or (kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES):
        allowed = NUMERIC | MEMBERSHIP
    elif kind is Entity.ATTRIBUTE and key == DURATION_ATTRIBUTE:
        allowed = NUMERIC
    elif kind is Entity.PARAM:
        allowed = NUMERIC | PATTERN | MEMBERSHIP
    else:
        allowed = _EQUALITY | PATTERN | MEMBERSHIP
    return tuple(operator for operator in _OPERATORS_AS_SHOWN if operator in allowed or operator in PRESENCE)


def resolve_operator(text: str, kind: Entity, key: str, span: Span) -> Operator:
    """Return the operator that `text` names. Raises SearchError if the key does not allow it."""
    allowed = operators_for(kind, key)
    canonical = " ".join(text.upper().split())
    found = next((operator for operator in allowed if operator.value == canonical), None)
    if found is not None:
        return found
    wanted = f"Expected one of {', '.join(operator.value for operator in allowed)} for {display_name(kind, key)}"
    instead = f"; write {_CORRECTIONS[text]} for {text}" if text in _CORRECTIONS else f", found {text}"
    raise SearchError(f"{wanted}{instead}.", *span)


def display_name(kind: Entity, key: str) -> str:
    """Return the name of a key in messages."""
    return key if kind is Entity.ATTRIBUTE else f"{kind.value}.{key}"


def expected_value(kind: Entity, key: str, operator: Operator | None) -> str:
    """Return in words what must follow the operator."""
    if operator in MEMBERSHIP:
        return (
            "a list of numbers, like (1, 2)" if _is_numeric(kind, key) else "a list of quoted strings, like ('a', 'b')"
        )
    if operator in PATTERN:
        return "a pattern in quotes, like '%abc%'"
    if kind is Entity.METRIC:
        return "a number without quotes, like 0.5 or 1e-3"
    if kind is Entity.ATTRIBUTE and key == DURATION_ATTRIBUTE:
        return "a duration like 500ms, 30s, 10m, 2h or 1d"
    if kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES:
        examples = ", '2d ago' or '2024-05-01'" if operator is None or operator in ORDERING else ""
        return f"milliseconds since 1970{examples}"
    if kind is Entity.PARAM and operator in ORDERING:
        return "a number without quotes (strings can be compared with =, !=, LIKE and ILIKE)"
    if kind is Entity.PARAM:
        return "a quoted string, like 'abc', or a number"
    return "a quoted string, like 'abc'"


def expected_item(kind: Entity, key: str) -> str:
    """Return in words what a list must contain."""
    if kind is Entity.PARAM:
        return "a quoted string or a number"
    return "a number" if _is_numeric(kind, key) else "a quoted string"


def _is_numeric(kind: Entity, key: str) -> bool:
    return kind is Entity.METRIC or (kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES)


def resolve_value(
    raw: str | float | int | Duration, kind: Entity, key: str, operator: Operator, span: Span
) -> SearchValue:
    """Return the value as it is kept in the tree: a time written as text becomes an `Ago` or a `Timestamp`.

    Raises SearchError if the operator or the key does not allow it.
    """
    value = _parsed_time(raw, kind, key, operator, span)
    if _is_allowed(value, kind, key, operator):
        return _number(value, kind, span) if isinstance(value, float | int) else value
    raise SearchError(f"Expected {expected_value(kind, key, operator)} for {display_name(kind, key)}.", *span)


def _parsed_time(
    raw: str | float | int | Duration, kind: Entity, key: str, operator: Operator, span: Span
) -> str | float | int | Duration | Ago | Timestamp:
    if not isinstance(raw, str) or kind is not Entity.ATTRIBUTE or key not in TIME_ATTRIBUTES:
        return raw
    parsed = read_time(raw)
    if parsed is not None and operator not in ORDERING:
        # Comparing a time for equality to the millisecond is never intended.
        raise SearchError(f"A point in time can be compared only with <, <=, > and >=: {key} >= '2024-05-01'.", *span)
    return raw if parsed is None else parsed


def _is_allowed(value: SearchValue, kind: Entity, key: str, operator: Operator) -> bool:
    number = isinstance(value, float | int)
    if kind is Entity.METRIC:
        return number
    if kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES:
        return number or isinstance(value, Ago | Timestamp)
    if kind is Entity.ATTRIBUTE and key == DURATION_ATTRIBUTE:
        return isinstance(value, Duration)
    if kind is Entity.PARAM and operator in NUMERIC and number:
        return True
    return isinstance(value, str) and operator not in ORDERING


def resolve_list(
    values: list[str | float | int], kind: Entity, key: str, operator: Operator, span: Span
) -> SearchValue:
    """Return the list as it is kept in the tree: all strings, or all numbers. Raises SearchError for any other list."""
    if all(isinstance(value, str) for value in values) and not _is_numeric(kind, key):
        return tuple(str(value) for value in values)
    if all(not isinstance(value, str) for value in values) and (_is_numeric(kind, key) or kind is Entity.PARAM):
        return tuple(float(_number(value, kind, span)) for value in values if not isinstance(value, str))
    raise SearchError(f"Expected {expected_value(kind, key, operator)} for {display_name(kind, key)}.", *span)


def _number(value: float | int, kind: Entity, span: Span) -> float | int:
    """Return a time unchanged, and any other number as a float, as MLflow reads it."""
    if kind is Entity.ATTRIBUTE:
        if isinstance(value, int) and not -_TIME_LIMIT <= value < _TIME_LIMIT:
            raise SearchError("The number is too large for a time: the database cannot store it.", *span)
        return value
    return _as_float(value)


def _as_float(value: float | int) -> float:
    """Return the number as a float; infinity if it is too large, as parsing its digits would give."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
