"""What is different between the run of one version and the run of another: what a review puts beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mldeck.format import MISSING, float_text, safe, texts_to_tell_apart
from mldeck.model import SYSTEM_METRIC_PREFIX, SYSTEM_TAG_PREFIX, Column, Kind, RunRecord
from mldeck.registry.nouns import ARCHIVED, ModelVersion
from mldeck.registry.plan import TransitionPlan


@dataclass(frozen=True)
class Beside:
    """A metric, param or tag of both; None where a run does not have it."""

    column: Column
    now: float | str | None
    then: float | str | None

    @property
    def difference(self) -> float | None:
        """Of a metric that both have."""
        if isinstance(self.now, float) and isinstance(self.then, float):
            return self.then - self.now
        return None

    @property
    def texts(self) -> tuple[str, str]:
        """Both, with digits enough to tell two numbers apart."""
        _, numbers = texts_to_tell_apart(each for each in (self.now, self.then) if isinstance(each, float))
        return _text(self.now, numbers), _text(self.then, numbers)


def _text(value: float | str | None, numbers: Mapping[float, str]) -> str:
    if value is None:
        return MISSING
    return value if isinstance(value, str) else numbers.get(value) or float_text(value)


def beside(now: RunRecord | None, then: RunRecord | None) -> tuple[Beside, ...]:
    """All metrics of the two, but MLflow's own; the params, and the tags but MLflow's own, that differ; by kind and key."""
    now_metrics, then_metrics = _metrics(now), _metrics(then)
    return (
        *_rows(Kind.METRIC, now_metrics, then_metrics),
        *_rows(Kind.PARAM, *_differing(now.params if now else {}, then.params if then else {})),
        *_rows(Kind.TAG, *_differing(_tags(now), _tags(then))),
    )


def aliases_left(plan: TransitionPlan, versions: Iterable[ModelVersion]) -> tuple[str, ...]:
    """In words, the aliases of what the plan archives: MLflow leaves them where they are."""
    archived = {move.version for move in plan.moves if move.after == ARCHIVED}
    return tuple(
        f"{' '.join(f'@{safe(alias)}' for alias in each.aliases)} {'stays' if len(each.aliases) == 1 else 'stay'} "
        f"on version {each.version}, which is archived"
        for each in versions
        if each.version in archived and each.aliases
    )


def _metrics(record: RunRecord | None) -> dict[str, float]:
    found = record.metrics.items() if record else ()
    return {key: float(value) for key, value in found if not key.startswith(SYSTEM_METRIC_PREFIX)}


def _tags(record: RunRecord | None) -> dict[str, str]:
    found = record.tags.items() if record else ()
    return {key: value for key, value in found if not key.startswith(SYSTEM_TAG_PREFIX)}


def _differing(now: Mapping[str, str], then: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    keys = {key for key in {*now, *then} if now.get(key) != then.get(key)}
    return {key: now[key] for key in keys & now.keys()}, {key: then[key] for key in keys & then.keys()}


def _rows(
    kind: Kind, now: Mapping[str, float] | Mapping[str, str], then: Mapping[str, float] | Mapping[str, str]
) -> Iterator[Beside]:
    for key in sorted({*now, *then}):
        yield Beside(Column(kind, key), now.get(key), then.get(key))
