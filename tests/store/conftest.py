"""Fixtures for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mldeck.store.store import Store
from tests.editing import NOW
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import Registry, RegistryOf, registry_of


@pytest.fixture
def registry() -> Iterator[RegistryOf]:
    stores: list[Store] = []

    def of(fixture: FixtureStore, now: int = NOW, **more: object) -> Registry:
        stores.append(Store(fixture.db))
        return registry_of(stores[-1], fixture, now, **more)  # type: ignore[arg-type]

    yield of
    for store in stores:
        store.close()
