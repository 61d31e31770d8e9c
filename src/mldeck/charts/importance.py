"""Which params go with a metric: correlation over the runs there are, never a cause.

Ranks are compared, not values, so neither outliers nor logarithms matter. For params of numbers the figure is Spearman's
rank correlation ρ: −1 when the metric falls with the param, +1 when it rises. For params of words it is the correlation
ratio η of the metric's ranks: 0 when the words make no difference, 1 when they tell it all. As many words explain much by
chance, η² is corrected for their number (Kelley's ε²), and never less than 0.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from mldeck.charts.labels import write, write_middle, write_right
from mldeck.charts.picture import Canvas, Ink, Picture, Role
from mldeck.format import Value, cell_width, numbers_of, safe

LEAST_RUNS = 5
"""Of fewer, two columns often have the same order by chance: of three every third time, one way or the other; of five, one
time in sixty."""

_ROWS_AROUND = 3
"""The title, and what the signs mean."""
_FALLING, _RISING = 0, 1
"""Colour numbers of the two directions."""
_LEAST_BAR = 7


class Measure(Enum):
    RANK = "ρ"
    GROUPS = "η"


_MEANINGS = {
    Measure.RANK: "ρ: + it rises with the param, − it falls",
    Measure.GROUPS: "η: of words, 0 no difference, 1 all of it",
}


@dataclass(frozen=True)
class Importance:
    name: str
    """Safe to print."""
    count: int
    """How many runs have both the param and the metric."""
    measure: Measure | None = None
    strength: float | None = None
    """From −1 to 1; of groups from 0 to 1."""
    problem: str = ""
    """Why there is no figure."""


def importances(params: Mapping[str, Sequence[Value]], metric: Sequence[Value]) -> tuple[Importance, ...]:
    """One for each param, the strongest first, those without a figure last."""
    numbers = numbers_of(metric) or [None] * len(metric)
    found = [_importance(safe(name), values, numbers) for name, values in params.items()]
    return tuple(sorted(found, key=lambda each: (each.strength is None, -abs(each.strength or 0.0), each.name)))


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
        return Importance(name, count, problem="too few runs have it")
    if len(set(metrics)) == 1:
        return Importance(name, count, problem="the metric is the same in all runs")
    groups = len(set(found))
    if groups == 1:
        return Importance(name, count, problem="one value in all runs")
    if numbers:
        known = [value for value in found if isinstance(value, float)]
        return Importance(name, count, Measure.RANK, rank_correlation(known, metrics))
    if groups == count:
        return Importance(name, count, problem="a value of its own in every run")
    return Importance(name, count, Measure.GROUPS, group_correlation(found, metrics))


def rank_correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Spearman's ρ; equal values share the mean of their ranks. Neither side may be all equal or hold NaN."""
    middle = (len(one) + 1) / 2
    ranks = [rank - middle for rank in ranked(one)], [rank - middle for rank in ranked(other)]
    together = math.fsum(a * b for a, b in zip(*ranks, strict=True))
    scale = math.sqrt(math.fsum(a * a for a in ranks[0]) * math.fsum(b * b for b in ranks[1]))
    return max(-1.0, min(1.0, together / scale))


def group_correlation(groups: Sequence[Value], values: Sequence[float]) -> float:
    """The corrected η of the values' ranks over the groups; more than one group, and fewer than values."""
    by_group: dict[Value, list[float]] = defaultdict(list)
    ranks = ranked(values)
    for group, rank in zip(groups, ranks, strict=True):
        by_group[group].append(rank)
    within = math.fsum((rank - math.fsum(each) / len(each)) ** 2 for each in by_group.values() for rank in each)
    middle = (len(ranks) + 1) / 2
    in_all = math.fsum((rank - middle) ** 2 for rank in ranks)
    unexplained = (within / (len(ranks) - len(by_group))) / (in_all / (len(ranks) - 1))
    return math.sqrt(max(0.0, 1 - unexplained))


