"""The comparison of two versions before a stage change, and the change itself. No Textual."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mldeck.errors import MldeckError
from mldeck.format import MISSING, NumberFormat, duration_text, exact_float_text, size_text
from mldeck.model import ALL_FIELDS, Kind, RunRecord
from mldeck.registry.history import Event, arrival
from mldeck.registry.nouns import ACTIVE_STAGES, PRODUCTION, STAGES, ModelVersion
from mldeck.registry.plan import TransitionPlan, plan_transition
from mldeck.registry.review import ComparedValue, compare_runs, difference_format, number_difference
from mldeck.registry.stay import time_in_stage
from mldeck.store.interrupt import Interrupt
from mldeck.ui.models.reading import READING, read_facts
from mldeck.ui.state.metric_direction import Better, remembered

if TYPE_CHECKING:
    from mldeck.artifacts.file_facts import FileFacts
    from mldeck.registry.history import Transition
    from mldeck.ui.kit.clock import Clock
    from mldeck.ui.state.session import Session

DIRECTION_ASKED = "hi/lo?"
"""Stands for the verdict on a metric of which nobody has said whether higher or lower is better."""

_SOURCE_TAG = "mlflow.source.name"
_COMMIT_TAG = "mlflow.source.git.commit"
_COMMIT_LENGTH = 7


class ReviewRow(NamedTuple):
    """One line of the comparison: `now` is the version in the stage, `then` the version that moves in."""

    name: str
    now: str
    then: str
    difference: str = ""
    verdict: str = ""
    style: str = ""
    """Name of the verdict's style."""
    metric: str | None = None
    """Key of the metric whose better direction can be chosen; None for other rows."""
    exact: str = ""
    """All digits of the metric's value `then`; empty for other rows."""


class FilesMark(NamedTuple):
    """Whether the files of a version are there, so that it can be loaded."""

    mark: str
    """The state in a word or sign."""
    problem: str = ""
    """The warning about it; empty if there is none."""


UNKNOWN_FILES = FilesMark(READING)


