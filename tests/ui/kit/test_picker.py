"""Picking one item or several by typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mldeck.model import Column, Kind
from mldeck.ui.kit.dialogs.picker import PickerDialog
from tests.fixture_stores import FixtureStore
from tests.ui.deck import running_deck

COLUMNS = [Column(Kind.METRIC, key) for key in ("rmse", "mae", "[/x]\x1b[31m")] + [
    Column(Kind.PARAM, f"param-{number:04}") for number in range(2_000)
]
RMSE, MAE, HOSTILE = COLUMNS[:3]


@pytest.fixture
def taxi(store_copy: Callable[[str], FixtureStore]) -> Path:
    return store_copy("nyc-taxi").db


@pytest.mark.parametrize(
    ("many", "chosen", "keys", "expected"),
    [
        (False, [], ["enter"], [RMSE]),
        (False, [MAE], ["enter"], [MAE]),
        (False, [], [*"mae", "enter"], [MAE]),
        (False, [], [*"PARAM-1999", "enter"], [Column(Kind.PARAM, "param-1999")]),
        (False, [], [*"[/x]", "enter"], [HOSTILE]),
        (False, [], ["down", "down", "up", "enter"], [MAE]),
        (False, [], [*"rmse", "escape"], None),
        (False, [RMSE], ["tab", "enter"], [RMSE]),
        (True, [RMSE], ["down", "tab", "enter"], [RMSE, MAE]),
        (True, [RMSE, MAE], ["tab", "enter"], [MAE]),
        (True, [RMSE, MAE], ["shift+down", "enter"], [MAE, RMSE]),
        (True, [RMSE, MAE], ["down", "shift+up", "shift+up", "enter"], [MAE, RMSE]),
        (True, [RMSE], ["tab", *"mae", "enter"], [MAE]),
        (True, [RMSE], ["escape"], None),
        (True, [], [*"nothing-like-it", "tab", "shift+up", "enter", "escape"], None),
    ],
)
async def test_choosing(
    taxi: Path, many: bool, chosen: Sequence[Column], keys: list[str], expected: list[Column] | None
) -> None:
    async with running_deck(taxi, size=(80, 24)) as deck:
        results: list[tuple[Column, ...] | None] = []
        dialog = PickerDialog("Axes [/x]", COLUMNS, chosen, many=many, name=lambda column: column.key)
        deck.app.push_screen(dialog, results.append)
        await deck.until(lambda: isinstance(deck.app.screen, PickerDialog), "the dialog")
        await deck.until_shown("Axes [/x]")
        await deck.press(*keys)
        await deck.until(lambda: results, "an answer")
        assert results == [None if expected is None else tuple(expected)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["enter"], ["loss"]),
        ([*"acc", "enter"], ["val/acc"]),
        ([*"acc", "tab", "enter"], ["loss", "val/acc"]),
        ([*"ACC V", "enter"], ["val/acc"]),
        (["tab", "enter"], ["auc"]),
    ],
)
async def test_enter_takes_only_the_item_under_the_cursor_unless_tab_was_used(
    taxi: Path, keys: list[str], expected: list[str]
) -> None:
    async with running_deck(taxi, size=(80, 24)) as deck:
        results: list[tuple[str, ...] | None] = []
        dialog = PickerDialog("Metrics", ["auc", "loss", "val/acc"], ["loss"], many=True, takes_cursor=True)
        deck.app.push_screen(dialog, results.append)
        await deck.until(lambda: isinstance(deck.app.screen, PickerDialog), "the dialog")
        await deck.until_shown("Metrics")
        await deck.press(*keys)
        await deck.until(lambda: results, "an answer")
        assert results == [tuple(expected)]
