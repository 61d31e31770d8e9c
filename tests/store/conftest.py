"""Fixtures for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mldeck.store.store import Store
from tests import editing
from tests.editing import NOW
from tests.far_hosts import FarWriters, shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore
from tests.registry_rooms import Registry, RegistryOf, registry_of


@pytest.fixture(params=["sqlite", "ssh"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Lets `writer_of` write to a file on this machine, then to one on another machine."""
    writers = FarWriters()
    if request.param == "ssh":
        use_as_ssh(monkeypatch, shell_for_ssh())
        monkeypatch.setattr(editing, "new_writer", writers)
    yield request.param
    writers.close()


@pytest.fixture
def registry() -> Iterator[RegistryOf]:
    stores: list[Store] = []

    def of(fixture: FixtureStore, now: int = NOW, **more: object) -> Registry:
        stores.append(Store(fixture.db))
        return registry_of(stores[-1], fixture, now, **more)  # type: ignore[arg-type]

    yield of
    for store in stores:
        store.close()
