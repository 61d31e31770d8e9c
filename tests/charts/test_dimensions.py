"""Runs on an axis: numbers by their rule, texts in order, nothing left out."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import literal_column
from sqlalchemy.dialects import sqlite

from mldeck.charts.dimensions import MAX_CATEGORIES, OTHERS, Dimension, DimensionKind, dimension
from mldeck.charts.picture import SCALE_STEPS
from mldeck.format import number_of
from mldeck.store.text_match import as_number
from tests.charts.sweep import HUGE, TINY, Sweep, columns

NUMBER_LIKE = st.one_of(
    st.text("0123456789.eE+- \t\n_xnaif١", max_size=8),
    st.floats().map(str),
    st.integers().map(str),
    st.text(max_size=4),
)


@given(NUMBER_LIKE.filter(lambda text: ("\0" not in text and text.isprintable()) or text.strip() != text))
@example("1e400")
@example("\x0b7\f")
@example("1_0")
@example("٣")
def test_a_text_is_a_number_here_if_it_is_one_in_the_store(text: str) -> None:
    question = str(as_number(literal_column("v")).compile(dialect=sqlite.dialect()))
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE TABLE params (v TEXT)")
            connection.execute("INSERT INTO params VALUES (?)", (text,))
        except UnicodeEncodeError:  # half of a surrogate pair is in no database
            return
        ((expected,),) = connection.execute(f"SELECT {question} FROM params").fetchall()
    assert number_of(text) == expected


def test_params_of_numbers_are_measured() -> None:
    found = dimension("alpha", ["0.1", "1e-3", None, " 10 "])
    assert (found.kind, found.places, found.texts) == (
        DimensionKind.NUMBER,
        (0.1, 0.001, None, 10.0),
        ("0.100", "0.001", "–", "10"),
    )
    assert (found.scale.low, found.scale.high) == (0.001, 10)
    assert found.marks == ((0.001, "0.001"), (10.0, "10"))
    assert found.missing == "–"


def test_words_for_nothing_leave_numbers_numbers() -> None:
    found = dimension("max_depth", ["3", "None", "nan", "inf", None, "", "8"])
    assert found.is_numeric
    assert found.places == (3.0, None, None, None, None, None, 8.0)
    assert found.texts == ("3", "None", "NaN", "inf", "–", '""', "8")
    assert set(found.missing.split()) == {"None", "NaN", "inf", "–", '""'}


def test_one_word_makes_words_of_all() -> None:
    found = dimension("features", ["10", "sqrt", "9", None, "Log", "log"])
    assert found.kind is DimensionKind.CATEGORY
    assert found.categories == ("9", "10", "Log", "log", "sqrt")
    assert found.places == (1.0, 4.0, 0.0, None, 2.0, 3.0)
    assert [found.text_at(place) for place in (-1, 0, 0.9, 99)] == ["9", "9", "10", "sqrt"]


def test_the_rarest_of_many_words_share_a_place() -> None:
    words = [f"word {number}" for number in range(20)]
    found = dimension("model", [*words, "word 17", "word 18", None])
    assert len(found.categories) == MAX_CATEGORIES
    assert found.categories[-1] == OTHERS
    assert {"word 0", "word 17", "word 18"} < set(found.categories)
    assert found.places[19] == found.scale.high == MAX_CATEGORIES - 1
    assert found.texts[19] == "word 19"
    assert found.places[-1] is None


def test_only_words_for_nothing_are_words() -> None:
    assert dimension("early_stopping", ["None", "None"]).categories == ("None",)


@pytest.mark.parametrize(
    ("values", "is_log"),
    [([1.0, 100.0], True), ([0.0, 1.0], False), ([-1.0, 1.0], False), (["a", "b"], False), ([], False)],
)
def test_a_log_axis_needs_positive_numbers(values: list[float | str], is_log: bool) -> None:
    found = dimension("x", values, is_log=True)
    assert (found.is_log, found.can_be_log) == (is_log, is_log)


def test_decades_are_evenly_spaced_on_a_log_axis() -> None:
    assert dimension("x", [1.0, 10.0, 100.0], is_log=True).shares == (0, 0.5, 1)


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0, 1e-300, 1e300])
@pytest.mark.parametrize("is_log", [False, True])
def test_equal_values_stand_in_the_middle(value: float, is_log: bool) -> None:
    found = dimension("x", [value, value], is_log=is_log)
    assert found.scale.low < found.scale.high
    assert len(found.marks) == 1
    assert found.shares[0] == pytest.approx(0.5)


@given(st.integers(0, 30).flatmap(columns), st.booleans())
@example([1.0, math.nextafter(1, 2)], True)
@example([0.0, TINY], False)
@example([TINY, 2 * TINY], True)
@example([-HUGE, HUGE], False)
@example([HUGE, HUGE], True)
@example([TINY], True)
def test_no_value_is_lost_and_none_raises(values: list[str | float | None], is_log: bool) -> None:
    found = dimension("x", values, is_log=is_log)
    assert len(found.places) == len(found.texts) == len(found.shares) == len(values)
    assert math.isfinite(found.scale.low)
    assert math.isfinite(found.scale.high)
    assert found.scale.low < found.scale.high
    for run, (place, share) in enumerate(zip(found.places, found.shares, strict=True)):
        assert (place is None) == (share is None) == (found.step(run) is None)
        if place is None:
            assert found.texts[run] in found.missing
        if share is not None:
            assert 0 <= share <= 1
            assert found.step(run) in range(SCALE_STEPS)
    assert [found.scale.low <= place <= found.scale.high for place, _ in found.marks].count(False) == 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2), st.booleans())
def test_larger_values_never_stand_lower(values: list[float], is_log: bool) -> None:
    found = dimension("x", sorted(values), is_log=is_log)
    shares = [share for share in found.shares if share is not None]
    assert shares == sorted(shares)


def test_a_part_of_the_runs_has_an_axis_of_its_own() -> None:
    found = dimension("x", [1.0, 2.0, None, 50.0], is_log=True).only([1, 2, 0])
    assert found.places == (2.0, None, 1.0)
    assert (found.scale.low, found.scale.high, found.is_log) == (1, 2, True)


def test_names_and_texts_are_safe() -> None:
    found = dimension("a\x1b[31m", ["\x1b]52;c;x\x07", "b\nc"])
    assert all(text.isprintable() for text in (found.name, *found.texts, *found.categories))


def test_a_real_sweep(project: Sweep) -> None:
    def kind(found: Dimension) -> tuple[bool, str]:
        return found.is_numeric, found.missing

    assert kind(project.param("learning_rate")) == (True, "–")
    assert kind(project.param("alpha")) == (True, "NaN –")
    assert kind(project.param("objective")) == (False, "–")
    assert kind(project.metric("rmse")) == (True, "NaN –")
    assert project.param("alpha").can_be_log