@dataclass(frozen=True)
class Side:
    """One side of the comparison: a version, its run, and how it came into its stage."""

    version: ModelVersion
    record: RunRecord | None
    """The source run; None if it is not in the database."""
    arrived: Event | None
    """The event that brought it into its stage; None if unknown."""

    @property
    def number(self) -> int:
        return self.version.version

    @property
    def label(self) -> str:
        return f"{self.number} ({self.record.run.label})" if self.record else str(self.number)

    def since(self, clock: Clock) -> str:
        """Return when it came into its stage, and who moved it."""
        event = self.arrived
        stay = None if event is None else time_in_stage(event, clock.age_or_date)
        if event is None or stay is None:
            return MISSING
        age = stay.text if stay.is_date else f"{stay.text} ago"
        return f"{age} by {event.transition.who}" if event.transition and event.transition.who else age

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
    """A version to move, the version in the target stage, and what the plan needs to know."""

    versions: tuple[ModelVersion, ...]
    """All versions of the model."""
    moved: Side
    present: Side | None
    """The newest version in the target stage; None if there is none, or if models are not served from that stage."""
    others: tuple[int, ...]
    """Numbers of the other versions in the target stage, newest first."""
    stage: str
    better: Mapping[str, Better] = field(default_factory=dict)
    """The better direction by metric, as far as known."""

    @property
    def model(self) -> str:
        return self.moved.version.name

    @property
    def number(self) -> int:
        return self.moved.number

    @property
    def verb(self) -> str:
        """The verb for the move: Promote, Move or Archive."""
        if self.stage not in ACTIVE_STAGES:
            return "Archive" if self.stage == STAGES[-1] else "Move"
        ranks = {stage: rank for rank, stage in enumerate(STAGES[:-1])}
        return "Promote" if ranks[self.stage] > ranks.get(self.moved.version.stage, 0) else "Move"

    @property
    def in_stage(self) -> tuple[int, ...]:
        """Numbers of the versions that would be archived, newest first."""
        return (self.present.number, *self.others) if self.present else ()

    @property
    def refusal(self) -> str | None:
        """Why there is nothing to change; None if there is something."""
        if self.moved.version.stage == self.stage and not self.in_stage:
            return f"version {self.number} is already in {self.stage}"
        return None

    def plan(self, archive: bool) -> TransitionPlan:
        return plan_transition(self.versions, self.number, self.stage, archive and bool(self.in_stage))

    @property
    def leaves_empty(self) -> bool:
        """Whether no version will be in Production afterwards."""
        others = (version for version in self.versions if version.version != self.number)
        return self.moved.version.stage == PRODUCTION != self.stage and all(
            version.stage != PRODUCTION for version in others
        )

    def rows(
        self, files: Mapping[int, FilesMark], facts: Mapping[int, FileFacts], clock: Clock
    ) -> tuple[ReviewRow, ...]:
        """Return the lines, metrics first. Params and tags are left out if there is nothing to compare with.

        `files` and `facts` are by version number; versions that have not been looked at are missing.
        """
        pairs = compare_runs(self.present.record if self.present else None, self.moved.record)
        differences = difference_format(pairs)
        metrics = [
            _metric_row(pair, self.better.get(pair.column.key), differences) for pair in pairs if _is_metric(pair)
        ]
        texts = [_text_row(pair) for pair in pairs if self.present and not _is_metric(pair)]
        return (*metrics, *self._weighed(facts), *self._facts(files, clock), *texts)

    def _weighed(self, facts: Mapping[int, FileFacts]) -> Iterator[ReviewRow]:
        """Yield what is weighed besides the metrics: running time, size and signature."""
        sides = (self.present, self.moved)
        durations = [side.record.run.duration if side and side.record else None for side in sides]
        texts = [MISSING if duration is None else duration_text(duration) for duration in durations]
        yield self._compared("duration", texts, durations, duration_text, ("longer", "shorter"))
        read = [facts.get(side.number) if side else None for side in sides]
        texts = [found.size_text if found else READING for found in read]
        sizes = [found.size if found else None for found in read]
        yield self._compared("size", texts, sizes, size_text, ("larger", "smaller"))
        now, then = (found.signature_text if found else READING for found in read)
        changes = self.signature_changes(facts)
        verdict = "" if changes is None else "differs" if changes else "same"
        yield ReviewRow("signature", now if self.present else "", then, "", verdict, "warn" if changes else "dim")

    def _compared(
        self,
        name: str,
        texts: Sequence[str],
        values: Sequence[int | None],
        text: Callable[[int], str],
        verdicts: tuple[str, str],
    ) -> ReviewRow:
        """Return the line of two numbers. `verdicts` are words for a larger and for a smaller one."""
        now, then = values
        verdict = ""
        if now is not None and then is not None:
            verdict = "same" if now == then else verdicts[then < now]
        difference = number_difference(now, then, text)
        return ReviewRow(name, texts[0] if self.present else "", texts[1], difference, verdict, "dim")

    def signature_changes(self, facts: Mapping[int, FileFacts]) -> tuple[str, ...] | None:
        """Return how the signature differs from that of the present version; None if that is not known."""
        now, then = facts.get(self.present.number) if self.present else None, facts.get(self.number)
        if now is None or then is None:
            return None
        from mldeck.artifacts.file_facts import signature_changes

        return signature_changes(now, then)

    def _facts(self, files: Mapping[int, FilesMark], clock: Clock) -> Iterator[ReviewRow]:
        yield self._fact("source", lambda side: side.source)
        yield self._fact("user", lambda side: side.author)
        yield self._fact("registered", lambda side: _ago(side.version.creation_time, clock), differs=False)
        yield self._fact("in stage since", lambda side: side.since(clock), differs=False)
        yield self._fact("files", lambda side: files.get(side.number, UNKNOWN_FILES).mark, differs=False)

    def _fact(self, name: str, text_of: Callable[[Side], str], *, differs: bool = True) -> ReviewRow:
        now, then = text_of(self.present) if self.present else "", text_of(self.moved)
        is_other = differs and self.present is not None and now != then
        return ReviewRow(name, now, then, verdict="differs" if is_other else "", style="dim")


def _is_metric(pair: ComparedValue) -> bool:
    return pair.column.kind is Kind.METRIC


def _text_row(pair: ComparedValue) -> ReviewRow:
    now, then = pair.texts
    name = f"tag {pair.column.key}" if pair.column.kind is Kind.TAG else pair.column.key
    return ReviewRow(name, now, then, verdict="differs", style="dim")


def _metric_row(pair: ComparedValue, better: Better | None, differences: NumberFormat) -> ReviewRow:
    key, difference = pair.column.key, pair.difference
    now, then = pair.texts
    exact = exact_float_text(pair.then) if isinstance(pair.then, float) else ""
    if difference is None or math.isnan(difference):
        return ReviewRow(key, now, then, metric=key, exact=exact)
    verdict, style = _verdict(difference, better)
    sign = "" if not difference else "+" if difference > 0 else "−"
    text = f"{sign}{differences.text(abs(difference))}"
    return ReviewRow(key, now, then, text, verdict, style, key, exact=exact)


