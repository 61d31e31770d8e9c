"""Parses a list of columns: `run_id, metrics.rmse, params.`a b``.

Names are written as in an ORDER BY. Only the standard library is imported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mldeck.model import Column, Kind
from mldeck.search.errors import SearchError
from mldeck.search.names import (
    ATTRIBUTE_WORDS,
    DATASET_KEYS,
    DATASET_WORDS,
    attribute_hint,
    strip_ends,
    unquote_key,
)
from mldeck.search.order import NAME, parse_order
from mldeck.search.tree import Comparison, Entity, Node, walk

_KINDS = {Entity.METRIC: Kind.METRIC, Entity.PARAM: Kind.PARAM, Entity.TAG: Kind.TAG}
_SPACE = re.compile(r"\s*")
_ATTRIBUTE_ENTITY = re.compile(rf"`?(?:{'|'.join(ATTRIBUTE_WORDS)})`?\.")


def parse_columns(text: str, attributes: Sequence[str]) -> dict[Column, str]:
    """Return the columns that `text` names, separated by commas, each with its heading: the name as it was written.

    A heading has no quotes, and an attribute is headed without `attributes.`. `attributes` are the known ones. Raises
    `SearchError`.
    """
    columns: dict[Column, str] = {}
    position = 0
    while True:
        start = _skip_space(text, position)
        found = NAME.match(text, start)
        if found is None:
            raise SearchError(
                "Expected a column, like run_id, metrics.rmse, params.alpha, tags.team or dataset.name.",
                start,
                len(text),
            )
        column = _column(found.group(), start, attributes)
        if column in columns:
            raise SearchError(f"{column} is listed twice: keep one of them.", start, found.end())
        columns[column] = _heading(found.group(), column)
        position = _skip_space(text, found.end())
        if position == len(text):
            return columns
        if text[position] != ",":
            hint = "Expected a comma, or a name in backticks (metrics.`a b/c`)."
            raise SearchError(hint, position, len(text))
        position += 1


def compared_columns(tree: Node) -> tuple[Column, ...]:
    """Return the metrics, params and tags that a filter compares, each once."""
    found = (node for node in walk(tree) if isinstance(node, Comparison) and node.kind in _KINDS)
    return tuple(dict.fromkeys(Column(_KINDS[node.kind], node.key) for node in found))


def _skip_space(text: str, position: int) -> int:
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _heading(name: str, column: Column) -> str:
    if column.kind is Kind.ATTRIBUTE:
        return column.key
    return f"{strip_ends(name.partition('.')[0], '`')}.{column.key}"


def _column(name: str, start: int, attributes: Sequence[str]) -> Column:
    entity = _ATTRIBUTE_ENTITY.match(name)
    if entity or "." not in name:
        key = unquote_key(name[entity.end() :] if entity else name)
        if key not in attributes:
            hint = attribute_hint(key, attributes, may_be_metric=not entity)
            message = f"{key!r} is not an attribute of a run. Expected one of {', '.join(attributes)}.{hint}"
            raise SearchError(message, start, start + len(name))
        return Column(Kind.ATTRIBUTE, key)
    head, _, key = name.partition(".")
    if strip_ends(head, "`") in DATASET_WORDS:
        if unquote_key(key) not in DATASET_KEYS:
            message = f"{name!r} is not a field of a dataset. Expected one of {', '.join(DATASET_KEYS)}."
            raise SearchError(message, start, start + len(name))
        return Column(Kind.DATASET, unquote_key(key))
    try:
        return parse_order(name).column
    except SearchError as error:
        raise SearchError(str(error), start + error.position, start + error.end) from None
