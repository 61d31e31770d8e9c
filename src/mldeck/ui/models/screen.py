"""The place Models: the registered models, their versions by stage, and the keys that change them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical

from mldeck.errors import MldeckError
from mldeck.model import Run
from mldeck.registry.nouns import NO_REGISTRY, STAGES, ModelVersion, RegisteredModel
from mldeck.ui.app_keys import PLACE
from mldeck.ui.details.keys import INSPECTOR
from mldeck.ui.details.line_grid import LineGrid
from mldeck.ui.details.metric_grid import MetricGrid
from mldeck.ui.kit.bars import KeyBar
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.keys import bindings, with_keys
from mldeck.ui.kit.mounting import made
from mldeck.ui.kit.questions import asks
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.models.inspector import VersionInspector
from mldeck.ui.models.keys import MODEL_EDITS, MODEL_PLACE, STAGE_KEYS
from mldeck.ui.models.model_list import RegisteredModelList
from mldeck.ui.models.models_pane import ModelsPane
from mldeck.ui.models.reading import read_compared_facts, read_details, run_ids_of
from mldeck.ui.models.versions_pane import VersionsPane
from mldeck.ui.place import Place, pane
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.ui.filter.filter_line import FilterLine
    from mldeck.ui.models.editing import ModelEditing

_NOT_EDITS = frozenset({"history"})
_EDIT_ACTIONS = frozenset(key.action.partition("(")[0] for key in (*STAGE_KEYS, *MODEL_EDITS)) - _NOT_EDITS
_VERSION_ACTIONS = frozenset({"stage", "aliases", "open_run"})
_MODEL_OR_VERSION_ACTIONS = frozenset({"describe", "tags"})
"""Those that act on the model while the list has the focus."""

_NOT_READ = "The models have not been read; {refresh} reads them"
_NO_MODEL = "There are no models: press {register} on a run to register one"
_NO_VERSION = "This model has no versions: press {register} on a run to register one"

_SIDES = {-1: "first", 1: "last"}
"""The stage at the end of a step to the left or to the right."""

_Subject = TypeVar("_Subject", RegisteredModel, ModelVersion)
ModelEdit = Callable[[RegisteredModel], Awaitable[None]]
VersionEdit = Callable[[ModelVersion], Awaitable[None]]


class ModelsScreen(Place, inherit_bindings=False):
    """The place Models. The panes read what they show; the screen has the keys, the inspector and the edits."""

    NAME = "models"
    # In one list: an inherited `find_next` would be lost here, because its key `n` is a stage, also if the settings move one.
    BINDINGS: ClassVar[list[BindingType]] = bindings(STAGE_KEYS, MODEL_PLACE, MODEL_EDITS, INSPECTOR, PLACE)
    AUTO_FOCUS = "#models"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.models_pane = ModelsPane(self, id="model-pane")
        self.versions_pane = VersionsPane(self, self.models_pane, id="version-pane")
        self._filter_line: FilterLine | None = None
        """The filter of the models. Created on first use, because the search language takes a while to load."""

    @cached_property
    def _actions(self) -> ModelEditing:
        from mldeck.ui.models.editing import ModelEditing  # loaded on the first edit

        return ModelEditing(self, self.session)

    def compose_body(self) -> ComposeResult:
        with Vertical(id="models-body"), Container(id="model-panes"):
            with Horizontal(id="model-lists"):
                yield pane(self.models_pane, "Models")
                yield pane(self.versions_pane, "Versions")
            yield pane(VersionInspector(self.session, self.read_outlines, id="version-inspector"), "")

    def unavailable(self, action: str) -> str | None:
        is_edit = action.partition("(")[0] in _EDIT_ACTIONS
        return self.session.registry_refusal if is_edit and self.session.is_open else super().unavailable(action)

    def label_now(self, action: str, label: str) -> str:
        """Name what a key acts on while the list of models has the focus: some act on the version with the bold card."""
        is_in_list = self.focused is self.models_pane.model_list  # `has_focus` comes after the bindings
        if not is_in_list or self.cursor_version is None:
            return label
        name = action.partition("(")[0]
        if name in _VERSION_ACTIONS:
            return f"{label} v{self.cursor_version.version}"
        return f"model's {label}" if name in _MODEL_OR_VERSION_ACTIONS else label

    @property
    def main_grid(self) -> Grid:
        return self.models_pane.model_list

    @property
    def inspector(self) -> VersionInspector:
        return self.query_one(VersionInspector)

    # -- what is under the cursor

    @property
    def is_in_list(self) -> bool:
        """Whether the list of models has the focus, so that keys act on a model and not on a version."""
        return self.models_pane.model_list.has_focus

    @property
    def cursor_model(self) -> RegisteredModel | None:
        """The model whose versions are shown."""
        return self.versions_pane.model

    @property
    def cursor_version(self) -> ModelVersion | None:
        return self.versions_pane.cursor_version

    # -- reading

    async def read_again(self, cursor: tuple[str, int | None] | None = None) -> None:
        """Read everything on screen again. `cursor` is the model, and the version or None, to move the cursor to."""
        await self.models_pane.read(cursor[0] if cursor else None)
        await self.versions_pane.read(cursor[1] if cursor else None)
        self.load_details()

    async def show_moved(self, name: str, number: int) -> None:
        """Show the versions right after a stage change. Everything else is read when polling notices the change."""
        if await self.versions_pane.show_moved(name, number):
            self.call_after_refresh(self.load_details)  # painting the card comes first
        else:
            await self.read_again(cursor=(name, number))

    @on(ModelsPane.Loaded)
    def _models_loaded(self) -> None:
        self.versions_pane.load()

    @on(VersionsPane.Loaded)
    @work(group="details", exclusive=True)
    async def load_details(self) -> None:
        """Show the version under the cursor in the inspector, or the model while the list has the focus."""
        session, version = self.session, self.cursor_version
        if self.is_in_list or version is None or not session.is_open:
            self._inspect_model()
            self.query_one(KeyBar).refresh()  # it names the version
            return
        places = session.places(session.registered.address)
        store = session.store
        with self.reporting_trouble():
            details = await read_off_loop(
                lambda interrupt: read_details(store, session.registry, version, places, interrupt)
            )
            if self.is_in_list:
                return
            present = self.inspector.details
            if present is not None and replace(present, facts=None) == details:
                details = replace(details, facts=present.facts)  # they stay until they have been compared again
            self.inspector.show(details)
            versions = self.versions_pane.versions
            facts = await read_off_loop(lambda interrupt: read_compared_facts(session, version, versions, interrupt))
            if self.inspector.details == details:
                self.inspector.show_facts(facts)

    def _inspect_model(self) -> None:
        self.inspector.show_model(self.models_pane.model_list.cursor_model, self.models_pane.listing)

    def stop_reading(self) -> None:
        self.models_pane.stop_reading()
        self.versions_pane.stop_reading()

    def show_title(self) -> None:
        self.models_pane.show_title()
        self.versions_pane.show_title()

    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        return grid.found_rows(text) if text else ()

    # -- what the panes show

    def action_turn(self) -> None:
        self.versions_pane.turn()

    def action_card_metric(self) -> None:
        self.versions_pane.choose_metric()

    def action_workspace(self) -> None:
        self.models_pane.choose_workspace()

    def action_export(self) -> None:
        self.versions_pane.export()

    async def action_filter(self) -> None:
        """Edit the filter of the models, or of the versions in the table."""
        if not self.is_in_list:
            await self.versions_pane.edit_filter()
            return
        from mldeck.search.language import MODELS
        from mldeck.ui.filter.filter_line import FilterLine

        # Above both panes, because the list is too narrow.
        self._filter_line = await made(
            self.query_one("#models-body"), self._filter_line or FilterLine(MODELS), before=0
        )
        self._filter_line.history = self.models_pane.filters
        self._filter_line.edit()

    def action_clear_filter(self) -> None:
        """Clear the filter of the models, or of the versions in the table."""
        self.forget_settling("filter")
        if self.is_in_list and self._filter_line is not None and self.models_pane.model_query.filter:
            self._filter_line.set_text("")
            self.models_pane.apply_filter("")
        elif self.is_in_list or not self.versions_pane.clear_filter():
            self.notify("There is no filter", timeout=2)

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.settle("filter", lambda: self.models_pane.apply_filter(message.text))

    def on_filter_line_closed(self, message: FilterLine.Closed) -> None:
        self.forget_settling("filter")
        self.models_pane.apply_filter(message.text)
        self.models_pane.keep_filter(message.text)
        self.set_focus(self.models_pane.model_list)

    def on_filter_line_candidates_wanted(self, message: FilterLine.CandidatesWanted) -> None:
        """Offer nothing: the few models there are can be seen."""
        message.line.show_candidates(message.text, ())

    # -- the run that a version came from

    def action_open_run(self) -> None:
        version, records = self.cursor_version, self.versions_pane.records
        record = records.get(version.run_id or "") if version else None
        if record is not None:
            self.go_to_run(record.run)
        elif version is not None and version.run_id:
            self.notify(f"Run {version.run_id} is not in this database", timeout=4)
        else:
            self.notify("This version has no source run", timeout=3)

    def go_to_run(self, run: Run) -> None:
        self.post_message(self.RunWanted(run, come_back_to=self.NAME))

    @on(LineGrid.RunAsked)
    def _run_asked(self, message: LineGrid.RunAsked) -> None:
        self.action_open_run()

    def on_metric_grid_other_view_asked(self, message: MetricGrid.OtherViewAsked) -> None:
        """Open the chart: the small charts are in the place Runs only."""
        message.stop()
        self._chart(self.inspector.metric_grid.cursor_metric)

    def _chart(self, metric: str | None) -> None:
        """Chart a metric of the source runs of all versions."""
        from mldeck.ui.chart.screen import ChartScreen  # the charts take a while to load

        versions, records = self.versions_pane.versions, self.versions_pane.records
        run_ids = [run_id for run_id in run_ids_of(versions) if run_id in records]
        if run_ids:
            self.app.push_screen(ChartScreen(self.session, run_ids, metric, self.go_to_run))

    # -- moving about

    def action_tab(self, offset: int) -> None:
        self.inspector.turn(offset)

    async def action_back(self) -> None:
        """Go back from the inspector to the versions, from there to the models."""
        if self.inspector.has_focus_within and not self.busy and not self.finder.has_matches:
            self.set_focus(self.versions_pane.grid)
        else:
            await super().action_back()

    @on(Grid.CursorMoved)
    def _cursor_moved(self, message: Grid.CursorMoved) -> None:
        if isinstance(message.grid, RegisteredModelList):
            self._inspect_model()
            self.versions_pane.load()
        elif message.grid is self.versions_pane.grid:
            self.settle("details", self.load_details)

    @on(Grid.Opened)
    def _opened(self, message: Grid.Opened) -> None:
        if isinstance(message.grid, RegisteredModelList):
            self.set_focus(self.versions_pane.grid)
        elif message.grid is self.versions_pane.grid:
            self.set_focus(self.inspector.tab_grid)
        elif isinstance(message.grid, MetricGrid):
            self._chart(message.grid.cursor_metric)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Let the inspector follow the focus between models and versions."""
        if event.widget in (self.models_pane.model_list, self.versions_pane.grid):
            self.load_details()

    # -- stages

    async def action_stage(self, stage: str) -> None:
        """Move the version to a stage. `n` steps to the next match instead, while there are any."""
        if stage == STAGES[0] and self.finder.has_matches:
            await self.action_find_next()
        else:
            self._move_to(stage)

    @asks("edit")
    async def action_move_card(self, step: int) -> None:
        async def move(version: ModelVersion) -> None:
            column = STAGES.index(version.stage) + step if version.stage in STAGES else max(step, 0)
            if not 0 <= column < len(STAGES):
                raise MldeckError(f"Version {version.version} is in {version.stage}, the {_SIDES[step]} stage")
            await self._actions.move(version, STAGES[column])

        await self._change_version(move)

    @asks("edit")
    async def _move_to(self, stage: str) -> None:
        await self._change_version(lambda version: self._actions.move(version, stage))

    @asks("edit")
    async def action_undo_stage(self) -> None:
        await self._change_model(self._actions.undo_move)

    @asks("edit")
    async def action_put_back(self) -> None:
        await self._change_model(self._actions.put_back)

    @asks("edit")
    async def action_history(self) -> None:
        await self._actions.show_history(self._present(self.cursor_model))

    # -- edits: of the model while the list has the focus, else of the version

    @asks("edit")
    async def action_describe(self) -> None:
        await self._change(self._actions.describe_model, self._actions.describe_version)

    @asks("edit")
    async def action_tags(self) -> None:
        await self._change(self._actions.tag_model, self._actions.tag_version)

    @asks("edit")
    async def action_delete(self) -> None:
        await self._change(self._actions.delete_model, self._actions.delete_version)

    @asks("edit")
    async def action_aliases(self) -> None:
        async def edit(version: ModelVersion) -> None:
            if self.cursor_model is not None:
                await self._actions.edit_aliases(self.cursor_model, version)

        await self._change_version(edit)

    @asks("edit")
    async def action_rename(self) -> None:
        await self._change_model(self._actions.rename)

    @asks("edit")
    async def action_undo_edit(self) -> None:
        self.check_writable(self.session.registry_refusal)
        await self._actions.undo_edit()

    async def _change(self, change_model: ModelEdit, change_version: VersionEdit) -> None:
        if self.is_in_list:
            await self._change_model(change_model)
        else:
            await self._change_version(change_version)

    async def _change_model(self, change: ModelEdit) -> None:
        self.check_writable(self.session.registry_refusal)
        await change(self._present(self.cursor_model))

    async def _change_version(self, change: VersionEdit) -> None:
        self.check_writable(self.session.registry_refusal)
        await change(self._present(self.cursor_version))

    def _present(self, subject: _Subject | None) -> _Subject:
        """Return the model or version to change. Raises `MldeckError` if there is none."""
        if subject is not None:
            return subject
        if self.cursor_model is not None:
            raise MldeckError(with_keys(_NO_VERSION))
        if not self.models_pane.is_read:
            raise MldeckError(with_keys(_NOT_READ))
        raise MldeckError(with_keys(_NO_MODEL) if self.models_pane.listing.has_registry else NO_REGISTRY)
