"""Every list of the deck survives whatever happens to it: other data, less of it, no room, and all of its keys in any order."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

import mldeck.ui
from mldeck.artifacts.location import Located, LocationStatus
from mldeck.artifacts.previews.preview import preview
from mldeck.artifacts.previews.values import TextPreview, TreeMapping
from mldeck.artifacts.run_tree import RunTree
from mldeck.model import Column, Experiment, Kind, Metric, OrderKey, RunRecord
from mldeck.registry.history import Event, EventKind
from mldeck.registry.nouns import LoggedModel, ModelQuery, ModelVersion, RegisteredModel
from mldeck.settings import load_settings
from mldeck.ui.chart.legend import CurveLegend, LegendLine
from mldeck.ui.compare.table import CompareTable
from mldeck.ui.compare.table_lines import CompareLines, TableOptions
from mldeck.ui.details.line_grid import Line, LineGrid
from mldeck.ui.details.metric_grid import MetricGrid
from mldeck.ui.details.run_cells import RunCells
from mldeck.ui.files.logged_models import LoggedModelList
from mldeck.ui.files.model_card import ModelCard
from mldeck.ui.files.model_card_reading import Card, CardLine
from mldeck.ui.files.preview.table_view import TableView
from mldeck.ui.files.preview.text_view import TextView
from mldeck.ui.files.preview.value_tree import ValueTree
from mldeck.ui.files.reading import ModelFacts, RunFiles
from mldeck.ui.files.tree import FileTree
from mldeck.ui.filter.completer import Candidate
from mldeck.ui.filter.filter_line import CandidateList
from mldeck.ui.help.help_lines import HelpLines
from mldeck.ui.help.sections import Section
from mldeck.ui.kit.clock import Clock
from mldeck.ui.kit.dialogs.menu import Choice, _ChoiceList
from mldeck.ui.kit.dialogs.picker import PickerDialog, PickList
from mldeck.ui.kit.grid import Cell, Grid, GridColumn
from mldeck.ui.kit.line_view import LineView
from mldeck.ui.kit.markdown_pane import MarkdownPane
from mldeck.ui.models.board import VersionBoard
from mldeck.ui.models.history_dialog import HistoryGrid, history_entries
from mldeck.ui.models.model_list import RegisteredModelList
from mldeck.ui.models.reading import VersionRuns, Versions
from mldeck.ui.models.review import ReviewRow
from mldeck.ui.models.review_dialog import ReviewGrid
from mldeck.ui.models.version_table import VersionTable
from mldeck.ui.register.dialog import ModelChoiceList, ModelNameList
from mldeck.ui.runs.column_draft import ColumnDraft
from mldeck.ui.runs.column_list import ColumnList
from mldeck.ui.runs.experiment_list import ExperimentList
from mldeck.ui.runs.table import RunTable
from mldeck.ui.state.arrangement import Arrangement
from mldeck.ui.state.columns import ColumnChoice
from mldeck.ui.state.session import Session
from tests.artifacts.sources import Bytes
from tests.terminal.hostile import TEXTS
from tests.ui.compare.compare_deck import data_of, record
from tests.ui.textual_insides import bound_actions

NOW = 1_760_000_000_000
SIZES = ((1, 1), (1, 20), (60, 1), (7, 3), (25, 5), (80, 24), (120, 40))
COUNTS = (0, 1, 2, 3, 17, 60)
STEPS = 60
COLUMNS = tuple(Column(Kind.METRIC, key) for key in ("loss", "acc")) + (Column(Kind.PARAM, "lr"),)
STAGES = ("None", "Staging", "Production", "Archived", "elsewhere")

Fill = Callable[[Any, int], None]


class Way(NamedTuple):
    """How a list is made, and how it gets so many rows; without `fill` it keeps those that it was made with."""

    make: Callable[[int], Grid]
    fill: Fill | None = None


def text(number: int) -> str:
    """Something hostile in every third one."""
    return f"{list(TEXTS.values())[number // 3 % len(TEXTS)]}{number}" if number % 3 == 0 else f"text-{number}"


def records(count: int) -> list[RunRecord]:
    return [
        record(number, {"loss": number / 3, "acc": float("nan")}, {"lr": text(number)}, name=text(number) or None)
        for number in range(count)
    ]


def logged(count: int) -> list[LoggedModel]:
    return [LoggedModel(text(n), f"r{n}", f"m-{n}", creation_time=NOW, step=n) for n in range(count)]


def versions(count: int) -> list[ModelVersion]:
    return [
        ModelVersion("model", n + 1, STAGES[n % len(STAGES)], creation_time=NOW, run_id=f"r{n}", aliases=(text(n),))
        for n in reversed(range(count))
    ]


def fill_runs(table: RunTable, count: int) -> None:
    found = {each.run.run_id: each for each in records(count)}
    # Half of them are yet to be read.
    known = dict(list(found.items())[: (count + 1) // 2])
    cells = RunCells(COLUMNS[: 1 + count % 3], list(known.values()))
    table.show(Arrangement(tuple(found)), known, COLUMNS, cells, [OrderKey(COLUMNS[0])], table.cursor)


def fill_compared(table: CompareTable, count: int) -> None:
    lines = CompareLines(data_of(*records(count)), TableOptions(shows_all=True))
    table.show(lines, is_transposed=count % 2 == 0, run_id=None)


def fill_version_board(board: VersionBoard, count: int) -> None:
    board.show(Versions("model", tuple(versions(count))), count // 2)


def fill_version_table(table: VersionTable, count: int) -> None:
    found = {each.run.run_id: each for each in records(count)}
    table.show(Versions("model", tuple(versions(count)), found), VersionRuns(COLUMNS, found), None, count // 2)


def fill_logged_models(grid: LoggedModelList, count: int) -> None:
    models = logged(count)
    grid._facts = {each.uri: ModelFacts(("sklearn",), tuple(versions(2))) for each in models}
    grid._put(models, "none")


def fill_registered(grid: RegisteredModelList, count: int) -> None:
    models = [
        RegisteredModel(text(n), last_updated_time=NOW, latest={"Production": n}, version_count=n) for n in range(count)
    ]
    grid.show(models, ModelQuery(), models[-1].name if models else None)


def fill_columns(grid: ColumnList, count: int) -> None:
    grid.show(ColumnDraft(ColumnChoice(), COLUMNS[: count % 4], {}))
    grid.add_keys(Kind.METRIC, [text(number) for number in range(count)])


def fill_legend(legend: CurveLegend, count: int) -> None:
    legend.show([LegendLine(text(n), n % 8, "●" * (n % 2), None if n % 3 else n / 7, n % 5 == 0) for n in range(count)])


def fill_experiments(grid: ExperimentList, count: int) -> None:
    grid.show([Experiment(str(n), text(n), "active") for n in range(count)], {"0": count}, str(count // 2))


def fill_files(tree: FileTree, count: int) -> None:
    """Folders in folders, each of which is listed when it is opened."""
    folder = Path.cwd() / f"files-{count}"
    for number in range(count):
        (folder / f"folder-{number % 3}").mkdir(parents=True, exist_ok=True)
        (folder / f"folder-{number % 3}" / f"file-{number}").touch()
    tree.show(
        RunFiles(str(count), RunTree(Located(folder.as_uri(), LocationStatus.RECORDED, folder))) if count else None
    )


def text_view(count: int) -> TextView:
    source = Bytes("\n".join(text(number) for number in range(max(1, count))).encode(), "file.py")
    look = preview(source)
    assert isinstance(look, TextPreview)
    return TextView(source, look)


def lines_of(count: int) -> list[list[Cell]]:
    return [[Cell(f"line {number}", "dim"), Cell(" and more")] for number in range(count)]


def tables_of(count: int) -> TableView:
    columns = [GridColumn("a", 3), GridColumn("b", 40, group="g"), GridColumn("c", 5, right=True)]
    return TableView(columns, [(str(number), text(number), None) for number in range(count)], "abc")


def history(count: int) -> HistoryGrid:
    kinds = list(EventKind)
    events = [Event(kinds[n % len(kinds)], n % 4, NOW + n, STAGES[n % 5], STAGES[(n + 1) % 5]) for n in range(count)]
    return HistoryGrid(history_entries(events), Clock())


async def no_outlines(run_id: str, keys: Sequence[str], slices: int) -> None:
    """No history can be read."""


def session() -> Session:
    return Session(load_settings(), Path("none.db"))


WAYS: dict[type[Grid], Way] = {
    FileTree: Way(lambda _: FileTree(), fill_files),
    CandidateList: Way(
        lambda _: CandidateList(),
        lambda grid, n: grid.show([Candidate(text(each), "note", (0, 1)) for each in range(n)], n),
    ),
    ColumnList: Way(lambda _: ColumnList(), fill_columns),
    CompareTable: Way(lambda _: CompareTable(), fill_compared),
    CurveLegend: Way(lambda _: CurveLegend(), fill_legend),
    ExperimentList: Way(lambda _: ExperimentList(), fill_experiments),
    HelpLines: Way(
        lambda n: HelpLines([Section(text(0), [(text(each), text(each + 1)) for each in range(n)])], id="help-lines")
    ),
    HistoryGrid: Way(history),
    LineGrid: Way(
        lambda _: LineGrid("none"),
        lambda grid, n: grid.show([Line(text(each), text(each + 1), is_heading=each % 7 == 5) for each in range(n)]),
    ),
    ModelChoiceList: Way(lambda n: ModelChoiceList(logged(n or 1), versions(n))),
    MarkdownPane: Way(lambda _: MarkdownPane(), lambda grid, n: grid.show("\n\n".join(map(text, range(n))))),
    MetricGrid: Way(
        lambda _: MetricGrid(no_outlines),
        lambda grid, n: grid.show(str(n), [Metric(text(each), each / 3, NOW, each) for each in range(n)]),
    ),
    ModelCard: Way(lambda n: ModelCard(Card("card", tuple(CardLine(text(each), text(each + 1)) for each in range(n))))),
    ModelNameList: Way(
        lambda n: ModelNameList([RegisteredModel(text(each)) for each in range(n)]),
        lambda grid, n: grid.narrow("" if n % 2 else str(n)),
    ),
    PickList: Way(
        lambda n: PickList([text(each) for each in range(n)], [text(0)], str, str.upper),
        lambda grid, n: grid.narrow("" if n % 2 else str(n)),
    ),
    LineView: Way(lambda n: LineView(lines_of(n)), lambda grid, n: grid.show_lines(lines_of(n))),
    ReviewGrid: Way(
        lambda _: ReviewGrid(),
        lambda grid, n: grid.show(
            [ReviewRow(text(each), text(each + 1), "1", metric="m") for each in range(n)],
            ("now" * (n % 2), "then"),
        ),
    ),
    RunTable: Way(lambda _: RunTable(Clock()), fill_runs),
    TableView: Way(tables_of),
    TextView: Way(text_view),
    ValueTree: Way(
        lambda n: ValueTree(TreeMapping([(text(each), [text(each), TreeMapping([("a", "b")])]) for each in range(n)]))
    ),
    VersionBoard: Way(lambda _: VersionBoard(Clock()), fill_version_board),
    VersionTable: Way(lambda _: VersionTable(Clock()), fill_version_table),
    _ChoiceList: Way(lambda n: _ChoiceList([Choice(str(each), "x", text(each)) for each in range(n or 1)])),
    LoggedModelList: Way(lambda _: LoggedModelList(session()), fill_logged_models),
    RegisteredModelList: Way(lambda _: RegisteredModelList(Clock()), fill_registered),
}


def grids(kind: type[Grid] = Grid) -> Iterator[type[Grid]]:
    """All of the product."""
    for each in kind.__subclasses__():
        if each.__module__.startswith("mldeck."):
            yield each
        yield from grids(each)


def test_no_list_is_left_out() -> None:
    for module in pkgutil.walk_packages(mldeck.ui.__path__, "mldeck.ui."):
        importlib.import_module(module.name)
    assert set(grids()) == WAYS.keys()


async def test_other_files_come_while_these_are_searched() -> None:
    async with GridApp(WAYS[FileTree], 0).run_test() as pilot:
        tree = pilot.app.query_one(FileTree)
        fill_files(tree, 17)
        looking = asyncio.create_task(tree.find_rows("file-1"))
        await asyncio.sleep(0)
        fill_files(tree, 3)
        assert await asyncio.wait_for(looking, 20) == ()
        tree.action_edge(1)
        assert tree.row_count == 3


class GridApp(App[None]):
    def __init__(self, way: Way, count: int) -> None:
        super().__init__()
        self._way = way
        self._count = count

    def compose(self) -> ComposeResult:
        yield self._way.make(self._count)


def actions(grid: Grid) -> list[str]:
    """What the keys of a list do."""
    return sorted({action for action in bound_actions(grid) if not action.startswith("app.")})


def paint(grid: Grid) -> None:
    """All of it, at once."""
    grid.repaint()
    if grid.size:
        grid.render_lines(Region(0, 0, *grid.size))


def lose_rows(grid: Grid, count: int) -> None:
    """Paint while so many rows are gone that the list still believes in."""
    grid.row_count += count
    paint(grid)
    grid.row_count -= count
    grid.repaint()


@pytest.mark.parametrize("kind", WAYS, ids=lambda kind: f"{kind.__module__.rpartition('.')[2]}-{kind.__name__}")
async def test_a_list_survives(kind: type[Grid]) -> None:
    way = WAYS[kind]
    dice = random.Random(kind.__qualname__)
    for count in (0, 60):
        async with GridApp(way, count).run_test(size=(60, 12)) as pilot:
            grid = pilot.app.query_one(kind)
            steps: list[str] = []
            try:
                for _ in range(STEPS):
                    await _step(grid, way.fill, pilot, dice, steps)
                    paint(grid)
                    assert 0 <= grid.cursor_row < max(1, grid.row_count)
                    assert 0 <= grid.cursor_column < max(1, len(grid.columns))
                    if grid.size:
                        assert grid.columns == tuple(grid.fitting_columns())
            except Exception as error:
                raise AssertionError(f"{kind.__name__} after {steps}") from error


async def _step(grid: Grid, fill: Fill | None, pilot: Any, dice: random.Random, steps: list[str]) -> None:
    what = dice.choice(("fill", "act", "act", "act", "act", "resize", "lose", "find", "copy", "header", "pause"))
    if what == "fill" and fill is not None:
        count = dice.choice(COUNTS)
        steps.append(f"fill {count}")
        fill(grid, count)
    elif what == "act":
        steps.append(action := dice.choice(actions(grid)))
        await grid.run_action(action)
        if isinstance(pilot.app.screen, PickerDialog):
            await pilot.pause()
            await pilot.press(dice.choice(("enter", "escape")))
            await pilot.press("escape")  # if there is nothing to choose
    elif what == "resize":
        size = dice.choice(SIZES)
        steps.append(f"{size[0]}x{size[1]}")
        await pilot.resize_terminal(*size)
    elif what == "lose":
        steps.append("lose")
        lose_rows(grid, dice.choice(COUNTS))
    elif what == "find":
        steps.append("find")
        found: Sequence[int] = await grid.find_rows("ext")
        assert all(0 <= row < grid.row_count for row in found)
    elif what == "copy":
        steps.append("copy")
        grid.action_copy()
    elif what == "header":
        steps.append("header")
        grid.header_clicked()
    else:
        await pilot.pause()
