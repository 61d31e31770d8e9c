"""The registered models of the place Models: which ones, in what order, filtered and found, and of which workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from mldeck.format import safe
from mldeck.model import DEFAULT_WORKSPACE
from mldeck.registry.nouns import ModelQuery
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.models.model_list import ModelList
from mldeck.ui.models.reading import Shelf, read_shelf, same_model
from mldeck.ui.place import Place, no_match_text, retitle

_NO_REGISTRY = """This database is from before MLflow 1.4, which had no model registry.

If the registry is in another database, start mldeck with --registry-store."""

_EMPTY = """No model is registered here yet.

r on a run registers a model that it logged; so does mlflow.register_model.
If the registry is in another database, start mldeck with --registry-store."""


class ModelsPane(Vertical):
    """The list of models. It reads them, and follows their order, filter and workspace."""

    class Loaded(Message):
        """The models have been read in another order, with another filter, or of another workspace."""

    def __init__(self, place: Place, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._place = place
        self._session = place.session
        self.shelf = Shelf()
        self.model_query = ModelQuery()
        self.filters: list[str] = []
        """Filters of models that were used in this sitting, the newest last."""
        self.is_read = False
        """Whether `shelf` is what the registry holds, or nothing has been read yet."""
        self._is_writing = False

    def compose(self) -> ComposeResult:
        yield ModelList(self._session.clock, id="models")

    @property
    def model_list(self) -> ModelList:
        return self.query_one(ModelList)

    @property
    def empty_text(self) -> str:
        """Why there is no model, and what to do about it; empty as long as nothing has been read."""
        if not self.is_read:
            return ""
        if not self.shelf.has_registry:
            return _NO_REGISTRY
        return no_match_text("No model", self.model_query.filter) if self.model_query.filter else _EMPTY

    # -- reading

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A change from here may be in the database already, and is not shown yet: who makes it knows what is gone."""
        self._is_writing = True
        try:
            yield
        finally:
            self._is_writing = False

    async def read(self, cursor: str | None = None) -> None:
        """The cursor goes to the model of that name; without one it stays on its model, whatever that is called now."""
        session, query, before = self._session, self.model_query, self.shelf
        shelf = await read_off_loop(lambda interrupt: read_shelf(session.registry, query, interrupt))
        if query != self.model_query:
            return
        self.shelf, self.is_read = shelf, True
        present = self.model_list.cursor_model
        if cursor is None and present is not None:
            now = same_model(present, before, shelf)
            cursor = now.name if now else None
            if now is None and not query.filter and not self._is_writing:
                text = safe(f"{present.name} is not registered any more")
                self.notify(text, severity="warning", timeout=5)
        self.model_list.empty_text = "" if shelf.models else "No models."
        self.model_list.show(shelf.models, query, cursor)
        self.show_title()

    @work(group="models", exclusive=True)
    async def load(self) -> None:
        if not self._session.is_open:
            return
        with self._place.reporting_trouble(), self._place.saying_busy("reading models"):
            await self.read()
            self.post_message(self.Loaded())

    def stop_reading(self) -> None:
        self.workers.cancel_group(self, "models")

    def show_title(self) -> None:
        shelf, workspace = self.shelf, self._session.workspace
        named = f" of {workspace}" if len(shelf.workspaces) > 1 or workspace != DEFAULT_WORKSPACE else ""
        noun = "found" if self.model_query.filter else "model" if len(shelf.models) == 1 else "models"
        retitle(self, f"Models{named}", self._place.busy or f"{len(shelf.models):,} {noun}")

    # -- order and filter

    @on(ModelList.SortAsked)
    def _sort(self, message: ModelList.SortAsked) -> None:
        self.model_query = message.query
        self.load()

    def apply_filter(self, text: str) -> None:
        text = text.strip()
        if text != self.model_query.filter:
            self.model_query = replace(self.model_query, filter=text)
            self.load()

    def keep_filter(self, text: str) -> None:
        """Puts it into the history of filters."""
        if text.strip():
            self.filters = [*(each for each in self.filters if each != text.strip()), text.strip()]

    # -- workspaces

    @work(group="workspace", exclusive=True)
    async def choose_workspace(self) -> None:
        from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

        session, names = self._session, self.shelf.workspaces
        if len(names) < 2:
            self.notify("There is only one workspace here (MLflow 3.10 and later can have several)", timeout=3)
            return
        choices = [Choice(name, "", f"{'✓' if name == session.workspace else ' '} {name}") for name in names]
        chosen = await self.app.push_screen_wait(MenuDialog("Models of which workspace?", choices))
        if chosen is not None and chosen != session.workspace:
            session.workspace = chosen
            self.shelf, self.is_read = Shelf(), False
            self.model_list.show((), self.model_query, None)
            self.load()
