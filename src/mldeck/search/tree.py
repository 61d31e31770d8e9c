"""The tree of a search, as frozen values. Spans are offsets in the parsed text; comparisons ignore them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

Span = tuple[int, int]


class Entity(str, Enum):
    """The subject of a clause: one of the kinds of `mldeck.model.Kind`, or a dataset."""

    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    ATTRIBUTE = "attributes"
    DATASET = "dataset"


class Operator(str, Enum):
    """An operator of a clause, in its canonical spelling."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    NOT_LIKE = "NOT LIKE"
    NOT_ILIKE = "NOT ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


ORDERING = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE})
NUMERIC = ORDERING | {Operator.EQ, Operator.NE}
PATTERN = frozenset({Operator.LIKE, Operator.ILIKE, Operator.NOT_LIKE, Operator.NOT_ILIKE})
MEMBERSHIP = frozenset({Operator.IN, Operator.NOT_IN})
PRESENCE = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration, like `10m`."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Ago:
    """A time relative to the moment the search is run, like `'2d ago'`."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A point in time, like `'2024-05-01 12:30'`: local time unless it has an offset. A date means its start."""

    when: datetime


SearchValue = str | float | int | Duration | Ago | Timestamp | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A clause like `metrics.rmse < 7`. The value of IS NULL and IS NOT NULL is None."""

    kind: Entity
    key: str
    """The key; for attributes the canonical name (`start_time` for `created`), or `duration`."""
    operator: Operator
    value: SearchValue | None = None
    span: Span = field(default=(0, 0), compare=False)
    key_span: Span = field(default=(0, 0), compare=False)
    value_span: Span = field(default=(0, 0), compare=False)
    in_parentheses: bool = field(default=False, compare=False)
    """Whether the clause is in parentheses, which MLflow allows only around lists."""

    @property
    def is_extension(self) -> bool:
        """Whether MLflow 3.17 rejects this clause (SearchUtils.VALID_*_COMPARATORS, LIST_SUPPORTED_KEYS)."""
        if self.in_parentheses:
            return True
        if self.operator in PRESENCE:
            return self.kind not in (Entity.PARAM, Entity.TAG)
        if self.operator in MEMBERSHIP:
            return self.kind is not Entity.DATASET and (self.kind, self.key) != (Entity.ATTRIBUTE, "run_id")
        if self.operator in (Operator.NOT_LIKE, Operator.NOT_ILIKE):
            return True
        return isinstance(self.value, Duration | Ago | Timestamp) or (
            self.kind is Entity.PARAM and not isinstance(self.value, str)
        )


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A bare word: the run's name contains it, ignoring case."""

    word: str
    span: Span = field(default=(0, 0), compare=False)

    @property
    def is_extension(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class And:
    """A conjunction: all items hold; with no items every run is found.

    Otherwise there are two or more items, none of them an And: see `conjunction`.
    """

    items: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False)
    in_parentheses: bool = field(default=False, compare=False)
    """Whether it was in parentheses, or an And merged into it was."""

    @property
    def is_extension(self) -> bool:
        return self.in_parentheses


@dataclass(frozen=True, slots=True)
class Or:
    """A disjunction: at least one item holds. It has two or more items, none of them an Or: see `disjunction`."""

    items: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False)

    @property
    def is_extension(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Not:
    """A negation: all runs that `item` does not find, including those without the value that it asks about."""

    item: Node
    span: Span = field(default=(0, 0), compare=False)

    @property
    def is_extension(self) -> bool:
        return True


Node = Comparison | NameMatch | And | Or | Not

EVERYTHING = And(())
"""The empty search."""


def conjunction(items: tuple[Node, ...], span: Span = (0, 0)) -> Node:
    """Return the conjunction of `items`, flattened; a single item is returned as it is."""
    flat = tuple(part for item in items for part in (item.items if isinstance(item, And) else (item,)))
    if len(flat) == 1:
        return flat[0]
    return And(flat, span, any(isinstance(item, And) and item.in_parentheses for item in items))


def disjunction(items: tuple[Node, ...], span: Span = (0, 0)) -> Node:
    """Return the disjunction of `items`, flattened. `items` must not be empty."""
    flat = tuple(part for item in items for part in (item.items if isinstance(item, Or) else (item,)))
    return flat[0] if len(flat) == 1 else Or(flat, span)


def children(node: Node) -> tuple[Node, ...]:
    """Return the direct children of a node."""
    if isinstance(node, And | Or):
        return node.items
    return (node.item,) if isinstance(node, Not) else ()


def walk(tree: Node) -> Iterator[Node]:
    """Yield all nodes of the tree, parents first."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def uses_extension(tree: Node) -> bool:
    """Return whether MLflow itself rejects this search."""
    return any(node.is_extension for node in walk(tree))
