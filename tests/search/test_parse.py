"""Text to tree: MLflow's language as MLflow reads it (recorded in readings.json), and the extensions."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.search.errors import SearchError
from mldeck.search.moments import read_time, to_milliseconds
from mldeck.search.parse import parse
from mldeck.search.tree import (
    EVERYTHING,
    Ago,
    And,
    Comparison,
    Duration,
    Entity,
    NameMatch,
    Not,
    Operator,
    Or,
    Timestamp,
    uses_extension,
)
from tests.search.mlflow_text import words
from tests.search.readings import Reading, our_reading

READINGS: list[tuple[str, Reading]] = json.loads(Path(__file__).with_name("readings.json").read_text("utf-8"))

RMSE = Comparison(Entity.METRIC, "rmse", Operator.LT, 7.0)
MODEL = Comparison(Entity.PARAM, "model", Operator.EQ, "lasso")
STATUS = Comparison(Entity.ATTRIBUTE, "status", Operator.NE, "FAILED")
MAY_DAY = datetime(2024, 5, 1)  # noqa: DTZ001 - local time is meant
R, M, S = "metrics.rmse < 7", "params.model = 'lasso'", "status != 'FAILED'"


@pytest.mark.parametrize(("text", "reading"), READINGS)
def test_as_mlflow_reads_it(text: str, reading: Reading) -> None:
    assert our_reading(text) == reading


@pytest.mark.parametrize(
    "text",
    [
        "metrics. < 1",  # the metric whose name is empty; there is none
        "metrics. a < 1",  # the metric " a", with the space
        "params.a = 'x' params.b IS NULL",  # the param "a = 'x' params.b"
        "run_id IN (('a'))",
        "run_id = ('a')",  # MLflow gets as far as the database, which refuses
        "start_time > 99999999999999999999",  # so here
        "start_time > -9223372036854775809",
        "start_time IN (1, 99999999999999999999)",
        f"start_time < {'9' * 310}",
        f"start_time IN ({'9' * 310})",
        f"start_time > '{'9' * 310}d ago'",
        f"duration > {'9' * 310}d",
    ],
)
def test_what_mlflow_accepts_to_no_use_is_an_error(text: str) -> None:
    with pytest.raises(SearchError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EVERYTHING),
        ("and", EVERYTHING),
        (R, RMSE),
        (f"{R} AND {M}", And((RMSE, MODEL))),
        (f"{R} {M}", And((RMSE, MODEL))),
        (f"{R} or {M}", Or((RMSE, MODEL))),
        (f"{R} OR {M} AND {S}", Or((RMSE, And((MODEL, STATUS))))),
        (f"({R} OR {M}) AND {S}", And((Or((RMSE, MODEL)), STATUS))),
        (f"{R} AND ({M} AND {S})", And((RMSE, MODEL, STATUS))),
        (f"not {R} and {M}", And((Not(RMSE), MODEL))),
        (f"NOT ({R} or {M})", Not(Or((RMSE, MODEL)))),
        (f"NOT NOT {R}", Not(Not(RMSE))),
        (f"(({R}))", RMSE),
        (f"{R} AND({M})", And((RMSE, MODEL))),
        ("brave", NameMatch("brave")),
        ("brash-fox-12", NameMatch("brash-fox-12")),
        ("'a b'", NameMatch("a b")),
        (f"brave {R} fox", And((NameMatch("brave"), RMSE, NameMatch("fox")))),
        (f"NOT brave OR {R}", Or((Not(NameMatch("brave")), RMSE))),
        ("params.lr < 0.1", Comparison(Entity.PARAM, "lr", Operator.LT, 0.1)),
        ("params.lr = 1", Comparison(Entity.PARAM, "lr", Operator.EQ, 1.0)),
        ("params.lr IN (1, 2e-3)", Comparison(Entity.PARAM, "lr", Operator.IN, (1.0, 0.002))),
        ("params.m not in ('a', \"b\")", Comparison(Entity.PARAM, "m", Operator.NOT_IN, ("a", "b"))),
        ("tags.m IN ('a')", Comparison(Entity.TAG, "m", Operator.IN, ("a",))),
        ("metrics.m IN (1,2)", Comparison(Entity.METRIC, "m", Operator.IN, (1.0, 2.0))),
        ("status IN ('FAILED', 'KILLED')", Comparison(Entity.ATTRIBUTE, "status", Operator.IN, ("FAILED", "KILLED"))),
        ("metrics.m is null", Comparison(Entity.METRIC, "m", Operator.IS_NULL)),
        ("end_time IS NOT NULL", Comparison(Entity.ATTRIBUTE, "end_time", Operator.IS_NOT_NULL)),
        ("dataset.name IS NULL", Comparison(Entity.DATASET, "name", Operator.IS_NULL)),
        ("tags.t not  like 'a%'", Comparison(Entity.TAG, "t", Operator.NOT_LIKE, "a%")),
        (f"metrics.m < {10**20 - 1}", Comparison(Entity.METRIC, "m", Operator.LT, 1e20)),
        (f"metrics.m > -{'9' * 310}", Comparison(Entity.METRIC, "m", Operator.GT, -math.inf)),
        (f"metrics.m < {'9' * 410}", Comparison(Entity.METRIC, "m", Operator.LT, math.inf)),
        (f"metrics.m IN (1, {'9' * 310})", Comparison(Entity.METRIC, "m", Operator.IN, (1.0, math.inf))),
        (f"params.p = {10**20}", Comparison(Entity.PARAM, "p", Operator.EQ, 1e20)),
        (f"params.p IN ({10**20}, -{'9' * 310})", Comparison(Entity.PARAM, "p", Operator.IN, (1e20, -math.inf))),
        (f"start_time > {-(2**63)}", Comparison(Entity.ATTRIBUTE, "start_time", Operator.GT, -(2**63))),
        (f"start_time < {2**63 - 1}", Comparison(Entity.ATTRIBUTE, "start_time", Operator.LT, 2**63 - 1)),
        ("duration > 10m", Comparison(Entity.ATTRIBUTE, "duration", Operator.GT, Duration(600_000))),
        ("attributes.duration<=1h30m", Comparison(Entity.ATTRIBUTE, "duration", Operator.LE, Duration(5_400_000))),
        ("duration >= 1.5s", Comparison(Entity.ATTRIBUTE, "duration", Operator.GE, Duration(1500))),
        ("created > '2d ago'", Comparison(Entity.ATTRIBUTE, "start_time", Operator.GT, Ago(172_800_000))),
        (
            "end_time < '2024-05-01'",
            Comparison(Entity.ATTRIBUTE, "end_time", Operator.LT, Timestamp(MAY_DAY)),
        ),
    ],
)
def test_the_tree(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "duration > 10m",
        "start_time > '1h ago'",
        "brave",
        f"{R} OR {M}",
        f"NOT {R}",
        "params.a > 1",
        f"({R})",
        f"({R} AND {M})",
    ],
)
def test_extensions_are_told(text: str) -> None:
    assert uses_extension(parse(text))
    assert uses_extension(parse(f"{R} AND {text}"))


@pytest.mark.parametrize(
    "text", ["", R, f"{R} AND {M}", "run_id IN ('a')", "dataset.name NOT IN ('a')", "tags.a IS NULL"]
)
def test_mlflows_own_language_uses_none(text: str) -> None:
    assert not uses_extension(parse(text))


def test_spans_are_places_in_the_text() -> None:
    text = f"  {R} AND tags.`a b` LIKE 'x'"
    tree = parse(text)
    assert isinstance(tree, And)
    last = tree.items[1]
    assert isinstance(last, Comparison)
    assert text[slice(*tree.span)] == f"{R} AND tags.`a b` LIKE 'x'"
    assert text[slice(*last.span)] == "tags.`a b` LIKE 'x'"
    assert text[slice(*last.key_span)] == "tags.`a b`"
    assert text[slice(*last.value_span)] == "'x'"


@pytest.mark.parametrize(
    ("text", "position", "end", "message"),
    [
        ("metrics.rmse", 12, 12, r"Expected an operator \(=, !="),
        ("metrics.rmse <", 14, 14, "Expected a number without quotes"),
        ("metrics.rmse < 'x'", 15, 18, "Expected a number without quotes, like 0.5 or 1e-3 for metrics.rmse"),
        ("metrics.rmse LIKE '7'", 13, 17, "found LIKE"),
        ("metrics.rmse == 7", 13, 15, "write = for =="),
        ("params.max_depth > '3'", 19, 22, "Expected a number without quotes"),
        ("tags.developer = ada", 17, 20, "Expected a quoted string, like 'abc', found 'ada'"),
        ("tags.developer = 3", 17, 18, "Expected a quoted string"),
        ("tags.developer = 'ada", 17, 21, "closing '"),
        ("params.model LIKE", 17, 17, "a pattern in quotes"),
        ("foo.bar = 1", 0, 3, "Expected metrics, params, tags, attributes or dataset"),
        ("metrcs.rmse < 7", 0, 6, "found 'metrcs': metrics?"),
        ("attributes.nope = 'x'", 11, 15, "an attribute of a run"),
        ("rmse < 7", 0, 4, r"For a metric write metrics\.rmse"),
        ("metrics < 7", 0, 7, "Expected a dot and a name after metrics"),
        ("dataset.foo = 'x'", 8, 11, "name, digest or context"),
        ("(metrics.rmse < 7", 17, 17, "AND, OR or a closing parenthesis"),
        ("metrics.rmse < 7)", 16, 17, r"AND, OR or the end, found '\)'"),
        ("metrics.rmse < 7 OR", 19, 19, "Expected a clause"),
        ("metrics.rmse < 7 OR AND status = 'x'", 20, 23, "Expected a clause beside AND"),
        ("metrics.rmse < 7 OR status = 'x' AND", 33, 36, "Expected a clause beside AND"),
        ("(and)", 1, 4, "Expected a clause beside AND"),
        ("metrics.val-loss < 7", 11, 16, r"in backticks: metrics\.`val…`"),
        ("metrics.in < 7", 8, 8, "in backticks"),
        ("status > 'RUNNING'", 7, 8, "for status, found >"),
        ("start_time = '2024-05-01'", 13, 25, "only with <, <=, > and >="),
        ("start_time > '2024-02-31'", 13, 25, "'2d ago'"),
        ("start_time > '5'", 13, 16, "milliseconds since 1970"),
        ("duration > 10", 11, 13, "a duration like"),
        ("duration > 10w", 11, 14, "a duration like"),
        ("run_id IN ()", 11, 12, "a quoted string"),
        ("run_id IN ('a' 'b', 3)", 10, 22, "a list of quoted strings"),
        ("params.a IS 3", 12, 13, "NULL or NOT NULL"),
        ("status", 6, 6, "Expected an operator after status"),
        ("metrics", 7, 7, "Expected a dot and a name"),
        ("metrics.rmse < 7 8", 17, 18, "Expected a clause"),
        ("like", 0, 4, "to find like in names write 'like'"),
        ("   ", 0, 3, "leave it empty"),
        ("`status`", 8, 8, r"Expected an operator \(=, !="),
        ("tags.`a\x1b` = 1", 12, 13, r"for tags\.a\\x1b\."),
        ("params.a = 'x' tags.b IN ('y')", 15, 30, "Expected AND"),
        ("run_id IN ('a\\')", 11, 15, "a backslash starts an escape"),
    ],
)
def test_errors_say_what_was_expected_and_where(text: str, position: int, end: int, message: str) -> None:
    with pytest.raises(SearchError, match=message) as caught:
        parse(text)
    assert (caught.value.position, caught.value.end) == (position, end)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("v1.2", "v1.2"),
        ("a+b", "a+b"),
        ("(a+b)", "a+b"),
        ("v1.2 and x", "v1.2"),
        ("resnet:50", "resnet:50"),
        ("foo 1.2", "1.2"),
        ("x or run/1", "run/1"),
        ("x and (b or c+d)", "c+d"),
        ("metrics.a < 1 b+c", "b+c"),
        ("-x", "-x"),
        ("данные.v2", "данные.v2"),
    ],
)
def test_a_word_of_a_name_may_need_quotes(text: str, word: str) -> None:
    with pytest.raises(SearchError, match=re.escape(f"To find {word} in names write '{word}'.")):
        parse(text)
    parse(text.replace(word, f"'{word}'"))


@pytest.mark.parametrize(
    "text",
    [
        "metrcs.rmse < 7",
        "metrcs.rmse in (7)",
        "a+b = 1",
        "a+b=1",
        "metrics.a < 1,5",
        "params.a = v1.2",
        "params.a in (a+b)",
        "metrics.a",
        "metrics.a+b < 1",
        "dataset.foo",
        ")",
        "()",
    ],
)
def test_what_is_no_name_is_not_offered_as_one(text: str) -> None:
    with pytest.raises(SearchError) as raised:
        parse(text)
    assert "in names" not in str(raised.value)


@pytest.mark.parametrize("text", ["NOT " * 5000 + R, "(" * 5000 + R + ")" * 5000, " OR ".join([R] * 2000)])
def test_what_is_too_deep_for_a_database_is_an_error(text: str) -> None:
    with pytest.raises(SearchError, match="shorter"):
        parse(text)


PIECES = words(
    "metrics.rmse params.a tags.`x` status duration start_time dataset.name run_id AND OR NOT ( ) IN IS NULL LIKE "
    "NOT~IN NOT~NULL < >= = 7 1e-3 10m 'x' \"y\" '2d~ago' ('a','b') , foo . ` ' ; - 5a metrics. é"
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join) | st.text(max_size=40))
def test_no_text_makes_any_other_error(text: str) -> None:
    found: SearchError | None = None
    try:
        parse(text)
    except SearchError as error:
        found = error
    if found is not None:
        assert 0 <= found.position <= found.end <= len(text)
        assert str(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10, tzinfo=timezone.utc)),
        ("2024-05-01 10:00+02:00", datetime(2024, 5, 1, 10, tzinfo=timezone(timedelta(hours=2)))),
        ("2024-05-01 10:00:00.250z", datetime(2024, 5, 1, 10, 0, 0, 250_000, tzinfo=timezone.utc)),
    ],
)
def test_a_moment_with_an_offset(text: str, expected: datetime) -> None:
    moment = read_time(text)
    assert isinstance(moment, Timestamp)
    assert to_milliseconds(moment, 0) == round(expected.timestamp() * 1000)


def test_a_moment_without_an_offset_is_local_time() -> None:
    moment = read_time("2024-05-01 10:00")
    assert isinstance(moment, Timestamp)
    assert to_milliseconds(moment, 0) == round(datetime(2024, 5, 1, 10).timestamp() * 1000)  # noqa: DTZ001 - local
    assert read_time("1h 30m ago") == Ago(5_400_000)
    assert to_milliseconds(Ago(1000), 5000) == 4000
    assert read_time("yesterday") is None
