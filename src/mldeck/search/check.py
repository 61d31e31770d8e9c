"""Which operator and which value suit what a clause is about; errors in plain words where they do not.

MLflow's part is `SearchUtils._get_value` and `VALID_*_COMPARATORS` of MLflow 3.17.
"""

from __future__ import annotations

import math

from mldeck.search.errors import SearchError
from mldeck.search.moments import read_moment
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
    Moment,
    Operator,
    Span,
    Value,
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

_INSTEAD = {"==": "=", "===": "=", "<>": "!=", "=>": ">=", "=<": "<=", "!": "!=", "~": "LIKE"}


def resolve_field(text: str, start: int) -> tuple[Entity, str]:
    """The entity and the key that `text`, found at `start`, names. As `SearchUtils._get_identifier` does it."""
    head, dot, raw_key = text.partition(".")
    if not dot:
        return Entity.ATTRIBUTE, _attribute(unquote_key(text), (start, start + len(text)))
    entity = _entity(strip_ends(head, "`"), (start, start + len(head)))
    key_span = (start + len(head) + 1, start + len(text))
    if not raw_key:
        raise SearchError(
            f"Expected a name behind {text}; in backticks ({text}`a b`) if it has spaces, /, - or : in it, begins with "
            "a digit, or is one of CASE, IN, VALUES, USING, FROM, AS.",
            key_span[0],
        )
    key = unquote_key(raw_key)
    if entity is Entity.ATTRIBUTE:
        return entity, _attribute(key, key_span)
    if entity is Entity.DATASET and key not in DATASET_KEYS:
        raise SearchError(f"Expected name, digest or context of a dataset, found {key!r}.", *key_span)
    return entity, translate_alias(key)


def _entity(word: str, span: Span) -> Entity:
    if word in _ENTITIES:
        return _ENTITIES[word]
    raise SearchError(f"Expected metrics, params, tags, attributes or dataset{_perhaps(word, ENTITY_WORDS)}.", *span)


def _attribute(name: str, span: Span) -> str:
    if name in FILTER_ATTRIBUTES:
        return FILTER_ATTRIBUTES[name]
    if name in ENTITY_WORDS:
        raise SearchError(f"Expected a dot and a name behind {name}, like {name}.example.", *span)
    known = (*STRING_ATTRIBUTES, *TIME_ATTRIBUTES, DURATION_ATTRIBUTE)
    wanted = f"Expected an attribute of a run ({', '.join(known)}){_perhaps(name, known)}."
    hint = f" For a metric write metrics.{name}." if name.isidentifier() else ""
    raise SearchError(wanted + hint, *span)


def _perhaps(word: str, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), known, n=1)
    return f", found {word!r}" + (f": {close[0]}?" if close and close[0] != word else "")


def operators_for(kind: Entity, key: str) -> tuple[Operator, ...]:
    """The operators that a clause about it can have, in the order in which to offer them."""
    if kind is Entity.METRIC or (kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES):
        allowed = NUMERIC | MEMBERSHIP
    elif kind is Entity.ATTRIBUTE and key == DURATION_ATTRIBUTE:
        allowed = NUMERIC
    elif kind is Entity.PARAM:
        allowed = NUMERIC | PATTERN | MEMBERSHIP
    else:
        allowed = _EQUALITY | PATTERN | MEMBERSHIP
    return tuple(each for each in _OPERATORS_AS_SHOWN if each in allowed or each in PRESENCE)


def resolve_operator(text: str, kind: Entity, key: str, span: Span) -> Operator:
    allowed = operators_for(kind, key)
    canonical = " ".join(text.upper().split())
    found = next((each for each in allowed if each.value == canonical), None)
    if found is not None:
        return found
    wanted = f"Expected one of {', '.join(each.value for each in allowed)} for {name_of(kind, key)}"
    instead = f"; write {_INSTEAD[text]} for {text}" if text in _INSTEAD else f", found {text}"
    raise SearchError(f"{wanted}{instead}.", *span)


def name_of(kind: Entity, key: str) -> str:
    """What to call it in a message."""
    return key if kind is Entity.ATTRIBUTE else f"{kind.value}.{key}"


