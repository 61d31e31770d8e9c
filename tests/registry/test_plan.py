"""The plan of a change of stage: what it moves, what it refuses, and when the world is no longer the one it was made for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.errors import MldeckError
from mldeck.registry.history import Transition
from mldeck.registry.nouns import ACTIVE_STAGES, ARCHIVED, DELETED_STAGE, STAGES, ModelVersion
from mldeck.registry.plan import (
    StageMove,
    StaleReview,
    TransitionPlan,
    archives_by_default,
    canonical_stage,
    check_as_planned,
    plan_transition,
    plan_undo,
)
from tests.registry_rooms import a_version

VERSIONS = (
    a_version(6, "None"),
    a_version(5, DELETED_STAGE),
    a_version(4, "Production", changed=40),
    a_version(3, "Staging", changed=30),
    a_version(2, "Production", changed=20),
    a_version(1, "Archived"),
)


def test_those_in_the_stage_make_room() -> None:
    plan = plan_transition(VERSIONS, 3, "production", True)
    assert plan.moves == (
        StageMove(3, "Staging", "Production"),
        StageMove(2, "Production", "Archived"),
        StageMove(4, "Production", "Archived"),
    )
    assert (plan.version, plan.before, plan.after, plan.archived) == (3, "Staging", "Production", (2, 4))
    assert plan.last_updated_time == 30
    assert plan.occupants == {"Production": {2, 4}}
    assert (plan.put_back, plan.staying, plan.undo_of) == ((), (), None)


def test_without_archiving_they_stay() -> None:
    plan = plan_transition(VERSIONS, 3, "Production", False)
    assert (plan.archived, plan.staying) == ((), (2, 4))


def test_moving_to_where_it_is_makes_room_for_it() -> None:
    plan = plan_transition(VERSIONS, 2, "Production", True)
    assert (plan.before, plan.after, plan.archived) == ("Production", "Production", (4,))


@pytest.mark.parametrize(
    ("version", "stage", "archive", "message"),
    [
        (3, "Live", False, "no stage Live: the stages are None, Staging, Production, Archived"),
        (3, "Deleted_Internal", False, "no stage"),
        (3, "", False, "no stage"),
        (3, "Archived", True, "moving to Archived archives nothing"),
        (3, "none", True, "moving to None archives nothing"),
        (5, "Staging", False, r"no version 5 of m \(any more\)"),
        (7, "Staging", False, "no version 7 of m"),
    ],
)
def test_what_mlflow_refuses(version: int, stage: str, archive: bool, message: str) -> None:
    with pytest.raises(MldeckError, match=message):
        plan_transition(VERSIONS, version, stage, archive)


def test_a_model_without_versions() -> None:
    with pytest.raises(MldeckError, match="no version 1"):
        plan_transition((), 1, "Staging", False)


def test_stages_are_read_in_any_case() -> None:
    assert [canonical_stage(each.upper()) for each in STAGES] == list(STAGES)
    assert [archives_by_default(each) for each in STAGES] == [False, False, True, False]


def test_nothing_is_stale_in_the_world_it_was_made_for() -> None:
    check_as_planned(plan_transition(VERSIONS, 3, "Production", True), VERSIONS)


def changed(number: int, **fields: object) -> tuple[ModelVersion, ...]:
    return tuple(replace(each, **fields) if each.version == number else each for each in VERSIONS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (changed(3, stage="None"), "version 3 of m is in None now, not in Staging"),
        (changed(3, stage=DELETED_STAGE), "version 3 of m was deleted meanwhile"),
        (VERSIONS[:3] + VERSIONS[4:], "version 3 of m was deleted meanwhile"),
        (changed(3, last_updated_time=31), "version 3 of m was changed meanwhile"),
        (changed(4, stage="None"), "version 4 of m is in None now"),
        (changed(6, stage="Production"), "there is version 2, version 4, version 6 now, not version 2, version 4"),
    ],
)
def test_a_stale_review(now: tuple[ModelVersion, ...], message: str) -> None:
    with pytest.raises(StaleReview, match=message) as caught:
        check_as_planned(plan_transition(VERSIONS, 3, "Production", True), now)
    assert caught.value.versions == now


def test_what_happens_in_stages_that_nobody_looks_at_does_not_matter() -> None:
    """Training jobs register versions all the time."""
    plan = plan_transition(VERSIONS, 4, "None", False)
    check_as_planned(plan, (a_version(7, "None"), *changed(3, stage="Archived")))


def test_versions_that_stay_are_watched_too() -> None:
    plan = plan_transition(VERSIONS, 3, "Production", False)
    with pytest.raises(StaleReview, match="there is version 2 now"):
        check_as_planned(plan, changed(4, stage="None"))


DONE = Transition(3, "Staging", "Production", 100, archived=(2, 4), key="mldeck.transition.100")
AFTER = (
    a_version(6, "None"),
    a_version(4, ARCHIVED, changed=100),
    a_version(3, "Production", changed=100),
    a_version(2, ARCHIVED, changed=100),
    a_version(1, ARCHIVED),
)


def test_undo_is_the_inverse() -> None:
    plan = plan_undo(AFTER, DONE)
    assert plan.moves == (
        StageMove(3, "Production", "Staging"),
        StageMove(2, "Archived", "Production"),
        StageMove(4, "Archived", "Production"),
    )
    assert (plan.put_back, plan.archived, plan.undo_of) == ((2, 4), (), "mldeck.transition.100")
    assert plan.occupants == {"Production": {3}, "Staging": frozenset()}


def test_undoing_what_was_undone_archives_again() -> None:
    undone = Transition(3, "Production", "Staging", 200, put_back=(2, 4), undo_of="x", key="mldeck.transition.200")
    assert plan_undo(VERSIONS, undone).moves == (
        StageMove(3, "Staging", "Production"),
        StageMove(2, "Production", "Archived"),
        StageMove(4, "Production", "Archived"),
    )


@pytest.mark.parametrize("version", [2, 3, 4])
@pytest.mark.parametrize("stage", ["None", DELETED_STAGE])
def test_undo_is_refused_when_one_was_moved_since(version: int, stage: str) -> None:
    now = tuple(replace(each, stage=stage) if each.version == version else each for each in AFTER)
    with pytest.raises(MldeckError, match=r"changed since|any more"):
        plan_undo(now, DONE)


def test_undo_is_refused_when_one_was_moved_and_moved_back_since() -> None:
    tag = '{"from":"Staging","to":"Archived"}'
    now = tuple(replace(each, tags={"mldeck.transition.150": tag}) if each.version == 4 else each for each in AFTER)
    with pytest.raises(MldeckError, match="version 4 of m was moved to Archived since"):
        plan_undo(now, DONE)


def test_a_record_that_names_not_all_cannot_be_undone() -> None:
    with pytest.raises(MldeckError, match="omits 900"):
        plan_undo(AFTER, replace(DONE, archived=(), left_out=900))


stages = st.lists(st.sampled_from([*STAGES, DELETED_STAGE]), min_size=1, max_size=8)


@given(stages, st.integers(0, 7), st.sampled_from(STAGES), st.booleans())
def test_undo_leaves_every_version_where_it_was(found: list[str], index: int, stage: str, archive: bool) -> None:
    versions = tuple(a_version(number, each, changed=number) for number, each in enumerate(found, 1))
    number = index % len(found) + 1
    if found[number - 1] == DELETED_STAGE or (archive and stage not in ACTIVE_STAGES):
        with pytest.raises(MldeckError):
            plan_transition(versions, number, stage, archive)
        return
    plan = plan_transition(versions, number, stage, archive)
    check_as_planned(plan, versions)
    after = carried_out(plan, versions)
    assert next(each.stage for each in after if each.version == number) == stage
    if archive:
        assert [each.version for each in after if each.stage == stage] == [number]
    done = Transition(number, plan.before, plan.after, 100, archived=plan.archived, key="mldeck.transition.100")
    back = plan_undo(after, done)
    check_as_planned(back, after)
    assert [each.stage for each in carried_out(back, after)] == found


def carried_out(plan: TransitionPlan, versions: tuple[ModelVersion, ...]) -> tuple[ModelVersion, ...]:
    now = {move.version: move.after for move in plan.moves}
    return tuple(replace(each, stage=now.get(each.version, each.stage)) for each in versions)
