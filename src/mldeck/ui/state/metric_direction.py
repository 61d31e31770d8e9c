"""Which direction of a metric is the better one, as far as anybody said so."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

_MEMORY_KEY = "best"


class Better(str, Enum):
    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"
    """Asked, and there is no best value."""


ANSWERS = (
    (Better.HIGHER, "h", "↑ higher is better"),
    (Better.LOWER, "l", "↓ lower is better"),
    (Better.NEITHER, "n", "neither: highlight nothing"),
)
"""What can be said of a metric: the direction, its letter, and in words."""


def remembered(experiment: Mapping[str, Any]) -> dict[str, Better]:
    """By metric key: what the user said of this experiment's metrics."""
    written = experiment.get(_MEMORY_KEY)
    known = {each.value: each for each in Better}
    if not isinstance(written, dict):
        return {}
    return {key: known[word] for key, word in written.items() if isinstance(word, str) and word in known}


def remember(experiment: dict[str, Any], metric: str, better: Better) -> None:
    experiment[_MEMORY_KEY] = {key: each.value for key, each in remembered(experiment).items()} | {metric: better.value}


def higher_is_better(directions: Mapping[str, Better]) -> dict[str, bool]:
    """Those metrics that have a best value."""
    return {key: each is Better.HIGHER for key, each in directions.items() if each is not Better.NEITHER}
