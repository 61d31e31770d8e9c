"""The place Models in tests, and the rows of the registry, read with plain SQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from mldeck.ui.models.model_list import RegisteredModelList
from mldeck.ui.models.screen import ModelsScreen
from mldeck.ui.models.versions_pane import VersionsPane
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import MODEL
from tests.ui.deck import Deck, running_deck, until_refused
from tests.ui.filter.test_filter_line import type_text
from tests.ui.textual_insides import told

NEWEST = "mlflow-3.17.2"
REGISTRIES = ("mlflow-1.30.1", NEWEST)
"""The oldest and the newest schema. The store's tests cover the other differences between releases."""


class ModelsDeck(Deck):
    @property
    def models(self) -> ModelsScreen:
        place = self.app.screen_stack[0]
        assert isinstance(place, ModelsScreen)
        return place

    @property
    def model_list(self) -> RegisteredModelList:
        return self.models.models_pane.model_list

    @property
    def versions(self) -> VersionsPane:
        return self.models.versions_pane

    async def go_to(self, model: str, version: int | None) -> None:
        """Put the cursor on a version, or on the model in the list if the version is None."""
        await self.models.read_again(cursor=(model, version))
        self.models.set_focus(self.model_list if version is None else self.versions.grid)
        found = self.models.cursor_version
        assert version is None or (found is not None and found.version == version), f"no version {version}"

    async def type(self, text: str) -> None:
        await type_text(self, text)

    async def until_alone(self) -> None:
        """Wait until no dialog is open."""
        await self.until(lambda: len(self.app.screen_stack) == 1, "no dialog")

    async def until_refused(self, reason: str) -> None:
        """Wait for the dialog that says why something is not possible, and close it."""
        await until_refused(self, reason)
        await self.press("enter")
        await self.until_alone()

    async def until_told(self, text: str) -> None:
        await self.until(lambda: any(text in each for each in self.told), text)

    @property
    def told(self) -> list[str]:
        """The messages of all toasts so far."""
        return told(self.app)


@asynccontextmanager
async def models_deck(
    path: Path,
    version: int | None = 3,
    *,
    model: str = MODEL,
    size: tuple[int, int] = (120, 40),
    read_only: bool = False,
) -> AsyncIterator[ModelsDeck]:
    async with running_deck(path, size=size, read_only=read_only) as runs:
        deck = ModelsDeck(runs.app, runs.pilot)
        await deck.until(lambda: deck.app.session.is_open, "the store is open")
        await deck.press("2")
        await deck.until(lambda: isinstance(deck.app.screen_stack[0], ModelsScreen), "the place")
        await deck.until(lambda: deck.models.cursor_model is not None, "the models")
        await deck.go_to(model, version)
        yield deck


def rows(path: Path, statement: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def stages(store: FixtureStore, model: str = MODEL) -> dict[int, str]:
    found = rows(store.db, "SELECT version, current_stage FROM model_versions WHERE name = ?", model)
    return {version: stage for version, stage in found if stage != "Deleted_Internal"}


def records(store: FixtureStore, model: str = MODEL) -> list[dict[str, Any]]:
    """Return the records of stage changes, oldest first."""
    statement = "SELECT value FROM model_version_tags WHERE name = ? AND key LIKE 'mldeck.transition.%' ORDER BY key"
    return [json.loads(value) for (value,) in rows(store.db, statement, model)]
