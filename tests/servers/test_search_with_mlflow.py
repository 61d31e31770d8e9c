"""The same searches put to the real MLflow and to mldeck, on one database on a server: the order of text is its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from mldeck.search.errors import SearchError
from mldeck.search.parse import parse
from mldeck.search.tree import uses_extension
from mldeck.store.address import read_address
from mldeck.store.store import Store
from tests.fixture_stores import unpack
from tests.interop.test_search_interop import ask_mlflow, check_generated
from tests.servers.databases import Database, Databases
from tests.servers.fixtures import SERVERS
from tests.store.search_oracle import find
from tests.store.test_run_filter import CASES

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module", params=SERVERS)
def database(
    request: pytest.FixtureRequest,
    databases_on: Callable[[str], Databases],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Database]:
    folder = unpack("search", tmp_path_factory.mktemp("search"))
    with databases_on(request.param).holding(folder / "mlflow.db") as filled:
        yield filled


@pytest.fixture(scope="module")
def mlflow_store(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(database.mlflow_uri, str(tmp_path_factory.mktemp("artifacts")))
    yield store
    store.engine.dispose()


@pytest.fixture(scope="module")
def store(database: Database) -> Iterator[Store]:
    with closing(Store(read_address(database.url))) as opened:
        yield opened


def test_recorded_searches(mlflow_store: Any, store: Store) -> None:
    answered = 0
    for case in CASES:
        text, order, view, experiments = case["filter"], case["order_by"], case["view"], case["experiments"]
        theirs = ask_mlflow(mlflow_store, text, order, view, experiments)
        if theirs is not None:
            assert find(store, text, order, view, experiments) == theirs, case
            answered += 1
        elif "error" in case:
            try:
                find(store, text, order, view, experiments)
            except SearchError:
                continue
            assert uses_extension(parse(text)), case
    assert answered == sum("error" not in case for case in CASES)


@pytest.mark.parametrize("seed", range(2))
def test_generated_searches(seed: int, database: Database, mlflow_store: Any, store: Store) -> None:
    # MLflow cannot send an infinite number to MySQL; mldeck sends the largest number instead.
    check_generated(seed, mlflow_store, store, "1e999" if database.server.kind == "mariadb" else None)
