"""A list survives data that shrinks between two paints: what cannot be read is blank, and ends nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence

import pytest
from textual.app import App, ComposeResult
from textual.containers import Vertical

from mldeck.model import Column, Kind
from mldeck.ui.details.line_grid import Line, LineGrid
from mldeck.ui.filter.filter_line import CandidateList
from mldeck.ui.kit.grid import GAP, Cell, Grid, GridColumn
from mldeck.ui.kit.line_view import LineView
from mldeck.ui.state.columns import ColumnChoice
from tests.fixture_stores import FixtureStore
from tests.ui.deck import Deck, running_deck
from tests.ui.runs.test_live import writing


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


class Foreign(Grid):
    """Shows a text that nobody has made safe."""

    def __init__(self) -> None:
        super().__init__()
        self.set_content(1, (GridColumn("\x1b[31mlabel", 12), GridColumn("b", 12, right=True)))

    def row_cells(self, row: int) -> Sequence[Cell]:
        return Cell("\x1b[31mred"), Cell("\x07", "bad")


async def test_cells_are_made_safe_when_they_are_painted() -> None:
    grid = Foreign()
    async with GridApp(grid).run_test(size=(40, 20)):
        assert grid.render_line(0).text.split() == ["␛[31mlabel", "b"]
        assert grid.render_line(1).text.split() == ["␛[31mred", "␇"]


class TooWide(Numbers):
    """The second column has no room beside the first."""

    def __init__(self) -> None:
        super().__init__()
        self.set_content(2, (GridColumn("name", 14), GridColumn("a value", 9, right=True), GridColumn("c", 3)))

    @property
    def column_noun(self) -> str:
        return "column"

    def row_cells(self, row: int) -> Sequence[Cell]:
        return Cell("n"), Cell("123456789"), Cell("x")


async def test_a_column_that_does_not_fit_is_left_out_or_says_that_it_is_cut() -> None:
    grid = TooWide()
    async with GridApp(grid).run_test(size=(20, 10)):
        assert grid.render_line(0).text == "name        2 more →"
        assert "123" not in grid.render_line(1).text
        grid.move_to(0, 1)
        assert grid.render_line(1).text == "n               123…"
        header = grid.render_line(0).text
        assert header.startswith("name")
        assert header.endswith("→"), "there are more columns"
        grid.move_to(0, 2)
        assert grid.render_line(1).text.rstrip() == "n               x"
        grid.move_to(0, 0)
        assert "123" not in grid.render_line(1).text


class TwoPanes(App[None]):
    """One that is shown, and one that is hidden."""

    def compose(self) -> ComposeResult:
        with Vertical(id="pane"):
            yield LineGrid("", id="shown")
        yield LineGrid("", id="hidden")

    def on_mount(self) -> None:
        self.query_one("#hidden").display = False


@pytest.mark.parametrize("rows", [3, 30])
@pytest.mark.parametrize("is_filled_first", [True, False])
async def test_a_list_that_nothing_tells_of_its_room(rows: int, is_filled_first: bool) -> None:
    """Textual sends a list no size if somebody asks for that size between its coming up and the next layout."""
    lines = [Line("name", "text " * 20)] * rows
    app = TwoPanes()
    async with app.run_test(size=(40, 20)) as pilot:
        hidden = app.query_one("#hidden", LineGrid)
        app.query_one("#pane").display = False
        await pilot.pause()
        # What is to be painted and is not on screen makes Textual look again where everything is.
        app.query_one("#shown", LineGrid).repaint()
        await asyncio.sleep(0.02)
        with app.batch_update():  # a busy machine
            if is_filled_first:
                hidden.show(lines)
            hidden.display = True
            if not is_filled_first:
                hidden.show(lines)
            for _ in range(20):
                await asyncio.sleep(0)
                assert hidden.size.width in (0, 40)
        await pilot.pause()
        assert hidden.columns == hidden.fitting_columns()
        assert sum(column.width for column in hidden.columns) + GAP == hidden.line_width
        assert hidden.render_line(0).text.rstrip().endswith("…")


async def test_a_scroll_bar_takes_room_from_the_columns() -> None:
    grid = LineGrid("")
    async with GridApp(grid).run_test(size=(40, 20)) as pilot:
        for rows in (3, 30, 3):
            grid.show([Line("name", "text " * 20)] * rows)
            await pilot.pause()
            assert grid.line_width == (38 if rows == 30 else 40)
            assert sum(column.width for column in grid.columns) + GAP == grid.line_width


async def test_lines_that_are_gone_are_blank() -> None:
    grid = LineView([[Cell("one")], [Cell("two")]])
    async with GridApp(grid).run_test(size=(40, 20)):
        grid._content = ()
        grid.repaint()
        assert grid.render_line(1).text.strip() == ""


class Watched(Numbers):
    """Notes which rows are in view, each time that they change."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        super().__init__()

    def rows_in_view_changed(self) -> None:
        self.seen.append(self.top_row)


