"""Whole frames of the place Compare. `MLDECK_UPDATE_FRAMES=1` records them again, like the other frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from mldeck.ui.compare.data import axis_name, group_of
from mldeck.ui.kit.dialogs.picker import PickerDialog
from tests.ui.compare.compare_deck import comparing
from tests.ui.test_frames import _same_time_everywhere, check, taxi

__all__ = ["_same_time_everywhere", "taxi"]  # fixtures

TAXI = "nyc-taxi-experiment"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("no_colour", [False, True], ids=["colour", "no-colour"])
async def test_table(taxi: Path, size: tuple[int, int], no_colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    async with comparing(taxi, TAXI, 6, size=size) as deck:
        await deck.press("right", "right", "b")
        await check(f"compare-table-{size[0]}x{size[1]}", deck)


async def test_turned_table(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 6) as deck:
        await deck.press("right", "right", "b", "t", "s")
        await check("compare-turned-120x40", deck)


async def test_nothing_marked(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 1, size=(80, 24)) as deck:
        await deck.until_shown("one is marked")
        await check("compare-empty-80x24", deck)


async def test_choosing_axes(taxi: Path) -> None:
    async with comparing(taxi, TAXI, 6, size=(80, 24)) as deck:
        axes = deck.place.data.axes
        dialog = PickerDialog(
            "Axes of the chart",
            axes,
            axes[:2],
            many=True,
            name=axis_name,
            group=lambda column: group_of(column).value,
        )
        deck.app.push_screen(dialog)
        await deck.until_shown("Axes of the chart")
        await deck.press("down", "down", "tab")
        await deck.until_shown("3  alpha")
        await check("compare-axes-80x24", deck)
