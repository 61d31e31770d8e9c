"""The stage history of a model: transitions that mldeck recorded, and what can be inferred about all others.

MLflow keeps no history. mldeck sets a tag on the version that it moves, `mldeck.transition.<time in ms>`. Its value is JSON
with the keys `from`, `to`, `who`, `host`, `when` and, if they apply, `via` (the machine of the database, when `host` is another
one), `reason`, `archived` (versions), `put_back` (versions that went from Archived to the stage `from`), `undo_of` (the key of
another such tag) and `left_out` (a number of versions).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from mldeck.foreign import load_json
from mldeck.registry.nouns import ARCHIVED, DELETED_STAGE, NO_STAGE, STAGES, ModelVersion

TRANSITION_PREFIX = "mldeck.transition."
MAX_RECORD_LENGTH = 5000
"""Characters that every MLflow accepts in the value of a version tag."""
MAX_REASON_LENGTH = 500
"""Characters of a reason."""

_KEY = re.compile(rf"{re.escape(TRANSITION_PREFIX)}([0-9]{{1,200}})")


@dataclass(frozen=True)
class Transition:
    """A change of stage that mldeck made."""

    version: int
    before: str
    after: str
    when: int
    """Milliseconds since the epoch."""
    who: str = ""
    host: str = ""
    reason: str = ""
    archived: tuple[int, ...] = ()
    """Other versions that it moved from `after` to Archived."""
    put_back: tuple[int, ...] = ()
    """Other versions that it moved from Archived to `before`, because the transition it undid had archived them."""
    undo_of: str | None = None
    """The key of the recorded transition that it undid."""
    key: str | None = None
    """The key of the tag that records it; None if it is not recorded."""
    left_out: int = 0
    """The number of other moved versions that its record has no room for."""
    via: str = ""
    """The machine of the database, if that was another one than `host`, as the user named it."""

    @property
    def number(self) -> int:
        """The number that orders the transitions of a model: the one in the key, else the time."""
        found = _KEY.fullmatch(self.key or "")
        return int(found.group(1)) if found else self.when

    @property
    def versions(self) -> tuple[int, ...]:
        """All versions that it moved."""
        return (self.version, *self.archived, *self.put_back)

    def stage_after(self, version: int) -> str:
        """Return the stage that the transition moved `version`, one of its versions, to."""
        if version == self.version:
            return self.after
        return ARCHIVED if version in self.archived else self.before

    def stage_before(self, version: int) -> str:
        """Return the stage that the transition moved `version`, one of its versions, from."""
        if version == self.version:
            return self.before
        return self.after if version in self.archived else ARCHIVED


class EventKind(str, Enum):
    REGISTERED = "registered"
    MOVED = "moved"
    """Moved by mldeck in a recorded transition."""
    UNRECORDED = "not recorded"
    """Moved by another program, or by mldeck without a record. Inferred because the stage differs from the last one known."""
    DELETED = "deleted"


@dataclass(frozen=True)
class Event:
    """A registration, change of stage or deletion of one version."""

    kind: EventKind
    version: int
    when: int | None
    """Milliseconds since the epoch; of an unrecorded change, the latest possible time. None if unknown."""
    before: str | None = None
    after: str | None = None
    since: int | None = None
    """The earliest possible time of an unrecorded change, in milliseconds since the epoch."""
    transition: Transition | None = None
    """The recorded transition that it was part of."""


@dataclass(frozen=True)
class StagePeriod:
    """A period that a version spent in a stage."""

    version: int
    began: Event
    ended: Event | None = None
    """None while it lasts."""


def transition_key(when: int, recorded: Iterable[Transition]) -> str:
    """Return the tag key for a transition at time `when`, in ms, that follows the recorded ones of the model.

    The numbers in the keys have the order of the transitions, even within a millisecond and if the clocks of two machines
    disagree.
    """
    number = max([when, *(transition.number + 1 for transition in recorded)])
    return f"{TRANSITION_PREFIX}{number}"


def transition_record(transition: Transition) -> str:
    """Return the JSON for the value of the tag. Lists of versions that are too long are replaced by their number."""
    record: dict[str, Any] = {
        "from": transition.before,
        "to": transition.after,
        "who": transition.who,
        "host": transition.host,
        "via": transition.via,
        "when": datetime.fromtimestamp(transition.when / 1000, timezone.utc).isoformat(timespec="milliseconds"),
        "reason": transition.reason,
        "archived": transition.archived,
        "put_back": transition.put_back,
        "undo_of": transition.undo_of,
    }
    text = _compact(record)
    if len(text) > MAX_RECORD_LENGTH:  # hundreds of versions
        left_out = len(transition.archived) + len(transition.put_back)
        text = _compact(record | {"archived": (), "put_back": (), "left_out": left_out})
    return text


def _compact(record: Mapping[str, Any]) -> str:
    always = ("from", "to", "who", "host", "when")
    kept = {key: value for key, value in record.items() if value or key in always}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def recorded_transitions(versions: Iterable[ModelVersion]) -> tuple[Transition, ...]:
    """Return the transitions that tags of these versions record, oldest first. Invalid records are skipped."""
    found = [transition for version in versions for transition in _recorded(version)]
    return tuple(sorted(found, key=lambda transition: (transition.number, transition.version)))


def _recorded(version: ModelVersion) -> Iterator[Transition]:
    for key, value in version.tags.items():
        found = _KEY.fullmatch(key)
        transition = _read(version.version, key, int(found.group(1)), value) if found else None
        if transition is not None:
            yield transition


def _read(version: int, key: str, number: int, value: str) -> Transition | None:
    """Parse a record; any program can write such a tag. Missing values get defaults; None for a record without stages."""
    try:
        record = load_json(value)
    except ValueError:
        return None
    if not isinstance(record, dict) or record.get("from") not in STAGES or record.get("to") not in STAGES:
        return None
    undo_of, left_out = record.get("undo_of"), record.get("left_out")
    return Transition(
        version=version,
        before=record["from"],
        after=record["to"],
        when=_time(record.get("when"), number),
        who=_text(record.get("who")),
        host=_text(record.get("host")),
        reason=_text(record.get("reason")),
        archived=_numbers(record.get("archived")),
        put_back=_numbers(record.get("put_back")),
        undo_of=undo_of if isinstance(undo_of, str) else None,
        key=key,
        left_out=left_out if type(left_out) is int else 0,
        via=_text(record.get("via")),
    )


def _time(value: object, number: int) -> int:
    try:
        moment = datetime.fromisoformat(_text(value))
        return round(moment.timestamp() * 1000) if moment.tzinfo else number
    except (ValueError, OverflowError):
        return number


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(number for number in value if type(number) is int) if isinstance(value, list) else ()


def history_of_model(versions: Sequence[ModelVersion], model_changed: int | None = None) -> tuple[Event, ...]:
    """Return the events of one model, oldest first. `versions` are all of its versions, including deleted ones.

    A version starts in stage None. If the next known stage differs from the one that it was last moved to, it was moved in
    between without a record. Neither the exact time nor intermediate stages are known then. `model_changed` is
    `last_updated_time` of the model, an upper bound for that time: every change of a stage sets it, whereas a change of a
    version's description sets only the time of the version.
    """
    by_version: dict[int, list[Transition]] = {}
    for transition in recorded_transitions(versions):
        for number in dict.fromkeys(transition.versions):
            by_version.setdefault(number, []).append(transition)
    numbered = [
        pair
        for version in versions
        for pair in _numbered(_events(version, by_version.get(version.version, ()), model_changed))
    ]
    return tuple(event for _, event in sorted(numbered, key=_order))


def _events(version: ModelVersion, transitions: Sequence[Transition], model_changed: int | None) -> Iterator[Event]:
    """Yield the events of one version, oldest first. `transitions` are those that moved it."""
    yield Event(EventKind.REGISTERED, version.version, version.creation_time, None, NO_STAGE)
    stage, since = NO_STAGE, version.creation_time
    for transition in transitions:
        found, left = transition.stage_before(version.version), transition.stage_after(version.version)
        if found != stage:
            yield Event(EventKind.UNRECORDED, version.version, transition.when, stage, found, since)
        yield Event(EventKind.MOVED, version.version, transition.when, found, left, transition=transition)
        stage, since = left, transition.when
    if version.stage == DELETED_STAGE:
        yield Event(EventKind.DELETED, version.version, version.last_updated_time, stage)
    elif version.stage != stage:
        latest = min((time for time in (version.last_updated_time, model_changed) if time is not None), default=None)
        if latest is not None and since is not None and latest < since:
            latest = None  # the clocks of two machines disagree
        yield Event(EventKind.UNRECORDED, version.version, latest, stage, version.stage, since)


def _numbered(events: Iterable[Event]) -> Iterator[tuple[int, Event]]:
    """Yield (number, event) for the events of one version. Numbers increase even if the clocks of machines disagree."""
    last = -1
    for event in events:
        number = event.transition.number if event.transition else event.when or 0
        last = max(number, last + 1)
        yield last, event


_RANKS = {EventKind.REGISTERED: 0, EventKind.UNRECORDED: 1, EventKind.MOVED: 2, EventKind.DELETED: 3}


def _order(numbered: tuple[int, Event]) -> tuple[int, int, int]:
    """Return the sort key. Within a transition, the versions that it archived come before the version that it moved in."""
    number, event = numbered
    return number, _RANKS[event.kind], 0 if event.after in (ARCHIVED, None) else 1


def periods_in_stage(history: Sequence[Event], stage: str) -> tuple[StagePeriod, ...]:
    """Return the periods that versions spent in the stage, in the order in which they began."""
    periods: list[StagePeriod] = []
    open_periods: dict[int, int] = {}  # indexes into `periods`, by version
    for event in history:
        index = open_periods.get(event.version)
        if index is None and event.after == stage:
            open_periods[event.version] = len(periods)
            periods.append(StagePeriod(event.version, event))
        elif index is not None and event.after != stage:
            periods[index] = replace(periods[index], ended=event)
            del open_periods[event.version]
    return tuple(periods)


def arrival(history: Sequence[Event], version: int) -> Event | None:
    """Return the event that brought the version into its present stage: its last change of stage, or its registration."""
    found: Event | None = None
    for event in history:
        if event.version == version and (found is None or event.after != found.after):
            found = event
    return found


def previous_in(history: Sequence[Event], stage: str) -> int | None:
    """Return the version that was in the stage before those that are there now; None if none is known.

    Deleted versions, and periods that began with a transition that was undone, are ignored.
    """
    undone = {event.transition.undo_of for event in history if event.transition}
    ignored = {event.version for event in history if event.kind is EventKind.DELETED}
    periods = periods_in_stage(history, stage)
    ignored |= {period.version for period in periods if period.ended is None}
    index_of = {id(event): index for index, event in enumerate(history)}
    ended = [
        (index_of[id(period.ended)], index_of[id(period.began)], period.version)
        for period in periods
        if period.ended is not None
        and period.version not in ignored
        and not (period.began.transition and period.began.transition.key in undone)
    ]
    return max(ended)[-1] if ended else None
