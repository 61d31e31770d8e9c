"""How many round trips to a server the deck waits for, counted by a link in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pymysql
import pytest

from mldeck.store.address import read_address
from mldeck.store.connect import check_database
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from mldeck.ui.runs.reading import read_opening
from tests.fixture_stores import FixtureStore
from tests.link import Link, running
from tests.servers.database_server import PASSWORD, USER
from tests.servers.databases import Database, Databases

MOST_TRIPS = 10
"""To the first runs, with a login of `LOGIN_TRIPS`."""
LOGIN_TRIPS = 3
"""Those of a login without a password. How many more there are is the server's to say."""
MOST_TRIPS_OF_A_STOP = 2
"""To show a run or a model that the cursor stops at."""


@pytest.fixture(params=["postgresql", "mariadb"])
def database(
    request: pytest.FixtureRequest,
    databases_on: Callable[[str], Databases],
    store_copy: Callable[[str], FixtureStore],
) -> Iterator[Database]:
    with databases_on(request.param).holding(store_copy("mlflow-3.17.2").db) as filled:
        yield filled


@pytest.fixture
def link(database: Database) -> Iterator[Link]:
    with running(Link(database.server.service.port)) as between:
        yield between


def log_in(database: Database, link: Link) -> Any:
    """Connect as the driver does by itself. Closing it would count as a trip."""
    if database.server.kind == "postgresql":
        return psycopg.connect(database.server.url(database.name, port=link.port))
    return pymysql.connect(host="127.0.0.1", port=link.port, user=USER, password=PASSWORD, autocommit=None)


def test_to_the_first_runs(database: Database, link: Link) -> None:
    with closing(log_in(database, link)):
        login_trips = link.trips
        assert login_trips >= LOGIN_TRIPS
        assert trips_to_the_first_runs(database, link) - login_trips <= MOST_TRIPS - LOGIN_TRIPS


def trips_to_the_first_runs(database: Database, link: Link) -> int:
    before = link.trips
    address = read_address(database.server.url(database.name, port=link.port))
    check_database(address)
    with closing(Store(address)) as store:
        opening = read_opening(store, "churn-baseline", Interrupt())
        assert opening.page is not None
        assert opening.page.count == 12
        return link.trips - before


def test_where_the_cursor_stops(database: Database, link: Link, store_copy: Callable[[str], FixtureStore]) -> None:
    run_id = store_copy("mlflow-3.17.2").run("rf5")
    with closing(Store(read_address(database.server.url(database.name, port=link.port)))) as store:
        store.run_counts()
        for read in (
            lambda: store.run_details(run_id),
            lambda: store.registry().models(),
            lambda: store.registry().versions("churn-model"),
            lambda: store.read_history(run_id, "loss"),
        ):
            before = link.trips
            assert read()
            assert 0 < link.trips - before <= MOST_TRIPS_OF_A_STOP


def test_an_idle_store_asks_seldom(database: Database, link: Link) -> None:
    """Only `poll` asks, in the background."""
    with closing(Store(read_address(database.server.url(database.name, port=link.port)))) as store:
        store.run_counts()
        before = link.trips
        for _ in range(100):
            store.poll()
        assert link.trips - before <= MOST_TRIPS
