"""Lays out the small charts: in groups by prefix, as many on a page as fit. No screen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from mldeck.model import SYSTEM_METRIC_PREFIX

_LEAST_WIDTH, _LEAST_HEIGHT = 24, 5
"""Minimum chart size in cells; smaller charts are unreadable."""

_MOST_HEIGHT = 10
"""In cells."""
_GAP = 2
SYSTEM_GROUP = SYSTEM_METRIC_PREFIX
VALUES = "single values"
"""The group of metrics that were logged at one step only; each takes a line. It is no prefix, because those end in a slash."""


class ChartSlot(NamedTuple):
    """A place for the cursor: a chart, or the heading of a folded group."""

    page: int
    column: int
    row: int
    """Top left corner, in cells on its page."""
    width: int
    """In cells."""
    metric: int | None
    """Index of the metric; None on a heading."""
    group: str


@dataclass(frozen=True)
class Pages:
    """Charts in rows below the headings of their groups, as many on a page as fit."""

    width: int
    """Width of the widest chart in cells."""
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


def group_of(key: str, single: Collection[str]) -> str:
    """Return the group a metric is shown in: its prefix, or `VALUES` if it is among the single values."""
    prefix = prefix_of(key)
    return VALUES if key in single and prefix != SYSTEM_GROUP else prefix


def arranged(
    metric_groups: Sequence[str], folded: frozenset[str], width: int, height: int, value_width: int = _LEAST_WIDTH
) -> Pages:
    """Lay out the metrics, given the group of each, on pages of `width` x `height` cells.

    Metrics without a prefix come first, values and system metrics last. The charts of a group with fewer charts than fit side
    by side share the whole width. `value_width` is the width that the line of a single value needs.
    """
    order = sorted(range(len(metric_groups)), key=lambda index: _rank(metric_groups[index]))
    groups = [(group, list(members)) for group, members in groupby(order, key=metric_groups.__getitem__)]
    if len(groups) == 1:
        folded = frozenset()  # else the page would be empty
    heading_count = sum(bool(group) for group, _ in groups)
    counts = {group: len(members) for group, members in groups if group not in folded}
    fitting = max(1, (width + _GAP) // (_LEAST_WIDTH + _GAP))
    fitting_values = max(1, (width + _GAP) // (value_width + _GAP))
    columns = {
        group: fitting_values if group == VALUES else min(fitting, max(1, count)) for group, count in counts.items()
    }
    row_counts = {group: -(-count // columns[group]) for group, count in counts.items()}
    value_rows = row_counts.pop(VALUES, 0)
    rows = sum(row_counts.values())
    room = height - heading_count - value_rows
    if rows * _LEAST_HEIGHT > room:  # not all on one page
        room = max(1, height - bool(heading_count))
        rows = max(1, room // _LEAST_HEIGHT)
    chart_height = min(_MOST_HEIGHT, room // max(1, rows))
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
                slots.append(ChartSlot(page, 0, row, width, None, group))
            row += 1
        if is_folded:
            continue
        in_row = columns[group]
        slot_width = min(value_width, width) if group == VALUES else (width - _GAP * (in_row - 1)) // in_row
        for start in range(0, len(members), in_row):
            if row and row + row_height > height and start:
                page, row = page + 1, 0
            for index, metric in enumerate(members[start : start + in_row]):
                slots.append(ChartSlot(page, index * (slot_width + _GAP), row, slot_width, metric, group))
            row += row_height
    widest = max((slot.width for slot in slots if slot.metric is not None and slot.group != VALUES), default=0)
    return Pages(widest, chart_height, tuple(slots), tuple(headings), page + 1)


def _rank(group: str) -> tuple[bool, bool, str]:
    return group == SYSTEM_GROUP, group == VALUES, group
