"""The inspector: everything about the version or the model under the cursor, in tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from mldeck.registry.nouns import RegisteredModel
from mldeck.ui.details.line_grid import Line, LineGrid, param_lines
from mldeck.ui.details.metric_grid import MetricGrid, ReadOutlines
from mldeck.ui.kit.bars import TabBar
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import with_keys
from mldeck.ui.kit.markdown_pane import MarkdownPane
from mldeck.ui.models.reading import ComparedFacts, RegistryListing, VersionDetails
from mldeck.ui.models.version_overview import history_lines, model_lines, tags_of_version, version_lines
from mldeck.ui.place import retitle
from mldeck.ui.state.session import Session

TABS = ("Overview", "Metrics", "Params", "Tags", "History")
_OVERVIEW, _METRICS, _PARAMS, _TAGS, _HISTORY = range(len(TABS))
_BAR = "version"
"""The name of these tabs in the saved state."""
_LISTS = ("version-fields", "version-metrics", "version-params", "version-tags", "version-history")
_EMPTY_TEXTS = {
    "version-metrics": "The source run has logged no metrics.",
    "version-params": "The source run has no params.",
    "version-tags": "This version has no tags.",
    "version-history": "No history is known.",
}
_OF_VERSIONS = "This tab is about a version.\n{open} goes to the versions of this model."


class VersionInspector(Widget):
    """The tabs of a version; of a model, the overview alone."""

    def __init__(self, session: Session, read_outlines: ReadOutlines, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._read_outlines = read_outlines
        self.details: VersionDetails | None = None
        self.model: RegisteredModel | None = None
        """The model that is shown instead of a version; None while a version is shown."""
        self._listing = RegistryListing()
        self._chosen_tab = session.tab(_BAR, TABS)
        """The tab of versions, while a model is shown in another one."""
        self._tab = _OVERVIEW
        """The tab on screen."""

    def compose(self) -> ComposeResult:
        yield TabBar(TABS, id="version-tab-bar")
        with Horizontal(id="version-overview"):
            yield LineGrid("", id="version-fields")
            yield MarkdownPane(id="version-description")
        yield MetricGrid(self._read_outlines, id="version-metrics")
        yield LineGrid("", id="version-params")
        yield LineGrid("", id="version-tags")
        yield LineGrid("", id="version-history")

    def on_mount(self) -> None:
        self._show_tab(_OVERVIEW)

    @property
    def tab_grid(self) -> Grid:
        """The grid of the current tab."""
        return self.query_one(f"#{_LISTS[self._tab]}", Grid)

    @property
    def metric_grid(self) -> MetricGrid:
        return self.query_one(MetricGrid)

    def show(self, details: VersionDetails | None) -> None:
        """Show a version; None if there is none under the cursor, or it is gone."""
        if self.model is None and details == self.details:
            return
        if self._key(details) != self._key(self.details):
            for grid in self.query(Grid):
                grid.cursor_row = 0
                grid.scroll_rows_to(0)
        self.details, self.model = details, None
        version = details.version if details else None
        retitle(self, f"{version.name} {version.version} · {version.stage}" if version else "", "")
        self._show_tab(self._chosen_tab)

    def show_facts(self, facts: ComparedFacts) -> None:
        """Add to the version that is shown what was read of its files."""
        if self.details is not None and self.details.facts != facts:
            self.details = replace(self.details, facts=facts)
            if self._tab == _OVERVIEW:
                self.query_one("#version-fields", LineGrid).show(self._overview())

    def show_model(self, model: RegisteredModel | None, listing: RegistryListing) -> None:
        """Show a model instead of a version: its overview and description."""
        if model is not None and model == self.model and listing.has_aliases == self._listing.has_aliases:
            return
        self.details, self.model, self._listing = None, model, listing
        retitle(self, model.name if model else "", "")
        self._show_tab(_OVERVIEW)

    def _key(self, details: VersionDetails | None) -> tuple[str, int] | None:
        return None if details is None else (details.version.name, details.version.version)

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
        had_focus = self.has_focus_within
        self._tab = tab
        self.query_one(TabBar).activate(tab)
        for index, name in enumerate(("version-overview", *_LISTS[1:])):
            self.query_one(f"#{name}").display = index == tab
        self._fill_tab()
        if had_focus:
            self.screen.set_focus(self.tab_grid)

    def _fill_tab(self) -> None:
        """Fill the visible tab only."""
        details, tab = self.details, self._tab
        self._show_empty_texts()
        if details is None:
            self._show_overview()
            self.metric_grid.show("", ())
            for name in (_LISTS[_PARAMS], _LISTS[_TAGS], _LISTS[_HISTORY]):
                self.query_one(f"#{name}", LineGrid).show(())
        elif tab == _OVERVIEW:
            self._show_overview()
        elif tab == _METRICS:
            run = details.run
            self.metric_grid.show(run.run.run_id if run else "", run.metrics if run else ())
        else:
            self.query_one(f"#{_LISTS[tab]}", LineGrid).show(_lines(details, tab))

    def _show_empty_texts(self) -> None:
        """Say in empty lists whether the version has none of this, or a model is shown."""
        of_no_version = with_keys(_OF_VERSIONS) if self.model is not None else ""
        for name, text in _EMPTY_TEXTS.items():
            grid = self.query_one(f"#{name}", Grid)
            grid.empty_text = text if self.details is not None else of_no_version

    def pass_time(self) -> None:
        if self._tab == _OVERVIEW:
            self.query_one("#version-fields", LineGrid).lines = self._overview()  # it repaints the changed lines itself

    def _show_overview(self) -> None:
        described = self.details.version if self.details is not None else self.model
        self.query_one("#version-fields", LineGrid).show(self._overview())
        self.query_one(MarkdownPane).show(described.description or "" if described else "")

    def _overview(self) -> Sequence[Line]:
        if self.details is not None:
            return list(version_lines(self.details, self._session.clock))
        return [] if self.model is None else list(model_lines(self.model, self._listing, self._session.clock))


def _lines(details: VersionDetails, tab: int) -> Sequence[Line]:
    if tab == _HISTORY:
        return history_lines(details.history)
    if tab == _TAGS:
        return tags_of_version(details.version)
    return param_lines(details.run.params) if details.run else ()
