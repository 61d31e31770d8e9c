"""Statements that need the answers of others of the same request, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mldeck.store.servers.answers import AnsweredConnection
from mldeck.store.servers.filling import Statement, StatementAnswer, can_repeat, filled_in, nested
from mldeck.store.statements import MAX_BOUND_VALUES, Earlier

IDS = ("SELECT runs.run_uuid FROM runs ORDER BY runs.start_time LIMIT %(param_1)s::INTEGER", {"param_1": 2})
NAMES = (
    "SELECT experiments.experiment_id, experiments.name FROM experiments WHERE stage = %(stage_1)s",
    {"stage_1": "a"},
)
OF_RUNS = (
    "SELECT key FROM params WHERE run_uuid IN (%(run_uuid_1_1)s::VARCHAR) AND key != %(key_1)s::VARCHAR",
    {"run_uuid_1_1": Earlier(0), "key_1": "lr"},
)
OF_NAMES = ("SELECT run_uuid FROM runs WHERE experiment_id IN (%(ids_1)s::BIGINT)", {"ids_1": Earlier(0)})


class Server:
    """Answers as told, by the beginning of the text, and notes what it was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.requests: list[list[Statement]] = []
        self.connection = AnsweredConnection(self._ask)

    def _ask(self, statements: list[Statement]) -> list[StatementAnswer | Exception]:
        self.requests.append(statements)
        given: list[StatementAnswer | Exception] = []
        for text, _ in statements:
            rows = next(rows for beginning, rows in self.answers.items() if text.startswith(beginning))
            if isinstance(rows, Exception):
                return [*given, rows]
            given.append(StatementAnswer([("column",)], rows))
        return given

    def gather(self, statements: Sequence[Statement]) -> None:
        with self.connection.gathering():
            for text, values in statements:
                self.connection.cursor().execute(text, values)

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        return self.connection.cursor().execute(*statement).fetchall()


def filled(*ids: str) -> Statement:
    names = [f"run_uuid_1_{number}" for number in range(1, len(ids) + 1)]
    listed = ", ".join(f"%({name})s::VARCHAR" for name in names)
    text = f"SELECT key FROM params WHERE run_uuid IN ({listed}) AND key != %(key_1)s::VARCHAR"
    return text, {"key_1": "lr"} | dict(zip(names, ids, strict=True))


def test_named_values_are_filled_in_as_a_list_of_sqlalchemy() -> None:
    assert filled_in(OF_RUNS, {0: StatementAnswer([], [("a", 1), ("b", 2)])}) == filled("a", "b")


def test_values_in_order_are_filled_in_at_their_place() -> None:
    statement = ("SELECT '%%s' FROM params WHERE a = %s AND run_uuid IN (%s) AND key = %s", (1, Earlier(3), "lr"))
    expected = ("SELECT '%%s' FROM params WHERE a = %s AND run_uuid IN (%s, %s) AND key = %s", (1, "a", "b", "lr"))
    assert filled_in(statement, {3: StatementAnswer([], [("a",), ("b",)])}) == expected


@pytest.mark.parametrize("count", [0, MAX_BOUND_VALUES + 1])
def test_no_statement_has_an_empty_or_too_long_list(count: int) -> None:
    assert filled_in(OF_RUNS, {0: StatementAnswer([], [("a",)] * count)}) is None


def test_a_plain_list_becomes_a_subquery_with_its_own_values() -> None:
    assert can_repeat(NAMES)
    text, values = nested(OF_NAMES, {0: NAMES})
    assert text == (
        "SELECT run_uuid FROM runs WHERE experiment_id IN (SELECT earlier.experiment_id FROM (SELECT "
        "experiments.experiment_id, experiments.name FROM experiments WHERE stage = %(earlier_0_stage_1)s) AS earlier)"
    )
    assert values == {"earlier_0_stage_1": "a"}


def test_a_sorted_page_is_not_read_twice() -> None:
    assert not can_repeat(IDS)


def test_what_needs_a_page_is_asked_right_after_it() -> None:
    server = Server({"SELECT runs.run_uuid": [("a",), ("b",)], "SELECT key": [("x",)]})
    server.gather([IDS, OF_RUNS])
    assert [len(request) for request in server.requests] == [1, 1]
    assert server.requests[1] == [filled("a", "b")]
    assert server.rows(IDS) == [("a",), ("b",)]
    assert server.rows(filled("a", "b")) == [("x",)]
    assert len(server.requests) == 2


def test_what_needs_a_plain_list_is_asked_with_it() -> None:
    server = Server({"SELECT experiments": [(1, "one"), (2, "two")], "SELECT run_uuid": [("a",)]})
    server.gather([NAMES, OF_NAMES])
    assert [len(request) for request in server.requests] == [2]
    # The dialect casts to the type of the values when it knows them.
    known = (
        "SELECT run_uuid FROM runs WHERE experiment_id IN (%(ids_1)s::INTEGER, %(ids_2)s::INTEGER)",
        {"ids_1": 1, "ids_2": 2},
    )
    assert server.rows(known) == [("a",)]
    assert len(server.requests) == 1


def test_what_needs_nothing_is_left_out_when_there_is_nothing() -> None:
    server = Server({"SELECT runs.run_uuid": []})
    server.gather([IDS, OF_RUNS])
    assert len(server.requests) == 1


def test_an_error_is_raised_where_its_statement_is_executed_and_ends_the_request() -> None:
    server = Server({"SELECT runs.run_uuid": KeyError("no runs"), "SELECT key": []})
    server.gather([IDS, OF_RUNS])
    assert len(server.requests) == 1
    with pytest.raises(KeyError, match="no runs"):
        server.rows(IDS)


def test_each_answer_serves_once_and_is_forgotten_with_its_request() -> None:
    server = Server({"SELECT runs.run_uuid": [("a",)]})
    server.gather([IDS])
    assert (server.rows(IDS), len(server.requests)) == ([("a",)], 1)
    assert (server.rows(IDS), len(server.requests)) == ([("a",)], 2)
    server.gather([IDS])
    server.connection.forget_answers()
    server.connection.forget_answers()
    assert (server.rows(IDS), len(server.requests)) == ([("a",)], 4)


def test_an_inner_request_asks_only_what_the_outer_one_did_not() -> None:
    server = Server({"SELECT runs.run_uuid": [("a",)], "SELECT experiments": [(1, "one")]})
    server.gather([IDS])
    server.gather([IDS, NAMES])
    assert server.requests == [[IDS], [NAMES]]
    server.connection.forget_answers()
    assert server.rows(IDS) == [("a",)]
    assert len(server.requests) == 2