async def test_a_grid_is_told_when_other_rows_are_in_view() -> None:
    grid = Watched()
    async with GridApp(grid).run_test(size=(40, 20)) as pilot:
        await pilot.pause()
        assert grid.seen, "laid out"
        grid.seen.clear()
        await pilot.press("j", "k")
        assert not grid.seen
        await pilot.press("G")
        assert grid.seen == [11]
        grid.display = False
        await pilot.pause()
        grid.seen.clear()
        grid.display = True
        await pilot.pause()
        assert grid.seen, "on screen again"
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert len(set(grid.seen)) > 1


async def test_no_candidates_are_no_rows() -> None:
    grid = CandidateList()
    async with GridApp(grid).run_test(size=(40, 20)):
        grid.set_content(3, (GridColumn("", 3), GridColumn("", 3)))
        grid.show((), 0)
        assert grid.row_count == 0


def empty_text(grid: Grid) -> str:
    """As it is painted, put together again."""
    return " ".join(" ".join(grid.render_line(y).text for y in range(grid.size.height)).split())


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_why_a_list_is_empty_is_read_to_its_end(store_copy: Callable[[str], FixtureStore], width: int) -> None:
    path = store_copy("nyc-taxi").db
    with writing(path) as connection:
        connection.execute("UPDATE runs SET lifecycle_stage = 'deleted'")
    async with running_deck(path, experiment="nyc-taxi-experiment", size=(width, 24), theme="mldeck-light") as deck:
        await deck.until_counted(0)
        table = deck.screen.table
        assert table.empty_text.startswith("No runs here yet.")
        assert empty_text(table).endswith(" ".join(table.empty_text.split()))


async def test_whatever_a_list_paints_has_its_background(store_copy: Callable[[str], FixtureStore]) -> None:
    path = store_copy("nyc-taxi").db
    with writing(path) as connection:
        connection.execute("DELETE FROM registered_model_aliases")
        for table in ("model_version_tags", "model_versions", "registered_models"):
            connection.execute(f"DELETE FROM {table}")
    async with running_deck(path, experiment="nyc-taxi-experiment", theme="mldeck-light") as deck:
        await deck.until_counted(45)
        await deck.press("f", "z", "z", "z", "enter")
        await deck.until_shown("No run matches zzz")
        await deck.until_shown("No run under the cursor.")
        seen = check_backgrounds(deck)
        await deck.press("2")
        await deck.until_shown("No models registered yet.")
        assert seen | check_backgrounds(deck) >= {"runs", "experiments", "fields", "models", "board"}


def check_backgrounds(deck: Deck) -> set[str | None]:
    """Of all lists in view; their ids."""
    grids = [grid for grid in deck.app.screen.query(Grid) if grid.is_on_screen]
    for grid in grids:
        for y in range(grid.size.height):
            for segment in grid.render_line(y):
                assert segment.style is not None, (grid, segment)
                assert segment.style.bgcolor is not None, (grid, segment)
    return {grid.id for grid in grids}


def test_a_wide_text_is_measured_in_cells() -> None:
    grid = Numbers()
    grid.empty_text = "無" * 30
    assert grid._empty_lines(23) == ["無" * 10] * 3


@pytest.mark.parametrize("what", ["commands", "themes"])
async def test_paging_in_the_palette_where_there_is_no_room(
    store_copy: Callable[[str], FixtureStore], what: str
) -> None:
    """Textual ends with a KeyError there."""
    async with running_deck(store_copy("mlflow-2.9.2").db) as deck:
        if what == "commands":
            await deck.press("ctrl+p")
            await deck.until_shown("Change theme")
        else:
            deck.app.action_change_theme()
            await deck.until_shown("textual-dark")
        for size in ((1, 3), (20, 3), (60, 16)):
            await deck.pilot.resize_terminal(*size)
            await deck.press("pageup", "pagedown", "home", "end")
        await deck.press("escape")


class Wide(Grid):
    """A name, and 42 columns of 8 cells."""

    def __init__(self, *, grouped: bool = False) -> None:
        super().__init__()
        group = "group" if grouped else ""
        scrolling = (GridColumn(f"value-{number}", 8, group=group) for number in range(1, 43))
        self.set_content(3, (GridColumn("name", 10), *scrolling))

    @property
    def column_noun(self) -> str:
        return "column"

    def row_cells(self, row: int) -> Sequence[Cell]:
        return [Cell("x")] * len(self.columns)


def header(grid: Grid, y: int = 0) -> str:
    return grid.render_line(y).text


async def test_a_table_says_how_many_columns_are_out_of_view() -> None:
    grid = Wide()
    async with GridApp(grid).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert grid.columns_in_view == "columns 1–4 of 42"
        await pilot.resize_terminal(30, 20)
        await pilot.pause()
        assert grid.columns_in_view == "column 1 of 42"
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert header(grid).endswith(" 38 more →")
        assert "←" not in header(grid)
        grid.move_to(0, 10)
        assert grid.columns_in_view == "columns 7–10 of 42"
        assert header(grid).startswith("name   ← 6  value-7   value-8")
        assert header(grid).endswith(" 32 more →")
        grid.move_to(0, 42)
        assert grid.columns_in_view == "columns 38–42 of 42", "the arrow needs no room behind the last column"
        assert header(grid).startswith("name  ← 37  value-38")
        assert "→" not in header(grid)
        await pilot.resize_terminal(10 + 42 * 10, 20)
        await pilot.pause()
        assert grid.columns_in_view == ""
        assert "→" not in header(grid) + grid.columns_in_view
        assert "←" not in header(grid)


