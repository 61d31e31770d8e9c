"""Reading stores that MLflow wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from mldeck.model import Column, Experiment, Kind, OrderKey, RunQuery, View
from mldeck.store.store import Store
from mldeck.ui.details.line_grid import LineGrid
from mldeck.ui.details.metric_grid import MetricGrid
from mldeck.ui.runs.experiment_list import ExperimentList
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.ui.deck import Deck, running_deck

CHURN_RUNS = 12
"""Active runs of the experiment `churn-baseline`, in every described fixture."""


def column_index(deck: Deck, key: str) -> int:
    return [column.key for column in deck.screen.table.cells.columns].index(key)


async def go_to_column(deck: Deck, key: str) -> None:
    table = deck.screen.table
    while table.cursor_column < column_index(deck, key):
        await deck.press("right")


async def test_every_release_opens_and_shows_its_experiments_and_runs(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        assert "Runs of churn-baseline" in deck.frame
        assert "team/rés… images" in deck.frame
        assert "running-now" in deck.frame
        assert "step-semantics" in deck.frame


async def test_without_a_name_the_experiment_of_the_newest_run_is_shown(
    store_copy: Callable[[str], FixtureStore],
) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_shown("Runs of scratch")
        await deck.until_counted(1)


async def test_going_to_a_run_goes_on_when_its_experiment_is_read_once_more(
    store_copy: Callable[[str], FixtureStore],
) -> None:
    """A second reading cancels the first one, which the way to the run waits for."""
    path = store_copy("nyc-taxi").db
    with closing(Store(path)) as store:
        other = next(found for found in store.experiments(View.ACTIVE) if found.name == "nyc-taxi-experiment")
        run = store.resolve_run(store.run_ids(RunQuery((other.experiment_id,)))[20])
    async with running_deck(path, experiment="scratch") as deck:
        await deck.until_counted(1)
        way = deck.screen.go_to(run)
        await deck.until(lambda: deck.screen.run_pane.is_listing, "the runs of its experiment are being read")
        deck.screen.run_pane.load_runs()
        await deck.until(lambda: way.is_finished, "the way is over")
        assert deck.screen.table.cursor_run == run.run_id


async def test_an_unknown_experiment_is_reported_and_another_one_shown(
    store_copy: Callable[[str], FixtureStore],
) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="no-such") as deck:
        await deck.until_shown("No experiment no-such")
        await deck.until_counted(1)


async def test_default_columns_are_those_that_differ(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        keys = [str(column) for column in deck.screen.table.cells.columns]
        assert keys[:5] == [
            "attributes.status",
            "attributes.run_name",
            "metrics.rmse",
            "metrics.validation-rmse",
            "attributes.start_time",
        ]
        assert "params.max_depth" in keys
        assert "params.learning_rate" in keys


async def test_sorting_goes_up_down_and_off_in_mlflows_order(fixture_store: FixtureStore) -> None:
    store = Store(fixture_store.db)
    experiment_id = fixture_store.experiment("churn")

    def expected(*order: OrderKey) -> list[str]:
        return store.run_ids(RunQuery((experiment_id,), order=order))

    auc = Column(Kind.METRIC, "auc")
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        await go_to_column(deck, "auc")
        table = deck.screen.table
        for order in ((OrderKey(auc),), (OrderKey(auc, descending=True),), ()):
            await deck.press("s")
            wanted = expected(*order)
            await deck.until(lambda wanted=wanted: list(table.run_ids) == wanted, f"sorted by {order}")  # type: ignore[misc]
            assert table.cursor_row == 0
        assert "sorted by" not in deck.frame
    store.close()


async def test_header_click_sorts(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        await deck.pilot.click("#runs", offset=(8, deck.screen.table.header_height - 1))
        await deck.until_shown("sorted by name ▲")


@pytest.mark.parametrize("fixture_store", DESCRIBED_FIXTURES, indirect=True)
async def test_inspector_follows_the_cursor_through_its_tabs(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        table = deck.screen.table
        table.move_to(list(table.run_ids).index(fixture_store.run("logreg")))
        await deck.until_shown(fixture_store.run("logreg"))
        assert "0123456789abcdef0123456789abcdef01234567" in deck.frame
        await deck.until_shown("Looks OK")  # the note, as Markdown
        await deck.press("right_square_bracket", "tab", "v")
        await deck.until_shown("big_int")
        assert "123456789012345" in deck.frame
        assert "1e-300" in deck.frame
        grid = deck.screen.query_one(MetricGrid)
        await deck.until(lambda: not grid.missing_outlines(), "histories")
        loss = [metric.key for metric in grid.metrics].index("loss")
        assert any("\u2800" < character <= "\u28ff" for character in grid.row_cells(loss)[-1].text)
        await deck.press("right_square_bracket")
        await deck.until_shown("multi line")
        assert "a↵b→c" in deck.frame
        await deck.press("right_square_bracket")
        await deck.until_shown("MLflow's own tags")
        assert "release.candidate" in deck.frame
        await deck.press("left_square_bracket")
        await deck.until_shown("multi line")


async def test_special_numbers_look_different(fixture_store: FixtureStore) -> None:
    if fixture_store.manifest["skipped"].get("loss=nan"):
        pytest.fail("the fixtures are of 1.2 and later, which have NaN")
    async with running_deck(fixture_store.db, experiment="churn-baseline", size=(200, 50)) as deck:
        await deck.until_counted(CHURN_RUNS)
        table = deck.screen.table
        row = list(table.run_ids).index(fixture_store.run("diverged"))
        for key, text in {"auc": "NaN", "score": "-inf", "only_inf": "inf", "big_int": "–"}.items():
            place = table.cells.columns.index(Column(Kind.METRIC, key))
            table.move_to(row, place)  # a column is read when it comes into view
            await deck.until(lambda: (table.row_cells(row) or ())[place].text.strip() == text, f"{key} is {text}")  # noqa: B023


async def test_parent_and_child_lead_to_each_other(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="team/résnet images") as deck:
        table = deck.screen.table
        await deck.until(lambda: fixture_store.run("parent") in table.run_ids, "runs")
        table.move_to(list(table.run_ids).index(fixture_store.run("parent")))
        fields = deck.screen.query_one("#fields", LineGrid)
        await deck.until(lambda: any(line.name == "child" for line in fields.lines), "children")
        children = [row for row, line in enumerate(fields.lines) if line.name == "child"]
        assert [fields.lines[row].run_id for row in children] == [fixture_store.run(f"child{n}") for n in range(3)]
        await deck.press("enter")  # into the inspector
        fields.move_to(children[1])
        await deck.press("enter")
        assert table.cursor_run == fixture_store.run("child1")
        await deck.until(lambda: any(line.name == "parent" for line in fields.lines), "the parent")
        parent = next(line for line in fields.lines if line.name == "parent")
        assert parent.run_id == fixture_store.run("parent")


async def test_dataset_inputs_are_listed(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with running_deck(store.db, experiment="team/résnet images") as deck:
        table = deck.screen.table
        await deck.until(lambda: store.run("parent") in table.run_ids, "runs")
        table.move_to(list(table.run_ids).index(store.run("parent")))
        await deck.until_shown("cifar10-train abc12345 as training (local), 50,000 rows")
        assert "cifar10-test def67890 as eval (http)" in deck.frame


async def test_deleted_runs_and_experiments_can_be_shown(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        await deck.press("v")
        await deck.until_shown("deleted-run")
        assert deck.screen.table.run_ids == [fixture_store.run("deleted")]
        await deck.press("v")
        await deck.until(lambda: deck.screen.table.row_count == CHURN_RUNS + 1, "all runs")
        await deck.press("v")
        await deck.until_counted(CHURN_RUNS)

        await deck.press("shift+tab")
        assert deck.screen.experiment_list.has_focus
        await deck.press("v")
        await deck.until(
            lambda: [experiment.name for experiment in deck.screen.experiment_list.experiments] == ["old-deleted"],
            "the deleted one",
        )
        await deck.press("enter")
        await deck.until_shown("inside-deleted")


async def test_find_in_the_run_table_goes_from_match_to_match(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        table = deck.screen.table
        await deck.press("slash", *"RF-DEPTH")
        await deck.until_shown("1 of 3")
        await deck.press("enter")
        visited = []
        for _ in range(4):
            visited.append(deck.run_names[table.cursor_row - table.top_row])
            await deck.press("n")
        assert visited == ["rf-depth-20", "rf-depth-10", "rf-depth-5", "rf-depth-20"]
        assert len(table.matches) == 3
        await deck.press("escape")
        await deck.until(lambda: not table.matches, "no matches any more")


async def test_find_reports_that_there_is_no_match(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        await deck.press("slash", *"100% no_such")
        await deck.until_shown("no match")
        await deck.press("escape")
        await deck.until(lambda: deck.screen.table.has_focus, "the table has the focus again")


async def test_find_in_a_list_of_the_inspector(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        table = deck.screen.table
        table.move_to(list(table.run_ids).index(fixture_store.run("logreg")))
        await deck.press("right_square_bracket", "right_square_bracket")
        await deck.until_shown("fit_intercept")
        await deck.press("enter", "slash", *"solver", "enter")
        grid = deck.screen.query_one("#params", LineGrid)
        await deck.until(lambda: grid.lines[grid.cursor_row].name == "solver", "the match")
        await deck.press("y")
        assert deck.app.clipboard == "lbfgs"


async def test_copying_the_run_id(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        await deck.press("down", "down", "y")
        assert deck.app.clipboard == deck.screen.table.run_ids[2]


async def test_a_long_text_is_shown_whole(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        table = deck.screen.table
        table.move_to(list(table.run_ids).index(fixture_store.run("logreg")))
        await deck.press("right_square_bracket", "right_square_bracket")
        await deck.until_shown("multi line")
        grid = deck.screen.query_one("#params", LineGrid)
        await deck.press("enter")
        grid.move_to([line.name for line in grid.lines].index("multi line"))
        await deck.press("enter")
        await deck.until_shown("Esc close")
        await deck.press("y")
        assert deck.app.clipboard == "a\nb\tc"
        await deck.press("escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1, "the dialog is closed")


async def test_marks_are_kept_through_sorting(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment="nyc-taxi-experiment") as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        first = table.run_ids[0]
        await deck.press("space", "space")
        await deck.until_shown("2 marked")
        await deck.press("s")
        await deck.until_shown("sorted by status ▲")
        await deck.until(lambda: first in table.run_ids, "sorted")
        assert first in deck.app.session.marked
        assert len(deck.app.session.marked) == 2


async def test_help_lists_every_key_and_escape_never_quits(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, size=(120, 60)) as deck:
        await deck.until_counted(1)
        await deck.press("question_mark")
        await deck.until_shown("Sort by the column under the cursor")
        await deck.press("escape", "escape", "escape")
        assert deck.app.is_running
        assert len(deck.app.screen_stack) == 1


async def test_ctrl_c_says_how_to_leave(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_counted(1)
        await deck.pilot.press("ctrl+c")
        await deck.until_shown("q leaves mldeck")
        assert "[b]" not in deck.frame


async def test_the_palette_offers_every_action_with_a_key(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db) as deck:
        await deck.until_counted(1)
        titles = [command.title for command in deck.app.get_system_commands(deck.screen)]
        assert any(title.startswith("Sort") for title in titles)
        assert any(title.startswith("Quit") for title in titles)
        await deck.press("colon", *"refresh")
        await deck.until_shown("Read everything again")


async def test_a_terminal_that_is_too_small_is_reported(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, size=(50, 12)) as deck:
        await deck.until_shown("mldeck needs at least 60x16")
        await deck.pilot.resize_terminal(80, 24)
        await deck.until_counted(1)


async def test_empty_experiment_says_what_to_do(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="empty-experiment") as deck:
        await deck.until_shown("No runs here yet.")
        assert deck.app.session.run_view is View.ACTIVE


async def test_read_only_is_shown(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, read_only=True) as deck:
        await deck.until_shown("read-only")


def test_the_workspace_follows_the_name_of_an_experiment() -> None:
    """A narrow list shows only the beginning of a label, so that must tell experiments apart."""
    shown = ExperimentList()
    found = [("1", "churn", "default"), ("2", "taxi", "default"), ("3", "churn", "lab"), ("4", "old", None)]
    shown.show([Experiment(id_, name, "active", workspace=workspace) for id_, name, workspace in found], {}, None)
    labels = [shown.row_text(row) for row in range(len(found))]
    assert labels == ["default/churn", "taxi · default", "lab/churn", "old"]
    shown.show([Experiment("1", "churn", "active", workspace="default")], {}, None)
    assert shown.row_text(0) == "churn"


@pytest.mark.parametrize("tabs", range(4))
async def test_no_tab_speaks_of_a_run_when_there_is_none(fixture_store: FixtureStore, tabs: int) -> None:
    async with running_deck(fixture_store.db, experiment="empty-experiment") as deck:
        await deck.until_shown("No runs here yet.")
        await deck.press(*["right_square_bracket"] * tabs)
        await deck.until_shown("No run under the cursor.")
        assert "This run" not in deck.frame


async def test_the_inspector_says_nothing_before_the_store_is_open(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    with closing(sqlite3.connect(path, isolation_level=None)) as locked:
        locked.execute("BEGIN EXCLUSIVE")
        async with running_deck(path) as deck:
            await deck.until_shown("locked by another program")
            assert "under the cursor" not in deck.frame
            locked.execute("ROLLBACK")
            await deck.until_counted(1)
