"""How the listed runs are arranged in rows: flat, as a tree by parent, or in groups. Pure functions over run ids.

A row is a run id, or `HEADING` for the heading of a group.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from mldeck.format import mean_of, sorted_by_value
from mldeck.model import Column, Kind, MetricSummary, OrderKey, RunTimes
from mldeck.ui.state.columns import AGE, DURATION, NAME, STATE, TEXTS

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
    first_run: str
    """The id of the first run in the order of the table."""
    newest: int | None = None
    """When the newest run began, in milliseconds since the epoch; None if that is not known of any."""
    duration: float | None = None
    """The mean duration of the runs that have ended, in milliseconds; None if there are none."""


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

    def ends_grouping_at(self, column: Column | None) -> bool:
        """Return whether grouping at this column ends the grouping, instead of grouping by the column."""
        is_other = column is not None and column.kind in TEXTS and column != self.group_by
        return self.group_by is not None and not is_other

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
    times: Mapping[str, RunTimes],
    shown: Mapping[str, str] | None = None,
) -> Arrangement:
    """Put the runs below a heading for each value, in the order of `ids`.

    `values` and `times` are by run id. `order` is that of the ids; `means` are those of the metric that comes first in it, by
    value; `shown`, by run id, the texts of the param or tag that does. The groups are sorted by what their headings show in the
    column that comes first, and by their values where that is the same and no column comes second. Only the groups whose value
    is in `opened` show their runs.
    """
    groups: dict[str | None, list[str]] = {}
    for run_id in ids:
        groups.setdefault(values.get(run_id), []).append(run_id)
    all_headings = [_heading(value, members, value in opened, times) for value, members in groups.items()]
    rows: list[str] = []
    headings: dict[int, GroupHeading] = {}
    depths: dict[str, int] = {}
    for heading in _sorted_headings(all_headings, order, means, shown):
        headings[len(rows)] = heading
        rows.append(HEADING)
        if heading.is_open:
            members = groups[heading.value]
            rows.extend(members)
            depths.update((run_id, 1) for run_id in members)
    return Arrangement(rows, depths, headings=headings)


def _heading(value: str | None, members: Sequence[str], is_open: bool, times: Mapping[str, RunTimes]) -> GroupHeading:
    known = [times[run_id] for run_id in members if run_id in times]
    starts = [run.start for run in known if run.start is not None]
    durations = [run.duration for run in known if run.duration is not None]
    duration = mean_of(durations) if durations else None
    return GroupHeading(value, len(members), is_open, members[0], max(starts, default=None), duration)


def shows_first_run(column: Column) -> bool:
    """Return whether headings show the value of their first run in this column when the table is sorted by it."""
    return column.kind is not Kind.METRIC and column not in (NAME, STATE, AGE, DURATION)


def _sorted_headings(
    headings: Sequence[GroupHeading],
    order: Sequence[OrderKey],
    means: Mapping[str | None, float],
    shown: Mapping[str, str] | None,
) -> Sequence[GroupHeading]:
    """Sort headings, given in the order of their first runs."""
    column = order[0].column if order else None
    if column is not None and shows_first_run(column):
        if shown is None or len(order) > 1:
            return headings
        alike = groupby(headings, key=lambda heading: shown.get(heading.first_run))
        return [heading for _, same in alike for heading in _by_value(same)]
    if len(order) == 1:
        headings = _by_value(headings)

    def measure(heading: GroupHeading) -> str | float | None:
        if column is None or column in (NAME, STATE):
            return heading.value
        if column.kind is Kind.METRIC:
            return means.get(heading.value)
        return heading.newest if column == AGE else heading.duration

    is_reversed = column not in (None, STATE) and order[0].descending
    return sorted_by_value(headings, measure, descending=is_reversed)


def _by_value(headings: Iterable[GroupHeading]) -> list[GroupHeading]:
    return sorted_by_value(headings, lambda heading: heading.value)
