"""How often a running run logs metrics, whatever else is in the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.model import Pace, RunFields, RunQuery
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.store.test_queries import plan, recorded
from tests.ui.runs.test_live import add_run, writing

START = 1_700_000_000_000
OURS, OTHERS = "f" * 32, "e" * 32
MINUTE = 60_000


@pytest.fixture
def db(store_copy: Callable[[str], FixtureStore]) -> Path:
    path = store_copy("nyc-taxi").db
    add_run(path, OURS, "ours", START)
    add_run(path, OTHERS, "others", START)
    return path


def log(db: Path, run_id: str, times: Sequence[int], key: str = "loss") -> None:
    """Log a point at each time."""
    points = [(key, 1.0, timestamp, step, run_id) for step, timestamp in enumerate(times)]
    with writing(db) as connection:
        connection.executemany(
            "INSERT INTO metrics (key, value, timestamp, step, run_uuid, is_nan) VALUES (?, ?, ?, ?, ?, 0)", points
        )
        connection.execute(
            "INSERT INTO latest_metrics (key, value, timestamp, step, run_uuid, is_nan) VALUES (?, ?, ?, ?, ?, 0)",
            points[-1],
        )


def pace(db: Path, run_id: str = OURS) -> Pace | None:
    with closing(Store(db, read_only=True)) as store:
        read = store.run_records([run_id], RunFields(pace=True))[run_id].pace
        details = store.run_details(run_id)
        assert details is not None
        assert details.pace == read
        return read


def test_the_usual_interval_is_that_between_the_newest_points(db: Path) -> None:
    hourly = [START + hour * 60 * MINUTE for hour in range(30)]
    quick = [hourly[-1] + minute * MINUTE for minute in range(1, 31)]
    log(db, OURS, [*hourly, *quick])
    assert pace(db) == Pace(quick[-1], MINUTE)


def test_a_break_is_not_usual(db: Path) -> None:
    log(db, OURS, [START, START + MINUTE, START + 2 * MINUTE, START + 900 * MINUTE, START + 901 * MINUTE])
    assert pace(db) == Pace(START + 901 * MINUTE, MINUTE)


def test_points_logged_together_are_one_moment(db: Path) -> None:
    log(db, OURS, [START + MINUTE] * 3)
    assert pace(db) == Pace(START + MINUTE, MINUTE, is_measured=False)


def test_the_metric_that_was_logged_last_counts_and_other_runs_do_not(db: Path) -> None:
    log(db, OTHERS, [START + second * 1_000 for second in range(3_000)])
    log(db, OURS, [START + MINUTE, START + 2 * MINUTE, START + 3 * MINUTE], "epoch")
    log(db, OURS, [START + 1_000, START + 2_000])
    assert pace(db) == Pace(START + 3 * MINUTE, MINUTE)


def test_very_many_points_of_other_runs_hide_earlier_ones(db: Path) -> None:
    """Looking on would take as long as there are points; the time since the start is taken instead."""
    log(db, OURS, [START + MINUTE, START + 10 * MINUTE])
    log(db, OTHERS, [START + 9 * MINUTE + millisecond for millisecond in range(2_500)])
    assert pace(db) == Pace(START + 10 * MINUTE, 10 * MINUTE, is_measured=False)


def test_times_in_seconds(db: Path) -> None:
    log(db, OURS, [START // 1_000 + 60, START // 1_000 + 120])
    assert pace(db) == Pace(START + 2 * MINUTE, MINUTE)


def test_without_times_there_is_no_pace(db: Path) -> None:
    assert pace(db) is None
    log(db, OURS, [1, 2, 3])
    assert pace(db) is None


def test_a_run_that_has_ended_has_none(db: Path) -> None:
    log(db, OURS, [START + MINUTE])
    with writing(db) as connection:
        connection.execute("UPDATE runs SET status = 'FINISHED' WHERE run_uuid = ?", (OURS,))
    assert pace(db) is None


def test_nothing_is_asked_about_runs_that_do_not_run(db: Path) -> None:
    with closing(Store(db, read_only=True)) as store:
        ids = store.run_ids(RunQuery(("1",), filter="attributes.status != 'RUNNING'"))
        with recorded(store) as plain:
            store.run_records(ids, RunFields())
        with recorded(store) as with_pace:
            store.run_records(ids, RunFields(pace=True))
    assert len(with_pace) == len(plain)


def test_a_long_history_is_not_read(db: Path) -> None:
    log(db, OURS, [START + second for second in range(10)])
    with closing(Store(db, read_only=True)) as store, recorded(store) as statements:
        store.run_records([OURS], RunFields(pace=True))
    (statement,) = [each for each in statements if "FROM metrics" in each[0]]
    assert "LIMIT" in statement[0].partition(") AS ")[0]
    assert "SEARCH metrics USING COVERING INDEX sqlite_autoindex_metrics_1 (key=? AND timestamp<?)" in plan(
        db, statement
    )


def test_when_a_run_is_late() -> None:
    assert Pace(START, 1_000).late_at == START + 5 * MINUTE
    assert Pace(START, 60 * MINUTE).late_at == START + 600 * MINUTE
