"""Finding a run by its id, the beginning of an id, or its name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from mldeck.errors import UsageError
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore

pytestmark = pytest.mark.backends("sqlite", "postgresql", "mariadb")

VERSIONS = ("mlflow-1.2.0", "mlflow-1.30.1", "mlflow-3.17.2", "migrated-1.8.0-to-3.17.2")


@pytest.fixture(params=VERSIONS)
def fixture(request: pytest.FixtureRequest, store_copy: Callable[[str], FixtureStore]) -> FixtureStore:
    return store_copy(request.param)


def _meant(fixture: FixtureStore, text: str) -> str:
    store = Store(fixture.db)
    try:
        return store.resolve_run(text).run_id
    finally:
        store.close()


def test_by_id_beginning_of_an_id_and_name(fixture: FixtureStore) -> None:
    run_id = fixture.run("diverged")
    assert _meant(fixture, run_id) == run_id
    assert _meant(fixture, run_id[:12]) == run_id
    assert _meant(fixture, run_id[:12].upper()) == run_id
    assert _meant(fixture, "diverged") == run_id


def test_a_deleted_run_is_found(fixture: FixtureStore) -> None:
    assert _meant(fixture, fixture.run("deleted")) == fixture.run("deleted")


def test_three_characters_are_too_few(fixture: FixtureStore) -> None:
    with pytest.raises(UsageError, match="has no run"):
        _meant(fixture, fixture.run("diverged")[:3])


@pytest.mark.parametrize("text", ["", "%", "diverge", "nobody", "x' OR 1=1 --"])
def test_texts_that_match_no_run(fixture: FixtureStore, text: str) -> None:
    with pytest.raises(UsageError, match="has no run"):
        _meant(fixture, text)


def test_several_runs_of_one_name_are_listed(store_copy: Callable[[str], FixtureStore]) -> None:
    fixture = store_copy("mlflow-3.17.2")
    ids = [fixture.run("rf5"), fixture.run("rf10")]
    with closing(sqlite3.connect(fixture.db)) as connection, connection:
        connection.execute("UPDATE runs SET name = 'twin' WHERE run_uuid IN (?, ?)", ids)
    with pytest.raises(UsageError, match="several runs") as refused:
        _meant(fixture, "twin")
    assert all(run_id in str(refused.value) for run_id in ids)
