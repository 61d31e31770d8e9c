"""Fit the columns of a printed table into the width of a terminal. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from mldeck.format import MISSING

GAP = 2
"""The number of cells between two columns."""

_LEAST_TEXT = 20
"""The width down to which a column of texts is cut before columns are left out, in terminal cells."""

_LEAST_ID = 9
"""The same for a column of ids: commands find a run by the first characters of its id."""

_ID = re.compile("[0-9a-f]{32}")
_NAMED = 4
"""Columns that are named in the notice about those left out."""


def are_ids(texts: Iterable[str]) -> bool:
    return all(text == MISSING or _ID.fullmatch(text) for text in texts)


def least_width(label_width: int, wanted: int, texts: Iterable[str]) -> int:
    """Return the width down to which a column of texts may be cut. `wanted` is its width with nothing cut."""
    return min(wanted, max(label_width, _LEAST_ID if are_ids(texts) else _LEAST_TEXT))


def fitted_widths(
    wanted: Sequence[int],
    least: Sequence[int],
    room: int,
    importance: Iterable[int] | None = None,
    ids: Collection[int] = (),
) -> dict[int, int]:
    """Return the widths of the columns that fit into `room` cells, by index, in the order of the table.

    `importance` are the indexes of the columns, the most important first; by default the first ones are. There is always
    one column. Wide columns are cut before narrow ones. `ids` are the indexes of columns that have all of their width, or
    the least: more characters of an id say no more.
    """
    kept: list[int] = []
    left = room + GAP
    for index in range(len(wanted)) if importance is None else importance:
        left -= least[index] + GAP
        if left < 0 and kept:
            break
        kept.append(index)
    kept.sort()
    space = room - GAP * (len(kept) - 1)
    widest = min(room, max((wanted[index] for index in kept), default=0))
    for cap in range(widest, 0, -1):
        widths = {index: min(room, _width(wanted[index], least[index], cap, index in ids)) for index in kept}
        if sum(widths.values()) <= space:
            return widths
    return {index: min(least[index], room) for index in kept}


def _width(wanted: int, least: int, cap: int, is_id: bool) -> int:
    if is_id and wanted > cap:
        return least
    return max(least, min(wanted, cap))


def left_out_notice(shown: int, left_out: Collection[str], way_out: str) -> str:
    """Return the notice about columns that do not fit, and how to get them."""
    names = ", ".join(list(left_out)[:_NAMED])
    more = f" and {len(left_out) - _NAMED:,} more" if len(left_out) > _NAMED else ""
    return f"{shown:,} of {shown + len(left_out):,} columns fit the terminal, without {names}{more}; {way_out}"
