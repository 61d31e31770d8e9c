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
