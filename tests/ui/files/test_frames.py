"""Whole frames of files and models as text, kept beside the others (see `test_frames`).

`MLDECK_UPDATE_FRAMES=1 pytest tests/ui/test_artifact_frames.py` writes them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fixture_stores import FixtureStore
from tests.ui.files.artifact_deck import TAXI, files_of
from tests.ui.runs.test_live import writing
from tests.ui.test_frames import _same_time_everywhere, check

__all__ = ["_same_time_everywhere"]  # a fixture

SIZES = [(80, 24), (120, 40), (200, 50)]
RUN = "candidate-2"


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """The taxi store as the current folder's mlflow.db, with relative paths, and the run of which things are shown."""
    store = store_copy("nyc-taxi")
    with writing(store.db) as connection:
        for table, column in (("runs", "artifact_uri"), ("logged_models", "artifact_location")):
            connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, '/data')", (str(store.path),))
        (run,) = connection.execute("SELECT run_uuid FROM runs WHERE name = ?", (RUN,)).fetchone()
    monkeypatch.chdir(store.path)
    monkeypatch.setenv("MLDECK_ARTIFACT_ROOTS", "/data=.")
    # Where things really are is another place at each test.
    here = property(lambda located: (located.uri or "").replace("/data", "/home/ada/taxi"))
    monkeypatch.setattr("mldeck.artifacts.location.Located.where", here)
    for path in store.path.rglob("MLmodel"):
        path.write_text(path.read_text().replace(str(store.path), "/data"))
    return Path("mlflow.db"), run


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_tree(taxi: tuple[Path, str], size: tuple[int, int]) -> None:
    async with files_of(*taxi, experiment=TAXI, size=size) as deck:
        await deck.go_to("plots/residuals.png")
        await deck.go_to("reports/pred.csv")
        await deck.until(lambda: not deck.pane.preview.display or "19.1593077509" in deck.frame, "the table")
        await check(f"files-{size[0]}x{size[1]}", deck)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("name", "path", "text"),
    [
        ("table", "reports/pred.csv", "CSV table"),
        ("image", "plots/residuals.png", "PNG image"),
        ("model", "models_mlflow", "python_function"),
    ],
)
async def test_viewer(taxi: tuple[Path, str], size: tuple[int, int], name: str, path: str, text: str) -> None:
    async with files_of(*taxi, experiment=TAXI, size=size) as deck:
        await deck.view(path)
        await deck.until_shown(text)
        await check(f"{name}-{size[0]}x{size[1]}", deck)
