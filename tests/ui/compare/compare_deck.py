"""A deck in the place Compare, with runs marked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from mldeck.model import Run, RunRecord
from mldeck.ui.compare.data import CompareData
from mldeck.ui.compare.screen import VIEWS, CompareScreen
from mldeck.ui.compare.view import CompareView
from tests.ui.deck import Deck, forget_last_session, running_deck

VIEW_NAMES = [name for name, _ in VIEWS]


class CompareDeck(Deck):
    _place: CompareScreen | None = None

    @property
    def place(self) -> CompareScreen:
        """The place Compare, also while another place is shown."""
        screen = self.app.screen_stack[0]
        if isinstance(screen, CompareScreen):
            self._place = screen
        assert self._place is not None, "the place Compare was never there"
        return self._place

    @property
    def view(self) -> CompareView:
        assert self.place.view is not None
        return self.place.view

    async def until_data(self, count: int) -> None:
        """Wait until so many runs are compared and the view shows them."""
        await self.until(lambda: len(self.place.data) == count, f"{count} runs")
        if count >= 2:
            await self.until(lambda: self.place.view and self.place.view.data is self.place.data, "the view")

    async def turn_to(self, name: str) -> None:
        while self.place.view is None or name != self.place.view.NAME:
            before = self.place.view
            await self.press("right_curly_bracket")
            await self.until(lambda before=before: self.place.view not in (None, before), name)  # type: ignore[misc]
        await self.until(lambda: self.view.has_focus_within or self.view.has_focus, f"the focus in {name}")


@asynccontextmanager
async def comparing(
    path: Path,
    experiment: str,
    count: int,
    *,
    view: str = "Table",
    size: tuple[int, int] = (120, 40),
    theme: str | None = None,
) -> AsyncIterator[CompareDeck]:
    """Run a deck in the place Compare, with the first runs of the experiment marked."""
    forget_last_session(path)
    async with running_deck(path, experiment=experiment, size=size, theme=theme) as runs:
        deck = CompareDeck(runs.app, runs.pilot)
        table = deck.screen.table
        await deck.until(lambda: len(table.run_ids) >= count and deck.app.session.is_open, "runs")
        await deck.press(*["space"] * count if count <= 20 else ["ctrl+a"])
        await deck.until(lambda: len(deck.app.session.marked) >= count, "marks")
        await deck.press("equals_sign")
        await deck.until(lambda: isinstance(deck.app.screen, CompareScreen) and deck.place, "the place")
        await deck.until_data(len(deck.app.session.marked))
        if count >= 2:
            await deck.turn_to(view)
        yield deck


def record(
    number: int,
    metrics: Mapping[str, float] | None = None,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    name: str | None = None,
) -> RunRecord:
    """Return a run with the id `r<number>`."""
    run = Run(f"r{number}", name or f"run-{number}", "1", "FINISHED", "active", number * 1000, number * 2000)
    return RunRecord(run, metrics or {}, params or {}, tags or {})


def data_of(*records: RunRecord) -> CompareData:
    return CompareData(records, {each.run.run_id: place % 8 for place, each in enumerate(records)}, {"1": "experiment"})
