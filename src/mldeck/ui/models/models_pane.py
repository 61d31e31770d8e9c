"""The pane with the registered models: it reads, sorts and filters them, and switches workspaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.model import DEFAULT_WORKSPACE
from mldeck.registry.nouns import NO_REGISTRY, ModelQuery
from mldeck.ui.kit.keys import with_keys
from mldeck.ui.kit.questions import asks
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.models.model_list import RegisteredModelList
from mldeck.ui.models.reading import RegistryListing, read_listing, same_model
from mldeck.ui.place import Place, no_match_text, retitle

_ELSEWHERE = "If the registry is in another database, start mldeck with --registry-store."
_EMPTY = """No models registered yet.

Press {register} on a run to register a model that it logged, or call mlflow.register_model."""


class ModelsPane(Vertical):
    """The list of models. Its workers read the models when their order, filter or workspace changes."""

    class Loaded(Message):
        """Posted when the models have been read in another order, with another filter or from another workspace."""

    def __init__(self, place: Place, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._place = place
        self._session = place.session
        self.listing = RegistryListing()
        self.model_query = ModelQuery()
        self.filters: list[str] = []
        """Filters used in this session, newest last."""
        self.is_read = False
        """Whether `listing` has been read; False at first, and after a change of workspace."""
        self._is_writing = False

    def compose(self) -> ComposeResult:
        yield RegisteredModelList(self._session.clock, id="models")

    @property
    def model_list(self) -> RegisteredModelList:
        return self.query_one(RegisteredModelList)

    @property
    def empty_text(self) -> str:
        """Why there are no models, and what to do about it; empty before the first read."""
        if not self.is_read:
            return ""
        if not self.listing.has_registry:
            return f"{NO_REGISTRY}.\n\n{_ELSEWHERE}"
        query = self.model_query
        if query.filter:
            return no_match_text("No model", query.filter, "filter_models", "clear_model_filter")
        return f"{with_keys(_EMPTY)}\n{_ELSEWHERE}"

    # -- reading

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Do not warn about models that disappear meanwhile: the user is changing them."""
        self._is_writing = True
        try:
            yield
        finally:
            self._is_writing = False

    async def read(self, cursor: str | None = None) -> None:
        """Read and show the models. The cursor moves to the named model, else stays on its model, even if renamed.

        Raises `MldeckError`.
        """
        session, query, before = self._session, self.model_query, self.listing
        listing = await read_off_loop(lambda interrupt: read_listing(session.registry, query, interrupt))
        if query != self.model_query:
            return
        self.listing, self.is_read = listing, True
        present = self.model_list.cursor_model
        if cursor is None and present is not None:
            now = same_model(present, before, listing)
            cursor = now.name if now else None
            if now is None and not query.filter and not self._is_writing:
                text = safe(f"{present.name} is no longer registered")
                self.notify(text, severity="warning", timeout=5)
        self.model_list.empty_text = "" if listing.models else "No models."
        self.model_list.show(listing.models, query, cursor)
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
        listing, workspace = self.listing, self._session.workspace
        named = f" of {workspace}" if len(listing.workspaces) > 1 or workspace != DEFAULT_WORKSPACE else ""
        noun = "found" if self.model_query.filter else "model" if len(listing.models) == 1 else "models"
        retitle(self, f"Models{named}", self._place.busy or f"{len(listing.models):,} {noun}")

    # -- order and filter

    @on(RegisteredModelList.SortAsked)
    def _sort(self, message: RegisteredModelList.SortAsked) -> None:
        self.model_query = message.query
        self.load()

    def apply_filter(self, text: str) -> None:
        text = text.strip()
        if text != self.model_query.filter:
            self.model_query = replace(self.model_query, filter=text)
            self.load()

    def keep_filter(self, text: str) -> None:
        """Add a filter to the history."""
        text = text.strip()
        if text:
            self.filters = [*(earlier for earlier in self.filters if earlier != text), text]

    # -- workspaces

    @asks("workspace")
    async def choose_workspace(self) -> None:
        from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog

        session, names = self._session, self.listing.workspaces
        if len(names) < 2:
            raise MldeckError("There is only one workspace here (several need MLflow 3.10 or later)")
        choices = [Choice(name, "", f"{'✓' if name == session.workspace else ' '} {name}") for name in names]
        chosen = await self.app.push_screen_wait(MenuDialog("Choose a workspace", choices))
        if chosen is not None and chosen != session.workspace:
            session.workspace = chosen
            self.listing, self.is_read = RegistryListing(), False
            self.model_list.show((), self.model_query, None)
            self.load()
