"""What a store on another machine answers, beside the same file opened here."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, text

from mldeck.model import View
from mldeck.store.schema import Schema
from mldeck.store.sqlite.catalogue import read_schema
from mldeck.store.store import Store
from tests.far_hosts import far_store
from tests.fixture_stores import FIXTURES, FixtureStore
from tests.hostile import damaged
from tests.store_reads import Call, answer, methods_that_read, reads

CopyOf = Callable[[str], FixtureStore]


@pytest.mark.parametrize("name", FIXTURES)
def test_every_method_gives_what_it_gives_here(store_copy: CopyOf, name: str) -> None:
    db = store_copy(name).db
    with closing(Store(db)) as near, far_store(db) as far:
        for call in reads(near):
            expected = answer(call, near)
            assert "cannot be read" not in str(expected), "the call itself is wrong"
            assert answer(call, far) == expected, call
        assert far.reading_notices == near.reading_notices


def test_every_method_that_reads_is_called(store_copy: CopyOf) -> None:
    with closing(Store(store_copy("mlflow-3.17.2").db)) as store:
        called = {call.method for call in reads(store)}
    assert called == set().union(*methods_that_read().values())


@pytest.mark.parametrize("name", FIXTURES)
def test_the_schema_is_the_same(store_copy: CopyOf, name: str) -> None:
    db = store_copy(name).db
    with closing(Store(db)) as near, far_store(db) as far:
        assert schema_parts(far.schema) == schema_parts(near.schema)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE runs ADD COLUMN twice INTEGER GENERATED ALWAYS AS (start_time * 2)",
        "DELETE FROM alembic_version",
        "UPDATE alembic_version SET version_num = x'ff00'",
        "UPDATE alembic_version SET version_num = 7",
        "ALTER TABLE tags RENAME TO old_tags; CREATE VIEW tags AS SELECT * FROM old_tags",
        (
            "ALTER TABLE tags RENAME TO old_tags; CREATE VIEW tags AS SELECT * FROM old_tags; "
            "ALTER TABLE inputs RENAME TO old_inputs; CREATE VIEW inputs AS SELECT * FROM absent"
        ),
        "CREATE VIEW unread AS SELECT * FROM absent",
        'CREATE TABLE "odd \'name" ("a b" INTEGER, "Ü" TEXT)',
    ],
)
def test_an_odd_schema_is_the_same(store_copy: CopyOf, statement: str) -> None:
    db = store_copy("mlflow-3.17.2").db
    with closing(sqlite3.connect(db)) as connection:
        connection.executescript(statement)
    with closing(Store(db)) as near, far_store(db) as far:
        assert schema_parts(far.schema) == schema_parts(near.schema)


def schema_parts(schema: Schema) -> tuple[object, ...]:
    return schema._columns, schema._indexes, schema.revision


@pytest.mark.parametrize(
    "values",
    [
        "NULL, NULL, NULL",
        "1, -1, 9223372036854775807",
        "1.5, 1e999, -1e999",
        "1, 1.0, '1'",
        "x'00ff', 'text', x''",
        "'0123456789abcdef0123456789abcdef', 'Ü🐍', char(0)",
        "CAST(x'ff41' AS TEXT), 'fine', CAST(x'eda080' AS TEXT)",
        "'{\"b\": 1}', x'7b7d', 'b'",
    ],
)
def test_values_of_any_type_arrive_as_they_are(store_copy: CopyOf, values: str) -> None:
    first, *others = values.split(", ")
    rows = " UNION ALL ".join([f"SELECT {first} AS value, 1 AS number", *(f"SELECT {other}, 2" for other in others)])

    def read(connection: Connection, schema: Schema) -> list[tuple[object, object]]:
        found = [tuple(row) for row in connection.execute(text(f"SELECT value, typeof(value), number FROM ({rows})"))]
        return [tuple((type(value), value) for value in row) for row in found]  # type: ignore[misc]

    db = store_copy("mlflow-3.17.2").db
    with closing(Store(db)) as near, far_store(db) as far:
        assert far.read(read, None) == near.read(read, None)


def test_many_ids_arrive_as_they_are(store_copy: CopyOf) -> None:
    """They are packed in another way than few, unless one of them has another form."""

    def read(connection: Connection, schema: Schema) -> list[str]:
        ids = "SELECT printf('%032x', value) AS id FROM numbers"
        counted = "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers LIMIT 3000) "
        lower = connection.execute(text(counted + ids)).scalars().all()
        mixed = connection.execute(text(f"{counted}{ids} UNION ALL SELECT 'ABCDEF{'0' * 26}'")).scalars().all()
        return [*lower, *mixed]

    db = store_copy("mlflow-3.17.2").db
    with closing(Store(db)) as near, far_store(db) as far:
        assert far.read(read, None) == near.read(read, None)


def test_a_damaged_database_gives_the_same_errors(store_copy: CopyOf) -> None:
    db = store_copy("mlflow-2.9.2").db
    damage(db)
    with closing(Store(db)) as near, far_store(db) as far:
        calls = [Call("experiments", (View.ALL,)), Call("run_counts"), Call("metric_keys", (["0" * 32],))]
        answers = [answer(call, near) for call in calls]
        assert [answer(call, far) for call in calls] == answers
    assert "malformed" in str(answers)


SEEDS = (0, 1, 2, 4, 5, 7, 9)
"""None of them takes away what opening needs."""


@pytest.mark.parametrize("name", damaged.FIXTURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_database_that_is_not_what_it_promises(store_copy: CopyOf, name: str, seed: int) -> None:
    db = store_copy(name).db
    with closing(Store(store_copy(name).db)) as whole:
        calls = Random(seed).sample(list(reads(whole)), 40)
    what = damaged.variant(db, seed)
    damaged.damage(db, what)
    with closing(Store(db)) as near, far_store(db) as far:
        assert schema_parts(far.schema) == schema_parts(near.schema), what
        for call in calls:
            if "\\ud800" not in repr(call):  # which of two errors comes first does not matter
                assert answer(call, far) == answer(call, near), (what, call)
        assert far.reading_notices == near.reading_notices, what


def damage(db: Path) -> None:
    """Overwrite all pages but those of the catalogue."""
    with closing(sqlite3.connect(db)) as connection:
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        pages = [
            row[0]
            for row in connection.execute("SELECT rootpage FROM sqlite_master WHERE name IN ('runs', 'latest_metrics')")
        ]
    with db.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * page_size)
            file.write(b"\x77" * page_size)


def test_the_catalogue_is_read_without_asking(store_copy: CopyOf) -> None:
    db = store_copy("mlflow-3.17.2").db
    with far_store(db) as far:
        assert far.line.traffic.requests == 0
        far.run_counts()
        assert far.line.traffic.requests == 1
        with far._backend.reading() as connection:
            assert schema_parts(read_schema(connection)) == schema_parts(far.schema)
