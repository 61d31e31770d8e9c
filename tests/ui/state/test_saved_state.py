"""The state saved between sessions, and that a malformed file does no harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mldeck.model import Column, Kind
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.runs.reading import read_opening
from mldeck.ui.state.columns import ColumnChoice, ColumnSource, choice_from_json, choice_to_json
from mldeck.ui.state.metric_direction import Better, remember, remembered
from mldeck.ui.state.saved_state import SavedState
from tests.fixture_stores import FixtureStore

RMSE, DEPTH = Column(Kind.METRIC, "rmse"), Column(Kind.PARAM, "rmse")
"""A metric and a param may share a name."""
CHOICE = ColumnChoice(ColumnSource.CHOSEN, (RMSE, DEPTH, Column(Kind.DATASET, "name")), (DEPTH,), {RMSE: 14})


def test_a_saved_choice_is_read_back(tmp_path: Path) -> None:
    saved = SavedState.of(tmp_path / "mlflow.db")
    saved.experiment("7")["columns"] = choice_to_json(CHOICE)
    remember(saved.experiment("7"), "rmse", Better.LOWER)
    saved.save()
    saved.flush()
    again = SavedState.of(tmp_path / "mlflow.db").experiment("7")
    assert choice_from_json(again["columns"]) == CHOICE
    assert remembered(again) == {"rmse": Better.LOWER}
    assert SavedState.of(tmp_path / "other.db").experiments == {}


def test_automatic_choices_are_read_back() -> None:
    for source in (ColumnSource.DIFFERING, ColumnSource.PRESENT):
        assert choice_from_json(choice_to_json(ColumnChoice(source))) == ColumnChoice(source)


@pytest.mark.parametrize(
    "written",
    [
        None,
        [],
        "chosen",
        {},
        {"source": "chosen"},
        {"source": ["chosen"], "columns": 3, "pinned": {"a": 1}, "widths": "wide"},
        {"source": "differing", "columns": [None, 1, [], ["metrics"], ["gauges", "x"], [1, 2]]},
        {"source": "differing", "pinned": [["metrics", None]], "widths": [["metrics", "a"], ["metrics", "a", True]]},
    ],
)
def test_malformed_choices_become_the_default(written: object) -> None:
    choice = choice_from_json(written)
    assert choice.source is ColumnSource.DIFFERING
    assert (choice.pinned, choice.widths) == ((), {})


def test_the_valid_parts_of_a_damaged_choice_are_kept() -> None:
    written = {
        "source": "chosen",
        "columns": [["metrics", "rmse"], ["nonsense"], ["metrics", "rmse"], ["attributes", "status"]],
        "widths": [["metrics", "rmse", 100_000], ["params", "rmse", 0]],
    }
    assert choice_from_json(written) == ColumnChoice(ColumnSource.CHOSEN, (RMSE,), (), {RMSE: 120, DEPTH: 4})


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"experiments": 3}', '{"experiments": {"7": []}}', "\x00\xff"])
def test_a_malformed_file_is_ignored(tmp_path: Path, text: str) -> None:
    saved = SavedState.of(tmp_path / "mlflow.db")
    saved.file.parent.mkdir(parents=True)
    saved.file.write_text(text, encoding="latin-1")
    saved = SavedState.of(tmp_path / "mlflow.db")
    assert saved.experiment("7") == {}
    saved.save()
    saved.flush()
    assert json.loads(saved.file.read_text())["experiments"] == {"7": {}}


@pytest.mark.parametrize("written", [None, [], {"rmse": 1}, {"rmse": "upwards"}])
def test_malformed_directions_are_ignored(written: object) -> None:
    assert remembered({"best": written}) == {}


def test_the_first_read_has_the_saved_columns(store_copy: Callable[[str], FixtureStore]) -> None:
    db = store_copy("nyc-taxi").db
    saved = SavedState.of(db)
    saved.experiment("1")["columns"] = choice_to_json(CHOICE)
    saved.save()
    saved.flush()
    with closing(Store(db)) as store:
        opening = read_opening(store, "nyc-taxi-experiment", Interrupt())
    assert opening.page is not None
    assert opening.page.columns == opening.page.read == (DEPTH, RMSE, Column(Kind.DATASET, "name"))
    assert any(record.metrics.keys() == {"rmse"} for record in opening.page.records.values())