def _verdict(difference: float, better: Better | None) -> tuple[str, str]:
    if difference == 0:
        return "same", "dim"
    if better is None:
        return DIRECTION_ASKED, "dim"
    if better is Better.NEITHER:
        return "", ""
    return ("better", "good") if (difference > 0) is (better is Better.HIGHER) else ("worse", "bad")


def _ago(timestamp: int | None, clock: Clock) -> str:
    if timestamp is None:
        return MISSING
    age = clock.age_or_date(timestamp)
    return age if "-" in age else f"{age} ago"


class StageChange:
    """One stage change, from the first read to the commit. Its methods read and write: call them in a thread."""

    def __init__(self, session: Session, model: str, version: int, stage: str) -> None:
        self._session = session
        self.model = model
        self.version = version
        self.stage = stage

    def read(self, interrupt: Interrupt) -> Review:
        """Read what the review compares. Raises `MldeckError` if the version no longer exists."""
        registry = self._session.registry
        versions = registry.versions(self.model, interrupt)
        moved = next((version for version in versions if version.version == self.version), None)
        if moved is None:
            raise MldeckError(f"version {self.version} of {self.model} no longer exists")
        in_stage = [version for version in versions if version.stage == self.stage and version is not moved]
        present, *others = in_stage if self.stage in ACTIVE_STAGES and in_stage else [None]
        sides = [version for version in (moved, present) if version is not None]
        records = self._records(sides, interrupt)
        history = registry.history(self.model, interrupt)

        def side(version: ModelVersion) -> Side:
            return Side(version, records.get(version.run_id or ""), arrival(history, version.version))

        return Review(
            versions,
            side(moved),
            side(present) if present else None,
            tuple(other.version for other in others if other),
            self.stage,
            self._better(records.values(), interrupt),
        )

    def _records(self, versions: Sequence[ModelVersion], interrupt: Interrupt) -> Mapping[str, RunRecord]:
        ids = [version.run_id for version in versions if version.run_id]
        return self._session.store.run_records(ids, ALL_FIELDS, interrupt)

    def _better(self, records: Iterable[RunRecord], interrupt: Interrupt) -> Mapping[str, Better]:
        """Return the better directions: the user's choice for these experiments, else MLflow's."""
        better: dict[str, Better] = {}
        for experiment_id in dict.fromkeys(record.run.experiment_id for record in records):
            primary = self._session.store.primary_metric(experiment_id, interrupt)
            if primary is not None:
                better.setdefault(primary[0], Better.HIGHER if primary[1] else Better.LOWER)
            better |= remembered(self._session.saved.experiments.get(experiment_id, {}))
        return better

    def read_files(self, review: Review, interrupt: Interrupt) -> Mapping[int, FilesMark]:
        """Return the state of the files, by version number. May wait for a slow disk."""
        found = {}
        for side in filter(None, (review.moved, review.present)):
            interrupt.check()
            found[side.number] = self._files(side)
        return found

    def read_facts(self, review: Review, interrupt: Interrupt) -> Mapping[int, FileFacts]:
        """Return the size and signature of the files, by version number. Counting may take long."""
        sides = filter(None, (review.moved, review.present))
        return {side.number: read_facts(self._session, side.version, interrupt) for side in sides}

    def _files(self, side: Side) -> FilesMark:
        from mldeck.artifacts.location import locate
        from mldeck.artifacts.model_files import holds_mlmodel
        from mldeck.store.uri_lookup import UriLookup

        session, version = self._session, side.version
        try:
            located = locate(version.location, session.places(), None, UriLookup(session.store, session.registry))
            if located.url is not None and located.unconfirmed is not None:
                return FilesMark("not checked", f"in an object store: {located.where}")
            if not located.found:
                return FilesMark("missing", located.problem or "")
            return (
                FilesMark("✓")
                if holds_mlmodel(located)
                else FilesMark("no MLmodel", f"no MLmodel file in {located.where}")
            )
        except MldeckError as error:
            return FilesMark("unreadable", str(error))

    def get_ready(self) -> None:
        """Load the modules that write, while the user reads the review."""
        _ = self._session.registry_editor

    def write(self, plan: TransitionPlan, reason: str, interrupt: Interrupt) -> Transition:
        """Make the change. Raises `StaleReview` if the versions are no longer as reviewed."""
        return self._session.registry_editor.transition(plan, reason, interrupt)

    def remember(self, review: Review, metric: str, better: Better) -> None:
        """Save a metric's better direction for the experiment of the runs, as the run table does."""
        records = [side.record for side in (review.moved, review.present) if side and side.record]
        if records:
            self._session.remember_direction([records[0].run.experiment_id], metric, better)
