"""SQL as it is written for each kind of database, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import BigInteger, Dialect, Float, String, bindparam, column, select, table
from sqlalchemy.dialects import mysql, postgresql, sqlite

from mldeck.model import Column, Kind, OrderKey, RunQuery
from mldeck.search.errors import SearchError
from mldeck.store.expressions import difference, scaled, slice_number, sqlite_only, square, unindexed
from mldeck.store.runs.completion import found_keys
from mldeck.store.runs.order import ordered
from mldeck.store.runs.records import matches
from mldeck.store.schema import SQLITE, Schema, Traits
from mldeck.store.text_match import among_texts, contains_text, exactly, same_text

PARAMS = table("params", column("key", String()), column("value", String()), column("step", BigInteger()))
LATEST = table("latest", column("value", Float()))
KEY, VALUE, STEP, NUMBER = PARAMS.c.key, PARAMS.c.value, PARAMS.c.step, LATEST.c.value
DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    "mysql": mysql.dialect(),
}
SERVER = Traits(has_rowids=False, takes_any_text=False)


def text_of(element: Any, dialect: str) -> str:
    compiled = element.compile(dialect=DIALECTS[dialect], compile_kwargs={"literal_binds": True})
    return " ".join(str(compiled).replace("%%", "%").split())


@pytest.mark.parametrize(
    ("element", "on_sqlite", "on_postgresql", "on_mysql"),
    [
        (
            select(KEY).where(same_text(KEY, "Loss"), same_text(VALUE, "x")),
            "SELECT params.\"key\" FROM params WHERE params.\"key\" = 'Loss' AND params.value = 'x'",
            "SELECT params.key FROM params WHERE params.key = 'Loss' AND params.value = 'x'",
            (
                "SELECT params.`key` FROM params WHERE "
                "(params.`key` = 'Loss' AND BINARY CONVERT(params.`key` USING utf8mb4) = 'Loss') "
                "AND (params.value = 'x' AND BINARY CONVERT(params.value USING utf8mb4) = 'x')"
            ),
        ),
        (
            select(KEY).where(among_texts(KEY, ["a", "B"])),
            "SELECT params.\"key\" FROM params WHERE params.\"key\" IN ('a', 'B')",
            "SELECT params.key FROM params WHERE params.key IN ('a', 'B')",
            (
                "SELECT params.`key` FROM params WHERE "
                "(params.`key` IN ('a', 'B') AND BINARY CONVERT(params.`key` USING utf8mb4) IN ('a', 'B'))"
            ),
        ),
        (
            select(exactly(KEY).label("key")).group_by(exactly(KEY)),
            'SELECT params."key" AS "key" FROM params GROUP BY params."key"',
            "SELECT params.key AS key FROM params GROUP BY params.key",
            (
                "SELECT BINARY CONVERT(params.`key` USING utf8mb4) AS `key` FROM params "
                "GROUP BY BINARY CONVERT(params.`key` USING utf8mb4)"
            ),
        ),
        (
            select(KEY).where(contains_text(VALUE, "50%_Ü/X")),
            "SELECT params.\"key\" FROM params WHERE lower(params.value) LIKE '%50/%/_Ü//x%' ESCAPE '/'",
            "SELECT params.key FROM params WHERE lower(params.value COLLATE \"C\") LIKE '%50/%/_Ü//x%' ESCAPE '/'",
            (
                "SELECT params.`key` FROM params WHERE (lower(CONVERT(params.value USING utf8mb4)) COLLATE utf8mb4_bin) "
                "LIKE lower('%50/%/_Ü//x%') ESCAPE '/'"
            ),
        ),
        (
            select(KEY).where(sqlite_only(STEP <= 5), KEY == "a"),
            'SELECT params."key" FROM params WHERE params.step <= 5 AND params."key" = \'a\'',
            "SELECT params.key FROM params WHERE true AND params.key = 'a'",
            "SELECT params.`key` FROM params WHERE true = 1 AND params.`key` = 'a'",
        ),
        (unindexed(KEY), "coalesce(params.\"key\", '')", "params.key", "params.`key`"),
        (
            difference(STEP, 7),
            "params.step - 7",
            "CAST(params.step AS NUMERIC) - 7",
            "CAST(params.step AS DECIMAL(20)) - 7",
        ),
        (
            slice_number(STEP, -7, 3),
            "CAST((params.step - -7) / 3 AS INTEGER)",
            "CAST(div(CAST(params.step AS NUMERIC) - -7, CAST(3 AS NUMERIC)) AS BIGINT)",
            "(CAST(params.step AS DECIMAL(20)) - -7) DIV 3",
        ),
    ],
)
def test_each_database_gets_its_own_words(element: Any, on_sqlite: str, on_postgresql: str, on_mysql: str) -> None:
    found = {dialect: text_of(element, dialect) for dialect in DIALECTS}
    assert found == {"sqlite": on_sqlite, "postgresql": on_postgresql, "mysql": on_mysql}


def test_a_list_that_is_bound_later_is_bound_twice_on_mysql() -> None:
    statement = select(KEY).where(among_texts(KEY, bindparam("keys", expanding=True)))
    compiled = statement.compile(dialect=DIALECTS["mysql"])
    expanded = compiled._process_parameters_for_postcompile({"keys": ["a", "b"]})
    assert expanded.statement.count("%s") == 4


def test_summaries_are_calculated_without_results_too_small_for_postgresql() -> None:
    statement = select(square(scaled(NUMBER, NUMBER, NUMBER)))
    assert "1e-290" in text_of(statement, "postgresql")
    assert "1e-290" not in text_of(statement, "sqlite")
    assert "1e-290" not in text_of(statement, "mysql")


COLUMNS = {
    "runs": frozenset({"run_uuid", "experiment_id", "lifecycle_stage", "start_time", "end_time", "name"}),
    "latest_metrics": frozenset({"run_uuid", "key", "value", "timestamp", "step", "is_nan"}),
    "params": frozenset({"run_uuid", "key", "value"}),
    "registered_models": frozenset({"name"}),
    "model_versions": frozenset({"name", "version", "current_stage"}),
}


def schema(traits: Traits = SERVER) -> Schema:
    return Schema(COLUMNS, {}, None, traits=traits)


def test_a_boolean_is_compared_with_a_boolean() -> None:
    by_loss = OrderKey(Column(Kind.METRIC, "loss"), False)
    statement = ordered(select(schema().runs.c.run_uuid), schema(), (by_loss,))
    assert "is_nan = true" in text_of(statement, "postgresql")
    assert "is_nan = 1" in text_of(statement, "sqlite")


def test_mysql_lists_keys_by_distinct_and_others_key_by_key() -> None:
    distinct = schema(Traits(lists_keys_by_distinct=True))
    assert "SELECT DISTINCT params" in text_of(select(found_keys(distinct, distinct.params)), "mysql")
    assert "WITH RECURSIVE found" in text_of(select(found_keys(schema(), schema().params)), "postgresql")


@pytest.mark.parametrize(("text", "position"), [("params.lr = 'a\0b'", 14), ("name\ud800", 4), ("\udc80x", 0)])
def test_a_search_for_what_no_text_there_can_have_says_where_it_is(text: str, position: int) -> None:
    with pytest.raises(SearchError, match="no value in this database") as caught:
        matches(schema(), RunQuery(("1",), filter=text))
    assert caught.value.span == (position, position + 1)


def test_sqlite_takes_a_nul() -> None:
    matches(schema(SQLITE), RunQuery(("1",), filter="params.lr = 'a\0b'"))
