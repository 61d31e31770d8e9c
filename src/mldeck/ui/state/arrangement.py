"""How the listed runs are arranged in rows: flat, as a tree by parent, or in groups. Pure functions over run ids.

A row is a run id, or `HEADING` for the heading of a group.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mldeck.format import sorted_by_value
from mldeck.model import Column, Kind, MetricSummary, OrderKey

HEADING = ""
"""The run id of a row that is a heading."""

GroupSummaries: TypeAlias = Mapping[str, Mapping[str | None, MetricSummary]]
"""By metric, then by the value of the group. Groups without a value of the metric are left out."""


@dataclass(frozen=True)
class GroupHeading:
    """The heading of a group of runs that have the same value."""

    value: str | None
    """None for the runs without a value."""
    count: int
    is_open: bool
    """Whether the runs of the group are shown."""


@dataclass(frozen=True)
class Layout:
    """How the user wants the runs to be arranged: as a tree, in groups or, with neither, flat."""

    is_tree: bool = False
    folded: frozenset[str] = frozenset()
    """Runs whose children are hidden in the tree."""
    group_by: Column | None = None
    """The param or tag to group by."""
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
    ids: Sequence[str],
    values: Mapping[str, str],
    opened: Collection[str | None],
    order: Sequence[OrderKey],
    means: Mapping[str | None, float],
) -> Arrangement:
    """Put the runs below a heading for each value, in the order of `ids`.

    `values` are by run id. `order` is that of the ids; `means` are those of the metric that comes first in it, by value. The
    groups are sorted by them, or else stand where their first run does. Without any order they are sorted by their value. Only
    the groups whose value is in `opened` show their runs.
    """
    groups: dict[str | None, list[str]] = {}
    for run_id in ids:
        groups.setdefault(values.get(run_id), []).append(run_id)
    in_order: Sequence[str | None] = list(groups)
    if not order:
        in_order = sorted_by_value(groups, lambda value: value)
    elif order[0].column.kind is Kind.METRIC:
        in_order = sorted_by_value(groups, means.get, descending=order[0].descending)
    rows: list[str] = []
    headings: dict[int, GroupHeading] = {}
    depths: dict[str, int] = {}
    for value in in_order:
        members, is_open = groups[value], value in opened
        headings[len(rows)] = GroupHeading(value, len(members), is_open)
        rows.append(HEADING)
        if is_open:
            rows.extend(members)
            depths.update((run_id, 1) for run_id in members)
    return Arrangement(rows, depths, headings=headings)
