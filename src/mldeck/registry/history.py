"""The history of the stages of a model: what mldeck recorded of each transition, and what can be told of the others.

MLflow keeps no history. mldeck leaves a tag on the version that it moved, `mldeck.transition.<time in ms>`, whose value is
JSON that people and programs can read: `from`, `to`, `who`, `host`, `when`, and where there is something to say `reason`,
`archived` (versions), `put_back` (versions, from Archived to what `from` says) and `undo_of` (the key of another such tag).
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
"""What every MLflow takes for the value of a tag of a version."""
MAX_REASON_LENGTH = 500

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
    """Versions that made room: from `after` to Archived."""
    put_back: tuple[int, ...] = ()
    """Versions that an undone transition had archived: from Archived to `before`."""
    undo_of: str | None = None
    key: str | None = None
    """Of the tag that records it; None when nothing was recorded."""
    left_out: int = 0
    """How many more versions it archived than its record has room for."""

    @property
    def number(self) -> int:
        """By which the transitions of a model are in order."""
        found = _KEY.fullmatch(self.key or "")
        return int(found.group(1)) if found else self.when

    @property
    def versions(self) -> tuple[int, ...]:
        """All that it moved."""
        return (self.version, *self.archived, *self.put_back)

    def stage_after(self, version: int) -> str:
        """Where it left this one of its versions."""
        if version == self.version:
            return self.after
        return ARCHIVED if version in self.archived else self.before

    def stage_before(self, version: int) -> str:
        """Where it found this one of its versions."""
        if version == self.version:
            return self.before
        return self.after if version in self.archived else ARCHIVED


class EventKind(str, Enum):
    REGISTERED = "registered"
    MOVED = "moved"
    """By mldeck, with the others that made room for it or were put back."""
    UNRECORDED = "not recorded"
    """By something else, or by an mldeck that was to leave no record: the stage is not the one that it was left in."""
    DELETED = "deleted"


@dataclass(frozen=True)
class Event:
    """Something that happened to one version."""

    kind: EventKind
    version: int
    when: int | None
    """Of an unrecorded change, the latest time it can have happened. None when nothing tells it."""
    before: str | None = None
    after: str | None = None
    since: int | None = None
    """Of an unrecorded change, the earliest time it can have happened."""
    transition: Transition | None = None


@dataclass(frozen=True)
class Spell:
    """A time that a version spent in a stage."""

    version: int
    began: Event
    ended: Event | None = None
    """None while it lasts."""


def transition_key(when: int, recorded: Iterable[Transition]) -> str:
    """For a transition at this time, after those that are recorded of the model: keys are in the order of what happened,
    also within a millisecond, and when the clocks of two machines disagree."""
    number = max([when, *(each.number + 1 for each in recorded)])
    return f"{TRANSITION_PREFIX}{number}"


def transition_record(transition: Transition) -> str:
    """The value of the tag."""
    record: dict[str, Any] = {
        "from": transition.before,
        "to": transition.after,
        "who": transition.who,
        "host": transition.host,
        "when": datetime.fromtimestamp(transition.when / 1000, timezone.utc).isoformat(timespec="milliseconds"),
        "reason": transition.reason,
        "archived": transition.archived,
        "put_back": transition.put_back,
        "undo_of": transition.undo_of,
    }
    text = _compact(record)
    if len(text) > MAX_RECORD_LENGTH:  # of hundreds of versions
        left_out = len(transition.archived) + len(transition.put_back)
        text = _compact(record | {"archived": (), "put_back": (), "left_out": left_out})
    return text


def _compact(record: Mapping[str, Any]) -> str:
    always = ("from", "to", "who", "host", "when")
    kept = {key: value for key, value in record.items() if value or key in always}
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def recorded_transitions(versions: Iterable[ModelVersion]) -> tuple[Transition, ...]:
    """What the tags of these versions say, oldest first. A tag that is no such record is left out."""
    found = [each for version in versions for each in _recorded(version)]
    return tuple(sorted(found, key=lambda each: (each.number, each.version)))


def _recorded(version: ModelVersion) -> Iterator[Transition]:
    for key, value in version.tags.items():
        named = _KEY.fullmatch(key)
        transition = _read(version.version, key, int(named.group(1)), value) if named else None
        if transition is not None:
            yield transition


def _read(version: int, key: str, number: int, value: str) -> Transition | None:
    """Anybody can write a tag: what is missing is made up for, what makes no sense is not shown."""
    try:
        record = load_json(value)
    except ValueError:
        return None
    if not isinstance(record, dict) or not all(record.get(each) in STAGES for each in ("from", "to")):
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
    return tuple(each for each in value if type(each) is int) if isinstance(value, list) else ()


def history_of_model(versions: Sequence[ModelVersion], model_changed: int | None = None) -> tuple[Event, ...]:
    """What happened to the versions of one model, oldest first. `versions` are all of them, the deleted ones included.

    A version is born in stage None. Where the stage that is next known of it is another one than it was left in, it was
    changed in between without a record; when exactly is not kept, and whether it took detours is not either.
    `model_changed` is the model's own time of its last change: every change of a stage sets it, and that of a version's
    description, which sets the time of the version, does not.
    """
    by_version: dict[int, list[Transition]] = {}
    for transition in recorded_transitions(versions):
        for number in dict.fromkeys(transition.versions):
            by_version.setdefault(number, []).append(transition)
    numbered = [
        each
        for version in versions
        for each in _numbered(_events(version, by_version.get(version.version, ()), model_changed))
    ]
    return tuple(event for _, event in sorted(numbered, key=_order))


def _events(version: ModelVersion, transitions: Sequence[Transition], model_changed: int | None) -> Iterator[Event]:
    """`transitions` are those that moved the version."""
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
        latest = min((each for each in (version.last_updated_time, model_changed) if each is not None), default=None)
        if latest is not None and since is not None and latest < since:
            latest = None  # by the clock of another machine
        yield Event(EventKind.UNRECORDED, version.version, latest, stage, version.stage, since)


def _numbered(events: Iterable[Event]) -> Iterator[tuple[int, Event]]:
    """Number what happened to one version so that it stays in that order, also where the clocks of machines disagree."""
    last = -1
    for event in events:
        number = event.transition.number if event.transition else event.when or 0
        last = max(number, last + 1)
        yield last, event


_RANKS = {EventKind.REGISTERED: 0, EventKind.UNRECORDED: 1, EventKind.MOVED: 2, EventKind.DELETED: 3}


def _order(numbered: tuple[int, Event]) -> tuple[int, int, int]:
    """Of a transition, what made room comes before what came in."""
    number, event = numbered
    return number, _RANKS[event.kind], 0 if event.after in (ARCHIVED, None) else 1


def spells_in(history: Sequence[Event], stage: str) -> tuple[Spell, ...]:
    """Which versions were in the stage when, by when they came in."""
    spells: list[Spell] = []
    places: dict[int, int] = {}  # of the spell that has not ended, by version
    for event in history:
        place = places.get(event.version)
        if place is None and event.after == stage:
            places[event.version] = len(spells)
            spells.append(Spell(event.version, event))
        elif place is not None and event.after != stage:
            spells[place] = replace(spells[place], ended=event)
            del places[event.version]
    return tuple(spells)


def arrival(history: Sequence[Event], version: int) -> Event | None:
    """How the version came to where it is: the last change of its stage, or that it was registered."""
    found: Event | None = None
    for event in history:
        if event.version == version and (found is None or event.after != found.after):
            found = event
    return found


def previous_in(history: Sequence[Event], stage: str) -> int | None:
    """The version that was in the stage before those that are there now; None when none is known.

    A transition that was undone does not count, and a version that was deleted cannot come back.
    """
    undone = {event.transition.undo_of for event in history if event.transition}
    gone = {event.version for event in history if event.kind is EventKind.DELETED}
    spells = spells_in(history, stage)
    places = {id(event): place for place, event in enumerate(history)}
    gone |= {spell.version for spell in spells if spell.ended is None}
    ended = [
        (places[id(spell.ended)], places[id(spell.began)], spell.version)
        for spell in spells
        if spell.ended is not None
        and spell.version not in gone
        and not (spell.began.transition and spell.began.transition.key in undone)
    ]
    return max(ended)[-1] if ended else None
