"""One param or metric of several runs as an axis: where each run stands on it, and what is written there.

Params are text. One whose texts are all numbers is measured like a metric; any other has its texts as places, in their
natural order. A run without a value, or with one that has no place (NaN, infinities), belongs to the foot of the axis:
it is never left out.
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
from mldeck.format import MISSING, Value, digits_to_tell_apart, float_text, number_of, numbers_of, safe

MAX_CATEGORIES = 12
OTHERS = "…"
"""The place that the rarest texts share where there are more than `MAX_CATEGORIES`."""

_SHOWN_DIGITS = 4
_LEAST_SPAN = 1e-12
"""An axis over less than this share of its values could not tell them apart."""


class Kind(Enum):
    NUMBER = "number"
    CATEGORY = "category"


@dataclass(frozen=True, eq=False)
class Dimension:
    name: str
    """Safe to print."""
    kind: Kind
    places: tuple[float | None, ...]
    """By run: its value, or the number of its category; None for what has no place."""
    texts: tuple[str, ...]
    """By run, safe to print."""
    scale: Scale
    categories: tuple[str, ...] = ()
    """From the bottom up, safe to print."""

    @property
    def is_numeric(self) -> bool:
        return self.kind is Kind.NUMBER

    @property
    def is_log(self) -> bool:
        return self.scale.is_log

    @cached_property
    def numbers(self) -> tuple[float, ...]:
        """The places there are."""
        return tuple(place for place in self.places if place is not None)

    @cached_property
    def can_be_log(self) -> bool:
        return self.is_numeric and bool(self.numbers) and min(self.numbers) > 0

    @cached_property
    def missing(self) -> str:
        """What stands at the foot: nothing if every run has a place."""
        return " ".join(sorted({text for text, place in zip(self.texts, self.places, strict=True) if place is None}))

    @cached_property
    def shares(self) -> tuple[float | None, ...]:
        """By run: how far up the axis, 0 to 1."""
        return tuple(None if place is None else self.share(place) for place in self.places)

    def only(self, runs: Sequence[int]) -> Dimension:
        """The same for some of the runs; an axis of numbers is no longer than these need."""
        places, texts = tuple(self.places[run] for run in runs), tuple(self.texts[run] for run in runs)
        scale = number_scale(places, is_log=self.is_log) if self.is_numeric else self.scale
        return replace(self, places=places, texts=texts, scale=scale)

    def share(self, place: float) -> float:
        """How far up the axis a place is, never beyond its ends."""
        return min(1.0, max(0.0, self.scale.share(place) or 0.0))

    def step(self, run: int) -> int | None:
        """The step of the colour scale that a run has, if its colour comes from this dimension."""
        share = self.shares[run]
        return None if share is None else colour_step(share)

    def text_at(self, place: float) -> str:
        """A place as text: a number, or the category nearest to it."""
        if self.is_numeric:
            return float_text(place, self._digits)
        return self.categories[min(len(self.categories) - 1, max(0, round(place)))] if self.categories else MISSING

    @cached_property
    def marks(self) -> tuple[tuple[float, str], ...]:
        """What is written at the axis, from the bottom up: its smallest and largest number, or every category."""
        if not self.is_numeric:
            return tuple((float(place), text) for place, text in enumerate(self.categories))
        ends = sorted({min(self.numbers), max(self.numbers)}) if self.numbers else []
        return tuple((place, self.text_at(place)) for place in ends)

    @cached_property
    def _digits(self) -> int:
        return digits_to_tell_apart((min(self.numbers), max(self.numbers)) if self.numbers else (), _SHOWN_DIGITS)


def colour_step(share: float) -> int:
    return min(SCALE_STEPS - 1, int(share * SCALE_STEPS))


def dimension(name: str, values: Sequence[Value], *, is_log: bool = False) -> Dimension:
    """An axis over one value per run. It is logarithmic if that is asked for and every number has a logarithm."""
    numbers = numbers_of(values)
    if numbers is None:
        return _of_categories(name, values)
    places = tuple(number if number is not None and math.isfinite(number) else None for number in numbers)
    digits = digits_to_tell_apart([place for place in places if place is not None], _SHOWN_DIGITS)
    texts = tuple(
        _text(value) if number is None else float_text(number, digits)
        for value, number in zip(values, numbers, strict=True)
    )
    return Dimension(safe(name), Kind.NUMBER, places, texts, number_scale(places, is_log=is_log))


def _of_categories(name: str, values: Sequence[Value]) -> Dimension:
    keys = [None if value is None or value != value else str(value) for value in values]
    counts = Counter(key for key in keys if key is not None)
    ordered = sorted(counts, key=_natural)
    if len(ordered) > MAX_CATEGORIES:
        shown = set(sorted(ordered, key=lambda key: -counts[key])[: MAX_CATEGORIES - 1])
        ordered = [key for key in ordered if key in shown]
    others = float(len(ordered))
    index = {key: float(place) for place, key in enumerate(ordered)}
    categories = tuple(map(_text, ordered)) + ((OTHERS,) if len(ordered) < len(counts) else ())
    return Dimension(
        safe(name),
        Kind.CATEGORY,
        tuple(None if key is None else index.get(key, others) for key in keys),
        tuple(map(_text, values)),
        Scale(0, len(categories) - 1) if len(categories) > 1 else Scale(-1, 1),
        categories,
    )


def _natural(text: str) -> tuple[bool, float, str, str]:
    """Numbers first and by size, then words without regard to case."""
    number = number_of(text)
    return number is None, number or 0.0, text.casefold(), text


def _text(value: Value) -> str:
    if value is None:
        return MISSING
    return (safe(value) or '""') if isinstance(value, str) else float_text(value)


def number_scale(places: Iterable[float | None], *, is_log: bool = False) -> Scale:
    """From the smallest to the largest place, and a little round it if these are (nearly) the same."""
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
