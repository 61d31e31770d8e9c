"""A deck in one of the pictures of the place Compare."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from textual.widgets import Input

from mldeck.model import Column, Kind
from mldeck.ui.compare.picture_view import ComparePictureView
from mldeck.ui.kit.dialogs.picker import PickerDialog
from mldeck.ui.kit.picture_view import PictureView
from tests.ui.compare.compare_deck import CompareDeck, comparing

TAXI = "nyc-taxi-experiment"
TAXI_RUNS = 45
AnyView = TypeVar("AnyView", bound=ComparePictureView[Any])


def param(key: str) -> Column:
    return Column(Kind.PARAM, key)


def metric(key: str) -> Column:
    return Column(Kind.METRIC, key)


class PicturesDeck(CompareDeck):
    def of(self, kind: type[AnyView]) -> AnyView:
        """Return the view that is shown, of the given class."""
        assert isinstance(self.view, kind)
        return self.view

    async def until_drawn(self) -> None:
        view = self.view
        assert isinstance(view, ComparePictureView)
        await self.until(lambda: view.drawing is not None and view.is_drawn and view.plot.picture, "a picture")

    async def key(self, *keys: str) -> None:
        """Press keys, and wait until their effect is on screen."""
        await self.press(*keys)
        await self.until_drawn()

    async def answer(self, key: str, *typed: str) -> None:
        """Press a key that opens the picker of axes, type into it, and wait for the picture."""
        await self.press(key)
        await self.until(lambda: isinstance(self.app.screen, PickerDialog), "the dialog")
        await self.until(lambda: isinstance(self.app.focused, Input), "the focus")
        await self.press(*typed)
        await self.until(lambda: not isinstance(self.app.screen, PickerDialog), "the end of the dialog")
        await self.until_drawn()

    async def click(self, column: int, row: int) -> None:
        await self.pilot.click(self.view.query_one(PictureView), offset=(column, row))


@asynccontextmanager
async def picturing(
    db: Path,
    view: str,
    *,
    experiment: str = TAXI,
    count: int = TAXI_RUNS,
    size: tuple[int, int] = (120, 40),
    theme: str | None = None,
) -> AsyncIterator[PicturesDeck]:
    """Run a deck in one of the pictures, with the first runs of the experiment marked."""
    async with comparing(db, experiment, count, view="Table", size=size, theme=theme) as plain:
        deck = PicturesDeck(plain.app, plain.pilot)
        steps = ["Table", "Importance", "Contour", "Scatter", "Parallel"].index(view)
        for _ in range(steps):
            before = deck.view
            await deck.press("left_curly_bracket")
            await deck.until(lambda before=before: deck.place.view not in (None, before), view)  # type: ignore[misc]
        await deck.until(lambda: deck.view.has_focus, f"the focus in {view}")
        await deck.until_drawn()
        yield deck
