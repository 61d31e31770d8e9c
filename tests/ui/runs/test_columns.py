"""Choosing, ordering, pinning and resizing the columns of the run table, and its best values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from mldeck.model import Column, Kind, RunQuery
from mldeck.settings import state_folder
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.details.run_cells import NAME_INDEX
from mldeck.ui.kit.find_bar import FindBar
from mldeck.ui.runs.column_dialog import ColumnDialog
from mldeck.ui.runs.column_list import ColumnList
from mldeck.ui.runs.reading import read_opening
from mldeck.ui.state.columns import AGE, DURATION, NAME, ColumnChoice, ColumnSource
from mldeck.ui.state.metric_direction import BEST, Better
from tests import wide_runs
from tests.fixture_stores import FixtureStore
from tests.store_insides import engine_of
from tests.ui.deck import Deck, running_deck
from tests.ui.runs.test_live import writing
from tests.ui.runs.test_screen import CHURN_RUNS, go_to_column

TAXI = "nyc-taxi-experiment"
RMSE, VALIDATION = Column(Kind.METRIC, "rmse"), Column(Kind.METRIC, "validation-rmse")
DEPTH, SEED = Column(Kind.PARAM, "max_depth"), Column(Kind.PARAM, "seed")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wide_runs.make_wide_store(tmp_path_factory.mktemp("wide") / "mlflow.db")


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


def shown(deck: Deck) -> list[Column]:
    """The columns after the name."""
    return list(deck.screen.table.cells.columns[2:])


def column_list(deck: Deck) -> ColumnList:
    return deck.app.screen.query_one(ColumnList)


async def open_dialog(deck: Deck) -> ColumnList:
    await deck.press("c")
    await deck.until(lambda: isinstance(deck.app.screen, ColumnDialog), "the dialog")
    await deck.until_shown("in total")
    return column_list(deck)


async def apply(deck: Deck) -> None:
    """Close the dialog, and wait until the table shows the choice."""
    await deck.press("enter")
    await deck.until(lambda: not isinstance(deck.app.screen, ColumnDialog), "the dialog is closed")
    await deck.until(lambda: deck.app.session.columns and not deck.screen.table.missing()[0], "the columns")


async def search(deck: Deck, text: str) -> None:
    await deck.press("slash", *text, "enter")
    await deck.until(lambda: column_list(deck).has_focus, "the list")


async def test_columns_are_hidden_shown_and_moved(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        before = shown(deck)
        assert before[:4] == [RMSE, VALIDATION, AGE, DURATION]
        await open_dialog(deck)
        await deck.press("down", "down", "space", "K")  # hide the age, and move the duration before validation-rmse
        assert "custom" in deck.frame
        await search(deck, "git commit")
        await deck.press("space", "escape")
        await apply(deck)
        commit = Column(Kind.TAG, "mlflow.source.git.commit")
        assert shown(deck) == [RMSE, DURATION, VALIDATION, *before[4:], commit]
        assert deck.screen.table.row_count == 45


async def test_escape_changes_nothing(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        before = shown(deck)
        await open_dialog(deck)
        await deck.press("space", "space", "p", "plus", "escape")
        await deck.until(lambda: deck.screen.table.has_focus, "the table")
        assert shown(deck) == before
        assert not deck.app.session.saved.file.exists()


async def test_escape_ends_the_search_first(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        listed = len((await open_dialog(deck)).rows)
        await search(deck, "RMSE")
        await deck.until(lambda: {column.key for column in column_list(deck).rows} >= {"rmse"}, "the matches")
        assert len(column_list(deck).rows) < listed
        await deck.press("escape")
        await deck.until(lambda: len(column_list(deck).rows) == listed, "everything again")
        assert isinstance(deck.app.screen, ColumnDialog)


async def test_groups_narrow_the_list(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        columns = await open_dialog(deck)
        await deck.press("right_square_bracket", "right_square_bracket")
        await deck.until(lambda: {column.kind for column in columns.rows} == {Kind.METRIC}, "only metrics")
        await deck.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await deck.until(lambda: [column.key for column in columns.rows] == ["name", "digest", "context"], "datasets")


async def test_a_pinned_column_stays_on_screen_and_a_width_is_kept(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await open_dialog(deck)
        await search(deck, "max_depth")
        await deck.press("p", "plus", "plus", "escape")
        await apply(deck)
        table = deck.screen.table
        assert shown(deck)[0] == DEPTH
        width = table.columns[2].width
        assert deck.app.session.choice.widths == {DEPTH: width}
        await deck.press(*["right"] * (len(table.columns) - 1))
        assert table.visible_columns()[:3] == [0, 1, 2]
        assert table.cursor_column == len(table.columns) - 1
        assert "max_depth" in deck.frame
        await deck.pilot.resize_terminal(60, 20)
        await deck.until(lambda: len(table.visible_columns()) > 2, "something beside what is pinned")
        assert table.cursor_column in table.visible_columns()


async def test_the_name_is_sized_like_any_other_column_and_always_shown(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        width = table.columns[1].width
        columns = await open_dialog(deck)
        assert columns.rows[0] == NAME
        await deck.press("up", "space", "p", "J", "minus", "minus", "minus")
        assert "The name is always shown" in deck.frame
        await apply(deck)
        assert table.columns[1].width == width - 3
        assert deck.app.session.choice == ColumnChoice(widths={NAME: width - 3})
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        assert deck.screen.table.columns[1].width == width - 3
        await open_dialog(deck)
        await deck.press("up", "0")
        await apply(deck)
        assert deck.screen.table.columns[1].width == width


@pytest.mark.parametrize("name_length", [8, 20, 60, 200])
@pytest.mark.parametrize("metric_length", [4, 14, 40])
async def test_two_metrics_are_in_view_at_80_columns(taxi: Path, name_length: int, metric_length: int) -> None:
    long = {key: f"{key}{'_long' * metric_length}"[:metric_length] for key in ("rmse", "validation-rmse")}
    with writing(taxi) as connection:
        for before, after in long.items():
            connection.execute("UPDATE latest_metrics SET key = ? WHERE key = ?", (after, before))
        name = f"substr(name || '{'-more' * name_length}', 1, {name_length})"
        connection.execute(f"UPDATE runs SET name = {name}")
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        assert table.columns_on_screen()[:2] == tuple(Column(Kind.METRIC, key) for key in long.values())
        assert table.columns[NAME_INDEX].width >= 12
        rows = [table.row_cells(row) or () for row in table.visible_rows]
        assert all(len(row[index].text) <= table.columns[index].width for row in rows for index in (2, 3))


async def test_a_choice_is_saved_for_its_experiment_only(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await open_dialog(deck)
        await deck.press("space", "J", "p", "minus")
        await apply(deck)
        chosen, choice = shown(deck), deck.app.session.choice
        assert choice.source is ColumnSource.CHOSEN
        widths = [column.width for column in deck.screen.table.columns]
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        assert shown(deck) == chosen
        assert deck.app.session.choice == choice
        assert [column.width for column in deck.screen.table.columns] == widths
    async with running_deck(taxi, experiment="scratch") as deck:
        await deck.until_counted(1)
        assert deck.app.session.choice == ColumnChoice()


async def test_reset_restores_the_defaults(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        before = shown(deck)
        await open_dialog(deck)
        await deck.press("space", "space", "p")
        await apply(deck)
        assert shown(deck) != before
        await open_dialog(deck)
        await deck.press("r")
        await deck.until_shown("● d what differs")
        await apply(deck)
        await deck.until(lambda: shown(deck) == before, "the columns that differ")
        assert deck.app.session.choice == ColumnChoice()


async def test_all_columns_with_values_are_one_key_away(fixture_store: FixtureStore) -> None:
    with closing(Store(fixture_store.db)) as store:
        expected = store.present_columns(RunQuery((fixture_store.experiment("churn"),)))
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        await open_dialog(deck)
        await deck.press("a")
        await deck.until_shown("● a all with values")
        await apply(deck)
        main, others = expected[:2], expected[2:]
        await deck.until(lambda: shown(deck) == [*main, AGE, DURATION, *others], "all that some run has")
        assert {column.kind for column in expected} == {Kind.METRIC, Kind.PARAM, Kind.TAG}
        assert not any(column.key.startswith("mlflow.") for column in expected)


async def test_a_chosen_column_without_values_is_shown_as_missing(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        saved = deck.app.session.saved
        columns = [["metrics", "gone"], ["params", "gone"], ["attributes", "gone"], ["datasets", "name"]]
        saved.experiment("1")["columns"] = {"source": "chosen", "columns": columns, "pinned": [["tags", "gone"]]}
        saved.save()
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        cells = deck.screen.table.row_cells(0)
        assert cells is not None
        assert [cell.text.strip() for cell in cells[2:]] == ["–"] * 4
        await go_to_column(deck, "name")
        await deck.press("s")
        await deck.until_shown("Runs cannot be sorted by this column")


async def test_a_saved_state_that_cannot_be_read_changes_nothing(taxi: Path) -> None:
    folder = state_folder() / "stores"
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        expected, file = shown(deck), deck.app.session.saved.file
    folder.mkdir(parents=True)
    for text in ("{", json.dumps({"experiments": {"1": {"columns": [1], "best": 3}}})):
        file.write_text(text)
        async with running_deck(taxi, experiment=TAXI) as deck:
            await deck.until_counted(45)
            assert shown(deck) == expected


async def test_datasets_are_shown(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with running_deck(store.db, experiment="team/résnet images") as deck:
        await deck.until(lambda: store.run("parent") in deck.screen.table.run_ids, "runs")
        await open_dialog(deck)
        await search(deck, "dataset")
        await deck.press("p", "escape")
        await apply(deck)
        table = deck.screen.table
        await deck.until(lambda: shown(deck)[0] == Column(Kind.DATASET, "name"), "the column")
        cells = table.row_cells(list(table.run_ids).index(store.run("parent")))
        assert cells is not None
        assert cells[2].text == "cifar10-test, cifar10-train"


def starred(deck: Deck, key: str) -> list[str]:
    """Return the ids of runs whose value of the metric is highlighted."""
    table = deck.screen.table
    place = table.cells.columns.index(Column(Kind.METRIC, key))
    rows = [table.row_cells(row) for row in range(table.row_count)]
    return [run for run, cells in zip(table.run_ids, rows, strict=True) if cells and BEST in cells[place].text]


async def test_the_best_value_is_asked_for_once_and_highlighted(fixture_store: FixtureStore) -> None:
    query = RunQuery((fixture_store.experiment("churn"),))
    with closing(Store(fixture_store.db)) as store:
        best = store.best_values(query, {"auc": True, "only_inf": True})
        assert list(best) == ["auc"], "NaN and inf are nobody's best"
    async with running_deck(fixture_store.db, experiment="churn-baseline", size=(200, 50)) as deck:
        await deck.until_counted(CHURN_RUNS)
        await deck.press("b")
        await deck.until_shown("Only metrics have a best value")
        await go_to_column(deck, "auc")
        await deck.press("b")
        await deck.until_shown("When is auc best?")
        await deck.press("h")
        await deck.until(lambda: starred(deck, "auc"), "the best value")
        assert "auc ★hi" in deck.frame
        highest = starred(deck, "auc")
        await deck.press("b")
        await deck.until_shown("When is auc best?")
        await deck.press("l")
        await deck.until(lambda: starred(deck, "auc") and starred(deck, "auc") != highest, "the lowest value")
    async with running_deck(fixture_store.db, experiment="churn-baseline", size=(200, 50)) as deck:
        await deck.until_counted(CHURN_RUNS)
        await deck.until(lambda: starred(deck, "auc"), "remembered")
        assert "auc ★lo" in deck.frame
        await go_to_column(deck, "auc")
        await deck.press("b")
        await deck.until_shown("When is auc best?")
        await deck.press("n")
        await deck.until(lambda: not starred(deck, "auc"), "no best value")
        assert "auc ★lo" not in deck.frame


async def test_an_order_by_a_metric_says_how_to_set_which_values_are_best(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment="churn-baseline") as deck:
        await deck.until_counted(CHURN_RUNS)
        await go_to_column(deck, "auc")
        await deck.press("O")
        await deck.until_shown("sorted by auc ▲, lowest first (b sets which is best)")
        await deck.press("b", "h")
        await deck.until_shown("sorted by auc ▲, worst first")
        deck.app.session.better = {"val/auc": Better.HIGHER}  # as if MLflow's primary metric were another one
        await deck.press("O", "O")
        await deck.until_shown("sorted by auc ▼, highest first (higher val/auc is better)")


def set_primary_metric(connection: sqlite3.Connection, metric: str) -> None:
    tags = (("name", metric), ("greaterIsBetter", "False"))
    connection.executemany(
        "INSERT INTO experiment_tags (key, value, experiment_id) VALUES ('mlflow.experiment.primaryMetric.' || ?, ?, 1)",
        tags,
    )


async def test_the_primary_metric_comes_first(taxi: Path) -> None:
    with writing(taxi) as connection:
        set_primary_metric(connection, "validation-rmse")
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        before = shown(deck)
        assert before[:4] == [VALIDATION, RMSE, AGE, DURATION]
        await deck.until_shown("validation-rmse ★lo")
        for _ in range(2):
            await deck.press("s")
            await deck.until(lambda: deck.screen.table.order == deck.app.session.order, "sorted")
        await deck.press("f", *"params.max_depth = '9'", "enter")
        await deck.until(lambda: 0 < deck.screen.table.row_count < 45, "the filter")
        assert shown(deck)[: len(before)] == before, "neither sorting nor filtering moves a column"
        await open_dialog(deck)
        await deck.press("space", "d")
        assert [column.key for column in column_list(deck).rows][1:3] == ["validation-rmse", "rmse"]


def test_the_direction_of_the_primary_metric_comes_with_the_first_rows(taxi: Path) -> None:
    """A key that sorts, typed as soon as they are there, begins with the best values."""
    with writing(taxi) as connection:
        set_primary_metric(connection, "rmse")
    with closing(Store(taxi)) as store:
        opening = read_opening(store, TAXI, Interrupt())
    assert opening.page is not None
    assert opening.page.primary == ("rmse", False)


async def test_sorting_begins_with_the_best_values_as_soon_as_there_are_rows(taxi: Path) -> None:
    with writing(taxi) as connection:
        set_primary_metric(connection, "r2")
        connection.execute("UPDATE experiment_tags SET value = 'True' WHERE key LIKE '%greaterIsBetter'")
    async with running_deck(taxi, experiment=TAXI) as deck:
        table, session = deck.screen.table, deck.app.session
        await deck.until(lambda: table.run_ids, "the first rows")
        session.cycle_sort(Column(Kind.METRIC, "r2"), also=False)
        assert session.order[0].descending


async def test_the_title_says_which_columns_are_in_view(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        count = len(shown(deck))
        await deck.until_shown(f"Runs of {TAXI} · columns 1–2 of {count}")
        await deck.press(*["right"] * 5)
        await deck.until_shown(f"Runs of {TAXI} · {table.columns_in_view}")
        assert table.columns_in_view.endswith(f" of {count}")
        assert not table.columns_in_view.startswith("columns 1")
        with writing(taxi) as connection:
            connection.execute("UPDATE experiments SET name = ? WHERE experiment_id = 1", ("a name " * 20 + "end",))
        await deck.until_shown(f"name end · {table.columns_in_view}")  # the middle of the name is left out


async def test_a_column_is_found_by_a_part_of_its_name(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("right", "C", *"x_dep", "enter")
        await deck.until(lambda: table.cursor_key == DEPTH, "the column")
        await deck.press("s")
        await deck.until(lambda: [key.column for key in table.order] == [DEPTH], "sorted")
        await deck.press("slash", *"LIDA")
        await deck.until(lambda: table.cursor_key == VALIDATION, "the header")
        await deck.until_shown("column 1 of 1")
        row = table.cursor_row
        await deck.press("x")
        await deck.until_shown("no match")
        assert (table.cursor_key, table.cursor_row) == (DEPTH, row), "back where the search began"
        await deck.press(*["backspace"] * 9, *"rmse")
        await deck.until_shown("column 1 of 2")
        await deck.press("enter")
        await deck.until(lambda: table.has_focus, "the table")
        visited = []
        for _ in range(3):
            visited.append(table.cursor_key)
            await deck.press("n")
        assert visited == [RMSE, VALIDATION, RMSE]
        assert table.cursor_row == row


async def test_a_column_that_is_not_shown_is_not_said_to_be_missing(taxi: Path) -> None:
    with writing(taxi) as connection:
        connection.execute("INSERT INTO params (key, value, run_uuid) SELECT 'constant', 1, run_uuid FROM runs")
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        assert Column(Kind.PARAM, "constant") not in shown(deck)
        await deck.press("C", *"constant")
        await deck.until_shown("No column shown has that name. c chooses among all of")
        await deck.press("escape")
        await open_dialog(deck)
        await search(deck, "constant")
        assert "constant" in deck.frame


@pytest.mark.parametrize(
    ("key", "titles"),
    [
        ("start_time", ("age ▲, oldest first", "age ▼, newest first")),
        ("duration", ("duration ▲, shortest first", "duration ▼, longest first")),
    ],
)
async def test_the_title_says_which_ages_come_first(taxi: Path, key: str, titles: Sequence[str]) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await go_to_column(deck, key)
        for title in titles:
            await deck.press("O")
            await deck.until_shown(f"sorted by {title}")


async def test_what_was_found_of_a_shorter_text_leaves_no_trace(taxi: Path) -> None:
    with writing(taxi) as connection:
        sql = "SELECT run_uuid FROM runs WHERE experiment_id = 1 ORDER BY start_time LIMIT 1 OFFSET 4"
        ((oldest,),) = connection.execute(sql).fetchall()
        connection.execute("UPDATE runs SET name = 'seed-1' WHERE run_uuid = ?", (oldest,))
        sql = "UPDATE tags SET value = 'seed-1' WHERE key = 'mlflow.runName' AND run_uuid = ?"
        connection.execute(sql, (oldest,))
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        start = (table.cursor_row, table.cursor_column, table.top_row, table.first_column)

        def place() -> tuple[int, int, int, int]:
            return table.cursor_row, table.cursor_column, table.top_row, table.first_column

        await deck.press("slash", *"seed")
        await deck.until(lambda: table.cursor_key == SEED and table.cursor_run == oldest, "the run and the column")
        assert table.top_row > 0
        assert table.first_column > start[3]
        await deck.press("x")
        await deck.until_shown("no match")
        assert place() == start

        await deck.press("backspace")
        await deck.until(lambda: table.cursor_key == SEED and table.cursor_run == oldest, "found again")
        await deck.press("minus")
        await deck.until(lambda: place()[1::2] == start[1::2], "only the run is found, the columns are back")
        assert table.cursor_run == oldest
        await deck.press(*["backspace"] * 5, *"rmse")
        await deck.until(lambda: table.cursor_key == RMSE, "a column that was in view")
        assert table.first_column == start[3]


async def test_a_column_out_of_view_is_shown_again(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI, size=(80, 24)) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("slash", *"see")
        await deck.until(lambda: table.cursor_key == SEED, "the column")
        await deck.press("d")
        await deck.until(lambda: deck.app.screen.query_one(FindBar).input.text == "seed", "typed")
        await deck.until_shown("column 1 of 1")
        assert SEED in table.columns_on_screen()


async def test_a_row_and_a_column_are_found_at_once(taxi: Path) -> None:
    with writing(taxi) as connection:
        connection.execute("UPDATE params SET value = 'rmse' WHERE key = 'max_depth' AND value = '9'")
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("slash", *"rmse", "enter")
        await deck.until(lambda: deck.screen.table.matches, "the runs")
        await deck.until(lambda: deck.screen.table.cursor_run in deck.screen.table.matches, "a run")
        assert deck.screen.table.cursor_key == RMSE


async def test_any_of_thousands_of_columns_is_a_few_keys_away(wide: Path) -> None:
    async with running_deck(wide, size=(80, 24)) as deck:
        await deck.until(lambda: deck.screen.table.row_count, "runs")
        await open_dialog(deck)
        await deck.press("a")
        await deck.until_shown("● a all with values")
        await apply(deck)
        table = deck.screen.table
        await deck.until(lambda: len(table.columns) > 10_000, "all columns")
        wanted = table.cells.columns[-1]
        await deck.press("C", *wanted.key, "enter")
        await deck.until(lambda: table.cursor_key == wanted, "the column")
        await deck.until(lambda: table.columns_in_view.endswith(f"{len(table.columns) - 2:,}"), "the last one in view")


async def test_the_primary_metric_of_the_experiment_needs_no_question(taxi: Path) -> None:
    with writing(taxi) as connection:
        set_primary_metric(connection, "rmse")
        (lowest,) = connection.execute(
            "SELECT run_uuid FROM latest_metrics JOIN runs USING (run_uuid)"
            " WHERE key = 'rmse' AND experiment_id = 1 AND lifecycle_stage = 'active' AND NOT is_nan ORDER BY value"
        ).fetchone()
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.until(lambda: lowest in starred(deck, "rmse"), "the lowest rmse")
        assert "rmse ★lo" in deck.frame


async def test_the_best_value_is_among_the_listed_runs(taxi: Path) -> None:
    async with running_deck(taxi, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await go_to_column(deck, "rmse")
        await deck.press("b")
        await deck.until_shown("When is rmse best?")
        await deck.press("l")
        await deck.until(lambda: starred(deck, "rmse"), "the lowest rmse")
        lowest = deck.screen.table.cells.best["rmse"]
        deck.screen.run_pane.apply_filter(f"metrics.rmse > {lowest + 0.001}")
        await deck.until(lambda: deck.screen.table.cells.best["rmse"] > lowest + 0.001, "the best of those left")
        await deck.until(lambda: starred(deck, "rmse"), "highlighted")


@contextmanager
def key_statements(deck: Deck) -> Iterator[list[str]]:
    """Collect the statements of the app's store that read keys or values of metrics over all runs."""
    statements: list[str] = []

    def record(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "latest_metrics" in statement and "latest_metrics.run_uuid = ?" not in statement:
            statements.append(statement)

    engine = engine_of(deck.app.session.store)
    event.listen(engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", record)


class TestTwelveThousandMetrics:
    async def test_the_dialog_is_usable_at_once(self, wide: Path) -> None:
        async with running_deck(wide, experiment="wide") as deck:
            await deck.until_counted(wide_runs.RUNS)
            with key_statements(deck) as statements:
                columns = await open_dialog(deck)
            assert len(statements) == 1, "one skip-scan"
            assert "min(latest_metrics" in statements[0]
            assert columns.key_count > wide_runs.KEYS
            await search(deck, "11993")
            assert [column.key for column in columns.rows] == ["metric-11993"]
            await deck.press("space", "escape")
            await apply(deck)
            assert shown(deck)[-1] == Column(Kind.METRIC, "metric-11993")

    async def test_only_what_is_in_view_is_read(self, wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        real = Store.run_records

        def run_records(self: Store, ids: Any, fields: Any, *rest: Any) -> Any:
            asked.append(len(fields.metrics) + len(fields.params))
            return real(self, ids, fields, *rest)

        monkeypatch.setattr(Store, "run_records", run_records)
        async with running_deck(wide, experiment="wide") as deck:
            await deck.until_counted(wide_runs.RUNS)
            await open_dialog(deck)
            await deck.press("a")
            await deck.until_shown("12,003 shown")
            await apply(deck)
            table = deck.screen.table
            await deck.until(lambda: len(table.columns) == 2 + 2 + wide_runs.KEYS + 1, "all columns")
            table.move_to(0, len(table.columns) - 1)  # the param `seed`
            await deck.until(lambda: not table.missing()[0], "the values on the right")
            cells = table.row_cells(0)
            assert cells is not None
            assert cells[-1].text == str(wide_runs.RUNS - 1)
            await deck.press("s")
            await deck.until(lambda: table.order and table.run_ids[0] == wide_runs.run_id_of(0), "sorted")
            assert max(asked) <= 100

    async def test_it_opens_with_columns_that_differ(self, wide: Path) -> None:
        async with running_deck(wide, experiment="wide") as deck:
            await deck.until_counted(wide_runs.RUNS)
            columns = shown(deck)
            assert SEED in columns
            assert len(columns) < 100

    def test_what_differs_is_right_where_a_run_has_more_than_can_be_read(self, tmp_path: Path) -> None:
        db = wide_runs.make_wide_store(tmp_path / "mlflow.db", runs=10, keys=6_000, keys_per_run=6_000)
        with closing(Store(db)) as store:
            columns = store.differing_columns(store.run_ids(RunQuery((wide_runs.EXPERIMENT_ID,))))
        metrics = [column.key for column in columns if column.kind is Kind.METRIC]
        assert len(set(metrics)) == 30
        assert all(int(key.removeprefix("metric-")) % 7 for key in metrics), "every seventh is the same everywhere"
        assert columns[-1] == SEED

    def test_what_is_present_follows_the_filter(self, wide: Path) -> None:
        with closing(Store(wide)) as store:
            everything = store.present_columns(RunQuery((wide_runs.EXPERIMENT_ID,)))
            assert len(everything) == wide_runs.KEYS + 1
            some = store.present_columns(RunQuery((wide_runs.EXPERIMENT_ID,), filter="params.seed < 100"))
            few = store.present_columns(RunQuery((wide_runs.EXPERIMENT_ID,), filter="params.seed = '3'"))
            assert store.present_columns(RunQuery(("0",))) == ()
        assert len(few) == wide_runs.KEYS_PER_RUN + 1
        assert set(few) < set(some) < set(everything)
