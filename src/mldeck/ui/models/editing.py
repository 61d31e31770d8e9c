"""Changing what is registered: moving versions between stages, and everything else that is said of them.

The rules are the store's. Each change is one short transaction in a thread that looks again before it writes; the screen reads
itself again afterwards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from mldeck.errors import MldeckError
from mldeck.format import safe
from mldeck.registry.history import TRANSITION_PREFIX, Transition, previous_in, recorded_transitions
from mldeck.registry.nouns import PRODUCTION, ModelVersion, RegisteredModel
from mldeck.registry.plan import StaleReview, TransitionPlan, plan_undo
from mldeck.store.interrupt import Interrupt
from mldeck.store.registry.rules import check_alias, check_model_name, check_registry_tag
from mldeck.ui.kit.dialogs.line_input import NameDialog
from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog
from mldeck.ui.kit.dialogs.prompts import Asking, problem_of
from mldeck.ui.kit.dialogs.waiting import write_or_explain
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.store.edits.changes import Edit
    from mldeck.store.registry.editor import RegistryEditor
    from mldeck.ui.models.screen import ModelsScreen

RegistryWrite = Callable[["RegistryEditor", Interrupt], "Edit"]


class ModelEditing(Asking):
    """Goes through the dialogs of one change after the other; call its methods in a worker."""

    def __init__(self, screen: ModelsScreen, session: Session) -> None:
        super().__init__(screen)
        self._screen: ModelsScreen = screen
        self._session = session
        self._done: list[Edit] = []
        """Edits of this sitting that can be taken back, the newest last. Changes of stage are not among them."""
        self._moved: dict[str, Transition] = {}
        """By model, the last change of stage of this sitting: also where no record of it is kept."""

    # -- stages

    async def move(self, version: ModelVersion, stage: str) -> None:
        """After a review. Where it is already, it can only be moved to make it the only one."""
        if version.stage == stage and not any(
            each.stage == stage for each in self._screen.versions_pane.versions if each.version != version.version
        ):
            self._say(f"Version {version.version} is in {stage} already")
            return
        from mldeck.ui.models.review import StageChange
        from mldeck.ui.models.review_dialog import ReviewDialog

        name = version.name

        async def show(done: Transition) -> None:
            with self._screen.reporting_trouble():  # it is done, whether it can be shown now or not
                await self._screen.show_moved(name, done.version)

        review = ReviewDialog(StageChange(self._session, name, version.version, stage), self._session.clock, show)
        done = await self._screen.app.push_screen_wait(review)
        if done is not None:
            self._tell(name, done)

    async def put_back(self, model: RegisteredModel) -> None:
        """What was in Production before."""
        session, name = self._session, model.name
        history = await read_off_loop(lambda interrupt: session.registry.history(name, interrupt))
        number = previous_in(history, PRODUCTION)
        if number is None:
            self._say(f"Nothing is known to have been in {PRODUCTION} of {name} before")
            return
        version = await read_off_loop(lambda interrupt: session.registry.version(name, number, interrupt))
        if version is not None:
            await self.move(version, PRODUCTION)

    async def undo_move(self, model: RegisteredModel) -> None:
        """Takes the last change of stage of the model back, if nothing was changed since."""
        session, name = self._session, model.name
        versions = await read_off_loop(lambda interrupt: session.registry.versions(name, interrupt))
        known = [*recorded_transitions(versions), *([self._moved[name]] if name in self._moved else [])]
        if not known:
            self._say(f"No change of stage of {name} is on record: there is nothing to undo")
            return
        last = max(known, key=lambda each: each.number)
        try:
            plan = plan_undo(versions, last)
        except MldeckError as error:
            self._refuse(error)
            return
        if await self._is_confirmed(f"Undo the last change of stage of {name}?", _undo_text(plan, last), "Undo"):
            await self._undo_as_planned(plan)

    async def _undo_as_planned(self, plan: TransitionPlan) -> None:
        try:
            done = await write_or_explain(
                self._screen.app,
                lambda interrupt: self._session.registry_editor.transition(plan, "", interrupt),
                reraise=(StaleReview,),
            )
        except StaleReview as error:
            self._refuse(error)
            await self._screen.read_again()
            return
        if done is not None:
            await self._screen.show_moved(plan.model, done.version)
            self._tell(plan.model, done)

    def _tell(self, name: str, done: Transition) -> None:
        self._moved[name] = done
        self._say(f"{done_text(name, done)} · u takes it back")

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
        """The records of changes of stage are the history: they are not offered."""
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
            key = await self._key(own)
            if key is not None:
                await delete_tag(key)

    # -- aliases

    async def edit_aliases(self, model: RegisteredModel, version: ModelVersion) -> None:
        """Sets one for this version, moves one here from another version, or deletes one."""
        name, number = version.name, version.version
        aliases = dict(sorted({**model.aliases, **model.dangling_aliases}.items()))
        elsewhere = [each for each in aliases if aliases[each] != number]
        choices = [
            Choice("new", "n", f"New alias of version {number}"),
            *(Choice(f"move {each}", "", f"Move @{each} here from {_at(model, each)}") for each in elsewhere),
            *(Choice(f"delete {each}", "", f"Delete @{each} of {_at(model, each)}") for each in aliases),
        ]
        chosen = await self._screen.app.push_screen_wait(MenuDialog(f"Aliases of {name} {number}", choices))
        if chosen is None:
            return
        verb, _, alias = chosen.partition(" ")
        if verb == "new":
            title = f"Alias of {name} {number}, without the @"
            given = await self._screen.app.push_screen_wait(NameDialog(title, "", problem_of(check_alias)))
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
        new = await self._screen.app.push_screen_wait(NameDialog(title, name, problem_of(check_model_name)))
        if new is not None and new != name:
            await self._write(lambda editor, interrupt: editor.rename_model(name, new, interrupt), (new, None))

    async def delete_version(self, version: ModelVersion) -> None:
        name, number = version.name, version.version
        title = f"Delete version {number} of {name}?"
        if await self._is_confirmed(title, _deletion_text(version), "Delete"):
            await self._write(lambda editor, interrupt: editor.delete_version(name, number, interrupt), (name, None))

    async def delete_model(self, model: RegisteredModel) -> None:
        name, count = model.name, model.version_count
        versions = "its only version goes" if count == 1 else f"its {count:,} versions go"
        going = f"With it, {versions}" if count else "It has no versions; it goes"
        about = (
            f"{going} for good, with tags, aliases and history. Files and runs stay.\n\n"
            f"To do it, type the name of the model: {safe(name)}"
        )

        def problem(typed: str) -> str | None:
            # What cannot be typed, or not be seen, is typed as it is shown.
            return None if typed in (name, safe(name)) else "that is not its name"

        title = f"Delete model {name}?"
        typed = await self._screen.app.push_screen_wait(NameDialog(title, "", problem, about))
        if typed is not None:
            await self._write(lambda editor, interrupt: editor.delete_model(name, interrupt), (name, None))

    # -- writing, and taking it back

    async def undo_edit(self) -> None:
        """Takes the newest edit of this sitting back."""
        if not self._done:
            self._say("Nothing to take back in this sitting; u undoes a change of stage")
            return
        edit = self._done[-1]
        if await self._write(lambda editor, interrupt: editor.undo(edit, interrupt), None, can_be_undone=False):
            self._done.remove(edit)

    async def _write(
        self, write: RegistryWrite, cursor: tuple[str, int | None] | None, *, can_be_undone: bool = True
    ) -> bool:
        """Whether it was written. `cursor` is the model and version to go to afterwards."""
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
            self._say("Nothing to change: it is so already")
            return True
        undoable = can_be_undone and edit.undo_refusal is None
        if undoable:
            self._done.append(edit)
        await self._screen.read_again(cursor=cursor)
        hint = " · ctrl+z takes it back" if undoable else f" · {edit.undo_refusal}" if edit.undo_refusal else ""
        self._say(f"{edit.summary[:1].upper()}{edit.summary[1:]}{hint}")
        return True

    def _say(self, text: str) -> None:
        self._screen.notify(text, timeout=6)

    def _refuse(self, error: MldeckError) -> None:
        """A dialog that stays until it was read."""
        from mldeck.ui.kit.dialogs.text import TextDialog

        self._screen.app.push_screen(TextDialog("Nothing was changed", str(error)))


def done_text(name: str, done: Transition) -> str:
    """What a change of stage did, in a line."""
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
    """What MLflow does, and what of it hurts."""
    aliases = (
        f" Its aliases go with it: {', '.join(f'@{each}' for each in version.aliases)}." if version.aliases else ""
    )
    serving = f" It is in {version.stage} now." if version.stage != "None" else ""
    return (
        f"As in MLflow, its number is not given again; description and source are erased, tags stay, files are not "
        f"touched.{serving}{aliases}"
    )


def _at(model: RegisteredModel, alias: str) -> str:
    if alias in model.aliases:
        return f"version {model.aliases[alias]}"
    return f"version {model.dangling_aliases[alias]}, which was deleted"
