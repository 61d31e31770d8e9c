"""Another program writes while the app is open."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck

EXPERIMENT = "nyc-taxi-experiment"


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Make one transaction, as another program would."""
    connection = sqlite3.connect(path, timeout=20)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def add_run(path: Path, run_id: str, name: str, start_time: int | None = None) -> None:
    start = int(time.time() * 1000) if start_time is None else start_time
    with writing(path) as connection:
        connection.execute(
            "INSERT INTO runs (run_uuid, name, source_type, status, start_time, lifecycle_stage, experiment_id)"
            " VALUES (?, ?, 'UNKNOWN', 'RUNNING', ?, 'active', 1)",
            (run_id, name, start),
        )


def log_rmse(path: Path, run_id: str, value: float, step: int) -> None:
    with writing(path) as connection:
        connection.execute(
            "INSERT OR REPLACE INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)"
            " VALUES ('rmse', ?, ?, ?, 0, ?)",
            (value, int(time.time() * 1000), step, run_id),
        )


async def test_a_new_run_and_its_metrics_appear(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        add_run(path, "f" * 32, "just-started")
        await deck.until_counted(46)
        assert "just-started" in deck.frame
        assert deck.screen.table.cursor_run == "f" * 32, "the cursor stays on the first row, where nobody moved it"
        log_rmse(path, "f" * 32, 4.25, 1)
        await deck.until_shown(" 4.250000 ")
        log_rmse(path, "f" * 32, 3.125, 2)
        await deck.until_shown(" 3.125000 ")


async def test_scroll_position_and_marks_stay(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT, size=(120, 24)) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("G", "k", "k", "space")
        shown, cursor = deck.run_names, table.cursor_run
        add_run(path, "e" * 32, "newest")
        await deck.until_counted(46)
        assert table.cursor_run == cursor
        assert deck.run_names == shown
        assert len(deck.app.session.marked) == 1


def add_sweep(path: Path, count: int) -> list[str]:
    """Add runs. Return their names, the newest first."""
    for number in range(count):
        add_run(path, f"{number:032x}", f"sweep-{number:02}")
    return [f"sweep-{number:02}" for number in reversed(range(count))]


async def test_a_cursor_on_the_first_row_stays_on_the_newest_run(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        names = add_sweep(path, 50)
        await deck.until_counted(95)
        await deck.until(lambda: deck.run_names == names[: len(deck.run_names)], "the newest, from the top")
        assert deck.screen.table.cursor_row == 0
        await deck.until_shown("─ sweep-49 ─")
        assert "newer above" not in deck.frame


async def test_runs_added_above_the_page_are_counted(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("j")
        cursor = table.cursor_run
        names = add_sweep(path, 50)
        await deck.until_counted(95)
        assert table.cursor_run == cursor
        assert table.top_row > 0
        await deck.until_shown(f"{table.top_row} newer above (g)")
        await deck.press("k", "ctrl+u")
        await deck.until_shown(f"{table.top_row} newer above (g)")
        await deck.press("g")
        await deck.until(lambda: "newer above" not in deck.frame, "all have been seen")
        assert deck.run_names == names[: len(deck.run_names)]
        add_run(path, "e" * 32, "one-more")
        await deck.until_counted(96)
        assert deck.run_names[0] == "one-more", "g goes to the first row to stay"
        assert table.cursor_row == 0


async def test_a_moved_cursor_stays_on_its_run(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("j", "k")
        cursor = table.cursor_run
        add_run(path, "e" * 32, "newest")
        await deck.until_counted(46)
        assert table.cursor_run == cursor
        assert (table.cursor_row, table.top_row) == (1, 0), "there is room for both"
        assert "newer above" not in deck.frame


async def test_nothing_is_read_while_nothing_changes(
    store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store_copy("nyc-taxi").db
    polls, reads = [], []
    real_poll, real_read = Store.poll, Store.read

    def poll(self: Store) -> Any:
        polls.append(1)
        return real_poll(self)

    def read(self: Store, *args: Any) -> Any:
        reads.append(args[0].__name__)
        return real_read(self, *args)

    monkeypatch.setattr(Store, "poll", poll)
    monkeypatch.setattr(Store, "read", read)
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        await deck.until_shown("run id")
        settled, asked = len(polls) + 2, None
        await deck.until(lambda: len(polls) >= settled, "two looks at the database")
        asked = list(reads)
        settled = len(polls) + 3
        await deck.until(lambda: len(polls) >= settled, "three more looks")
        assert reads == asked


async def test_a_file_that_goes_away_and_comes_back(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        hidden = path.with_name("elsewhere.db")
        path.rename(hidden)
        await deck.until(lambda: "gone" in deck.screen.top_bar.trouble, "said to be gone")
        assert deck.screen.table.row_count == 45, "what was read stays"
        hidden.rename(path)
        await deck.until(lambda: not deck.screen.top_bar.trouble, "recovered")


async def test_a_file_that_is_replaced_by_another(store_copy: Callable[[str], FixtureStore]) -> None:
    path, other = store_copy("nyc-taxi").db, store_copy("nyc-taxi").db
    add_run(other, "d" * 32, "from-the-other-file")
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        other.replace(path)
        await deck.until_counted(46)
        await deck.until_shown("from-the-other-file")


async def test_a_database_that_is_locked_for_a_long_time(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        await deck.press("v")
        await deck.until(lambda: "locked" in deck.screen.top_bar.trouble, "said to be locked")
        holder.execute("ROLLBACK")
        holder.close()
        await deck.until(lambda: not deck.screen.top_bar.trouble, "recovered")


async def test_a_store_that_is_locked_from_the_start_opens_when_it_can(
    store_copy: Callable[[str], FixtureStore],
) -> None:
    path = store_copy("nyc-taxi").db
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until(lambda: "locked" in deck.screen.top_bar.trouble, "said to be locked")
        holder.execute("ROLLBACK")
        holder.close()
        await deck.until_counted(45)


async def test_a_migrated_database_is_read_again(store_copy: Callable[[str], FixtureStore]) -> None:
    """A newer MLflow adds tables and columns, and the app reads the new schema."""
    path = store_copy("mlflow-1.2.0").db
    async with running_deck(path, experiment="churn-baseline") as deck:
        await deck.until_counted(12)
        with writing(path) as connection:
            connection.executescript(
                "ALTER TABLE runs ADD COLUMN deleted_time BIGINT;"
                "CREATE TABLE latest_metrics (key TEXT, value FLOAT NOT NULL, timestamp BIGINT, step BIGINT, is_nan INTEGER,"
                " run_uuid TEXT, PRIMARY KEY (key, run_uuid));"
                "INSERT INTO latest_metrics SELECT 'auc', 0.4321, 1, 1, 0, run_uuid FROM runs;"
            )
        await deck.until_shown("0.4321")
        assert not deck.screen.top_bar.trouble


async def test_refresh_by_hand(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        await deck.press("ctrl+r")
        await deck.until_shown("Read again")


async def test_a_run_that_has_logged_nothing_for_long_is_marked(store_copy: Callable[[str], FixtureStore]) -> None:
    path, now = store_copy("nyc-taxi").db, int(time.time() * 1000)
    add_run(path, "f" * 32, "silent", now - 3_600_000)
    log_rmse(path, "f" * 32, 4.25, 1)
    with writing(path) as connection:
        connection.execute("UPDATE latest_metrics SET timestamp = ? WHERE run_uuid = ?", (now - 3_540_000, "f" * 32))
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        await deck.until_counted(46)
        await deck.until(lambda: deck.run_names[0] == "silent", "the run")
        assert status_signs(deck)[0] == " !"
        await deck.until_shown("! RUNNING, but no metric for 59m")
        assert "usually" not in deck.frame, "one point has no pace"
        log_rmse(path, "f" * 32, 4.5, 2)
        await deck.until(lambda: status_signs(deck)[0] == " ►", "it goes on")
        await deck.until_shown("► RUNNING")


async def test_a_run_is_marked_when_its_time_has_come(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    async with running_deck(path, experiment=EXPERIMENT) as deck:
        add_run(path, "f" * 32, "silent")
        log_rmse(path, "f" * 32, 4.25, 1)
        await deck.until_counted(46)
        assert status_signs(deck)[0] == " ►"
        clock = deck.app.session.clock
        read, clock.read = clock.read, lambda: int(time.time() * 1000) + 301_000
        clock.look()
        await deck.until(lambda: status_signs(deck)[0] == " !", "it is late")
        clock.read = read


def status_signs(deck: Deck) -> list[str]:
    table = deck.screen.table
    rows = (table.row_cells(row) for row in table.visible_rows)
    return ["" if cells is None else cells[0].text for cells in rows]
