"""Edits of registered models and versions: stage changes, descriptions, tags, aliases, names, deletion.

The store has the rules. Each edit is one short transaction in a thread, which checks the rows again before it writes.
Afterwards the screen is read again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.model import SYSTEM_TAG_PREFIX
from mldeck.registry.history import TRANSITION_PREFIX, Transition, previous_in, recorded_transitions
from mldeck.registry.nouns import ACTIVE_STAGES, PRODUCTION, ModelVersion, RegisteredModel
from mldeck.registry.plan import StaleReview, TransitionPlan, plan_undo
from mldeck.store.interrupt import Interrupt
from mldeck.store.registry.rules import check_alias, check_model_name, check_registry_tag
from mldeck.ui.kit.dialogs.line_input import LineDialog
from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog
from mldeck.ui.kit.dialogs.prompts import Prompts, outcome_text, problem_of
from mldeck.ui.kit.dialogs.waiting import write_or_explain
from mldeck.ui.kit.keys import key_name
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.store.edits.changes import Edit
    from mldeck.store.registry.editor import RegistryEditor
    from mldeck.ui.models.screen import ModelsScreen

RegistryWrite = Callable[["RegistryEditor", Interrupt], "Edit"]


class ModelEditing(Prompts):
    """Runs the dialogs of each edit, writes it and reports the outcome. Call its methods in a worker."""

    def __init__(self, screen: ModelsScreen, session: Session) -> None:
        super().__init__(screen)
        self._screen: ModelsScreen = screen
        self._session = session
        self._done: list[Edit] = []
        """Edits of this session that can be undone, newest last, without stage changes."""
        self._moved: dict[str, Transition] = {}
        """The last stage change of this session, by model: databases may keep no record of it."""

    # -- stages

    async def move(self, version: ModelVersion, stage: str) -> None:
        """Move a version to a stage after a review. If it is there already, this can only archive the others."""
        others = (other for other in self._screen.versions_pane.versions if other.version != version.version)
        can_archive = stage in ACTIVE_STAGES and any(other.stage == stage for other in others)
        if version.stage == stage and not can_archive:
            raise MldeckError(f"Version {version.version} is already in {stage}")
        from mldeck.ui.models.review import StageChange
        from mldeck.ui.models.review_dialog import ReviewDialog

        name = version.name

        async def show(done: Transition) -> None:
            with self._screen.reporting_trouble():  # it is written, even if it cannot be shown
                await self._screen.show_moved(name, done.version)

        review = ReviewDialog(StageChange(self._session, name, version.version, stage), self._session.clock, show)
        done = await self._screen.app.push_screen_wait(review)
        if done is not None:
            self._tell(name, done)

    async def put_back(self, model: RegisteredModel) -> None:
        """Move the version that was in Production before back there."""
        session, name = self._session, model.name
        history = await read_off_loop(lambda interrupt: session.registry.history(name, interrupt))
        number = previous_in(history, PRODUCTION)
        if number is None:
            raise MldeckError(f"No earlier {PRODUCTION} version of {name} is known")
        version = await read_off_loop(lambda interrupt: session.registry.version(name, number, interrupt))
        if version is None:
            raise MldeckError(f"Version {number} of {name}, which was in {PRODUCTION} before, no longer exists")
        await self.move(version, PRODUCTION)

    async def undo_move(self, model: RegisteredModel) -> None:
        """Undo the model's last stage change, if no stage has changed since."""
        session, name = self._session, model.name
        versions = await read_off_loop(lambda interrupt: session.registry.versions(name, interrupt))
        known = [*recorded_transitions(versions), *([self._moved[name]] if name in self._moved else [])]
        if not known:
            raise MldeckError(f"Nothing to undo: no stage change of {name} is recorded")
        last = max(known, key=lambda transition: transition.number)
        plan = plan_undo(versions, last)
        if await self._is_confirmed(f"Undo the last stage change of {name}?", _undo_text(plan, last), "Undo"):
            await self._undo_as_planned(plan)

    async def _undo_as_planned(self, plan: TransitionPlan) -> None:
        try:
            done = await write_or_explain(
                self._screen.app,
                lambda interrupt: self._session.registry_editor.transition(plan, "", interrupt),
                reraise=(StaleReview,),
            )
        except StaleReview:
            await self._screen.read_again()
            raise
        if done is not None:
            with self._screen.reporting_trouble():
                await self._screen.show_moved(plan.model, done.version)
            self._tell(plan.model, done)

    def _tell(self, name: str, done: Transition) -> None:
        self._moved[name] = done
        self._say(f"{done_text(name, done)} · {key_name('undo_stage')} undoes it")

    async def show_history(self, model: RegisteredModel) -> None:
        from mldeck.ui.models.history_dialog import HistoryDialog

        session, name = self._session, model.name
        events = await read_off_loop(lambda interrupt: session.registry.history(name, interrupt))
        number = await self._screen.app.push_screen_wait(
            HistoryDialog(name, events, session.clock, keeps_history=session.registry.keeps_history)
        )
        if number is not None:
            await self._screen.read_again(cursor=(name, number))

    # -- descriptions and tags

    async def describe_model(self, model: RegisteredModel) -> None:
        name = model.name
        text = await self._note_anywhere(f"Description of {name}", model.description or "")
        if text is not None:
            await self._write(
                lambda editor, interrupt: editor.set_model_description(name, text, interrupt), (name, None)
            )

    async def describe_version(self, version: ModelVersion) -> None:
        name, number = version.name, version.version
        text = await self._note_anywhere(f"Description of {name} {number}", version.description or "")
        if text is not None:
            await self._write(
                lambda editor, interrupt: editor.set_version_description(name, number, text, interrupt), (name, number)
            )

    async def tag_model(self, model: RegisteredModel) -> None:
        name = model.name

        async def set_tag(key: str, value: str) -> None:
            await self._write(lambda editor, interrupt: editor.set_model_tag(name, key, value, interrupt), (name, None))

        async def delete_tag(key: str) -> None:
            await self._write(lambda editor, interrupt: editor.delete_model_tag(name, key, interrupt), (name, None))

        await self._edit_tags(name, model.tags, set_tag, delete_tag)

    async def tag_version(self, version: ModelVersion) -> None:
        name, number = version.name, version.version

        async def set_tag(key: str, value: str) -> None:
            await self._write(
                lambda editor, interrupt: editor.set_version_tag(name, number, key, value, interrupt), (name, number)
            )

        async def delete_tag(key: str) -> None:
            await self._write(
                lambda editor, interrupt: editor.delete_version_tag(name, number, key, interrupt), (name, number)
            )

        await self._edit_tags(f"{name} {number}", version.tags, set_tag, delete_tag)

    async def _edit_tags(
        self,
        label: str,
        tags: Mapping[str, str],
        set_tag: Callable[[str, str], Awaitable[None]],
        delete_tag: Callable[[str], Awaitable[None]],
    ) -> None:
        """Set or delete a tag. The tags that record stage changes are not offered."""
        own = {key: value for key, value in tags.items() if not key.startswith(TRANSITION_PREFIX)}
        chosen: str | None = "set"
        if own:
            choices = [Choice("set", "t", "Set a tag"), Choice("delete", "d", "Delete a tag")]
            chosen = await self._screen.app.push_screen_wait(MenuDialog(f"Tags of {label}", choices))
        if chosen == "set":
            tag = await self._tag(f"Tag of {label}", check_registry_tag)
            if tag is not None:
                await set_tag(*tag)
        elif chosen == "delete":
            key = await self._key(own, SYSTEM_TAG_PREFIX)
            if key is not None:
                await delete_tag(key)

    # -- aliases

    async def edit_aliases(self, model: RegisteredModel, version: ModelVersion) -> None:
        """Set an alias of this version, move one here from another version, or delete one."""
        name, number = version.name, version.version
        aliases = dict(sorted({**model.aliases, **model.dangling_aliases}.items()))
        elsewhere = [alias for alias in aliases if aliases[alias] != number]
        choices = [
            Choice("new", "n", f"New alias of version {number}"),
            *(Choice(f"move {alias}", "", f"Move @{alias} here from {_owner(model, alias)}") for alias in elsewhere),
            *(Choice(f"delete {alias}", "", f"Delete @{alias} of {_owner(model, alias)}") for alias in aliases),
        ]
        chosen = await self._screen.app.push_screen_wait(MenuDialog(f"Aliases of {name} {number}", choices))
        if chosen is None:
            return
        verb, _, alias = chosen.partition(" ")
        if verb == "new":
            title = f"Alias of {name} {number}, without the @"
            given = await self._screen.app.push_screen_wait(LineDialog(title, "", problem_of(check_alias)))
            if given is None:
                return
            alias = given
        cursor = (name, number)
        if verb == "delete":
            await self._write(lambda editor, interrupt: editor.delete_alias(name, alias, interrupt), cursor)
        else:
            await self._write(lambda editor, interrupt: editor.set_alias(name, alias, number, interrupt), cursor)

    # -- renaming and deleting

    async def rename(self, model: RegisteredModel) -> None:
        name = model.name
        title = f"Rename model {name}"
        new = await self._screen.app.push_screen_wait(LineDialog(title, name, problem_of(check_model_name)))
        if new is not None and new != name:
            await self._write(lambda editor, interrupt: editor.rename_model(name, new, interrupt), (new, None))

    async def delete_version(self, version: ModelVersion) -> None:
        name, number = version.name, version.version
        title = f"Delete version {number} of {name}?"
        if await self._is_confirmed(title, _deletion_text(version), "Delete"):
            await self._write(lambda editor, interrupt: editor.delete_version(name, number, interrupt), (name, None))

    async def delete_model(self, model: RegisteredModel) -> None:
        name, count = model.name, model.version_count
        versions = "Its only version" if count == 1 else f"Its {count:,} versions"
        lost = f"{versions}, tags, aliases and history are" if count else "It has no versions. It is"
        about = (
            f"{lost} deleted for good. Files and runs are kept.\n\nType the name of the model to confirm: {safe(name)}"
        )

        def problem(typed: str) -> str | None:
            # Characters that cannot be typed or seen are typed as they are shown.
            return None if typed in (name, safe(name)) else "this is not the name of the model"

        title = f"Delete model {name}?"
        typed = await self._screen.app.push_screen_wait(LineDialog(title, "", problem, about))
        if typed is not None:
            await self._write(lambda editor, interrupt: editor.delete_model(name, interrupt), (name, None))

    # -- writing, and undoing it

    async def undo_edit(self) -> None:
        """Undo the newest edit of this session."""
        if not self._done:
            self._say(f"No edit to undo in this session; {key_name('undo_stage')} undoes a stage change")
            return
        edit = self._done[-1]
        if await self._write(lambda editor, interrupt: editor.undo(edit, interrupt), None, can_be_undone=False):
            self._done.remove(edit)

    async def _write(
        self, write: RegistryWrite, cursor: tuple[str, int | None] | None, *, can_be_undone: bool = True
    ) -> bool:
        """Write an edit and report the outcome. Return whether it succeeded.

        `cursor` is the model, and the version or None, to move the cursor to afterwards.
        """
        with self._screen.models_pane.writing():
            return await self._write_and_show(write, cursor, can_be_undone)

    async def _write_and_show(
        self, write: RegistryWrite, cursor: tuple[str, int | None] | None, can_be_undone: bool
    ) -> bool:
        edit = await write_or_explain(
            self._screen.app, lambda interrupt: write(self._session.registry_editor, interrupt)
        )
        if edit is None:
            return False
        if not (edit.changed or edit.undo_refusal):
            self._say("No change")
            return True
        undoable = can_be_undone and edit.undo_refusal is None
        if undoable:
            self._done.append(edit)
        with self._screen.reporting_trouble():  # it is written, even if it cannot be shown
            await self._screen.read_again(cursor=cursor)
        self._say(outcome_text(edit.summary, "undo_edit" if undoable else None, edit.undo_refusal))
        return True

    def _say(self, text: str) -> None:
        self._screen.notify(text, timeout=6)


