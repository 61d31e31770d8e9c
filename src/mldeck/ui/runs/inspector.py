"""The inspector: the run or experiment under the cursor, in tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from mldeck.model import NOTE_TAG, Experiment, RunCount, RunDetails
from mldeck.ui.details.line_grid import Line, LineGrid, param_lines, tag_lines
from mldeck.ui.details.metric_grid import MetricGrid, ReadOutlines
from mldeck.ui.details.run_overview import experiment_lines, overview_lines
from mldeck.ui.kit.bars import TabBar
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import key_name
from mldeck.ui.kit.markdown_pane import MarkdownPane
from mldeck.ui.kit.mounting import made
from mldeck.ui.place import retitle
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.ui.chart.small_charts import SmallCharts
    from mldeck.ui.files.logged_models import LoggedModelList
    from mldeck.ui.files.pane import ArtifactPane

TABS = ("Overview", "Metrics", "Params", "Tags", "Artifacts", "Models")
_OVERVIEW, _METRICS, _PARAMS, _TAGS, _ARTIFACTS, _MODELS = range(len(TABS))
_PANES = ("overview", "metrics", "params", "tags", "artifacts", "run-models")
_BAR = "run"
"""The name of these tabs in the saved state."""
_LISTS = ("fields", "metrics", "params", "tags", "artifact-tree", "run-models")
_NO_RUN = "No run under the cursor."
_NO_METRICS = "This run has logged no metrics."
_EMPTY_TEXTS = {"fields": "", "params": "This run has no params.", "tags": "This run has no tags."}


class Inspector(Widget):
    def __init__(self, session: Session, read_outlines: ReadOutlines, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._read_outlines = read_outlines
        self.details: RunDetails | None = None
        self._experiment: Experiment | None = None
        """The experiment that is shown instead of a run."""
        self._experiment_count = RunCount()
        self._group: Callable[[], Sequence[Line]] | None = None
        """Returns the overview of the group that is shown instead of a run."""
        self._group_title = ""
        self._chosen_tab = session.tab(_BAR, TABS)
        """The tab of runs, while an experiment is shown in another one."""
        self._tab = self._chosen_tab
        """The tab on screen."""
        self._is_open = False
        """Whether the tab has been shown."""
        self._charts: SmallCharts | None = None
        self._gives_focus: Widget | None = None
        """The widget that had the focus when a tab without its pane asked for it. The pane gets the focus from there."""
        self._lists_metrics = False
        """Whether the metrics are shown as a list instead of charts."""
        self._pages = ""
        """Which page of the charts is shown."""
        self._artifacts: ArtifactPane | None = None
        self._models: LoggedModelList | None = None

    def compose(self) -> ComposeResult:
        yield TabBar(TABS, self._tab, id="tabs")
        with Horizontal(id="overview"):
            yield LineGrid("", id="fields")
            yield MarkdownPane(id="note")
        yield MetricGrid(self._read_outlines, id="metrics")
        yield LineGrid("", id="params")
        yield LineGrid("", id="tags")

    def on_mount(self) -> None:
        if self._tab == _OVERVIEW:
            self._show_tab(_OVERVIEW)
            return
        # The first run opens the tab: the others take a while to load, and the first frame has nothing to show there.
        for name in _PANES[:_ARTIFACTS]:
            self.query_one(f"#{name}").display = False

    @property
    def metric_grid(self) -> MetricGrid:
        return self.query_one(MetricGrid)

    def take_focus(self) -> None:
        """Focus the list or the charts of the present tab, or do so once they are made."""
        if not self._is_open:
            self._show_tab(self._tab)
        if self._is_made:
            self.screen.set_focus(self._tab_pane)
        else:
            self._gives_focus = self.screen.focused

    @property
    def _is_made(self) -> bool:
        """Whether the pane of the present tab has been made."""
        made = {_ARTIFACTS: self._artifacts, _MODELS: self._models}
        return self._tab not in made or made[self._tab] is not None

    @property
    def _tab_pane(self) -> Widget:
        if self._tab == _METRICS and self._charts is not None and not self._lists_metrics:
            return self._charts
        return self.query_one(f"#{_LISTS[self._tab]}", Grid)

    @property
    def cursor_metric(self) -> str | None:
        """The metric under the cursor of the tab Metrics; None in the other tabs."""
        if self._tab != _METRICS:
            return None
        shows_list = self._lists_metrics or self._charts is None
        return self.metric_grid.cursor_metric if shows_list or self._charts is None else self._charts.cursor_metric

    def show(self, details: RunDetails | None) -> None:
        """Show a run; None if there is none under the cursor, or it is gone."""
        self._experiment = self._group = None
        if self._tab != self._chosen_tab or (not self._is_open and (details or self._session.is_open)):
            self._show_tab(self._chosen_tab)
        self._take(details)

    def _take(self, details: RunDetails | None) -> None:
        same_run = details and self.details and details.run.run_id == self.details.run.run_id
        self.details = details
        self._show_titles()
        if not same_run:
            for grid in (self.query_one(f"#{name}", Grid) for name in _LISTS[:_ARTIFACTS]):
                grid.cursor_row = 0
                grid.scroll_rows_to(0)
        self._fill_tab()

    def show_experiment(self, experiment: Experiment, count: RunCount) -> None:
        """Show an experiment instead of a run: its overview, its note, and the models of its runs."""
        before, self._experiment, self._group = self._experiment, experiment, None
        self._experiment_count = count
        is_other = before is None or before.experiment_id != experiment.experiment_id
        if not self._is_open or (is_other and self._tab != _MODELS):
            self._show_tab(_MODELS if self._tab == _MODELS else _OVERVIEW)
        self._take(None)

    def show_group(self, title: str, lines: Callable[[], Sequence[Line]]) -> None:
        """Show a group of runs instead of a run; `lines` returns its overview with the present times."""
        self._experiment, self._group, self._group_title = None, lines, title
        if not self._is_open or self._tab != _OVERVIEW:
            self._show_tab(_OVERVIEW)
        self._take(None)

    def show_marks(self) -> None:
        """Show the colour of the run's mark in its charts; if it is not marked, the colour that it would get."""
        if self._charts is not None and self.details is not None:
            run_id = self.details.run.run_id
            self._charts.show_colour(self._session.with_colours([run_id])[run_id])

    def reload(self) -> None:
        """Read files and models again after the database has changed: a running run may have more."""
        if self._tab == _ARTIFACTS and self._artifacts is not None:
            self._artifacts.show_again()
        elif self._tab == _MODELS and self._models is not None:
            self._models.show_again()

    def pass_time(self) -> None:
        if self._tab == _OVERVIEW:
            self.query_one(
                "#fields", LineGrid
            ).lines = self._overview()  # `Grid.pass_time` then repaints the lines that differ

    def _show_overview(self) -> None:
        note = self._experiment.note if self._experiment is not None else None
        if self.details is not None:
            note = dict(self.details.tags).get(NOTE_TAG)
        self.query_one("#fields", LineGrid).show(self._overview())
        self.query_one("#note", MarkdownPane).show(note or "")

    def _overview(self) -> Sequence[Line]:
        clock = self._session.clock
        if self.details is not None:
            return list(overview_lines(self.details, clock))
        if self._group is not None:
            return self._group()
        return list(experiment_lines(self._experiment, self._experiment_count, clock)) if self._experiment else ()

    def turn(self, offset: int) -> None:
        self._choose_tab((self._tab + offset) % len(TABS))

    def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        message.stop()
        self._choose_tab(message.index)

    def _choose_tab(self, tab: int) -> None:
        self._chosen_tab = tab
        self._session.keep_tab(_BAR, TABS[tab])
        self._show_tab(tab)

    def _show_tab(self, tab: int) -> None:
        had_focus = self.has_focus_within or self.screen.focused is self._gives_focus is not None
        self._tab, self._is_open = tab, True
        self.query_one(TabBar).activate(tab)
        if tab == _METRICS and self._charts is None:
            self._make_charts()
        if not self._is_made:
            # The old tab stays on screen, with the focus, until the new one has something to show.
            self._make_files(tab)
            return
        for index, name in enumerate(_PANES):
            for pane in self.query(f"#{name}"):
                pane.display = index == tab
        if self._charts is not None:
            self._charts.display = tab == _METRICS and not self._lists_metrics
            self.metric_grid.display = tab == _METRICS and self._lists_metrics
        self._pages = ""
        self._show_titles()
        self._fill_tab()
        self._gives_focus = None
        if had_focus:
            self.take_focus()

    def _make_charts(self) -> None:
        from mldeck.ui.chart.small_charts import SmallCharts  # drawing takes a while to load

        self._charts = SmallCharts(self._read_outlines, id="charts")
        self.mount(self._charts, after="#metrics")

    @work(group="files")
    async def _make_files(self, tab: int) -> None:
        # Reading files takes a while to load, too.
        if tab == _MODELS:
            from mldeck.ui.files.logged_models import LoggedModelList

            models = next(iter(self.query(LoggedModelList)), None) or LoggedModelList(self._session, id="run-models")
            self._models = await made(self, models)
        else:
            from mldeck.ui.files.pane import ArtifactPane

            artifacts = next(iter(self.query(ArtifactPane)), None) or ArtifactPane(self._session, id="artifacts")
            self._artifacts = await made(self, artifacts)
        self._show_tab(self._tab)

    def on_metric_grid_other_view_asked(self, message: MetricGrid.OtherViewAsked) -> None:
        message.stop()
        self._lists_metrics = not self._lists_metrics
        self._show_tab(_METRICS)

    def on_small_charts_turned(self, message: SmallCharts.Turned) -> None:
        message.stop()
        self._pages = message.text
        self._show_titles()

    def _show_titles(self) -> None:
        other = self._experiment.name if self._experiment else self._group_title if self._group else ""
        retitle(self, self.details.run.label if self.details else other, self._pages)

    def _fill_tab(self) -> None:
        """Fill the tab on screen; the others are filled when they are shown."""
        details = self.details
        self._show_empty_texts()
        if details is None:
            for grid in self.query(LineGrid):
                grid.show(())
            self.metric_grid.show("", ())
            if self._charts is not None:
                self._charts.show("", (), frozenset())
            self._show_overview()
            self._fill_files()
        elif self._tab >= _ARTIFACTS:
            self._fill_files()
        elif self._tab == _METRICS:
            if self._lists_metrics or self._charts is None:
                self.metric_grid.show(details.run.run_id, details.metrics)
            else:
                self._charts.show(details.run.run_id, details.metrics, details.single_metrics)
            self.show_marks()
        else:
            grid = self.query_one(f"#{_LISTS[self._tab]}", LineGrid)
            if self._tab == _OVERVIEW:
                self._show_overview()
            else:
                grid.show(param_lines(details.params) if self._tab == _PARAMS else tag_lines(details.tags))

    def _show_empty_texts(self) -> None:
        """Say in empty lists whether the run has none of this, or there is no run; say nothing before the store is open."""
        no_run = ""
        if self._experiment is not None:
            no_run = "Metrics, params and tags belong to runs."
        elif self._group is not None:
            no_run = f"This is a group: {key_name('open')} in the table shows its runs."
        elif self._session.is_open:
            no_run = _NO_RUN
        for name, text in _EMPTY_TEXTS.items():
            self.query_one(f"#{name}", LineGrid).empty_text = text if self.details else no_run
        self.metric_grid.empty_text = _NO_METRICS if self.details else no_run
        if self._charts is not None:
            self._charts.empty_text = _NO_METRICS if self.details else no_run

    def _fill_files(self) -> None:
        run = None if self.details is None else self.details.run
        if self._tab == _ARTIFACTS and self._artifacts is not None:
            of_runs = f"Files belong to runs.\n{key_name('open')} goes to the runs of this experiment."
            self._artifacts.show(self.details, of_runs if self._experiment else _NO_RUN)
        elif self._tab == _MODELS and self._models is not None:
            experiment = self._experiment
            self._models.show(
                None if run is None else run.run_id, None if experiment is None else experiment.experiment_id
            )
