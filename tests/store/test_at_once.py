"""Several statements in one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from mldeck.errors import Interrupted, StoreUnavailable
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.statements import asked_together, at_once, plain_rows
from mldeck.store.store import Store
from tests.fixture_stores import FixtureStore


@pytest.fixture
def store(store_copy: Callable[[str], FixtureStore]) -> Iterator[Store]:
    opened = Store(store_copy("mlflow-3.17.2").db)
    yield opened
    opened.close()


def test_each_statement_gives_its_rows(store: Store) -> None:
    def read(connection: Connection, schema: Schema) -> list[Any]:
        runs, metrics = schema.runs, schema.latest_metrics
        statements: list[Executable] = [
            select(func.count()).select_from(runs),
            select(metrics.c.key, func.count()).group_by(metrics.c.key).order_by(metrics.c.key),
            select(runs.c.run_uuid).where(runs.c.run_uuid == bindparam("no_run", "no such run")),
            text("SELECT 'Ü', x'00ff', NULL, 1e999"),
        ]
        answers = at_once(connection, statements)
        assert answers == [connection.execute(statement).all() for statement in statements]
        assert answers[1][0]._fields == ("key", "count_1")
        return answers

    count, keys, nothing, values = store.read(read, None)
    assert count[0][0] > 0
    assert {"auc", "loss"} <= {row.key for row in keys}
    assert nothing == []
    assert values == [("Ü", b"\x00\xff", None, float("inf"))]


def test_nothing_is_asked_for_no_statements(store: Store) -> None:
    assert store.read(lambda connection, schema: at_once(connection, []), None) == []


def test_an_error_belongs_to_its_statement(store: Store) -> None:
    def read(connection: Connection, schema: Schema) -> list[Any]:
        good, bad = select(func.count()).select_from(schema.runs), text("SELECT 1 FROM absent")
        with asked_together(connection, [bad, good]):
            rows = plain_rows(connection, good, {})
            with pytest.raises(DBAPIError, match="no such table: absent"):
                connection.execute(bad)
        assert rows == at_once(connection, [good])[0]
        return at_once(connection, [good, bad])

    with pytest.raises(StoreUnavailable, match="no such table: absent"):
        store.read(read, None)


def test_an_interrupt_stops_the_next_statement(store: Store) -> None:
    interrupt = Interrupt()

    def read(connection: Connection, schema: Schema) -> object:
        interrupt.fire()
        return at_once(connection, [text("SELECT 1"), text("SELECT 2")])

    with pytest.raises(Interrupted):
        store.read(read, interrupt)
