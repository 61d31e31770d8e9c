"""What the pictures of the place Compare have on their axes: before anybody chose, and after.

No screen is needed here. Nothing raises, whatever the values are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from textwrap import wrap

from mldeck.charts.dimensions import Dimension, dimension
from mldeck.charts.importance import Importance, importances
from mldeck.charts.labels import write_middle
from mldeck.charts.picture import Ink, Picture, PictureCanvas, Role
from mldeck.format import safe
from mldeck.model import Column, Kind
from mldeck.ui.compare.data import (
    CompareData,
    Group,
    axis_name,
    column_from_memory,
    column_to_memory,
    differs,
    group_of,
)

_MOST_TEXT = 70
"""Cells of a line that is to be read."""
_LOG_SPAN = 1000.0
"""A param whose largest value is so many times its smallest was searched by decades: rates, strengths of penalties."""


class Dimensions:
    """The marked runs' values as axes, each made once."""

    def __init__(self, data: CompareData) -> None:
        self.data = data
        self._made: dict[tuple[Column, bool | None], Dimension] = {}

    def of(self, column: Column, is_log: bool | None = None) -> Dimension:
        """`is_log`: None where nobody said."""
        made = self._made.get((column, is_log))
        if made is None:
            made = self._made[column, is_log] = self._make(column, is_log)
        return made

    def _make(self, column: Column, is_log: bool | None) -> Dimension:
        name, values = axis_name(column), self.data.values(column)
        made = dimension(name, values, is_log=bool(is_log))
        if is_log is None and column.kind is Kind.PARAM and _spans_decades(made):
            return dimension(name, values, is_log=True)
        return made


def _spans_decades(made: Dimension) -> bool:
    return made.can_be_log and max(made.numbers) / _LOG_SPAN >= min(made.numbers)


def colours_of(data: CompareData) -> dict[str, int]:
    """By run, in the order of the values: the number of its colour."""
    return {run_id: data.colours[run_id] for run_id in data.run_ids}


def is_varied(data: CompareData, column: Column) -> bool:
    """Whether it was logged with different values; that some runs lack it is not enough."""
    return differs([value for value in data.values(column) if value is not None])


def default_metric(data: CompareData) -> Column | None:
    """The one that MLflow was told is the important one, else the one that most of the runs have."""
    metrics = [column for column in data.axes if group_of(column) is Group.METRICS]
    primary = [column for column in metrics if column.key in data.primary]
    return max(primary or metrics, key=lambda column: (is_varied(data, column), _count(data, column)), default=None)


def by_importance(data: CompareData, metric: Column) -> tuple[tuple[Column, Importance], ...]:
    """Every param, those that go with the metric most first."""
    params = [column for column in data.axes if column.kind is Kind.PARAM]
    # By their places: different names may look the same when they are made safe.
    places = {f"{place:06}": column for place, column in enumerate(params)}
    found = importances({place: data.values(column) for place, column in places.items()}, data.values(metric))
    return tuple((places[each.name], replace(each, name=safe(places[each.name].key))) for each in found)


def telling_params(data: CompareData, metric: Column | None) -> tuple[Column, ...]:
    """The params of numbers that differ, those that go with the metric most first; what few of the runs have comes last."""
    ranked = [] if metric is None else [column for column, _ in by_importance(data, metric)]
    params = ranked or [column for column in data.axes if column.kind is Kind.PARAM]
    numeric = [column for column in params if data.is_numeric(column) and is_varied(data, column)]
    return tuple(sorted(numeric, key=lambda column: _count(data, column) * 2 < len(data)))


def parallel_axes(data: CompareData, metric: Column | None, most: int) -> tuple[Column, ...]:
    """The params that tell most, by name, then the metric: what can be looked at first, without a choice."""
    telling = telling_params(data, metric)
    common = [column for column in telling if _count(data, column) * 2 >= len(data)]
    kept = set((common or telling)[: most - (metric is not None)])
    axes = [column for column in data.axes if column in kept]
    if not axes:  # nothing but words, or the same everywhere
        others = [column for column in data.axes if column != metric and is_varied(data, column)]
        axes = others[: most - (metric is not None)]
    return (*axes, *([] if metric is None else [metric]))


def _count(data: CompareData, column: Column) -> int:
    return sum(value is not None for value in data.values(column))


# -- what is remembered


def columns_from_memory(written: object) -> tuple[Column, ...]:
    found = map(column_from_memory, written) if isinstance(written, list) else ()
    return tuple(dict.fromkeys(column for column in found if column is not None))


def logs_to_memory(logs: Mapping[Column, bool]) -> dict[str, bool]:
    return {column_to_memory(column): is_log for column, is_log in logs.items()}


def logs_from_memory(written: object) -> dict[Column, bool]:
    """Which columns somebody wanted to be logarithmic, and which not."""
    if not isinstance(written, dict):
        return {}
    found = ((column_from_memory(name), is_log) for name, is_log in written.items())
    return {column: is_log for column, is_log in found if column is not None and isinstance(is_log, bool)}


# -- for a file


def numbers_of_runs(
    data: CompareData, run_ids: Iterable[str], columns: Iterable[Column | None]
) -> tuple[list[str], list[list[str | float | None]]]:
    """A header and a row for each run; columns that are there twice or not at all are left out."""
    shown = list(dict.fromkeys(column for column in columns if column is not None))
    header = ["run_id", "run_name", *map(str, shown)]
    return header, [
        [run_id, data.by_id[run_id].run.run_name, *(data.values(column)[data.numbers[run_id] - 1] for column in shown)]
        for run_id in run_ids
    ]


# -- where there is nothing to draw


def saying(text: str, size: tuple[int, int]) -> Picture:
    """A picture of nothing but a text, in its middle."""
    canvas = PictureCanvas(*size)
    paragraphs = [wrap(part, max(1, min(_MOST_TEXT, size[0] - 2))) or [""] for part in text.split("\n")]
    lines = [line for paragraph in paragraphs for line in paragraph]
    for row, line in enumerate(lines, max(0, (canvas.height - len(lines)) // 2)):
        write_middle(canvas, row, line, Ink(Role.AXIS))
    return canvas.picture()
