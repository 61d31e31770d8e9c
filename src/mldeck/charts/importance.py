"""The importance of params: how strongly each correlates with a metric over the given runs.

A correlation is not a cause. Ranks are compared, not values, so outliers and logarithms make no difference. For numeric
params the figure is Spearman's rank correlation ρ: −1 if the metric falls as the param rises, +1 if both rise together.
For text params it is the correlation ratio η of the metric's ranks: 0 if the texts make no difference, 1 if they
explain the ranks completely. Because many distinct texts explain much by chance, η² is corrected for their number
(Kelley's ε²), and is never below 0.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from mldeck.charts.labels import write, write_middle, write_right
from mldeck.charts.picture import Ink, Picture, PictureCanvas, Role
from mldeck.format import Neighbours, Value, cell_width, numbers_of, safe

LEAST_RUNS = 5
"""The least number of runs for a figure.

With fewer, two columns often have the same order by chance: with three runs every third time, in one direction or the
other; with five, one time in sixty.
"""

_ROWS_AROUND = 3
"""The rows for the title, the scale, and the footer that explains the signs."""
_FALLING, _RISING = 0, 1
"""The colour numbers of the two directions."""
_LEAST_BAR = 7


class Measure(Enum):
    RANK = "ρ"
    GROUPS = "η"


_MEANINGS = {
    Measure.RANK: "ρ: + rises with the param, − falls",
    Measure.GROUPS: "η: for text, 0 no difference, 1 explains it all",
}


@dataclass(frozen=True)
class Importance:
    """The correlation of one param with the metric."""

    name: str
    """Safe to print."""
    count: int
    """The number of runs that have both the param and the metric."""
    measure: Measure | None = None
    strength: float | None = None
    """From −1 to 1 for `RANK`, from 0 to 1 for `GROUPS`; None if there is no figure."""
    problem: str = ""
    """Why there is no figure; else empty."""


def importances(params: Mapping[str, Sequence[Value]], metric: Sequence[Value]) -> tuple[Importance, ...]:
    """Return one importance per param, the strongest first, those without a figure last.

    `params` and `metric` hold one value per run, in the same order.
    """
    numbers = numbers_of(metric) or [None] * len(metric)
    found = [_importance(safe(name), values, numbers) for name, values in params.items()]
    return tuple(sorted(found, key=lambda param: (param.strength is None, -abs(param.strength or 0.0), param.name)))


def _importance(name: str, values: Sequence[Value], metric: Sequence[float | None]) -> Importance:
    numbers = numbers_of(values)
    pairs = [
        (value, number)
        for value, number in zip(numbers or values, metric, strict=True)
        if value is not None and value == value and number is not None and not math.isnan(number)
    ]
    found, metrics = [value for value, _ in pairs], [number for _, number in pairs]
    count = len(pairs)
    if count < LEAST_RUNS:
        return Importance(name, count, problem=f"fewer than {LEAST_RUNS} runs have it")
    if len(set(metrics)) == 1:
        return Importance(name, count, problem="the metric is the same in all runs")
    groups = len(set(found))
    if groups == 1:
        return Importance(name, count, problem="same value in all runs")
    if numbers:
        known = [value for value in found if isinstance(value, float)]
        return Importance(name, count, Measure.RANK, rank_correlation(known, metrics))
    if groups == count:
        return Importance(name, count, problem="a different value in every run")
    return Importance(name, count, Measure.GROUPS, group_correlation(found, metrics))


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Return Spearman's ρ; equal values share their mean rank. Neither side may be constant or hold NaN."""
    middle = (len(left) + 1) / 2
    ranks = [rank - middle for rank in ranked(left)], [rank - middle for rank in ranked(right)]
    together = math.fsum(a * b for a, b in zip(*ranks, strict=True))
    scale = math.sqrt(math.fsum(a * a for a in ranks[0]) * math.fsum(b * b for b in ranks[1]))
    return max(-1.0, min(1.0, together / scale))


def group_correlation(groups: Sequence[Value], values: Sequence[float]) -> float:
    """Return the corrected η of the values' ranks over the groups.

    There must be more than one group, and fewer groups than values.
    """
    by_group: dict[Value, list[float]] = defaultdict(list)
    ranks = ranked(values)
    for group, rank in zip(groups, ranks, strict=True):
        by_group[group].append(rank)
    within = math.fsum((rank - math.fsum(group) / len(group)) ** 2 for group in by_group.values() for rank in group)
    middle = (len(ranks) + 1) / 2
    in_all = math.fsum((rank - middle) ** 2 for rank in ranks)
    unexplained = (within / (len(ranks) - len(by_group))) / (in_all / (len(ranks) - 1))
    return math.sqrt(max(0.0, 1 - unexplained))


