"""The models of a run and of an experiment, and the card of a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mldeck.ui.files.logged_models import LoggedModelList
from mldeck.ui.files.model_card_reading import Card
from tests.fixture_stores import DESCRIBED_FIXTURES, FixtureStore
from tests.ui.deck import running_deck
from tests.ui.files.artifact_deck import TAXI, FileDeck, files_of
from tests.ui.files.test_tree import LOGREG_FILES, bare, folder_of, unbroken
from tests.ui.runs.test_live import writing


def cells(models: LoggedModelList, row: int = 0) -> list[str]:
    return [cell.text for cell in models.row_cells(row)]


def knows_models(store: FixtureStore) -> bool:
    """Before there was a registry, runs did not even say which models they logged."""
    return "registry" not in store.manifest["skipped"]


def card_of(deck: FileDeck) -> Card:
    content = deck.preview.content
    assert isinstance(content, Card), deck.frame
    return content


def text_of(card: Card) -> str:
    return "\n".join(f"{line.name}  {line.text}" for line in card.lines)


@pytest.mark.parametrize("fixture_store", DESCRIBED_FIXTURES, indirect=True)
async def test_models_of_a_run_of_every_release(fixture_store: FixtureStore) -> None:
    if not knows_models(fixture_store):
        async with files_of(fixture_store.db, fixture_store.run("logreg"), tab="Models") as deck:
            await deck.until_shown("look among its artifacts")
        return
    async with files_of(fixture_store.db, fixture_store.run("logreg"), tab="Models") as deck:
        models = deck.models
        await deck.until(lambda: models.row_count >= 1, "the models")
        await deck.until(lambda: "sklearn" in cells(models)[2], "the flavors")
        await deck.until(lambda: "churn-model v" in cells(models)[1], "what was registered")
        assert cells(models)[3] == "READY"
        await deck.press("y")
        assert deck.app.clipboard.startswith(("models:/m-", "runs:/"))
        await deck.press("enter")
        await deck.until_viewed("")
        text = text_of(card_of(deck))
        assert "mlflow.pyfunc" in text
        assert "mlflow.sklearn" in text
        assert "Spark UDF" in text
        assert "churn-model v" in text
        assert "source run" in text
        await deck.press("d")
        await deck.until_shown("Download model ")
        assert "requirements.txt" in text or "conda.yaml" in text


async def test_the_card_of_a_folder_in_the_tree(fixture_store: FixtureStore) -> None:
    async with files_of(fixture_store.db, fixture_store.run("logreg")) as deck:
        assert bare(deck) >= LOGREG_FILES
        assert str(folder_of(fixture_store, "logreg")) in unbroken(deck)
        folders = [row.path for row in deck.files._rows if row.entry and row.entry.is_dir]
        (model,) = set(folders) - {"plots", "data"}
        await deck.view(model)
        card = card_of(deck)
        registered = "churn-model v" if knows_models(fixture_store) else "no version was registered from it"
        assert registered in text_of(card)
        assert not card.problem
        snippet = next(row for row, line in enumerate(card.lines) if line.is_code and "pyfunc" in line.copied)
        view = deck.preview.view
        assert view is not None
        view.move_to(snippet)  # type: ignore[attr-defined]
        await deck.press("y")
        assert deck.app.clipboard.startswith("import mlflow\n")
        assert "load_model(" in deck.app.clipboard
        await deck.press("slash", *"spark udf", "enter")
        await deck.until(lambda: "Spark UDF" in view.row_text(view.cursor_row), "found")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["mlflow-1.30.1", "mlflow-3.17.2"])
async def test_models_of_a_moved_store(name: str, store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy(name)
    moved = store.path.with_name("elsewhere")
    store.path.rename(moved)
    async with files_of(moved / "mlflow.db", store.run("logreg"), tab="Models") as deck:
        await deck.until(lambda: deck.models.row_count >= 1 and "sklearn" in cells(deck.models)[2], "the flavors")
        await deck.press("enter")
        await deck.until_viewed("")
        assert str(moved) in text_of(card_of(deck))


async def test_models_of_an_experiment(store_copy: Callable[[str], FixtureStore]) -> None:
    async with running_deck(store_copy("nyc-taxi").db, experiment=TAXI, size=(200, 50)) as plain:
        deck = FileDeck(plain.app, plain.pilot)
        await deck.until_counted(45)
        await deck.press("shift+tab", *["right_square_bracket"] * 5)
        await deck.until(lambda: deck.screen.query(LoggedModelList) and deck.models.row_count == 4, "its models")
        await deck.until(lambda: "xgboost" in deck.frame or "xgboost" in cells(deck.models)[2], "flavors")
        await deck.press("up")
        await deck.until_shown("No run of this experiment logged a model.")
        await deck.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        await deck.press("left_square_bracket", "left_square_bracket")
        await deck.until_shown("newest run")


async def test_a_run_without_models_says_what_to_do(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with files_of(store.db, store.run("diverged"), tab="Models") as deck:
        await deck.until_shown("This run logged no models.")
        assert "log_model()" in deck.frame


async def test_a_malformed_mlmodel_shows_its_error_and_its_text(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-2.9.2")
    file = folder_of(store, "logreg") / "model" / "MLmodel"
    assert file.exists()
    file.write_text("flavors:\n  sklearn: [unclosed\nname: [/x] \x1b[31m\n")
    async with files_of(store.db, store.run("logreg")) as deck:
        await deck.view("model")
        card = card_of(deck)
        assert card.problem.count("line ") == 1
        assert "[unclosed" in deck.frame
        assert "␛[31m" in deck.frame
        assert "churn-model" in text_of(card)


async def test_a_model_whose_files_are_gone(store_copy: Callable[[str], FixtureStore], tmp_path: Path) -> None:
    store = store_copy("mlflow-3.17.2")
    model_id = store.manifest["logged_models"][f"model_of_{store.run('logreg')}"]
    with writing(store.db) as connection:
        (place,) = connection.execute(
            "SELECT artifact_location FROM logged_models WHERE model_id = ?", (model_id,)
        ).fetchone()
    Path(place.removeprefix("file://")).parent.rename(tmp_path / "away")
    async with files_of(store.db, store.run("logreg"), tab="Models") as deck:
        await deck.until(lambda: deck.models.row_count == 1, "the model")
        await deck.until(lambda: "nothing logged" in cells(deck.models)[2], "why there are no flavors")
        await deck.press("enter")
        await deck.until_shown("--artifact-root")
        assert len(deck.app.screen_stack) == 1


async def test_what_is_registered_later_appears(store_copy: Callable[[str], FixtureStore]) -> None:
    store = store_copy("mlflow-3.17.2")
    async with files_of(store.db, store.run("logreg"), tab="Models") as deck:
        await deck.until(lambda: deck.models.row_count and "churn-model v" in cells(deck.models)[1], "a version")
        with writing(store.db) as connection:
            connection.execute("UPDATE model_versions SET current_stage = 'Archived'")
        await deck.until(lambda: "(Archived)" in cells(deck.models)[1], "its new stage")
