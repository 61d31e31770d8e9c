"""The place Models: what is registered, in which stage each version is, and changing it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from mldeck.registry.nouns import STAGES, ModelVersion, RegisteredModel
from mldeck.ui.app_keys import PLACE
from mldeck.ui.details.keys import INSPECTOR
from mldeck.ui.kit.keys import bindings
from mldeck.ui.models.browsing import ModelVersions
from mldeck.ui.models.keys import MODEL_EDITS, MODEL_PLACE, STAGE_KEYS

if TYPE_CHECKING:
    from mldeck.ui.models.editing import ModelActions

_NOT_EDITS = frozenset({"history"})
_EDIT_ACTIONS = frozenset(key.action.partition("(")[0] for key in (*STAGE_KEYS, *MODEL_EDITS)) - _NOT_EDITS
_NO_REGISTRY = "This database is from before MLflow 1.4, which had no model registry"
_NO_MODEL = "There is no model here: r on a run registers one"
_NO_VERSION = "This model has no version: r on a run registers one"

OfModel = Callable[[RegisteredModel], Awaitable[None]]
OfVersion = Callable[[ModelVersion], Awaitable[None]]


class ModelsScreen(ModelVersions, inherit_bindings=False):
    NAME = "models"
    # All of them in one list, so that the stages come first in the key bar: that is what one comes here for.
    BINDINGS: ClassVar[list[BindingType]] = bindings(STAGE_KEYS, MODEL_PLACE, MODEL_EDITS, INSPECTOR, PLACE)

    @cached_property
    def _actions(self) -> ModelActions:
        from mldeck.ui.models.editing import ModelActions  # most sittings only look

        return ModelActions(self, self.session)

    def unavailable(self, action: str) -> str | None:
        is_edit = action.partition("(")[0] in _EDIT_ACTIONS
        return self.session.registry_refusal if is_edit and self.session.is_open else super().unavailable(action)

    # -- stages

    def action_stage(self, stage: str) -> None:
        """`n` goes on to the next match while something was found."""
        if stage == STAGES[0] and self.finder.has_matches:
            self.action_find_next()
        else:
            self._move_to(stage)

    def action_move_card(self, step: int) -> None:
        version = self.cursor_version
        if version is None:
            self._say_what_is_missing()
            return
        column = STAGES.index(version.stage) if version.stage in STAGES else 0
        if 0 <= column + step < len(STAGES):
            self._move_to(STAGES[column + step])

    @work(group="edit", exclusive=True)
    async def _move_to(self, stage: str) -> None:
        await self._change_version(lambda version: self._actions.move(version, stage))

    @work(group="edit", exclusive=True)
    async def action_undo_stage(self) -> None:
        await self._change_model(self._actions.undo_move)

    @work(group="edit", exclusive=True)
    async def action_put_back(self) -> None:
        await self._change_model(self._actions.put_back)

    @work(group="edit", exclusive=True)
    async def action_history(self) -> None:
        if self.cursor_model is None:
            self._say_what_is_missing()
            return
        with self.reporting_trouble():
            await self._actions.show_history(self.cursor_model)

    # -- edits: of the model while one moves among the models, else of the version

    @work(group="edit", exclusive=True)
    async def action_describe(self) -> None:
        await self._change(self._actions.describe_model, self._actions.describe_version)

    @work(group="edit", exclusive=True)
    async def action_tags(self) -> None:
        await self._change(self._actions.tag_model, self._actions.tag_version)

    @work(group="edit", exclusive=True)
    async def action_delete(self) -> None:
        await self._change(self._actions.delete_model, self._actions.delete_version)

    @work(group="edit", exclusive=True)
    async def action_aliases(self) -> None:
        async def edit(version: ModelVersion) -> None:
            if self.cursor_model is not None:
                await self._actions.edit_aliases(self.cursor_model, version)

        await self._change_version(edit)

    @work(group="edit", exclusive=True)
    async def action_rename(self) -> None:
        await self._change_model(self._actions.rename)

    @work(group="edit", exclusive=True)
    async def action_undo_edit(self) -> None:
        if not self.says_why_not(self.session.registry_refusal):
            with self.reporting_trouble():
                await self._actions.undo_edit()

    async def _change(self, change_model: OfModel, change_version: OfVersion) -> None:
        if self.is_in_list:
            await self._change_model(change_model)
        else:
            await self._change_version(change_version)

    async def _change_model(self, change: OfModel) -> None:
        if self.says_why_not(self.session.registry_refusal):
            return
        if self.cursor_model is None:
            self._say_what_is_missing()
            return
        with self.reporting_trouble():
            await change(self.cursor_model)

    async def _change_version(self, change: OfVersion) -> None:
        if self.says_why_not(self.session.registry_refusal):
            return
        version = self.cursor_version
        if version is None:
            self._say_what_is_missing()
            return
        with self.reporting_trouble():
            await change(version)

    def _say_what_is_missing(self) -> None:
        nothing = _NO_MODEL if self.shelf.has_registry else _NO_REGISTRY
        self._say(_NO_VERSION if self.cursor_model else nothing)

    def _say(self, text: str) -> None:
        self.notify(text, timeout=3)
