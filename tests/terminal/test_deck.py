"""The deck as a person sees it: keys in, frames out."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.demo.project import make_demo
from tests.fixture_stores import FixtureStore
from tests.processes import descendants
from tests.terminal import terminal
from tests.terminal.terminal import (
    BARE_ESC,
    DOWN,
    ENTER,
    ESC,
    PAGE_DOWN,
    RIGHT,
    TAB,
    Terminal,
    mldeck,
)

COUNTED = re.compile(r"\d+ runs? ")
MATCH = re.compile(r"(?<![–\d])\d+ of \d")
"""The number of a match, not that of a column in view."""
"""In the border below the run table, once all runs are listed."""


@pytest.fixture(scope="module")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def demo(_demo: Path, tmp_path: Path) -> Path:
    """The sample store: the newest experiment has 59 active runs."""
    return shutil.copyfile(_demo, tmp_path / "mlflow.db")


@pytest.fixture
def deck(demo: Path) -> Iterator[Terminal]:
    with mldeck(demo) as opened:
        opened.wait_for(COUNTED)
        opened.wait_for("live · rw")
        yield opened


def scalar(db: Path, sql: str) -> object:
    connection = sqlite3.connect(db)
    try:
        return connection.execute(sql).fetchone()[0]
    finally:
        connection.close()


def run_id(db: Path, name: str) -> object:
    return scalar(db, f"SELECT run_uuid FROM runs WHERE name = '{name}'")


def open_find(deck: Terminal) -> None:
    """The key bar tells that the focus has left the list."""
    deck.press("/", "? help", gone=True)


def details_of(name: str) -> re.Pattern[str]:
    """The title of the inspector."""
    return re.compile(rf"─ {re.escape(name)} ─")


class TestNextStart:
    def test_the_theme_of_the_palette_and_the_tab_come_back(self, demo: Path) -> None:
        with mldeck(demo) as deck:
            deck.wait_for("git commit")
            deck.press("]", re.compile(r"▾ \w+/  \d+ metric"))
            deck.press("]", re.compile(r"│learning_rate +"))
            assert deck.background != "ffffff"
            deck.press(":", "Change theme")
            deck.press("deck-light", "Theme mldeck-light")
            deck.press(ENTER, lambda: deck.background == "ffffff")
            deck.send("q")
            assert deck.wait_exit() == 0
        with mldeck(demo) as deck:
            deck.wait_for(re.compile(r"│learning_rate +"))
            assert deck.background == "ffffff"
        for words, variables in ((("--theme", "mldeck-dark"), {}), ((), {"MLDECK_THEME": "mldeck-dark"})):
            with mldeck(demo, *words, env=variables) as deck:
                deck.wait_for(re.compile(r"│learning_rate +"))
                assert deck.background != "ffffff"


class TestKeys:
    def test_the_demo_opens_browses_and_cleans_up(self, tmp_path: Path) -> None:
        with mldeck("demo", env={"TMPDIR": str(tmp_path)}) as deck:
            deck.wait_for("59 runs")
            deck.wait_for(details_of("tab-transformer"))
            assert list(tmp_path.glob("mldeck-demo-*/mlflow.db"))
            deck.press("j", details_of("candidate-slow-learner"))
            deck.send("q")
            assert deck.wait_exit() == 0
            deck.assert_left_as_found()
        assert list(tmp_path.iterdir()) == []

    def test_moving_over_the_runs(self, deck: Terminal) -> None:
        deck.wait_for(details_of("tab-transformer"))
        deck.press("jj", details_of("candidate-may-data"))
        deck.press("k", details_of("candidate-slow-learner"))
        deck.press(DOWN, details_of("candidate-may-data"))
        first_page = deck.text
        deck.press("G", lambda: "tab-transformer " not in deck.text)
        assert deck.text != first_page
        last = deck.copy()
        deck.press("g", details_of("tab-transformer"))
        assert deck.copy() != last
        deck.press(PAGE_DOWN, re.compile(r"✓  trial-(1|2)\d"))
        deck.wait_for("tab-transformer ", gone=True)

    def test_tabs_of_the_inspector(self, deck: Terminal) -> None:
        deck.wait_for("git commit")
        deck.press("]", re.compile(r"▾ \w+/  \d+ metric"))
        deck.press("]", re.compile(r"│learning_rate +"))
        deck.press("]", "MLflow's own tags")
        deck.press("]", "MLflow's own tags", gone=True)  # Artifacts
        deck.send("]")  # Models
        deck.press("]", "git commit")

    def test_panes_in_turn(self, deck: Terminal, demo: Path) -> None:
        """What `y` copies tells which pane has the focus."""
        newest = run_id(demo, "tab-transformer")
        assert deck.copy() == newest
        seen = []
        for _ in range(3):
            deck.send(TAB)
            seen.append(deck.copy())
        assert seen[-1] == newest
        assert "churn-forecast" in seen
        assert len(set(seen)) == 3

    def test_choosing_another_experiment(self, deck: Terminal) -> None:
        deck.send("\x1b[Z")  # shift+tab
        assert deck.copy() == "churn-forecast"
        deck.press("j", "Runs of hourly-demand")
        deck.press("j", "No runs here yet")
        deck.press("v", "╭─ Deleted ─")
        deck.press("v", "╭─ All experiments ─")

    def test_sorting_both_ways_and_back(self, deck: Terminal) -> None:
        def column(found: re.Pattern[str]) -> list[str]:
            return [match.group(1) for line in deck.lines if (match := found.search(line))]

        names = re.compile(r"[✓✗■►!]  (\S+)")
        unsorted = column(names)
        deck.press(RIGHT, re.compile("name"))
        deck.press("s", "name ▲")
        deck.wait_for("sorted by name ▲")
        deck.wait_for(lambda: column(names) == sorted(column(names)) != unsorted)
        deck.press("s", "name ▼")
        deck.wait_for(lambda: column(names) == sorted(column(names), reverse=True))
        deck.press("s", "▼", gone=True)
        deck.wait_for(lambda: column(names) == unsorted)

    def test_quick_find(self, deck: Terminal) -> None:
        open_find(deck)
        deck.press("trial-17", "1 of 1")
        deck.wait_for(details_of("trial-17"))
        deck.press(ENTER, "1 of 1", gone=True)
        open_find(deck)
        deck.press("no such thing", "no match")
        deck.press(ESC, "no match", gone=True)
        open_find(deck)
        deck.press("candidate", MATCH)
        deck.press(ENTER, MATCH, gone=True)
        before = deck.copy()
        deck.send("n")
        deck.wait_for(lambda: deck.copy() != before)

    def test_what_is_typed_right_after_find_is_the_text(self, deck: Terminal) -> None:
        """A fast typist, or a slow line: all of it arrives at once. None of it may be taken for a command."""
        deck.press("/quick-trial-17", "no match")
        deck.press(ESC, "no match", gone=True)
        deck.press("/trial-17", "1 of 1")

    def test_nothing_is_inspected_where_there_are_no_runs(self, deck: Terminal) -> None:
        deck.wait_for("git commit")
        deck.send("\x1b[Z")
        deck.press("G", "No runs here yet")
        deck.wait_for("git commit", gone=True)

    def test_active_deleted_all(self, deck: Terminal) -> None:
        deck.press("v", re.compile(r"\d+ runs? \(deleted\)"))
        deck.press("v", re.compile(r"\d+ runs \(all\)"))
        deck.press("v", "59 runs ")

    def test_marks(self, deck: Terminal) -> None:
        deck.press(" ", "1 marked")
        deck.press(" ", "2 marked")
        assert sum("●" in line for line in deck.lines) == 2
        deck.press("k ", "1 marked")

    def test_copying_goes_through_the_terminal(self, deck: Terminal, demo: Path) -> None:
        assert deck.copied == []
        assert deck.copy() == run_id(demo, "tab-transformer")
        assert len(deck.copied) == 1

    def test_help(self, deck: Terminal) -> None:
        deck.press("?", "Esc close")
        deck.press(ESC, "Esc close", gone=True)
        deck.press("?", "Esc close")
        deck.press(BARE_ESC, "Esc close", gone=True)

    def test_escape_never_quits(self, deck: Terminal) -> None:
        for _ in range(4):
            deck.send(ESC)
        deck.press("?", "Esc close")
        for _ in range(4):
            deck.send(ESC)
        deck.wait_for("Esc close", gone=True)
        deck.press("j", details_of("candidate-slow-learner"))

    def test_the_palette_knows_the_actions(self, deck: Terminal) -> None:
        deck.press(":", "Change theme")
        deck.press("next tab", re.compile("Next tab"))
        deck.press(ESC, "Change theme", gone=True)

    def test_a_long_value_is_read_whole(self, deck: Terminal) -> None:
        deck.press("]]", re.compile(r"│learning_rate +"))
        deck.press(ENTER, "O sort", gone=True)
        deck.press(ENTER, "y copy · Esc close")
        deck.press(ESC, "y copy · Esc close", gone=True)
        deck.press(ESC, "O sort")
        deck.press("j", details_of("candidate-slow-learner"))


class TestLayout:
    @pytest.mark.parametrize(("cols", "rows"), [(60, 16), (80, 24), (200, 50)])
    def test_every_pane_is_there(self, demo: Path, cols: int, rows: int) -> None:
        with mldeck(demo, cols=cols, rows=rows) as deck:
            deck.wait_for(COUNTED)
            deck.wait_for(details_of("tab-transformer"))
            deck.wait_for(re.compile(r"status +[►!] RUNNING"))
            assert "─ Experiments ─" in deck.text
            assert "─ Runs of " in deck.text
            assert "? help" in deck.lines[-1]
            assert deck.lines[0].startswith(" mldeck  ")
            beside = deck.row_of("─ tab-transformer ─") == deck.row_of("─ Runs of ")
            assert beside == (cols >= 160)

    def test_too_small_says_so_and_recovers(self, demo: Path) -> None:
        with mldeck(demo, cols=50, rows=12) as deck:
            deck.wait_for("mldeck needs at least 60x16 characters")
            assert "Experiments" not in deck.text
            deck.resize(100, 30)
            deck.wait_for(details_of("tab-transformer"))
            assert "needs at least" not in deck.text
            deck.resize(40, 30)
            deck.wait_for("needs at least")
            deck.resize(120, 40)
            deck.press("j", details_of("candidate-slow-learner"))

    def test_shrinking_and_growing_keeps_the_run(self, deck: Terminal) -> None:
        deck.press("G", lambda: "tab-transformer " not in deck.text)
        last = deck.copy()
        deck.resize(80, 24)
        deck.wait_for(lambda: len(deck.lines[0]) <= 80 and "─ Experiments ─" in deck.text)
        deck.resize(200, 50)
        deck.wait_for(lambda: any(len(line) == 200 for line in deck.lines))
        assert deck.copy() == last

    def test_no_color(self, deck: Terminal, demo: Path) -> None:
        def is_grey(colour: str) -> bool:
            return colour in ("default", "black", "white") or colour[:2] == colour[2:4] == colour[4:]

        assert not all(map(is_grey, deck.colours()))
        with mldeck(demo, env={"NO_COLOR": "1"}) as deck:
            deck.wait_for(details_of("tab-transformer"))
            assert all(map(is_grey, deck.colours()))
            deck.press("s", "▲")


_MONTH = 30 * 86_400_000


class TestQuiet:
    @pytest.fixture
    def demo(self, demo: Path) -> Path:
        """No run is younger than a month, and none is running: no time on screen changes."""
        with closing(sqlite3.connect(demo)) as connection, connection:
            connection.execute("UPDATE runs SET start_time = start_time - ?, end_time = end_time - ?", (_MONTH, _MONTH))
            connection.execute("UPDATE runs SET status = 'KILLED' WHERE status = 'RUNNING'")
        return demo

    def test_an_idle_deck_sends_nothing(self, deck: Terminal) -> None:
        deck.wait_for(details_of("tab-transformer"))
        deck.settle(1.0)
        assert deck.bytes_sent_within(4.0) == b""

    def test_a_running_run_costs_a_clock(self, demo: Path) -> None:
        """Its duration goes on, and nothing else is painted."""
        with closing(sqlite3.connect(demo)) as connection, connection:
            connection.execute(
                "UPDATE runs SET status = 'RUNNING', end_time = NULL, start_time = ? WHERE name = 'tab-transformer'",
                (int((time.time() - 121) * 1000),),
            )
        with mldeck(demo) as deck:
            deck.wait_for("live · rw")
            deck.wait_for(COUNTED)
            deck.wait_for(details_of("tab-transformer"))
            deck.settle()
            row = deck.row_of("  tab-transformer ")
            assert row is not None
            before, line = len(deck.chunks), deck.lines[row]
            assert re.search(r" 2m +2m \d\ds ", line)
            deck.wait_for(lambda: deck.lines[row] != line)
            sent = b"".join(chunk.data for chunk in deck.chunks[before:])
            assert set(terminal.painted_rows(sent, range(100), range(1, 50))) == {row}

    def test_one_row_down_paints_two_rows(self, deck: Terminal) -> None:
        deck.wait_for(details_of("tab-transformer"))
        deck.settle()
        before = len(deck.chunks)
        deck.press("j", details_of("candidate-slow-learner"))
        deck.settle()
        sent = b"".join(chunk.data for chunk in deck.chunks[before:])
        left, below = deck.lines[2].index("││") + 1, deck.row_of("─ candidate-slow-learner ─")
        old = deck.row_of("  tab-transformer ")
        assert below is not None
        assert old is not None
        # The scrollbar, at the right end, may be painted with them.
        assert terminal.painted_rows(sent, range(left, 100), range(2, below)) == [old, old + 1]


class TestLive:
    def test_a_training_run_appears_and_moves(self, tmp_path: Path) -> None:
        with mldeck("demo", "--live", env={"TMPDIR": str(tmp_path)}) as deck:
            deck.wait_for("live-training-1")
            others = descendants(deck.process.pid)
            assert others

            def row() -> str:
                return next((line for line in deck.lines if "live-training-1 " in line), "")

            deck.wait_for(lambda: re.search(r"0\.\d+", row()))
            before = row()
            deck.wait_for(lambda: row() != before and re.search(r"0\.\d+", row()))
            deck.send("q")
            assert deck.wait_exit() == 0
            deck.assert_left_as_found()
        assert not any(map(terminal.is_running, others))
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["mlflow-1.2.0", "mlflow-2.9.2", "nyc-taxi"])
def test_stores_of_every_age_open(name: str, store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy(name)
    with mldeck(store.db) as deck:
        deck.wait_for(COUNTED)
        deck.wait_for(re.compile(r"run id +[0-9a-f]{32}"))
        deck.send("q")
        assert deck.wait_exit() == 0
