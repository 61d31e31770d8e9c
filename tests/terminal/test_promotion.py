"""A promotion from the keyboard of a terminal to what MLflow serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

pytest.importorskip("mlflow")

from tests.fixture_stores import FixtureStore
from tests.terminal.terminal import ENTER, LEFT, mldeck

pytestmark = [
    pytest.mark.interop,
    # Stages are deprecated in MLflow, and still what this is about.
    pytest.mark.filterwarnings("ignore:.*stages.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*get_latest_versions.*:FutureWarning"),
]

MODEL = "churn-model"


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> None:
    """Both are read when MLflow is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        import mlflow  # noqa: F401


@pytest.fixture(autouse=True)
def _tracking_uri() -> Iterator[None]:
    import mlflow

    yield
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)


def test_promoting_and_undoing_by_keyboard(store_copy: Callable[[str], FixtureStore]) -> None:
    import mlflow

    store = store_copy("mlflow-3.17.2")
    uri = f"sqlite:///{store.db}"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)

    def latest() -> dict[str, str]:
        return {each.current_stage: str(each.version) for each in client.get_latest_versions(MODEL)}

    before = latest()
    assert (before["Staging"], before["Production"]) == ("3", "2")
    with mldeck(store.db) as deck:
        deck.wait_for("live · rw")
        deck.press("2", MODEL)
        deck.wait_for("rf-depth-20")
        deck.press(ENTER, "─ churn-model 2 · Production")
        deck.press(LEFT, "─ churn-model 3 · Staging")
        deck.press("p", "Promote churn-model version 3 → Production")
        deck.wait_for("2: Production → Archived")
        deck.press(ENTER, "churn-model 3 is in Production")
        after = latest()
        assert (after["Production"], "Staging" in after) == ("3", False)
        assert client.get_model_version(MODEL, "2").current_stage == "Archived"
        (record,) = (value for key, value in client.get_model_version(MODEL, "3").tags.items() if "transition" in key)
        assert '"to":"Production"' in record
        deck.press("u", "Undo the last stage change")
        deck.press("y", "churn-model 3 is in Staging")
        assert latest() == before
        deck.send("q")
        assert deck.wait_exit() == 0
        deck.assert_left_as_found()