def value_wanted(kind: Entity, key: str, operator: Operator | None) -> str:
    """What must stand behind the operator, in words."""
    if operator in MEMBERSHIP:
        return "a list of numbers, like (1, 2)" if _is_numeric(kind, key) else "a list of quoted texts, like ('a', 'b')"
    if operator in PATTERN:
        return "a pattern in quotes, like '%abc%'"
    if kind is Entity.METRIC:
        return "a number without quotes, like 0.5 or 1e-3"
    if kind is Entity.ATTRIBUTE and key == DURATION_ATTRIBUTE:
        return "a length of time like 500ms, 30s, 10m, 2h or 1d"
    if kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES:
        moment = ", '2d ago' or '2024-05-01'" if operator is None or operator in ORDERING else ""
        return f"milliseconds since 1970{moment}"
    if kind is Entity.PARAM and operator in ORDERING:
        return "a number without quotes (texts can be compared with =, !=, LIKE and ILIKE)"
    if kind is Entity.PARAM:
        return "a text in quotes, like 'abc', or a number"
    return "a text in quotes, like 'abc'"


def item_wanted(kind: Entity, key: str) -> str:
    """What must stand in a list, in words."""
    if kind is Entity.PARAM:
        return "a text in quotes or a number"
    return "a number" if _is_numeric(kind, key) else "a text in quotes"


def _is_numeric(kind: Entity, key: str) -> bool:
    return kind is Entity.METRIC or (kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES)


def resolve_value(raw: str | float | int | Duration, kind: Entity, key: str, operator: Operator, span: Span) -> Value:
    """The value as the tree keeps it: a time that was written as text becomes a moment."""
    value = _moment_or_same(raw, kind, key, operator, span)
    if _suits(value, kind, key, operator):
        return _number(value, kind, span) if isinstance(value, float | int) else value
    raise SearchError(f"Expected {value_wanted(kind, key, operator)} for {name_of(kind, key)}.", *span)


def _moment_or_same(
    raw: str | float | int | Duration, kind: Entity, key: str, operator: Operator, span: Span
) -> str | float | int | Duration | Ago | Moment:
    if not isinstance(raw, str) or kind is not Entity.ATTRIBUTE or key not in TIME_ATTRIBUTES:
        return raw
    moment = read_moment(raw)
    if moment is not None and operator not in ORDERING:
        # Equal to the millisecond is never what is meant.
        raise SearchError(f"A moment can be compared with <, <=, > and >= only: {key} >= '2024-05-01'.", *span)
    return raw if moment is None else moment


def _suits(value: Value, kind: Entity, key: str, operator: Operator) -> bool:
    number = isinstance(value, float | int)
    if kind is Entity.METRIC:
        return number
    if kind is Entity.ATTRIBUTE and key in TIME_ATTRIBUTES:
        return number or isinstance(value, Ago | Moment)
    if kind is Entity.ATTRIBUTE and key == DURATION_ATTRIBUTE:
        return isinstance(value, Duration)
    if kind is Entity.PARAM and operator in NUMERIC and number:
        return True
    return isinstance(value, str) and operator not in ORDERING


def resolve_list(values: list[str | float | int], kind: Entity, key: str, operator: Operator, span: Span) -> Value:
    """The list as the tree keeps it: all texts, or all numbers."""
    if all(isinstance(each, str) for each in values) and not _is_numeric(kind, key):
        return tuple(str(each) for each in values)
    if all(not isinstance(each, str) for each in values) and (_is_numeric(kind, key) or kind is Entity.PARAM):
        return tuple(float(_number(each, kind, span)) for each in values if not isinstance(each, str))
    raise SearchError(f"Expected {value_wanted(kind, key, operator)} for {name_of(kind, key)}.", *span)


def _number(value: float | int, kind: Entity, span: Span) -> float | int:
    """A time as it was written; any other number as MLflow reads it, as a float."""
    if kind is Entity.ATTRIBUTE:
        if isinstance(value, int) and not -_TIME_LIMIT <= value < _TIME_LIMIT:
            raise SearchError("That number is too large for a time: the database cannot hold it.", *span)
        return value
    return _as_float(value)


def _as_float(value: float | int) -> float:
    """Infinity for what is larger than any float, as reading its digits would give."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
