"""Fixtures for the tests of the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from mldeck.store.store import Store
from tests.editing import NOW
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import Registry, RegistryOf, registry_of

if TYPE_CHECKING:
    from tests.servers.databases import Databases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with each kind of database that its marker `backends` names; the closest marker counts."""
    marker = metafunc.definition.get_closest_marker("backends")
    if marker is not None and marker.args != ("sqlite",):
        metafunc.parametrize("backend", marker.args, indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def backend(request: pytest.FixtureRequest, databases_on: Callable[[str], Databases]) -> Iterator[str]:
    """The kind of database that stores are in: where it is not SQLite, the rows of each one are copied when it is opened."""
    kind = getattr(request, "param", "sqlite")
    with pytest.MonkeyPatch.context() as patch:
        if kind != "sqlite":
            from tests.servers.mirrored import opening_on

            patch.setattr("mldeck.store.opened.open_backend", opening_on(databases_on(kind)))
        yield kind


@pytest.fixture
def registry() -> Iterator[RegistryOf]:
    stores: list[Store] = []

    def of(fixture: FixtureStore, now: int = NOW, **more: object) -> Registry:
        stores.append(Store(fixture.db))
        return registry_of(stores[-1], fixture, now, **more)  # type: ignore[arg-type]

    yield of
    for store in stores:
        store.close()
