"""Lays out the small charts: in groups by prefix, as many on a page as fit. No screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from mldeck.model import SYSTEM_METRIC_PREFIX, Metric

_LEAST_WIDTH, _LEAST_HEIGHT = 24, 5
"""Minimum chart size in cells; smaller charts are unreadable."""

_MOST_HEIGHT = 10
"""In cells."""
_GAP = 2
SYSTEM_GROUP = SYSTEM_METRIC_PREFIX
VALUES = "at step 0"
"""The group of metrics whose latest step is 0; each takes one line. It is no prefix, because those end in a slash."""


class ChartSlot(NamedTuple):
    """A place for the cursor: a chart, or the heading of a folded group."""

    page: int
    column: int
    row: int
    """Top left corner, in cells on its page."""
    metric: int | None
    """Index of the metric; None on a heading."""
    group: str


@dataclass(frozen=True)
class Pages:
    """Charts in rows below the headings of their groups, as many on a page as fit."""

    width: int
    """Width of a chart in cells."""
    height: int
    """Height of a chart in cells."""
    slots: tuple[ChartSlot, ...]
    headings: tuple[tuple[int, int, str], ...]
    """Page, row and group."""
    count: int
    """Number of pages."""


def prefix_of(key: str) -> str:
    """Return the key up to its first slash, including it; empty without a slash."""
    prefix, slash, _ = key.partition("/")
    return prefix + slash if slash else ""


def group_of(metric: Metric) -> str:
    """Return the group a metric is shown in: its prefix, or `VALUES`."""
    prefix = prefix_of(metric.key)
    return VALUES if metric.step == 0 and prefix != SYSTEM_GROUP else prefix


def arranged(metric_groups: Sequence[str], folded: frozenset[str], width: int, height: int) -> Pages:
    """Lay out the metrics, given the group of each, on pages of `width` x `height` cells.

    Metrics without a prefix come first, values and system metrics last.
    """
    order = sorted(range(len(metric_groups)), key=lambda index: _rank(metric_groups[index]))
    groups = [(group, list(members)) for group, members in groupby(order, key=metric_groups.__getitem__)]
    if len(groups) == 1:
        folded = frozenset()  # else the page would be empty
    heading_count = sum(bool(group) for group, _ in groups)
    counts = {group: len(members) for group, members in groups if group not in folded}
    # The largest group of charts decides how many columns there are; values take the same columns.
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
    slots: list[ChartSlot] = []
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
                slots.append(ChartSlot(page, 0, row, None, group))
            row += 1
        for start in range(0, 0 if is_folded else len(members), columns):
            if row and row + row_height > height and start:
                page, row = page + 1, 0
            for index, metric in enumerate(members[start : start + columns]):
                slots.append(ChartSlot(page, index * (chart_width + _GAP), row, metric, group))
            row += row_height
    return Pages(chart_width, chart_height, tuple(slots), tuple(headings), page + 1)


def _rank(group: str) -> tuple[bool, bool, str]:
    return group == SYSTEM_GROUP, group == VALUES, group
