"""Nested runs as a tree, groups, and marks."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable

import pytest

from mldeck.model import Column, Kind
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck
from tests.ui.filter.test_filter_line import type_text
from tests.ui.runs.test_live import writing

IMAGES = "team/résnet images"
TAXI = "nyc-taxi-experiment"


async def test_the_tree_of_every_release(fixture_store: FixtureStore) -> None:
    async with running_deck(fixture_store.db, experiment=IMAGES) as deck:
        table = deck.screen.table
        await deck.until(lambda: fixture_store.run("parent") in table.run_ids, "runs")
        await deck.press("T")
        await deck.until(lambda: table.arrangement.depths, "a tree")
        parent, child = fixture_store.run("parent"), fixture_store.run("child1")
        rows = list(table.run_ids)
        assert table.arrangement.depths[child] == 1
        assert table.arrangement.depths[fixture_store.run("grandchild")] == 2
        assert rows.index(fixture_store.run("grandchild")) == rows.index(child) + 1
        assert any(name.startswith("▾ hpo-sweep") for name in deck.run_names)

        table.move_to(rows.index(parent))
        await deck.press("z")
        await deck.until(lambda: child not in table.run_ids, "folded")
        assert table.cursor_run == parent
        assert any(name.startswith("▸ hpo-sweep") for name in deck.run_names)
        await deck.press("z")
        await deck.until(lambda: child in table.run_ids, "unfolded")
        await deck.press("T")
        await deck.until(lambda: not table.arrangement.depths, "flat")


async def test_a_circle_of_parents_and_a_missing_parent(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    with writing(store.db) as connection:
        tag = "INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES ('mlflow.parentRunId', ?, ?)"
        connection.execute(tag, (store.run("grandchild"), store.run("parent")))
        connection.execute(tag, ("0" * 32, store.run("child0")))
    async with running_deck(store.db, experiment=IMAGES) as deck:
        table = deck.screen.table
        await deck.until(lambda: store.run("parent") in table.run_ids, "runs")
        before = sorted(table.run_ids)
        await deck.press("T")
        await deck.until(lambda: table.arrangement.depths, "a tree")
        assert sorted(table.run_ids) == before
        assert store.run("child0") not in table.arrangement.depths


async def test_groups_by_a_param(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT m.value FROM params p JOIN runs r USING (run_uuid)"
        " JOIN latest_metrics m ON m.run_uuid = p.run_uuid AND m.key = 'rmse'"
        " WHERE p.key = 'max_depth' AND p.value = '12' AND r.lifecycle_stage = 'active'"
    )
    values = [value for (value,) in rows]
    connection.close()
    async with running_deck(path, experiment=TAXI) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        table.move_to(0, table.cells.columns.index(Column(Kind.PARAM, "max_depth")))
        await deck.press("B")
        await deck.until(lambda: table.arrangement.headings, "groups")
        heading = next(each for each in table.arrangement.headings.values() if each.value == "12")
        assert heading.count >= len(values)
        summary = table.cells.summaries["rmse"]["12"]
        assert (summary.number, summary.low, summary.high) == (len(values), min(values), max(values))
        assert summary.mean == pytest.approx(statistics.mean(values), rel=1e-12)
        assert summary.deviation == pytest.approx(statistics.stdev(values), rel=1e-9)
        assert sum(each.count for each in table.arrangement.headings.values()) == 45
        await deck.until_shown("grouped by max_depth")
        await deck.until_shown("45 runs")

        row = next(row for row, each in table.arrangement.headings.items() if each.value == "12")
        table.move_to(row)
        await deck.press("enter")
        await deck.until(lambda: len(table.run_ids) == len(table.arrangement.headings) + heading.count, "opened")
        assert table.cursor_heading is not None
        assert table.cursor_heading.value == "12"
        await deck.press("down", "y")
        assert deck.app.clipboard == table.run_ids[row + 1]
        await deck.press("B")
        await deck.until(lambda: not table.arrangement.headings, "flat")


async def test_marks_survive_filtering_and_can_be_shown_alone(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        table = deck.screen.table
        await deck.press("shift+down", "shift+down")
        await deck.until_shown("3 marked")
        marked = list(table.run_ids[:3])
        await deck.press("f")
        await type_text(deck, "candidate-1")
        await deck.press("enter")
        await deck.until_shown("1 of 45 runs")
        await deck.press("ctrl+a")
        await deck.until_shown("4 marked")
        await deck.press("f", *["backspace"] * 11, "enter")
        await deck.until_counted(45)
        await deck.press("M")
        await deck.until_shown("only 4 marked")
        assert set(table.run_ids) == {*marked, *deck.app.session.marked}
        await deck.press("ctrl+a")
        await deck.press("M")
        await deck.until_counted(45)
        assert "marked" not in deck.frame.splitlines()[23]


async def test_only_marked_without_marks_says_how(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI) as deck:
        await deck.until_counted(45)
        await deck.press("M")
        await deck.until_shown("No run is marked")


async def test_several_experiments_together(fixture_store: FixtureStore) -> None:
    churn, renamed = fixture_store.experiment("churn"), fixture_store.experiment("renamed")
    async with running_deck(fixture_store.db, experiment="churn-baseline", size=(160, 40)) as deck:
        await deck.until_counted(12)
        await deck.press("shift+tab", "space")
        experiments = deck.screen.experiment_list
        experiments.move_to([each.experiment_id for each in experiments.experiments].index(renamed))
        await deck.press("space")
        await deck.until_shown("Runs of 2 experiments")
        await deck.until_counted(13)
        assert fixture_store.run("in_renamed") in deck.screen.table.run_ids
        columns = [column.key for column in deck.screen.table.cells.columns]
        assert columns[4] == "experiment_id", "after two metrics"
        assert "renamed-experiment" in "".join(line[30:] for line in deck.frame.splitlines())
        await deck.press("space")
        await deck.until_counted(12)
        assert deck.app.session.query is not None
        assert deck.app.session.query.experiment_ids == (churn,)
