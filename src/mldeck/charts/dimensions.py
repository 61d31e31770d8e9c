"""A dimension: one param or metric of several runs as an axis, with the place and text of each run.

Params are text. If all texts of a param are numbers it is measured like a metric; otherwise its texts are categories in
natural order. A run without a value, or whose value has no place on the axis (NaN, infinities), is drawn at the foot of
the axis: runs are never left out.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from mldeck.charts.picture import SCALE_STEPS
from mldeck.charts.scale import Scale
from mldeck.format import MISSING, NumberFormat, Value, float_text, number_format, number_of, numbers_of, safe

MAX_CATEGORIES = 12
OTHERS = "…"
"""The category that the rarest texts share if there are more than `MAX_CATEGORIES`."""

_LEAST_SPAN = 1e-12
"""The least span of an axis relative to its values; a shorter one could not tell them apart."""


class DimensionKind(Enum):
    """The kind of an axis: numeric, or with categories."""

    NUMBER = "number"
    CATEGORY = "category"


@dataclass(frozen=True, eq=False)
class Dimension:
    """The values of one param or metric, one per run, laid out along an axis."""

    name: str
    """Safe to print."""
    kind: DimensionKind
    places: tuple[float | None, ...]
    """For each run: its value, or the index of its category; None if it has no place on the axis."""
    texts: tuple[str, ...]
    """For each run: its value as text, safe to print."""
    scale: Scale
    categories: tuple[str, ...] = ()
    """The texts of the categories from the bottom up, safe to print. Empty for a numeric axis."""

    @property
    def is_numeric(self) -> bool:
        return self.kind is DimensionKind.NUMBER

    @property
    def is_log(self) -> bool:
        return self.scale.is_log

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The places of all runs that have one."""
        return tuple(place for place in self.places if place is not None)

    @cached_property
    def can_be_log(self) -> bool:
        return self.is_numeric and bool(self.numbers) and min(self.numbers) > 0

    @cached_property
    def missing(self) -> str:
        """The texts at the foot of the axis; empty if every run has a place."""
        return " ".join(sorted({text for text, place in zip(self.texts, self.places, strict=True) if place is None}))

    @cached_property
    def shares(self) -> tuple[float | None, ...]:
        """For each run: its position on the axis from 0 to 1, or None."""
        return tuple(None if place is None else self.share(place) for place in self.places)

    def only(self, runs: Sequence[int]) -> Dimension:
        """Return the dimension of some runs, given by index. A numeric axis is shortened to their values."""
        places, texts = tuple(self.places[run] for run in runs), tuple(self.texts[run] for run in runs)
        scale = number_scale(places, is_log=self.is_log) if self.is_numeric else self.scale
        return replace(self, places=places, texts=texts, scale=scale)

    def share(self, place: float) -> float:
        """Return the position of a place on the axis, clamped to 0–1."""
        return min(1.0, max(0.0, self.scale.share(place) or 0.0))

    def step(self, run: int) -> int | None:
        """Return the step of a run, given by index, on the colour scale of this dimension; None if it has no place."""
        share = self.shares[run]
        return None if share is None else colour_step(share)

    def text_at(self, place: float) -> str:
        """Return a place as text: the number, or the nearest category."""
        if self.is_numeric:
            return self._ends.text(place)
        return self.categories[min(len(self.categories) - 1, max(0, round(place)))] if self.categories else MISSING

    @cached_property
    def marks(self) -> tuple[tuple[float, str], ...]:
        """The labels of the axis from the bottom up, as (place, text): smallest and largest number, or every category."""
        if not self.is_numeric:
            return tuple((float(place), text) for place, text in enumerate(self.categories))
        ends = sorted({min(self.numbers), max(self.numbers)}) if self.numbers else []
        return tuple((place, self.text_at(place)) for place in ends)

    @cached_property
    def _ends(self) -> NumberFormat:
        return number_format((min(self.numbers), max(self.numbers)) if self.numbers else ())


def colour_step(share: float) -> int:
    """Return the step of the colour scale at a position from 0 to 1."""
    return min(SCALE_STEPS - 1, int(share * SCALE_STEPS))


def dimension(name: str, values: Sequence[Value], *, is_log: bool = False) -> Dimension:
    """Return the dimension of one value per run.

    It is logarithmic only if `is_log` is set and all numbers are positive.
    """
    numbers = numbers_of(values)
    if numbers is None:
        return _categorical(name, values)
    places = tuple(number if number is not None and math.isfinite(number) else None for number in numbers)
    form = number_format(place for place in places if place is not None)
    texts = tuple(
        _text(value) if number is None else form.text(number) for value, number in zip(values, numbers, strict=True)
    )
    return Dimension(safe(name), DimensionKind.NUMBER, places, texts, number_scale(places, is_log=is_log))


def _categorical(name: str, values: Sequence[Value]) -> Dimension:
    keys = [None if value is None or value != value else str(value) for value in values]
    counts = Counter(key for key in keys if key is not None)
    ordered = sorted(counts, key=_natural_sort_key)
    if len(ordered) > MAX_CATEGORIES:
        shown = set(sorted(ordered, key=lambda key: -counts[key])[: MAX_CATEGORIES - 1])
        ordered = [key for key in ordered if key in shown]
    others = float(len(ordered))
    index = {key: float(place) for place, key in enumerate(ordered)}
    categories = tuple(map(_text, ordered)) + ((OTHERS,) if len(ordered) < len(counts) else ())
    return Dimension(
        safe(name),
        DimensionKind.CATEGORY,
        tuple(None if key is None else index.get(key, others) for key in keys),
        tuple(map(_text, values)),
        Scale(0, len(categories) - 1) if len(categories) > 1 else Scale(-1, 1),
        categories,
    )


def _natural_sort_key(text: str) -> tuple[bool, float, str, str]:
    """Return a sort key: numbers first, by size, then words, ignoring case."""
    number = number_of(text)
    return number is None, number or 0.0, text.casefold(), text


def _text(value: Value) -> str:
    if value is None:
        return MISSING
    return (safe(value) or '""') if isinstance(value, str) else float_text(value)


def number_scale(places: Iterable[float | None], *, is_log: bool = False) -> Scale:
    """Return a scale from the smallest to the largest place, widened if these are (nearly) the same."""
    numbers = [place for place in places if place is not None]
    low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
    if is_log and numbers and low > 0:
        if math.log10(high) - math.log10(low) > _LEAST_SPAN:
            return Scale(low, high, is_log=True)
        return Scale(low / 2 or low, min(high * 2, sys.float_info.max), is_log=True)
    largest = max(abs(low), abs(high))
    if high / 2 - low / 2 > max(largest * _LEAST_SPAN, sys.float_info.min):
        return Scale(low, high)
    around = max(largest / 2, sys.float_info.min * 4) if largest else 1.0
    return Scale(max(low - around, -sys.float_info.max), min(high + around, sys.float_info.max))
