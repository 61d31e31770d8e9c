"""The state of a session, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldeck.model import Column, Kind
from mldeck.settings import load_settings
from mldeck.ui.state.metric_direction import Better
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
