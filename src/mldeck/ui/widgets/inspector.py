"""Everything about the run under the cursor, in tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget

from mldeck.format import safe, safe_lines
from mldeck.model import NOTE_TAG, Experiment, RunCount, RunDetails
from mldeck.ui.widgets.detail_grids import Line, LineGrid, MetricGrid, param_lines, tag_lines
from mldeck.ui.widgets.grid import Grid
from mldeck.ui.widgets.lines import TabBar
from mldeck.ui.widgets.overview import experiment_lines, overview_lines
from mldeck.ui.widgets.run_cells import now_ms

if TYPE_CHECKING:
    from textual.widgets import Markdown

TABS = ("Overview", "Metrics", "Params", "Tags")
_OVERVIEW, _METRICS, _PARAMS, _TAGS = range(len(TABS))


class Inspector(Widget):
    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.details: RunDetails | None = None
        self._tab = _OVERVIEW
        self._markdown: Markdown | None = None
        self._shown_note = ""

    def compose(self) -> ComposeResult:
        yield TabBar(TABS, id="tabs")
        with Horizontal(id="overview"):
            yield LineGrid("No run under the cursor.", id="fields")
            yield VerticalScroll(id="note")
        yield MetricGrid(id="metrics")
        yield LineGrid("This run has no params.", id="params")
        yield LineGrid("This run has no tags.", id="tags")

    def on_mount(self) -> None:
        self._show_tab(_OVERVIEW)
        self.query_one("#note").display = False

    @property
    def metric_grid(self) -> MetricGrid:
        return self.query_one(MetricGrid)

    @property
    def tab_grid(self) -> Grid:
        """The list that the present tab consists of."""
        return self.query_one(f"#{('fields', 'metrics', 'params', 'tags')[self._tab]}", Grid)

    def show(self, details: RunDetails | None) -> None:
        """None: there is no run under the cursor, or it is gone."""
        same_run = details and self.details and details.run.run_id == self.details.run.run_id
        self.details = details
        self.border_title = Content(safe(details.run.label) if details else "")
        if not same_run:
            for grid in self.query(Grid):
                grid.cursor_row = 0
                grid.scroll_rows_to(0)
        self._fill_tab()

    def show_experiment(self, experiment: Experiment, count: RunCount) -> None:
        """An experiment instead of a run: it has an overview and a note."""
        self.show(None)
        self._show_tab(_OVERVIEW)
        self.border_title = Content(safe(experiment.name))
        self._show_overview(list(experiment_lines(experiment, count, now_ms())), experiment.note or "")

    def _show_overview(self, lines: Sequence[Line], note: str) -> None:
        self.query_one("#fields", LineGrid).show(lines)
        self._show_note(note)

    def turn(self, offset: int) -> None:
        self._show_tab((self._tab + offset) % len(TABS))

    def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        message.stop()
        self._show_tab(message.index)

    def _show_tab(self, tab: int) -> None:
        had_focus = self.has_focus_within
        self._tab = tab
        self.query_one(TabBar).activate(tab)
        for index, name in enumerate(("overview", "metrics", "params", "tags")):
            self.query_one(f"#{name}").display = index == tab
        self._fill_tab()
        if had_focus:
            self.screen.set_focus(self.tab_grid)

    def _fill_tab(self) -> None:
        """Only the tab that is on screen is filled."""
        details = self.details
        grid = self.tab_grid
        if details is None:
            for each in self.query(LineGrid):
                each.show(())
            self.metric_grid.show("", ())
            self._show_note("")
        elif isinstance(grid, MetricGrid):
            grid.show(details.run.run_id, details.metrics)
        elif isinstance(grid, LineGrid):
            if self._tab == _OVERVIEW:
                self._show_overview(list(overview_lines(details, now_ms())), dict(details.tags).get(NOTE_TAG, ""))
            else:
                grid.show(param_lines(details.params) if self._tab == _PARAMS else tag_lines(details.tags))

    def _show_note(self, note: str) -> None:
        pane = self.query_one("#note", VerticalScroll)
        pane.display = bool(note)
        if note == self._shown_note:
            return
        self._shown_note = note
        if self._markdown is None:
            from textual.widgets import Markdown  # heavy, and most runs have no note

            self._markdown = Markdown(safe_lines(note), open_links=False)
            pane.mount(self._markdown)
        else:
            self._markdown.update(safe_lines(note))
