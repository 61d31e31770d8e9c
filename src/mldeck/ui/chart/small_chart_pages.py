"""Which small chart stands where: in groups by prefix, as many on a page as there is room for. No screen is needed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from mldeck.model import SYSTEM_METRIC_PREFIX, Metric

_LEAST_WIDTH, _LEAST_HEIGHT = 24, 5
"""Of a chart, in cells; with less it says little."""

_MOST_HEIGHT = 10
_GAP = 2
SYSTEM_GROUP = SYSTEM_METRIC_PREFIX
VALUES = "at step 0"
"""The group of metrics that got no further: a line for each says it all. No prefix: those end with a slash."""


class Place(NamedTuple):
    """Where the cursor can stand: on a chart, or on the heading of a group that is folded away."""

    page: int
    column: int
    row: int
    """In cells, on its page."""
    metric: int | None
    """Index of the metric; None on a heading."""
    group: str


@dataclass(frozen=True)
class Pages:
    """Charts in rows below the headings of their groups, as many on a page as there is room for."""

    width: int
    """Of a chart."""
    height: int
    places: tuple[Place, ...]
    headings: tuple[tuple[int, int, str], ...]
    """Page, row and group."""
    count: int


def prefix_of(key: str) -> str:
    """Up to the first slash, with it; empty for a metric without."""
    prefix, slash, _ = key.partition("/")
    return prefix + slash if slash else ""


def group_of(metric: Metric) -> str:
    prefix = prefix_of(metric.key)
    return VALUES if metric.step == 0 and prefix != SYSTEM_GROUP else prefix


def arranged(metric_groups: Sequence[str], folded: frozenset[str], width: int, height: int) -> Pages:
    """Given the group of each metric. Those without a prefix come first, values and system metrics last."""
    order = sorted(range(len(metric_groups)), key=lambda index: _rank(metric_groups[index]))
    groups = [(group, list(members)) for group, members in groupby(order, key=metric_groups.__getitem__)]
    if len(groups) == 1:
        folded = frozenset()  # there would be nothing else to see
    heading_count = sum(bool(group) for group, _ in groups)
    counts = {group: len(members) for group, members in groups if group not in folded}
    # As wide as the largest group of charts allows; values are content with what that leaves.
    most = max((count for group, count in counts.items() if group != VALUES), default=len(metric_groups))
    columns = max(1, min((width + _GAP) // (_LEAST_WIDTH + _GAP), most))
    row_counts = {group: -(-count // columns) for group, count in counts.items()}
    value_rows = row_counts.pop(VALUES, 0)
    rows = sum(row_counts.values())
    room = height - heading_count - value_rows
    if rows * _LEAST_HEIGHT > room:  # not all on one page
        room = max(1, height - bool(heading_count))
        rows = max(1, room // _LEAST_HEIGHT)
    chart_height = min(_MOST_HEIGHT, room // max(1, rows))
    chart_width = (width - _GAP * (columns - 1)) // columns
    places: list[Place] = []
    headings: list[tuple[int, int, str]] = []
    page, row = 0, 0
    for group, members in groups:
        is_folded = group in folded
        row_height = 1 if group == VALUES else chart_height
        if row and row + bool(group) + (0 if is_folded else row_height) > height:
            page, row = page + 1, 0
        if group:
            headings.append((page, row, group))
            if is_folded:
                places.append(Place(page, 0, row, None, group))
            row += 1
        for start in range(0, 0 if is_folded else len(members), columns):
            if row and row + row_height > height and start:
                page, row = page + 1, 0
            for index, metric in enumerate(members[start : start + columns]):
                places.append(Place(page, index * (chart_width + _GAP), row, metric, group))
            row += row_height
    return Pages(chart_width, chart_height, tuple(places), tuple(headings), page + 1)


def _rank(group: str) -> tuple[bool, bool, str]:
    return group == SYSTEM_GROUP, group == VALUES, group
