"""What the place Models reads, in functions that run in a thread: values in, values out, no Textual."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mldeck.format import Value, sorted_by_value
from mldeck.model import SYSTEM_METRIC_PREFIX, Column, Kind, RunDetails, RunFields, RunQuery, RunRecord, View
from mldeck.registry.history import Event, arrival
from mldeck.registry.nouns import STAGES, ModelQuery, ModelVersion, RegisteredModel
from mldeck.store.interrupt import Interrupt
from mldeck.ui.state.metric_direction import Better, higher_is_better, remembered
from mldeck.ui.state.saved_state import SavedState

if TYPE_CHECKING:
    from mldeck.artifacts.location import Located, Places
    from mldeck.store.registry.reader import RegistryReader
    from mldeck.store.store import Store


@dataclass(frozen=True)
class RegistryListing:
    """What the list of models shows."""

    models: tuple[RegisteredModel, ...] = ()
    has_registry: bool = True
    has_aliases: bool = True
    workspaces: tuple[str, ...] = ()

    def named(self, name: str | None) -> RegisteredModel | None:
        return next((each for each in self.models if each.name == name), None)


def read_listing(registry: RegistryReader, query: ModelQuery, interrupt: Interrupt) -> RegistryListing:
    return RegistryListing(
        tuple(registry.models(query, interrupt)),
        registry.has_registry,
        registry.has_aliases,
        registry.workspaces(interrupt),
    )


def same_model(model: RegisteredModel, before: RegistryListing, now: RegistryListing) -> RegisteredModel | None:
    """The model as it is now, also when somebody gave it another name; None if it is gone."""
    if now.named(model.name) is not None:
        return now.named(model.name)
    known = {each.name for each in before.models}
    fresh = [each for each in now.models if each.name not in known]
    return next((each for each in fresh if each.creation_time == model.creation_time and not each.is_orphan), None)


# -- the versions of one model


@dataclass(frozen=True)
class CardMetric:
    """The metric that stands on the cards of the board."""

    key: str
    greater_is_better: bool | None = None
    """None where nobody said which direction is the better one."""

    def best_of(self, records: Iterable[RunRecord]) -> float | None:
        values = [value for value in (each.metrics.get(self.key, math.nan) for each in records) if math.isfinite(value)]
        if self.greater_is_better is None or len(values) < 2:
            return None
        return max(values) if self.greater_is_better else min(values)


@dataclass(frozen=True)
class Versions:
    """The versions of one model, the newest first, and what is known of the runs that they came from."""

    model: str | None = None
    versions: tuple[ModelVersion, ...] = ()
    records: Mapping[str, RunRecord] = field(default_factory=dict)
    """By run id, with the metric of the cards. A run that is not in the database is not here."""
    metric: CardMetric | None = None
    metrics: tuple[str, ...] = ()
    """All that could stand on the cards."""

    def record(self, version: ModelVersion) -> RunRecord | None:
        return self.records.get(version.run_id or "")

    def in_stage(self, stage: str) -> list[int]:
        """Indexes of the versions. One in a stage that is none of MLflow's stands among those without a stage."""
        known = {each: each for each in STAGES}
        return [row for row, each in enumerate(self.versions) if known.get(each.stage, STAGES[0]) == stage]


def read_versions(
    tracking: Store,
    registry: RegistryReader,
    name: str,
    memory: SavedState,
    wanted_metric: str | None,
    interrupt: Interrupt,
) -> Versions:
    versions = registry.versions(name, interrupt)
    ids = run_ids_of(versions)
    runs = tracking.run_records(ids, RunFields.of(()), interrupt)
    experiments = dict.fromkeys(record.run.experiment_id for record in runs.values())
    said, directions = _directions(tracking, experiments, memory, interrupt)
    counts = {
        each.key: each.run_count
        for each in tracking.metric_keys(ids, interrupt)
        if not each.key.startswith(SYSTEM_METRIC_PREFIX)
    }
    key = next((each for each in (wanted_metric, *said) if each in counts), None)
    if key is None:
        differing = [each.key for each in tracking.differing_columns(ids, interrupt) if each.kind is Kind.METRIC]
        key = _telling_key(counts, differing)
    if key is None:
        return Versions(name, versions, runs)
    records = tracking.run_records(ids, RunFields.of((Column(Kind.METRIC, key),)), interrupt)
    return Versions(name, versions, records, CardMetric(key, directions.get(key)), tuple(counts))


def run_ids_of(versions: Iterable[ModelVersion]) -> list[str]:
    return list(dict.fromkeys(each.run_id for each in versions if each.run_id))


def _directions(
    tracking: Store, experiments: Iterable[str], memory: SavedState, interrupt: Interrupt
) -> tuple[list[str], dict[str, bool]]:
    """Metrics that somebody spoke of, the important one of MLflow first; and whether greater is better.

    What MLflow says counts until the user says otherwise.
    """
    primary: dict[str, Better] = {}
    own: dict[str, Better] = {}
    for experiment_id in experiments:
        found = tracking.primary_metric(experiment_id, interrupt)
        if found is not None:
            primary.setdefault(found[0], Better.HIGHER if found[1] else Better.LOWER)
        for key, better in remembered(memory.experiments.get(experiment_id, {})).items():
            own.setdefault(key, better)
    return [*primary, *higher_is_better(own)], higher_is_better(primary | own)


