"""Other programs register, move, rename and delete while the place Models is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL
from tests.ui.models.models_deck import NEWEST, ModelsDeck, models_deck
from tests.ui.runs.test_live import writing
from tests.ui.textual_insides import painted

CopyOf = Callable[[str], FixtureStore]


@pytest.fixture
def path(store_copy: CopyOf) -> Path:
    return store_copy(NEWEST).db


def execute(path: Path, *statements: str) -> None:
    """Execute the statements in one transaction, as another program."""
    with writing(path) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for statement in statements:
            connection.execute(statement)


def cursor(deck: ModelsDeck) -> tuple[str, int, str] | None:
    version = deck.models.cursor_version
    return None if version is None else (version.name, version.version, version.stage)


async def test_the_cursor_follows_a_card_moved_by_others(path: Path) -> None:
    async with models_deck(path) as deck:
        execute(
            path,
            "UPDATE model_versions SET current_stage = 'Production', last_updated_time = 99999999999999"
            " WHERE name = 'churn-model' AND version = 3",
        )
        await deck.until(lambda: cursor(deck) == (MODEL, 3, "Production"), "it went along with its card")
        assert "Production 2" in deck.frame
        await deck.until_shown("churn-model 3 · Production")
        (line,) = (line for line in deck.frame.splitlines() if "▸ churn-model" in line)
        assert "P3" in line


async def test_a_version_registered_by_others_does_not_move_the_cursor(path: Path) -> None:
    async with models_deck(path) as deck:
        execute(
            path,
            "INSERT INTO model_versions (name, version, current_stage, status) VALUES"
            " ('churn-model', 7, 'None', 'PENDING_REGISTRATION')",
        )
        await deck.until_shown("6 versions")
        await deck.until_shown("│ pending")
        assert cursor(deck) == (MODEL, 3, "Staging")


async def test_the_cursor_stays_on_its_model_when_others_come_before_it(path: Path) -> None:
    async with models_deck(path) as deck:
        execute(path, "INSERT INTO registered_models (name, creation_time) VALUES ('aaa', 1)")
        await deck.until_shown("5 models")
        assert deck.model_list.cursor_name == MODEL
        assert cursor(deck) == (MODEL, 3, "Staging")


async def test_the_cursor_follows_a_model_renamed_by_others(path: Path) -> None:
    async with models_deck(path) as deck:
        execute(path, "UPDATE registered_models SET name = 'zz-renamed' WHERE name = 'churn-model'")
        await deck.until(lambda: cursor(deck) == ("zz-renamed", 3, "Staging"), "by its new name")
        await deck.until_shown("zz-renamed 3 · Staging")
        assert deck.model_list.cursor_name == "zz-renamed"
        assert not any("no longer registered" in each for each in deck.told)


async def test_a_model_deleted_by_others_is_reported(path: Path) -> None:
    async with models_deck(path) as deck:
        tables = ("model_version_tags", "model_versions", "registered_model_aliases", "registered_model_tags")
        of_model = (f"DELETE FROM {table} WHERE name = 'churn-model'" for table in (*tables, "registered_models"))
        execute(path, *of_model)
        await deck.until_told("churn-model is no longer registered")
        await deck.until(lambda: deck.model_list.row_count == 3, "the list")
        await deck.until(lambda: cursor(deck) is None or cursor(deck)[0] != MODEL, "something else")  # type: ignore[index]


async def test_a_version_deleted_by_others_leaves_the_cursor_nearby(path: Path) -> None:
    async with models_deck(path) as deck:
        execute(
            path,
            "UPDATE model_versions SET current_stage = 'Deleted_Internal' WHERE name = 'churn-model' AND version = 3",
        )
        await deck.until_shown("4 versions")
        assert cursor(deck) is not None
        assert cursor(deck) != (MODEL, 3, "Staging")


async def test_what_is_written_elsewhere_repaints_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with models_deck(path, size=(120, 60)) as deck:  # without a scroll bar, which is painted a moment later
        await deck.until_shown("churn-model 3 · Staging")
        details = deck.models.inspector
        await deck.until(
            lambda: details.details is not None and details.details.facts is not None, "size and signature"
        )
        await deck.pilot.pause()
        seen = deck.app.session.changes
        sent = painted(deck.app, monkeypatch)
        execute(path, "INSERT INTO experiments (name, lifecycle_stage) VALUES ('elsewhere', 'active')")
        await deck.until(lambda: deck.app.session.changes > seen, "the change was seen")
        await deck.models.read_again()
        await deck.pilot.pause()
        shown = [widget.region for widget in (deck.versions.board, deck.model_list, deck.models.inspector)]
        assert all(shown)
        assert [part for parts in sent for part in parts if any(map(part.overlaps, shown))] == []


async def test_the_table_follows_too(path: Path) -> None:
    async with models_deck(path) as deck:
        await deck.press("v", "S")
        await deck.until(lambda: deck.versions.table.row_count == 5, "the table")
        execute(path, "UPDATE model_versions SET current_stage = 'Archived' WHERE name = 'churn-model' AND version = 3")
        await deck.until(lambda: cursor(deck) == (MODEL, 3, "Archived"), "it is what it is now")
        assert deck.versions.table.row_count == 5


async def test_changes_while_another_place_is_shown(path: Path) -> None:
    async with models_deck(path) as deck:
        await deck.press("1")
        execute(path, "UPDATE model_versions SET current_stage = 'Archived' WHERE name = 'churn-model' AND version = 3")
        await deck.press("2")
        await deck.until(lambda: cursor(deck) == (MODEL, 3, "Archived"), "it is what it is now")
