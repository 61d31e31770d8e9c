"""Real MLflow logs from another process while somebody looks at the curve: it grows, and the view stays where it was put."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("mlflow")
pytest.importorskip("termios", reason="what MLflow's process is driven with is in a module that needs pseudo-terminals")

from mldeck.model import Column, Kind
from mldeck.ui.chart.screen import ChartScreen
from tests.interop.test_live_with_mlflow import Writer
from tests.ui.chart.chart_deck import ChartDeck
from tests.ui.deck import running_deck

pytestmark = pytest.mark.interop


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Writer]:
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    writer = Writer()
    writer("ready")
    yield writer
    writer.close()


async def test_a_curve_grows_while_mlflow_logs_and_a_moved_view_stays(mlflow: Writer, tmp_path: Path) -> None:
    db = tmp_path / "mlflow.db"
    experiment = mlflow("create_experiment", db, "live")
    run = mlflow("create_run", db, experiment, "training")
    mlflow("log_steps", db, run, "loss", list(range(20)))
    async with running_deck(db, experiment="live") as plain:
        deck = ChartDeck(plain.app, plain.pilot)
        await deck.until_counted(1)
        table = deck.screen.table
        await deck.until(lambda: Column(Kind.METRIC, "loss") in table.cells.columns, "the metric")
        table.move_to(0, table.cells.columns.index(Column(Kind.METRIC, "loss")))
        await deck.press("m")
        await deck.until(lambda: isinstance(deck.app.screen, ChartScreen), "the chart is open")
        await deck.until_drawn()

        def curve_count() -> int:
            return deck.drawing.lines[0].curve.count

        assert curve_count() == 20

        async def log_steps(steps: range) -> None:
            await asyncio.to_thread(mlflow, "log_steps", db, run, "loss", list(steps))

        await log_steps(range(20, 30))
        await deck.until(lambda: curve_count() == 30, "what was logged meanwhile")
        await deck.until_shown("step 29   9.5")

        await deck.key("home", "plus", "plus")
        window, crosshair = deck.pane.view.window, deck.pane.crosshair
        seen = deck.drawing.picture.text
        await log_steps(range(30, 50))
        await asyncio.to_thread(mlflow, "log_metric", db, run, "loss", math.nan, 50)
        await deck.until(lambda: curve_count() == 51, "it grows beyond what is in sight")
        await deck.until_drawn()
        assert (deck.pane.view.window, deck.pane.crosshair) == (window, crosshair)
        assert deck.drawing.picture.text == seen

        await deck.key("0")
        assert deck.drawing.full == (0.0, 50.0)
        await deck.until_shown("step 50   NaN")
        assert "×" in deck.frame, "where the values end"
        history = await asyncio.to_thread(mlflow, "metric_history", db, run, "loss")
        assert len(history) == curve_count()
