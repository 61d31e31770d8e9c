"""What the tests with the real MLflow share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from mldeck.store.store import Store
from tests.far_hosts import far_store
from tests.interop.registry_deck import Deck


@pytest.fixture(scope="module")
def quiet_mlflow() -> None:
    """Both are read when MLflow is imported."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("DO_NOT_TRACK", "true")
        import mlflow  # noqa: F401


@pytest.fixture
def deck_of(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Deck]]:
    """Over ssh if the test is about that: see the fixture `backend`."""
    import mlflow

    is_far = "backend" in request.fixturenames and request.getfixturevalue("backend") == "ssh"
    with ExitStack() as stack:

        def deck(db: Path) -> Deck:
            return Deck(stack.enter_context(far_store(db, may_write=True) if is_far else closing(Store(db))))

        yield deck
    # `client_of` sets them for all of MLflow.
    mlflow.set_tracking_uri(None)
    mlflow.set_registry_uri(None)
