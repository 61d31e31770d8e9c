"""Chooses what the pictures of the place Compare have on their axes, and remembers what the user chose.

No screen. Nothing raises, whatever the values are.
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
    column_from_json,
    column_to_json,
    group_of,
)

_MOST_TEXT = 70
"""The longest line of a text picture, in cells."""
_LOG_SPAN = 1000.0
"""A param whose largest value is this many times its smallest gets a log axis: learning rates, penalty strengths."""


class Dimensions:
    """The values of the marked runs as axes. Each is made once."""

    def __init__(self, data: CompareData) -> None:
        self.data = data
        self._made: dict[tuple[Column, bool | None], Dimension] = {}

    def of(self, column: Column, is_log: bool | None = None) -> Dimension:
        """Return the axis of a column. With `is_log` None, a param that spans decades is logarithmic."""
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
    """Return the colour number of each run by run id, in the order of the values."""
    return {run_id: data.colours[run_id] for run_id in data.run_ids}


def default_metric(data: CompareData) -> Column | None:
    """Return the primary metric of the experiments; else the one that most runs have, one that differs if possible."""
    metrics = [column for column in data.axes if group_of(column) is Group.METRICS]
    primary = [column for column in metrics if column.key in data.primary]
    return max(primary or metrics, key=lambda column: (data.is_varied(column), _count(data, column)), default=None)


def by_importance(data: CompareData, metric: Column) -> tuple[tuple[Column, Importance], ...]:
    """Return every param with its importance for the metric, the most strongly related first."""
    params = [column for column in data.axes if column.kind is Kind.PARAM]
    # By place, because different names may look the same once they are made safe.
    places = {f"{place:06}": column for place, column in enumerate(params)}
    found = importances({place: data.values(column) for place, column in places.items()}, data.values(metric))
    return tuple(
        (places[importance.name], replace(importance, name=safe(places[importance.name].key))) for importance in found
    )


def informative_params(data: CompareData, metric: Column | None) -> tuple[Column, ...]:
    """Return the numeric params that differ, the most strongly related to the metric first.

    Params that fewer than half of the runs have come last.
    """
    ranked = [] if metric is None else [column for column, _ in by_importance(data, metric)]
    params = ranked or [column for column in data.axes if column.kind is Kind.PARAM]
    numeric = [column for column in params if data.is_numeric(column) and data.is_varied(column)]
    return tuple(sorted(numeric, key=lambda column: _count(data, column) * 2 < len(data)))


def parallel_axes(data: CompareData, metric: Column | None, most: int) -> tuple[Column, ...]:
    """Return the axes shown until the user chooses some, at most `most`: the most informative params, then the metric.

    The params are in the order of the columns.
    """
    informative = informative_params(data, metric)
    common = [column for column in informative if _count(data, column) * 2 >= len(data)]
    kept = set((common or informative)[: most - (metric is not None)])
    axes = [column for column in data.axes if column in kept]
    if not axes:  # no numeric param differs
        others = [column for column in data.axes if column != metric and data.is_varied(column)]
        axes = others[: most - (metric is not None)]
    return (*axes, *([] if metric is None else [metric]))


def _count(data: CompareData, column: Column) -> int:
    return sum(value is not None for value in data.values(column))


# -- what is remembered


def columns_from_json(written: object) -> tuple[Column, ...]:
    found = map(column_from_json, written) if isinstance(written, list) else ()
    return tuple(dict.fromkeys(column for column in found if column is not None))


def logs_to_json(logs: Mapping[Column, bool]) -> dict[str, bool]:
    return {column_to_json(column): is_log for column, is_log in logs.items()}


def logs_from_json(written: object) -> dict[Column, bool]:
    """Return which columns the user made logarithmic (True) or linear (False)."""
    if not isinstance(written, dict):
        return {}
    found = ((column_from_json(name), is_log) for name, is_log in written.items())
    return {column: is_log for column, is_log in found if column is not None and isinstance(is_log, bool)}


# -- for a file


def numbers_of_runs(
    data: CompareData, run_ids: Iterable[str], columns: Iterable[Column | None]
) -> tuple[list[str], list[list[str | float | None]]]:
    """Return a header and a row for each run, for a file. Repeated columns and None are left out."""
    shown = list(dict.fromkeys(column for column in columns if column is not None))
    header = ["run_id", "run_name", *map(str, shown)]
    return header, [
        [run_id, data.by_id[run_id].run.run_name, *(data.values(column)[data.numbers[run_id] - 1] for column in shown)]
        for run_id in run_ids
    ]


# -- instead of a chart


def text_picture(text: str, size: tuple[int, int]) -> Picture:
    """Return a picture that shows only a text, in its middle."""
    canvas = PictureCanvas(*size)
    paragraphs = [wrap(part, max(1, min(_MOST_TEXT, size[0] - 2))) or [""] for part in text.split("\n")]
    lines = [line for paragraph in paragraphs for line in paragraph]
    for row, line in enumerate(lines, max(0, (canvas.height - len(lines)) // 2)):
        write_middle(canvas, row, line, Ink(Role.AXIS))
    return canvas.picture()