def ranked(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share the mean of theirs."""
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
    """How many params a picture of that height has rows for."""
    return max(0, height - _ROWS_AROUND)


def importance_picture(
    found: Sequence[Importance], metric: str, size: tuple[int, int], *, first: int = 0, cursor: int | None = None
) -> Picture:
    """Bars from −1 to 1, from the param `first` on; the one at `cursor` stands out."""
    canvas = Canvas(*size)
    width, height = size
    if not found:
        write_middle(canvas, height // 2, "these runs have no params", Ink(Role.AXIS))
        return canvas.picture()
    name_width = min(max(cell_width(each.name) for each in found), width // 3)
    left = name_width + 2
    value = width - len(f"ρ −1.00  n {max(each.count for each in found)}")
    bar_width = (value - 1 - left) // 2 * 2 - 1
    if value <= left or not visible_importances(height):
        write_middle(canvas, height // 2, "too small for figures", Ink(Role.AXIS))
        return canvas.picture()
    write(canvas, 0, 0, f"What goes with {safe(metric)} (rank correlation, not cause)", Ink(), width)
    _write_scale(canvas, left, bar_width)
    last = min(len(found), first + visible_importances(height))
    for row, index in enumerate(range(first, last), 2):
        each, is_strong = found[index], index == cursor
        write(canvas, 0, row, each.name, Ink(is_strong=is_strong), name_width)
        if is_strong:
            canvas.put(name_width, row, "◀", Ink(Role.ACCENT))
        _write_bar(canvas, left, row, bar_width, each, is_strong)
        _write_value(canvas, row, value, each, is_strong)
    _write_footer(canvas, found, first, last)
    return canvas.picture()


def _write_scale(canvas: Canvas, left: int, width: int) -> None:
    if width >= _LEAST_BAR:
        write(canvas, left, 1, "−1", Ink(Role.AXIS))
        write(canvas, left + width // 2, 1, "0", Ink(Role.AXIS))
        write_right(canvas, left + width, 1, "+1", Ink(Role.AXIS))


def _write_bar(canvas: Canvas, left: int, row: int, width: int, each: Importance, is_strong: bool) -> None:
    if each.strength is None:
        write(canvas, left, row, each.problem, Ink(Role.AXIS), max(width, 0))
        return
    if width < _LEAST_BAR:
        return
    middle = left + width // 2
    halves = round(abs(each.strength) * (width // 2 * 2))
    cells, is_odd = divmod(halves, 2)
    ink = Ink(Role.SERIES, _RISING if each.strength > 0 else _FALLING, is_strong=is_strong)
    if each.measure is Measure.GROUPS:
        canvas.put(middle + 1, row, "▒" * min(cells + is_odd, width // 2), ink)
    elif each.strength > 0:
        canvas.put(middle + 1, row, ("█" * cells + "▌" * is_odd)[: width // 2], ink)
    else:
        bar = ("▐" * is_odd + "█" * cells)[-(width // 2) :]
        canvas.put(middle - len(bar), row, bar if halves else "", ink)
    canvas.put(middle, row, "│", Ink(Role.AXIS))


def _write_value(canvas: Canvas, row: int, column: int, each: Importance, is_strong: bool) -> None:
    count = f"n {each.count}"
    write_right(canvas, canvas.width, row, count, Ink(Role.AXIS))
    if each.strength is not None and each.measure is not None:
        sign = "" if each.measure is Measure.GROUPS else "−" if each.strength < 0 else "+"
        write(canvas, column, row, f"{each.measure.value} {sign:1}{abs(each.strength):.2f}", Ink(is_strong=is_strong))


def _write_footer(canvas: Canvas, found: Sequence[Importance], first: int, last: int) -> None:
    measures = {each.measure for each in found}
    meanings = [text for measure, text in _MEANINGS.items() if measure in measures]
    shown = f"{first + 1}–{last} of {len(found)}" if last - first < len(found) else ""
    row = canvas.height - 1
    write_right(canvas, canvas.width, row, shown, Ink(Role.AXIS))
    write(canvas, 0, row, " · ".join(meanings), Ink(Role.AXIS), canvas.width - cell_width(shown) - 1)
