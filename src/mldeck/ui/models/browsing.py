"""What belongs to the version under the cursor: the inspector, the run that it came from, and moving about."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical

from mldeck.model import Run
from mldeck.ui.details.keys import INSPECTOR
from mldeck.ui.details.line_grid import LineGrid
from mldeck.ui.details.metric_grid import MetricGrid
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.models.board import VersionBoard
from mldeck.ui.models.inspector import VersionInspector
from mldeck.ui.models.keys import MODEL_PLACE
from mldeck.ui.models.model_list import ModelList
from mldeck.ui.models.reading import read_details, run_ids_of
from mldeck.ui.models.version_table import VersionTable
from mldeck.ui.models.versions_pane import VersionListing
from mldeck.ui.place import pane


class ModelVersions(VersionListing):
    """The place Models as far as it shows; what changes anything, the subclass adds."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(MODEL_PLACE, INSPECTOR)

    def compose_body(self) -> ComposeResult:
        clock = self.session.clock
        with Vertical(id="models-body"), Container(id="model-panes"):
            with Horizontal(id="model-lists"):
                yield pane(ModelList(clock, id="models"), "Models")
                with pane(Vertical(id="version-pane"), "Versions"):
                    yield VersionBoard(clock, id="board")
                    table = VersionTable(clock, id="version-table")
                    table.display = False
                    yield table
            yield pane(VersionInspector(clock, self.read_outline, id="version-inspector"), "")

    @property
    def inspector(self) -> VersionInspector:
        return self.query_one(VersionInspector)

    # -- the inspector

    @work(group="details", exclusive=True)
    async def load_details(self) -> None:
        session, version = self.session, self.cursor_version
        if self.is_in_list or version is None or not session.is_open:
            self.inspector.show_model(self.model_list.cursor_model, self.shelf)
            return
        places = session.places(session.registered.path)
        store = session.store
        with self.reporting_trouble():
            details = await read_off_loop(
                lambda interrupt: read_details(store, session.registry, version, places, interrupt)
            )
            if not self.is_in_list:
                self.inspector.show(details)

    # -- the run that it came from

    def action_open_run(self) -> None:
        version = self.cursor_version
        record = self._data.record(version) if version else None
        if record is not None:
            self.go_to_run(record.run)
        elif version is not None and version.run_id:
            self.notify(f"Run {version.run_id} is not in this database", timeout=4)
        else:
            self.notify("No run is known that this version came from", timeout=3)

    def go_to_run(self, run: Run) -> None:
        self.post_message(self.RunWanted(run, come_back_to=self.NAME))

    @on(LineGrid.RunAsked)
    def _run_asked(self, message: LineGrid.RunAsked) -> None:
        self.action_open_run()

    @on(LineGrid.TextAsked)
    def _show_text(self, message: LineGrid.TextAsked) -> None:
        from mldeck.ui.kit.dialogs.text import TextDialog

        self.app.push_screen(TextDialog(message.title, message.text))

    def on_metric_grid_other_view_asked(self, message: MetricGrid.OtherViewAsked) -> None:
        """The charts are where the run is."""
        message.stop()
        self._chart(self.inspector.metric_grid.cursor_metric)

    def _chart(self, metric: str | None) -> None:
        """Of the runs of all versions."""
        from mldeck.ui.chart.screen import ChartScreen  # what draws takes a while to load

        run_ids = [run_id for run_id in run_ids_of(self.versions) if run_id in self.records]
        if run_ids:
            self.app.push_screen(ChartScreen(self.session, run_ids, metric, self.go_to_run))

    # -- moving about

    def action_tab(self, offset: int) -> None:
        self.inspector.turn(offset)

    async def action_back(self) -> None:
        """From the inspector to the versions, from there to the models."""
        if self.inspector.has_focus_within and not self.busy and not self.finder.has_matches:
            self.set_focus(self.version_grid)
        else:
            await super().action_back()

    @on(Grid.CursorMoved)
    def _cursor_moved(self, message: Grid.CursorMoved) -> None:
        if isinstance(message.grid, ModelList):
            self.inspector.show_model(self.model_list.cursor_model, self.shelf)
            self.load_versions()
        elif message.grid is self.version_grid:
            self.settle("details", self.load_details)

    @on(Grid.Opened)
    def _opened(self, message: Grid.Opened) -> None:
        if isinstance(message.grid, ModelList):
            self.set_focus(self.version_grid)
        elif message.grid is self.version_grid:
            self.set_focus(self.inspector.tab_grid)
        elif isinstance(message.grid, MetricGrid):
            self._chart(message.grid.cursor_metric)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The inspector shows the model while one moves among the models, else the version."""
        if isinstance(event.widget, ModelList) or event.widget is self.version_grid:
            self.load_details()
