"""What a search means, as frozen values. Spans are places in the text that was read; comparing ignores them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

Span = tuple[int, int]


class Entity(str, Enum):
    """What a clause can be about: the kinds of `mldeck.model.Kind`, and datasets."""

    METRIC = "metrics"
    PARAM = "params"
    TAG = "tags"
    ATTRIBUTE = "attributes"
    DATASET = "dataset"


class Operator(str, Enum):
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
    """`10m`: a length of time."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Ago:
    """`'2d ago'`: so long before the moment at which the search is run."""

    milliseconds: int


@dataclass(frozen=True, slots=True)
class Moment:
    """`'2024-05-01 12:30'`. Local time, unless it came with an offset. A date is its first moment."""

    when: datetime


Value = str | float | int | Duration | Ago | Moment | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`metrics.rmse < 7`. The value of IS NULL and IS NOT NULL is None."""

    kind: Entity
    key: str
    """Of an attribute, its canonical name (`start_time` for `created`), or `duration`."""
    operator: Operator
    value: Value | None = None
    span: Span = field(default=(0, 0), compare=False)
    key_span: Span = field(default=(0, 0), compare=False)
    value_span: Span = field(default=(0, 0), compare=False)
    in_parentheses: bool = field(default=False, compare=False)
    """MLflow has none but those of lists."""

    @property
    def extension(self) -> bool:
        """Whether MLflow 3.17 would reject this clause (SearchUtils.VALID_*_COMPARATORS, LIST_SUPPORTED_KEYS)."""
        if self.in_parentheses:
            return True
        if self.operator in PRESENCE:
            return self.kind not in (Entity.PARAM, Entity.TAG)
        if self.operator in MEMBERSHIP:
            return self.kind is not Entity.DATASET and (self.kind, self.key) != (Entity.ATTRIBUTE, "run_id")
        if self.operator in (Operator.NOT_LIKE, Operator.NOT_ILIKE):
            return True
        return isinstance(self.value, Duration | Ago | Moment) or (
            self.kind is Entity.PARAM and not isinstance(self.value, str)
        )


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A bare word: the run's name contains it, in whatever case."""

    word: str
    span: Span = field(default=(0, 0), compare=False)

    @property
    def extension(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class And:
    """All of them; every run when there are none. Two or more otherwise, none of them an And: see `conjunction`."""

    items: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False)
    in_parentheses: bool = field(default=False, compare=False)
    """Whether all of it is, or what has become part of it was."""

    @property
    def extension(self) -> bool:
        return self.in_parentheses


@dataclass(frozen=True, slots=True)
class Or:
    """One of them at least. Two or more, none of them an Or: see `disjunction`."""

    items: tuple[Node, ...]
    span: Span = field(default=(0, 0), compare=False)

    @property
    def extension(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Not:
    """Every run that `item` does not find; so also those that lack what `item` asks about."""

    item: Node
    span: Span = field(default=(0, 0), compare=False)

    @property
    def extension(self) -> bool:
        return True


Node = Comparison | NameMatch | And | Or | Not

EVERYTHING = And(())
"""The empty search."""


def conjunction(items: tuple[Node, ...], span: Span = (0, 0)) -> Node:
    """All of `items`, flat: the one item when it is one."""
    flat = tuple(part for item in items for part in (item.items if isinstance(item, And) else (item,)))
    if len(flat) == 1:
        return flat[0]
    return And(flat, span, any(isinstance(item, And) and item.in_parentheses for item in items))


def disjunction(items: tuple[Node, ...], span: Span = (0, 0)) -> Node:
    """One of `items` at least, flat. `items` is not empty."""
    flat = tuple(part for item in items for part in (item.items if isinstance(item, Or) else (item,)))
    return flat[0] if len(flat) == 1 else Or(flat, span)


def children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, And | Or):
        return node.items
    return (node.item,) if isinstance(node, Not) else ()


def walk(tree: Node) -> Iterator[Node]:
    """The tree's nodes, parents first."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def uses_extension(tree: Node) -> bool:
    """Whether MLflow itself would reject this search."""
    return any(node.extension for node in walk(tree))
