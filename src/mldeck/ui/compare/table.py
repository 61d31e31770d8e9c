"""The marked runs as a table: what differs between them, and the difference of each from a baseline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from mldeck.format import Neighbours, cell_width, safe
from mldeck.model import Column, Kind, OrderKey
from mldeck.ui.compare.data import CompareData, Group, group_of
from mldeck.ui.compare.keys import COMPARE_TABLE
from mldeck.ui.compare.table_lines import OWN, CompareLines, CompareRow, SectionHeading, TableLine, TableOptions
from mldeck.ui.compare.view import CompareView
from mldeck.ui.export.export import Exported
from mldeck.ui.kit.full_text import TextAsked
from mldeck.ui.kit.grid import Cell, Grid, GridColumn
from mldeck.ui.kit.keys import TABLE, bindings, key_name
from mldeck.ui.kit.lazy_row import LazyCells
from mldeck.ui.state import metric_direction
from mldeck.ui.state.metric_direction import Better
from mldeck.ui.state.session import Session

_RUN_SIGN, _BASELINE_SIGN = "●", "◆"
_MIN_WIDTH, _MAX_WIDTH = 8, 20
"""Widths of a column in cells. A number may take more, because a cut number would be another number."""
_MIN_LABEL_WIDTH, _MAX_LABEL_WIDTH = 10, 32
_MEASURED_LINES = 200
"""The number of lines measured to find the width of columns: a run may have 12,000 metrics."""

_UNMEASURED_WIDTH = 14
"""The width for other lines, in cells: what most numbers need."""


class CompareTable(Grid):
    """Runs as columns, or as rows if transposed. The cursor stays on its run and line when other ones are shown."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(TABLE)

    def __init__(self) -> None:
        super().__init__(id="compare-table")
        self.is_transposed = False
        self.lines = CompareLines(CompareData())
        self._names: Sequence[str] = ()
        """The names of the runs, if these are rows."""

    def show(self, lines: CompareLines, *, is_transposed: bool, run_id: str | None) -> None:
        """Show other lines. The cursor goes to `run_id`, if it is not None."""
        row, run_id = self.cursor_line, run_id or self.cursor_run
        self.lines, self.is_transposed = lines, is_transposed
        self.empty_text = f"These runs have the same values everywhere.\n{key_name('all_columns')} shows all of them."
        self.set_content(len(lines.run_ids if is_transposed else lines.rows))
        self.put_cursor(row, run_id)

    def put_cursor(self, row: CompareRow | None, run_id: str | None) -> None:
        """Move the cursor to a line and a run; to the first ones if these are not shown."""
        runs, shown = self.lines.run_ids, self._shown_lines
        run_place = runs.index(run_id) if run_id in runs else 0
        line_place = _place_of(row, shown)
        if self.is_transposed:
            self.move_to(run_place, line_place + 1)
        else:
            self.move_to(line_place, run_place + 1)
        self._show_column()
        self.repaint()

    @property
    def _shown_lines(self) -> Sequence[CompareRow]:
        return self.lines.lines if self.is_transposed else self.lines.rows

    @property
    def cursor_line(self) -> CompareRow | None:
        """The line or heading under the cursor; None on the names of the runs."""
        place = self.cursor_column - 1 if self.is_transposed else self.cursor_row
        return self._shown_lines[place] if 0 <= place < len(self._shown_lines) else None

    @property
    def cursor_run(self) -> str | None:
        """The run under the cursor; None on the names of the lines."""
        place = self.cursor_row if self.is_transposed else self.cursor_column - 1
        return self.lines.run_ids[place] if 0 <= place < len(self.lines.run_ids) else None

    # -- columns

    def fitting_columns(self) -> tuple[GridColumn, ...]:
        """Return columns as wide as lines and names of runs need. Names are cut first."""
        lines = self.lines
        measured = lines.lines[:_MEASURED_LINES]
        if self.is_transposed:
            width = self._label_width(self._run_names(_MAX_LABEL_WIDTH))
            self._names = self._run_names(width)
            shown = enumerate(lines.lines)
            columns = (self._line_column(line, is_measured=place < _MEASURED_LINES) for place, line in shown)
            return (GridColumn("run", width), *columns)
        labels = [safe(lines.label(line)) + lines.mark(line) for line in measured]
        label_column = GridColumn("", self._label_width(labels), neighbours=Neighbours(labels))
        content = [lines.width(line, _MAX_WIDTH) for line in measured]
        width = max((_MIN_WIDTH, *content, *map(cell_width, self._run_names(_MAX_WIDTH))))
        return (label_column, *(GridColumn(name, width, right=True) for name in self._run_names(width)))

    def _label_width(self, labels: Iterable[str]) -> int:
        widest = min(_MAX_LABEL_WIDTH, self.line_width // 3)
        return max(_MIN_LABEL_WIDTH, min(widest, max(map(cell_width, labels), default=0)))

    def _line_column(self, line: TableLine, *, is_measured: bool) -> GridColumn:
        label = self.lines.label(line)
        content = self.lines.width(line, _MAX_WIDTH) if is_measured else _UNMEASURED_WIDTH
        width = max(_MIN_WIDTH, min(cell_width(safe(label)) + 2, _MAX_WIDTH), content)
        group = group_of(line.column).value
        return GridColumn(label, width, self.lines.is_right(line), group, self.lines.mark(line))

    def _run_names(self, width: int) -> list[str]:
        """Return the names of the runs cut to `width` cells, each with its sign and number."""
        data, run_ids = self.lines.data, self.lines.run_ids
        numbers = [str(data.numbers[run_id]) for run_id in run_ids]
        room = width - 3 - max(map(len, numbers), default=0)
        labels = [data.by_id[run_id].run.label for run_id in run_ids]
        neighbours = Neighbours(labels)
        names = [neighbours.cut(label, room) for label in labels]
        signs = (_BASELINE_SIGN if run_id == self.lines.baseline else _RUN_SIGN for run_id in run_ids)
        return [f"{sign} {number} {name}" for sign, number, name in zip(signs, numbers, names, strict=True)]

    @property
    def column_noun(self) -> str:
        return "column" if self.is_transposed else "run"

    def column_name(self, index: int) -> str:
        if not index:
            return ""
        lines = self.lines
        return lines.label(lines.lines[index - 1]) if self.is_transposed else lines.data.label(lines.run_ids[index - 1])

    # -- the grid

    def row_cells(self, row: int) -> Sequence[Cell]:
        lines = self.lines
        if self.is_transposed:
            run_id, shown, name = lines.run_ids[row], lines.lines, self._run_cell(row)
            return LazyCells(len(shown) + 1, lambda at: self._cell(shown[at - 1], run_id, at) if at else name)
        line = lines.rows[row]
        if isinstance(line, SectionHeading):
            return ()
        runs = lines.run_ids
        style = "dim" if line.is_difference else "sorted" if lines.mark(line) else ""
        label = Cell(safe(lines.label(line)) + lines.mark(line), style)
        return LazyCells(len(runs) + 1, lambda at: self._cell(line, runs[at - 1], at) if at else label)

    def _cell(self, line: TableLine, run_id: str, column: int) -> Cell:
        text, style = self.lines.cell(line, run_id)
        width = self.columns[column].width
        return Cell(text if cell_width(text) <= width else self.lines.neighbours(line).cut(text, width), style)

    def _run_cell(self, row: int) -> Cell:
        run_id = self.lines.run_ids[row]
        return Cell(self._names[row], "", f"series-{self.lines.data.colours[run_id]}")

    def line_cells(self, row: int) -> Sequence[Cell] | None:
        heading = None if self.is_transposed else self.lines.rows[row]
        if not isinstance(heading, SectionHeading):
            return None
        count = f"{heading.shown:,} of {heading.all:,} differ" if heading.shown < heading.all else f"{heading.all:,}"
        sign = " ▾ " if heading.is_open else " ▸ "
        return Cell(sign, "accent"), Cell(heading.group.value, "header-cursor"), Cell(f"   {count}", "dim")

    def header_style(self, index: int) -> str:
        if self.is_transposed or not index:
            return super().header_style(index)
        return f"series-{self.lines.data.colours[self.lines.run_ids[index - 1]]}"

    def row_text(self, row: int) -> str:
        if not self.is_transposed and isinstance(self.lines.rows[row], SectionHeading):
            return ""
        return super().row_text(row)

    def copied_text(self) -> str | None:
        line, run_id = self.cursor_line, self.cursor_run
        if isinstance(line, SectionHeading):
            return line.group.value
        if line is None:
            return run_id
        return self.lines.label(line) if run_id is None else self.lines.exact_text(line, run_id)

    def move_to(self, row: int, column: int | None = None) -> None:
        """Move the cursor. Unlike other grids, post `CursorMoved` also when only the column changes."""
        before = self.cursor_column
        super().move_to(row, column)
        if self.cursor_column != before:
            self.post_message(self.CursorMoved(self))

    def lay_out(self) -> None:
        super().lay_out()
        if self.cursor_row < self.page_size:
            self.scroll_rows_to(0)  # the first heading belongs to the first line


def _place_of(row: CompareRow | None, shown: Sequence[CompareRow]) -> int:
    """Return the index of a line; else of one with the same column or group; else of the first line."""
    if row in shown:
        return shown.index(row)
    places = range(len(shown))
    if isinstance(row, TableLine):
        column, group = row.column, group_of(row.column)
        same = (place for place in places if _is_of(shown[place], column, group))
        return next(same, 0)
    if isinstance(row, SectionHeading):
        return next((place for place in places if _is_of(shown[place], None, row.group)), 0)
    return next((place for place in places if isinstance(shown[place], TableLine)), 0)


def _is_of(row: CompareRow, column: Column | None, group: Group) -> bool:
    return row.group is group if isinstance(row, SectionHeading) else row.column == column


class CompareTableView(CompareView, can_focus=False):
    """The view with the table, and its options."""

    NAME = "Table"
    BINDINGS: ClassVar[list[BindingType]] = bindings(COMPARE_TABLE)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.options = TableOptions()
        self.is_transposed = False

    def compose(self) -> ComposeResult:
        yield CompareTable()

    @property
    def table(self) -> CompareTable:
        return self.query_one(CompareTable)

    @property
    def focus_target(self) -> CompareTable:
        return self.table

    def show_data(self) -> None:
        table, greater_is_better = self.table, metric_direction.higher_is_better(self._directions)
        lines = CompareLines(self.data, self.options, greater_is_better, table.lines)
        table.show(lines, is_transposed=self.is_transposed, run_id=self.cursor_run)

    def show_run(self) -> None:
        self.table.put_cursor(self.table.cursor_line, self.cursor_run)

    @property
    def state(self) -> str:
        lines = self.table.lines
        parts = ["everything" if self.options.shows_all else "what differs"]
        if lines.baseline is not None:
            parts.append(f"baseline {self.data.label(lines.baseline)}")
        if self.options.sort is not None:
            order = OrderKey(self.options.sort, self.options.descending)
            words = metric_direction.order_in_words(order, self._directions, key_name("better")).full
            parts += [f"{order.column.key} {words}"] if words else []
        return " · ".join(parts)

    def exported(self) -> Exported:
        lines = self.table.lines
        return Exported(None, lines.header(), list(lines.file_rows()))

    def _set_options(self, options: TableOptions) -> None:
        self.options = options
        self.show_data()
        self.say_state()

    # -- keys

    def action_baseline(self) -> None:
        """Make the run under the cursor the baseline, or have none if it is already."""
        run_id = self.table.cursor_run
        if run_id is None:
            self.notify("Go to a run first", timeout=2)
        else:
            self._set_options(replace(self.options, baseline=None if run_id == self.table.lines.baseline else run_id))

    def action_transpose(self) -> None:
        self.is_transposed = not self.is_transposed
        self.show_data()

    def action_all(self) -> None:
        self._set_options(replace(self.options, shows_all=not self.options.shows_all))

    def action_own(self) -> None:
        """Unfold both groups; fold them if both are unfolded."""
        folded = self.options.folded
        self._set_options(replace(self.options, folded=folded - OWN if folded & OWN else folded | OWN))

    def action_fold(self) -> None:
        row = self.table.cursor_line
        if self.is_transposed or row is None:
            self.notify(f"Folding needs runs as columns: {key_name('transpose')} transposes", timeout=3)
            return
        group = row.group if isinstance(row, SectionHeading) else group_of(row.column)
        self._set_options(replace(self.options, folded=self.options.folded ^ {group}))

    def action_sort(self) -> None:
        line = self.table.cursor_line
        if isinstance(line, TableLine):
            descending_first = metric_direction.begins_descending(line.column, self._directions)
            self._set_options(self.options.sorted_by(line.column, descending_first=descending_first))
        else:
            self.notify("Go to the line to sort the runs by", timeout=3)

    def action_open_run(self) -> None:
        self.open_run(self.table.cursor_run)

    @property
    def extent(self) -> str:
        return self.table.columns_in_view

    @on(Grid.ColumnsScrolled)
    def _columns_scrolled(self) -> None:
        self.say_state()

    @on(Grid.CursorMoved)
    def _moved(self) -> None:
        if self.table.cursor_run is not None:
            self.set_cursor_run(self.table.cursor_run)

    @on(Grid.Opened)
    def _opened(self) -> None:
        line, run_id = self.table.cursor_line, self.table.cursor_run
        if isinstance(line, SectionHeading):
            self.action_fold()
        elif run_id is None and line is not None:
            self.action_sort()
        elif line is None:
            self.open_run(run_id)
        elif run_id is not None:
            title = f"{self.table.lines.label(line)} of {self.data.label(run_id)}"
            self.post_message(TextAsked(title, self.table.lines.exact_text(line, run_id)))

    # -- the best values

    @property
    def _directions(self) -> dict[str, Better]:
        """The better direction of each metric: what the user chose for these experiments, else what MLflow has recorded."""
        known = {key: Better.HIGHER if greater else Better.LOWER for key, greater in self.data.primary.items()}
        for experiment_id in self.data.experiment_ids:
            known |= metric_direction.remembered(self.session.saved.experiments.get(experiment_id, {}))
        return known

    def action_better(self) -> None:
        """Ask whether higher or lower is better for the metric under the cursor."""
        line = self.table.cursor_line
        if not isinstance(line, TableLine) or line.column.kind is not Kind.METRIC:
            self.notify("Only metrics have a best value: go to a metric first", timeout=3)
            return
        from mldeck.ui.details.direction_menu import ask_direction

        metric = line.column.key

        def answered(better: Better) -> None:
            self.session.remember_direction(self.data.experiment_ids, metric, better)
            self.show_data()
            self.say_state()

        ask_direction(self.app, metric, answered)