def done_text(name: str, done: Transition) -> str:
    """Return what a stage change did, in one line."""
    parts = [f"{name} {done.version} is in {done.after}"]
    if done.archived:
        parts.append(f"{', '.join(map(str, done.archived))} archived")
    if done.put_back:
        parts.append(f"{', '.join(map(str, done.put_back))} back in {done.before}")
    return " · ".join(parts)


def _undo_text(plan: TransitionPlan, last: Transition) -> str:
    who = f" by {last.who}" if last.who else ""
    reason = f" ({last.reason})" if last.reason else ""
    moves = "\n".join(f"version {move.version}: {move.before} → {move.after}" for move in plan.moves)
    return f"{moves}\n\nIt was moved{safe(who)}{safe(reason)}."


def _deletion_text(version: ModelVersion) -> str:
    """Return what MLflow does on a deletion, and what this one would break."""
    aliases = ", ".join(f"@{alias}" for alias in version.aliases)
    lost = f" Its aliases are deleted too: {aliases}." if aliases else ""
    serving = f" It is in {version.stage} now." if version.stage != "None" else ""
    return (
        "As in MLflow, its number is not used again, description and source are erased, tags and files are kept."
        f"{serving}{lost}"
    )


def _owner(model: RegisteredModel, alias: str) -> str:
    if alias in model.aliases:
        return f"version {model.aliases[alias]}"
    return f"version {model.dangling_aliases[alias]}, which was deleted"
