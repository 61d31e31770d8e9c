"""The dialogs that edit runs and experiments, the report of the outcome, and undo.

The store has the rules. Each edit is one short transaction in a thread. The screen then reads the change as it reads the
changes of other programs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.screen import Screen

from mldeck.model import NOTE_TAG, SYSTEM_TAG_PREFIX, Experiment
from mldeck.store.edits.rules import check_experiment_tag, check_run_tag
from mldeck.store.interrupt import Interrupt
from mldeck.ui.kit.dialogs.menu import Choice, MenuDialog
from mldeck.ui.kit.dialogs.prompts import Prompts, has_editor, outcome_text
from mldeck.ui.kit.dialogs.waiting import write_or_explain
from mldeck.ui.kit.keys import key_name, with_keys
from mldeck.ui.kit.threads import read_off_loop
from mldeck.ui.state.session import Session

if TYPE_CHECKING:
    from mldeck.store.edits.changes import Edit
    from mldeck.store.edits.editor import StoreEditor

WriteEdit = Callable[["StoreEditor", Interrupt], "Edit"]


@dataclass(frozen=True)
class RunSubject:
    """The runs that an edit changes: the marked ones or, without marks, the one under the cursor."""

    run_ids: Sequence[str]
    label: str
    """The name of the run, or the number of runs."""
    name: str = ""
    """The name of a single run; else empty."""

    @property
    def is_single(self) -> bool:
        return len(self.run_ids) == 1


class Editing(Prompts):
    """Asks what an edit needs to know, and writes it. Call the methods in a worker."""

    def __init__(self, screen: Screen[None], session: Session) -> None:
        super().__init__(screen)
        self._session = session
        self._done: list[Edit] = []
        """Edits of this session that can be undone, the newest last."""

    # -- runs

    async def edit_runs(self, subject: RunSubject) -> None:
        tags = await self._tags_of(subject)
        choices = [
            *([Choice("name", "n", "Rename")] if subject.is_single else []),
            Choice("note", "m", "Note (Markdown)"),
            *([Choice("editor", "e", "Note, in $EDITOR")] if has_editor() else []),
            Choice("tag", "t", "Set a tag"),
            *([Choice("untag", "d", "Delete a tag")] if tags else []),
        ]
        chosen = await self._screen.app.push_screen_wait(MenuDialog(f"Edit {subject.label}", choices))
        ids = subject.run_ids
        if chosen == "name":
            name = await self._name(f"Rename {subject.label}", subject.name)
            if name is not None:
                await self._write(lambda editor, interrupt: editor.rename_run(ids[0], name, interrupt))
        elif chosen in ("note", "editor"):
            text = await self._note(f"Note of {subject.label}", tags.get(NOTE_TAG, ""), in_editor=chosen == "editor")
            if text is not None:
                await self._write(lambda editor, interrupt: editor.set_run_note(ids, text, interrupt))
        elif chosen == "tag":
            tag = await self._tag(f"Tag of {subject.label}", check_run_tag)
            if tag is not None:
                key, value = tag
                await self._write(lambda editor, interrupt: editor.set_run_tag(ids, key, value, interrupt))
        elif chosen == "untag":
            unwanted = await self._key(tags, SYSTEM_TAG_PREFIX)
            if unwanted is not None:
                await self._write(lambda editor, interrupt: editor.delete_run_tag(ids, unwanted, interrupt))

    async def delete_runs(self, subject: RunSubject) -> None:
        store, ids = self._session.store, subject.run_ids
        lost = await read_off_loop(lambda interrupt: store.assessments_of_runs(ids, interrupt))
        text = with_keys("Deleted runs are hidden, not lost: {view_runs} shows them, {restore} restores them.") + _loss(
            lost
        )
        if await self._is_confirmed(f"Delete {subject.label}?", text, "Delete"):
            await self._write(lambda editor, interrupt: editor.delete_runs(subject.run_ids, interrupt))

    async def restore_runs(self, subject: RunSubject) -> None:
        await self._write(lambda editor, interrupt: editor.restore_runs(subject.run_ids, interrupt))

    async def _tags_of(self, subject: RunSubject) -> dict[str, str]:
        """Return the tags of the first run. For several runs they are only a suggestion."""
        store, run_id = self._session.store, subject.run_ids[0]
        details = await read_off_loop(lambda interrupt: store.run_details(run_id, interrupt))
        return dict(details.tags) if details else {}

    # -- experiments

    async def edit_experiment(self, experiment: Experiment) -> None:
        choices = [
            Choice("name", "n", "Rename"),
            Choice("note", "m", "Note (Markdown)"),
            *([Choice("editor", "e", "Note, in $EDITOR")] if has_editor() else []),
            Choice("tag", "t", "Set a tag"),
            Choice("untag", "d", "Delete a tag"),
        ]
        name = experiment.name
        chosen = await self._screen.app.push_screen_wait(MenuDialog(f"Edit experiment {name}", choices))
        experiment_id = experiment.experiment_id
        if chosen == "name":
            other = await self._name(f"Rename experiment {name}", name)
            if other is not None:
                await self._write(lambda editor, interrupt: editor.rename_experiment(experiment_id, other, interrupt))
        elif chosen in ("note", "editor"):
            text = await self._note(f"Note of {name}", experiment.note or "", in_editor=chosen == "editor")
            if text is not None:
                await self._write(lambda editor, interrupt: editor.set_experiment_note(experiment_id, text, interrupt))
        elif chosen == "tag":
            tag = await self._tag(f"Tag of experiment {name}", check_experiment_tag)
            if tag is not None:
                key, value = tag
                await self._write(
                    lambda editor, interrupt: editor.set_experiment_tag([experiment_id], key, value, interrupt)
                )
        elif chosen == "untag":
            unwanted = await self._name(f"Delete which tag of experiment {name}?", "")
            if unwanted is not None:
                await self._write(
                    lambda editor, interrupt: editor.delete_experiment_tag([experiment_id], unwanted, interrupt)
                )

    async def create_experiment(self) -> None:
        name = await self._name("Create an experiment", "")
        if name is not None:
            await self._write(lambda editor, interrupt: editor.create_experiment(name, interrupt).edit)

    async def delete_experiment(self, experiment: Experiment, run_count: int) -> None:
        store, ids = self._session.store, [experiment.experiment_id]
        lost = await read_off_loop(lambda interrupt: store.assessments_of_experiments(ids, interrupt))
        text = (
            f"Its {run_count:,} runs are deleted with it. They are hidden, not lost: {key_name('view_experiments')} shows "
            f"deleted experiments, {key_name('restore')} restores one with all its runs.{_loss(lost)}"
        )
        if await self._is_confirmed(f"Delete experiment {experiment.name}?", text, "Delete"):
            await self._write(lambda editor, interrupt: editor.delete_experiments(ids, interrupt))

    async def restore_experiment(self, experiment: Experiment) -> None:
        ids = [experiment.experiment_id]
        await self._write(lambda editor, interrupt: editor.restore_experiments(ids, interrupt))

    # -- writing and undo

    async def undo(self) -> None:
        """Undo the newest edit of this session."""
        if not self._done:
            self._screen.notify("Nothing to undo in this session", timeout=3)
            return
        edit = self._done[-1]
        undone = await self._write(lambda editor, interrupt: editor.undo(edit, interrupt), can_be_undone=False)
        if undone:
            self._done.pop()

    async def _write(self, write: WriteEdit, *, can_be_undone: bool = True) -> bool:
        """Write an edit, and report the outcome. Return whether it was written, which includes that nothing had to change."""
        store = self._session.store
        edit = await write_or_explain(self._screen.app, lambda interrupt: write(store.editor, interrupt))
        if edit is None:
            return False
        if not edit.changed:
            self._screen.notify("No change", timeout=3)
            return True
        undoable = can_be_undone and edit.undo_refusal is None
        if undoable:
            self._done.append(edit)
        self._screen.notify(outcome_text(edit.summary, "undo" if undoable else None, edit.undo_refusal), timeout=6)
        return True


def _loss(count: int) -> str:
    """Return a warning about what restoring does not bring back: MLflow deletes the assessments of a deleted run for good."""
    if not count:
        return ""
    results = "evaluation result goes" if count == 1 else "evaluation results go"
    return f"\n\n{count:,} {results} for good, as in MLflow. Only {key_name('undo')} in this session brings them back."
