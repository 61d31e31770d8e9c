"""Names and reasons that are too long for 80 columns: what is cut says so, and can be had in full."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.widget import Widget

from mldeck.model import Metric
from mldeck.registry.history import EventKind
from mldeck.store.seed.seed import new_store
from mldeck.ui.kit.brief_text import BriefText
from mldeck.ui.kit.dialogs.text import TextDialog
from mldeck.ui.models.history_dialog import HistoryGrid
from mldeck.ui.models.review_dialog import ReviewDialog, ReviewGrid
from mldeck.ui.register.dialog import RegisterDialog
from tests.ui.deck import running_deck
from tests.ui.models.models_deck import models_deck, rows

MODEL = "hourly-demand-north-zone-with-weather-and-holidays-gradient-boosted-trees"
OTHER = MODEL.replace("trees", "stumps")
REASON = "agreed with operations: half the error in the afternoon, " * 6 + "roll back at once if it drifts"
LOSS = "regularized_loss_with_a_long_description_in_the_value"
HOUR_MS = 3_600_000
SMALL = (80, 24)


def _record(version: int, now: int) -> dict[str, str]:
    """Return the tag that records the move of a version to Production."""
    when = now + version * HOUR_MS
    record = {"from": "None", "to": "Production", "who": "ada", "host": "lab", "reason": f"{version}: {REASON}"}
    moment = datetime.fromtimestamp(when / 1000, timezone.utc).isoformat()
    return {f"mldeck.transition.{when}": json.dumps(record | {"when": moment, "archived": list(range(1, version))})}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Version 1 was in Production before 2, 3 went to Staging without a record; versions 4 to 8 are in None."""
    now = 1_700_000_000_000
    path = tmp_path / "mlflow.db"
    with new_store(path, artifact_root=tmp_path / "mlruns", time=now) as writer:
        experiment = writer.create_experiment("long", artifact_root=tmp_path / "mlruns", time=now)
        models = []
        for number in range(1, 9):
            run = writer.create_run(experiment, f"candidate-with-a-long-name-{number}", user="ada", time=now + number)
            writer.log_params(run, {"objective": f"{LOSS}_{number}"})
            writer.log_metrics(run, [Metric("rmse", number / 7, now, 0)])
            models.append(writer.log_model(run, f"{MODEL}-estimator", step=0, time=now))
        second = writer.log_model(models[-1].run_id, f"{MODEL}-calibrated", step=0, time=now)
        assert second.run_id == models[-1].run_id
        for name in (MODEL, OTHER):
            writer.create_registered_model(name, time=now)
        for number, model in enumerate(models, 1):
            writer.create_model_version(MODEL, model, time=now, tags=_record(number, now) if number < 3 else None)
        for version, stage in ((1, "Production"), (2, "Production"), (3, "Staging")):
            writer.transition_stage(MODEL, version, stage, time=now + version * HOUR_MS, archive_existing=True)
        for alias in ("champion", "the-champion-of-the-north-zone", "the-champion-of-the-south-zone"):
            writer.set_alias(MODEL, alias, 2)
    return path


async def test_a_review_marks_what_is_cut_and_shows_it_in_full(store: Path) -> None:
    async with models_deck(store, 8, model=MODEL, size=SMALL) as deck:
        await deck.press("p")
        await deck.until_shown("In Production: version 2")
        dialog = deck.app.screen
        assert isinstance(dialog, ReviewDialog)
        since = dialog.query_one("#review-since", BriefText)
        await deck.until(lambda: since.size.height == 2, "two lines where there is little room")
        assert since.is_cut
        assert deck.frame.splitlines()[since.region.bottom - 1].rstrip("│╮╯─ ").endswith("…")
        grid = dialog.query_one(ReviewGrid)
        await deck.until(lambda: grid.size.height >= 8, "blank lines are left out")
        place = next(row for row, line in enumerate(grid.rows) if line.name == "objective")
        await deck.press(*["down"] * place, "ctrl+o")
        await deck.until(lambda: isinstance(deck.app.screen, TextDialog), "the text")
        await deck.press("y")
        assert f"{LOSS}_8" in deck.app.clipboard
        assert f"{LOSS}_2" in deck.app.clipboard
        assert f"2: {REASON}" in deck.app.clipboard
        assert "@the-champion-of-the-south-zone" in deck.app.clipboard


