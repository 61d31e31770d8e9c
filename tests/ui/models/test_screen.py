"""The place Models: the list, the board, the table, the inspector, and every key that shows something."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from mldeck.artifacts.file_facts import FileFacts
from mldeck.errors import StoreUnavailable
from mldeck.model import Column, Kind
from mldeck.registry.nouns import STAGES, ModelVersion
from mldeck.store.interrupt import Interrupt
from mldeck.ui.details.line_grid import LineGrid
from mldeck.ui.kit.markdown_pane import MarkdownPane
from mldeck.ui.models import models_pane, reading, versions_pane
from mldeck.ui.models.reading import RegistryListing, VersionOrder
from mldeck.ui.models.screen import ModelsScreen
from mldeck.ui.runs.screen import RunsScreen
from mldeck.ui.state.session import Session
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MIGRATED, MODEL, two_workspaces
from tests.ui.deck import running_deck
from tests.ui.models.models_deck import NEWEST, REGISTRIES, ModelsDeck, models_deck
from tests.ui.runs.test_live import writing

CopyOf = Callable[[str], FixtureStore]


@pytest.fixture(params=REGISTRIES)
def store(request: pytest.FixtureRequest, store_copy: CopyOf) -> FixtureStore:
    return store_copy(request.param)


@pytest.fixture
def newest(store_copy: CopyOf) -> FixtureStore:
    return store_copy(NEWEST)


@asynccontextmanager
async def place(
    path: Path, *, registry_store: Path | None = None, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[ModelsDeck]:
    """The place Models after pressing 2."""
    async with running_deck(path, size=size, registry_store=registry_store) as runs:
        deck = ModelsDeck(runs.app, runs.pilot)
        await deck.until(lambda: deck.app.session.is_open, "the store is open")
        await deck.press("2")
        await deck.until(lambda: isinstance(deck.app.screen, ModelsScreen), "the place")
        yield deck


def add_versions(store: FixtureStore, count: int, stage: str = "None") -> None:
    """Add versions after the present ones, from the run of version 1."""
    with writing(store.db) as connection:
        connection.executemany(
            "INSERT INTO model_versions (name, version, creation_time, last_updated_time, current_stage, run_id, status)"
            " SELECT name, ?, creation_time, last_updated_time, ?, run_id, 'READY' FROM model_versions"
            " WHERE name = ? AND version = 1",
            [(number, stage, MODEL) for number in range(100, 100 + count)],
        )


def version_of(deck: ModelsDeck) -> int | None:
    version = deck.models.cursor_version
    return version.version if version else None


def run_in_table(deck: ModelsDeck) -> str | None:
    """The run under the cursor of the place Runs; None in other places."""
    return deck.screen.table.cursor_run if isinstance(deck.app.screen, RunsScreen) else None


def fields(deck: ModelsDeck) -> dict[str, str]:
    return {line.name: line.text for line in deck.models.query_one("#version-fields", LineGrid).lines}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions whose files were read, in order."""
    numbers: list[int] = []
    real = reading.read_facts

    def read(session: Session, version: ModelVersion, interrupt: Interrupt) -> FileFacts:
        if reading.known_facts(session, version) is None:
            numbers.append(version.version)
        return real(session, version, interrupt)

    monkeypatch.setattr(reading, "read_facts", read)
    monkeypatch.setattr(versions_pane, "read_facts", read)
    return numbers


