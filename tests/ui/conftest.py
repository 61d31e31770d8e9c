"""What the tests of the deck get beyond that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixture_stores import FixtureStore


@pytest.fixture(params=["mlflow-1.2.0", "mlflow-3.17.2"])
def fixture_store(request: pytest.FixtureRequest, store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    """The oldest and the newest: the deck knows nothing of releases, and the tests of the store go through all of them.

    Where every release matters here too, a test says so: `@pytest.mark.parametrize("fixture_store", …, indirect=True)`.
    """
    return store_copy(request.param)


@pytest.fixture(autouse=True)
def never_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is made ahead, as for somebody who types all the time: it would take a tenth of the time of all these tests.

    `test_loading_ahead` is about that.
    """
    monkeypatch.setattr("mldeck.ui.app._QUIET_S", 3_600.0)
