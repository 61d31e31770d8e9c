"""What is wanted at the cursor, which is `|` in these texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mldeck.search.complete import (
    ConnectiveWanted,
    EntityWanted,
    KeyWanted,
    OperatorWanted,
    ValueWanted,
    Wanted,
    complete,
    word_at,
)
from mldeck.search.language import MODELS, RUNS
from mldeck.search.parse import parse
from mldeck.search.tree import Entity, Operator
from tests.search.test_parse import PIECES


def at_cursor(marked: str) -> tuple[Wanted | None, str]:
    """What is wanted, and the text that it would replace."""
    cursor = marked.index("|")
    text = marked.replace("|", "", 1)
    wanted = complete(text, cursor)
    return wanted, text[slice(*wanted.span)] if wanted else ""


@pytest.mark.parametrize(
    ("marked", "prefix", "replaced"),
    [
        ("|", "", ""),
        ("met|", "met", "met"),
        ("me|trics", "me", "metrics"),
        ("metrics.a < 1 AND |", "", ""),
        ("metrics.a < 1 AND par|", "par", "par"),
        ("NOT (sta|", "sta", "sta"),
        ("(|", "", ""),
    ],
)
def test_an_entity(marked: str, prefix: str, replaced: str) -> None:
    wanted, text = at_cursor(marked)
    assert isinstance(wanted, EntityWanted)
    assert (wanted.prefix, text) == (prefix, replaced)


@pytest.mark.parametrize(
    ("marked", "kind", "prefix", "replaced"),
    [
        ("metrics.|", Entity.METRIC, "", ""),
        ("metrics.rm|", Entity.METRIC, "rm", "rm"),
        ("metrics.r|mse < 7", Entity.METRIC, "r", "rmse"),
        ("param.`train d|", Entity.PARAM, "train d", "`train d"),
        ("params.`train |data` = 'x'", Entity.PARAM, "train ", "`train data`"),
        ("metrics.a < 1 tags.mlflow.par|", Entity.TAG, "mlflow.par", "mlflow.par"),
        ("metrics.a < 1 AND tag.|", Entity.TAG, "", ""),
        ("attributes.sta|", Entity.ATTRIBUTE, "sta", "sta"),
        ("dataset.na|", Entity.DATASET, "na", "na"),
        ("params.a = 'x y' OR params.'q|", Entity.PARAM, "q", "'q"),
    ],
)
def test_a_key(marked: str, kind: Entity, prefix: str, replaced: str) -> None:
    wanted, text = at_cursor(marked)
    assert isinstance(wanted, KeyWanted)
    assert (wanted.kind, wanted.prefix, text) == (kind, prefix, replaced)


@pytest.mark.parametrize(
    ("marked", "kind", "key", "prefix"),
    [
        ("metrics.rmse |", Entity.METRIC, "rmse", ""),
        ("metrics.rmse <|", Entity.METRIC, "rmse", "<"),
        ("params.`a b` LI|", Entity.PARAM, "a b", "LI"),
        ("status |", Entity.ATTRIBUTE, "status", ""),
        ("tags.x |= 'y'", Entity.TAG, "x", ""),
    ],
)
def test_an_operator(marked: str, kind: Entity, key: str, prefix: str) -> None:
    wanted, _ = at_cursor(marked)
    assert isinstance(wanted, OperatorWanted)
    assert (wanted.kind, wanted.key, wanted.prefix) == (kind, key, prefix)
    assert Operator.EQ in wanted.operators


@pytest.mark.parametrize(
    ("marked", "key", "operator", "prefix", "replaced", "in_list"),
    [
        ("params.model = |", "model", Operator.EQ, "", "", False),
        ("params.model = 'la|", "model", Operator.EQ, "la", "'la", False),
        ("params.model = 'la|sso' AND", "model", Operator.EQ, "la", "'lasso'", False),
        ('status != "FI|', "status", Operator.NE, "FI", '"FI', False),
        ("metrics.rmse < 0.|", "rmse", Operator.LT, "0.", "0.", False),
        ("tags.t LIKE '%a|", "t", Operator.LIKE, "%a", "'%a", False),
        ("status IN (|", "status", Operator.IN, "", "", True),
        ("status IN ('FAILED', 'K|", "status", Operator.IN, "K", "'K", True),
        ("run_id not in |", "run_id", Operator.NOT_IN, "", "", True),
        ("params.model = la|", "model", Operator.EQ, "la", "la", False),
    ],
)
def test_a_value(marked: str, key: str, operator: Operator, prefix: str, replaced: str, in_list: bool) -> None:
    wanted, text = at_cursor(marked)
    assert isinstance(wanted, ValueWanted)
    assert (wanted.key, wanted.operator, wanted.prefix, text, wanted.in_list) == (
        key,
        operator,
        prefix,
        replaced,
        in_list,
    )


@pytest.mark.parametrize(
    ("marked", "prefix", "parentheses"),
    [
        ("metrics.a < 1 |", "", 0),
        ("metrics.a < 1 an|", "an", 0),
        ("(params.a = 'x' |", "", 1),
        ("params.a IS NULL |", "", 0),
        ("run_id IN ('a') |", "", 0),
        ("brave |", "", 0),
    ],
)
def test_a_connective(marked: str, prefix: str, parentheses: int) -> None:
    wanted, _ = at_cursor(marked)
    assert isinstance(wanted, ConnectiveWanted)
    assert (wanted.prefix, wanted.open_parentheses) == (prefix, parentheses)


@pytest.mark.parametrize("marked", ["foo.|", "metrics.a == |", "metrics.a < ; AND |", "status = 'x' ) tags.|"])
def test_nothing(marked: str) -> None:
    assert at_cursor(marked)[0] is None


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join) | st.text(max_size=25), st.data())
def test_it_never_fails(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    wanted = complete(text, cursor)
    if wanted is not None:
        assert 0 <= wanted.span[0] <= cursor <= wanted.span[1] <= len(text)


@pytest.mark.parametrize(
    ("marked", "word"),
    [
        ("met|", "met"),
        ("m|et", "met"),
        ("met |", None),
        ("|met", None),
        ("status = 'FAILED' AND met|", "met"),
        ("met| AND status = 'FAILED'", "met"),
        ("met AND status = 'FAILED'|", None),
        ("NOT (a OR met|)", "met"),
        ("'met'|", None),
        ('"met"|', None),
    ],
)
def test_the_word_that_is_being_typed(marked: str, word: str | None) -> None:
    cursor = marked.index("|")
    assert word_at(parse(marked.replace("|", "")), cursor) == word


@pytest.mark.parametrize("word", ["m", "met", "PARAM", "dur", "sta", "run_n", "an", "o", "no"])
def test_words_that_may_become_a_field(word: str) -> None:
    assert RUNS.may_become(word)


@pytest.mark.parametrize("word", ["meta", "candidate", "zzz", "metrics-1", "android"])
def test_words_that_may_not(word: str) -> None:
    assert not RUNS.may_become(word)


def test_models_have_fewer_fields() -> None:
    assert MODELS.may_become("na")
    assert not MODELS.may_become("met")
