"""What the tests with the real MLflow share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mldeck.store.store import Store
from tests.interop.registry_deck import Deck


@pytest.fixture(scope="module")
def quiet_mlflow() -> None:
    """Both are read when MLflow is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        import mlflow  # noqa: F401


@pytest.fixture
def deck_of() -> Iterator[Callable[[Path], Deck]]:
    import mlflow

    opened: list[Store] = []

    def deck(db: Path) -> Deck:
        opened.append(Store(db))
        return Deck(opened[-1])

    yield deck
    for store in opened:
        store.close()
    # `client_of` sets them for all of MLflow.
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)
