"""A store that is packed as a fixture works wherever it is unpacked."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests import fixture_stores
from tests.fixture_stores import FixtureStore, pack, unpack


def uris(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        return [uri for (uri,) in connection.execute("SELECT artifact_uri FROM runs ORDER BY run_uuid")]


def test_a_packed_store_is_at_home_where_it_is_unpacked(
    store_copy: Callable[[str], FixtureStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, there = store_copy("mlflow-2.9.2"), tmp_path / "there"
    before = uris(store.path)
    pack(store.path, tmp_path / "packed.tar.xz")
    monkeypatch.setattr(fixture_stores, "ARCHIVES", tmp_path)
    unpack("packed", there)
    assert uris(there) == [uri.replace(str(store.path), str(there)) for uri in before]
    assert uris(there) != before
    (model_file,) = there.rglob(f"{store.run('logreg')}/**/MLmodel")
    assert str(store.path) not in model_file.read_text(encoding="utf-8")
