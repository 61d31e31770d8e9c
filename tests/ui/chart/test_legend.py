"""The legend of a chart: names, and values aligned on the decimal point."""

from __future__ import annotations

from textual.app import App, ComposeResult

from mldeck.ui.chart.legend import CurveLegend, LegendLine
from tests.ui.deck import frame_text

VALUES = [12.5, 0.125, 3.0, float("nan"), None]


class LegendApp(App[str]):
    def compose(self) -> ComposeResult:
        yield CurveLegend()


def lines(values: list[float | None]) -> list[LegendLine]:
    return [LegendLine(f"run-{index}", index, "abcde"[index], value) for index, value in enumerate(values)]


async def test_points_stand_below_each_other() -> None:
    async with LegendApp().run_test(size=(60, 6)) as pilot:
        legend = pilot.app.query_one(CurveLegend)
        legend.show(lines(VALUES))
        await pilot.pause()
        rows = frame_text(pilot.app).splitlines()
        assert rows[0].index("12.500") + 2 == rows[1].index("0.125") + 1 == rows[2].index(" 3") + 2
        assert "NaN" in rows[3]
        assert "–" in rows[4]


async def test_columns_stay_while_only_values_change() -> None:
    async with LegendApp().run_test(size=(60, 6)) as pilot:
        legend = pilot.app.query_one(CurveLegend)
        legend.show(lines([0.1234567890123, 0.1234567890124]))
        columns = legend.columns
        legend.show(lines([0.5, 0.25]))
        assert legend.columns == columns
        legend.show(lines([0.5]))
        assert legend.columns != columns


async def test_values_have_a_few_digits_of_one_precision_and_are_copied_whole() -> None:
    async with LegendApp().run_test(size=(60, 6)) as pilot:
        legend = pilot.app.query_one(CurveLegend)
        legend.show(lines([0.8773235086692945, 0.9]))
        await pilot.pause()
        assert [row.split()[-1] for row in frame_text(pilot.app).splitlines()[:2]] == ["0.8773", "0.9000"]
        assert legend.copied_text() == "0.8773235086692945"
        legend.show(lines([0.8773235086692945, 0.8773235]))
        legend.show(lines([0.5, 0.9]))
        await pilot.pause()
        rows = frame_text(pilot.app).splitlines()
        assert [row.split()[-1] for row in rows[:2]] == ["0.50000000", "0.90000000"], "never less precise"


async def test_values_that_can_be_read_off_the_axis_are_told_apart() -> None:
    async with LegendApp().run_test(size=(60, 6)) as pilot:
        legend = pilot.app.query_one(CurveLegend)
        legend.show(lines([0.877323508, 0.9]), (0.87, 0.87001, 0.91))
        await pilot.pause()
        assert [row.split()[-1] for row in frame_text(pilot.app).splitlines()[:2]] == ["0.87732", "0.90000"]
