"""The names of runs in the table: whole where there is room, else cut where they are alike; in trees as well."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult

from mldeck.model import Column, Kind, Run, RunRecord
from mldeck.ui.details.run_cells import RunCells
from mldeck.ui.kit.cell_text import indentation
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.edge_marks import MARK_ROOM
from mldeck.ui.runs.table import RunTable
from mldeck.ui.state.arrangement import Arrangement, as_tree
from mldeck.ui.state.columns import AGE, NAME, ColumnStyle
from tests.ui.deck import frame_text

LONG = [f"xgb-depth={depth}-eta=0.1-subsample=0.8-colsample=0.7" for depth in range(3, 6)]
AUC = Column(Kind.METRIC, "auc")


class TableApp(App[str]):
    def __init__(
        self,
        names: Sequence[str],
        arrangement: Arrangement | None = None,
        style: ColumnStyle | None = None,
        columns: Sequence[Column] = (AGE, AUC),
    ) -> None:
        super().__init__()
        self._columns = columns
        self._names = names
        self._arrangement = arrangement
        self._style = style

    def compose(self) -> ComposeResult:
        yield RunTable(Clock())

    def on_mount(self) -> None:
        found = {name: RunRecord(Run(name, name, "1", "FINISHED", "active"), {"auc": 0.5}) for name in self._names}
        cells = RunCells(self._columns, list(found.values()), style=self._style)
        arrangement = self._arrangement or Arrangement(tuple(found))
        self.query_one(RunTable).show(arrangement, found, self._columns, cells, (), None)


async def rows_of(app: TableApp, width: int, height: int = 20) -> list[str]:
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause()
        return [line.rstrip() for line in frame_text(app).splitlines()]


async def test_a_name_is_whole_if_the_table_has_room_beside_it() -> None:
    rows = await rows_of(TableApp(LONG), 100)
    assert all(any(name in row and row.endswith("0.5") for row in rows) for name in LONG)


async def test_without_room_a_name_is_cut_where_it_is_like_others() -> None:
    rows = "\n".join(await rows_of(TableApp(LONG), 56))
    assert [f"xgb-depth={depth}-" in rows for depth in range(3, 6)] == [True] * 3
    assert (rows.count("…"), rows.count("=0.7 ")) == (3, 3)


async def test_the_free_width_pushes_no_column_out() -> None:
    for width in range(30, 100):
        app = TableApp(LONG * 1, Arrangement(tuple(LONG) * 20))
        async with app.run_test(size=(width, 10)) as pilot:
            await pilot.pause()
            table = app.query_one(RunTable)
            widths = [column.width for column in table.columns]
            before = [*widths[:1], min(widths[1], 32), *widths[2:]]
            room = width - table.styles.scrollbar_size_vertical
            fitting = max(
                count
                for count in range(5)
                if sum(before[:count]) + 2 * max(0, count - 1) <= room - (MARK_ROOM if count < len(before) else 0)
            )
            assert len(table.visible_columns()) >= fitting, width


async def test_every_column_fits_beside_the_name() -> None:
    tag = Column(Kind.TAG, "a-tag-of-twenty-letters")
    for width in range(64, 100):
        app = TableApp(LONG, columns=(AGE, AUC, tag))
        async with app.run_test(size=(width, 10)) as pilot:
            await pilot.pause()
            table = app.query_one(RunTable)
            table.move_to(0, 4)
            shown = table.visible_columns()
            assert 4 in shown
            assert sum(table.columns[index].width + 2 for index in shown) - 2 <= table.line_width, width


async def test_a_pinned_column_stays_pinned() -> None:
    for width in range(64, 130, 3):
        app = TableApp(LONG, style=ColumnStyle(pinned=1))
        async with app.run_test(size=(width, 10)) as pilot:
            await pilot.pause()
            table = app.query_one(RunTable)
            used, room = sum(column.width + 2 for column in table.columns[:3]), table.line_width * 2 / 3
            was_pinned = used - table.columns[1].width + 32 <= room
            assert used <= room or not was_pinned, width


async def test_a_width_of_the_user_stays() -> None:
    async with TableApp(LONG, style=ColumnStyle({NAME: 10})).run_test(size=(100, 20)) as pilot:
        await pilot.pause()
        assert pilot.app.query_one(RunTable).columns[1].width == 10


async def test_a_name_stays_legible_at_any_depth() -> None:
    names = [f"run-{depth}" for depth in range(40)]
    tree = as_tree(names, {names[depth]: names[depth - 1] for depth in range(1, 40)}, ())
    app = TableApp(names, tree)
    async with app.run_test(size=(60, 50)) as pilot:
        await pilot.pause()
        levels = app.query_one(RunTable).columns[1].width // 6
        rows = frame_text(app).splitlines()
        for depth, name in enumerate(names):
            (row,) = (row for row in rows if f" {name} " in row)
            assert (f" {depth} " in row) == (depth > levels), row


def test_indentation_takes_at_most_a_third() -> None:
    assert [indentation(depth, 24) for depth in (0, 1, 4, 5, 12)] == ["", "  ", " " * 8, "      5 ", "     12 "]
    assert all(len(indentation(depth, 30)) <= 10 for depth in range(500))
