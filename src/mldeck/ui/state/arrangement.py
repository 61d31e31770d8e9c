"""How the listed runs stand in the table: flat, as a tree by parent, or in groups. Pure functions over run ids.

A row is a run id, or the empty text where a heading stands.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from mldeck.format import LEAST_DIGITS, digits_to_tell_apart, sorted_by_value
from mldeck.model import Column

HEADING = ""
"""Stands for a run id in a row that is a heading."""


@dataclass(frozen=True)
class Heading:
    """A group of runs that have the same value."""

    value: str | None
    """None: they do not have one."""
    count: int
    is_open: bool
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    """Of the metric that was chosen, over the runs that have a finite value of it; None if none has."""


@dataclass(frozen=True)
class Layout:
    """How somebody wants the runs to stand. Neither a tree nor groups: flat."""

    is_tree: bool = False
    folded: frozenset[str] = frozenset()
    """Runs whose children are hidden in the tree."""
    group_by: Column | None = None
    """A param or tag."""
    metric: str | None = None
    """What the groups are measured by."""
    opened: frozenset[str | None] = frozenset()
    """Values of the groups whose runs are shown."""
    only: frozenset[str] | None = None
    """Nothing but these runs, if they are listed at all."""

    @property
    def is_flat(self) -> bool:
        return not self.is_tree and self.group_by is None and self.only is None


@dataclass(frozen=True)
class Arrangement:
    run_ids: Sequence[str] = ()
    """By row; `HEADING` where a heading stands."""
    depths: Mapping[str, int] = field(default_factory=dict)
    """How many of its ancestors are listed above a run; runs at the top are left out."""
    child_counts: Mapping[str, int] = field(default_factory=dict)
    """Of the runs that have children among those listed."""
    folded: Collection[str] = frozenset()
    headings: Mapping[int, Heading] = field(default_factory=dict)
    """By row."""
    digits: int = LEAST_DIGITS
    """So many tell the least and the greatest numbers of the headings apart."""


def as_tree(ids: Sequence[str], parents: Mapping[str, str], folded: Collection[str]) -> Arrangement:
    """Each run below its parent, siblings in the order of `ids`; the children of `folded` runs are hidden.

    A run whose parent is not listed (missing, deleted, in another experiment, filtered out) stands at the top; so does the
    first one listed of a circle of runs that are each other's parents.
    """
    listed = set(ids)
    children: dict[str, list[str]] = {}
    tops: list[str] = []
    for run_id in ids:
        parent = parents.get(run_id)
        if parent is None or parent == run_id or parent not in listed:
            tops.append(run_id)
        else:
            children.setdefault(parent, []).append(run_id)
    rows: list[str] = []
    depths: dict[str, int] = {}
    seen: set[str] = set()
    for run_id in (*tops, *ids):  # the second round finds the circles, which no top leads to
        if run_id not in seen:
            _descend(run_id, children, folded, rows, depths, seen)
    return Arrangement(rows, depths, {run_id: len(below) for run_id, below in children.items()}, frozenset(folded))


def _descend(
    top: str,
    children: Mapping[str, list[str]],
    folded: Collection[str],
    rows: list[str],
    depths: dict[str, int],
    seen: set[str],
) -> None:
    """Without recursion: nesting may be deeper than Python likes. `folded` runs hide what is below them."""
    waiting = [(top, 0, False)]
    while waiting:
        run_id, depth, is_hidden = waiting.pop()
        if run_id in seen:
            continue
        seen.add(run_id)
        if not is_hidden:
            rows.append(run_id)
            if depth:
                depths[run_id] = depth
        hides = is_hidden or run_id in folded
        waiting.extend((child, depth + 1, hides) for child in reversed(children.get(run_id, ())))


def in_groups(
    ids: Sequence[str], values: Mapping[str, str], metric: Mapping[str, float], opened: Collection[str | None]
) -> Arrangement:
    """A heading for each value, numbers first and the runs without a value last; below it its runs, if it is opened."""
    groups: dict[str | None, list[str]] = {}
    for run_id in ids:
        groups.setdefault(values.get(run_id), []).append(run_id)
    rows: list[str] = []
    headings: dict[int, Heading] = {}
    depths: dict[str, int] = {}
    for value in sorted_by_value(groups, lambda each: each):
        members = groups[value]
        headings[len(rows)] = _heading(value, members, metric, value in opened)
        rows.append(HEADING)
        if value in opened:
            rows.extend(members)
            depths.update((run_id, 1) for run_id in members)
    # Not by their means, which differ in what calculating leaves behind.
    numbers = (number for each in headings.values() for number in (each.low, each.high) if number is not None)
    return Arrangement(rows, depths, headings=headings, digits=digits_to_tell_apart(numbers))


def _heading(value: str | None, members: Sequence[str], metric: Mapping[str, float], is_open: bool) -> Heading:
    numbers = [metric[run_id] for run_id in members if math.isfinite(metric.get(run_id, math.nan))]
    if not numbers:
        return Heading(value, len(members), is_open)
    # Each divided first: the sum of finite numbers need not be finite.
    mean = math.fsum(number / len(numbers) for number in numbers)
    return Heading(value, len(members), is_open, min(numbers), mean, max(numbers))