@pytest.mark.parametrize("grouped", [False, True])
async def test_a_click_on_an_arrow_at_the_edge_turns_a_page_of_columns(grouped: bool) -> None:
    clicked: list[int] = []

    class Sorted(Wide):
        def header_clicked(self) -> None:
            clicked.append(self.cursor_column)

    grid = Sorted(grouped=grouped)
    async with GridApp(grid).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        seen = [grid.columns_in_view]
        while "→" in header(grid):
            await pilot.click(grid, offset=(header(grid).index("→"), 0))
            await pilot.pause()
            seen.append(grid.columns_in_view)
        assert seen[:3] == ["columns 1–4 of 42", "columns 5–8 of 42", "columns 9–12 of 42"]
        assert seen[-1] == "columns 38–42 of 42", "no room is left free behind the last column"
        assert grid.cursor_column in grid.visible_columns()
        await pilot.click(grid, offset=(header(grid).index("←"), 0))
        await pilot.pause()
        assert grid.columns_in_view == "columns 34–37 of 42"
        assert clicked == []
        await pilot.click(grid, offset=(header(grid, 1 if grouped else 0).index("value-35"), 1 if grouped else 0))
        await pilot.pause()
        assert clicked == [35]


@pytest.mark.parametrize("width", range(22, 62))
async def test_the_arrows_hide_no_header(width: int) -> None:
    grid = Wide()
    async with GridApp(grid).run_test(size=(width, 20)) as pilot:
        await pilot.pause()
        for column in (0, 21, 42):
            grid.move_to(0, column)
            shown = grid.visible_columns()
            assert ("→" in header(grid)) == (shown[-1] < 42)
            assert ("←" in header(grid)) == (shown[1] > 1)
            assert [grid.columns[index].label for index in shown[1:]] == re.findall(r"value-\d+", header(grid))


async def test_the_arrows_are_beside_the_groups_if_these_have_a_line() -> None:
    grid = Wide(grouped=True)
    async with GridApp(grid).run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        grid.move_to(0, 10)
        assert header(grid).split() == ["←", "6", "group", "32", "more", "→"]
        assert header(grid, 1).split() == ["name", "value-7", "value-8", "value-9", "value-10"]


async def test_a_pane_is_told_when_other_columns_are_in_view() -> None:
    grid = Wide()
    told: list[str] = []

    class Pane(Vertical):
        def on_grid_columns_scrolled(self, message: Grid.ColumnsScrolled) -> None:
            told.append(message.grid.columns_in_view)

    class PaneApp(App[None]):
        def compose(self) -> ComposeResult:
            with Pane():
                yield grid

    async with PaneApp().run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert told[-1] == "columns 1–4 of 42"
        told.clear()
        await pilot.press("down", "up")
        grid.move_to(0, 3)
        await pilot.pause()
        assert told == []
        grid.move_to(0, 5)
        await pilot.pause()
        assert told == ["columns 2–5 of 42"]


async def test_a_grid_that_does_not_scroll_sideways_has_no_arrows() -> None:
    grid = Numbers()
    grid.set_content(30, [GridColumn(label, 4) for label in "abc"])
    async with GridApp(grid).run_test(size=(15, 20)) as pilot:
        await pilot.pause()
        assert grid.columns_in_view == ""
        assert header(grid).split() == ["a", "b"]


async def test_going_to_a_column_by_a_part_of_its_name() -> None:
    grid = Wide()
    async with GridApp(grid).run_test(size=(60, 20)) as pilot:
        grid.action_go_to_column()
        await pilot.pause()
        await pilot.press(*"E-31", "enter")
        await pilot.pause()
        assert grid.cursor_column == 31
        assert 31 in grid.visible_columns()
        grid.action_go_to_column()
        await pilot.pause()
        columns = list(grid.columns)
        grid.set_content(3, [*columns[:2], GridColumn("new", 8), *columns[2:]])  # a live table has got another one
        await pilot.press(*"-17", "enter")
        await pilot.pause()
        assert grid.column_name(grid.cursor_column) == "value-17"
        grid.action_go_to_column()
        await pilot.pause()
        await pilot.press("2", "escape")
        assert grid.column_name(grid.cursor_column) == "value-17"


def test_columns_of_every_kind_have_a_place() -> None:
    """What was chosen by hand stays in a live table when another source is chosen."""
    kept = [Column(kind, "x") for kind in reversed(Kind)]
    assert set(kept) <= set(ColumnChoice().arranged((), kept))
