"""Times on screen: all of one moment, and painted when one of them is another one. No test waits for the time to pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.strip import Strip

from mldeck.ui.kit.clock import Clock, pass_time
from mldeck.ui.models.inspector import VersionInspector
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.models.test_screen import place
from tests.ui.runs.test_live import writing
from tests.ui.textual_insides import painted

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
NOW = 1_795_228_000_000
"""Three hours after the newest run of the taxi store."""
EXPERIMENT = "nyc-taxi-experiment"


class Hand:
    """The time, which stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now

    def move(self, deck: Deck, milliseconds: int) -> None:
        self.now += milliseconds
        deck.app.session.clock.look()


@pytest.fixture
def hand(utc: None, monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    for module in ("kit.clock", "details.run_cells"):
        monkeypatch.setattr(f"mldeck.ui.{module}.now_ms", hand)
    return hand


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


def add_run(path: Path, name: str, start: int, end: int | None) -> None:
    with writing(path) as connection:
        connection.execute(
            "INSERT INTO runs (run_uuid, name, source_type, status, start_time, end_time, lifecycle_stage, experiment_id)"
            " VALUES (?, ?, 'UNKNOWN', ?, ?, ?, 'active', 1)",
            (name.encode().hex().ljust(32, "0"), name, "RUNNING" if end is None else "FINISHED", start, end),
        )


def times(deck: Deck, name: str) -> list[str]:
    """Age and duration in the row of a run, after its two metrics."""
    row = next(line for line in deck.frame.splitlines() if f" {name} " in line)
    return re.split(r"\s{2,}", row.partition(name)[2].strip())[2:4]


def note(clock: Clock, make: Callable[[int], object], timestamp: int) -> int | None:
    """When something is due after that text was made."""
    make(timestamp)
    return clock._due


class TestClock:
    @pytest.mark.parametrize(
        ("age", "due"),
        [
            (5 * MINUTE, NOW + MINUTE),
            (5 * MINUTE + 59_000, NOW + MINUTE),  # and not in a second: all ages in minutes go on together
            (3 * HOUR + 10 * MINUTE, NOW + 50 * MINUTE),
            (2 * DAY, NOW + DAY),
            (12 * SECOND + 300, NOW + SECOND),
            (20 * DAY, NOW + DAY),
        ],
    )
    def test_ages_are_due_once_a_minute(self, age: int, due: int) -> None:
        clock = Clock(lambda: NOW)
        assert note(clock, clock.age, NOW - age) == due
        assert note(clock, clock.age_or_date, NOW - age) == due

    @pytest.mark.parametrize(
        ("size", "due"),
        [(2_500, NOW + SECOND), (5 * MINUTE, NOW + SECOND), (2 * HOUR, NOW + MINUTE), (DAY, NOW + HOUR)],
    )
    def test_running_runs_are_due_as_their_text_changes(self, size: int, due: int) -> None:
        clock = Clock(lambda: NOW)
        assert note(clock, clock.running, NOW - size) == due

    def test_the_time_stands_still_until_all_is_made_anew(self) -> None:
        hand = Hand()
        clock = Clock(hand)
        assert clock.age(NOW - 14 * MINUTE - 50 * SECOND) == "14m"
        hand.now += 30 * SECOND
        assert clock.age(NOW - 14 * MINUTE - 50 * SECOND) == "14m"
        assert clock.age(NOW - 14 * MINUTE - 37 * SECOND) == "14m"
        clock.strike()
        assert clock.age(NOW - 14 * MINUTE - 50 * SECOND) == "15m"

    def test_what_is_younger_than_the_screen_brings_it_up_to_date(self) -> None:
        hand = Hand()
        clock = Clock(hand)
        clock.age(NOW - 59 * SECOND - 14 * MINUTE)
        hand.now += 30 * SECOND
        assert clock.age(NOW + 20 * SECOND) == "0s"
        assert clock._due is not None
        assert clock._due <= hand.now

    def test_the_future_is_a_date_until_it_comes(self) -> None:
        clock = Clock(lambda: NOW)
        assert clock.age(NOW + HOUR) == clock.age_or_date(NOW + HOUR) == "2026-11-21"
        assert clock._due == NOW + HOUR
        assert clock.running(NOW + HOUR) is None


async def test_all_ages_go_on_together(taxi: Path, hand: Hand) -> None:
    for name, age in (("earlier", 14 * MINUTE + 55 * SECOND), ("later", 14 * MINUTE + 42 * SECOND)):
        add_run(taxi, name, NOW - age, NOW - age + 38)
    async with running_deck(taxi, experiment=EXPERIMENT) as deck:
        await deck.until_counted(47)
        await deck.until_shown("(14m ago)")
        assert (times(deck, "earlier"), times(deck, "later")) == (["14m", "38ms"], ["14m", "38ms"])
        hand.move(deck, 30 * SECOND)
        await deck.press("down", "up", "down")
        await deck.until_shown("─ earlier ─")
        await deck.until_shown("(14m ago)")
        assert (times(deck, "earlier"), times(deck, "later")) == (["14m", "38ms"], ["14m", "38ms"])
        hand.move(deck, 30 * SECOND)
        await deck.until_shown("(15m ago)")
        assert (times(deck, "earlier"), times(deck, "later")) == (["15m", "38ms"], ["15m", "38ms"])
        assert deck.app.session.clock._due == hand.now + MINUTE


async def test_a_running_run_goes_on(taxi: Path, hand: Hand) -> None:
    add_run(taxi, "training", NOW - 2_500, None)
    async with running_deck(taxi, experiment=EXPERIMENT) as deck:
        await deck.until_counted(46)
        await deck.until_shown("(2s ago)")
        assert times(deck, "training") == ["2s", "2s"]
        hand.move(deck, SECOND)
        await deck.until_shown("(3s ago)")
        assert times(deck, "training") == ["3s", "3s"]
        hand.move(deck, 10 * MINUTE)
        await deck.until_shown("(10m ago)")
        assert times(deck, "training") == ["10m", "10m 03s"]


async def test_a_run_that_just_started_brings_the_others_up_to_date(taxi: Path, hand: Hand) -> None:
    add_run(taxi, "before", NOW - 59 * SECOND - 3 * MINUTE, NOW)
    async with running_deck(taxi, experiment=EXPERIMENT) as deck:
        await deck.until_counted(46)
        hand.move(deck, 30 * SECOND)
        add_run(taxi, "fresh", hand.now - SECOND, hand.now)
        await deck.until_counted(47)
        await deck.until(lambda: times(deck, "before")[0] == "4m", "up to date")
        assert times(deck, "fresh")[0] == "1s"


async def test_nothing_is_sent_where_nothing_changes(taxi: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    hand.now += 30 * DAY
    with writing(taxi) as connection:
        connection.execute("UPDATE runs SET status = 'KILLED' WHERE status = 'RUNNING'")
    async with running_deck(taxi, experiment=EXPERIMENT) as deck:
        await deck.until_counted(45)
        await deck.until_shown("started     2026-")
        await deck.pilot.pause()
        sent = painted(deck.app, monkeypatch)
        due = deck.app.session.clock._due
        assert due is None or due > hand.now + DAY
        hand.move(deck, DAY)
        await deck.pilot.pause()
        assert sent == []


async def test_a_place_that_is_not_shown_costs_nothing(taxi: Path, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    add_run(taxi, "training", NOW - 2_500, None)
    async with running_deck(taxi, experiment=EXPERIMENT) as deck:
        await deck.until_counted(46)
        await deck.until_shown("(2s ago)")
        table, clock = deck.screen.table, deck.app.session.clock
        await deck.press("2")
        await deck.until_shown("3 versions")
        hand.move(deck, SECOND)
        await deck.until(lambda: clock._struck == hand.now, "struck")
        assert clock._due is None or clock._due >= hand.now + MINUTE - SECOND
        made: list[int] = []
        line_at = table.line_at

        def counted(y: int) -> Strip:
            made.append(y)
            return line_at(y)

        monkeypatch.setattr(table, "line_at", counted)
        hand.move(deck, 2 * MINUTE)
        clock._be_due(hand.now)
        await deck.until(lambda: clock._struck == hand.now, "struck")
        assert made == []
        await deck.press("1")
        await deck.until_shown("(2m ago)")
        await deck.until(lambda: times(deck, "training") == ["2m", "2m 03s"], "up to date")


async def test_a_dialog_and_what_is_below_it_agree(taxi: Path, hand: Hand) -> None:
    with writing(taxi) as connection:
        connection.execute(
            "UPDATE model_versions SET creation_time = ?, last_updated_time = ?", (NOW - 90_000, NOW - 90_000)
        )
        connection.execute("UPDATE registered_models SET last_updated_time = ?", (NOW - 90_000,))
    async with place(taxi) as deck:
        await deck.until_shown("─ 1m ─")
        await deck.press("p")
        await deck.until_shown("1m ago")
        hand.move(deck, MINUTE)
        await deck.until_shown("2m ago")
        await deck.until(lambda: "1m ago" not in deck.frame, "both versions")
        board = deck.versions.board
        assert any("─ 2m ─" in board.render_line(y).text for y in range(board.size.height))
        await deck.press("escape")
        await deck.until_shown("(2m ago)")
        assert "1m" not in deck.frame


async def test_a_widget_that_is_still_being_made_is_left_alone(taxi: Path) -> None:
    async with running_deck(taxi) as deck:
        inspector = VersionInspector(deck.app.session, deck.screen.read_outlines)
        is_made = deck.screen.mount(inspector)
        pass_time(deck.screen)
        await is_made
        assert inspector.is_mounted
