"""A deck with the chart of some runs open, full screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mldeck.model import Column, Kind
from mldeck.ui.chart.drawing import CurveDrawing
from mldeck.ui.chart.pane import CurvesPane
from mldeck.ui.chart.screen import ChartScreen
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.runs.test_live import writing

CHURN = "churn-baseline"
CHURN_RUNS = 12


class ChartDeck(Deck):
    @property
    def pane(self) -> CurvesPane:
        screen = self.app.screen_stack[-1]
        for each in (screen, *self.app.screen_stack):
            if isinstance(each, ChartScreen):
                return each.pane
        raise AssertionError("no chart is open")

    @property
    def drawing(self) -> CurveDrawing:
        drawing = self.pane.drawing
        assert drawing is not None
        return drawing

    async def until_drawn(self) -> None:
        """Wait until everything is read and on screen."""
        await self.until(
            lambda: self.pane.drawing is not None and not self.pane.is_reading and self.pane.is_drawn and self._fits,
            "the chart",
        )

    @property
    def _fits(self) -> bool:
        """Whether the legend has its final size and the picture is drawn for the rest of the pane."""
        legend, picture = self.pane.legend, self.drawing.picture
        across, up = legend.styles.width, legend.styles.height
        is_laid_out = (across is None or not across.is_cells or across.value == legend.outer_size.width) and (
            up is None or not up.is_cells or up.value == legend.outer_size.height
        )
        return (is_laid_out or not legend.display) and self.pane.plot.size == (picture.width, picture.height)

    async def key(self, *keys: str) -> None:
        """Press keys, and wait until their effect is on screen."""
        await self.press(*keys)
        await self.until_drawn()


@asynccontextmanager
async def chart_of(
    store: FixtureStore,
    labels: Sequence[str],
    metric: str = "loss",
    *,
    size: tuple[int, int] = (120, 40),
    theme: str | None = None,
    experiment: str = CHURN,
    count: int = CHURN_RUNS,
) -> AsyncIterator[ChartDeck]:
    """Open the chart of some runs with `m`: the first is under the cursor, and all are marked if there are several."""
    async with running_deck(store.db, experiment=experiment, size=size, theme=theme) as plain:
        deck = ChartDeck(plain.app, plain.pilot)
        await deck.until_counted(count)
        ids = [store.run(label) for label in labels]
        if len(ids) > 1:
            deck.app.session.toggle_marks(ids)
        table = deck.screen.table
        table.move_to(list(table.run_ids).index(ids[0]))
        table.move_to(table.cursor_row, table.cells.columns.index(Column(Kind.METRIC, metric)))
        await deck.press("m")
        await deck.until(lambda: isinstance(deck.app.screen, ChartScreen), "the chart is open")
        await deck.until_drawn()
        yield deck


def log(
    path: Path, run_id: str, key: str, points: Sequence[tuple[int, float]], timestamp: int = 1_800_000_000_000
) -> None:
    """Log (step, value) pairs as another program does."""
    with writing(path) as connection:
        connection.executemany(
            "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (key, 0.0 if value != value else value, timestamp + index, run_id, step, int(value != value))
                for index, (step, value) in enumerate(points)
            ],
        )
