"""The registered models of the place Models: which ones, in what order, filtered and found, and of which workspace."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import on, work
from textual.widget import Widget

from mldeck.format import safe
from mldeck.model import DEFAULT_WORKSPACE
from mldeck.registry.nouns import ModelQuery, RegisteredModel
from mldeck.ui.kit.grid import Grid
from mldeck.ui.kit.mounting import made
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.models.model_list import ModelList
from mldeck.ui.models.reading import Shelf, read_shelf, same_model
from mldeck.ui.place import Place, no_match_text, retitle
from mldeck.ui.runs.reading import Opening
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.ui.filter.filter_line import FilterLine

_NO_REGISTRY = """This database is from before MLflow 1.4, which had no model registry.

If the registry is in another database, start mldeck with --registry-store."""

_EMPTY = """No model is registered here yet.

r on a run registers a model that it logged; so does mlflow.register_model.
If the registry is in another database, start mldeck with --registry-store."""


class ModelListing(Place):
    """The part of the place Models that is about the list; the versions, the subclass adds."""

    AUTO_FOCUS = "#models"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.shelf = Shelf()
        self._query = ModelQuery()
        self._filters: list[str] = []
        """Filters of models that were used in this sitting, the newest last."""
        self._is_writing = False

    @property
    def model_list(self) -> ModelList:
        return self.query_one(ModelList)

    @property
    def main_grid(self) -> Grid:
        return self.model_list

    @property
    def is_in_list(self) -> bool:
        """Whether one moves among the models, so that a model is meant and not a version."""
        return self.model_list.has_focus

    @property
    @abstractmethod
    def cursor_model(self) -> RegisteredModel | None:
        """The one whose versions are shown."""

    @abstractmethod
    def load_versions(self) -> object:
        """Shows the versions of the model under the cursor of the list."""

    @abstractmethod
    def say_if_empty(self, text: str) -> None:
        """Why there are no versions to show."""

    def show_opening(self, opening: Opening) -> None:
        """A deck opens with its runs."""

    # -- reading

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A change from here may be in the database already, and is not shown yet: who makes it knows what is gone."""
        self._is_writing = True
        try:
            yield
        finally:
            self._is_writing = False

    async def read_models(self, cursor: str | None = None) -> None:
        """The cursor goes to the model of that name; without one it stays on its model, whatever that is called now."""
        session, query, before = self.session, self._query, self.shelf
        shelf = await read_off_loop(lambda interrupt: read_shelf(session.registry, query, interrupt))
        if query != self._query:
            return
        self.shelf = shelf
        present = self.model_list.cursor_model
        if cursor is None and present is not None:
            now = same_model(present, before, shelf)
            cursor = now.name if now else None
            if now is None and not query.filter and not self._is_writing:
                text = safe(f"{present.name} is not registered any more")
                self.notify(text, severity="warning", timeout=5)
        self.model_list.empty_text = "" if shelf.models else "No models."
        self.model_list.show(shelf.models, query, cursor)
        if not shelf.models:
            empty = no_match_text("No model", query.filter) if query.filter else _EMPTY
            self.say_if_empty(empty if shelf.has_registry else _NO_REGISTRY)
        self.show_title()

    @work(group="models", exclusive=True)
    async def load_models(self) -> None:
        if not self.session.is_open:
            return
        with self.reporting_trouble(), self.saying_busy("reading models"):
            await self.read_models()
            self.load_versions()

    def show_title(self) -> None:
        shelf, query = self.shelf, self._query
        workspace = self.session.workspace
        named = f" of {workspace}" if len(shelf.workspaces) > 1 or workspace != DEFAULT_WORKSPACE else ""
        noun = "found" if query.filter else "model" if len(shelf.models) == 1 else "models"
        retitle(self.model_list, f"Models{named}", self.busy or f"{len(shelf.models):,} {noun}")

    async def find_rows(self, grid: Grid, text: str) -> Sequence[int]:
        return grid.found_rows(text) if text else ()

    # -- order

    @on(ModelList.SortAsked)
    def _sort(self, message: ModelList.SortAsked) -> None:
        self._query = message.query
        self.load_models()

    # -- the filter

    async def filter_line_in(self, parent: Widget, **options: object) -> FilterLine:
        """Made when it is first needed: the search language takes a while to load."""
        from mldeck.search.language import MODELS, RUNS
        from mldeck.ui.filter.filter_line import FilterLine

        found = (each for each in parent.children if isinstance(each, FilterLine))
        line = next(found, None) or FilterLine(MODELS if parent.id == "models-body" else RUNS)
        return await made(parent, line, before=0)

    async def edit_model_filter(self) -> None:
        line = await self.filter_line_in(self.query_one("#models-body"))
        line.history = self._filters
        line.edit()

    def apply_model_filter(self, text: str) -> None:
        text = text.strip()
        if text != self._query.filter:
            self._query = replace(self._query, filter=text)
            self.load_models()

    def keep_model_filter(self, text: str) -> None:
        if text.strip():
            self._filters = [*(each for each in self._filters if each != text.strip()), text.strip()]

    # -- workspaces

    @work(group="workspace", exclusive=True)
    async def action_workspace(self) -> None:
        from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

        names = self.shelf.workspaces
        if len(names) < 2:
            self.notify("There is only one workspace here (MLflow 3.10 and later can have several)", timeout=3)
            return
        choices = [Choice(name, "", f"{'✓' if name == self.session.workspace else ' '} {name}") for name in names]
        chosen = await self.app.push_screen_wait(MenuDialog("Models of which workspace?", choices))
        if chosen is not None and chosen != self.session.workspace:
            self.session.workspace = chosen
            self.shelf = Shelf()
            self.model_list.show((), self._query, None)
            self.load_models()
