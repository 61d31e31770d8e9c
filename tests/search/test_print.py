"""Tree to text and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mldeck.search.check import operators_for
from mldeck.search.errors import SearchError
from mldeck.search.names import TIME_ATTRIBUTES, translate_alias
from mldeck.search.parse import parse
from mldeck.search.print import quote_key, quote_text, to_text
from mldeck.search.tree import (
    MEMBERSHIP,
    NUMERIC,
    ORDERING,
    PRESENCE,
    Ago,
    Comparison,
    Duration,
    Entity,
    NameMatch,
    Node,
    Not,
    Operator,
    Timestamp,
    conjunction,
    disjunction,
)

NUMBERS = st.floats(allow_nan=False).map(lambda x: 0.0 if x == 0 else x) | st.integers(-(2**53), 2**53).map(float)
TEXTS = st.text(max_size=12) | st.sampled_from(["o'neil", 'a"b', "C:\\dir\\", "it''s", "a\\'b", "100%_x", "é\n"])
KEYS = st.text("abcXYZ_019./-: ü`\"'", min_size=1, max_size=10) | st.sampled_from(
    ["in", "as.b", "1e5", "a b", "`a`.b", "select"]
)
LENGTHS = st.integers(0, 10**12)


def _writable(text: str) -> bool:
    try:
        quote_text(text)
    except SearchError:
        return False
    return True


def _nameable(key: str) -> bool:
    try:
        quote_key(key)
    except SearchError:
        return False
    return translate_alias(key) == key


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    kind = draw(st.sampled_from(Entity))
    if kind is Entity.ATTRIBUTE:
        key = draw(
            st.sampled_from(["run_name", "status", "run_id", "user_id", "artifact_uri", "start_time", "duration"])
        )
    else:
        key = draw(st.sampled_from(["name", "digest", "context"]) if kind is Entity.DATASET else KEYS.filter(_nameable))
    operator = draw(st.sampled_from(operators_for(kind, key)))
    if operator in PRESENCE:
        return Comparison(kind, key, operator)
    return Comparison(kind, key, operator, draw(_values(kind, key, operator)))


def _values(kind: Entity, key: str, operator: Operator) -> st.SearchStrategy[Any]:
    numbers = kind is Entity.METRIC or (key in TIME_ATTRIBUTES and kind is Entity.ATTRIBUTE)
    if operator in MEMBERSHIP:
        items = NUMBERS if numbers else TEXTS
        return st.lists(items, min_size=1, max_size=3).map(tuple)
    if key == "duration" and kind is Entity.ATTRIBUTE:
        return LENGTHS.map(Duration)
    if numbers:
        moments = LENGTHS.map(Ago) | st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(Timestamp)  # noqa: DTZ001 - local
        return NUMBERS | moments if kind is Entity.ATTRIBUTE and operator in ORDERING else NUMBERS
    texts = TEXTS.filter(_writable)
    if kind is Entity.PARAM and operator in NUMERIC:
        return NUMBERS if operator in ORDERING else NUMBERS | texts
    return texts


LEAVES = comparisons() | st.builds(NameMatch, TEXTS.filter(_writable))
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: conjunction(tuple(items)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda items: disjunction(tuple(items)))
    ),
    max_leaves=6,
)


@given(TREES)
def test_what_is_written_reads_back_the_same(tree: Node) -> None:
    try:
        text = to_text(tree)
    except SearchError:
        # Two backslashes before closing quotes, and nothing is escaped in this language.
        assume(False)
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("metrics.a<1 metric.`b`=.5", "metrics.a < 1 AND metrics.b = 0.5"),
        ("metrics.a<1 or (attr.created>5 and brave)", "metrics.a < 1 OR start_time > 5 AND brave"),
        ("(metrics.a<1 or foo) and not (a_b or 'x y')", "(metrics.a < 1 OR foo) AND NOT (a_b OR 'x y')"),
        ("param.`a/b` in ('x', \"o'n\")", "params.`a/b` IN ('x', \"o'n\")"),
        ("duration>90s", "duration > 90s"),
        ("start_time > '48h ago'", "start_time > '2d ago'"),
        ("metrics.a > 1E300", "metrics.a > 1e300"),
        ("tags.a = 'x\\' and tags.b = \"y\"", "tags.a = \"x\\\" AND tags.b = 'y'"),
        ("and", ""),
    ],
)
def test_the_text(text: str, written: str) -> None:
    assert to_text(parse(text)) == written


def test_what_no_text_can_say() -> None:
    with pytest.raises(SearchError):
        quote_text("a'b\"c")
    with pytest.raises(SearchError):
        quote_key("a`b\"c'd")
    assert quote_key("val/acc top-1") == "`val/acc top-1`"
    assert quote_key("mlflow.runName") == "mlflow.runName"
    assert quote_key("in") == "`in`"
    assert quote_key("12") == "`12`"
