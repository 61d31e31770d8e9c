"""The history of the stages: what is recorded and read back, and what can be told of changes by others."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.registry.history import (
    MAX_RECORD_LENGTH,
    Event,
    EventKind,
    Transition,
    arrival,
    history_of_model,
    periods_in_stage,
    previous_in,
    recorded_transitions,
    transition_key,
    transition_record,
)
from mldeck.registry.nouns import DELETED_STAGE, STAGES, ModelVersion
from mldeck.registry.stay import time_in_stage
from tests.registry_rooms import a_version

WHEN = 1_900_000_000_123
FIRST = Transition(1, "None", "Production", WHEN, "ada", "lab", key=f"mldeck.transition.{WHEN}")
SECOND = Transition(
    2, "Staging", "Production", WHEN + 1000, "bob", "lab", "better", (1,), key=f"mldeck.transition.{WHEN + 1000}"
)
UNDO = Transition(
    2,
    "Production",
    "Staging",
    WHEN + 2000,
    "ada",
    "lab",
    put_back=(1,),
    undo_of=SECOND.key,
    key=f"mldeck.transition.{WHEN + 2000}",
)


def tagged(version: ModelVersion, *transitions: Transition) -> ModelVersion:
    return replace(version, tags={each.key or "": transition_record(each) for each in transitions})


def test_a_record_is_json_that_people_can_read() -> None:
    assert transition_record(SECOND) == (
        '{"from":"Staging","to":"Production","who":"bob","host":"lab","when":"2030-03-17T17:46:41.123+00:00",'
        '"reason":"better","archived":[1]}'
    )
    assert json.loads(transition_record(UNDO))["undo_of"] == SECOND.key
    assert json.loads(transition_record(UNDO))["put_back"] == [1]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
numbers = st.lists(st.integers(1, 10**6), max_size=20).map(tuple)


@given(st.sampled_from(STAGES), st.sampled_from(STAGES), texts, texts, st.integers(0, 2**42), numbers, numbers)
def test_what_is_recorded_is_read_back(
    before: str, after: str, who: str, reason: str, when: int, archived: tuple[int, ...], put_back: tuple[int, ...]
) -> None:
    done = Transition(1, before, after, when, who, "h", reason, archived, put_back, key=f"mldeck.transition.{when}")
    assert recorded_transitions([tagged(a_version(1), done)]) == (done,)


def test_a_record_never_grows_beyond_what_a_tag_holds() -> None:
    done = replace(SECOND, archived=tuple(range(10_000, 11_000)), reason="r" * 500)
    record = transition_record(done)
    assert len(record) <= MAX_RECORD_LENGTH
    (read,) = recorded_transitions([tagged(a_version(2), done)])
    assert (read.archived, read.left_out, read.reason) == ((), 1000, "r" * 500)


@pytest.mark.parametrize(
    "value",
    ["", "{", "[]", "null", "5", '{"from":"None"}', '{"from":1,"to":2}', '{"from":"None","to":"Live"}', "[" * 9999,
     '{"from":["None"],"to":"Staging"}'],
)  # fmt: skip
def test_what_is_no_record_is_left_out(value: str) -> None:
    assert recorded_transitions([a_version(1, tags={"mldeck.transition.1": value})]) == ()


def test_what_is_wrong_in_a_record_does_no_harm() -> None:
    value = json.dumps(
        {"from": "None", "to": "Staging", "when": "noon", "who": 7, "archived": [1, "2", True, None], "left_out": "x"}
    )
    (read,) = recorded_transitions([a_version(3, tags={"mldeck.transition.77": value, "mldeck.transition.x": value})])
    assert read == Transition(3, "None", "Staging", 77, archived=(1,), key="mldeck.transition.77")


def test_a_record_that_names_a_version_twice_is_one_event() -> None:
    odd = replace(SECOND, archived=(1, 1, 2), put_back=(1,))
    versions = (a_version(1, "Archived"), tagged(a_version(2, "Production"), odd))
    moved = [(event.version, event.after) for event in history_of_model(versions) if event.kind is EventKind.MOVED]
    assert moved == [(1, "Archived"), (2, "Production")]


def test_a_key_beyond_all_times_does_no_harm() -> None:
    value = transition_record(FIRST)
    far = a_version(
        1, "Production", tags={f"mldeck.transition.{'9' * 200}": value, f"mldeck.transition.{'9' * 201}": value}
    )
    (read,) = recorded_transitions([far])
    assert read.when == FIRST.when
    assert len(transition_key(WHEN, [read])) < 250


def test_keys_are_in_the_order_of_what_happened() -> None:
    assert transition_key(WHEN, ()) == f"mldeck.transition.{WHEN}"
    assert transition_key(WHEN, [FIRST]) == f"mldeck.transition.{WHEN + 1}"
    behind = WHEN - 60_000  # the clock of another machine
    assert transition_key(behind, [FIRST, UNDO]) == f"mldeck.transition.{WHEN + 2001}"


def test_two_in_one_millisecond() -> None:
    quick = replace(FIRST, before="Production", after="Staging", key=transition_key(WHEN, [FIRST]))
    read = recorded_transitions([tagged(a_version(1), quick, FIRST)])
    assert [each.when for each in read] == [WHEN, WHEN]
    assert [each.after for each in read] == ["Production", "Staging"]


def test_the_time_line_of_a_model() -> None:
    versions = (
        tagged(a_version(2, "Production", created=WHEN - 10, changed=WHEN + 1000), SECOND),
        tagged(a_version(1, "Archived", created=WHEN - 20, changed=WHEN + 1000), FIRST),
    )
    assert [(each.kind, each.version, each.before, each.after) for each in history_of_model(versions)] == [
        (EventKind.REGISTERED, 1, None, "None"),
        (EventKind.REGISTERED, 2, None, "None"),
        (EventKind.MOVED, 1, "None", "Production"),
        (EventKind.UNRECORDED, 2, "None", "Staging"),
        (EventKind.MOVED, 1, "Production", "Archived"),
        (EventKind.MOVED, 2, "Staging", "Production"),
    ]
    outside = history_of_model(versions)[3]
    assert (outside.since, outside.when) == (WHEN - 10, WHEN + 1000)


def test_changes_by_others_after_the_last_record() -> None:
    version = tagged(a_version(1, "Staging", created=WHEN - 20, changed=WHEN + 500), FIRST)
    event = history_of_model([version])[-1]
    expected = Event(EventKind.UNRECORDED, 1, WHEN + 500, "Production", "Staging", since=WHEN)
    assert event == expected


def test_a_new_description_is_no_change_of_stage() -> None:
    version = tagged(a_version(1, "Production", created=WHEN - 20, changed=WHEN + 500), FIRST)
    assert [each.kind for each in history_of_model([version])] == [EventKind.REGISTERED, EventKind.MOVED]


def test_a_deleted_version_was_deleted_when_it_last_changed() -> None:
    version = tagged(a_version(1, DELETED_STAGE, created=WHEN - 20, changed=WHEN + 500), FIRST)
    assert history_of_model([version])[-1] == Event(EventKind.DELETED, 1, WHEN + 500, "Production")


def test_without_times_the_stages_are_told_all_the_same() -> None:
    version = ModelVersion("m", 1, "Staging")
    assert [(each.kind, each.when) for each in history_of_model([version])] == [
        (EventKind.REGISTERED, None),
        (EventKind.UNRECORDED, None),
    ]


def test_who_was_in_production_when() -> None:
    history = history_of_model(
        (
            tagged(a_version(2, "Production", created=WHEN - 10, changed=WHEN + 1000), replace(SECOND, before="None")),
            tagged(a_version(1, "Archived", created=WHEN - 20, changed=WHEN + 1000), FIRST),
        )
    )
    spells = periods_in_stage(history, "Production")
    assert [(each.version, each.began.when, each.ended and each.ended.when) for each in spells] == [
        (1, WHEN, WHEN + 1000),
        (2, WHEN + 1000, None),
    ]
    assert previous_in(history, "Production") == 1
    assert previous_in(history, "Staging") is None


def test_what_was_undone_was_not_there_before() -> None:
    history = history_of_model(
        (
            tagged(a_version(2, "Staging", created=WHEN - 10, changed=WHEN + 2000), SECOND, UNDO),
            tagged(a_version(1, "Production", created=WHEN - 20, changed=WHEN + 2000), FIRST),
        )
    )
    assert [each.version for each in periods_in_stage(history, "Production")] == [1, 2, 1]
    assert previous_in(history, "Production") is None


def test_a_deleted_version_is_not_put_back() -> None:
    history = history_of_model(
        (
            tagged(a_version(2, "Production", changed=WHEN + 1000), replace(SECOND, before="None")),
            tagged(a_version(1, DELETED_STAGE, changed=WHEN + 5000), FIRST),
        )
    )
    assert previous_in(history, "Production") is None


moves = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(STAGES), st.booleans()), max_size=12)


@given(moves)
def test_the_history_of_what_mldeck_did_needs_no_guesses(done: list[tuple[int, str, bool]]) -> None:
    """Replayed, it leaves every version where it is."""
    stages = dict.fromkeys(range(1, 5), "None")
    tags: dict[int, dict[str, str]] = {number: {} for number in stages}
    for number, (version, stage, archive) in enumerate(done):
        when = WHEN + number // 3  # some in the same millisecond
        others = [each for each in stages if stages[each] == stage and each != version] if archive else []
        archived = tuple(others) if stage in ("Staging", "Production") else ()
        recorded = recorded_transitions([a_version(each, tags=tags[each]) for each in stages])
        record = transition_record(Transition(version, stages[version], stage, when, archived=archived))
        tags[version][transition_key(when, recorded)] = record
        stages |= {version: stage, **dict.fromkeys(archived, "Archived")}
    versions = [a_version(each, stages[each], created=1, changed=WHEN, tags=tags[each]) for each in stages]
    history = history_of_model(versions)
    assert EventKind.UNRECORDED not in {event.kind for event in history}
    replayed = {event.version: event.after for event in history}
    assert replayed == stages
    for stage in STAGES:
        here = {spell.version for spell in periods_in_stage(history, stage) if spell.ended is None}
        assert here == {each for each in stages if stages[each] == stage}


def test_clocks_that_disagree_do_not_turn_the_order_round() -> None:
    """Another machine, whose clock is six minutes behind, moved it after mldeck did."""
    moved = Transition(1, "Staging", "Archived", WHEN, "ada", "lab", key=f"mldeck.transition.{WHEN}")
    first = Transition(1, "None", "Staging", WHEN - 60_000, "ada", "lab", key=f"mldeck.transition.{WHEN - 60_000}")
    version = tagged(a_version(1, "Staging"), first, moved)
    version = replace(version, creation_time=WHEN - 90_000, last_updated_time=WHEN - 360_000)
    history = history_of_model([version], model_changed=WHEN - 360_000)
    assert [(each.kind, each.after, each.when) for each in history] == [
        (EventKind.REGISTERED, "None", WHEN - 90_000),
        (EventKind.MOVED, "Staging", WHEN - 60_000),
        (EventKind.MOVED, "Archived", WHEN),
        (EventKind.UNRECORDED, "Staging", None),
    ]
    came = arrival(history, 1)
    assert came is history[-1]
    assert time_in_stage(came, lambda when: "5s") is None
