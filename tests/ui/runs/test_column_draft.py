"""The draft that the column dialog edits."""

from __future__ import annotations

from mldeck.model import Column, Kind
from mldeck.ui.runs.column_draft import ColumnDraft
from mldeck.ui.state.columns import AGE, DURATION, ColumnChoice, ColumnSource

RMSE, VALIDATION = Column(Kind.METRIC, "rmse"), Column(Kind.METRIC, "validation-rmse")
DEPTH = Column(Kind.PARAM, "max_depth")


def test_an_unchanged_draft_is_the_same_choice() -> None:
    for choice in (ColumnChoice(), ColumnChoice(ColumnSource.CHOSEN, (RMSE, AGE), (RMSE,), {RMSE: 9})):
        assert ColumnDraft(choice, choice.arranged((VALIDATION,)), {}).choice == choice


def test_a_column_does_not_move_past_the_pinned_ones() -> None:
    draft = ColumnDraft(ColumnChoice(), (AGE, DURATION, RMSE, DEPTH), {})
    draft.pin(RMSE)
    assert draft.shown == (RMSE, AGE, DURATION, DEPTH)
    assert draft.source is ColumnSource.DIFFERING
    assert not draft.move(AGE, -1)
    assert not draft.move(DEPTH, 1)
    assert draft.move(DEPTH, -1)
    assert draft.choice == ColumnChoice(ColumnSource.CHOSEN, (RMSE, AGE, DEPTH, DURATION), (RMSE,))


def test_pinning_shows_a_hidden_column() -> None:
    draft = ColumnDraft(ColumnChoice(), (AGE,), {})
    draft.pin(RMSE)
    assert draft.shown == (RMSE, AGE)
    draft.pin(RMSE)
    assert draft.shown == (AGE, RMSE)


def test_a_width_starts_from_the_table_and_keeps_to_its_limits() -> None:
    draft = ColumnDraft(ColumnChoice(), (RMSE,), {RMSE: 10})
    draft.resize(RMSE, 1)
    assert draft.widths == {RMSE: 11}
    for _ in range(20):
        draft.resize(RMSE, -1)
    assert draft.widths == {RMSE: 4}
    draft.fit(RMSE)
    assert draft.widths == {}


def test_an_automatic_choice_keeps_pins_but_a_reset_does_not() -> None:
    draft = ColumnDraft(ColumnChoice(ColumnSource.CHOSEN, (RMSE,), (RMSE,), {RMSE: 9}), (RMSE,), {})
    draft.use(ColumnSource.PRESENT, (DEPTH, RMSE))
    assert draft.choice == ColumnChoice(ColumnSource.PRESENT, (), (RMSE,), {RMSE: 9})
    assert draft.shown == (RMSE, AGE, DURATION, DEPTH)
    draft.reset((DEPTH,))
    assert draft.choice == ColumnChoice()
