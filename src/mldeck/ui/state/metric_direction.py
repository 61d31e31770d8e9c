"""Whether a higher or lower value of a metric is better, as far as the user or MLflow has said."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from mldeck.model import Column, Kind, OrderKey
from mldeck.ui.state.columns import AGE, DURATION

_SAVED_KEY = "best"
_FIRST_WORDS = {AGE: ("oldest", "newest"), DURATION: ("shortest", "longest")}
"""The runs that come first, ascending and descending."""
_DATA = re.compile(r"^(train|training|val|valid|validation|test|testing|eval|dev|holdout)[_.-]", re.IGNORECASE)
"""The beginning of a metric's name that says on which data it was measured."""


class Better(str, Enum):
    """The better direction of a metric. The values are written to the saved state."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"
    """The user said that the metric has no best value."""


BEST = "★"
"""Precedes the best value of a metric, because not everyone sees colours."""


def best_sign(*, greater_is_better: bool) -> str:
    """Return the sign beside the name of a metric that has a best value: no arrow, because those show the sort order."""
    return f"{BEST}{'hi' if greater_is_better else 'lo'}"


ANSWERS = (
    (Better.HIGHER, "h", f"{best_sign(greater_is_better=True)} higher is better"),
    (Better.LOWER, "l", f"{best_sign(greater_is_better=False)} lower is better"),
    (Better.NEITHER, "n", "neither: highlight nothing"),
)
"""The choices for a metric, each with its key and its words."""


def remembered(experiment: Mapping[str, Any]) -> dict[str, Better]:
    """Read the directions of an experiment from its saved state, by metric key. Unknown values are left out."""
    written = experiment.get(_SAVED_KEY)
    known = {better.value: better for better in Better}
    if not isinstance(written, dict):
        return {}
    return {key: known[word] for key, word in written.items() if isinstance(word, str) and word in known}


def remember(experiment: dict[str, Any], metric: str, better: Better) -> None:
    """Set a direction in the saved state of an experiment."""
    directions = remembered(experiment) | {metric: better}
    experiment[_SAVED_KEY] = {key: direction.value for key, direction in directions.items()}


def begins_descending(column: Column, directions: Mapping[str, Better]) -> bool:
    """Return whether sorting by a column begins with the highest values, because they are the best ones of the metric.

    If its direction is not known, it is taken from other metrics of the same measure.
    """
    if column.kind is not Kind.METRIC:
        return False
    if column.key in directions:
        return directions[column.key] is Better.HIGHER
    other = _same_measure(column.key, directions)
    return other is not None and directions[other] is Better.HIGHER


def _same_measure(metric: str, directions: Mapping[str, Better]) -> str | None:
    """Return another metric that measures the same on other data and has a direction; None if such metrics disagree."""
    measure = _measure(metric)
    found = {
        key: better
        for key, better in directions.items()
        if better is not Better.NEITHER and key != metric and _measure(key) == measure
    }
    return next(iter(found)) if len(set(found.values())) == 1 else None


def _measure(metric: str) -> str:
    """Return the name of a metric without the data it was measured on: `auc` for `val/auc` and `test_auc`."""
    return _DATA.sub("", metric.rsplit("/", 1)[-1])


class OrderWords(NamedTuple):
    """Which values come first, where an arrow does not say that: good ones of a metric, new ones of ages. Else empty."""

    full: str = ""
    """Says also why they come first, or how to set which values are best, if that is not known."""
    brief: str = ""


def order_in_words(key: OrderKey, directions: Mapping[str, Better], asking_key: str) -> OrderWords:
    """`asking_key` is the name of the key that asks for the direction."""
    metric = key.column.key
    if key.column in _FIRST_WORDS:
        words = f"{_FIRST_WORDS[key.column][key.descending]} first"
        return OrderWords(words, words)
    if key.column.kind is not Kind.METRIC:
        return OrderWords()
    better = directions.get(metric)
    if better is Better.HIGHER or better is Better.LOWER:
        words = "best first" if (better is Better.HIGHER) is key.descending else "worst first"
        return OrderWords(words, words)
    words = "highest first" if key.descending else "lowest first"
    if better is Better.NEITHER:
        return OrderWords(words, words)
    other = _same_measure(metric, directions)
    if other is None:
        return OrderWords(f"{words} ({asking_key} sets which is best)", words)
    return OrderWords(f"{words} ({directions[other].value} {other} is better)", words)


def best_metric(
    order: Sequence[OrderKey], logged: Collection[str], greater_is_better: Mapping[str, bool]
) -> str | None:
    """Return the metric by which the best run is found: the first one of the order, else the first one that was logged.

    None if it is not known of any whether higher or lower is better.
    """
    ordered = (key.column.key for key in order if key.column.kind is Kind.METRIC)
    return next((key for key in (*ordered, *logged) if key in logged and key in greater_is_better), None)


def next_descending(present: bool | None, *, first: bool) -> bool | None:
    """Return the next direction when a column is sorted again: `first`, then the other one, then None, which is unsorted."""
    if present is None:
        return first
    return None if present is not first else not first


def higher_is_better(directions: Mapping[str, Better]) -> dict[str, bool]:
    """Return the metrics that have a best value: True if higher is better, False if lower is."""
    return {key: better is Better.HIGHER for key, better in directions.items() if better is not Better.NEITHER}
