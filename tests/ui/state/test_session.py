"""The state of a session, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldeck.model import Column, Kind, OrderKey
from mldeck.settings import load_settings
from mldeck.ui.state.metric_direction import Better, order_in_words
from mldeck.ui.state.session import Session

AUC, DEPTH = Column(Kind.METRIC, "auc"), Column(Kind.PARAM, "auc")


@pytest.mark.parametrize(
    ("column", "better", "descending"),
    [
        (AUC, Better.HIGHER, [True, False, None]),
        (AUC, Better.LOWER, [False, True, None]),
        (AUC, Better.NEITHER, [False, True, None]),
        (DEPTH, Better.HIGHER, [False, True, None]),  # a param of the same name
    ],
)
def test_sorting_by_a_metric_begins_with_its_best_value(
    column: Column, better: Better, descending: list[bool | None]
) -> None:
    session = Session(load_settings(), Path("none.db"))
    session.better["auc"] = better
    found: list[bool | None] = []
    for _ in descending:
        session.cycle_sort(column, also=False)
        found.append(session.order[0].descending if session.order else None)
    assert found == descending


@pytest.mark.parametrize(
    ("metric", "better", "descending", "words"),
    [
        ("test/auc", {"val/auc": Better.HIGHER}, True, "highest first (higher val/auc is better)"),
        (
            "test_auc",
            {"val/auc": Better.HIGHER, "auc": Better.HIGHER},
            True,
            "highest first (higher val/auc is better)",
        ),
        ("auc", {"val_auc": Better.LOWER}, False, "lowest first (lower val_auc is better)"),
        ("auc", {"auc": Better.NEITHER, "val/auc": Better.HIGHER}, False, "lowest first"),
        ("auc", {"auc": Better.LOWER, "val/auc": Better.HIGHER}, False, "best first"),
        ("auc", {}, False, "lowest first (b sets which is best)"),
        ("auc", {"val/acc": Better.HIGHER}, False, "lowest first (b sets which is best)"),
        ("error_rate", {"learning_rate": Better.HIGHER}, False, "lowest first (b sets which is best)"),
        ("auc", {"a/auc": Better.HIGHER, "b/auc": Better.LOWER}, False, "lowest first (b sets which is best)"),
        ("auc", {"val/auc": Better.NEITHER}, False, "lowest first (b sets which is best)"),
    ],
)
def test_without_a_direction_a_metric_is_sorted_like_others_of_its_measure(
    metric: str, better: dict[str, Better], descending: bool, words: str
) -> None:
    session = Session(load_settings(), Path("none.db"))
    session.better = better
    session.cycle_sort(Column(Kind.METRIC, metric), also=False)
    assert session.order[0].descending is descending
    assert order_in_words(session.order[0], better, "b").full == words


def test_only_metrics_have_best_values() -> None:
    assert order_in_words(OrderKey(DEPTH, True, False), {"auc": Better.HIGHER}, "b").full == ""