def _telling_key(counts: Mapping[str, int], differing: Sequence[str]) -> str | None:
    """What tells the runs apart, and most of them have; of several the first by name."""
    return min(counts, key=lambda key: (key not in differing, -counts[key], key), default=None)


# -- the table of versions


@dataclass(frozen=True)
class VersionRuns:
    """The source runs with everything in which they differ."""

    columns: tuple[Column, ...] = ()
    records: Mapping[str, RunRecord] = field(default_factory=dict)
    matching: frozenset[str] | None = None
    """Ids of the runs that the filter lets through; None without a filter."""


def read_version_runs(tracking: Store, versions: Versions, search: str, interrupt: Interrupt) -> VersionRuns:
    """Raises `SearchError` if the filter cannot be read."""
    ids = run_ids_of(versions.versions)
    shown = (Kind.METRIC, Kind.PARAM)
    present = tracking.keys_of_runs(ids) if len(ids) == 1 else tracking.differing_columns(ids, interrupt)
    columns = tuple(each for each in present if each.kind in shown and not each.key.startswith(SYSTEM_METRIC_PREFIX))
    records = tracking.run_records(ids, RunFields.of(columns), interrupt)
    if not search:
        return VersionRuns(columns, records)
    experiments = tuple(dict.fromkeys(record.run.experiment_id for record in records.values()))
    query = RunQuery(experiments, View.ALL, filter=search)
    return VersionRuns(columns, records, frozenset(ids).intersection(tracking.run_ids(query, None, interrupt)))


@dataclass(frozen=True)
class VersionOrder:
    """`column`: one of `LEADING`, or a column of the source run."""

    column: str | Column
    descending: bool = False


VERSION, STAGE, ALIASES, AGE, RUN = LEADING = ("version", "stage", "aliases", "age", "run")
"""The columns of the table before those of the source run."""


def arranged(versions: Versions, runs: VersionRuns, order: VersionOrder | None) -> tuple[int, ...]:
    """Indexes of the versions that the filter lets through, in the order asked for; without a value they come last."""
    rows = range(len(versions.versions))
    if runs.matching is not None:
        rows_found = [row for row in rows if versions.versions[row].run_id in runs.matching]
    else:
        rows_found = list(rows)
    if order is None:
        return tuple(rows_found)
    if isinstance(order.column, Column):
        value = _value_of(runs, order.column)
        return tuple(
            sorted_by_value(rows_found, lambda row: value(versions.versions[row]), descending=order.descending)
        )
    key: Callable[[ModelVersion], Any] = (
        _LEADING_KEYS[order.column] if order.column != RUN else lambda version: _run_name(versions, version)
    )
    keys = {row: key(versions.versions[row]) for row in rows_found}
    known = [row for row in rows_found if keys[row] is not None]
    known.sort(key=lambda row: keys[row], reverse=order.descending)
    return (*known, *(row for row in rows_found if keys[row] is None))


def _value_of(runs: VersionRuns, column: Column) -> Callable[[ModelVersion], Value]:
    def value(version: ModelVersion) -> Value:
        record = runs.records.get(version.run_id or "")
        if record is None:
            return None
        return record.metrics.get(column.key) if column.kind is Kind.METRIC else record.params.get(column.key)

    return value


_LEADING_KEYS: Mapping[str, Callable[[ModelVersion], Any]] = {
    VERSION: lambda version: version.version,
    STAGE: lambda version: STAGES.index(version.stage) if version.stage in STAGES else -1,
    ALIASES: lambda version: version.aliases or None,
    AGE: lambda version: None if version.creation_time is None else -version.creation_time,
}


def _run_name(versions: Versions, version: ModelVersion) -> str | None:
    record = versions.record(version)
    return None if record is None else record.run.label.lower()


# -- one version


@dataclass(frozen=True)
class VersionDetails:
    version: ModelVersion
    run: RunDetails | None = None
    """None when there is none, or it is not in this database."""
    files: Located | None = None
    """None when the database does not say where they are."""
    has_mlmodel: bool = False
    """Whether there is an MLmodel file among the files; of those in an object store nobody looked."""
    history: tuple[Event, ...] = ()
    """What happened to this version, oldest first."""

    @property
    def arrival(self) -> Event | None:
        """How it came to the stage in which it is."""
        return arrival(self.history, self.version.version)


def read_details(
    tracking: Store, registry: RegistryReader, version: ModelVersion, places: Places, interrupt: Interrupt
) -> VersionDetails:
    run = tracking.run_details(version.run_id, interrupt) if version.run_id else None
    history = tuple(each for each in registry.history(version.name, interrupt) if each.version == version.version)
    if version.location is None:
        return VersionDetails(version, run, None, False, history)
    # Not needed before the first look at a version.
    from mldeck.artifacts.location import locate
    from mldeck.store.uri_lookup import UriLookup

    owner = version.run_id if version.run_id and version.run_id in version.location else None
    files = locate(version.location, places, owner, UriLookup(tracking, registry))
    return VersionDetails(version, run, files, _has_mlmodel(files), history)


def _has_mlmodel(files: Located) -> bool:
    from mldeck.artifacts.mlmodel import FILE_NAME

    try:
        return files.path is not None and (files.path / FILE_NAME).is_file()
    except OSError:
        return False
