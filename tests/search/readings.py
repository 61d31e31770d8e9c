"""How a tree is compared with what MLflow makes of the same text."""

from __future__ import annotations

from typing import Any

from mldeck.search.errors import SearchError
from mldeck.search.parse import parse
from mldeck.search.tree import And, Comparison, Node, uses_extension

_TYPES = {"metrics": "metric", "params": "parameter", "tags": "tag", "attributes": "attribute", "dataset": "dataset"}
Reading = list[list[Any]] | None
"""The clauses as [type, key, comparator, value]; None for what is rejected."""


def reading_of(tree: Node) -> Reading:
    items = tree.items if isinstance(tree, And) else (tree,)
    clauses = [item for item in items if isinstance(item, Comparison)]
    assert len(clauses) == len(items)
    return [[_TYPES[c.kind.value], c.key, c.operator.value, _plain(c.value)] for c in clauses]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def our_reading(text: str) -> Reading:
    """Ours; None also for what only an extension gives a meaning."""
    try:
        tree = parse(text)
    except SearchError:
        return None
    return None if uses_extension(tree) else reading_of(tree)
