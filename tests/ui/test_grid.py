"""A list survives data that shrinks between two paints: what cannot be read is blank, and ends nothing."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult

from mldeck.ui.widgets.filter_line import CandidateList
from mldeck.ui.widgets.grid import Cell, Grid, GridColumn
from mldeck.ui.widgets.preview_lines import ReadyLines


class Numbers(Grid):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = list(range(30))
        self.set_content(30, (GridColumn("a", 4), GridColumn("b", 4)))

    def row_cells(self, row: int) -> Sequence[Cell]:
        number = self.numbers[row]
        return Cell(str(number)), Cell(str(-number))


class GridApp(App[None]):
    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.grid = grid

    def compose(self) -> ComposeResult:
        yield self.grid


async def test_rows_that_are_gone_are_blank() -> None:
    grid = Numbers()
    async with GridApp(grid).run_test(size=(40, 20)) as pilot:
        grid.numbers = [0, 1]
        grid.repaint()
        await pilot.pause()
        texts = [grid.render_line(y).text.rstrip() for y in range(6)]
        assert texts[1].split() == ["0", "0"]
        assert texts[3:] == ["", "", ""]
        grid.numbers = list(range(30))  # a blank row is not kept
        assert grid.render_line(5).text.split() == ["4", "-4"]
        await pilot.press("G", "g", "pagedown", "pageup")


async def test_lines_that_are_gone_are_blank() -> None:
    grid = ReadyLines([[("one", "")], [("two", "")]])
    async with GridApp(grid).run_test(size=(40, 20)):
        grid._content = ()
        grid.repaint()
        assert grid.render_line(1).text.strip() == ""


async def test_no_candidates_are_no_rows() -> None:
    grid = CandidateList()
    async with GridApp(grid).run_test(size=(40, 20)):
        grid.set_content(3, (GridColumn("", 3), GridColumn("", 3)))
        grid.show((), 0)
        assert grid.row_count == 0
