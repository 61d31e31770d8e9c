"""Several statements in one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import (
    BindParameter,
    Connection,
    Executable,
    FromClause,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from mldeck.errors import Interrupted, StoreUnavailable
from mldeck.store.interrupt import Interrupt
from mldeck.store.schema import Schema
from mldeck.store.ssh.channel import Traffic
from mldeck.store.statements import MAX_BOUND_VALUES, Earlier, asked_together, at_once, foreseen, plain_rows
from mldeck.store.store import Store
from tests.far_hosts import FarStore, far_store, shell_for_ssh, use_as_ssh
from tests.fixture_stores import FixtureStore


@pytest.fixture(params=["file", "far end"])
def store(
    request: pytest.FixtureRequest, store_copy: Callable[[str], FixtureStore], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    db = store_copy("mlflow-3.17.2").db
    if request.param == "file":
        with closing(Store(db)) as opened:
            yield opened
    else:
        use_as_ssh(monkeypatch, shell_for_ssh())
        with far_store(db) as opened:
            yield opened


@pytest.fixture
def traffic(store: Store) -> Traffic | None:
    """What goes over the line; None where there is none."""
    return store.line.traffic if isinstance(store, FarStore) else None


def test_each_statement_gives_its_rows(store: Store, traffic: Traffic | None) -> None:
    def read(connection: Connection, schema: Schema) -> list[Any]:
        runs, metrics = schema.runs, schema.latest_metrics
        statements: list[Executable] = [
            select(func.count()).select_from(runs),
            select(metrics.c.key, func.count()).group_by(metrics.c.key).order_by(metrics.c.key),
            select(runs.c.run_uuid).where(runs.c.run_uuid == bindparam("no_run", "no such run")),
            text("SELECT 'Ü', x'00ff', NULL, 1e999"),
        ]
        before = traffic.requests if traffic else 0
        answers = at_once(connection, statements)
        assert traffic is None or traffic.requests == before + 1
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
        with asked_together(connection, [good, bad]):
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


def test_statements_after_an_error_are_asked_again(store: Store) -> None:
    def read(connection: Connection, schema: Schema) -> list[Any]:
        with asked_together(connection, [text("SELECT 1 FROM absent"), text("SELECT 2")]):
            return [connection.execute(text("SELECT 2")).scalar(), connection.execute(text("SELECT 2")).scalar()]

    assert store.read(read, None) == [2, 2]


def test_values_of_equal_numbers_are_told_apart(store: Store) -> None:
    def read(connection: Connection, schema: Schema) -> list[Any]:
        kind = select(func.typeof(bindparam("value")))
        return [rows[0][0] for rows in at_once(connection, [kind.params(value=value) for value in (1, 1.0, "1", b"1")])]

    assert store.read(read, None) == ["integer", "real", "text", "blob"]


def test_a_statement_is_filled_in_with_the_answer_of_another(store: Store, traffic: Traffic | None) -> None:
    def read(connection: Connection, schema: Schema) -> Any:
        runs, tags = schema.runs, schema.tags
        some = select(runs.c.run_uuid).order_by(runs.c.run_uuid).limit(3)
        before = traffic.requests if traffic else 0
        with foreseen(connection, [some, _tags_of(tags, [Earlier(0)]), _tags_of(tags, ["x", Earlier(0)])]):
            ids = list(connection.execute(some).scalars())
            found = [connection.execute(_tags_of(tags, listed)).scalar_one() for listed in (ids, ["x", *ids])]
        assert traffic is None or traffic.requests == before + 1
        assert found == [connection.execute(_tags_of(tags, ids)).scalar_one()] * 2
        return found[0]

    assert store.read(read, None) > 0


@pytest.mark.parametrize("count", [0, MAX_BOUND_VALUES, MAX_BOUND_VALUES + 1])
def test_none_and_too_many_values_are_asked_for_later(store: Store, traffic: Traffic | None, count: int) -> None:
    def read(connection: Connection, schema: Schema) -> None:
        numbers = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT :count")
        first = numbers.bindparams(count=count)
        listed: Select[Any] = (
            select(literal_column("i")).select_from(text("(SELECT 2 AS i)")).where(literal_column("i").in_(_LISTED))
        )
        before = traffic.requests if traffic else 0
        with foreseen(connection, [first, listed.params(listed=[Earlier(0)])]):
            found = list(connection.execute(first).scalars())
            assert connection.execute(listed, {"listed": found}).all() == ([(2,)] if count else [])
        fits = 0 < count <= MAX_BOUND_VALUES
        assert traffic is None or traffic.requests - before == (1 if fits else 2)

    store.read(read, None)


def test_a_question_mark_in_a_text_is_no_value(store: Store) -> None:
    def read(connection: Connection, schema: Schema) -> object:
        first = text("SELECT 7")
        second: Select[Any] = select(literal_column("'?'")).where(literal_column("7").in_(_LISTED))
        with foreseen(connection, [first, second.params(listed=[Earlier(0)])]):
            return connection.execute(second, {"listed": [connection.execute(first).scalar_one()]}).scalar_one()

    assert store.read(read, None) == "?"


_LISTED: BindParameter[Any] = bindparam("listed", expanding=True)


def _tags_of(tags: FromClause, ids: list[Any]) -> Select[Any]:
    return select(func.count()).select_from(tags).where(tags.c.run_uuid.in_(ids))
