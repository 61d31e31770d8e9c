"""What a store on a server answers, beside the SQLite store that its rows are from."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from mldeck.errors import Interrupted
from mldeck.model import View
from mldeck.store.address import read_address
from mldeck.store.interrupt import Interrupt
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore
from tests.servers.databases import Database, Databases
from tests.servers.service import Service
from tests.store.test_groups import assert_summaries
from tests.store_reads import Call, answer, reads

CopyOf = Callable[[str], FixtureStore]

NOT_TEXT = ("\\ud800", "\\x00")
"""Text that SQLite can store, and servers cannot."""
FOLDED = "Ü"
"""The other letters ignore case on all databases."""


@pytest.mark.parametrize("name", ["mlflow-1.2.0", "mlflow-2.9.2", "mlflow-3.17.2"])
def test_every_method_gives_what_it_gives_on_sqlite(databases: Databases, store_copy: CopyOf, name: str) -> None:
    db = store_copy(name).db
    with databases.holding(db) as database, opened_twice(database, db) as (near, far):
        for call in reads(near):
            assert_same(call, near, far, databases.orders_bytes)
        assert far.reading_notices == near.reading_notices


@contextmanager
def opened_twice(database: Database, db: Any, port: int | None = None) -> Iterator[tuple[Store, Store]]:
    """Yield the SQLite store and the one on the server. `port` is that of what is in between."""
    address = read_address(database.server.url(database.name, port=port))
    with closing(Store(db)) as near, closing(Store(address)) as far:
        yield near, far


def assert_same(call: Call, near: Store, far: Store, orders_bytes: bool) -> None:
    if call.method == "group_summaries":  # the last digits depend on the order in which they are summed up
        wanted, summaries = near.group_summaries(*call.arguments), far.group_summaries(*call.arguments)
        assert summaries.keys() == wanted.keys(), call
        for metric in wanted:
            assert_summaries(summaries[metric], wanted[metric])
        return
    expected, found = without_mark(answer(call, near)), without_mark(answer(call, far))
    assert "cannot be read" not in str(expected), "the call itself is wrong"
    if any(sign in repr(call) for sign in NOT_TEXT):
        assert found in (expected, [], "0") or found[0] in ("SearchError", "UsageError"), call
    elif orders_bytes:
        assert found == expected, call
    elif FOLDED not in repr(call):
        assert in_any_order(found) == in_any_order(expected), call


def without_mark(value: Any) -> Any:
    """Return an answer without the place at which a history goes on, which is private to a kind of database."""
    if isinstance(value, (list, tuple)):
        return type(value)(map(without_mark, value))
    if isinstance(value, dict):
        return {name: without_mark(each) for name, each in value.items() if name != "mark"}
    return value


def in_any_order(value: Any) -> Any:
    """Return an answer so that it is equal to others with the same parts."""
    if isinstance(value, (list, tuple)):
        return sorted(map(repr, map(in_any_order, value)))
    return {name: in_any_order(each) for name, each in sorted(value.items())} if isinstance(value, dict) else value


class TestPgBouncer:
    """In transaction mode, where each transaction may be given another connection to the server."""

    @pytest.fixture
    def databases(self, databases_on: Callable[[str], Databases]) -> Databases:
        return databases_on("postgresql")

    def test_the_answers(self, databases: Databases, pgbouncer: Service, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        with databases.holding(db) as database, opened_twice(database, db, pgbouncer.port) as (near, far):
            for call in list(reads(near))[::3]:
                assert_same(call, near, far, orders_bytes=True)

    def test_more_readers_than_connections(self, databases: Databases, pgbouncer: Service, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        found: list[int] = []
        with databases.holding(db) as database, opened_twice(database, db, pgbouncer.port) as (near, far):

            def read() -> None:
                found.extend(len(far.experiments(View.ALL)) for _ in range(5))

            threads = [threading.Thread(target=read) for _ in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert found == [len(near.experiments(View.ALL))] * 60

    def test_a_slow_read_is_stopped(self, databases: Databases, pgbouncer: Service, store_copy: CopyOf) -> None:
        db = store_copy("mlflow-3.17.2").db
        with databases.holding(db) as database, opened_twice(database, db, pgbouncer.port) as (near, far):
            interrupt = Interrupt()
            threading.Timer(0.3, interrupt.fire).start()
            began = time.monotonic()
            with pytest.raises(Interrupted):
                far.read(lambda connection, _: connection.execute(text("SELECT pg_sleep(30)")).all(), interrupt)
            assert time.monotonic() - began < 5
            assert far.experiments(View.ALL) == near.experiments(View.ALL)
