"""The values of a review and of a history."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from mldeck.artifacts.file_facts import FileFacts
from mldeck.artifacts.mlmodel import Signature, SignatureField
from mldeck.model import Run, RunRecord
from mldeck.registry.history import Event, EventKind, history_of_model
from mldeck.registry.nouns import ModelVersion
from mldeck.ui.kit.clock import Clock
from mldeck.ui.models.history_dialog import Wording, history_entries, what_happened, when_it_was
from mldeck.ui.models.review import FilesMark, Review, ReviewRow, Side
from mldeck.ui.state.metric_direction import Better
from tests.registry_rooms import a_version

NOW = 1_700_000_000_000
CLOCK = Clock(lambda: NOW)
DAY_MS = 86_400_000


def side(version: ModelVersion, metrics: dict[str, float] | None = None, **tags: str) -> Side:
    run = Run(f"run-{version.version}", f"name-{version.version}", "1", "FINISHED", "active")
    return Side(version, RunRecord(run, metrics or {}, {"depth": str(version.version)}, tags), None)


def reviewed(
    now: dict[str, float], then: dict[str, float], better: dict[str, Better] | None = None, stage: str = "Production"
) -> Review:
    versions = (a_version(3, "Staging"), a_version(2, "Production"))
    moved, present = side(versions[0], then), side(versions[1], now)
    return Review(versions, moved, present, (), stage, better or {})


def row_of(review: Review, name: str) -> ReviewRow:
    return next(each for each in review.rows({}, {}, CLOCK) if each.name == name)


@pytest.mark.parametrize(
    ("now", "then", "better", "verdict"),
    [
        (1.0, 2.0, Better.HIGHER, "better"),
        (1.0, 2.0, Better.LOWER, "worse"),
        (2.0, 1.0, Better.LOWER, "better"),
        (2.0, 1.0, Better.NEITHER, ""),
        (2.0, 1.0, None, "hi/lo?"),
        (1.0, 1.0, Better.LOWER, "same"),
        (math.nan, 1.0, Better.LOWER, ""),
        (math.inf, math.inf, Better.LOWER, ""),
        (1.0, math.inf, Better.LOWER, "worse"),
    ],
)
def test_a_metric_is_judged_by_its_direction(now: float, then: float, better: Better | None, verdict: str) -> None:
    row = row_of(reviewed({"m": now}, {"m": then}, {"m": better} if better else {}), "m")
    assert row.verdict == verdict


def test_a_metric_of_one_side_only() -> None:
    row = row_of(reviewed({}, {"m": 1.5}), "m")
    assert (row.now, row.then, row.difference, row.verdict) == ("–", "1.5", "", "")


def test_values_that_differ_look_different() -> None:
    row = row_of(reviewed({"m": 0.12345678}, {"m": 0.12345679}), "m")
    assert row.now != row.then


@pytest.mark.parametrize(
    ("before", "stage", "verb"),
    [
        ("None", "Staging", "Promote"),
        ("Staging", "Production", "Promote"),
        ("Archived", "Production", "Promote"),
        ("Production", "Staging", "Move"),
        ("Production", "Archived", "Archive"),
        ("Staging", "None", "Move"),
    ],
)
def test_the_verb_of_a_move(before: str, stage: str, verb: str) -> None:
    version = a_version(3, before)
    assert Review((version,), side(version), None, (), stage).verb == verb


def test_metrics_and_facts_come_before_params_and_tags() -> None:
    review = reviewed({"m": 1.0}, {"m": 2.0})
    names = [each.name for each in review.rows({3: FilesMark("✓"), 2: FilesMark("missing", "gone")}, {}, CLOCK)]
    assert names == [
        "m",
        "duration",
        "size",
        "signature",
        "source",
        "user",
        "registered",
        "in stage since",
        "files",
        "depth",
    ]
    assert row_of(review, "files").then == "…"


INPUT = SignatureField("age", "long")
SAME = Signature((INPUT,), None, None)


@pytest.mark.parametrize(
    ("took", "takes", "sizes", "expected"),
    [
        (60_000, 90_000, (1_000, 3_000), [("+30.0s", "longer"), ("+2.0 kB", "larger")]),
        (90_000, 60_000, (3_000, 1_000), [("−30.0s", "shorter"), ("−2.0 kB", "smaller")]),
        (60_000, 60_000, (7, 7), [("", "same"), ("", "same")]),
        (None, 60_000, (7, None), [("", ""), ("", "")]),
    ],
)
def test_running_time_and_size_are_weighed(
    took: int | None, takes: int | None, sizes: tuple[int | None, int | None], expected: list[tuple[str, str]]
) -> None:
    review = reviewed({}, {})
    review = replace(review, present=lasting(review.present, took), moved=lasting(review.moved, takes))
    facts = {2: FileFacts(sizes[0]), 3: FileFacts(sizes[1])}
    found = {row.name: row for row in review.rows({}, facts, CLOCK)}
    assert [(found[name].difference, found[name].verdict) for name in ("duration", "size")] == expected
    assert found["duration"].now == ("–" if took is None else "1m 00s" if took == 60_000 else "1m 30s")
    assert found["size"].then == ("–" if sizes[1] is None else FileFacts(sizes[1]).size_text)


def lasting(side: Side | None, duration: int | None) -> Side:
    assert side is not None
    assert side.record is not None
    end = None if duration is None else NOW + duration
    return replace(side, record=replace(side.record, run=replace(side.record.run, start_time=NOW, end_time=end)))


def test_signatures_are_compared() -> None:
    review = reviewed({}, {})
    other = Signature((INPUT, SignatureField("plan", "string")), None, None)

    def row(now: Signature | None, then: Signature | None) -> ReviewRow:
        facts = {2: FileFacts(1, True, now), 3: FileFacts(1, True, then)}
        return next(each for each in review.rows({}, facts, CLOCK) if each.name == "signature")

    assert row(SAME, SAME)[1:6] == ("1 in", "1 in", "", "same", "dim")
    assert row(SAME, other)[1:6] == ("1 in", "2 in", "", "differs", "warn")
    assert row(SAME, None)[1:6] == ("1 in", "–", "", "", "dim")
    unread = row_of(review, "signature")
    assert (unread.now, unread.then, unread.verdict) == ("…", "…", "")


def test_without_a_present_version_nothing_is_compared() -> None:
    version = a_version(3, "None")
    review = Review((version,), side(version, {"m": 1.0}), None, (), "Staging")
    assert "depth" not in [each.name for each in review.rows({}, {}, CLOCK)]


def test_leaving_production() -> None:
    alone = (a_version(3, "Production"), a_version(2, "None"))
    assert Review(alone, side(alone[0]), None, (), "Archived").leaves_empty
    two = (a_version(3, "Production"), a_version(2, "Production"))
    assert not Review(two, side(two[0]), None, (), "Archived").leaves_empty


class TestTimeLine:
    RECORD = '{"from":"Staging","to":"Production","who":"ada","host":"h","when":"1970-01-01T00:00:00.009+00:00","archived":[1]}'

    def test_versions_archived_by_a_transition_share_its_entry(self) -> None:
        versions = (
            a_version(2, "Production", created=1, changed=9, tags={"mldeck.transition.9": self.RECORD}),
            a_version(1, "Archived", created=0, changed=9),
        )
        found = history_entries(history_of_model(versions))
        assert [what_happened(each.event) for each in found][-1] == "2: Staging → Production, 1 archived"
        assert what_happened(found[-1].event, Wording.BRIEF) == "2 → Production, 1 archived"
        assert what_happened(found[-1].event, Wording.BRIEFEST) == "2 → Production"
        assert found[-1].lanes == ((2,), ())
        assert found[-2].lanes[0] == (1,)
        assert len([each for each in found if each.event.transition]) == 1

    def test_moves_by_other_programs_have_no_record(self) -> None:
        found = history_entries(history_of_model((a_version(1, "Staging", created=1, changed=5),)))
        assert [what_happened(each.event) for each in found] == ["1 registered", "1: None → Staging (no record)"]
        assert found[-1].changed == (False, True)

    @pytest.mark.parametrize(
        ("earliest", "latest", "text"),
        [
            (3 * DAY_MS, 5_000, "5s–3d"),
            (5_400, 5_000, "5s"),
            (None, 5_000, "≥ 5s"),
            (30 * DAY_MS, 5_000, "5s–4w"),
            (30 * DAY_MS, 20 * DAY_MS, "2w–4w"),
            (3 * DAY_MS, None, "–"),
        ],
    )
    def test_times_of_unrecorded_moves_have_bounds(self, earliest: int | None, latest: int | None, text: str) -> None:
        when, since = (None if ago is None else NOW - ago for ago in (latest, earliest))
        assert when_it_was(Event(EventKind.UNRECORDED, 1, when, "None", "Staging", since), CLOCK) == text
