"""A session that is left comes back at the next start."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mldeck.model import Column, Experiment, Kind, OrderKey, View
from mldeck.settings import config_file, load_settings
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.app import DeckApp
from mldeck.ui.compare.screen import CompareScreen
from mldeck.ui.runs.first_read import HeadStart
from mldeck.ui.runs.reading import FIRST_PAGE, Opening, read_opening
from mldeck.ui.state.restored import MOST_MARKS, ListChoice, ShownRuns, keep_choice, left_marks, left_shown, left_state
from mldeck.ui.state.saved_state import SavedState
from mldeck.ui.state.session import Session
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.filter.test_filter_line import type_text
from tests.ui.models.models_deck import models_deck
from tests.ui.runs.test_screen import go_to_column

TAXI = "nyc-taxi-experiment"
RMSE = OrderKey(Column(Kind.METRIC, "rmse"), descending=True)
DEPTH = Column(Kind.PARAM, "max_depth")
CANDIDATES = "candidate"


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


async def leave_sorted_filtered_and_marked(deck: Deck) -> list[str]:
    """Return the ids of the marked runs."""
    await deck.until_counted(45)
    await go_to_column(deck, "rmse")
    await deck.press("s", "s", "f")
    await type_text(deck, CANDIDATES)
    await deck.press("enter")
    await deck.until_shown("3 of 45 runs")
    await deck.press("g", "space", "down", "space")
    return list(deck.app.session.marked)


async def test_order_filter_marks_and_experiment_come_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, read_only=True) as deck:
        marked = await leave_sorted_filtered_and_marked(deck)
        names, colours = deck.run_names, list(deck.app.session.marked.values())
    async with running_deck(taxi) as deck:  # without a name, it would be the experiment of the newest run
        await deck.until_shown("3 of 45 runs")
        assert f"Runs of {TAXI}" in deck.frame
        assert "3 of 45 runs · sorted by rmse ▼, highest first (b sets which is best) · 2 marked" in deck.frame
        await deck.until_shown(f"filter {CANDIDATES}")
        assert "3 Compare (2)" in deck.frame
        assert deck.run_names == names
        assert list(deck.app.session.marked.items()) == list(zip(marked, colours, strict=True))
        assert deck.screen.table.has_focus
        await deck.press("F")
        await deck.until_counted(45)
    async with running_deck(taxi) as deck:
        await deck.until_counted(45)
        assert "sorted by rmse ▼" in deck.frame


@pytest.mark.parametrize(
    ("search", "count"), [("metrics.rmse < 3.3", None), ("run_name = 'candidate-3'", 1), ("zzz", 0)], ids=str
)
@pytest.mark.parametrize("group_by", [None, DEPTH], ids=["flat", "groups"])
async def test_a_filter_that_comes_back_leaves_the_columns_as_they_are(
    taxi: Path, search: str, count: int | None, group_by: Column | None
) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        columns = deck.app.session.columns
        assert len(columns) > 20
    left(taxi, ListChoice((RMSE,), search, group_by))
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_shown(f"{'' if count is None else count} of 45 runs")
        assert deck.app.session.columns == columns
        await deck.press("F")
        await deck.until_counted(45) if group_by is None else await deck.until(
            lambda: deck.screen.run_pane._count == 45
        )
        assert deck.app.session.columns == columns


async def test_an_experiment_that_is_asked_for_beats_the_last_one(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await leave_sorted_filtered_and_marked(deck)
    async with running_deck(taxi, experiment="scratch") as deck:
        await deck.until_shown("Runs of scratch")
        await deck.until_counted(1)
        assert "sorted by" not in deck.frame


async def test_each_experiment_has_its_own_order_and_filter(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await leave_sorted_filtered_and_marked(deck)
        deck.screen.set_focus(deck.screen.experiment_list)
        await deck.press("G")
        await deck.until_shown("Runs of Default")
        assert (deck.app.session.filter, deck.app.session.order) == ("", ())
        await deck.press("g", "down")
        await deck.until_shown(f"Runs of {TAXI}")
        await deck.until_shown("3 of 45 runs")
        assert deck.app.session.order == (RMSE,)


async def test_groups_and_the_tree_come_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await go_to_column(deck, "max_depth")
        await deck.press("B")
        await deck.until_shown("grouped by max_depth")
        await deck.until(lambda: deck.screen.table.arrangement.headings, "headings")
        rows = deck.screen.table.row_count
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until(lambda: deck.screen.table.arrangement.headings, "headings")
        assert deck.screen.table.row_count == rows
        assert "grouped by max_depth" in deck.frame
        await deck.press("T")
        await deck.until(lambda: not deck.screen.table.arrangement.headings, "the tree")
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        assert deck.app.session.layout.is_tree


async def test_tabs_come_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await leave_sorted_filtered_and_marked(deck)
        await deck.press("right_square_bracket", "right_square_bracket")
        await deck.until_shown("max_depth")
        await deck.press("3")
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen), "Compare")
        await deck.press("right_curly_bracket", "right_curly_bracket")
        await deck.until_shown("Parallel of 2 runs")
    async with running_deck(taxi, size=(160, 40)) as deck:
        await deck.until_shown("3 of 45 runs")
        await deck.until(lambda: deck.screen.inspector.query_one("#params").display, "the params")
        assert not deck.screen.inspector.query_one("#overview").display
        await deck.press("3")
        await deck.until_shown("Parallel of 2 runs")


async def test_only_marked_runs_come_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("space", "down", "space", "M")
        await deck.until_shown("only 2 marked")
        names = deck.run_names
        assert len(names) == 2
    async with running_deck(taxi) as deck:
        await deck.until_shown("2 runs · only 2 marked")
        assert deck.run_names == names
        await deck.press("M")
        await deck.until_counted(45)
    async with running_deck(taxi) as deck:
        await deck.until_counted(45)
        assert "only" not in deck.frame


async def test_the_lifecycle_stages_come_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("v")
        await deck.until_shown("(deleted)")
        deck.screen.set_focus(deck.screen.experiment_list)
        await deck.press("v", "v")
        await deck.until(lambda: deck.app.session.experiment_view is View.ALL, "all experiments")
    async with running_deck(taxi) as deck:
        await deck.until_shown("(deleted)")
        assert deck.app.session.run_view is View.DELETED
        assert deck.app.session.experiment_view is View.ALL
        assert deck.screen.experiment_list.border_title == "All experiments"
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        assert "(deleted)" not in deck.frame, "an experiment that is asked for shows its active runs"


async def test_joined_experiments_come_back(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        listed = deck.screen.experiments.experiments
        deck.screen.set_focus(deck.screen.experiment_list)
        for row in range(2):
            deck.screen.experiment_list.move_to(row)
            await deck.press("space")
        await deck.until_shown("Runs of 2 experiments")
        joined = deck.app.session.joined
        assert len(joined) == 2 <= len(listed)
        count = deck.screen.table.row_count
    async with running_deck(taxi) as deck:
        await deck.until_shown("Runs of 2 experiments")
        await deck.until(lambda: deck.screen.table.row_count == count, "their runs")
        assert deck.app.session.joined == joined
        assert deck.screen.experiment_list.marked_ids == [experiment.experiment_id for experiment in joined]
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        assert not deck.app.session.joined


async def test_the_table_of_versions_comes_back(taxi: Path) -> None:
    async with models_deck(taxi, 2, model="nyc-taxi-regressor") as models:
        await models.press("v")
        await models.until(lambda: models.versions.table.row_count == 3, "the table")
    async with models_deck(taxi, 2, model="nyc-taxi-regressor") as models:
        await models.until(lambda: models.versions.table.row_count == 3, "the table")
        assert models.versions.table.display
        assert not models.versions.board.display
        await models.until(lambda: models.versions.table.has_focus, "the focus")
        await models.press("v")
    async with models_deck(taxi, 2, model="nyc-taxi-regressor") as models:
        assert models.versions.board.display


@pytest.mark.parametrize(
    "written",
    [
        {"joined": "x", "run_view": 7, "experiment_view": [], "only_marked": "yes"},
        {"joined": [["1", 5], ["9", 1], 3, ["1"]], "run_view": "gone"},
        {},
    ],
)
def test_malformed_views_become_the_default(written: dict[str, Any]) -> None:
    assert left_shown(written, [Experiment("1", "one", "active", creation_time=1)]) == ShownRuns()


def test_the_second_process_leaves_another_view_to_the_place(taxi: Path) -> None:
    saved, experiment = SavedState.of(taxi), Experiment("1", TAXI, "active")
    saved.last = left_state(experiment, {}, is_tree=False, shown=ShownRuns(run_view=View.DELETED))
    saved.save()
    saved.flush()
    store = Store(taxi, read_only=True)
    with closing(store):
        assert read_opening(store, None, Interrupt()).page is None
        asked = read_opening(store, TAXI, Interrupt())
    assert asked.page is not None
    assert asked.chosen is not None
    assert asked.chosen.name == TAXI


async def test_the_tab_of_runs_survives_a_look_at_an_experiment(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        inspector = deck.screen.inspector
        await deck.until(lambda: inspector.details is not None, "the run")
        await deck.press("right_square_bracket", "right_square_bracket")
        assert inspector.query_one("#params").display
        deck.screen.set_focus(deck.screen.experiment_list)
        await deck.until(lambda: inspector.query_one("#overview").display, "the experiment")
        deck.screen.set_focus(deck.screen.table)
        await deck.until(lambda: inspector.query_one("#params").display, "the params")


@pytest.mark.parametrize("variable", ["", "MLDECK_THEME"])
async def test_the_theme_that_was_chosen_comes_back(taxi: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    config_file().parent.mkdir(parents=True)
    config_file().write_text('theme = "nord"')
    async with running_deck(taxi) as deck:
        assert deck.app.theme == "nord"
        deck.app.theme = "mldeck-light"
        await deck.pilot.pause()
    async with running_deck(taxi) as deck:
        assert deck.app.theme == "mldeck-light"
    if variable:
        monkeypatch.setenv(variable, "mldeck-dark")
    async with running_deck(taxi, theme=None if variable else "mldeck-dark") as deck:
        assert deck.app.theme == "mldeck-dark"


async def test_a_saved_theme_that_no_longer_exists_is_left_out(taxi: Path) -> None:
    session = Session(load_settings(), taxi)
    session.theme.save("no-such-theme")
    session.close()
    async with running_deck(taxi) as deck:
        assert deck.app.theme == "mldeck-dark"


# -- what is no longer true


def left(db: Path, choice: ListChoice, last: dict[str, Any] | None = None) -> None:
    """Save how the taxi runs are listed."""
    with closing(Store(db)) as store:
        experiment = next(found for found in store.experiments(View.ACTIVE) if found.name == TAXI)
    saved = SavedState.of(db)
    keep_choice(saved.experiment(experiment.experiment_id), (experiment,), choice)
    saved.last = last or left_state(experiment, {}, is_tree=False)
    saved.save()
    saved.flush()


async def test_what_is_gone_is_left_out(taxi: Path) -> None:
    gone = OrderKey(Column(Kind.METRIC, "gone"))
    left(taxi, ListChoice((gone, RMSE), "", Column(Kind.PARAM, "gone")))
    saved = SavedState.of(taxi)
    saved.last = {**saved.last, "marks": [["no-such-run", 1], ["x"], 3]}
    saved.save()
    saved.flush()
    async with running_deck(taxi) as deck:
        await deck.until_counted(45)
        assert deck.app.session.listed == ListChoice((RMSE,))
        assert deck.app.session.marked == {}
        assert "sorted by rmse ▼" in deck.frame
        assert "by gone" not in deck.frame


async def test_a_filter_that_cannot_be_read_is_left_out(taxi: Path) -> None:
    left(taxi, ListChoice((RMSE,), "metrics.rmse <"))
    async with running_deck(taxi) as deck:
        await deck.until_counted(45)
        assert deck.app.session.listed == ListChoice((RMSE,))


async def test_another_store_at_the_same_path_is_shown_as_new(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await leave_sorted_filtered_and_marked(deck)
    with closing(Store(taxi)) as store:
        newest = store.newest_run_experiment([each.experiment_id for each in store.experiments(View.ACTIVE)])
        assert newest is not None
    saved = SavedState.of(taxi)
    text = saved.file.read_text()
    for experiment in json.loads(text)["last"]["experiment"]:
        text = text.replace(str(experiment[1]), "12345")
    saved.file.write_text(text)
    async with running_deck(taxi) as deck:
        await deck.until_shown("Runs of scratch")
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        assert deck.app.session.listed == ListChoice()


def test_very_many_marks_are_not_saved() -> None:
    session = left_state(
        Experiment("1", "taxi", "active"), dict.fromkeys(map(str, range(MOST_MARKS)), 1), is_tree=False
    )
    assert len(left_marks(session)) == MOST_MARKS
    session = left_state(Experiment("1", "taxi", "active"), dict.fromkeys(map(str, range(100_000)), 1), is_tree=False)
    assert left_marks(session) == {}
    assert len(json.dumps(session)) < 200


# -- the first frame


GROUPS = ListChoice((), "", DEPTH, frozenset({"8"}))


@pytest.mark.parametrize("choice", [ListChoice((RMSE,), CANDIDATES), GROUPS], ids=["sorted", "grouped"])
def test_the_second_process_reads_what_was_left(taxi: Path, choice: ListChoice) -> None:
    left(taxi, choice)
    head_start = HeadStart()
    head_start.ask(taxi, read_only=True, experiment_name=None)
    opening = head_start.result()
    with closing(Store(taxi)) as store:
        assert repr(opening) == repr(read_opening(store, None, Interrupt()))  # NaN is not equal to itself
    assert opening is not None
    assert opening.page is not None
    assert opening.chosen is not None
    assert (opening.chosen.name, opening.listed) == (TAXI, choice)
    headings = opening.page.arrangement.headings.values()
    opened = sum(heading.count for heading in headings if heading.is_open)
    assert (opened > 0) == (len(headings) > 2) == bool(choice.opened)
    assert len(opening.page.arrangement.run_ids) == (3 if choice.filter else len(headings) + opened)
    assert bool(opening.page.summaries) == bool(choice.opened)


def test_the_second_process_reads_the_tree_and_the_marks_that_are_left(taxi: Path) -> None:
    with closing(Store(taxi)) as store:
        plain = read_opening(store, TAXI, Interrupt())
        assert plain.page is not None
        assert plain.chosen is not None
        run_id = plain.page.arrangement.run_ids[0]
        left(taxi, ListChoice(), left_state(plain.chosen, {run_id: 2, "gone": 1}, is_tree=True))
        opening = read_opening(store, None, Interrupt())
    assert opening.marks == {run_id: 2}
    assert opening.page is not None
    assert 0 < len(opening.page.arrangement.run_ids) <= FIRST_PAGE


class _Ready(HeadStart):
    def __init__(self, opening: Opening) -> None:
        super().__init__()
        self._opening = opening

    def result(self) -> Opening:
        return self._opening


async def test_the_first_frame_shows_what_was_left(taxi: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        marked = await leave_sorted_filtered_and_marked(deck)
    with closing(Store(taxi)) as store:
        opening = read_opening(store, None, Interrupt())
    may_open = threading.Event()
    really_open = Session.open

    def slow_open(session: Session) -> None:
        may_open.wait(30)
        really_open(session)

    monkeypatch.setattr(Session, "open", slow_open)
    app = DeckApp(load_settings(), taxi, _Ready(opening))
    async with app.run_test(size=(120, 40)) as pilot:
        deck = Deck(app, pilot)
        await deck.until(lambda: deck.screen.table.row_count, "the first runs")
        await deck.pilot.pause()
        first = deck.frame
        assert not app.session.is_open
        assert "sorted by rmse ▼, highest first (b sets which is best) · 2 marked" in first
        assert CANDIDATES in first
        assert list(app.session.marked) == marked
        rows = [deck.screen.table.region, *deck.screen.table.run_ids]
        may_open.set()
        await deck.until_shown("3 of 45 runs")
        assert [deck.screen.table.region, *deck.screen.table.run_ids] == rows
        app.exit()
    app.session.close()
