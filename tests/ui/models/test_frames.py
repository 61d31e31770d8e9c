"""Whole frames of the place Models as text (see test_frames.py)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.ui.models.reading import known_facts
from tests.fixture_stores import FixtureStore
from tests.ui.models.models_deck import ModelsDeck, models_deck
from tests.ui.models.test_screen import fields, place
from tests.ui.runs.test_live import writing
from tests.ui.test_frames import _same_time_everywhere, check, taxi  # noqa: F401 - fixtures

MODEL = "nyc-taxi-regressor"


@pytest.fixture
def path(taxi: Path) -> Path:  # noqa: F811
    with writing(taxi) as connection:
        connection.execute(
            "UPDATE model_versions SET storage_location = '/data' || substr(storage_location, instr(storage_location, ?))",
            ("/mlruns",),
        )
    shutil.rmtree("mlruns")  # found beside the database, they would be in another folder each time
    return taxi


async def settled(deck: ModelsDeck, version: int) -> None:
    await deck.until_shown(f"{MODEL} {version} ·")
    await deck.until_shown(f"The model version {version}")
    await deck.until(lambda: "…" not in (fields(deck)["size"], fields(deck)["signature"]), "what is in the files")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("no_colour", [False, True], ids=["colour", "no-colour"])
async def test_board(path: Path, size: tuple[int, int], no_colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    async with models_deck(path, 2, model=MODEL, size=size) as deck:
        await settled(deck, 2)
        await check(f"models-board-{size[0]}x{size[1]}", deck)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_list(path: Path, size: tuple[int, int]) -> None:
    async with models_deck(path, None, model=MODEL, size=size) as deck:
        await deck.until_shown("Green-taxi")
        await check(f"models-list-{size[0]}x{size[1]}", deck)


async def test_table(path: Path) -> None:
    async with models_deck(path, 2, model=MODEL) as deck:
        await settled(deck, 2)
        await deck.press("v")
        await deck.until(lambda: deck.versions.table.row_count == 3, "the table")
        session = deck.app.session
        await deck.until(lambda: all(known_facts(session, each) for each in deck.versions.versions), "the sizes")
        await check("models-table-120x40", deck)


async def test_no_registry(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_copy("mlflow-1.2.0")
    monkeypatch.chdir(store.path)
    async with place(Path("mlflow.db"), size=(80, 24)) as deck:
        await deck.until_shown("before MLflow 1.4")
        await check("models-none-80x24", deck)