class TestList:
    async def test_the_list_shows_the_versions_in_use(self, store: FixtureStore) -> None:
        async with place(store.db) as deck:
            await deck.until(lambda: deck.model_list.row_count, "the models")
            assert deck.model_list.has_focus
            await deck.until_shown("▸ churn-model")
            (line,) = (line for line in deck.frame.splitlines() if "▸ churn-model" in line)
            assert "P2 S3" in line
            await deck.until_shown("churn-model · ")
            await deck.until_shown("5 versions")
            assert fields(deck)["latest Production"] == "2"

    async def test_an_orphan_is_marked(self, store_copy: CopyOf) -> None:
        async with place(store_copy(MIGRATED).db) as deck:
            await deck.until_shown("old-name (orphan)")
            await deck.press("G")
            await deck.until_shown("a rename by MLflow 1.8 or earlier")
            await deck.until_shown("1 version ")

    async def test_an_alias_of_a_deleted_version_is_marked(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            connection.execute(
                "INSERT INTO registered_model_aliases (alias, version, name) VALUES ('lost', 5, ?)", (MODEL,)
            )
        async with place(newest.db) as deck:
            await deck.until_shown("@lost → 5, a deleted version")
            assert "@lost" not in str(deck.models.query_one("#version-pane").border_subtitle)

    async def test_find(self, store: FixtureStore) -> None:
        async with place(store.db) as deck:
            await deck.until(lambda: deck.model_list.row_count, "the models")
            await deck.press("slash", *"empty", "enter")
            await deck.until(lambda: deck.model_list.cursor_name == "empty-model", "found")
            await deck.until_shown("This model has no versions.")

    async def test_filter_in_mlflows_language(self, store: FixtureStore) -> None:
        async with place(store.db) as deck:
            await deck.until(lambda: deck.model_list.row_count, "the models")
            count = deck.model_list.row_count
            await deck.press("f")
            await deck.type("name LIKE 'e%'")
            await deck.until_shown("1 found")
            await deck.press("enter")
            await deck.until(lambda: deck.model_list.has_focus, "the list")
            await deck.until(lambda: deck.models.cursor_model is not None, "its versions")
            assert [each.name for each in deck.model_list.models] == ["empty-model"]
            await deck.press("f", "ctrl+u", "enter")
            await deck.until(lambda: deck.model_list.row_count == count, "all again")

    async def test_an_error_in_the_filter_is_marked_and_the_list_stays(self, newest: FixtureStore) -> None:
        async with place(newest.db) as deck:
            await deck.until(lambda: deck.model_list.row_count == 4, "the models")
            await deck.press("f")
            deck.models.query_one("#filter-text", Input).value = "stage = 'x'"  # pasted: a part of it would be a filter
            await deck.until_shown("▲ Expected name or tags, found 'stage'")
            assert deck.model_list.row_count == 4

    async def test_nothing_matches(self, newest: FixtureStore) -> None:
        async with place(newest.db) as deck:
            await deck.until(lambda: deck.model_list.row_count, "the models")
            await deck.press("f")
            await deck.type("tags.team = 'nobody'")
            await deck.press("enter")
            await deck.until_shown("No model matches tags.team = 'nobody'")
            assert deck.models.cursor_version is None

    async def test_sort_by_name_and_age(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            connection.execute("UPDATE registered_models SET last_updated_time = 1 WHERE name = 'direct-model'")
        async with place(newest.db) as deck:
            grid = deck.model_list
            await deck.until(lambda: grid.row_count, "the models")
            names = [each.name for each in grid.models]
            assert names == sorted(names)
            await deck.press("S")
            await deck.until(lambda: [each.name for each in grid.models] == names[::-1], "the other way round")
            assert grid.cursor_name == names[0], "the cursor stays on its model"
            await deck.press("right", "right", "S")
            await deck.until(lambda: grid.models[-1].name == "direct-model", "the newest change first")
            await deck.press("left", "S")
            await deck.until_told("Models can be sorted by name or age")

    @pytest.mark.parametrize("tabs", [1, 2, 3, 4])
    async def test_no_tab_speaks_of_a_version_when_a_model_is_shown(self, newest: FixtureStore, tabs: int) -> None:
        async with place(newest.db) as deck:
            await deck.until(lambda: deck.models.inspector.model is not None, "the overview of a model")
            await deck.press(*["right_square_bracket"] * tabs)
            await deck.until_shown("Enter goes to the versions of this model.")
            assert "This version has" not in deck.frame
            assert "No history" not in deck.frame

    async def test_a_store_without_a_registry_says_so(self, store_copy: CopyOf) -> None:
        async with place(store_copy("mlflow-1.2.0").db, size=(80, 24)) as deck:
            await deck.until_shown("before MLflow 1.4")
            assert "--registry-store" in deck.frame
            await deck.press("f", "x", "enter")
            await deck.until_shown("0 found")
            assert "before MLflow 1.4" in deck.frame, "no filter would find any"
            await deck.press("p")
            await deck.until_refused("This database is from before MLflow 1.4: it has no model registry")

    async def test_an_unreadable_registry_is_not_called_empty(
        self, newest: FixtureStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def read(*_: object) -> RegistryListing:
            raise StoreUnavailable("the registry is busy")

        monkeypatch.setattr(models_pane, "read_listing", read)
        async with place(newest.db) as deck:
            await deck.until_shown("the registry is busy")
            await deck.press("H")
            await deck.until_refused("The models have not been read; ctrl+r reads them")
            assert "No models registered" not in deck.frame
            monkeypatch.undo()
            await deck.press("ctrl+r")
            await deck.until_shown("churn-model · ")

    async def test_an_empty_registry_says_how_to_fill_it(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            for table in ("registered_model_aliases", "model_version_tags", "model_versions", "registered_model_tags"):
                connection.execute(f"DELETE FROM {table}")
            connection.execute("DELETE FROM registered_models")
        async with place(newest.db) as deck:
            await deck.until_shown("Press r on a run to register a model")
            assert "--registry-store" in deck.frame
            await deck.press("enter", "o", "v", "v", "m", "E", "S", "f", "escape", "escape")
            await deck.until_shown("No models registered yet.")
            await deck.press("p")
            await deck.until_refused("There are no models")

    async def test_a_registry_in_another_database(self, newest: FixtureStore, store_copy: CopyOf) -> None:
        runs = store_copy("nyc-taxi")
        async with place(runs.db, registry_store=newest.db) as deck:
            await deck.until_shown("churn-model")
            await deck.press("enter")
            await deck.until(lambda: "not in this database" in fields(deck).get("run", ""), "whose runs are not here")
            with writing(newest.db) as connection:
                connection.execute("INSERT INTO registered_models (name, creation_time) VALUES ('fresh', 1)")
            await deck.until_shown("fresh")


class TestWorkspaces:
    async def test_the_default_one_is_shown_until_another_is_chosen(self, newest: FixtureStore) -> None:
        two_workspaces(newest)
        async with place(newest.db) as deck:
            await deck.until_shown("Models of default")
            await deck.until_shown("5 versions")
            await deck.press("W", "down", "enter")
            await deck.until_shown("Models of lab")
            await deck.until(lambda: [each.version for each in deck.versions.versions] == [9], "its versions")
            assert deck.model_list.row_count == 1
            assert not any("no longer registered" in each for each in deck.told)
            await deck.press("enter", "enter")
            await deck.until(lambda: "run" in fields(deck), "the inspector")
            await deck.press("escape", "escape", "W", "enter")
            await deck.until_shown("Models of default")
            await deck.until(lambda: len(deck.versions.versions) == 5, "the others again")

    async def test_a_single_workspace_is_not_named(self, store: FixtureStore) -> None:
        async with place(store.db) as deck:
            await deck.until(lambda: deck.model_list.row_count, "the models")
            assert "Models of" not in deck.frame
            await deck.press("W")
            await deck.until_refused("only one workspace")


class TestBoard:
    async def test_the_cursor_of_another_model_starts_in_production(self, newest: FixtureStore) -> None:
        """It also has a version with the number that the cursor was on."""
        with writing(newest.db) as connection:
            connection.execute("INSERT INTO registered_models (name, creation_time) VALUES ('zz', 1)")
            connection.executemany(
                "INSERT INTO model_versions (name, version, creation_time, current_stage) VALUES ('zz', ?, 1, ?)",
                [(1, "Archived"), (2, "Production"), (3, "None")],
            )
        async with models_deck(newest.db, 3) as deck:
            await deck.press("escape", "G")
            await deck.until(lambda: len(deck.versions.versions) == 3, "its versions")
            assert version_of(deck) == 2

    async def test_a_card_in_the_column_of_its_stage(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            board = deck.versions.board
            stages = {
                stage: [board.data.versions[row].version for row in rows]
                for stage, rows in zip(STAGES, board.stages, strict=True)
            }
            assert stages == {"None": [6, 4], "Staging": [3], "Production": [2], "Archived": [1]}
            heads = deck.frame.splitlines()[2]
            assert "None 2" in heads
            assert heads.index("None") < heads.index("Staging") < heads.index("Production") < heads.index("Archived")

    async def test_arrows_go_from_card_to_card(self, store: FixtureStore) -> None:
        async with models_deck(store.db, version=None) as deck:
            await deck.press("enter")
            assert version_of(deck) == 2, "what serves comes first"
            for key, number in (
                ("left", 3),
                ("h", 6),
                ("down", 4),
                ("j", 4),
                ("right", 3),
                ("l", 2),
                ("right", 1),
                ("right", 1),
            ):
                await deck.press(key)
                assert version_of(deck) == number, key
            await deck.press("left", "left", "left", "G")
            assert version_of(deck) == 4
            await deck.press("k")
            assert version_of(deck) == 6

    async def test_empty_columns_are_passed_over(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            connection.execute("UPDATE model_versions SET current_stage = 'None' WHERE version IN (2, 3)")
        async with models_deck(newest.db, version=6) as deck:
            await deck.press("right")
            assert version_of(deck) == 1
            await deck.press("left")
            assert version_of(deck) == 6

    async def test_many_versions_scroll_within_their_stage(self, newest: FixtureStore) -> None:
        add_versions(newest, 60, "Archived")
        async with models_deck(newest.db, version=159) as deck:
            assert "Archived 61" in deck.frame
            assert "↓" in deck.frame
            board = deck.versions.board
            await deck.press("pagedown")
            assert version_of(deck) == 159 - board.cards_at_once
            await deck.press("G")
            assert version_of(deck) == 1
            await deck.until_shown(f"↑{61 - board.cards_at_once}")
            assert "┏━ 1 " in deck.frame
            await deck.press("left")
            assert version_of(deck) == 2, "the other columns have not moved"
            await deck.press("right", "g")
            assert version_of(deck) == 159

    async def test_the_metric_of_the_cards(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            metric = deck.versions.card_metric
            assert metric is not None
            assert f"churn-model · {metric}" in deck.frame
            others = [each for each in deck.versions.board.data.metrics if each != metric]
            await deck.press("m")
            await deck.until_shown("Metric on the cards")
            index = deck.versions.board.data.metrics.index(others[0])
            await deck.press(*["down"] * index, "enter")
            await deck.until_shown(f"churn-model · {others[0]}")
            await deck.press("escape", "down", "up")
            await deck.until_shown(f"churn-model · {others[0]}")

    async def test_the_best_value_is_marked_when_the_direction_is_known(self, store_copy: CopyOf) -> None:
        store = store_copy("nyc-taxi")
        with writing(store.db) as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO experiment_tags (key, value, experiment_id) VALUES (?, ?, 1)",
                [
                    ("mlflow.experiment.primaryMetric.name", "rmse"),
                    ("mlflow.experiment.primaryMetric.greaterIsBetter", "false"),
                ],
            )
        async with models_deck(store.db, model="nyc-taxi-regressor", version=2) as deck:
            await deck.until_shown("rmse ★lo")
            values = {
                each.version: deck.versions.records[each.run_id or ""].metrics["rmse"]
                for each in deck.versions.versions
            }
            best = min(values, key=values.__getitem__)
            marked = [line for line in deck.frame.splitlines() if "★ " in line]
            assert len(marked) == 1
            assert f"★ {values[best]:.3f}" in marked[0]

    async def test_a_click_selects_a_card_and_a_double_click_opens_it(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await deck.pilot.click("#board", offset=(3, 3))
            await deck.until(lambda: version_of(deck) == 6, "the first card")
            await deck.pilot.click("#board", offset=(3, 3), times=2)
            await deck.until(lambda: deck.models.inspector.has_focus_within, "in the inspector")

    async def test_the_wheel_scrolls_the_column_under_it(self, newest: FixtureStore) -> None:
        add_versions(newest, 20, "Archived")
        async with models_deck(newest.db, version=2) as deck:
            board = deck.versions.board
            wheel = events.MouseScrollDown(board, board.size.width - 3, 5, 0, 1, 0, False, False, False)
            board.post_message(wheel)
            await deck.until_shown("Archived 21 ↑1")
            assert version_of(deck) == 2

    async def test_find_among_the_versions(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await deck.press("slash")
            await deck.type("champion")
            await deck.until(lambda: version_of(deck) == 2, "the one with the alias")
            await deck.press("enter")
            assert deck.versions.board.has_focus

    async def test_copy(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await deck.press("y")
            assert deck.app.clipboard == "models:/churn-model/3"


class TestTable:
    async def test_v_switches_between_board_and_table(self, store: FixtureStore) -> None:
        async with models_deck(store.db) as deck:
            await deck.press("v")
            await deck.until(lambda: deck.versions.table.row_count == 5, "the table")
            assert version_of(deck) == 3
            assert deck.versions.table.has_focus
            assert "Archived" in deck.frame
            await deck.press("j")
            number = version_of(deck)
            await deck.press("v")
            assert deck.versions.board.has_focus
            assert version_of(deck) == number

    async def test_sorted_like_the_run_table(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await deck.press("v")
            table = deck.versions.table

            def numbers() -> list[int]:
                return [table.data.versions[row].version for row in table.rows]

            await deck.until(lambda: numbers() == [6, 4, 3, 2, 1], "as registered, the newest first")
            await deck.press("S")
            assert numbers() == [1, 2, 3, 4, 6]
            await deck.press("S", "S")
            assert numbers() == [6, 4, 3, 2, 1]
            await deck.press("right", "S")
            assert numbers() == [6, 4, 3, 2, 1], "in the order of a version's life"
            await deck.press("S")
            assert numbers() == [1, 2, 3, 6, 4]
            assert version_of(deck) == 3, "the cursor stays on its version"

    async def test_files_are_counted_for_the_versions_in_view(self, newest: FixtureStore, counted: list[int]) -> None:
        add_versions(newest, 200)
        async with models_deck(newest.db, version=299, size=(200, 30)) as deck:
            await deck.press("v")
            table = deck.versions.table

            def sizes() -> list[str]:
                size = next(index for index, column in enumerate(table.columns) if column.label == "size")
                return [table.row_cells(row)[size].text for row in table.visible_rows]

            await deck.until(lambda: table.row_count == 205 and "…" not in sizes(), "the sizes in view")
            in_view = [table.data.versions[table.rows[row]].version for row in table.visible_rows]
            assert 2 not in in_view, "the version in Production is out of view"
            assert set(counted) == {2, *in_view}
            before = list(counted)
            await deck.press("j", "k", "k", "j")
            assert counted == before, "once in a session"
            await deck.press("G")
            await deck.until(lambda: table.top_row > 150 and "…" not in sizes(), "the sizes in view")
            assert len(set(counted)) <= 1 + 2 * len(in_view)
            assert "reference" in deck.frame

    async def test_no_sizes_are_read_while_their_columns_are_out_of_view(
        self, newest: FixtureStore, counted: list[int]
    ) -> None:
        async with models_deck(newest.db, version=3, size=(64, 24)) as deck:
            await deck.until(lambda: set(counted) == {2, 3}, "the version under the cursor, and what it would replace")
            await deck.press("v")
            table = deck.versions.table
            await deck.until(lambda: table.row_count == 5, "the table")
            assert not {"size", "signature"} & {table.columns[index].label for index in table.visible_columns()}
            assert set(counted) == {2, 3}
            while table.cursor_key != "signature":
                await deck.press("l")
            await deck.until(lambda: set(counted) == {1, 2, 3, 4, 6}, "the others")
            await deck.press("S")
            await deck.until(lambda: table.order is not None and table.order.column == "signature", "sorted")

    async def test_sorting_by_size_counts_the_files_of_all_versions(
        self, newest: FixtureStore, counted: list[int]
    ) -> None:
        add_versions(newest, 60)
        async with models_deck(newest.db, version=3, size=(200, 30)) as deck:
            await deck.press("v")
            table = deck.versions.table
            await deck.until(lambda: table.row_count == 65, "the table")
            while table.cursor_key != "size":
                await deck.press("l")
            await deck.press("S")
            await deck.until(lambda: table.order is not None, "sorted")
            assert set(counted) == {version.version for version in table.data.versions}
            sizes = [table._facts_of(table.data.versions[row]) for row in table.rows]
            known = [facts.size for facts in sizes if facts is not None and facts.size is not None]
            assert len(set(known)) > 1
            assert known == sorted(known)
            assert all(facts is not None and facts.size is None for facts in sizes[len(known) :]), (
                "unknown ones are last"
            )
            assert version_of(deck) == 3, "the cursor stays on its version"
            await deck.press("S")
            await deck.until(lambda: table.order is not None and table.order.descending, "the other way round")

    async def test_the_order_stays_if_the_counting_is_stopped(
        self, newest: FixtureStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def endless(session: Session, version: ModelVersion, interrupt: Interrupt) -> FileFacts:
            while True:
                interrupt.check()
                time.sleep(0.01)

        monkeypatch.setattr(versions_pane, "read_facts", endless)
        async with models_deck(newest.db, version=3, size=(200, 30)) as deck:
            await deck.press("v")
            table = deck.versions.table
            await deck.until(lambda: table.row_count == 5, "the table")
            while table.cursor_key != "size":
                await deck.press("l")
            await deck.press("S")
            await deck.until_shown("reading the size of all versions… Esc stops")
            await deck.press("escape")
            await deck.until(lambda: not deck.models.busy, "stopped")
            assert table.order is None

    async def test_sorted_by_running_time(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            connection.execute(
                "UPDATE runs SET end_time = start_time + 1 WHERE run_uuid ="
                " (SELECT run_id FROM model_versions WHERE name = ? AND version = 3)",
                (MODEL,),
            )
        async with models_deck(newest.db, version=3, size=(200, 50)) as deck:
            await deck.press("v")
            table = deck.versions.table
            await deck.until(lambda: table.row_count == 5, "the table")
            while table.cursor_key != "duration":
                await deck.press("l")
            await deck.press("S")
            records = [table.data.record(table.data.versions[row]) for row in table.rows]
            durations = [record.run.duration for record in records if record is not None]
            assert (durations[0], durations) == (1, sorted(durations, key=lambda duration: duration or 0))
            assert "1ms" in deck.frame

    async def test_filtered_by_the_source_runs(self, store_copy: CopyOf) -> None:
        async with models_deck(store_copy("nyc-taxi").db, model="nyc-taxi-regressor", version=2) as deck:
            await deck.press("f")
            await deck.until(lambda: deck.versions.table.row_count == 3, "f turns to the table")
            await deck.type("run_name = 'candidate-2' and metrics.rmse > 0")
            await deck.until_shown("1 of 3 versions")
            await deck.press("enter")
            await deck.until(lambda: deck.versions.table.has_focus, "the table")
            assert version_of(deck) == 2
            await deck.press("v")
            assert "3 versions" in deck.frame, "the board shows all of them"
            assert deck.versions.board.row_count == 3

    async def test_a_filter_stays_with_its_model(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, version=3) as deck:
            versions = deck.versions
            await deck.press("f")
            await deck.type("metrics.auc > 2")
            await deck.until_shown("0 of 5 versions")
            await deck.press("enter")
            await deck.go_to("direct-model", None)
            assert "metrics.auc" not in deck.frame
            assert versions.table.row_count == len(versions.versions) > 0
            await deck.go_to(MODEL, None)
            await deck.until_shown("0 of 5 versions")
            await deck.until_shown("metrics.auc > 2")
            await deck.press("enter", "v")
            await deck.until(lambda: versions.board.display, "the board")
            assert "metrics.auc" not in deck.frame, "the board shows all of them"

    async def test_matches_are_dropped_with_another_model(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, version=3) as deck:
            await deck.press("slash")
            await deck.type("rf")
            await deck.press("enter")
            await deck.until(lambda: deck.models.finder.has_matches, "matches")
            await deck.go_to("direct-model", None)
            assert not deck.models.finder.has_matches

    async def test_metrics_and_params_as_columns(self, store_copy: CopyOf) -> None:
        async with models_deck(store_copy("nyc-taxi").db, model="nyc-taxi-regressor", version=2) as deck:
            await deck.press("v")
            await deck.until(lambda: deck.versions.table.row_count, "the table")
            labels = [column.label for column in deck.versions.table.columns]
            weighed = ["rmse", "duration", "size", "signature"]
            assert labels[:9] == ["version", "stage", *weighed, "aliases", "age", "run"]
            assert "max_depth" in labels[9:]
            cells = deck.versions.table.row_cells(0)
            records = deck.versions.records
            rmse = records[deck.versions.versions[0].run_id or ""].metrics["rmse"]
            assert float(cells[2].text) == pytest.approx(rmse, rel=1e-4)

    async def test_columns_out_of_view_are_counted_and_gone_to(self, store_copy: CopyOf) -> None:
        async with models_deck(store_copy("nyc-taxi").db, model="nyc-taxi-regressor", version=2, size=(80, 24)) as deck:
            await deck.press("v")
            table = deck.versions.table
            await deck.until(lambda: table.row_count, "the table")
            await deck.until_shown("nyc-taxi-regressor · columns 1–")
            assert "→" in deck.frame
            await deck.press("C", *"max_d", "enter")
            await deck.until(lambda: table.cursor_key == Column(Kind.PARAM, "max_depth"), "the column")
            await deck.until_shown(f"nyc-taxi-regressor · {table.columns_in_view}")
            await deck.press("S")
            await deck.until(lambda: table.order is not None, "sorted")
            assert table.order == VersionOrder(Column(Kind.PARAM, "max_depth"))
            await deck.press("v")
            await deck.until(lambda: "columns" not in deck.frame, "the board")

    async def test_export(self, newest: FixtureStore, tmp_path: Path) -> None:
        async with models_deck(newest.db) as deck:
            await deck.press("E")
            await deck.until_shown("Export versions of churn-model")
            deck.app.screen.query_one("#export-path", Input).value = str(tmp_path / "versions.csv")
            await deck.press("enter")
            await deck.until(lambda: (tmp_path / "versions.csv").exists(), "the file")
        lines = (tmp_path / "versions.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0].startswith("version,stage,aliases")
        assert [line.split(",")[0] for line in lines[1:]] == ["6", "4", "3", "2", "1"]


class TestInspector:
    async def test_the_source_of_a_version(self, store: FixtureStore) -> None:
        async with models_deck(store.db, version=2) as deck:
            await deck.until(lambda: fields(deck).get("stage", "").startswith("Production"), "the version")
            assert "MLmodel" in fields(deck)["files"] or fields(deck)["files"].startswith("✓")
            assert fields(deck)["user"]
            assert fields(deck)["experiment"]
            assert "✓" in fields(deck)["run"]

    async def test_running_time_size_and_signature(self, newest: FixtureStore) -> None:
        for version, type_name in ((2, "long"), (3, "double"), (4, "long")):
            folder = newest.path / "models" / f"m-{version:032x}" / "artifacts"
            folder.mkdir(parents=True)
            inputs = '[{"name": "age", "type": "%s"}]' % type_name  # noqa: UP031
            (folder / "MLmodel").write_text(f"flavors: {{}}\nsignature:\n  inputs: '{inputs}'\n")
            (folder / "model.bin").write_bytes(bytes(version * 10_000))
            with writing(newest.db) as connection:
                connection.execute(
                    "UPDATE model_versions SET source = ?, storage_location = ? WHERE name = ? AND version = ?",
                    (str(folder), str(folder), MODEL, version),
                )
        async with models_deck(newest.db, version=3) as deck:
            await deck.until(lambda: fields(deck).get("size") == "30 kB", "the size")
            assert fields(deck)["duration"] == "7m 00s"
            differs = "1 in · differs from version 2 in Production: input age is double, not long"
            assert fields(deck)["signature"] == differs
            await deck.go_to(MODEL, 4)
            await deck.until(lambda: fields(deck).get("size") == "40 kB", "the size")
            assert fields(deck)["signature"] == "1 in · the same as version 2 in Production"
            await deck.go_to(MODEL, 2)
            await deck.until(lambda: fields(deck).get("size") == "20 kB", "the size")
            assert fields(deck)["signature"] == "1 in", "it replaces none"
            await deck.go_to(MODEL, 3)
            await deck.press("p")
            await deck.until_shown("! the signature differs: input age is double, not long")
            assert "+10 kB  larger" in deck.frame

    async def test_missing_files_are_shown(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            connection.execute(
                "UPDATE model_versions SET source = '/nowhere/model', storage_location = NULL WHERE version = 3"
            )
        async with models_deck(newest.db) as deck:
            await deck.until(lambda: "✗ no files at /nowhere/model" in fields(deck).get("files", ""), "the files")
            await deck.until(
                lambda: (fields(deck)["size"], fields(deck)["signature"]) == ("–", "–"), "nothing is known"
            )

    async def test_tabs(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, version=2) as deck:
            await deck.until(lambda: "stage" in fields(deck), "the inspector")
            await deck.press("enter", "right_square_bracket")
            await deck.until(lambda: deck.models.inspector.metric_grid.metrics, "metrics")
            assert deck.models.inspector.metric_grid.has_focus
            await deck.press("right_square_bracket")
            await deck.until(lambda: deck.models.query_one("#version-params", LineGrid).lines, "params")
            await deck.press("right_square_bracket", "right_square_bracket")
            await deck.until_shown("registered")
            await deck.press("left_square_bracket", "escape")
            assert deck.versions.board.has_focus
            await deck.press("escape")
            assert deck.model_list.has_focus

    async def test_a_description_is_markdown(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            connection.execute(
                "UPDATE model_versions SET description = '# Why\n\n* [bold](http://x) it is' WHERE version = 3"
            )
        async with models_deck(newest.db) as deck:
            await deck.until_shown("• bold (http://x) it is")

    async def test_the_last_description_asked_for_is_shown(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db) as deck:
            await deck.until_shown("churn-model 3 · Staging")
            pane = deck.models.query_one(MarkdownPane)
            for text in ("first", "", "second", "third"):
                pane.show(text)
            await deck.until_shown("third")
            assert "first" not in deck.frame

    async def test_o_goes_to_the_run_and_b_goes_back(self, store: FixtureStore) -> None:
        async with models_deck(store.db, version=2) as deck:
            run_id = deck.models.cursor_version.run_id if deck.models.cursor_version else None
            await deck.press("o")
            await deck.until(lambda: run_in_table(deck) == run_id, "the run")
            await deck.press("b")
            await deck.until(lambda: isinstance(deck.app.screen, ModelsScreen), "back")
            assert version_of(deck) == 2
            assert deck.versions.board.has_focus

    async def test_enter_on_the_run_line_goes_to_the_run_and_esc_goes_back(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, version=2) as deck:
            await deck.until(lambda: "run" in fields(deck), "the inspector")
            await deck.press("enter", *["down"] * list(fields(deck)).index("run"), "enter")
            await deck.until(lambda: run_in_table(deck) and deck.screen.table.has_focus, "the run")
            await deck.press("escape")
            await deck.until(lambda: isinstance(deck.app.screen, ModelsScreen), "back")

    async def test_the_way_back_ends_when_the_cursor_leaves_the_run(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, version=2) as deck:
            run_id = deck.models.cursor_version.run_id if deck.models.cursor_version else None
            await deck.press("o")
            await deck.until(lambda: run_in_table(deck) == run_id, "the run")
            await deck.press("down" if deck.screen.table.cursor_row == 0 else "up", "escape")
            assert run_in_table(deck) not in (None, run_id)

    async def test_missing_and_unknown_source_runs(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            connection.execute("UPDATE model_versions SET run_id = 'gone' WHERE version = 3")
            connection.execute("UPDATE model_versions SET run_id = NULL WHERE version = 4")
        async with models_deck(newest.db) as deck:
            await deck.press("o")
            await deck.until_told("Run gone is not in this database")
            await deck.go_to(MODEL, 4)
            await deck.press("o")
            await deck.until_told("This version has no source run")

    async def test_enter_on_a_metric_shows_its_chart(self, newest: FixtureStore) -> None:
        async with models_deck(newest.db, version=2) as deck:
            await deck.until(lambda: "run" in fields(deck), "the inspector")
            await deck.press("enter", "right_square_bracket")
            await deck.until(lambda: deck.models.inspector.metric_grid.metrics, "metrics")
            await deck.press("enter")
            await deck.until(lambda: len(deck.app.screen_stack) == 2, "the chart")
            await deck.press("escape")
            await deck.until_alone()
            assert deck.models.inspector.metric_grid.has_focus


HOSTILE = ("a/b:c", "  ", "[/red]x[@click=app.quit]", "esc\x1b[31m\x07", "li\nne", "模型", "n" * 256)


class TestHostileNames:
    async def test_they_are_listed_and_opened(self, newest: FixtureStore) -> None:
        with writing(newest.db) as connection:
            for name in HOSTILE:
                connection.execute(
                    "INSERT INTO registered_models (name, creation_time, description) VALUES (?, 1, ?)", (name, name)
                )
                connection.execute(
                    "INSERT INTO model_versions (name, version, current_stage, run_id, source, status, status_message,"
                    " description) VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
                    (name, name[:20], name, name, name[:20], name, name),
                )
                connection.execute(
                    "INSERT INTO registered_model_aliases (alias, version, name) VALUES (?, 1, ?)", (name, name)
                )
                connection.execute("INSERT INTO registered_model_tags (key, value, name) VALUES (?, ?, ?)", (name,) * 3)
        async with place(newest.db) as deck:
            await deck.until(lambda: deck.model_list.row_count == 4 + len(HOSTILE), "the models")
            for name in HOSTILE:
                await deck.go_to(name, None)
                await deck.press("enter")
                await deck.until(lambda: "run" in fields(deck), name)
                await deck.press("v")
                await deck.until(lambda: deck.versions.table.row_count == 1, name)
                await deck.press("v", "escape")
                assert "\x1b" not in deck.frame
                assert "\x07" not in deck.frame
