"""Everything about the run under the cursor, in tabs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget

from mldeck.format import age_text, exact_duration_text, safe, safe_lines, time_text
from mldeck.model import NOTE_TAG, DatasetInput, Run, RunDetails
from mldeck.ui.widgets.detail_grids import Line, LineGrid, MetricGrid, param_lines, tag_lines
from mldeck.ui.widgets.grid import Grid
from mldeck.ui.widgets.lines import TabBar
from mldeck.ui.widgets.run_cells import STATUS_GLYPHS, now_ms

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
            self.tab_grid.focus()

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
                grid.show(list(overview_lines(details, now_ms())))
                self._show_note(dict(details.tags).get(NOTE_TAG, ""))
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


def overview_lines(details: RunDetails, now: int) -> Iterator[Line]:
    """The fields of a run; those that it does not have are left out."""
    run = details.run
    tags = dict(details.tags)
    glyph, style = STATUS_GLYPHS.get(run.status, ("?", ""))
    deleted = " · deleted" if run.lifecycle_stage == "deleted" else ""
    yield Line("status", f"{glyph} {run.status}{deleted}", style)
    yield Line("run id", run.run_id)
    if run.start_time is not None:
        age = age_text(run.start_time, now)
        started = time_text(run.start_time)
        yield Line("started", started if started.startswith(age) else f"{started} ({age} ago)")
    if run.end_time is not None:
        yield Line("ended", time_text(run.end_time))
    if run.duration is not None:
        yield Line("duration", exact_duration_text(run.duration))
    if run.deleted_time is not None:
        yield Line("deleted", time_text(run.deleted_time))
    experiment = details.experiment_name or "–"
    yield Line("experiment", f"{experiment} ({run.experiment_id})")
    named = (
        ("user", tags.get("mlflow.user") or run.user_id),
        ("source", _source(tags)),
        ("git commit", tags.get("mlflow.source.git.commit")),
        ("git branch", tags.get("mlflow.source.git.branch")),
        ("repository", tags.get("mlflow.source.git.repoURL")),
    )
    for name, value in named:
        if value:
            yield Line(name, value)
    yield from _family(details)
    for dataset in details.datasets:
        yield Line("dataset", _dataset(dataset))
    if run.artifact_uri:
        yield Line("artifacts", run.artifact_uri)


def _source(tags: dict[str, str]) -> str | None:
    name, kind = tags.get("mlflow.source.name"), tags.get("mlflow.source.type")
    return f"{name} ({kind})" if name and kind else name


def _family(details: RunDetails) -> Iterator[Line]:
    if details.parent is not None:
        yield Line("parent", _kin(details.parent), run_id=details.parent.run_id)
    elif details.parent_id:
        yield Line("parent", f"{details.parent_id} (not in this database)", "warn")
    for child in details.children:
        yield Line("child", _kin(child), run_id=child.run_id)
    hidden = details.children_count - len(details.children)
    if hidden > 0:
        yield Line("", f"and {hidden} more", "dim")


def _kin(run: Run) -> str:
    glyph, _ = STATUS_GLYPHS.get(run.status, ("?", ""))
    return f"{glyph} {run.label}" + (" (deleted)" if run.lifecycle_stage == "deleted" else "")


def _dataset(dataset: DatasetInput) -> str:
    context = f" as {dataset.context}" if dataset.context else ""
    return f"{dataset.name} {dataset.digest}{context} ({dataset.source_type})"
