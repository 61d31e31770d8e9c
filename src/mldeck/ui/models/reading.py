"""Reads for the place Models. The functions run in threads: values in, values out, no Textual."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mldeck.format import Value, sorted_by_value
from mldeck.model import SYSTEM_METRIC_PREFIX, Column, Kind, RunDetails, RunFields, RunQuery, RunRecord, View
from mldeck.registry.history import Event, EventKind, arrival
from mldeck.registry.nouns import PRODUCTION, STAGES, ModelQuery, ModelVersion, RegisteredModel
from mldeck.registry.stay import time_in_stage
from mldeck.store.interrupt import Interrupt
from mldeck.ui.state.metric_direction import Better, higher_is_better, remembered
from mldeck.ui.state.saved_state import SavedState

if TYPE_CHECKING:
    from mldeck.artifacts.file_facts import FileFacts
    from mldeck.artifacts.location import Located, Places
    from mldeck.store.registry.reader import RegistryReader
    from mldeck.store.store import Store
    from mldeck.ui.kit.clock import Clock
    from mldeck.ui.state.session import Session


READING = "…"
"""Shown for what is being read."""


@dataclass(frozen=True)
class RegistryListing:
    """The models of the registry that match a query, and what the registry can hold."""

    models: tuple[RegisteredModel, ...] = ()
    has_registry: bool = True
    has_aliases: bool = True
    workspaces: tuple[str, ...] = ()

    def named(self, name: str | None) -> RegisteredModel | None:
        return next((model for model in self.models if model.name == name), None)


def read_listing(registry: RegistryReader, query: ModelQuery, interrupt: Interrupt) -> RegistryListing:
    return RegistryListing(
        tuple(registry.models(query, interrupt)),
        registry.has_registry,
        registry.has_aliases,
        registry.workspaces(interrupt),
    )


def same_model(model: RegisteredModel, before: RegistryListing, now: RegistryListing) -> RegisteredModel | None:
    """Return the model as it is now, even if it has been renamed; None if it is gone."""
    if now.named(model.name) is not None:
        return now.named(model.name)
    known = {other.name for other in before.models}
    new = [other for other in now.models if other.name not in known]
    return next((other for other in new if other.creation_time == model.creation_time and not other.is_orphan), None)


# -- the versions of one model


@dataclass(frozen=True)
class CardMetric:
    """The metric shown on the cards of the board."""

    key: str
    greater_is_better: bool | None = None
    """None if it is not known which direction is better."""

    def best_of(self, records: Iterable[RunRecord]) -> float | None:
        """Return the best finite value; None if there are fewer than two, or no direction is better."""
        values = [value for record in records if math.isfinite(value := record.metrics.get(self.key, math.nan))]
        if self.greater_is_better is None or len(values) < 2:
            return None
        return max(values) if self.greater_is_better else min(values)


@dataclass(frozen=True)
class Versions:
    """The versions of one model, newest first, and their source runs."""

    model: str | None = None
    versions: tuple[ModelVersion, ...] = ()
    records: Mapping[str, RunRecord] = field(default_factory=dict)
    """Source runs by id, with the metric of the cards. Runs that are not in the database are missing."""
    metric: CardMetric | None = None
    metrics: tuple[str, ...] = ()
    """Keys of all metrics that the cards could show."""
    better: Mapping[str, Better] = field(default_factory=dict)
    """The better direction by metric, as far as known."""

    def record(self, version: ModelVersion) -> RunRecord | None:
        return self.records.get(version.run_id or "")

    def in_stage(self, stage: str) -> list[int]:
        """Return the indexes of the versions in a stage. Versions in a stage unknown to MLflow count as without stage."""
        known = {name: name for name in STAGES}
        return [row for row, version in enumerate(self.versions) if known.get(version.stage, STAGES[0]) == stage]


def read_versions(
    tracking: Store,
    registry: RegistryReader,
    name: str,
    saved: SavedState,
    wanted_metric: str | None,
    interrupt: Interrupt,
) -> Versions:
    """Read the versions of a model and their runs.

    The cards show `wanted_metric` if any run has it; else a metric with a known direction; else one that tells the runs
    apart.
    """
    versions = registry.versions(name, interrupt)
    ids = run_ids_of(versions)
    runs = tracking.run_records(ids, RunFields.of(()), interrupt)
    experiments = dict.fromkeys(record.run.experiment_id for record in runs.values())
    important, better = _directions(tracking, experiments, saved, interrupt)
    counts = {
        metric.key: metric.run_count
        for metric in tracking.metric_keys(ids, interrupt)
        if not metric.key.startswith(SYSTEM_METRIC_PREFIX)
    }
    key = next((key for key in (wanted_metric, *important) if key in counts), None)
    if key is None:
        differing = [column.key for column in tracking.differing_columns(ids, interrupt) if column.kind is Kind.METRIC]
        key = _informative_key(counts, differing)
    if key is None:
        return Versions(name, versions, runs, better=better)
    records = tracking.run_records(ids, RunFields.of((Column(Kind.METRIC, key),)), interrupt)
    return Versions(name, versions, records, CardMetric(key, higher_is_better(better).get(key)), tuple(counts), better)


def run_ids_of(versions: Iterable[ModelVersion]) -> list[str]:
    """Return the ids of the source runs, each once."""
    return list(dict.fromkeys(version.run_id for version in versions if version.run_id))


def _directions(
    tracking: Store, experiments: Iterable[str], saved: SavedState, interrupt: Interrupt
) -> tuple[list[str], dict[str, Better]]:
    """Return the metrics with a known direction, MLflow's primary metric first; and the directions by key.

    MLflow's direction holds until the user chooses another one.
    """
    primary: dict[str, Better] = {}
    own: dict[str, Better] = {}
    for experiment_id in experiments:
        found = tracking.primary_metric(experiment_id, interrupt)
        if found is not None:
            primary.setdefault(found[0], Better.HIGHER if found[1] else Better.LOWER)
        for key, better in remembered(saved.experiments.get(experiment_id, {})).items():
            own.setdefault(key, better)
    return [*primary, *higher_is_better(own)], primary | own


def _informative_key(counts: Mapping[str, int], differing: Sequence[str]) -> str | None:
    """Return the metric that differs between the runs and that most of them have; of several, the first by name."""
    return min(counts, key=lambda key: (key not in differing, -counts[key], key), default=None)


# -- the table of versions


@dataclass(frozen=True)
class VersionRuns:
    """The source runs, with all metrics and params in which they differ."""

    columns: tuple[Column, ...] = ()
    records: Mapping[str, RunRecord] = field(default_factory=dict)
    matching: frozenset[str] | None = None
    """Ids of the runs that match the filter; None without a filter."""


def read_version_runs(tracking: Store, versions: Versions, search: str, interrupt: Interrupt) -> VersionRuns:
    """Read what the table of versions shows of their runs. Raises `SearchError` if the filter cannot be parsed."""
    ids = run_ids_of(versions.versions)
    shown = (Kind.METRIC, Kind.PARAM)
    present = tracking.keys_of_runs(ids) if len(ids) == 1 else tracking.differing_columns(ids, interrupt)
    columns = tuple(
        column for column in present if column.kind in shown and not column.key.startswith(SYSTEM_METRIC_PREFIX)
    )
    records = tracking.run_records(ids, RunFields.of(columns), interrupt)
    if not search:
        return VersionRuns(columns, records)
    experiments = tuple(dict.fromkeys(record.run.experiment_id for record in records.values()))
    query = RunQuery(experiments, View.ALL, filter=search)
    return VersionRuns(columns, records, frozenset(ids).intersection(tracking.run_ids(query, None, interrupt)))


@dataclass(frozen=True)
class VersionOrder:
    """The order of the table of versions."""

    column: str | Column
    """One of `VERSION_COLUMNS`, of `WEIGHED_COLUMNS`, or a column of the source run."""
    descending: bool = False


VERSION, STAGE, ALIASES, AGE, RUN = VERSION_COLUMNS = ("version", "stage", "aliases", "age", "run")
"""The first columns of the table; those of the source run follow."""

DURATION, SIZE, SIGNATURE = WEIGHED_COLUMNS = ("duration", "size", "signature")
"""What is weighed besides the metrics; these columns follow the first metric."""

FILE_COLUMNS = (SIZE, SIGNATURE)
"""Columns whose values are read from the files: for the rows in view, and for all rows when the table is sorted by them."""


def sorted_rows(
    versions: Versions,
    runs: VersionRuns,
    order: VersionOrder | None,
    file_keys: Mapping[str, Callable[[ModelVersion], Any]] = MappingProxyType({}),
) -> tuple[int, ...]:
    """Return the indexes of the versions that match the filter, in the given order; versions without a value come last.

    `file_keys` return what `FILE_COLUMNS` are sorted by, None if it is not known.
    """
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
    of_run: Mapping[str, Callable[[ModelVersion], Any]] = {
        RUN: lambda version: _run_name(versions, version),
        DURATION: lambda version: _duration(runs, version),
        **file_keys,
    }
    key = of_run.get(order.column) or _LEADING_KEYS[order.column]
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


def _duration(runs: VersionRuns, version: ModelVersion) -> int | None:
    record = runs.records.get(version.run_id or "")
    return None if record is None else record.run.duration


def _run_name(versions: Versions, version: ModelVersion) -> str | None:
    record = versions.record(version)
    return None if record is None else record.run.label.lower()


# -- one version


class ComparedFacts(NamedTuple):
    """What was read of the files of a version, and of the version in Production that it would replace."""

    own: FileFacts
    production: FileFacts | None = None
    """None if no other version is in Production."""
    production_version: int | None = None


@dataclass(frozen=True)
class VersionDetails:
    """A version as the inspector shows it."""

    version: ModelVersion
    run: RunDetails | None = None
    """None if there is no source run, or it is not in this database."""
    files: Located | None = None
    """None if the database does not say where they are."""
    has_mlmodel: bool = False
    """Whether an MLmodel file was found; always False in an object store, which is not searched."""
    history: tuple[Event, ...] = ()
    """Events of this version, oldest first."""
    facts: ComparedFacts | None = None
    """What was read of the files; None until it has been read."""

    @property
    def arrival(self) -> Event | None:
        """The event that brought the version into its stage; None if unknown."""
        return arrival(self.history, self.version.version)


def stay_text(arrival: Event | None, clock: Clock) -> str:
    """Return how long a version has been in its stage, who moved it and why, to follow the stage; empty if unknown."""
    stay = None if arrival is None else time_in_stage(arrival, clock.age_or_date)
    if arrival is None or stay is None or arrival.kind is EventKind.REGISTERED:
        return ""
    moved = arrival.transition
    text = f" {'since' if stay.is_date else 'for'} {stay.text}"
    if moved is None:
        return f"{text}, no record of the move"
    by = f", moved by {moved.who}" if moved.who else ""
    return f"{text}{by}" + (f": {moved.reason}" if moved.reason else "")


def read_details(
    tracking: Store, registry: RegistryReader, version: ModelVersion, places: Places, interrupt: Interrupt
) -> VersionDetails:
    run = tracking.run_details(version.run_id, interrupt) if version.run_id else None
    history = tuple(event for event in registry.history(version.name, interrupt) if event.version == version.version)
    if version.location is None:
        return VersionDetails(version, run, None, False, history)
    files = _locate_files(tracking, registry, version, places)
    return VersionDetails(version, run, files, _has_mlmodel(files), history)


def _locate_files(tracking: Store, registry: RegistryReader, version: ModelVersion, places: Places) -> Located:
    # Imported here, because the first version may never be looked at.
    from mldeck.artifacts.location import locate
    from mldeck.store.uri_lookup import UriLookup

    owner = version.run_id if version.run_id and version.run_id in (version.location or "") else None
    return locate(version.location, places, owner, UriLookup(tracking, registry))


def known_facts(session: Session, version: ModelVersion) -> FileFacts | None:
    """Return what has been read of the files of a version in this session; None if they have not been looked at."""
    return session.file_facts.get((version.name, version.version, version.location))


def read_facts(session: Session, version: ModelVersion, interrupt: Interrupt) -> FileFacts:
    """Return the size and signature of a version. They are read once in a session, unless there was nothing to read."""
    from mldeck.artifacts import file_facts

    facts = known_facts(session, version)
    if facts is None or facts == file_facts.UNKNOWN_FACTS:
        places = session.places(session.registered.address)
        located = _locate_files(session.store, session.registry, version, places)
        facts = file_facts.read_facts(located, interrupt.check)
        session.file_facts[version.name, version.version, version.location] = facts
    return facts


def in_production(versions: Sequence[ModelVersion], version: ModelVersion) -> ModelVersion | None:
    """Return the newest version in Production that this one would replace; None if there is none, or it is there itself."""
    if version.stage == PRODUCTION:
        return None
    return max(
        (other for other in versions if other.stage == PRODUCTION), key=lambda other: other.version, default=None
    )


def read_compared_facts(
    session: Session, version: ModelVersion, versions: Sequence[ModelVersion], interrupt: Interrupt
) -> ComparedFacts:
    """Read the facts of a version, and of the one in Production among `versions` that it would replace."""
    own, replaced = read_facts(session, version, interrupt), in_production(versions, version)
    if replaced is None:
        return ComparedFacts(own)
    return ComparedFacts(own, read_facts(session, replaced, interrupt), replaced.version)


def _has_mlmodel(files: Located) -> bool:
    from mldeck.artifacts.errors import ArtifactError
    from mldeck.artifacts.model_files import holds_mlmodel

    try:
        return files.url is None and holds_mlmodel(files)
    except ArtifactError:
        return False