def ranked(values: Sequence[float]) -> list[float]:
    """Return ranks from 1; equal values share their mean rank."""
    ranks = [0.0] * len(values)
    order = sorted(range(len(values)), key=values.__getitem__)
    start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + end + 1) / 2
        start = end
    return ranks


def visible_importances(height: int) -> int:
    """Return how many params fit into a picture `height` rows high."""
    return max(0, height - _ROWS_AROUND)


def importance_picture(
    found: Sequence[Importance], metric: str, size: tuple[int, int], *, first: int = 0, cursor: int | None = None
) -> Picture:
    """Draw bars from −1 to 1, starting with the param at index `first`; the one at index `cursor` is emphasised."""
    canvas = PictureCanvas(*size)
    width, height = size
    if not found:
        write_middle(canvas, height // 2, "these runs have no params", Ink(Role.AXIS))
        return canvas.picture()
    names = Neighbours(param.name for param in found)
    name_width = min(max(cell_width(param.name) for param in found), width // 3)
    left = name_width + 2
    value = width - len(f"ρ −1.00  n {max(param.count for param in found)}")
    bar_width = (value - 1 - left) // 2 * 2 - 1
    if value <= left or not visible_importances(height):
        write_middle(canvas, height // 2, "too small for figures", Ink(Role.AXIS))
        return canvas.picture()
    write(canvas, 0, 0, f"Correlation with {safe(metric)} (of ranks, not a cause)", Ink(), width)
    _write_scale(canvas, left, bar_width)
    last = min(len(found), first + visible_importances(height))
    for row, index in enumerate(range(first, last), 2):
        param, is_strong = found[index], index == cursor
        write(canvas, 0, row, names.cut(param.name, name_width), Ink(is_strong=is_strong))
        if is_strong:
            canvas.put(name_width, row, "◀", Ink(Role.ACCENT))
        _write_bar(canvas, left, row, bar_width, param, is_strong)
        _write_value(canvas, row, value, param, is_strong)
    _write_footer(canvas, found, first, last)
    return canvas.picture()


def _write_scale(canvas: PictureCanvas, left: int, width: int) -> None:
    if width >= _LEAST_BAR:
        write(canvas, left, 1, "−1", Ink(Role.AXIS))
        write(canvas, left + width // 2, 1, "0", Ink(Role.AXIS))
        write_right(canvas, left + width, 1, "+1", Ink(Role.AXIS))


def _write_bar(canvas: PictureCanvas, left: int, row: int, width: int, param: Importance, is_strong: bool) -> None:
    if param.strength is None:
        write(canvas, left, row, param.problem, Ink(Role.AXIS), max(width, 0))
        return
    if width < _LEAST_BAR:
        return
    middle = left + width // 2
    halves = round(abs(param.strength) * (width // 2 * 2))
    cells, is_odd = divmod(halves, 2)
    ink = Ink(Role.SERIES, _RISING if param.strength > 0 else _FALLING, is_strong=is_strong)
    if param.measure is Measure.GROUPS:
        canvas.put(middle + 1, row, "▒" * min(cells + is_odd, width // 2), ink)
    elif param.strength > 0:
        canvas.put(middle + 1, row, ("█" * cells + "▌" * is_odd)[: width // 2], ink)
    else:
        bar = ("▐" * is_odd + "█" * cells)[-(width // 2) :]
        canvas.put(middle - len(bar), row, bar if halves else "", ink)
    canvas.put(middle, row, "│", Ink(Role.AXIS))


def _write_value(canvas: PictureCanvas, row: int, column: int, param: Importance, is_strong: bool) -> None:
    count = f"n {param.count}"
    write_right(canvas, canvas.width, row, count, Ink(Role.AXIS))
    if param.strength is not None and param.measure is not None:
        sign = "" if param.measure is Measure.GROUPS else "−" if param.strength < 0 else "+"
        write(canvas, column, row, f"{param.measure.value} {sign:1}{abs(param.strength):.2f}", Ink(is_strong=is_strong))


def _write_footer(canvas: PictureCanvas, found: Sequence[Importance], first: int, last: int) -> None:
    measures = {param.measure for param in found}
    meanings = [text for measure, text in _MEANINGS.items() if measure in measures]
    shown = f"{first + 1}–{last} of {len(found)}" if last - first < len(found) else ""
    row = canvas.height - 1
    write_right(canvas, canvas.width, row, shown, Ink(Role.AXIS))
    write(canvas, 0, row, " · ".join(meanings), Ink(Role.AXIS), canvas.width - cell_width(shown) - 1)
