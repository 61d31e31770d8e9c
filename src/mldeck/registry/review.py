"""Compare the runs of two versions of a model, for the review of a transition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mldeck.format import MISSING, NumberFormat, number_format, safe
from mldeck.model import SYSTEM_METRIC_PREFIX, SYSTEM_TAG_PREFIX, Column, Kind, RunRecord
from mldeck.registry.nouns import ARCHIVED, ModelVersion
from mldeck.registry.plan import TransitionPlan


@dataclass(frozen=True)
class ComparedValue:
    """A metric, param or tag of two runs."""

    column: Column
    now: float | str | None
    """Its value in the run of the version that is in the stage now; None if that run does not have it."""
    then: float | str | None
    """Its value in the run of the version that will be in the stage; None if that run does not have it."""

    @property
    def difference(self) -> float | None:
        """`then - now` for a metric that both runs have, else None."""
        if isinstance(self.now, float) and isinstance(self.then, float):
            return self.then - self.now
        return None

    @property
    def texts(self) -> tuple[str, str]:
        """The texts of both values; numbers have the same precision, and look different if they are."""
        numbers = number_format(value for value in (self.now, self.then) if isinstance(value, float))
        return _text(self.now, numbers), _text(self.then, numbers)


def _text(value: float | str | None, numbers: NumberFormat) -> str:
    if value is None:
        return MISSING
    return value if isinstance(value, str) else numbers.text(value)


def difference_format(values: Iterable[ComparedValue]) -> NumberFormat:
    """Return the format of all differences of metrics, which stand in one column."""
    differences = (value.difference for value in values)
    return number_format((number for number in differences if number is not None), tells_apart=False)


def compare_runs(now: RunRecord | None, then: RunRecord | None) -> tuple[ComparedValue, ...]:
    """Return all metrics of two runs, and the params and tags in which they differ, sorted by kind and key.

    Params and tags that only one of the runs has come after those that both have.

    Metrics and tags that MLflow itself writes are left out.
    """
    now_metrics, then_metrics = _metrics(now), _metrics(then)
    return (
        *_rows(Kind.METRIC, now_metrics, then_metrics),
        *_rows(Kind.PARAM, *_differing(now.params if now else {}, then.params if then else {})),
        *_rows(Kind.TAG, *_differing(_tags(now), _tags(then))),
    )


def number_difference(now: int | None, then: int | None, text: Callable[[int], str]) -> str:
    """Return the difference of two durations or sizes with its sign, as `text` writes them; empty if one is not known."""
    if now is None or then is None or now == then:
        return ""
    return f"{'+' if then > now else '−'}{text(abs(then - now))}"


def aliases_left(plan: TransitionPlan, versions: Iterable[ModelVersion]) -> tuple[str, ...]:
    """Return a notice for each version with aliases that the plan archives: MLflow does not move the aliases."""
    archived = {move.version for move in plan.moves if move.after == ARCHIVED}
    return tuple(
        f"{' '.join(f'@{safe(alias)}' for alias in version.aliases)} {'stays' if len(version.aliases) == 1 else 'stay'} "
        f"on version {version.version}, which is archived"
        for version in versions
        if version.version in archived and version.aliases
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
) -> Iterator[ComparedValue]:
    # A text that both runs have tells more than one that a run lacks.
    lacking = frozenset[str]() if kind is Kind.METRIC else now.keys() ^ then.keys()
    for key in sorted({*now, *then}, key=lambda key: (key in lacking, key)):
        yield ComparedValue(Column(kind, key), now.get(key), then.get(key))
