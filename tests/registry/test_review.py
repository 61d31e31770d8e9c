"""What a review puts beside each other."""

from __future__ import annotations

import math
from dataclasses import replace

from mldeck.model import Column, Kind, Run, RunRecord
from mldeck.registry.history import EventKind, Transition, arrival, history_of_model, transition_record
from mldeck.registry.plan import plan_transition
from mldeck.registry.review import ComparedValue, aliases_left, compare_runs
from tests.registry_rooms import a_version

RUN = Run("r", "name", "1", "FINISHED", "active")


def test_all_metrics_and_what_differs_of_the_rest() -> None:
    now = RunRecord(
        RUN, {"auc": 0.5, "old": 1.0, "system/cpu": 9.0}, {"a": "1", "b": "2"}, {"t": "x", "mlflow.user": "a"}
    )
    then = RunRecord(RUN, {"auc": 0.75, "new": 2.0}, {"a": "1", "b": "3"}, {"mlflow.user": "b"})
    assert compare_runs(now, then) == (
        ComparedValue(Column(Kind.METRIC, "auc"), 0.5, 0.75),
        ComparedValue(Column(Kind.METRIC, "new"), None, 2.0),
        ComparedValue(Column(Kind.METRIC, "old"), 1.0, None),
        ComparedValue(Column(Kind.PARAM, "b"), "2", "3"),
        ComparedValue(Column(Kind.TAG, "t"), "x", None),
    )
    assert [each.difference for each in compare_runs(now, then)] == [0.25, None, None, None, None]


def test_what_one_run_lacks_comes_after_what_differs() -> None:
    now, then = RunRecord(RUN, {}, {"a": "1", "z": "1"}), RunRecord(RUN, {}, {"b": "1", "z": "2"})
    assert [each.column.key for each in compare_runs(now, then)] == ["z", "a", "b"]


def test_values_that_differ_look_different() -> None:
    now, then = RunRecord(RUN, {"auc": 0.91234561}, {"a": "1"}), RunRecord(RUN, {"auc": 0.91234562})
    assert [each.texts for each in compare_runs(now, then)] == [("0.91234561", "0.91234562"), ("1", "–")]
    (odd,) = compare_runs(RunRecord(RUN, {"auc": math.nan}), RunRecord(RUN, {"auc": math.inf}))
    assert odd.texts == ("NaN", "inf")


def test_a_run_that_is_gone_has_nothing() -> None:
    record = RunRecord(RUN, {"auc": math.nan}, {"a": "1"})
    assert [(each.now, each.then is None) for each in compare_runs(None, record)] == [(None, False), (None, False)]
    assert [each.column.key for each in compare_runs(record, None)] == ["auc", "a"]
    assert compare_runs(None, None) == ()


def test_how_a_version_came_to_where_it_is() -> None:
    done = Transition(1, "None", "Production", 50, "ada", reason="best", key="mldeck.transition.50")
    again = Transition(1, "Production", "Production", 60, "bob", key="mldeck.transition.60")
    tags = {each.key or "": transition_record(each) for each in (done, again)}
    recorded = a_version(1, "Production", created=1, changed=60, tags=tags)
    moved = a_version(2, "Staging", created=2, changed=70)
    new = a_version(3, "None", created=3, changed=3)
    history = history_of_model((recorded, moved, new))
    event = arrival(history, 1)
    assert event is not None
    assert (event.when, event.transition) == (50, done)
    assert [(each and each.kind, each and each.when) for each in (arrival(history, 2), arrival(history, 3))] == [
        (EventKind.UNRECORDED, 70),
        (EventKind.REGISTERED, 3),
    ]
    assert arrival(history, 4) is None


def test_aliases_on_what_is_archived_are_named() -> None:
    served = replace(a_version(2, "Production"), aliases=("champion", "live"))
    new = replace(a_version(3, "Staging"), aliases=("challenger",))
    versions = (new, served, a_version(1, "Production"))
    promotion = plan_transition(versions, 3, "Production", True)
    assert aliases_left(promotion, versions) == ("@champion @live stay on version 2, which is archived",)
    assert aliases_left(plan_transition(versions, 3, "Production", False), versions) == ()
    assert aliases_left(plan_transition(versions, 3, "Archived", False), versions) == (
        "@challenger stays on version 3, which is archived",
    )
