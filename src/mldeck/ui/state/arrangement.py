"""How the listed runs are arranged in rows: flat, as a tree by parent, or in groups. Pure functions over run ids.

A row is a run id, or `HEADING` for the heading of a group.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from mldeck.format import NumberFormat, mean_of, number_format, sorted_by_value
from mldeck.model import Column

HEADING = ""
"""The run id of a row that is a heading."""


@dataclass(frozen=True)
class GroupHeading:
    """The heading of a group of runs that have the same value."""

    value: str | None
    """None for the runs without a value."""
    count: int
    is_open: bool
    """Whether the runs of the group are shown."""
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    """Least, mean and greatest value of `Layout.metric` over the runs with a finite value; all None if there are none."""


@dataclass(frozen=True)
class Layout:
    """How the user wants the runs to be arranged: as a tree, in groups or, with neither, flat."""

    is_tree: bool = False
    folded: frozenset[str] = frozenset()
    """Runs whose children are hidden in the tree."""
    group_by: Column | None = None
    """The param or tag to group by."""
    metric: str | None = None
    """The metric that the headings summarize."""
    opened: frozenset[str | None] = frozenset()
    """Values of the groups whose runs are shown."""
    only: frozenset[str] | None = None
    """Show only these of the listed runs; None for all."""

    @property
    def is_flat(self) -> bool:
        return not self.is_tree and self.group_by is None and self.only is None


@dataclass(frozen=True)
class Arrangement:
    run_ids: Sequence[str] = ()
    """By row; `HEADING` where a heading stands."""
    depths: Mapping[str, int] = field(default_factory=dict)
    """By run id: how many of its ancestors are listed above it. Runs at the top are left out."""
    child_counts: Mapping[str, int] = field(default_factory=dict)
    """By run id: how many children of the run are listed. Runs without are left out."""
    folded: Collection[str] = frozenset()
    """Runs whose children are hidden."""
    headings: Mapping[int, GroupHeading] = field(default_factory=dict)
    """By row number."""
    numbers: NumberFormat = field(default_factory=NumberFormat)
    """The format of the numbers in all headings, which tells the least and the greatest ones apart."""


def as_tree(ids: Sequence[str], parents: Mapping[str, str], folded: Collection[str]) -> Arrangement:
    """Put each run below its parent, siblings in the order of `ids`; hide the children of `folded` runs.

    A run goes to the top if its parent is not listed (missing, deleted, in another experiment, filtered out). So does the
    first listed run of a cycle of parents.
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
    for run_id in (*tops, *ids):  # the second part finds the cycles, which no top leads to
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
    """Add a run and its descendants to `rows`, `depths` and `seen`. Not recursive: nesting may exceed Python's limit."""
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
    """Put the runs below a heading for each value: numbers first, runs without a value last.

    `values` and `metric` are by run id. Only the groups whose value is in `opened` show their runs.
    """
    groups: dict[str | None, list[str]] = {}
    for run_id in ids:
        groups.setdefault(values.get(run_id), []).append(run_id)
    rows: list[str] = []
    headings: dict[int, GroupHeading] = {}
    depths: dict[str, int] = {}
    for value in sorted_by_value(groups, lambda value: value):
        members = groups[value]
        headings[len(rows)] = _heading(value, members, metric, value in opened)
        rows.append(HEADING)
        if value in opened:
            rows.extend(members)
            depths.update((run_id, 1) for run_id in members)
    # Without the means: their last digits are rounding errors.
    numbers = (number for heading in headings.values() for number in (heading.low, heading.high) if number is not None)
    return Arrangement(rows, depths, headings=headings, numbers=number_format(numbers))


def _heading(value: str | None, members: Sequence[str], metric: Mapping[str, float], is_open: bool) -> GroupHeading:
    numbers = [metric[run_id] for run_id in members if math.isfinite(metric.get(run_id, math.nan))]
    if not numbers:
        return GroupHeading(value, len(members), is_open)
    return GroupHeading(value, len(members), is_open, min(numbers), mean_of(numbers), max(numbers))
