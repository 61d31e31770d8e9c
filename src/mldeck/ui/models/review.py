"""What a review puts beside each other before a version is moved to another stage, and the move itself. No Textual."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mldeck.errors import MldeckError
from mldeck.format import MISSING, float_text
from mldeck.model import ALL_FIELDS, Kind, RunRecord
from mldeck.registry.history import Event, arrival
from mldeck.registry.nouns import ACTIVE_STAGES, PRODUCTION, STAGES, ModelVersion
from mldeck.registry.plan import TransitionPlan, plan_transition
from mldeck.registry.review import ComparedValue, compare_runs
from mldeck.registry.stay import time_in_stage
from mldeck.store.interrupt import Interrupt
from mldeck.ui.state.metric_direction import Better, remembered

if TYPE_CHECKING:
    from mldeck.registry.history import Transition
    from mldeck.ui.kit.clock import Clock
    from mldeck.ui.state.session import Session

_SOURCE_TAG = "mlflow.source.name"
_COMMIT_TAG = "mlflow.source.git.commit"
_COMMIT_LENGTH = 7


class ReviewRow(NamedTuple):
    """One line of the comparison; `now` is of the version that is in the stage, `then` of the one that moves in."""

    name: str
    now: str
    then: str
    difference: str = ""
    verdict: str = ""
    style: str = ""
    """Of the verdict, by name."""
    metric: str | None = None
    """Of which it can be said when it is best."""
    keeps_end: bool = False
    """Whether the values lose their beginning where they are too long, instead of their end."""


class FileState(NamedTuple):
    """Whether a version can be loaded."""

    mark: str
    problem: str = ""


UNKNOWN_FILES = FileState("…")


@dataclass(frozen=True)
class Side:
    """A version with what is known of it."""

    version: ModelVersion
    record: RunRecord | None
    """Of the run that it came from; None when that is not in the database."""
    arrived: Event | None
    """How it came into the stage that it is in."""

    @property
    def number(self) -> int:
        return self.version.version

    @property
    def label(self) -> str:
        return f"{self.number} ({self.record.run.label})" if self.record else str(self.number)

    def since(self, clock: Clock) -> str:
        """How long it has been where it is, and by whom."""
        event = self.arrived
        stay = None if event is None else time_in_stage(event, clock.age)
        if event is None or stay is None:
            return MISSING
        age = stay.text if stay.is_date else f"{stay.text} ago"
        return f"{age} by {event.transition.who}" if event.transition and event.transition.who else age

    @property
    def reason(self) -> str:
        """Why it was put where it is, if anybody said so."""
        return self.arrived.transition.reason if self.arrived and self.arrived.transition else ""

    @property
    def source(self) -> str:
        tags = self.record.tags if self.record else {}
        name, commit = tags.get(_SOURCE_TAG, ""), tags.get(_COMMIT_TAG, "")
        short = name.rstrip("/").rpartition("/")[2]
        return "@".join(filter(None, (short, commit[:_COMMIT_LENGTH]))) or MISSING

    @property
    def author(self) -> str:
        return self.version.user_id or (self.record.run.user_id if self.record else None) or MISSING


@dataclass(frozen=True)
class Review:
    """A version, what is in its target stage, and everything that the plan is made for."""

    versions: tuple[ModelVersion, ...]
    """All of the model."""
    moved: Side
    present: Side | None
    """The newest of those in the target stage; None when nobody else is there, or when it is no stage to serve from."""
    others: tuple[int, ...]
    """The rest of those in the target stage."""
    stage: str
    better: Mapping[str, Better] = field(default_factory=dict)
    """Which direction of a metric is the better one, as far as anybody said so."""

    @property
    def model(self) -> str:
        return self.moved.version.name

    @property
    def number(self) -> int:
        return self.moved.number

    @property
    def verb(self) -> str:
        """What the move is called."""
        if self.stage not in ACTIVE_STAGES:
            return "Archive" if self.stage == STAGES[-1] else "Move"
        ranks = {stage: rank for rank, stage in enumerate(STAGES[:-1])}
        return "Promote" if ranks[self.stage] > ranks.get(self.moved.version.stage, 0) else "Move"

    @property
    def in_stage(self) -> tuple[int, ...]:
        """Those that archiving is about, the newest first."""
        return (self.present.number, *self.others) if self.present else ()

    @property
    def refusal(self) -> str | None:
        """Why there is nothing to do; None when there is."""
        if self.moved.version.stage == self.stage and not self.in_stage:
            return f"version {self.number} is in {self.stage} already"
        return None

    def plan(self, archive: bool) -> TransitionPlan:
        return plan_transition(self.versions, self.number, self.stage, archive and bool(self.in_stage))

    @property
    def leaves_empty(self) -> bool:
        """Whether nobody is in Production any more afterwards."""
        others = [each for each in self.versions if each.stage == PRODUCTION and each.version != self.number]
        return self.moved.version.stage == PRODUCTION != self.stage and not others

    def rows(self, files: Mapping[int, FileState], clock: Clock) -> tuple[ReviewRow, ...]:
        """What decides comes first: without anything to compare with, the params and tags are left out."""
        pairs = compare_runs(self.present.record if self.present else None, self.moved.record)
        metrics = [_metric_row(each, self.better.get(each.column.key)) for each in pairs if _is_metric(each)]
        texts = [_text_row(each) for each in pairs if self.present and not _is_metric(each)]
        return (*metrics, *self._facts(files, clock), *texts)

    def _facts(self, files: Mapping[int, FileState], clock: Clock) -> Iterator[ReviewRow]:
        yield self._fact("source", lambda side: side.source)._replace(keeps_end=True)  # the commit is at the end
        yield self._fact("author", lambda side: side.author)
        yield self._fact("registered", lambda side: _ago(side.version.creation_time, clock), differs=False)
        yield self._fact("in stage since", lambda side: side.since(clock), differs=False)
        yield self._fact("files", lambda side: files.get(side.number, UNKNOWN_FILES).mark, differs=False)

    def _fact(self, name: str, text_of: Callable[[Side], str], *, differs: bool = True) -> ReviewRow:
        now, then = text_of(self.present) if self.present else "", text_of(self.moved)
        is_other = differs and self.present is not None and now != then
        return ReviewRow(name, now, then, verdict="differs" if is_other else "", style="dim")


def _is_metric(each: ComparedValue) -> bool:
    return each.column.kind is Kind.METRIC


def _text_row(each: ComparedValue) -> ReviewRow:
    now, then = each.texts
    name = f"tag {each.column.key}" if each.column.kind is Kind.TAG else each.column.key
    return ReviewRow(name, now, then, verdict="differs", style="dim")


def _metric_row(each: ComparedValue, better: Better | None) -> ReviewRow:
    key, difference = each.column.key, each.difference
    now, then = each.texts
    if difference is None or math.isnan(difference):
        return ReviewRow(key, now, then, metric=key)
    verdict, style = _verdict(difference, better)
    return ReviewRow(key, now, then, _signed(difference), verdict, style, key)


def _verdict(difference: float, better: Better | None) -> tuple[str, str]:
    if difference == 0:
        return "same", "dim"
    if better is None:
        return "better?", "dim"
    if better is Better.NEITHER:
        return "", ""
    return ("better", "good") if (difference > 0) is (better is Better.HIGHER) else ("worse", "bad")


def _signed(value: float) -> str:
    text = float_text(abs(value), 4)
    return "0" if value == 0 else f"{'+' if value > 0 else '−'}{text}"


def _ago(timestamp: int | None, clock: Clock) -> str:
    if timestamp is None:
        return MISSING
    age = clock.age(timestamp)
    return age if "-" in age else f"{age} ago"


class StageChange:
    """One change of stage, from the first look to the commit. Its methods read and write: call them in a thread."""

    def __init__(self, session: Session, model: str, version: int, stage: str) -> None:
        self._session = session
        self.model = model
        self.version = version
        self.stage = stage

    def read(self, interrupt: Interrupt) -> Review:
        """Raises `MldeckError` when the version is not there any more."""
        registry = self._session.registry
        versions = registry.versions(self.model, interrupt)
        moved = next((each for each in versions if each.version == self.version), None)
        if moved is None:
            raise MldeckError(f"version {self.version} of {self.model} is not there any more")
        in_stage = [each for each in versions if each.stage == self.stage and each is not moved]
        present, *others = in_stage if self.stage in ACTIVE_STAGES and in_stage else [None]
        sides = [each for each in (moved, present) if each is not None]
        records = self._records(sides, interrupt)
        history = registry.history(self.model, interrupt)

        def side(version: ModelVersion) -> Side:
            return Side(version, records.get(version.run_id or ""), arrival(history, version.version))

        return Review(
            versions,
            side(moved),
            side(present) if present else None,
            tuple(each.version for each in others if each),
            self.stage,
            self._better(records.values(), interrupt),
        )

    def _records(self, versions: Sequence[ModelVersion], interrupt: Interrupt) -> Mapping[str, RunRecord]:

        ids = [each.run_id for each in versions if each.run_id]
        return self._session.store.run_records(ids, ALL_FIELDS, interrupt)

    def _better(self, records: Iterable[RunRecord], interrupt: Interrupt) -> Mapping[str, Better]:
        """What the user said of the metrics of these experiments, and MLflow's own word where he did not."""
        better: dict[str, Better] = {}
        for experiment_id in {each.run.experiment_id: None for each in records}:
            primary = self._session.store.primary_metric(experiment_id, interrupt)
            if primary is not None:
                better.setdefault(primary[0], Better.HIGHER if primary[1] else Better.LOWER)
            better |= remembered(self._session.saved.experiments.get(experiment_id, {}))
        return better

    def read_files(self, review: Review, interrupt: Interrupt) -> Mapping[int, FileState]:
        """By version."""
        found = {}
        for side in filter(None, (review.moved, review.present)):
            interrupt.check()
            found[side.number] = self._files(side)
        return found

    def _files(self, side: Side) -> FileState:
        from mldeck.artifacts.location import locate
        from mldeck.artifacts.model_files import holds_mlmodel
        from mldeck.store.uri_lookup import UriLookup

        session, version = self._session, side.version
        try:
            located = locate(version.location, session.places(), None, UriLookup(session.store, session.registry))
            if located.path is None and located.url is not None:
                return FileState("not looked at", f"they are in an object store: {located.where}")
            if not located.found:
                return FileState("missing", located.problem or "")
            return (
                FileState("✓")
                if holds_mlmodel(located)
                else FileState("no MLmodel", f"no MLmodel file in {located.where}")
            )
        except MldeckError as error:
            return FileState("unreadable", str(error))

    def get_ready(self) -> None:
        """Loads what writes, while the review is read."""
        _ = self._session.registry_editor

    def write(self, plan: TransitionPlan, reason: str, interrupt: Interrupt) -> Transition:
        """Raises `StaleReview` when the world is not as it was reviewed."""
        return self._session.registry_editor.transition(plan, reason, interrupt)

    def remember(self, review: Review, metric: str, better: Better) -> None:
        """For all runs of the experiment, as if it had been said in the run table."""
        records = [side.record for side in (review.moved, review.present) if side and side.record]
        if records:
            self._session.remember_direction([records[0].run.experiment_id], metric, better)
