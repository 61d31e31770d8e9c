"""The order of the columns that the run table chooses by itself."""

from __future__ import annotations

import random

import pytest

from mldeck.model import Column, Kind
from mldeck.ui.state.columns import AGE, DEFAULT_ATTRIBUTES, DURATION, EXPERIMENT, ColumnChoice, ColumnSource

A, B, C = (Column(Kind.METRIC, key) for key in "abc")
CPU = Column(Kind.METRIC, "system/cpu")
P, Q = (Column(Kind.PARAM, key) for key in "pq")
T = Column(Kind.TAG, "t")


@pytest.mark.parametrize("source", [ColumnSource.DIFFERING, ColumnSource.PRESENT])
@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((A, B, C, P, T), (A, B, AGE, DURATION, C, P, T)),
        ((B, A, C, P), (B, A, AGE, DURATION, C, P)),
        ((A, P), (A, AGE, DURATION, P)),
        ((P, T), (AGE, DURATION, P, T)),
        ((CPU, A, P), (A, AGE, DURATION, CPU, P)),
        ((), (AGE, DURATION)),
    ],
)
def test_two_metrics_come_before_age_and_duration(
    source: ColumnSource, found: tuple[Column, ...], expected: tuple[Column, ...]
) -> None:
    assert ColumnChoice(source).arranged(found) == expected


def test_the_experiment_comes_after_the_main_metrics() -> None:
    attributes = (EXPERIMENT, *DEFAULT_ATTRIBUTES)
    arranged = ColumnChoice().arranged((A, P), (), attributes)
    assert arranged == (A, EXPERIMENT, AGE, DURATION, P)
    assert ColumnChoice().arranged((A, P), arranged, attributes) == arranged


@pytest.mark.parametrize("pinned", [(), (A,), (AGE,), (AGE, DURATION), (C, P), (T,)])
def test_a_table_that_is_read_again_moves_no_column(pinned: tuple[Column, ...]) -> None:
    """Sorting compares other runs, whose columns come in another order."""
    choice, found, dice = ColumnChoice(pinned=pinned), [A, B, C, CPU, P, Q, T], random.Random(1)
    shown = choice.arranged(found)
    for _ in range(20):
        dice.shuffle(found)
        assert choice.arranged(found[: dice.randrange(len(found))], shown) == shown


def test_a_second_metric_leaves_age_and_duration_where_they_are() -> None:
    shown = ColumnChoice().arranged((A, P))
    assert ColumnChoice().arranged((B, A, P, Q), shown) == (A, AGE, DURATION, B, P, Q)
    assert ColumnChoice().arranged((A, P), (AGE, DURATION, P)) == (A, AGE, DURATION, P)


def test_chosen_columns_keep_the_order_of_the_user() -> None:
    choice = ColumnChoice(ColumnSource.CHOSEN, (AGE, P, B, A), (B,))
    assert choice.arranged((A, B, C)) == (B, AGE, P, A)