async def test_a_history_has_a_column_for_the_reason_and_shows_all_of_it(store: Path) -> None:
    async with models_deck(store, 8, model=MODEL, size=SMALL) as deck:
        await deck.press("H")
        await deck.until_shown("History of")
        grid = deck.app.screen.query_one(HistoryGrid)
        await deck.until(lambda: [column.label for column in grid.columns][-1] == "why", "the column")
        height = grid.size.height
        transition = next(row for row, entry in enumerate(grid.entries) if entry.event.transition)
        grid.move_to(transition)
        await deck.until_shown("if it drifts")
        details = deck.app.screen.query_one(BriefText)
        assert not details.is_cut
        assert grid.size.height == height, "the list does not move when the details change"


async def test_the_shortest_words_leave_the_missing_record_to_the_last_column(store: Path) -> None:
    async with models_deck(store, 8, model=MODEL, size=(64, 24)) as deck:
        await deck.press("H")
        await deck.until_shown("History of")
        grid = deck.app.screen.query_one(HistoryGrid)
        row = next(row for row, entry in enumerate(grid.entries) if entry.event.kind is EventKind.UNRECORDED)
        await deck.until(lambda: [column.label for column in grid.columns][-1] == "why", "the column")
        assert [cell.text for cell in grid.row_cells(row)][-3:] == ["3 → Staging", "", "no record"]
        await deck.pilot.resize_terminal(200, 50)
        await deck.until(lambda: "3: None → Staging (no record)" in deck.frame, "whole words in a wide dialog")


async def test_registering_tells_long_names_apart(store: Path) -> None:
    async with running_deck(store, experiment="long", size=SMALL) as deck:
        await deck.until_counted(8)
        run_id = rows(store, "SELECT run_uuid FROM runs WHERE name LIKE '%-8'")[0][0]
        deck.screen.register_models(run_id, None)
        await deck.until(lambda: isinstance(deck.app.screen, RegisterDialog), "the dialog")
        await deck.until(lambda: deck.frame.count("8 versions") == 1, "the models")
        lines = deck.frame.splitlines()
        ends = [
            next(word for line in lines for word in line.split() if word.endswith(end) and "…" in word)
            for end in ("-estimator", "-calibrated", "-trees", "-stumps")
        ]
        assert len(set(ends)) == 4
        await deck.press("down")
        await deck.until_shown("becomes the next version of")
        await deck.until_shown("[ Register ]")


async def test_the_upper_lines_of_the_next_card_are_shown_and_can_be_clicked(store: Path) -> None:
    async with models_deck(store, 8, model=MODEL, size=SMALL) as deck:
        board = deck.versions.board
        await deck.until(lambda: board.cards_at_once == 2, "two whole cards")
        await deck.until_shown("╭─ 6 ─")
        assert "↓3 more" in deck.frame
        await deck.pilot.click(board, offset=(3, 9))
        await deck.until(
            lambda: deck.models.cursor_version is not None and deck.models.cursor_version.version == 6, "6"
        )
        await deck.until_shown("┗━")


async def test_a_title_leaves_out_its_middle_to_make_room_for_the_columns_in_view(store: Path) -> None:
    rows(
        store,
        "UPDATE experiments SET name = ? WHERE name = 'long'",
        "an-experiment-with-a-name-of-many-words-at-the-end",
    )
    async with running_deck(store, size=SMALL) as deck:
        await deck.until_counted(8)
        await deck.until_shown("at-the-end · column")
        assert "Runs of an-exp" in deck.frame


async def test_another_run_repaints_the_border_of_the_inspector_only(store: Path) -> None:
    async with running_deck(store, experiment="long", size=SMALL) as deck:
        await deck.until_counted(8)
        await deck.until_shown("─ candidate-with-a-long-name-8 ─")
        inspector, painted = deck.screen.inspector, list[bool]()
        refresh = inspector.refresh

        def noted(*regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Widget:
            painted.append(bool(regions) or not repaint)
            return refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

        inspector.refresh = noted  # type: ignore[assignment, method-assign]
        await deck.press("down")
        await deck.until_shown("─ candidate-with-a-long-name-7 ─")
        assert painted
        assert all(painted)
