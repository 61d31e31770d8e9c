"""Changing stages: the record, undo, and reviews that are out of date."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from mldeck.errors import MldeckError, StoreUnavailable
from mldeck.registry.history import EventKind, arrival, previous_in, recorded_transitions
from mldeck.registry.plan import StaleReview, plan_transition, plan_undo
from mldeck.store.registry.editor import RegistryEditor
from tests.editing import NEWEST, NOW, has_column, sql, writer_of
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL, RegistryOf
from tests.store_rows import all_rows, difference

CopyOf = Callable[[str], FixtureStore]


def test_a_promotion_changes_only_what_it_should(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    before = all_rows(store.db)
    done = registry(store).move(3, "Production", True, reason="better [/x]\x1b")
    changes = difference(before, all_rows(store.db))
    assert changes.keys() == {"model_versions", "registered_models", "model_version_tags"}
    moved = {
        row["version"]: (row["current_stage"], row["last_updated_time"]) for row in changes["model_versions"].added
    }
    assert moved == {3: ("Production", NOW), 2: ("Archived", NOW)}
    (tag,) = changes["model_version_tags"].added
    assert (tag["version"], tag["key"]) == (3, f"mldeck.transition.{NOW}")
    assert json.loads(str(tag["value"])) == {
        "from": "Staging",
        "to": "Production",
        "who": done.who,
        "host": done.host,
        "when": "2030-03-17T17:46:40.000+00:00",
        "reason": "better [/x]\x1b",
        "archived": [2],
    }
    assert done.who
    assert done.host


def test_undo_and_undoing_the_undo(fixture_store: FixtureStore, registry: RegistryOf) -> None:
    if not has_column(fixture_store, "model_version_tags", "key"):
        return
    first, second, third = (registry(fixture_store, NOW + number) for number in (0, 1000, 2000))
    before = first.stages()
    done = first.move(3, "Production", True)
    after = first.stages()
    assert after == before | {3: "Production", 2: "Archived"}
    undone = second.editor.transition(plan_undo(second.reader.versions(MODEL), done))
    assert second.stages() == before
    assert undone.undo_of == done.key
    third.editor.transition(plan_undo(third.reader.versions(MODEL), undone))
    assert third.stages() == after
    last = recorded_transitions(third.reader.versions(MODEL))[-1]
    assert (last.undo_of, last.archived, last.put_back) == (undone.key, (2,), ())
    outside = [event for event in third.reader.history(MODEL) if event.kind is EventKind.UNRECORDED]
    assert {event.version for event in outside if (event.when or 0) > NOW} == set()


def test_the_previous_production_version_can_be_put_back(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    registry(store, NOW).move(3, "Production", True)
    now = registry(store, NOW + 1000)
    previous = previous_in(now.reader.history(MODEL), "Production")
    assert previous == 2
    now.move(previous, "Production", True)
    assert {2: "Production", 3: "Archived"}.items() <= now.stages().items()


def test_recording_can_be_switched_off(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    done = registry(store, record=False).move(3, "Production", True)
    assert done.key is None
    assert sql(store, "SELECT count(*) FROM model_version_tags WHERE key LIKE 'mldeck%'") == [(0,)]
    now = registry(store, NOW + 1, record=False)
    now.editor.transition(plan_undo(now.reader.versions(MODEL), done))
    assert {3: "Staging", 2: "Production"}.items() <= now.stages().items()
    # It is known only that the version was changed, and not after the model was.
    assert now.reader.history(MODEL)[-1].kind is EventKind.UNRECORDED
    later = registry(store, NOW + 360_000, record=False)
    later.editor.set_version_description(MODEL, 2, "said later")
    event = arrival(later.reader.history(MODEL), 2)
    assert event is not None
    assert (event.kind, event.when) == (EventKind.UNRECORDED, NOW + 1)


def test_there_is_no_history_without_tags(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy("mlflow-1.30.1")
    for table in ("model_version_tags", "registered_model_tags"):
        sql(store, f"DROP TABLE {table}")
    room = registry(store)
    assert room.move(3, "Production", True).key is None
    assert room.stages()[3] == "Production"
    with pytest.raises(MldeckError, match=r"from before MLflow 1.10, which has no tags of model versions"):
        room.editor.set_version_tag(MODEL, 3, "k", "v")


def test_two_transitions_in_one_millisecond_leave_two_records(store_copy: CopyOf, registry: RegistryOf) -> None:
    room = registry(store_copy(NEWEST))
    room.move(3, "Production", True)
    room.move(2, "Production", True)
    room.move(3, "Staging")
    recorded = recorded_transitions(room.reader.versions(MODEL))
    assert [(transition.version, transition.after, transition.when) for transition in recorded] == [
        (3, "Production", NOW),
        (2, "Production", NOW),
        (3, "Staging", NOW),
    ]
    assert len({transition.key for transition in recorded}) == 3


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE model_versions SET current_stage = 'None' WHERE version = 3", "version 3 .* is in None now"),
        ("UPDATE model_versions SET last_updated_time = 1 WHERE version = 3", "version 3 .* was changed meanwhile"),
        ("UPDATE model_versions SET current_stage = 'Deleted_Internal' WHERE version = 3", "was deleted meanwhile"),
        ("UPDATE model_versions SET current_stage = 'Production' WHERE version = 6", "Production .* was changed"),
        ("UPDATE model_versions SET current_stage = 'None' WHERE version = 2", "version 2 .* is in None now"),
    ],
)
def test_a_stale_review_writes_nothing_and_has_the_present_versions(
    statement: str, message: str, store_copy: CopyOf, registry: RegistryOf
) -> None:
    store = store_copy(NEWEST)
    room = registry(store)
    plan = plan_transition(room.reader.versions(MODEL), 3, "Production", True)
    sql(store, statement + f" AND name = '{MODEL}'")
    before = all_rows(store.db)
    with pytest.raises(StaleReview, match=message) as caught:
        room.editor.transition(plan)
    assert difference(before, all_rows(store.db)) == {}
    assert caught.value.versions == room.reader.versions(MODEL)


def test_a_plan_for_a_model_that_is_gone(store_copy: CopyOf, registry: RegistryOf) -> None:
    room = registry(store_copy(NEWEST))
    plan = plan_transition(room.reader.versions(MODEL), 3, "Production", True)
    room.editor.delete_model(MODEL)
    with pytest.raises(MldeckError, match="no registered model churn-model"):
        room.editor.transition(plan)


def test_the_longest_reason(store_copy: CopyOf, registry: RegistryOf) -> None:
    with pytest.raises(MldeckError, match="the reason has at most 500"):
        registry(store_copy(NEWEST)).move(3, "Production", True, reason="r" * 501)


def test_a_read_only_file(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    plan = plan_transition(registry(store).reader.versions(MODEL), 3, "Production", True)
    with pytest.raises(MldeckError, match="opened with --read-only"):
        RegistryEditor(writer_of(store.db, read_only=True)).transition(plan)


def test_a_lock_that_is_not_released(store_copy: CopyOf, registry: RegistryOf) -> None:
    store = store_copy(NEWEST)
    plan = plan_transition(registry(store).reader.versions(MODEL), 3, "Production", True)
    before = all_rows(store.db)
    with closing(sqlite3.connect(store.db, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"locked by another program .* nothing was changed"):
            RegistryEditor(writer_of(store.db, wait_s=0.1)).transition(plan)
        other.execute("ROLLBACK")
    assert difference(before, all_rows(store.db)) == {}
